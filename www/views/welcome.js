// The first screen of a new browser: sign up with a handle, or link this browser to an account one already has.
// Does not know how linking goes on from here; it hands over handle, device name and access token.

import { el } from "../dom.js";
import { sentence } from "../errors.js";
import { bareHandle, browserName } from "../format.js";
import { icon } from "../icons.js";
import { inlineError } from "../notify.js";
import { field } from "./field.js";
import { openRecover } from "./recover.js";

const FACTS = [
  ["lock", "Only you and the person you write to can read it. The server stores what it cannot read."],
  ["devices", "Every device you link shows the same conversations, in the same order."],
  ["device", "Your keys are made in this browser and never leave your devices."],
];

export function welcomeView(app, beginLinking) {
  const handle = field("Handle", { testid: "welcome-handle", autocomplete: "username", autocapitalize: "none", spellcheck: "false",
    maxlength: 64, placeholder: "alice" }, "People find you by it.");
  const device = field("Name of this device", { testid: "welcome-device-name", autocomplete: "off", maxlength: 64,
    value: browserName(navigator.userAgent, navigator.userAgentData?.brands) }, "It stands in the list of your devices.");
  const token = field("Access token", { testid: "welcome-token", autocomplete: "off", spellcheck: "false" },
    "Some services give you one to prove who you are. Leave it empty otherwise.");
  const error = inlineError();
  const register = el("button.button.primary.wide", { type: "submit", testid: "welcome-register" }, "Create account");
  const link = el("button.button.wide", { type: "button", testid: "welcome-link" }, icon("link"), "Link this browser");

  const options = () => {
    const credential = token.input.value.trim();
    return { deviceName: device.input.value.trim(), ...(credential && { credential }) };
  };

  async function signUp(event) {
    event.preventDefault();
    error.clear();
    const name = bareHandle(handle.input.value);
    if (!name) {
      error.show("Choose a handle first.", "handle_invalid");
      handle.input.focus();
      return;
    }
    register.disabled = link.disabled = true;
    register.textContent = "Creating your account…";
    try {
      await app.client.register({ handle: name, ...options() });
    } catch (cause) {
      error.show(sentence(cause), cause?.code);
      register.textContent = "Create account";
      register.disabled = link.disabled = false;
      if (["handle_taken", "handle_invalid"].includes(cause?.code)) handle.input.focus();
    }
  }

  const gone = el("button.button.plain.wide", { type: "button", testid: "welcome-gone",
    onclick: () => openRecover(app.client, { handle: bareHandle(handle.input.value), ...options() }) }, "All my devices are gone");

  link.addEventListener("click", () => {
    const name = bareHandle(handle.input.value);
    beginLinking({ ...(name && { handle: name }), ...options() });
  });

  const form = el("form.card.stack", { onsubmit: signUp, "aria-label": "Get started" },
    el("h2", {}, "Get started"),
    handle.node, device.node,
    el("details.quiet", {}, el("summary", {}, "I have an access token"), token.node),
    error.node, register,
    el("p.or", {}, el("span", {}, "or")),
    el("p.muted", {}, "Already use Lockstep on another device? Then you need no new handle: enter the one you have there."),
    link, gone);
  const node = el("main.welcome", {}, brand(), el("div.welcome-form", {}, form));
  return { node, onShown: () => matchMedia("(pointer: fine)").matches && handle.input.focus() };
}

function brand() {
  return el("section.brand", {},
    el("div.brand-name", {}, el("img", { src: "/logo.svg", alt: "", width: 56, height: 56 }), el("h1", {}, "Lockstep")),
    el("p.brand-line", {}, "Private messages, in step on every device you own."),
    el("ul.facts", { role: "list" }, FACTS.map(([name, text]) => el("li", {}, icon(name), el("span", {}, text)))));
}
