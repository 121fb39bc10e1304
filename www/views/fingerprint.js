// The fingerprint of one's own key, to be published: people who get it by another way can tell that it is really oneself.
// Does not know who compares it.

import { el } from "../dom.js";
import { sentence } from "../errors.js";
import { icon } from "../icons.js";
import { inlineError } from "../notify.js";

export function fingerprintPart(client) {
  const error = inlineError();
  const text = el("p.uri.fingerprint", { testid: "fingerprint", tabIndex: 0, role: "textbox", "aria-readonly": "true", "aria-label": "My fingerprint" });
  const label = el("span", { "aria-live": "polite" }, "Copy");
  const copy = el("button.button.small", { type: "button", testid: "fingerprint-copy", onclick: () => copyText(text, label) }, icon("copy"), label);
  client.fingerprint().then((digits) => {
    text.textContent = digits;
  }, (cause) => error.show(sentence(cause), cause?.code));
  return el("fieldset.setting-group", {}, el("legend", {}, "My fingerprint"),
    el("div.stack.setting-body", {},
      el("p.hint", {}, "The same on all your devices. Put it on your website, card or letters: whoever writes with you can compare it under “Verify safety number”."),
      error.node, text, el("div.row", {}, copy)));
}

/** The clipboard is closed to pages without a secure connection; then the text is at least selected. */
export async function copyText(source, label, words = "Copy") {
  try {
    await navigator.clipboard.writeText(source.textContent);
    label.textContent = "Copied";
  } catch {
    getSelection().selectAllChildren(source);
    label.textContent = "Selected: copy it with your keyboard";
  }
  setTimeout(() => {
    label.textContent = words;
  }, 2500);
}
