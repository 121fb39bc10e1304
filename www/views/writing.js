// What the composer is for just now: a new message, an answer to one, or another text for one. The strip above it says so.
// Escape goes back to a new message; the Up arrow in an empty composer edits the last own one.
// Does not know how anything is sent.

import { el } from "../dom.js";
import { icon } from "../icons.js";
import { announce } from "../notify.js";
import { Attaching } from "./attaching.js";
import { gist } from "./bubble.js";
import { composer } from "./composer.js";

export class Writing {
  /** `send(text, quote, attachments)` and `edit(id, text)` may reject; `lastOwn()`: the message the Up arrow edits; `who(account)`; `upload`. */
  constructor({ label, draft, send, edit, onDraft, lastOwn, who, upload }) {
    this.given = { send, edit, onDraft, lastOwn, who };
    this.about = undefined; // { message, editing }
    this.kept = ""; // what was being written when editing began
    this.strip = el("div.writing-strip", { testid: "writing-strip", id: "writing-strip", hidden: true });
    this.files = new Attaching({ upload, changed: () => this.composer?.changed() });
    this.composer = composer({ label, draft, send: (text) => this.#submit(text), above: [this.strip, this.files.node],
      attach: (files) => this.attach(files), files: () => this.#filesState(),
      onDraft: (text) => this.about?.editing || onDraft(text) });
    this.node = this.composer.node;
    this.node.addEventListener("keydown", (event) => this.#key(event));
  }

  /** Files go with a new message or an answer; what is edited keeps its own. */
  attach(files) {
    if (this.about?.editing) this.cancel();
    this.files.add(files);
    this.focus();
  }

  #filesState() {
    if (this.about?.editing || this.files.isEmpty) return "none";
    return this.files.isReady ? "ready" : "not yet";
  }

  #key(event) {
    if (event.isComposing || event.defaultPrevented) return;
    if (event.key === "Escape" && this.about) {
      event.preventDefault();
      this.cancel();
      this.focus();
    } else if (event.key === "ArrowUp" && !this.about && this.composer.text() === "") {
      const message = this.given.lastOwn();
      if (!message) return;
      event.preventDefault();
      this.edit(message);
    }
  }

  reply(message) {
    this.cancel();
    this.about = { message, editing: false };
    this.#say("reply", `Replying to ${this.given.who(message.author)}`, "Cancel reply");
  }

  edit(message) {
    this.cancel();
    this.kept = this.composer.text();
    this.about = { message, editing: true };
    this.composer.set(message.text);
    this.#say("edit", "Editing", "Cancel editing");
  }

  #say(picture, title, cancel) {
    const { message } = this.about;
    this.strip.replaceChildren(icon(picture),
      el("p.grow", {}, el("strong", {}, title), el("span.strip-text", { dir: "auto" }, gist(message))),
      el("button.icon-button", { type: "button", "aria-label": cancel, title: `${cancel} (Esc)`, testid: "writing-cancel", onclick: () => {
        this.cancel();
        this.focus();
      } }, icon("close")));
    this.strip.hidden = false;
    announce(`${title}: ${gist(message)}`);
    this.focus();
  }

  /** Back to a new message, and to what was being written of it. */
  cancel() {
    const { about } = this;
    this.about = undefined;
    this.strip.hidden = true;
    if (about?.editing) this.composer.set(this.kept);
  }

  /** What is being written elsewhere. An edit goes on; it is there afterwards. */
  setDraft(text) {
    if (this.about?.editing) this.kept = text;
    else this.composer.set(text);
  }

  /** The message is gone, or says nothing any more: it can be neither answered nor edited. */
  forget(id) {
    if (this.about?.message.id === id) this.cancel();
  }

  async #submit(text) {
    const { about } = this;
    if (!about?.editing) await this.#sendNew(text, about?.message.id);
    else if (text !== about.message.text) await this.given.edit(about.message.id, text);
    if (this.about === about) this.cancel();
  }

  async #sendNew(text, quote) {
    const taken = this.files.take();
    try {
      await this.given.send(text, quote, taken.attachments);
      taken.done();
    } catch (error) {
      taken.back();
      throw error;
    }
  }

  focus() {
    this.composer.focus();
  }

  close() {
    this.files.close();
  }
}
