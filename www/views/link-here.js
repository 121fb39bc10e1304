// This browser asks to be linked: the code as picture and text, until another device of the person answers.
// Does not know the account it will get; nothing secret exists here before the other device approved.

import { el, setText } from "../dom.js";
import { sentence } from "../errors.js";
import { seconds } from "../format.js";
import { icon } from "../icons.js";
import { announce } from "../notify.js";
import { drawQr } from "../qr.js";
import { LIST } from "../route.js";

const STEPS = [
  "On a device that already has your account, open Lockstep.",
  "Go to Devices, then “Link a device”.",
  "Scan this code there, or copy the text below and paste it.",
  "Check the name and approve. This page then goes on by itself.",
];

const ENDED = {
  link_declined: ["Declined on the other device", "Nothing was shared. If that was a mistake, start again."],
  link_expired: ["Time ran out", "Nobody answered in time, so the codes shown here no longer work. Start again when your other device is at hand."],
};

export function linkHereView(app) {
  const stage = el("div.link-stage");
  const node = el("main.page.narrow", { onkeydown: (event) => event.key === "Escape" && leave() },
    el("button.button.plain.back-line", { type: "button", onclick: () => leave() }, icon("back"), "Back"),
    el("h1", { tabIndex: -1 }, "Link this browser"),
    stage);
  let attempt;
  let closed = false;
  let code; // the parts of the waiting state, while it is shown
  let timer;

  const off = app.client.on("link", (event) => !closed && code && waiting(event));

  function leave() {
    app.linking = undefined;
    app.go(LIST);
  }

  async function begin() {
    code = undefined;
    stage.dataset.state = "starting";
    stage.replaceChildren(el("p.busy", { role: "status" }, el("span.spinner", { "aria-hidden": "true" }), "Preparing a code…"));
    try {
      attempt = await app.client.link(app.linking);
      if (closed) return void attempt.cancel();
      waiting(attempt);
      await attempt.done;
      if (!closed) finished();
    } catch (error) {
      if (!closed) ended(error);
    }
  }

  function waiting({ uri, expiresAt }) {
    const first = !code;
    code ??= codeParts();
    code.expiresAt = expiresAt;
    setText(code.uri, uri);
    code.picture.classList.remove("stale");
    drawQr(uri, "QR code with the link text")
      .then((picture) => code && code.uri.textContent === uri && code.picture.replaceChildren(picture))
      .catch(() => code?.picture.replaceChildren(el("p.muted", {}, "The picture cannot be drawn here. Use the text instead.")));
    if (first) {
      stage.dataset.state = "waiting";
      stage.replaceChildren(code.node);
      clearInterval(timer);
      timer = setInterval(tick, 250);
    }
    tick();
  }

  function tick() {
    if (!code) return;
    const left = code.expiresAt - Date.now();
    code.left.value = Math.max(0, left);
    code.left.max = Math.max(code.left.max, left, 1);
    setText(code.words, left > 0 ? `A new code comes in ${seconds(left)}` : "Getting a new code…");
    code.picture.classList.toggle("stale", left <= 0);
  }

  function finished() {
    stage.dataset.state = "linked";
    code = undefined;
    stage.replaceChildren(el("p.busy", { role: "status" }, el("span.spinner", { "aria-hidden": "true" }), "Approved. Fetching your contacts…"));
    announce("This browser is linked.");
  }

  function ended(error) {
    clearInterval(timer);
    code = undefined;
    const [title, help] = ENDED[error?.code] ?? ["This did not work", sentence(error)];
    stage.dataset.state = { link_declined: "declined", link_expired: "expired" }[error?.code] ?? "failed";
    const again = el("button.button.primary", { type: "button", testid: "link-again", onclick: begin }, "Try again");
    stage.replaceChildren(el("div.card.stack.notice", { role: "alert", testid: "error", "data-code": error?.code },
      el("h2", {}, title), el("p", {}, help), el("div.row", {}, again)));
    again.focus();
  }

  function close() {
    closed = true;
    clearInterval(timer);
    off();
    attempt?.cancel();
  }

  begin();
  return { node, close, onShown: () => node.querySelector("h1").focus() };
}

/** The nodes of the waiting state. */
function codeParts() {
  const picture = el("div.qr");
  const left = el("progress.countdown", { max: "1", "aria-hidden": "true" });
  const words = el("p.muted.center-text.tabular");
  const uri = el("p.uri", { testid: "link-uri", tabIndex: 0, role: "textbox", "aria-readonly": "true", "aria-label": "Link text" });
  const copied = el("span", { "aria-live": "polite" }, "Copy text");
  const copy = el("button.button", { type: "button", testid: "link-copy", onclick: () => copyText(uri, copied) }, icon("copy"), copied);
  const node = el("div.link-here", {},
    el("div.stack", {}, picture, left, words),
    el("div.stack", {},
      el("ol.steps", {}, STEPS.map((text) => el("li", {}, text))),
      uri, el("div.row", {}, copy),
      el("p.hint", {}, "Give this code or text to nobody else: it is for your own devices only.")));
  return { node, picture, left, words, uri };
}

async function copyText(source, label) {
  try {
    await navigator.clipboard.writeText(source.textContent);
    label.textContent = "Copied";
  } catch {
    getSelection().selectAllChildren(source);
    label.textContent = "Selected: copy it with your keyboard";
  }
  setTimeout(() => {
    label.textContent = "Copy text";
  }, 2500);
}
