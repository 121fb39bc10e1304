// One row of the conversation list: a conversation, or a contact one has not written with yet. Updated in place.
// Does not know the list around it.

import { isMuted } from "../directory.js";
import { el, setText } from "../dom.js";
import { iso, listTime } from "../format.js";
import { icon } from "../icons.js";
import { chatHash } from "../route.js";
import { writerOf } from "../staff.js";
import { STATUS_WORDS, inOneLine } from "../words.js";
import { avatar } from "./avatar.js";

const FLAG_WORDS = { pin: "Pinned", muted: "Muted", block: "Blocked", verified: "Verified" };

export class Row {
  constructor(entry) {
    this.name = el("span.row-name");
    this.when = el("time.row-time");
    this.preview = el("span.row-preview");
    this.unread = el("span.unread");
    this.flags = el("span.row-flags");
    this.state = el("span.row-state");
    this.status = undefined;
    this.link = el("a.row-link", { href: chatHash(entry.id), testid: "conversation", "data-id": entry.id },
      this.face = el("span.row-face"),
      el("span.row-text", {},
        el("span.row-top", {}, this.name, this.when),
        el("span.row-bottom", {}, this.state, this.preview, this.flags, this.unread)));
    this.node = el("li", {}, this.link);
  }

  /** `account`: the own one. */
  update(entry, now, { current, writing, verified, account }) {
    const last = entry.lastMessage;
    this.#setName(entry.id, nameOf(entry));
    setText(this.when, last ? listTime(last.sentAt, now) : "");
    if (last) this.when.dateTime = iso(last.sentAt);
    const draft = current ? "" : entry.draft ?? "";
    this.#setPreview(draft, writing ? "is writing…" : previewOf(entry, account));
    this.#setStatus(last?.outgoing && !draft && !writing ? last.status : undefined);
    this.#setUnread(entry.unread ?? 0, Boolean(entry.markedUnread));
    this.#setFlags(entry, now, verified);
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

  #setPreview(draft, said) {
    const key = `${draft}\n${said}`;
    if (this.preview.dataset.key === key) return;
    this.preview.dataset.key = key;
    this.preview.replaceChildren(...(draft ? [el("span.row-draft", { testid: "row-draft" }, "Draft: "), draft.slice(0, 160)] : [said]));
  }

  /** A number, or a dot where only the person says that it is unread. */
  #setUnread(count, marked) {
    this.link.dataset.unread = count;
    this.link.dataset.marked = String(marked);
    this.unread.hidden = count === 0 && !marked;
    this.unread.classList.toggle("dot", count === 0);
    const shown = count > 99 ? "99+" : count === 0 ? "" : String(count);
    if (this.unread.hidden || (this.unread.firstChild && this.unread.firstChild.textContent === shown)) return;
    this.unread.replaceChildren(el("span", { "aria-hidden": "true" }, shown), el("span.sr-only", {}, count ? `, ${shown} unread` : ", marked as unread"));
  }

  #setFlags(entry, now, verified) {
    const flags = [verified && "verified", entry.pinned && "pin", isMuted(entry, now) && "muted", entry.blocked && "block"].filter(Boolean);
    if (this.flags.dataset.key === flags.join()) return;
    this.flags.dataset.key = flags.join();
    this.flags.replaceChildren(...flags.map((name) => icon(name, FLAG_WORDS[name])));
  }
}

const nameOf = (entry) => entry.name || entry.handle || "Unknown person";

function previewOf(entry, account) {
  const last = entry.lastMessage;
  if (entry.request === "pending" && last && !last.outgoing) return `Wants to write with you: ${inOneLine(last)}`;
  if (!last) return entry.handle ? `@${entry.handle}` : "No messages here yet";
  return `${last.kind === "text" ? writerOf(last, account) : ""}${inOneLine(last)}`;
}
