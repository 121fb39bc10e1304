// Once a month asks a person with several devices to look at them: a device that somebody else has linked reads along until it is
// seen. Asks again a month after the answer. Does not know what the devices page shows.

import { storeName } from "./client.js";
import { coalesce } from "./coalesce.js";
import { el } from "./dom.js";
import { icon } from "./icons.js";
import { DEVICES } from "./route.js";

const MONTH_MS = 30 * 24 * 60 * 60 * 1000;
const KEPT = `lockstep-reviewed-${storeName()}`;

export class Review {
  /** `isOwn()`: this browser is one of the person's own. */
  constructor(client, isOwn) {
    Object.assign(this, { client, isOwn });
    this.node = el("div.alarms");
    this.check = coalesce(() => this.#look());
    client.on("connection", ({ state }) => state === "online" && this.check());
  }

  /** The person has looked, or does not want to now. */
  done() {
    localStorage.setItem(KEPT, String(Date.now()));
    this.node.replaceChildren();
  }

  async #look() {
    if (this.client.state() !== "ready" || !this.isOwn()) return;
    const last = Number(localStorage.getItem(KEPT));
    if (!last) return this.done(); // the month begins with the first day
    if (Date.now() - last < MONTH_MS || this.node.children.length) return;
    let devices;
    try {
      devices = await this.client.devices();
    } catch {
      return; // asked again with the next connection
    }
    if (devices.length < 2) return this.done();
    const staff = devices.filter(({ role }) => role === "delegate").length;
    const own = devices.length - staff;
    const who = `${own === 1 ? "One device reads and writes" : `${own} devices read and write`} your messages${staff ? `, and ${staff} staff ${staff === 1 ? "has" : "have"} access` : ""}. `;
    this.node.replaceChildren(el("div.banner.alarm", { role: "status", testid: "review" }, icon("device"),
      el("p.grow", {}, el("strong", {}, who), staff ? "Is each of them still as you want it?" : "Is each of them still yours?"),
      el("div.row", {},
        el("a.button.small", { href: DEVICES, testid: "review-look", onclick: () => this.done() }, "Look"),
        el("button.button.small", { type: "button", testid: "review-later", onclick: () => this.done() }, "Not now"))));
  }
}
