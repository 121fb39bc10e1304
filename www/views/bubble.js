// One message as a node: what it answers, its text, where it stands, and who has reacted. Kept and updated in place.
// Does not know the other messages; what can be done to it is asked of the helpers it is given.

import { grouped } from "../acts.js";
import { el, setText } from "../dom.js";
import { failedSentence } from "../errors.js";
import { clock, iso } from "../format.js";
import { icon } from "../icons.js";
import { duration } from "../timers.js";
import { STATUS_WORDS, inOneLine, insteadOf } from "../words.js";
import { MessageFiles } from "./message-files.js";

const LONG_PRESS_MS = 450;
const MOVED_PX = 10;

/**
 * `helpers`: `who(account)`: "You" or a name; `me`: the own account; `via(message)`: own other device it came from, or "";
 * `by(message)`: that staff wrote it, and who, or ""; `acts(message)`: whether anything can be done to it;
 * `quoted(id)`: the message with this id, if it is here; `again`, `menu`, `react`, `toQuoted`, `earlier`: what to call, if one can; `fetchFile` as in `MessageFiles`.
 */
export class Bubble {
  constructor(message, helpers) {
    this.helpers = helpers;
    this.message = message;
    this.shown = {}; // what each part was last made from
    this.quote = el("div.quote-place");
    this.files = el("div.files-place");
    this.text = el("p.bubble-text", { testid: "message-text", dir: "auto" });
    this.staff = el("p.by-staff", { testid: "by-staff", hidden: true }, icon("staff"), el("span"));
    this.from = el("span.via");
    this.edited = el("span.edited-place");
    this.timer = el("span.bubble-state");
    this.state = el("span.bubble-state");
    this.problem = el("div.problem");
    this.reactions = el("ul.reactions", { role: "list", "aria-label": "Reactions", hidden: true });
    this.who = el("span.sr-only");
    const meta = el("p.meta", {}, this.from, this.edited, el("time", { datetime: iso(message.sentAt) }, clock(message.sentAt)), this.timer, this.state);
    this.bubble = el("div.bubble", {}, this.staff, this.quote, this.who, this.files, this.text, meta);
    this.act = helpers.menu && el("button.act", { type: "button", testid: "message-actions", "aria-haspopup": "dialog", title: "Actions",
      onclick: () => helpers.menu(this.message, this.act) }, icon("more"));
    this.node = el(`li.message.${message.outgoing ? "out" : "in"}`, { testid: "message", "data-id": message.id, "data-outgoing": String(message.outgoing) },
      el("div.bubble-row", {}, this.bubble, this.act), this.reactions, this.problem);
    if (this.act) longPress(this.bubble, () => helpers.acts(this.message) && helpers.menu(this.message, this.bubble));
  }

  update(message, joined) {
    const { helpers } = this;
    this.message = message;
    this.node.classList.toggle("joined", joined);
    setText(this.from, helpers.via(message));
    setText(this.who, `${helpers.who(message.author)}: `);
    const staff = helpers.by(message);
    this.staff.hidden = staff === "";
    setText(this.staff.lastChild, staff);
    if (this.act) this.act.hidden = !helpers.acts(message);
    this.#part("text", [message.kind, message.text], () => this.#setText(message));
    this.#part("files", message.attachments, () => this.#setFiles(message));
    const answered = message.quote && helpers.quoted(message.quote.id)?.kind;
    this.#part("quote", [message.quote, answered, message.quote && helpers.who(message.quote.author)], () => this.#setQuote(message.quote, answered));
    this.#part("edited", message.earlier.length, () => this.#setEdited(message.earlier.length));
    this.#part("reactions", message.reactions, () => this.#setReactions(message.reactions));
    this.#part("timer", message.timer, () => this.#setTimer(message.timer));
    this.#part("status", message.status, () => this.#setStatus(message));
  }

