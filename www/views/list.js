// The conversation list: a field that finds people and starts new conversations, then one row each, newest first.
// Rows are kept and updated, so focus and scroll survive every event. Does not know what opening a row shows.

import { el, reconcile, roving, setText } from "../dom.js";
import { bareHandle, clock, iso, listTime } from "../format.js";
import { icon } from "../icons.js";
import { chatHash, composeHash } from "../route.js";
import { avatar } from "./avatar.js";

const STATUS_WORDS = { queued: "Queued", sent: "Sent", failed: "Not sent" };
const MINUTE_MS = 60_000;
const ACCOUNT_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export function listView(app) {
  const rows = new Map();
  const input = el("input.search-input", { testid: "new-message", type: "text", enterkeyhint: "go", autocomplete: "off", autocapitalize: "none", spellcheck: "false",
    maxlength: 64, "aria-label": app.readonly() ? "Search" : "Search, or handle of someone new",
    placeholder: app.readonly() ? "Search" : "Search or enter a handle" });
  const go = el("button.icon-button.go", { type: "submit", testid: "new-message-go", "aria-label": "Open conversation", title: "Open conversation" }, icon("compose"));
  const form = el("form.search", { role: "search", onsubmit: open }, icon("search"), input, go);
  const items = el("ul.rows", { role: "list" });
  const note = el("div.list-note");
  const node = el("nav.list", { "aria-label": "Conversations" }, form, el("div.list-scroll", {}, items, note));
  const settle = roving(items, "a.row-link");
  let selected;

  function open(event) {
    event.preventDefault();
    const handle = bareHandle(input.value);
    if (!handle) return input.focus();
    const known = app.directory.byHandle(handle);
    const [only, another] = known ? [known] : shown(handle);
    input.value = "";
    render();
    if (known) app.go(chatHash(known.id));
    else if (ACCOUNT_ID.test(handle)) app.go(chatHash(handle));
    else if (app.readonly()) return only && !another ? app.go(chatHash(only.id)) : undefined;
    else app.go(composeHash(handle));
    return undefined;
  }

  /** Conversations and quiet contacts whose name or handle has the words. */
  function shown(query) {
    const words = query.toLowerCase();
    const matches = (entry) => !words || `${entry.name} ${entry.handle ?? ""}`.toLowerCase().includes(words);
    return [...app.directory.conversations, ...app.directory.quietContacts()].filter(matches);
  }

  function render() {
    const query = bareHandle(input.value);
    const entries = shown(query);
    for (const id of rows.keys()) if (!entries.some((entry) => entry.id === id)) rows.delete(id);
    const now = Date.now();
    reconcile(items, entries.map((entry) => {
      if (!rows.has(entry.id)) rows.set(entry.id, makeRow(entry));
      const row = rows.get(entry.id);
      row.update(entry, now, entry.id === selected);
      return row.node;
    }));
    settle();
    note.replaceChildren(...noteFor(query, entries.length));
  }

  function noteFor(query, count) {
    if (!app.directory.loaded) return [el("p.muted", {}, "Loading…")];
    if (query && !app.directory.byHandle(query) && !app.readonly()) {
      return [el("button.start-row", { type: "button", onclick: () => form.requestSubmit() },
        el("span.avatar.new", { "aria-hidden": "true" }, icon("plus")), el("span.grow", {}, "Write to ", el("strong", {}, `@${query}`)))];
    }
    if (query && count === 0) return [el("p.muted", {}, "Nothing found.")];
    if (count > 0) return [];
    return [el("div.list-empty", {}, icon("chat"), el("h2", {}, "No conversations yet"),
      el("p", {}, app.readonly() ? "There is no history in this browser." : "Type someone’s handle above to write to them."))];
  }

  input.addEventListener("input", render);
  input.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && input.value) {
      event.preventDefault();
      input.value = "";
      render();
    } else if (event.key === "ArrowDown") {
      event.preventDefault();
      items.querySelector("a.row-link")?.focus();
    }
  });
  const off = app.directory.watch(render);
  const timer = setInterval(render, MINUTE_MS); // "Yesterday" comes by itself
  render();

  return {
    node,
    select(id) {
      selected = id;
      render();
    },
    focus: (id) => (rows.get(id)?.node.querySelector("a") ?? items.querySelector("a.row-link") ?? input).focus(),
    close() {
      off();
      clearInterval(timer);
    },
  };
}

function makeRow(entry) {
  const name = el("span.row-name");
  const when = el("time.row-time");
  const preview = el("span.row-preview");
  const unread = el("span.unread");
  const state = el("span.row-state");
  const link = el("a.row-link", { href: chatHash(entry.id), testid: "conversation", "data-id": entry.id },
    avatar(entry.id, entry.name),
    el("span.row-text", {}, el("span.row-top", {}, name, when), el("span.row-bottom", {}, state, preview, unread)));
  const node = el("li", {}, link);
  let status;

  function update(conversation, now, current) {
    const last = conversation.lastMessage;
    setText(name, conversation.name || conversation.handle || "Unknown person");
    setText(when, last ? listTime(last.sentAt, now) : "");
    if (last) when.dateTime = iso(last.sentAt);
    if (last) when.title = clock(last.sentAt);
    setText(preview, previewOf(conversation));
    node.classList.toggle("quiet-row", !last);
    setUnread(conversation.unread ?? 0);
    const now_ = last?.outgoing ? last.status : undefined;
    if (now_ !== status) {
      status = now_;
      state.replaceChildren(...(STATUS_WORDS[status] ? [icon(status, STATUS_WORDS[status])] : []));
    }
    if (current) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }

  function setUnread(count) {
    link.dataset.unread = count;
    unread.hidden = count === 0;
    setText(unread, count > 99 ? "99+" : String(count || ""));
    if (count) unread.setAttribute("aria-label", `${count} unread`);
  }

  return { node, update };
}

function previewOf(conversation) {
  const last = conversation.lastMessage;
  if (!last) return conversation.handle ? `@${conversation.handle}` : "No messages here yet";
  if (last.kind === "unreadable") return "Message could not be decrypted";
  return `${last.outgoing ? "You: " : ""}${last.text.slice(0, 160)}`;
}
