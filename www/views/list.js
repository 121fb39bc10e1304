// The conversation list: a field that finds people and starts new conversations, then one row each, newest first.
// Rows are kept and updated, so focus and scroll survive every event. Does not know what opening a row shows.

import { el, reconcile, roving, setText } from "../dom.js";
import { bareHandle } from "../format.js";
import { icon } from "../icons.js";
import { chatHash, composeHash } from "../route.js";
import { isStaff } from "../staff.js";
import { Found } from "./found.js";
import { Row } from "./row.js";

const MINUTE_MS = 60_000;
const ACCOUNT_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export function listView(app) {
  const list = new List(app);
  return {
    node: list.node,
    select: (id) => list.select(id),
    focus: (id) => list.focus(id),
    close: () => list.close(),
  };
}

class List {
  constructor(app) {
    this.app = app;
    this.directory = app.directory;
    this.rows = new Map();
    this.selected = undefined;
    this.onlyKnown = app.readonly() || isStaff(app.account); // staff answers; whom to write to first is not theirs to choose
    this.input = searchField(this.onlyKnown);
    this.form = el("form.search", { role: "search", onsubmit: (event) => this.#open(event) }, icon("search"), this.input,
      el("button.icon-button.go", { type: "submit", testid: "new-message-go", hidden: this.onlyKnown,
        "aria-label": "Open conversation", title: "Open conversation" },
        icon("compose")));
    this.items = el("ul.rows", { role: "list" });
    this.note = el("div.list-note");
    this.archived = el("ul.rows", { role: "list", id: "archived" });
    this.archive = el("button.archive-toggle", { type: "button", testid: "archive-toggle", "aria-controls": "archived", onclick: () => this.#toggleArchive() });
    this.showsArchive = false;
    this.found = new Found(app);
    const both = el("div", {}, this.items, this.note, this.archive, this.archived, this.found.node);
    this.node = el("nav.list", { "aria-label": "Conversations" }, this.form, el("div.list-scroll", {}, both));
    this.settle = roving(both, "a.row-link");
    this.input.addEventListener("input", () => this.#render());
    this.input.addEventListener("keydown", (event) => this.#key(event));
    this.off = this.directory.watch(() => this.#render());
    this.timer = setInterval(() => this.#render(), MINUTE_MS); // "Yesterday" comes by itself
    this.#render();
  }

  #open(event) {
    event.preventDefault();
    const query = bareHandle(this.input.value);
    if (!query) return this.input.focus();
    const known = this.directory.byHandle(query) ?? (this.onlyKnown ? this.#matching(query)[0] : undefined);
    if (!known && this.onlyKnown) return undefined;
    this.#clear();
    const id = known?.id ?? (ACCOUNT_ID.test(query) ? query : undefined);
    return this.app.go(id ? chatHash(id) : composeHash(query));
  }

  #key(event) {
    if (event.key === "Escape" && this.input.value) {
      event.preventDefault();
      this.#clear();
    } else if (event.key === "ArrowDown") {
      event.preventDefault();
      (this.items.querySelector("a.row-link") ?? this.note.querySelector("button"))?.focus();
    }
  }

  #toggleArchive() {
    this.showsArchive = !this.showsArchive;
    this.#render();
  }

  #clear() {
    this.input.value = "";
    this.#render();
  }

  /** Conversations and quiet contacts whose name or handle has the words. */
  #matching(query) {
    const words = query.toLowerCase();
    const all = [...this.directory.conversations, ...this.directory.quietContacts()];
    return all.filter((entry) => !words || `${entry.name} ${entry.handle ?? ""}`.toLowerCase().includes(words));
  }

  #render() {
    const query = bareHandle(this.input.value);
    const entries = this.#matching(query);
    this.found.look(this.input.value.trim());
    const wanted = new Set(entries.map((entry) => entry.id));
    for (const id of this.rows.keys()) if (!wanted.has(id)) this.rows.delete(id);
    const now = Date.now();
    const put = (list, shown) => reconcile(list, shown.map((entry) => {
      if (!this.rows.has(entry.id)) this.rows.set(entry.id, new Row(entry));
      const row = this.rows.get(entry.id);
      row.update(entry, now, { current: entry.id === this.selected, writing: this.directory.isWriting(entry.id), verified: this.directory.isVerified(entry.id), account: this.app.account });
      return row.node;
    }));
    const away = query ? [] : entries.filter((entry) => entry.archived);
    put(this.items, query ? entries : entries.filter((entry) => !entry.archived));
    put(this.archived, this.showsArchive ? away : []);
    this.archive.hidden = away.length === 0;
    this.archive.setAttribute("aria-expanded", String(this.showsArchive));
    setText(this.archive, `${this.showsArchive ? "Hide" : "Show"} archived (${away.length})`);
    this.settle();
    const key = [this.directory.loaded, entries.length > 0, Boolean(this.directory.byHandle(query)), query].join("/");
    if (this.note.dataset.key === key) return;
    this.note.dataset.key = key;
    this.note.replaceChildren(...this.#noteFor(query, entries.length));
  }

  #noteFor(query, count) {
    const { onlyKnown } = this;
    if (!this.directory.loaded) return [el("p.muted", {}, "Loading…")];
    if (query && !onlyKnown && !this.directory.byHandle(query)) {
      return [el("button.start-row", { type: "button", onclick: () => this.form.requestSubmit() },
        el("span.avatar.new", { "aria-hidden": "true" }, icon("plus")), el("span.grow", {}, "Write to ", el("strong", {}, `@${query}`)))];
    }
    if (query && count === 0) return [el("p.muted", {}, "Nobody here has that name.")];
    if (count > 0) return [];
    return [el("div.list-empty", {}, icon("chat"), el("h2", {}, "No conversations yet"),
      el("p", {}, this.app.readonly() ? "There is no history in this browser." : onlyKnown ? "What is written from now on appears here." : "Type someone’s handle above to write to them."))];
  }

  select(id) {
    this.selected = id;
    this.#render();
  }

  focus(id) {
    const link = this.rows.get(id)?.link ?? this.items.querySelector("a.row-link") ?? this.input;
    link.focus();
  }

  close() {
    this.found.close();
    this.off();
    clearInterval(this.timer);
  }
}

function searchField(onlyKnown) {
  return el("input.search-input", { testid: "new-message", type: "text", enterkeyhint: "go", autocomplete: "off", autocapitalize: "none",
    spellcheck: "false", maxlength: 64, "aria-label": onlyKnown ? "Search people and messages" : "Search people and messages, or handle of someone new",
    placeholder: onlyKnown ? "Search" : "Search or enter a handle" });
}