  /** Makes a part anew if what it is made from has changed. */
  #part(name, value, make) {
    const key = JSON.stringify(value);
    if (this.shown[name] === key) return;
    this.shown[name] = key;
    make();
  }

  #setText({ kind, text, author, sentAt }) {
    const readable = kind === "text";
    this.node.dataset.kind = kind;
    this.node.classList.toggle("unreadable", !readable);
    this.text.replaceChildren(...(readable ? [text] : [icon(kind === "deleted" ? "trash" : "unreadable"), insteadOf(kind)]));
    const what = readable ? inOneLine(this.message, 80) : insteadOf(kind);
    this.act?.setAttribute("aria-label", `Actions, ${this.helpers.who(author)}, ${clock(sentAt)}: ${what}`);
  }

  #setFiles(message) {
    this.content?.close();
    this.content = message.attachments.length > 0 ? new MessageFiles(message, this.helpers) : undefined;
    this.files.replaceChildren(...(this.content ? [this.content.node] : []));
  }

  #setQuote(quote, answered) {
    if (!quote) return this.quote.replaceChildren();
    const who = this.helpers.who(quote.author);
    const text = answered === "deleted" ? insteadOf("deleted") : quote.text;
    return this.quote.replaceChildren(el("button.quote", { type: "button", testid: "quote", title: "Go to that message",
      "aria-label": `In answer to ${who}: ${text}. Go to that message.`, onclick: () => this.helpers.toQuoted(quote.id) },
    el("strong", {}, who), el("span.quote-text", { dir: "auto" }, text)));
  }

  #setEdited(times) {
    this.edited.replaceChildren(...(times === 0 ? [] : [el("button.edited", { type: "button", testid: "edited",
      "aria-label": "Edited. Show what it said before.", title: "Show what it said before", onclick: () => this.helpers.earlier(this.message) }, "edited")]));
  }

  #setReactions(reactions) {
    const { me, who, react } = this.helpers;
    const focused = this.reactions.contains(document.activeElement) && document.activeElement.dataset.emoji;
    this.reactions.hidden = reactions.length === 0;
    this.reactions.replaceChildren(...grouped(reactions).map(({ emoji, authors }) => {
      const mine = authors.includes(me);
      const names = authors.map(who).join(" and ");
      const hint = mine ? "Press to take yours back." : "Press to react with it too.";
      return el("li", {}, el("button.reaction", { type: "button", testid: "reaction", "data-emoji": emoji, "aria-pressed": String(mine), disabled: !react,
        title: names, "aria-label": `${emoji} ${authors.length}, ${names}. ${hint}`, onclick: () => react(this.message, mine ? undefined : emoji) },
      el("span.reaction-emoji", {}, emoji), authors.length > 1 && el("span.reaction-count", {}, String(authors.length))));
    }));
    if (focused) ([...this.reactions.querySelectorAll("button")].find(({ dataset }) => dataset.emoji === focused) ?? this.act)?.focus();
  }

  #setTimer(seconds) {
    const words = seconds && `Disappears ${duration(seconds)} after it was read`;
    this.timer.replaceChildren(...(words ? [icon("timer", words)] : []));
    if (words) this.timer.title = words;
  }

  #setStatus(message) {
    const { status, outgoing } = message;
    const { again } = this.helpers;
    this.node.dataset.status = status;
    const words = STATUS_WORDS[status];
    this.state.replaceChildren(...(words && outgoing ? [icon(status, words)] : []));
    if (words && outgoing) this.state.title = words;
    this.problem.replaceChildren(...(status !== "failed" ? [] : [el("span", {}, failedSentence(message.error)),
      again && el("button.button.small", { type: "button", onclick: () => again(this.message) }, "Send again")].filter(Boolean)));
  }

  close() {
    this.content?.close();
  }

  /** Draws the eye to this message for a moment, and the keyboard. */
  mark() {
    this.node.classList.add("marked");
    setTimeout(() => this.node.classList.remove("marked"), 1_800);
    this.act?.focus({ preventScroll: true });
  }
}

/** What a quote, a strip or a label says of a message. */
export const gist = (message) => inOneLine(message, 200);

/** Calls back when a finger rests on `node`; the tap that ends it is no click. */
function longPress(node, call) {
  let timer;
  let from;
  const end = () => clearTimeout(timer);
  node.addEventListener("pointerdown", (event) => {
    if (event.pointerType !== "touch" || event.target.closest("button")) return;
    from = event;
    clearTimeout(timer);
    timer = setTimeout(call, LONG_PRESS_MS);
  });
  node.addEventListener("pointermove", (event) => {
    if (from && Math.hypot(event.clientX - from.clientX, event.clientY - from.clientY) > MOVED_PX) end();
  });
  for (const name of ["pointerup", "pointercancel", "pointerleave"]) node.addEventListener(name, end);
  node.addEventListener("contextmenu", (event) => event.pointerType === "touch" && event.preventDefault());
}
