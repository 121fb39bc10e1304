// This browser asks to be linked: by digits, or by the code as picture and text, until another device of the person answers.
// Does not know the account it will get; nothing secret exists here before the other device approved.

import { forWhom } from "../client.js";
import { el, setText } from "../dom.js";
import { sentence } from "../errors.js";
import { seconds } from "../format.js";
import { icon } from "../icons.js";
import { announce } from "../notify.js";
import { drawQr } from "../qr.js";
import { LIST } from "../route.js";
import { isStaff } from "../staff.js";
import { digitsHere } from "./link-digits-here.js";
import { copyText } from "./fingerprint.js";

const OWN_STEPS = [
  "On a device that already has your account, open Lockstep.",
  "Go to Devices, then “Link a device”, then “Type digits”.",
  "Type the digits that appear here. Or scan or paste the code in place of that.",
  "Check the name and approve there. It then shows four digits, which you type here.",
];

const staffSteps = (handle) => [
  `Ask @${handle} to open Lockstep and to go to Devices, then “Link a device”, then “Type digits”.`,
  `Tell @${handle} the digits that appear here: face to face, or in a call where you know the voice.`,
  `@${handle} chooses “Staff”, and what you may do.`,
  `@${handle} then tells you four digits, which you type here.`,
];

const ENDED = {
  link_declined: ["declined", "Declined on the other device", "Nothing was shared. If that was a mistake, start again."],
  other_account: ["other", "That was another account", "This browser holds the messages of the account it was linked to before. Approve it on a device of that account."],
  link_over: ["over", "Linking has ended", "Nothing was shared and nothing was kept. If the digits did not match although you typed them carefully, somebody may be between your devices."],
  link_expired: ["expired", "Time ran out", "Nobody answered in time, so the codes shown here no longer work. Start again when your other device is at hand."],
};

export function linkHereView(app) {
  const screen = new LinkHere(app);
  return { node: screen.node, close: () => screen.close(), onShown: () => screen.heading.focus() };
}

class LinkHere {
  constructor(app) {
    this.app = app;
    this.closed = false;
    this.code = undefined; // the nodes of the waiting state, while it is shown
    this.helping = (forWhom() || isStaff(app.account)) && app.linking?.handle; // whose staff this is to be
    this.heading = el("h1", { tabIndex: -1 }, this.helping ? `Help @${this.helping} answer` : "Link this browser");
    this.stage = el("div.link-stage");
    this.node = el("main.page.narrow", {},
      el("button.button.plain.back-line", { type: "button", onclick: () => this.#leave() }, icon("back"), "Back"),
      this.heading, this.stage);
    this.node.addEventListener("keydown", (event) => event.key === "Escape" && this.#leave());
    this.off = app.client.on("link", (event) => this.code && this.#waiting(event));
    this.timer = setInterval(() => this.#tick(), 250);
    this.#begin();
  }

  #leave() {
    this.app.linking = undefined;
    this.app.go(LIST);
  }

  #show(state, ...children) {
    this.stage.dataset.state = state;
    this.stage.replaceChildren(...children);
  }

  async #begin() {
    this.code = undefined;
    this.#show("starting", busy("Preparing a code…"));
    try {
      const attempt = await this.app.client.link(this.app.linking);
      this.attempt = attempt;
      if (this.closed) return void attempt.cancel();
      const { uri, expiresAt, code, digits, approved, problem } = attempt;
      this.#waiting({ uri, expiresAt, code, digits, approved, problem });
      await attempt.done;
      if (!this.closed) this.#finished();
    } catch (error) {
      if (!this.closed && this.attempt !== this.replaced) this.#ended(error);
    }
    return undefined;
  }

  #waiting(shown) {
    const { uri, expiresAt } = shown;
    const first = !this.code;
    const { handle, credential } = this.app.linking ?? {};
    this.code ??= codeParts(digitsHere({
      known: Boolean(handle || credential),
      helping: this.helping,
      confirm: (digits) => this.attempt.confirm(digits),
      begin: (name) => this.#again(name),
    }), this.helping);
    const { code } = this;
    const text = shown.code ?? uri;
    code.expiresAt = shown.code ? undefined : expiresAt; // a code of a run lasts as long as that
    code.digits.update(shown);
    const isNew = code.uri.textContent !== text;
    setText(code.uri, text);
    if (first) this.#show("waiting", code.node);
    if (isNew) drawQr(text, "QR code with the link text").then(
      (picture) => code.uri.textContent === text && code.picture.replaceChildren(picture),
      () => code.picture.replaceChildren(el("p", {}, "The picture cannot be drawn here. Use the text instead.")));
    this.#tick();
  }

  /** The person has said whose device this is to be. */
  #again(handle) {
    if (this.helping) this.helping = handle;
    this.app.linking = { ...this.app.linking, handle };
    this.replaced = this.attempt;
    this.attempt?.cancel();
    this.#begin();
  }

  #tick() {
    const { code } = this;
    if (!code) return;
    code.left.hidden = code.words.hidden = code.expiresAt === undefined;
    if (code.expiresAt === undefined) return code.picture.classList.remove("stale");
    const left = code.expiresAt - Date.now();
    code.left.max = Math.max(code.left.max, left, 1);
    code.left.value = Math.max(0, left);
    setText(code.words, left > 0 ? `A new code comes in ${seconds(left)}` : "Getting a new code…");
    code.picture.classList.toggle("stale", left <= 0);
    return undefined;
  }

  #finished() {
    this.code = undefined;
    this.#show("linked", busy("Approved. Fetching your contacts…"));
    announce("This browser is linked.");
  }

  #ended(error) {
    this.code = undefined;
    const [state, title, help] = ENDED[error?.code] ?? ["failed", "This did not work", sentence(error)];
    const again = el("button.button.primary", { type: "button", testid: "link-again", onclick: () => this.#begin() }, "Try again");
    this.#show(state, el("div.card.stack.notice", { role: "alert", testid: "error", "data-code": error?.code },
      el("h2", {}, title), el("p", {}, help), el("div.row", {}, again)));
    again.focus();
  }

  close() {
    this.closed = true;
    clearInterval(this.timer);
    this.off();
    if (this.app.client.state() !== "ready") this.attempt?.cancel(); // not once it has succeeded
  }
}

const busy = (text) => el("p.busy", { role: "status" }, el("span.spinner", { "aria-hidden": "true" }), text);

function codeParts(digits, helping) {
  const picture = el("div.qr");
  const left = el("progress.countdown", { max: "1", "aria-hidden": "true" });
  const words = el("p.muted.center-text.tabular");
  const uri = el("p.uri", { testid: "link-uri", tabIndex: 0, role: "textbox", "aria-readonly": "true", "aria-label": "Link text" });
  const label = el("span", { "aria-live": "polite" }, "Copy text");
  const copy = el("button.button", { type: "button", testid: "link-copy", onclick: () => copyText(uri, label, "Copy text") }, icon("copy"), label);
  const node = el("div.link-here", {},
    el("div.stack", {}, digits.node, el("ol.steps", {}, (helping ? staffSteps(helping) : OWN_STEPS).map((text) => el("li", {}, text)))),
    el("div.stack", {}, el("h2", {}, "Or by code"), picture, left, words,
      uri, el("div.row", {}, copy),
      el("p.hint", {}, helping ? `Show this code or text to @${helping} alone.` : "Show this code or text to nobody else: it is for your own devices only.")));
  return { node, picture, left, words, uri, digits };
}
