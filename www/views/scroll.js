// Keeps the reader's place in a scrolling list that grows at both ends: stays at the end when there, else stays put.
// Does not know what the list holds.

import { reconcile } from "../dom.js";

const NEAR_PX = 60;

export class Scroll {
  /** `content` is the only child of `scroller` and holds `list` among other things. */
  constructor(scroller, content, list) {
    this.scroller = scroller;
    this.list = list;
    this.pinned = true; // at the end, and wants to stay there
    scroller.addEventListener("scroll", () => {
      this.pinned = this.#gap() < NEAR_PX;
    }, { passive: true });
    this.observer = new ResizeObserver(() => this.pinned && this.toEnd());
    this.observer.observe(scroller);
    this.observer.observe(content);
  }

  #gap() {
    return this.scroller.scrollHeight - this.scroller.scrollTop - this.scroller.clientHeight;
  }

  /** Puts these nodes into the list and keeps what the reader looks at where it is. */
  replace(nodes) {
    const anchor = this.pinned ? undefined : this.#firstVisible(new Set(nodes));
    const before = anchor?.getBoundingClientRect().top;
    reconcile(this.list, nodes);
    if (anchor) this.scroller.scrollTop += anchor.getBoundingClientRect().top - before;
    else if (this.pinned) this.toEnd();
  }

  toEnd() {
    this.pinned = true;
    this.scroller.scrollTop = this.scroller.scrollHeight;
  }

  /** Shows `node` near the top, unless the end is closer. */
  reveal(node) {
    this.scroller.scrollTop += node.getBoundingClientRect().top - this.scroller.getBoundingClientRect().top - 24;
    this.pinned = this.#gap() < NEAR_PX;
  }

  /** Shows `node` in the middle, as far as there is something on both sides. */
  center(node) {
    const [inner, outer] = [node.getBoundingClientRect(), this.scroller.getBoundingClientRect()];
    this.pinned = false;
    this.scroller.scrollTop += inner.top + inner.height / 2 - (outer.top + outer.height / 2);
    this.pinned = this.#gap() < NEAR_PX;
  }

  /** The first child on screen that stays in the list. */
  #firstVisible(staying) {
    const top = this.scroller.getBoundingClientRect().top;
    return [...this.list.children].find((child) => staying.has(child) && child.getBoundingClientRect().bottom > top);
  }

  /** The last of `nodes` whose end has been on screen. */
  lastSeen(nodes) {
    const bottom = this.scroller.getBoundingClientRect().bottom + 8;
    return nodes.findLast((node) => node.getBoundingClientRect().bottom <= bottom) ?? (this.pinned ? nodes.at(-1) : undefined);
  }

  close() {
    this.observer.disconnect();
  }
}
