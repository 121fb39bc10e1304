// Linking another device to this account, step by step: type its digits or read its code, see what asks, decide.
// Opens only from the Devices screen, never from an address (see route.js). Leaving without a decision declines.
// Does not know the linking protocol; it hands digits and text to the client.

import { shownDigits } from "../digits.js";
import { el } from "../dom.js";
import { icon } from "../icons.js";
import { announce, toast } from "../notify.js";
import { historyChoice } from "./history-choice.js";
import { LinkDigits } from "./link-digits.js";
import { LinkText } from "./link-text.js";
import { roleChoice } from "./role-choice.js";

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
    this.history = historyChoice();
    this.role = this.app.account.handle ? roleChoice() : undefined;
    const approve = el("button.button.primary", { type: "button", testid: "link-approve", onclick: () => this.#approve(name) }, "Link this device");
    const reject = el("button.button", { type: "button", testid: "link-reject", onclick: () => this.#decline() }, "Decline");
    this.#show("claim", el("div.card.stack", { testid: "link-claim" },
      el("h3", { tabIndex: -1, "data-focus": "" }, name ? `“${name}” asks to be linked` : "A device without a name asks to be linked"),
      el("p.muted.small-text", {}, name ? "It chose this name itself; nobody has checked it." : "It gave no name, so be sure which device this is."),
      this.request.claimedHandle && el("p.banner.warn", { testid: "link-claimed" }, icon("warning"),
        el("span", {}, `It is signed in as @${this.request.claimedHandle}, not as you.`)),
      el("p.banner.warn", {}, icon("warning"), el("span", {}, el("strong", {}, "A linked device can read and send messages as you. "),
        "Go on only if it is yours, is in front of you, and you started this yourself. Nobody who helps you will ever ask you to do this.")),
      el("dl.facts-list", {}, el("div", {}, el("dt", {}, "It gets"), el("dd", {}, "your contacts, and every message from now on"))),
      this.role?.node, this.history.node,
      el("div.row", {}, approve, reject)));
    announce(name ? `${name} asks to be linked` : "A device asks to be linked");
  }

  async #approve(claimed) {
    const { request } = this;
    this.request = undefined; // decided: leaving now no longer declines
    this.#show("linking", el("div.card.stack.center", { role: "status" }, el("span.spinner.large", { "aria-hidden": "true" }),
      el("h3", { tabIndex: -1, "data-focus": "" }, "Linking…"),
      el("p.muted", {}, "Sending your keys, encrypted for that device alone. Keep this page open.")));
    try {
      const approved = request.approve({ role: this.role?.value() ?? "owner", history: this.history.value() });
      request.answer.then((digits) => digits && !this.closed && this.#tell(digits), () => {});
      const device = await approved;
      this.app.alarm.know(device);
      const name = device.name || claimed;
      if (this.closed) toast(name ? `“${name}” is linked to your account.` : "A device is linked to your account.");
      else this.#linked(name);
    } catch (error) {
      if (this.closed) this.app.report(error);
      else this.#read(error);
    }
  }

  /** The person types these on the new device, which so knows that it was answered by this one. */
  #tell(digits) {
    this.#show("answer", el("div.card.stack.center", { testid: "link-answer" },
      el("h3", { tabIndex: -1, "data-focus": "" }, "Now type this on the new device"),
      shownDigits(digits, "link-answer-digits"),
      el("p.muted", {}, "The link is complete when it has taken them. Keep this page open.")));
    announce(`Type these digits on the new device: ${[...digits].join(" ")}`);
  }

  #linked(name) {
    this.#show("done", el("div.card.stack.center", { role: "status", testid: "link-done" }, el("span.done-mark", {}, icon("sent")),
      el("h3", {}, name ? `“${name}” is linked` : "The device is linked"),
      el("p.muted", {}, this.history.value() === "none" ? "From now on it shows the same conversations as this one."
        : "From now on it shows the same conversations as this one. Earlier messages follow; you can go on meanwhile, and close this page."),
      el("button.button.primary", { type: "button", "data-focus": "", onclick: this.done }, "Done")));
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
