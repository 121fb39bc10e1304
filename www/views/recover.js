// A new browser when all devices are gone: with the words on paper, or without them anew.
// Does not know how an account is brought back.

import { el } from "../dom.js";
import { sentence } from "../errors.js";
import { bareHandle } from "../format.js";
import { icon } from "../icons.js";
import { inlineError } from "../notify.js";
import { field } from "./field.js";
import { dialog } from "./popup.js";

/** `given`: { handle, deviceName, credential } as far as they were filled in before. */
export function openRecover(client, given) {
  const error = inlineError();
  const handle = field("Your handle", { testid: "recover-handle", value: given.handle, autocomplete: "username", autocapitalize: "none", spellcheck: "false", maxlength: 64 });
  const words = field("The twelve words", { testid: "recover-words", rows: 3, autocomplete: "off", autocapitalize: "none", spellcheck: "false", maxlength: 400 },
    "In their order. Capital letters and spaces do not matter.");
  const device = field("Name of this device", { testid: "recover-device-name", value: given.deviceName, autocomplete: "off", maxlength: 64 });
  const token = field("Access token", { testid: "recover-token", value: given.credential ?? "", autocomplete: "off", spellcheck: "false" }, "If your service gives you one.");
  const go = el("button.button.primary", { type: "submit", form: "recover-form", testid: "recover-go" }, "Bring my account back");

  const options = () => {
    const credential = token.input.value.trim();
    return { handle: bareHandle(handle.input.value), deviceName: device.input.value.trim(), ...(credential && { credential }) };
  };

  async function run(call) {
    error.clear();
    go.disabled = anew.disabled = true;
    try {
      await call();
      words.input.value = "";
      opened.close();
    } catch (cause) {
      error.show(sentence(cause), cause?.code);
      go.disabled = anew.disabled = false;
    }
  }

  const anew = el("button.button.danger", { type: "button", testid: "recover-anew", onclick: () => run(() => client.register({ ...options(), anew: true })) }, "Begin anew");
  const without = el("details.quiet", {}, el("summary", { testid: "recover-without" }, "I have no recovery code"),
    el("div.stack", {},
      el("p.banner.warn", {}, icon("warning"), el("span", {}, el("strong", {}, "You keep your handle, and nothing else. "),
        "You get another security key. Everybody you write with is told that it has changed, and has to ask you whether it is really you.")),
      el("p.hint", {}, "It needs an access token of your service, and that none of your devices was in use for two days."),
      el("div.row", {}, anew)));
  const form = el("form.stack", { id: "recover-form", onsubmit: (event) => {
    event.preventDefault();
    run(() => client.recover({ ...options(), words: words.input.value }));
  } }, el("p.muted", {}, "Your account comes back with the same key, so nobody you write with notices. Messages from before do not."),
  handle.node, words.node, device.node, el("details.quiet", { open: Boolean(given.credential) }, el("summary", {}, "I have an access token"), token.node), error.node);
  const opened = dialog({ title: "All my devices are gone", testid: "recover", action: go }, form, without);
  (given.handle ? words : handle).input.focus();
  return opened;
}
