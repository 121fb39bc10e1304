// Who else reads what one writes to somebody: staff, each with what they may do and since when, and who no longer does. Also the one
// question before the first message that somebody new would read. Does not know how a message is kept from staff.

import { el } from "../dom.js";
import { sentence } from "../errors.js";
import { iso, longDate } from "../format.js";
import { icon } from "../icons.js";
import { inlineError } from "../notify.js";
import { gone, here, labelOf, newcomers, sinceWords, whatMay } from "../staff.js";
import { dialog } from "./popup.js";

/** One line for each of them. */
function people(staff) {
  const now = Date.now();
  return el("ul.staff-people", { role: "list" }, staff.map((one) => el("li.staff-person", { testid: "staff-person", "data-ended": String(one.endedAt !== undefined) },
    el("span.device-mark", {}, icon("staff")),
    el("span.grow", {}, el("strong", {}, labelOf(one)), el("span.muted.small-text", {},
      one.endedAt === undefined
        ? [`${whatMay(one)}, `, el("time", { datetime: iso(one.since) }, sinceWords(one.since, now))]
        : ["until ", el("time", { datetime: iso(one.endedAt) }, longDate(one.endedAt))])))));
}

/** `set(without)` may reject; it changes whether staff gets what is written from now on. */
export function openStaff({ name, contact, set }) {
  const error = inlineError();
  const { withoutStaff } = contact;
  const [now, before] = [here(contact.staff), gone(contact.staff)];
  const run = async () => {
    error.clear();
    action.disabled = true;
    try {
      await set(!withoutStaff);
      opened.close();
    } catch (cause) {
      error.show(sentence(cause), cause?.code);
      action.disabled = false;
    }
  };
  const action = el("button.button", { type: "button", testid: "staff-switch", onclick: run }, withoutStaff ? "Let staff read again" : "Write without staff");
  const opened = dialog({ title: `Who reads what you write to ${name}`, testid: "staff-dialog", action: (now.length > 0 || withoutStaff) && action, leave: "Close" },
    withoutStaff && el("p.banner.ask", {}, icon("lock"), el("span", {}, `You write without staff: what you write goes to the devices of ${name} and your own, and to nobody’s staff.`)),
    el("p.muted", {}, `${name}, on their own devices${now.length > 0 && !withoutStaff ? ", and:" : "."}`),
    now.length > 0 && withoutStaff && el("p.muted.small-text", {}, "Their staff, who do not get it:"),
    now.length > 0 && people(now),
    before.length > 0 && el("details.quiet", { open: now.length === 0 }, el("summary", {}, "No longer"), people(before)),
    el("p.hint", {}, `${name} decides who reads and can end it at any time. Nobody else can add anyone: not the server either. What staff has answered is marked. What they have read, they have read.`),
    error.node);
  return opened;
}

/**
 * Asked once before somebody new reads. Resolves to true when the message may go now, or to false when the person leaves the question
 * open. `decide(without)` stores the answer.
 */
export function askStaff({ name, contact, decide }) {
  const fresh = newcomers(contact.staff);
  return new Promise((resolve) => {
    const error = inlineError();
    const answer = (without) => async () => {
      error.clear();
      try {
        await decide(without);
        resolve(true);
        opened.close();
      } catch (cause) {
        error.show(sentence(cause), cause?.code);
      }
    };
    const choice = (testid, picture, title, help, run) => el("button.choice.calm", { type: "button", testid, onclick: run },
      icon(picture), el("span.grow", {}, el("strong", {}, title), el("span.muted.small-text", {}, help)));
    const opened = dialog({ title: fresh.length === 1 ? "Somebody new would read this" : `${fresh.length} people would newly read this`, testid: "staff-ask", leave: "Not now" },
      el("p", {}, `${name} lets staff read what you write to them:`), people(fresh),
      choice("staff-ask-all", "staff", "Write to all", `${name} and their staff read it.`, answer(false)),
      choice("staff-ask-without", "lock", "Write without staff", `Only ${name} reads it. You can change this in the conversation’s menu.`, answer(true)),
      error.node);
    opened.node.addEventListener("close", () => resolve(false));
  });
}
