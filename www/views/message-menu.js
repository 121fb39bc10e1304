// What can be done to one message: reactions in a row, any other emoji in a field, then the other things, line by line.
// Does not know how anything is done; it is told what there is to choose.

import { el } from "../dom.js";
import { sentence } from "../errors.js";
import { inlineError } from "../notify.js";
import { menu, menuItem } from "./popup.js";

const QUICK = ["👍", "❤️", "😂", "😮", "😢", "🙏"];

/** `mine`: the emoji one has there; `react(emoji)` may reject, undefined takes it back; `items`: [{ icon, text, testid, danger, run }]. */
export function messageMenu({ anchor, mine, react, items }) {
  const rows = items.map(({ icon, text, testid, danger, run }) => menuItem(icon, text, {
    testid, danger, run: () => {
      opened.close();
      run();
    },
  }));
  const reactions = react ? reactionRow(mine, react, () => opened.close()) : [];
  const opened = menu({ label: "Message actions", anchor, testid: "message-menu", first: rows[0] }, reactions, rows);
  return opened;
}

function reactionRow(mine, react, done) {
  const error = inlineError();
  const go = async (emoji) => {
    error.clear();
    try {
      await react(emoji);
      done();
    } catch (cause) {
      error.show(sentence(cause), cause?.code);
    }
  };
  const quick = QUICK.map((emoji) => el("button.emoji", { type: "button", testid: "react", "aria-pressed": String(emoji === mine),
    "aria-label": emoji === mine ? `Take back ${emoji}` : `React with ${emoji}`,
    onclick: () => go(emoji === mine ? undefined : emoji) }, emoji));
  const input = el("input.input", { testid: "react-other", "aria-label": "Any other emoji", placeholder: "Any other emoji", maxlength: 32,
    autocomplete: "off", value: mine && !QUICK.includes(mine) ? mine : "" });
  const submit = (event) => {
    event.preventDefault();
    const emoji = input.value.trim();
    if (emoji) go(emoji);
    else input.focus();
  };
  return [
    el("div.react-row", { role: "group", "aria-label": "React" }, quick),
    el("form.react-form", { onsubmit: submit }, input, el("button.button.small", { type: "submit", testid: "react-other-go" }, "React")),
    error.node,
  ];
}
