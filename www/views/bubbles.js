// The messages of a conversation as nodes: bubbles, separators between days, the line above what is unread.
// Nodes are kept by message id and updated in place. Does not know where messages come from, nor what is in a bubble.

import { el, setText } from "../dom.js";
import { dayLabel, sameDay } from "../format.js";
import { icon } from "../icons.js";
import { timerSentence } from "../timers.js";
import { Bubble } from "./bubble.js";

const GROUP_MS = 5 * 60_000; // messages of one author within this stand closer together

export class Bubbles {
  /** `helpers` as in `Bubble`. */
  constructor(helpers) {
    this.helpers = helpers;
    this.nodes = new Map();
    this.days = new Map();
    this.notes = new Map();
    this.unreadLine = el("li.unread-line", {}, el("span", {}, "New messages"));
  }

  /**
   * The nodes for these messages in order; `firstUnread` is the id of the message below the unread line; `lines` are what else
   * happened: [{ key, at, text }], by time.
   */
  render(messages, firstUnread, lines = []) {
    const now = Date.now();
    const out = [];
    const live = new Set();
    const left = [...lines];
    messages.forEach((message, at) => {
      const before = messages[at - 1];
      const newDay = !before || !sameDay(before.sentAt, message.sentAt);
      const upToHere = this.#passed(left, message.sentAt);
      const passed = before ? upToHere : []; // what was before the first one here comes with earlier ones
      const today = passed.filter(({ at }) => newDay && sameDay(at, message.sentAt));
      out.push(...passed.filter((line) => !today.includes(line)).map((line) => this.#line(line)));
      if (newDay) out.push(this.#day(message, now));
      out.push(...today.map((line) => this.#line(line)));
      if (message.id === firstUnread) out.push(this.unreadLine);
      if (message.kind === "timer") return out.push(this.#timer(message));
      live.add(message.id);
      if (!this.nodes.has(message.id)) this.nodes.set(message.id, new Bubble(message, this.helpers));
      const bubble = this.nodes.get(message.id);
      const joined = !newDay && passed.length === 0 && before.outgoing === message.outgoing && before.staff === message.staff && message.sentAt - before.sentAt < GROUP_MS && message.id !== firstUnread;
      bubble.update(message, joined);
      return out.push(bubble.node);
    });
    for (const [id, bubble] of this.nodes) {
      if (live.has(id)) continue;
      bubble.close();
      this.nodes.delete(id);
    }
    if (messages.length > 0) out.push(...this.#rest(left, messages.at(-1).sentAt, now));
    return out;
  }

  /** What happened after the last message, with the days on which it did. */
  #rest(lines, last, now) {
    return lines.flatMap((line, at) => {
      const newDay = !sameDay(at === 0 ? last : lines[at - 1].at, line.at);
      return [newDay && this.#day({ id: line.key, sentAt: line.at }, now), this.#line(line)].filter(Boolean);
    });
  }

  /** Takes what happened up to then from the front of `lines`. */
  #passed(lines, until) {
    const next = lines.findIndex(({ at }) => at > until);
    return lines.splice(0, next < 0 ? lines.length : next);
  }

  #line({ key, text }) {
    if (!this.notes.has(key)) this.notes.set(key, el("li.thread-note", { testid: "staff-note" }, icon("staff"), el("span")));
    const node = this.notes.get(key);
    setText(node.lastChild, text);
    return node;
  }

  close() {
    for (const bubble of this.nodes.values()) bubble.close();
  }

  get(id) {
    return this.nodes.get(id);
  }

  /** Somebody has changed how long messages stay. */
  #timer({ id, author, timer }) {
    if (!this.notes.has(id)) this.notes.set(id, el("li.thread-note", { testid: "timer-note" }, icon("timer"), el("span")));
    const node = this.notes.get(id);
    setText(node.lastChild, timerSentence(this.helpers.who(author), timer));
    return node;
  }

  #day(message, now) {
    const key = message.id;
    if (!this.days.has(key)) this.days.set(key, el("li.day", {}, el("span")));
    const node = this.days.get(key);
    setText(node.firstChild, dayLabel(message.sentAt, now));
    return node;
  }
}

/**
 * One tab stop for all messages, the newest at first: the arrows, Home and End go from one to the next, Tab to what else
 * is in it. Call the result after the list changed.
 */
export function rovingMessages(list) {
  let current;
  const first = (message) => message.querySelector("button:not(:disabled)"); // where nothing can be done, there may be none
  const messages = () => [...list.querySelectorAll("li.message")].filter(first);
  const settle = () => {
    if (!list.contains(current) || !first(current)) current = messages().at(-1);
    for (const button of list.querySelectorAll("button")) {
      const wanted = current?.contains(button) ? 0 : -1;
      if (button.tabIndex !== wanted) button.tabIndex = wanted;
    }
  };
  list.addEventListener("focusin", (event) => {
    current = event.target.closest("li.message") ?? current;
    settle();
  });
  list.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !event.target.closest("li.message")) return;
    const all = messages();
    const at = all.indexOf(event.target.closest("li.message"));
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const next = all[Math.min(Math.max(to, 0), all.length - 1)];
    (next.querySelector("button.act") ?? first(next)).focus();
  });
  return settle;
}
