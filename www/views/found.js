// Messages that a search has found, below the people it has found. Asks again a moment after the last key.
// Does not know the conversation that a hit opens.

import { el, reconcile } from "../dom.js";
import { iso, listTime } from "../format.js";
import { messageHash } from "../route.js";
import { writerOf } from "../staff.js";
import { inOneLine } from "../words.js";

const WAIT_MS = 200;
const PAGE = 30;
const SHORTEST = 2;
const BEFORE = 30; // characters that stay in front of what was found

export class Found {
  constructor(app) {
    this.app = app;
    this.query = "";
    this.hits = [];
    this.list = el("ul.rows", { role: "list", "aria-labelledby": "found-title" });
    this.more = el("button.archive-toggle", { type: "button", hidden: true, testid: "found-more", onclick: () => this.#ask(this.hits.at(-1)?.id) }, "Show older ones");
    this.note = el("p.muted", { role: "status", testid: "found-note" });
    this.node = el("section.found", { hidden: true }, el("h2.found-title", { id: "found-title" }, "Messages"), this.list, this.note, this.more);
  }

  /** Looks for this; an empty or short text is nothing to look for. */
  look(query) {
    if (query === this.query) return;
    this.query = query;
    clearTimeout(this.timer);
    this.asking?.abort();
    this.node.hidden = query.length < SHORTEST;
    if (!this.node.hidden) this.timer = setTimeout(() => this.#ask(), WAIT_MS);
  }

  async #ask(before) {
    const asking = new AbortController();
    this.asking?.abort();
    this.asking = asking;
    const slow = setTimeout(() => this.#say("Searching…"), WAIT_MS);
    try {
      const hits = await this.app.client.search(this.query, { before, limit: PAGE, signal: asking.signal });
      if (asking.signal.aborted) return;
      this.hits = before ? [...this.hits, ...hits] : hits;
      this.more.hidden = hits.length < PAGE;
      this.#show();
    } catch (error) {
      if (!["aborted", "closed"].includes(error?.code)) this.app.report(error);
    } finally {
      clearTimeout(slow);
    }
  }

  #say(text) {
    this.note.textContent = text;
    this.note.hidden = text === "";
  }

  #show() {
    const now = Date.now();
    const word = this.query.toLowerCase().split(/\s+/)[0];
    reconcile(this.list, this.hits.map((message) => this.#row(message, word, now)));
    this.#say(this.hits.length === 0 ? "No message has these words." : "");
  }

  #row(message, word, now) {
    const { directory } = this.app;
    return el("li", {}, el("a.row-link", { href: messageHash(message.conversation, message.id), testid: "found", "data-id": message.id, "data-unread": 0 },
      el("span.row-text", {},
        el("span.row-top", {}, el("span.row-name", {}, directory.name(message.conversation)), el("time.row-time", { datetime: iso(message.sentAt) }, listTime(message.sentAt, now))),
        el("span.row-bottom", {}, el("span.row-preview", {}, writerOf(message, this.app.account), marked(inOneLine(message, Infinity), word))))));
  }

  close() {
    clearTimeout(this.timer);
    this.asking?.abort();
  }
}

/** The part of a text around a word, and the word marked. */
function marked(text, word) {
  const at = text.toLowerCase().indexOf(word);
  if (at < 0) return [text.slice(0, 160)];
  const from = at > BEFORE ? text.indexOf(" ", at - BEFORE) + 1 : 0;
  const start = from > at ? at : from;
  return [`${start > 0 ? "… " : ""}${text.slice(start, at)}`, el("mark", {}, text.slice(at, at + word.length)), text.slice(at + word.length, at + 160)];
}
