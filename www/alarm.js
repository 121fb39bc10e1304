// Says on every other device of the person that a device was linked, until they have answered: it was me, or remove it. Also after
// a reload, and when it happened while this page was closed. Does not know how linking works.

import { storeName } from "./client.js";
import { coalesce } from "./coalesce.js";
import { el } from "./dom.js";
import { sentence } from "./errors.js";
import { icon } from "./icons.js";
import { announce, inlineError } from "./notify.js";

const KEPT = `lockstep-known-devices-${storeName()}`;
const keyOf = ({ id, createdAt }) => `${id}@${createdAt}`;

export class DeviceAlarm {
  /** `isOwn()`: this browser is one of the person's own. */
  constructor(client, isOwn) {
    Object.assign(this, { client, isOwn });
    this.node = el("div.alarms");
    this.check = coalesce(() => this.#look());
    client.on("device", this.check);
    client.on("connection", ({ state }) => state === "online" && this.check());
  }

  /** The devices that the person knows of; none yet in a browser that has just become one. */
  #known() {
    try {
      return JSON.parse(localStorage.getItem(KEPT));
    } catch {
      return undefined;
    }
  }

  #keep(keys) {
    localStorage.setItem(KEPT, JSON.stringify(keys));
  }

  async #look() {
    if (!this.isOwn() || this.client.state() !== "ready" || this.client.connection() !== "online") return;
    let devices;
    let granted = [];
    try {
      devices = await this.client.devices();
      if (devices.some(({ role }) => role === "delegate")) granted = await this.client.staff();
    } catch {
      return; // asked again with the next connection
    }
    const known = this.#known() ?? devices.map(keyOf);
    this.#keep(known.filter((key) => devices.some((device) => keyOf(device) === key)));
    const news = devices.filter((device) => !device.current && !known.includes(keyOf(device)));
    for (const node of [...this.node.children]) if (!news.some((device) => keyOf(device) === node.dataset.key)) node.remove();
    const isOwner = devices.some(({ current, role }) => current && role === "owner");
    for (const device of news) this.#show(device, isOwner, granted.find(({ deviceId }) => deviceId === device.id)?.label);
  }

  /** The person has linked it here, or says that it was them. */
  know(device) {
    this.#keep([...(this.#known() ?? []), keyOf(device)]);
    this.check();
  }

  /** `label`: of staff. */
  #show(device, isOwner, label) {
    const key = keyOf(device);
    if ([...this.node.children].some((node) => node.dataset.key === key)) return;
    const name = device.name ? `“${device.name}”` : `Device ${device.id}`;
    const error = inlineError();
    const remove = el("button.button.small.danger", { type: "button", testid: "alarm-remove", onclick: () => this.#remove(device, remove, error) }, device.role === "delegate" ? "Not me: end it" : "Not me: remove it");
    const mine = el("button.button.small", { type: "button", testid: "alarm-mine", onclick: () => this.know(device) }, "It was me");
    const isStaff = device.role === "delegate";
    const title = isStaff ? `${label ? `“${label}”` : "Somebody"} was given access as staff. ` : `A device was linked: ${name}. `;
    const what = isStaff ? "Staff read what people write to you." : "It reads and writes as you.";
    this.node.append(el("div.banner.warn.alarm", { role: "alert", testid: "alarm", "data-key": key }, icon("warning"),
      el("p.grow", {}, el("strong", {}, title), `${what} Not you? ${isStaff ? "End it" : "Remove it"}${isOwner ? "" : " at once, on a device that holds your account’s key"}.`),
      el("div.row", {}, isOwner && remove, mine), error.node));
    announce(title);
  }

  async #remove(device, button, error) {
    button.disabled = true;
    try {
      await this.client.unlink(device.id, { lost: true });
      this.check();
    } catch (cause) {
      error.show(sentence(cause), cause?.code);
      button.disabled = false;
    }
  }
}
