// The recovery code in the settings: whether there is one, making one, and having it written down. The words are on the screen
// this once, and nowhere in this page afterwards. Does not know what they open.

import { coalesce } from "../coalesce.js";
import { el, setText } from "../dom.js";
import { sentence } from "../errors.js";
import { longDate } from "../format.js";
import { icon } from "../icons.js";
import { inlineError, toast } from "../notify.js";
import { field } from "./field.js";
import { dialog } from "./popup.js";

const ASKED = 2; // words to be typed again

const STATES = {
  none: () => "There is none. If you lose all your devices, nobody can give you your account back.",
  ready: ({ since }) => `There is one, made on ${longDate(since)}.`,
  lost: () => "The server no longer has what your code opens. Make a new one.",
};

/** Returns { node, close }. */
export function recoveryPart(app) {
  const { client } = app;
  const error = inlineError();
  const state = el("p", { testid: "recovery-state" }, "…");
  const last = el("p.hint", { testid: "recovery-last", hidden: true });
  const make = el("button.button", { type: "button", testid: "recovery-make", onclick: () => makeCode(client, refresh) }, "Make a recovery code…");
  const isOwner = app.account.role !== "device";
  const node = el("fieldset.setting-group", { testid: "recovery" }, el("legend", {}, "Recovery code"),
    el("div.stack.setting-body", {},
      el("p.hint", {}, "Twelve words on paper that bring your account back when all your devices are gone. Whoever has them and your sign-in has your account."),
      state, last, error.node,
      isOwner ? el("div.row", {}, make) : el("p.hint", {}, "Make it on your first device, or on another one that may link devices.")));

  const refresh = coalesce(async () => {
    try {
      const status = await client.recovery();
      error.clear();
      node.dataset.state = status.state;
      setText(state, STATES[status.state](status));
      setText(make, status.state === "none" ? "Make a recovery code…" : "Make a new code…");
      last.hidden = !status.recovered;
      if (status.recovered) setText(last, `Last used on “${status.recovered.name}”, ${longDate(status.recovered.at)}.`);
    } catch (cause) {
      error.show(sentence(cause), cause?.code);
    }
  });
  const offs = ["settings", "recovered"].map((event) => client.on(event, refresh));
  refresh();
  const close = () => {
    refresh.stop();
    for (const off of offs) off();
  };
  return { node, close };
}

/** Explains, makes, shows, and asks for two of the words. `done()` is called at the end. */
export function makeCode(client, done) {
  const error = inlineError();
  const go = el("button.button.primary", { type: "button", testid: "recovery-go", onclick: run }, "Show the words");
  const opened = dialog({ title: "Make a recovery code", testid: "recovery-dialog", action: go },
    el("ul.plain-list", {},
      el("li", {}, "Twelve words are shown once. Write them on paper; do not photograph them."),
      el("li", {}, "Keep the paper apart from your devices. Show it to nobody: no helper ever needs it."),
      el("li", {}, "A code that you made before stops working. Destroy it.")),
    error.node);

  async function run() {
    go.disabled = true;
    try {
      const words = (await client.makeRecoveryCode()).split(" ");
      opened.close();
      showWords(words, done);
    } catch (cause) {
      error.show(sentence(cause), cause?.code);
      go.disabled = false;
    }
  }
}

function showWords(words, done) {
  const next = el("button.button.primary", { type: "button", testid: "recovery-written", onclick: () => {
    opened.close();
    askAgain(words, done);
  } }, "I wrote it down");
  const print = el("button.button", { type: "button", testid: "recovery-print", onclick: () => window.print() }, "Print");
  const opened = dialog({ title: "Your recovery code", testid: "recovery-words-dialog", action: next, leave: "Close" },
    el("ol.recovery-words", { testid: "recovery-words" }, words.map((word) => el("li", {}, word))),
    el("p.hint.print-only", {}, `Lockstep recovery code, ${longDate(Date.now())}. To use it: open Lockstep in a new browser and choose “All my devices are gone”.`),
    el("div.row", {}, print));
  opened.node.classList.add("printed");
  opened.node.addEventListener("close", () => done());
}

function askAgain(words, done) {
  const error = inlineError();
  const places = pick(words.length);
  const typed = places.map((at) => field(`Word ${at + 1}`, { testid: "recovery-again", autocomplete: "off", autocapitalize: "none", spellcheck: "false", maxlength: 20 }));
  const check = (event) => {
    event.preventDefault();
    const wrong = places.findIndex((at, n) => typed[n].input.value.trim().toLowerCase() !== words[at]);
    if (wrong < 0) {
      opened.close();
      toast("Your recovery code is ready. Keep the paper safe.");
      done();
      return;
    }
    error.show(`Word ${places[wrong] + 1} is another one on your paper. Look again, or go back to the words.`, "recovery_again");
    typed[wrong].input.focus();
  };
  const back = el("button.button", { type: "button", testid: "recovery-back", onclick: () => {
    opened.close();
    showWords(words, done);
  } }, "Show the words again");
  const action = el("button.button.primary", { type: "submit", form: "recovery-form", testid: "recovery-check" }, "Done");
  const opened = dialog({ title: "Check your paper", testid: "recovery-check-dialog", action, leave: "Later" },
    el("form.stack", { id: "recovery-form", onsubmit: check }, el("p.muted", {}, "Type these two words from your paper."),
      typed.map((one) => one.node), error.node, el("div.row", {}, back)));
  typed[0].input.focus();
}

/** Places of words, in order. */
function pick(count) {
  const places = new Set();
  while (places.size < ASKED) places.add(crypto.getRandomValues(new Uint8Array(1))[0] % count);
  return [...places].sort((a, b) => a - b);
}

const AGAIN_MS = 30 * 86_400_000;

/** A person with one device and no code is reminded; dismissed, it comes back after 30 days. Returns { node, close }. */
export function recoveryReminder(app) {
  const { client } = app;
  const key = `lockstep-recovery-reminder-${app.account.id}`;
  const node = el("div.reminder-place");
  const dismiss = () => {
    localStorage.setItem(key, String(Date.now()));
    node.replaceChildren();
  };
  const banner = () => el("div.banner.ask.reminder", { role: "status", testid: "recovery-reminder" }, icon("warning"),
    el("p.grow", {}, el("strong", {}, "This is your only device. "), "If you lose it, your account is gone. A recovery code on paper brings it back."),
    el("div.row", {},
      el("button.button.small.primary", { type: "button", testid: "reminder-make", onclick: () => makeCode(client, refresh) }, "Make a code"),
      el("button.button.small", { type: "button", testid: "reminder-later", onclick: dismiss }, "Later")));

  const refresh = coalesce(async () => {
    if (app.readonly() || app.account.role !== "owner" || client.connection() !== "online") return;
    if (Date.now() - Number(localStorage.getItem(key) ?? 0) < AGAIN_MS) return void node.replaceChildren();
    try {
      const [devices, status] = [await client.devices(), await client.recovery()];
      const wanted = devices.filter(({ role }) => role !== "delegate").length === 1 && status.state !== "ready";
      if (wanted !== node.hasChildNodes()) node.replaceChildren(...(wanted ? [banner()] : []));
    } catch {
      // A reminder can wait for the next connection.
    }
  });
  const offs = ["connection", "device", "settings"].map((event) => client.on(event, refresh));
  refresh();
  const close = () => {
    refresh.stop();
    for (const off of offs) off();
  };
  return { node, close };
}
