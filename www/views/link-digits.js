// On an existing device: waits for a browser that asks to be linked, then takes the digits which that one shows.
// Exists only while the person has the screen open that links a device: nothing is asked for before, and nothing shown.

import { digitsForm } from "../digits.js";
import { el } from "../dom.js";
import { sentence } from "../errors.js";
import { announce, inlineError } from "../notify.js";
import { icon } from "../icons.js";

export class LinkDigits {
  /** `matched(request)` goes on with a browser whose digits were typed; `over(error)` begins anew. */
  constructor({ client, handle, matched, over }) {
    Object.assign(this, { client, matched, over, closed: false, stop: new AbortController() });
    // Whoever is answered here can't be linked by its code any more: so it begins when the person wants digits.
    this.place = el("div.row", {}, el("button.button.primary", { type: "button", testid: "link-digits-start", "data-focus": "",
      onclick: () => this.#begin() }, "Type digits"));
    this.node = el("section.card.stack", { "aria-label": "By digits" },
      el("h3", { tabIndex: -1 }, "Type the digits of the new device"),
      el("p.muted", {}, "On the device you want to add, open Lockstep, choose ", el("strong", {}, "Link this browser"),
        handle ? ` and enter your handle, @${handle}.` : ".",
        handle && ` Somebody who is to help you chooses “Help somebody answer” in their settings.`),
      this.place);
  }

  #begin() {
    const waiting = el("p.busy", { role: "status", tabIndex: -1, testid: "link-waiting" },
      el("span.spinner", { "aria-hidden": "true" }), "Waiting for the new device…");
    this.place.className = "stack";
    this.place.replaceChildren(waiting);
    waiting.focus();
    this.#wait();
  }

  async #wait() {
    try {
      const request = await this.client.openLink({ signal: this.stop.signal });
      if (this.closed) return void request.reject().catch(() => {});
      this.request = request;
      this.#ask(request);
    } catch (error) {
      if (this.closed) return undefined;
      const problem = inlineError();
      problem.show(sentence(error), error?.code);
      const again = el("button.button", { type: "button", onclick: () => this.over() }, "Try again");
      this.place.replaceChildren(problem.node, ...(error?.code === "not_owner" ? [] : [el("div.row", {}, again)]));
    }
    return undefined;
  }

  #ask(request) {
    let wrong = 0;
    const words = (error) => {
      wrong += error?.code === "link_digits_wrong" ? 1 : 0;
      return wrong < 2 ? sentence(error)
        : `${sentence(error)} Type what stands on the new device in front of you now. If you did not start this yourself, cancel.`;
    };
    const next = async (digits) => {
      try {
        await request.enter(digits);
      } catch (error) {
        if (["link_over", "link_expired"].includes(error?.code)) return void this.over(error);
        throw error;
      }
      this.request = undefined; // whoever goes on has it now
      this.matched(request);
      return undefined;
    };
    const name = request.deviceName ? `“${request.deviceName}”` : "A device without a name";
    const form = digitsForm({ label: "The eight digits it shows", count: 8, testid: "link-enter", next, words: "Next", sentence: words });
    this.place.replaceChildren(...[
      el("p", { testid: "link-asking" }, `${name} is waiting and shows eight digits.`),
      request.claimedHandle && el("p.banner.warn", { testid: "link-claimed" }, icon("warning"),
        el("span", {}, `It is signed in as @${request.claimedHandle}, not as you. Go on only if you want @${request.claimedHandle} to help you.`)),
      form].filter(Boolean));
    announce(`${name} shows eight digits. Type them here.`);
    form.querySelector("input").focus();
  }

  close() {
    this.closed = true;
    this.stop.abort();
    this.request?.reject().catch(() => {});
  }
}
