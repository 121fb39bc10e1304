// What asks to be linked, and what the person decides about it: what it will be, and what it gets. The warning is that of the choice:
// somebody else's browser is right for staff and a danger for anything else. Does not know the linking protocol.

import { el, setText } from "../dom.js";
import { icon } from "../icons.js";
import { inlineError } from "../notify.js";
import { historyChoice } from "./history-choice.js";
import { roleChoice } from "./role-choice.js";
import { staffForm } from "./staff-form.js";

const GETS = {
  staff: "every message from now on that you let them read. Nothing from before, and not your account’s key",
  own: "your contacts, and every message from now on",
};

/** `request`: what asks; `approve(options)` and `decline()`: what is decided. */
export function linkClaim({ app, request, approve, decline }) {
  const { deviceName: name, claimedHandle: claimed } = request;
  const withRoles = Boolean(app.account.handle); // a plain Signal service has only owners
  const history = historyChoice(app.directory.conversations);
  const staff = staffForm({ directory: app.directory, claimed });
  const role = withRoles ? roleChoice({ first: claimed ? "staff" : "device", changed: show }) : undefined;
  const error = inlineError();
  const warning = el("div.stack.claim-warning");
  const gets = el("dd");
  const yes = el("button.button.primary", { type: "button", testid: "link-approve", onclick: decide }, "Link this device");
  const no = el("button.button", { type: "button", testid: "link-reject", onclick: decline }, "Decline");

  function show() {
    const isStaff = role?.value() === "staff";
    history.node.hidden = isStaff;
    staff.node.hidden = !isStaff;
    error.clear();
    warning.replaceChildren(...(isStaff ? forStaff(claimed) : forOwn(claimed)));
    setText(gets, isStaff ? GETS.staff : GETS.own);
    setText(yes, isStaff ? "Give access" : "Link this device");
    yes.classList.toggle("danger", Boolean(claimed) && !isStaff);
    yes.classList.toggle("primary", !claimed || isStaff);
  }

  function decide() {
    if (role?.value() !== "staff") return approve({ role: role?.value() ?? "owner", ...history.value() });
    const missing = staff.problem();
    if (missing) return error.show(missing, "staff_form");
    return approve({ role: "delegate", staff: staff.value() });
  }

  show();
  return el("div.stack", { testid: "link-claim" }, el("div.card.stack.claim-name", {},
    el("h3", { tabIndex: -1, "data-focus": "" }, name ? `“${name}” asks to be linked` : "A device without a name asks to be linked"),
    el("p.muted.small-text", {}, name ? "It chose this name itself; nobody has checked it." : "It gave no name, so be sure which device this is.")),
  role?.node, warning, el("dl.facts-list", {}, el("div", {}, el("dt", {}, "It gets"), gets)),
  history.node, staff.node, error.node,
  el("div.row", {}, yes, no));
}

const banner = (kind, testid, ...children) => el(`p.banner.${kind}`, { testid }, icon("warning"), el("span", {}, children));

function forOwn(claimed) {
  return [
    claimed && banner("bad", "link-claimed", el("strong", {}, `It is signed in as @${claimed}, not as you. `),
      `Then it is not your device. If you want @${claimed} to help you, choose “Staff”. Otherwise decline.`),
    banner("warn", undefined, el("strong", {}, "A linked device can read and send messages as you. "),
      "Go on only if it is yours, is in front of you, and you started this yourself. Nobody who helps you will ever ask you to do this."),
  ].filter(Boolean);
}

const forStaff = (claimed) => [
  claimed
    ? banner("ask", "link-claimed", el("strong", {}, `It is signed in as @${claimed}. `), "That is as it should be, if this is the person who is to help you.")
    : banner("warn", undefined, el("strong", {}, "Nothing here shows whose browser it is. "), "Be sure: let the person tell you the digits face to face, or in a call where you know the voice."),
  banner("warn", "staff-warning", el("strong", {}, "Staff read your private conversations. "),
    "Go on only if you asked this person to help you, and started this yourself. You can end it at any time; what they have read by then, they have read."),
];
