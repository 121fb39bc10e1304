// What a person sets of a conversation, for all their devices: a menu, and a dialog where one choice needs another.
// Does not know what a setting does elsewhere.

import { isMuted } from "../directory.js";
import { el } from "../dom.js";
import { sentence } from "../errors.js";
import { inlineError } from "../notify.js";
import { here } from "../staff.js";
import { TIMERS, duration } from "../timers.js";
import { field } from "./field.js";
import { dialog, menu, menuItem } from "./popup.js";

const HOUR_MS = 3_600_000;
const MUTES = [["For an hour", HOUR_MS], ["For 8 hours", 8 * HOUR_MS], ["For a week", 168 * HOUR_MS], ["Until I turn it on again", Infinity]];

/**
 * `entry`: the conversation or contact; `leave()` shows the list; `failed(error)` says a refusal; `verify()` opens the safety number;
 * `asStaff`: only what staff may set; `ownStaff`: the account has staff, too;
 * `withoutStaff(without)`: whether staff, of either, gets what one writes. */
export function conversationMenu({ client, entry, contact, anchor, leave, failed, verify, asStaff, ownStaff, withoutStaff }) {
  const { id, name } = entry;
  const { petname } = contact ?? {};
  const exists = entry.unread !== undefined; // a contact one has not written with is no conversation yet
  const muted = isMuted(entry, Date.now());
  const item = (picture, text, testid, run, danger) => menuItem(picture, text, { testid, danger, run: () => {
    opened.close();
    run();
  } });
  const set = (call, then = () => {}) => () => call().then(then, failed);
  const opened = menu({ label: `Settings of the conversation with ${name}`, anchor, testid: "conversation-menu" },
    exists && item("pin", entry.pinned ? "Unpin" : "Pin", "set-pin", set(() => client.pin(id, !entry.pinned))),
    exists && (muted ? item("bell", "Unmute", "set-mute", set(() => client.mute(id))) : item("muted", "Mute…", "set-mute", () => askHowLong(client, entry))),
    exists && item("unread", "Mark as unread", "set-unread", set(() => client.markUnread(id), leave)),
    exists && item("archive", entry.archived ? "Take out of the archive" : "Archive", "set-archive",
      set(() => client.archive(id, !entry.archived), entry.archived ? undefined : leave)),
    !asStaff && contact && (here(contact.staff).length > 0 || ownStaff || contact.withoutStaff)
      && item("staff", contact.withoutStaff ? "Let staff read again" : "Write without staff", "set-without-staff", () => withoutStaff(!contact.withoutStaff)),
    !asStaff && item("verified", "Verify safety number…", "verify-open", verify),
    !asStaff && item("timer", "Disappearing messages…", "set-timer", () => askTimer(client, entry)),
    item("edit", "Change name…", "set-name", () => askName(client, entry, petname, asStaff)),
    !asStaff && (entry.blocked
      ? item("block", "Unblock", "set-block", set(() => client.block(id, false)))
      : item("block", "Block…", "set-block", () => askBlock(client, entry), true)));
  return opened;
}

/** Runs what a dialog was opened for; a refusal is said in the dialog, which then stays. */
function answered(opened, error, call) {
  return async (event) => {
    event?.preventDefault();
    error.clear();
    try {
      await call();
      opened().close();
    } catch (cause) {
      error.show(sentence(cause), cause?.code);
    }
  };
}

function askHowLong(client, { id, name }) {
  const error = inlineError();
  const choice = ([text, ms]) => el("button.button.wide", { type: "button", testid: "mute-for",
    onclick: answered(() => opened, error, () => client.mute(id, Date.now() + ms)) }, text);
  const opened = dialog({ title: `Mute ${name}?`, testid: "mute" },
    el("p.muted", {}, "Messages still come, on all your devices. You are not told of them."), MUTES.map(choice), error.node);
}

function askTimer(client, { id, name, timer = 0 }) {
  const error = inlineError();
  const offered = TIMERS.includes(timer) ? TIMERS : [...TIMERS, timer];
  const choice = (seconds) => el(`button.button.wide${seconds === timer ? ".primary" : ""}`, { type: "button", testid: "timer-for", "aria-pressed": String(seconds === timer),
    onclick: answered(() => opened, error, () => client.setTimer(id, seconds)) }, seconds ? duration(seconds) : "Off");
  const opened = dialog({ title: "Disappearing messages", testid: "timer-dialog" },
    el("p.muted", {}, `New messages disappear this long after they were read, for you and for ${name}, on all devices. You both see who has set it, and can change it.`),
    offered.map(choice), error.node);
}

function askName(client, { id, name, handle }, petname, asStaff) {
  const error = inlineError();
  const typed = field("Name", { testid: "petname", value: petname ?? "", maxlength: 120, autocomplete: "off", placeholder: handle ?? name },
    `Only you see it, ${asStaff ? "in this browser" : "on all your devices"}. Leave it empty to see ${handle ? `@${handle}` : "their own name"} again.`);
  const form = el("form.stack", { id: "name-form", onsubmit: answered(() => opened, error, () => client.setContact(id, { name: typed.input.value.trim() })) },
    typed.node, error.node);
  const action = el("button.button.primary", { type: "submit", form: "name-form", testid: "petname-save" }, "Save");
  const opened = dialog({ title: "Change name", testid: "name-dialog", action }, form);
  typed.input.select();
}

export function askBlock(client, { id, name }) {
  const error = inlineError();
  const action = el("button.button.danger", { type: "button", testid: "block-confirm",
    onclick: answered(() => opened, error, () => client.block(id, true)) }, "Block");
  const opened = dialog({ title: `Block ${name}?`, testid: "block-dialog", action },
    el("p.muted", {}, "You say that you want nothing more of them, on all your devices. They are not told. What is here stays, and you can unblock them at any time."),
    error.node);
}
