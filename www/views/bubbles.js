// Messages as nodes: bubbles, separators between days, the line above what is unread.
// Nodes are kept by message id and updated in place. Does not know where messages come from.

import { el, setText } from "../dom.js";
import { failedSentence } from "../errors.js";
import { clock, dayLabel, iso, sameDay } from "../format.js";
import { icon } from "../icons.js";

const GROUP_MS = 5 * 60_000; // messages of one author within this stand closer together
const STATUS_WORDS = { queued: "Queued, not sent yet", sent: "Sent", failed: "Not sent" };

/** `name(message)`: who wrote it; `via(message)`: own other device it came from, or ""; `again(message)`: send once more, if one can. */
export class Bubbles {
  constructor({ name, via, again }) {
    this.helpers = { name, via, again };
    this.nodes = new Map();
    this.days = new Map();
    this.unreadLine = el("li.unread-line", {}, el("span", {}, "New messages"));
  }

  /** The nodes for these messages in order; `firstUnread` is the id of the message below the unread line. */
  render(messages, firstUnread) {
    const now = Date.now();
    const out = [];
    const live = new Set();
    messages.forEach((message, at) => {
      const before = messages[at - 1];
      const newDay = !before || !sameDay(before.sentAt, message.sentAt);
      if (newDay) out.push(this.#day(message, now));
      if (message.id === firstUnread) out.push(this.unreadLine);
      live.add(message.id);
      if (!this.nodes.has(message.id)) this.nodes.set(message.id, makeBubble(message, this.helpers));
      const bubble = this.nodes.get(message.id);
      const joined = !newDay && before.outgoing === message.outgoing && message.sentAt - before.sentAt < GROUP_MS && message.id !== firstUnread;
      bubble.update(message, joined);
      out.push(bubble.node);
    });
    for (const id of this.nodes.keys()) if (!live.has(id)) this.nodes.delete(id);
    return out;
  }

  #day(message, now) {
    const key = message.id;
    if (!this.days.has(key)) this.days.set(key, el("li.day", {}, el("span")));
    const node = this.days.get(key);
    setText(node.firstChild, dayLabel(message.sentAt, now));
    return node;
  }
}

const PLACEHOLDERS = {
  waiting: "Waiting for this message. It was asked for again and may take a while.",
  unreadable: "This message could not be decrypted.",
};

function makeBubble(message, { name, via, again }) {
  const who = el("span.sr-only", {}, `${message.outgoing ? "You" : name(message)}: `);
  const text = el("p.bubble-text", { testid: "message-text" });
  const say = (kind) => kind === "text" ? [message.text] : [icon("unreadable"), PLACEHOLDERS[kind]];
  text.append(...say(message.kind));
  const from = el("span.via");
  const state = el("span.bubble-state");
  const meta = el("p.meta", {}, from, el("time", { datetime: iso(message.sentAt) }, clock(message.sentAt)), state);
  const problem = el("div.problem");
  const node = el(`li.message.${message.outgoing ? "out" : "in"}${message.kind === "text" ? "" : ".unreadable"}`,
    { testid: "message", "data-id": message.id, "data-outgoing": String(message.outgoing), "data-kind": message.kind },
    el("div.bubble", { dir: "auto" }, who, text, meta), problem);

  function update(current, joined) {
    node.classList.toggle("joined", joined);
    setText(from, via(current));
    if (node.dataset.kind !== current.kind) {
      node.dataset.kind = current.kind;
      text.replaceChildren(...say(current.kind));
    }
    if (node.dataset.status === current.status) return;
    node.dataset.status = current.status;
    const words = STATUS_WORDS[current.status];
    state.replaceChildren(...(words && current.outgoing ? [icon(current.status, words)] : []));
    problem.replaceChildren(...(current.status === "failed" ? failure(current, again) : []));
  }

  return { node, update };
}

function failure(message, again) {
  return [el("span", {}, failedSentence(message.error)),
    ...(again ? [el("button.button.small", { type: "button", onclick: () => again(message) }, "Send again")] : [])];
}
