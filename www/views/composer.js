// Where a message is written: Enter sends, Shift+Enter makes a line, and the size limit shows before it is met.
// Does not know to whom it goes; it hands the text over and gets it back if it could not be stored.

import { el } from "../dom.js";
import { kib, utf8Length } from "../format.js";
import { icon } from "../icons.js";

const LIMIT_BYTES = 64 * 1024;
const WARN_BYTES = LIMIT_BYTES * 0.9;
const CAN_GROW_ITSELF = CSS.supports("field-sizing", "content");

/**
 * `send(text)` may reject; `onDraft(text)` hears what the person changes; `above` are nodes that stand above the field; `attach(files)` takes
 * files; `files()` says whether there are some, and whether they are ready to go: "none", "ready" or "not yet".
 */
export function composer({ label, draft, send, onDraft, above, attach, files }) {
  const input = el("textarea.composer-input", { testid: "composer", rows: 1, "aria-label": label, placeholder: "Message", enterkeyhint: "send",
    "aria-describedby": "writing-strip composer-limit" });
  const limit = el("p.composer-limit", { id: "composer-limit", role: "status" });
  const button = el("button.send", { type: "submit", testid: "send", "aria-label": "Send", title: "Send (Enter)" }, icon("send"));
  const picker = el("input", { type: "file", multiple: true, hidden: true, testid: "attach-input", "aria-label": "Files to attach", onchange: () => {
    attach([...picker.files]);
    picker.value = ""; // the same file may be chosen again
    input.focus();
  } });
  const attachButton = el("button.attach", { type: "button", testid: "attach", "aria-label": "Attach files", title: "Attach files", onclick: () => picker.click() }, icon("attach"));
  const node = el("form.composer", { onsubmit: submit }, ...above, limit, el("div.composer-row", {}, input, picker, attachButton, button));

  function changed() {
    const bytes = input.value.length > WARN_BYTES / 4 ? utf8Length(input.value) : 0;
    const over = bytes - LIMIT_BYTES;
    limit.textContent = over > 0 ? `${kib(over)} too long to send` : bytes > WARN_BYTES ? `${kib(-over)} left` : "";
    limit.classList.toggle("over", over > 0);
    const there = files();
    button.disabled = over > 0 || there === "not yet" || (there === "none" && input.value.trim() === "");
    button.title = there === "not yet" ? "The files are still on their way" : "Send (Enter)";
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
  input.addEventListener("paste", (event) => {
    const { files: pasted } = event.clipboardData;
    if (pasted.length === 0 || event.clipboardData.getData("text/plain")) return; // a copied table is a text with a picture beside it
    event.preventDefault();
    attach([...pasted]);
  });
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
  return { node, set, changed, text: () => input.value, focus: () => input.focus() };
}
