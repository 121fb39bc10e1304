// One labelled text field with an optional hint below it.
// Does not know what it is for.

import { el } from "../dom.js";

let count = 0;

/** Returns { node, input }. `attributes` go to the input (or textarea when `rows` is given). */
export function field(label, attributes, hint) {
  const id = `field-${(count += 1)}`;
  const input = el(attributes.rows ? "textarea.input" : "input.input", { id, "aria-describedby": hint ? `${id}-hint` : undefined, ...attributes });
  const node = el("div.field", {},
    el("label", { for: id }, label),
    input,
    hint && el("p.hint", { id: `${id}-hint` }, hint));
  return { node, input };
}
