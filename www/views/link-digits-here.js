// On a browser that asks to be linked: the digits to be typed on the person's other device, and the field for those that one shows.
// Does not know the linking protocol; it shows what the attempt says.

import { digitsForm, shownDigits } from "../digits.js";
import { el } from "../dom.js";
import { sentence } from "../errors.js";
import { bareHandle } from "../format.js";
import { icon } from "../icons.js";
import { announce, inlineError } from "../notify.js";
import { field } from "./field.js";

const PROBLEMS = {
  unknown_handle: "Nobody here has that handle. Check the spelling.",
  credential_refused: "The sign-in was refused or has expired. Sign in again.",
  link_runs_too_many: "That was tried too often. Wait a quarter of an hour, or use the code.",
};

/** `confirm(digits)` hands over what was typed; `begin(handle)` starts anew for this account; `helping`: the handle of somebody else whose it is. */
export function digitsHere({ confirm, begin, known, helping }) {
  const node = el("section.card.stack.digits-here", { "aria-label": "Digits", testid: "link-digits-here" });
  let shown;

  function show(state, ...children) {
    if (shown === state) return;
    shown = state;
    node.dataset.state = state;
    node.replaceChildren(...children);
  }

  function update({ code, digits, approved, problem }) {
    if (approved && digits) {
      show("approved", ...typeBack(confirm, helping));
      announce(`${helping ? `@${helping} is shown` : "Your other device shows"} four digits. Type them here.`);
      node.querySelector("input").focus();
    } else if (digits) {
      show("digits", ...typeThere(digits, helping));
      announce(`${helping ? `Tell @${helping} these digits` : "Type these digits on your other device"}: ${[...digits].join(" ")}`);
    } else if (problem || (!known && !code)) show(`ask-${problem}`, ...askHandle(begin, problem, helping));
    else if (code) show("waiting", ...waiting(helping));
    else show("preparing", el("p.busy", { role: "status" }, el("span.spinner", { "aria-hidden": "true" }), "Preparing…"));
  }

  return { node, update };
}

const waiting = (helping) => [
  el("h2", {}, "By digits"),
  el("p.busy", { role: "status" }, el("span.spinner", { "aria-hidden": "true" }), helping
    ? `Waiting for @${helping}. Eight digits appear here as soon as they choose “Link a device” and “Type digits”.`
    : "Waiting for your other device. Eight digits appear here as soon as you choose “Link a device” and “Type digits” there."),
];

const typeThere = (digits, helping) => [
  el("h2", {}, helping ? `Tell @${helping} these digits` : "Type this on your other device"),
  shownDigits(digits, "link-digits"),
  el("p.banner.warn", {}, icon("warning"), helping
    ? el("span", {}, el("strong", {}, `Tell nobody but @${helping}, `), "face to face or in a call where you know the voice: so that it is you whom they let read.")
    : el("span", {}, el("strong", {}, "Never tell anyone these digits. "),
      "Nobody from support, and no one who helps you, will ever ask for them. Whoever gets them can read and write as you.")),
];

const typeBack = (confirm, helping) => [
  el("h2", {}, "Approved. One more step"),
  el("p", {}, helping ? `@${helping} now sees four digits. Let them tell you: they prove that it was really @${helping} who answered.`
    : "Your other device now shows four digits. They prove that it is really yours."),
  digitsForm({ label: helping ? "The four digits" : "The four digits it shows", count: 4, testid: "link-confirm", next: confirm, words: "Finish", sentence }),
];

function askHandle(begin, problem, helping) {
  const { node, input } = field(helping ? "Their handle" : "Your handle", { testid: "link-handle", autocomplete: "username", autocapitalize: "none", spellcheck: "false",
    maxlength: 64, placeholder: "alice", value: helping || undefined }, helping ? "Of whom you want to help." : "The one you have on your other device.");
  const error = inlineError();
  if (problem) error.show(PROBLEMS[problem] ?? "There are no digits here. Use the code.", problem);
  const submit = (event) => {
    event.preventDefault();
    const handle = bareHandle(input.value);
    if (handle) begin(handle);
    else input.focus();
  };
  return [el("h2", {}, "By digits, without a camera"),
    el("form.stack", { onsubmit: submit }, node, error.node,
      el("div.row", {}, el("button.button.primary", { type: "submit", testid: "link-handle-go" }, "Show digits")))];
}
