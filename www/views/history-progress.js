// How far earlier messages are, on their way to another device or from one: a line with a bar, for as long as it takes.
// Does not know how history travels.

import { el, setText } from "../dom.js";
import { announce } from "../notify.js";

const LINGERS_MS = 4_000;

/** `name(device)`: how the person calls a device. */
export function historyProgress(client, name) {
  const text = el("span");
  const bar = el("progress.chip-bar", { max: 1, "aria-label": "Earlier messages" });
  const node = el("div.history-line", { hidden: true, testid: "history-progress", role: "status" }, text, bar);
  let timer;
  client.on("progress", ({ device, sending, done, total }) => {
    clearTimeout(timer);
    const isOver = done >= total;
    const who = name(device) || "your other device";
    node.hidden = false;
    node.dataset.done = done;
    node.dataset.total = total;
    bar.hidden = isOver;
    bar.value = total ? done / total : 1;
    if (isOver) {
      const words = sending ? `“${who}” has your earlier messages.` : "Your earlier messages are here.";
      setText(text, words);
      announce(words);
      timer = setTimeout(() => (node.hidden = true), LINGERS_MS);
    } else {
      setText(text, `${sending ? `Sending earlier messages to “${who}”` : `Getting earlier messages from “${who}”`}: ${done.toLocaleString()} of ${total.toLocaleString()}`);
    }
  });
  return node;
}
