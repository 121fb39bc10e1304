// Where a message is written: Enter sends, Shift+Enter makes a line, and the size limit shows before it is met.
// Does not know to whom it goes; it hands the text over and gets it back if it could not be stored.

import { el } from "../dom.js";
import { kib, utf8Length } from "../format.js";
import { icon } from "../icons.js";

const LIMIT_BYTES = 64 * 1024;
const WARN_BYTES = LIMIT_BYTES * 0.9;
const CAN_GROW_ITSELF = CSS.supports("field-sizing", "content");

/** `send(text)` may reject; `onDraft(text)` hears what the person changes; `above` is a node that stands above the field. */
export function composer({ label, draft, send, onDraft, above }) {
  const input = el("textarea.composer-input", { testid: "composer", rows: 1, "aria-label": label, placeholder: "Message", enterkeyhint: "send",
    "aria-describedby": "writing-strip composer-limit" });
  const limit = el("p.composer-limit", { id: "composer-limit", role: "status" });
  const button = el("button.send", { type: "submit", testid: "send", "aria-label": "Send", title: "Send (Enter)" }, icon("send"));
  const node = el("form.composer", { onsubmit: submit }, above, limit, el("div.composer-row", {}, input, button));

  function changed() {
    const bytes = input.value.length > WARN_BYTES / 4 ? utf8Length(input.value) : 0;
    const over = bytes - LIMIT_BYTES;
    limit.textContent = over > 0 ? `${kib(over)} too long to send` : bytes > WARN_BYTES ? `${kib(-over)} left` : "";
    limit.classList.toggle("over", over > 0);
    button.disabled = over > 0 || input.value.trim() === "";
    if (!CAN_GROW_ITSELF) {
      input.style.height = "auto";
      input.style.height = `${input.scrollHeight}px`;
    }
  }

  /** The person has changed it: not what came from elsewhere. */
  function typed() {
    changed();
    onDraft(input.value);
  }

  async function submit(event) {
    event.preventDefault();
    const text = input.value;
    if (button.disabled) return;
    if (document.activeElement === button) input.focus(); // a disabled button would drop it
    input.value = "";
    typed();
    try {
      await send(text.trim());
    } catch {
      if (input.value === "") input.value = text; // whoever failed has said so; the words are not lost
      typed();
    }
  }

  input.addEventListener("input", typed);
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    node.requestSubmit();
  });

  function set(text) {
    input.value = text;
    input.setSelectionRange(text.length, text.length);
    changed();
  }

  input.value = draft;
  changed();
  return { node, set, text: () => input.value, focus: () => input.focus() };
}
