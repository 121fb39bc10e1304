// A file of all messages: made here and saved with its key, or taken over from a device of before.
// Does not know what is in such a file.

import { el, setText } from "../dom.js";
import { sentence } from "../errors.js";
import { save } from "../files.js";
import { inlineError } from "../notify.js";
import { field } from "./field.js";
import { dialog } from "./popup.js";

export function archivePart(client) {
  const error = inlineError();
  const state = el("p.hint", { role: "status", testid: "archive-state" });
  const make = el("button.button", { type: "button", testid: "archive-export", onclick: exportAll }, "Save all messages…");
  const take = el("button.button", { type: "button", testid: "archive-import", onclick: () => askForFile(client, told) }, "Take over a file…");
  const told = ({ done, total }) => setText(state, `${done.toLocaleString()} of ${total.toLocaleString()} messages`);

  async function exportAll() {
    error.clear();
    make.disabled = true;
    try {
      const { file, key } = await client.exportArchive({ onProgress: told });
      showKey(file, key);
    } catch (cause) {
      error.show(sentence(cause), cause?.code);
    }
    make.disabled = false;
  }

  return el("fieldset.setting-group", { testid: "archive" }, el("legend", {}, "Your messages as a file"),
    el("p.hint", {}, "Everything in this browser in one encrypted file, for safekeeping. The files that belong to messages are not in it."),
    state, error.node, el("div.row", {}, make, take));
}

/** The key is shown this once: it is stored nowhere. */
function showKey(file, key) {
  const name = `lockstep-${new Date().toISOString().slice(0, 10)}.archive`;
  const keep = el("button.button.primary", { type: "button", testid: "archive-save", onclick: () => save(file, name) }, "Save the file");
  dialog({ title: "Keep this key", testid: "archive-key-dialog", action: keep, leave: "Close" },
    el("p", {}, "Without it nobody can read the file, and it is not shown again. Keep it apart from the file."),
    el("p.archive-key", { testid: "archive-key", tabIndex: 0 }, key));
}

function askForFile(client, told) {
  const error = inlineError();
  const input = el("input", { type: "file", testid: "archive-file", "aria-label": "The file" });
  const key = field("Its key", { testid: "archive-key-input", autocomplete: "off", spellcheck: "false" });
  const go = el("button.button.primary", { type: "button", testid: "archive-go", onclick: run }, "Take over");
  const opened = dialog({ title: "Take over messages from a file", testid: "archive-import-dialog", action: go },
    el("p.muted", {}, "Messages that are not here are added. What is here stays as it is."), input, key.node, error.node);

  async function run() {
    error.clear();
    const [file] = input.files;
    if (!file) {
      error.show("Choose a file first.");
      return;
    }
    go.disabled = true;
    try {
      await client.importArchive(file, key.input.value, { onProgress: told });
      opened.close();
    } catch (cause) {
      error.show(sentence(cause), cause?.code);
    }
    go.disabled = false;
  }
}
