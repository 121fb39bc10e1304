// Linking another device to this account, step by step: type its digits or read its code, see what asks, decide.
// Opens only from the Devices screen, never from an address (see route.js). Leaving without a decision declines.
// Does not know the linking protocol; it hands digits and text to the client.

import { shownDigits } from "../digits.js";
import { el } from "../dom.js";
import { icon } from "../icons.js";
import { announce, toast } from "../notify.js";
import { linkClaim } from "./link-claim.js";
import { LinkDigits } from "./link-digits.js";
import { LinkText } from "./link-text.js";

export function linkDeviceView(app, done) {
  const screen = new LinkDevice(app, done);
  return { node: screen.node, close: () => screen.close() };
}

class LinkDevice {
  constructor(app, done) {
    this.app = app;
    this.done = done;
    this.closed = false;
    this.request = undefined; // what is asking, until it is decided
    this.options = {}; // what was decided
    this.node = el("div.stack.link-device");
    this.#read();
  }

  #show(step, ...children) {
    this.#stopReading();
    this.node.dataset.step = step;
    this.node.replaceChildren(...children);
    queueMicrotask(() => this.node.querySelector("[data-focus]")?.focus());
  }

  #stopReading() {
    this.reader?.close();
    this.digits?.close();
    this.reader = this.digits = undefined;
  }

  #read(problem) {
    const reader = new LinkText({ next: (uri) => this.#ask(uri), cancel: this.done });
    const { client, account } = this.app;
    const again = (error) => this.#read(error);
    const digits = account.handle && new LinkDigits({ client, handle: account.handle, matched: (request) => this.#matched(request), over: again });
    this.#show("read", el("div.stack", {}, ...(digits ? [digits.node] : []), reader.node));
    this.reader = reader;
    this.digits = digits;
    if (problem) reader.showError(problem);
  }

  #matched(request) {
    if (this.closed) return void request.reject().catch(() => {});
    this.request = request;
    this.#claim(request.deviceName);
    return undefined;
  }

  /** Resolves when the next step is on screen; rejects with what is wrong with the text. */
  async #ask(uri) {
    return this.#matched(await this.app.client.openLink(uri));
  }

  #claim(name) {
    const { app, request } = this;
    this.#show("claim", linkClaim({ app, request, approve: (options) => this.#approve(name, options), decline: () => this.#decline() }));
    announce(name ? `${name} asks to be linked` : "A device asks to be linked");
  }

  async #approve(claimed, options) {
    const { request } = this;
    this.options = options;
    this.request = undefined; // decided: leaving now no longer declines
    this.#show("linking", el("div.card.stack.center", { role: "status" }, el("span.spinner.large", { "aria-hidden": "true" }),
      el("h3", { tabIndex: -1, "data-focus": "" }, "Linking…"),
      el("p.muted", {}, "Sending your keys, encrypted for that device alone. Keep this page open.")));
    try {
      const approved = request.approve(options);
      request.answer.then((digits) => digits && !this.closed && this.#tell(digits), () => {});
      const device = await approved;
      this.app.alarm.know(device);
      const name = options.staff?.label || device.name || claimed;
      if (this.closed && options.staff) toast(`“${name}” has access now.`);
      else if (this.closed) toast(name ? `“${name}” is linked to your account.` : "A device is linked to your account.");
      else this.#linked(name);
    } catch (error) {
      if (this.closed) this.app.report(error);
      else this.#read(error);
    }
  }

  /** The person types these on the new device, which so knows that it was answered by this one. */
  #tell(digits) {
    this.#show("answer", el("div.card.stack.center", { testid: "link-answer" },
      el("h3", { tabIndex: -1, "data-focus": "" }, this.options.staff ? `Now tell “${this.options.staff.label}” these digits` : "Now type this on the new device"),
      shownDigits(digits, "link-answer-digits"),
      el("p.muted", {}, this.options.staff ? "It is complete when they have typed them. Keep this page open."
        : "The link is complete when it has taken them. Keep this page open.")));
    announce(`Type these digits on the new device: ${[...digits].join(" ")}`);
  }

  #linked(name) {
    this.#show("done", el("div.card.stack.center", { role: "status", testid: "link-done" }, el("span.done-mark", {}, icon("sent")),
      el("h3", {}, this.options.staff ? `“${name}” has access now` : name ? `“${name}” is linked` : "The device is linked"),
      el("p.muted", {}, this.#fromNowOn()),
      el("button.button.primary", { type: "button", "data-focus": "", onclick: this.done }, "Done")));
  }

  #fromNowOn() {
    const { staff, history } = this.options;
    if (staff) return `The people you write with see that staff ${staff.answers ? "reads and answers" : "reads"}. You find and end it under Devices.`;
    if (history === "none") return "From now on it shows the same conversations as this one.";
    return "From now on it shows the same conversations as this one. Earlier messages follow; you can go on meanwhile, and close this page.";
  }

  #decline() {
    const { request } = this;
    this.request = undefined;
    request.reject().catch(this.app.report);
    toast("Declined. Nothing was shared.");
    this.done();
  }

  close() {
    this.closed = true;
    this.#stopReading();
    this.request?.reject().catch(() => {});
    this.request = undefined;
  }
}
