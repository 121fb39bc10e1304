// One row of the conversation list: a conversation, or a contact one has not written with yet. Updated in place.
// Does not know the list around it.

import { el, setText } from "../dom.js";
import { iso, listTime } from "../format.js";
import { icon } from "../icons.js";
import { chatHash } from "../route.js";
import { STATUS_WORDS, inOneLine } from "../words.js";
import { avatar } from "./avatar.js";

export class Row {
  constructor(entry) {
    this.name = el("span.row-name");
    this.when = el("time.row-time");
    this.preview = el("span.row-preview");
    this.unread = el("span.unread");
    this.state = el("span.row-state");
    this.status = undefined;
    this.link = el("a.row-link", { href: chatHash(entry.id), testid: "conversation", "data-id": entry.id },
      this.face = el("span.row-face"),
      el("span.row-text", {},
        el("span.row-top", {}, this.name, this.when),
        el("span.row-bottom", {}, this.state, this.preview, this.unread)));
    this.node = el("li", {}, this.link);
  }

  update(entry, now, current) {
    const last = entry.lastMessage;
    this.#setName(entry.id, nameOf(entry));
    setText(this.when, last ? listTime(last.sentAt, now) : "");
    if (last) this.when.dateTime = iso(last.sentAt);
    setText(this.preview, previewOf(entry));
    this.#setStatus(last?.outgoing ? last.status : undefined);
    this.#setUnread(entry.unread ?? 0);
    if (current) this.link.setAttribute("aria-current", "page");
    else this.link.removeAttribute("aria-current");
  }

  /** A new conversation has no name until the relay has said whose it is. */
  #setName(id, name) {
    if (this.face.dataset.name === name) return;
    this.face.dataset.name = name;
    this.face.replaceChildren(avatar(id, name));
    setText(this.name, name);
  }

  #setStatus(status) {
    if (status === this.status) return;
    this.status = status;
    this.state.replaceChildren(...(STATUS_WORDS[status] ? [icon(status, STATUS_WORDS[status])] : []));
  }

  #setUnread(count) {
    this.link.dataset.unread = count;
    this.unread.hidden = count === 0;
    if (count === 0) return;
    const shown = count > 99 ? "99+" : String(count);
    if (this.unread.firstChild?.textContent === shown) return;
    this.unread.replaceChildren(el("span", { "aria-hidden": "true" }, shown), el("span.sr-only", {}, `, ${shown} unread`));
  }
}

const nameOf = (entry) => entry.name || entry.handle || "Unknown person";

function previewOf(entry) {
  const last = entry.lastMessage;
  if (!last) return entry.handle ? `@${entry.handle}` : "No messages here yet";
  return `${last.outgoing && last.kind === "text" ? "You: " : ""}${inOneLine(last)}`;
}
