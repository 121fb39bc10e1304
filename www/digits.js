// Digits that a person reads on one device and types on another: shown large in groups of four, typed into one field.
// Does not know what they are for.

import { el } from "./dom.js";
import { inlineError } from "./notify.js";
import { field } from "./views/field.js";

export const grouped = (digits) => digits.replace(/(.{4})(?=.)/g, "$1 ");

/** Large, in groups of four; screen readers say each digit. */
export const shownDigits = (digits, testid) =>
  el("p.digits", { testid, "data-digits": digits, role: "img", "aria-label": [...digits].join(" ") }, grouped(digits));

/** A form for so many digits. `next(digits)` rejects with what is wrong; `hint(error)` may say more. */
export function digitsForm({ label, count, testid, next, words, sentence }) {
  const { node: line, input } = field(label, { testid, inputmode: "numeric", autocomplete: "off", spellcheck: "false",
    maxlength: count + Math.ceil(count / 4) + 1, placeholder: grouped("0".repeat(count)), "data-focus": "" });
  input.classList.add("digits-input");
  const go = el("button.button.primary", { type: "submit", testid: `${testid}-go` }, words);
  const error = inlineError();

  async function submit(event) {
    event.preventDefault();
    if (go.disabled) return;
    const digits = input.value.replace(/\D/g, "");
    if (digits.length !== count) {
      error.show(`These are ${count} digits.`, "digits");
      input.focus();
      return;
    }
    error.clear();
    go.disabled = true;
    try {
      await next(digits);
    } catch (cause) {
      error.show(sentence(cause), cause?.code);
      input.focus();
      input.select();
    }
    go.disabled = false;
  }

  return el("form.stack", { onsubmit: submit }, line, error.node, el("div.row", {}, go));
}
