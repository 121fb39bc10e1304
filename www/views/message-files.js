// The files of one message: pictures are shown when they come into sight, everything else is a line with a button that fetches it.
// What a peer sends is never a page here: only pictures of points get an address, and only as pictures.
// Does not know the message around it.

import { el, setText } from "../dom.js";
import { sentence } from "../errors.js";
import { fileName, isPicture, save, sizeWords } from "../files.js";
import { icon } from "../icons.js";
import { dialog } from "./popup.js";

const BY_ITSELF_BYTES = 10_000_000; // larger pictures are fetched when asked for
const KEPT = 60; // pictures in memory, so that going back and forth fetches nothing twice
const kept = new Map();

export class MessageFiles {
  /** `fetchFile(message, index, options)`: the client's. */
  constructor(message, { fetchFile }) {
    this.fetchFile = fetchFile;
    this.files = message.attachments.map((attachment) =>
      (isPicture(attachment.contentType) ? new Picture(this, message.id, attachment) : new Row(this, message.id, attachment)));
    this.node = el("div.files", { testid: "files" }, this.files.map(({ node }) => node));
  }

  close() {
    for (const file of this.files) file.close();
  }
}

/** Fetches a file, or has it. */
async function fetched(files, id, attachment, options) {
  const key = `${id} ${attachment.index}`;
  const blob = kept.get(key) ?? (await files.fetchFile(id, attachment.index, options));
  if (isPicture(attachment.contentType) && attachment.size <= BY_ITSELF_BYTES) {
    kept.delete(key);
    kept.set(key, blob);
    if (kept.size > KEPT) kept.delete(kept.keys().next().value);
  }
  return blob;
}

class Picture {
  constructor(files, id, attachment) {
    Object.assign(this, { files, id, attachment, closed: false });
    const { width, height } = attachment;
    this.hint = el("span.picture-hint", { testid: "file-state" });
    this.bar = el("progress.chip-bar", { max: 1, hidden: true, "aria-label": "Fetching the picture" });
    this.node = el("button.picture", { type: "button", testid: "picture", "aria-label": `Picture, ${fileName(attachment)}`, onclick: () => this.#press() },
      icon("picture"), this.hint, this.bar);
    if (width && height) this.node.style.aspectRatio = `${width} / ${height}`;
    if (width) this.node.style.width = `min(100%, ${Math.max(120, Math.min(width, 360, (width / height) * 380))}px)`;
    if (attachment.size > BY_ITSELF_BYTES) setText(this.hint, `Show (${sizeWords(attachment.size)})`);
    else this.#whenSeen();
  }

  #whenSeen() {
    this.watch = new IntersectionObserver((entries) => {
      if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
      this.watch.disconnect();
      this.#fetch();
    }, { rootMargin: "300px" });
    this.watch.observe(this.node);
  }

  #press() {
    if (this.blob) this.#open();
    else this.#fetch();
  }

  async #fetch() {
    if (this.ending) return;
    this.ending = new AbortController();
    this.bar.hidden = false;
    try {
      this.blob = await fetched(this.files, this.id, this.attachment, { signal: this.ending.signal, onProgress: ({ done, total }) => {
        this.bar.value = done / total;
      } });
      if (!this.closed) this.#show();
    } catch (error) {
      if (this.closed) return;
      setText(this.hint, sentence(error));
      this.node.dataset.code = error?.code;
      this.bar.hidden = true;
    }
    this.ending = undefined;
  }

  #show() {
    this.url = URL.createObjectURL(this.blob);
    const image = el("img", { src: this.url, alt: fileName(this.attachment), draggable: "false" });
    image.addEventListener("error", () => this.node.replaceChildren(icon("picture"), "This picture can’t be shown."));
    this.node.classList.add("shown");
    this.node.replaceChildren(image);
  }

  #open() {
    const name = fileName(this.attachment);
    const keep = el("button.button.primary", { type: "button", testid: "picture-save", onclick: () => save(this.blob, name) }, "Save");
    dialog({ title: name, testid: "picture-view", action: keep, leave: "Close" }, el("img.picture-large", { src: this.url, alt: name }));
  }

  close() {
    this.closed = true;
    this.watch?.disconnect();
    this.ending?.abort();
    if (this.url) URL.revokeObjectURL(this.url);
  }
}

class Row {
  constructor(files, id, attachment) {
    Object.assign(this, { files, id, attachment, closed: false });
    const name = fileName(attachment);
    this.state = el("span.file-state", { testid: "file-state" }, sizeWords(attachment.size));
    this.bar = el("progress.chip-bar", { max: 1, hidden: true, "aria-label": `Fetching ${name}` });
    this.node = el("button.file", { type: "button", testid: "file", "aria-label": `${name}, ${sizeWords(attachment.size)}. Download`, title: "Download",
      onclick: () => this.#press() }, icon("file"), el("span.file-text", {}, el("span.file-name", { dir: "auto" }, name), this.state, this.bar), icon("download"));
  }

  async #press() {
    if (this.ending) {
      this.ending.abort();
      return;
    }
    const ending = new AbortController();
    this.ending = ending;
    this.bar.removeAttribute("value");
    this.bar.hidden = false;
    this.node.title = "Stop";
    try {
      const blob = await fetched(this.files, this.id, this.attachment, { signal: ending.signal, onProgress: ({ done, total }) => {
        this.bar.value = done / total;
        setText(this.state, `${sizeWords(this.attachment.size * (done / total))} of ${sizeWords(this.attachment.size)}`);
      } });
      if (!this.closed) save(blob, fileName(this.attachment));
      setText(this.state, sizeWords(this.attachment.size));
      delete this.node.dataset.code;
    } catch (error) {
      setText(this.state, ending.signal.aborted ? sizeWords(this.attachment.size) : sentence(error));
      this.node.dataset.code = error?.code;
    }
    this.node.title = "Download";
    this.bar.hidden = true;
    this.ending = undefined;
  }

  close() {
    this.closed = true;
    this.ending?.abort();
  }
}
