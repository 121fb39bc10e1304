// Files on their way into a message: a row above the composer, each with how far it is and a way to take it out again.
// Does not know the text beside them, nor to whom they go.

import { el, setText } from "../dom.js";
import { sentence } from "../errors.js";
import { dimensions, isPicture, sizeWords } from "../files.js";
import { icon } from "../icons.js";
import { announce, toast } from "../notify.js";

const MOST = 32;

export class Attaching {
  /** `upload(file, options)`: the client's; `changed()` is called when a file was added, is there, or has failed or gone. */
  constructor({ upload, changed }) {
    Object.assign(this, { upload, changed });
    this.chips = [];
    this.node = el("ul.chips", { role: "list", "aria-label": "Files to send", hidden: true, testid: "chips" });
  }

  get isEmpty() {
    return this.chips.length === 0;
  }

  /** All are at the relay, so the message can go. */
  get isReady() {
    return this.chips.every(({ attachment }) => attachment);
  }

  add(files) {
    const room = MOST - this.chips.length;
    if (files.length > room) toast(`A message takes ${MOST} files. Send the others in another one.`);
    for (const file of [...files].slice(0, room)) this.chips.push(new Chip(this, file));
    if (files.length > 0) announce(`${files.length === 1 ? files[0].name : `${files.length} files`} added`);
    this.#show();
  }

  remove(chip) {
    const at = this.chips.indexOf(chip);
    if (at < 0) return;
    this.chips.splice(at, 1);
    chip.close();
    this.#show();
    const next = this.chips[Math.min(at, this.chips.length - 1)];
    next?.out.focus();
  }

  /** What goes into the message; the row is empty then. `back()` puts it there again. */
  take() {
    const taken = this.chips;
    this.chips = [];
    this.#show();
    return {
      attachments: taken.map(({ attachment }) => attachment),
      done: () => taken.forEach((chip) => chip.close()),
      back: () => {
        this.chips = [...taken, ...this.chips];
        this.#show();
      },
    };
  }

  #show() {
    this.node.replaceChildren(...this.chips.map(({ node }) => node));
    this.node.hidden = this.isEmpty;
    this.changed();
  }

  close() {
    for (const chip of this.chips) chip.close();
  }
}

/** One file. The same file, chosen again after it was stopped, goes on where it was: that is the client's business. */
class Chip {
  constructor(row, file) {
    Object.assign(this, { row, file, attachment: undefined, ending: undefined, url: undefined });
    const name = file.name || "Picture";
    this.state = el("span.chip-state", { testid: "chip-state" });
    this.bar = el("progress.chip-bar", { max: 1, "aria-label": `Sending ${name}` });
    this.again = el("button.button.small", { type: "button", hidden: true, testid: "chip-again", onclick: () => this.#upload() }, "Try again");
    this.out = el("button.icon-button", { type: "button", testid: "chip-remove", "aria-label": `Remove ${name}`, title: "Remove", onclick: () => row.remove(this) }, icon("close"));
    this.node = el("li.chip", { testid: "chip" }, this.#face(), el("div.chip-text", {}, el("span.chip-name", { dir: "auto", title: name }, name), this.state, this.bar, this.again), this.out);
    this.#upload();
  }

  #face() {
    if (!isPicture(this.file.type)) return el("span.chip-face", {}, icon("file"));
    this.url = URL.createObjectURL(this.file);
    return el("img.chip-face", { src: this.url, alt: "" });
  }

  async #upload() {
    const ending = new AbortController();
    this.ending = ending;
    this.again.hidden = true;
    this.bar.hidden = false;
    this.node.classList.remove("failed");
    setText(this.state, sizeWords(this.file.size));
    this.row.changed();
    try {
      const size = await dimensions(this.file);
      this.attachment = await this.row.upload(this.file, { ...size, signal: ending.signal, onProgress: ({ done, total }) => {
        this.bar.value = done / total;
      } });
      this.node.dataset.ready = "true";
    } catch (error) {
      if (ending.signal.aborted) return;
      setText(this.state, sentence(error));
      this.node.classList.add("failed");
      this.node.dataset.code = error?.code;
      this.again.hidden = false;
      announce(`${this.file.name}: ${sentence(error)}`);
    }
    this.bar.hidden = true;
    this.row.changed();
  }

  close() {
    this.ending?.abort();
    if (this.url) URL.revokeObjectURL(this.url);
    this.url = undefined;
  }
}
