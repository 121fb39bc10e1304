// Deleting the account: what it means, and the handle typed once more, so that no slip of the hand does it.
// Does not know what is shown afterwards.

import { el } from "../dom.js";
import { sentence } from "../errors.js";
import { bareHandle } from "../format.js";
import { icon } from "../icons.js";
import { inlineError } from "../notify.js";
import { field } from "./field.js";

/** `done` leaves this screen. */
export function deleteAccountView(app, done) {
  const { handle } = app.account;
  const word = handle ?? "delete"; // a plain Signal service has no handles
  const error = inlineError();
  const typed = field(`Type ${word} to confirm`, { testid: "delete-account-handle", autocomplete: "off", autocapitalize: "none",
    spellcheck: "false", maxlength: 64 });
  const confirm = el("button.button.danger", { type: "submit", testid: "delete-account-confirm", disabled: true }, "Delete my account");
  const heading = el("h3", { tabIndex: -1 }, handle ? `Delete @${handle}?` : "Delete your account?");
  const matches = () => bareHandle(typed.input.value) === word;
  typed.input.addEventListener("input", () => {
    confirm.disabled = !matches();
  });

  async function go(event) {
    event.preventDefault();
    if (!matches()) return;
    error.clear();
    confirm.disabled = true;
    confirm.textContent = "Deleting…";
    try {
      await app.client.deleteAccount(); // the client then has another state, and the page another screen
    } catch (cause) {
      error.show(sentence(cause), cause?.code);
      confirm.textContent = "Delete my account";
      confirm.disabled = false;
    }
  }

  const node = el("form.card.stack", { onsubmit: go, testid: "delete-account" }, heading,
    el("p.banner.warn", {}, icon("warning"), el("span", {}, el("strong", {}, "This cannot be undone. "),
      "All your devices are removed, messages still on their way to you are lost, and somebody else may take your handle.")),
    el("p.muted", {}, "What is stored in your browsers stays there and can still be read. People you wrote to keep what they have."),
    typed.node, error.node,
    el("div.row", {}, confirm, el("button.button", { type: "button", onclick: done }, "Keep my account")));
  queueMicrotask(() => heading.focus());
  return { node };
}
