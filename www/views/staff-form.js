// What staff is let do: what others call them, whether they answer, which conversations, and for how long.
// Does not know how access is given; it hands over what the person has chosen.

import { el } from "../dom.js";
import { field } from "./field.js";

let count = 0;

function choice(type, name, testid, text, { checked = false, changed } = {}) {
  const input = el("input", { type, name, testid, checked, onchange: changed });
  return { input, node: el("label.setting.choice-line", {}, input, el("span", {}, text)) };
}

const group = (legend, testid, ...children) => el("fieldset.setting-group", { testid }, el("legend", {}, legend), ...children);

/** Some conversations. `value()`: their ids; `problem()`: what is missing, if something is. */
export function chosenPart(directory, chosen = []) {
  const known = [...directory.conversations, ...directory.quietContacts()].filter(({ id }) => id !== directory.own()); // notes to oneself are no conversation
  const boxes = known.map(({ id, name: whose, handle }) => ({ id, ...choice("checkbox", undefined, "staff-conversation", whose || handle || "Unknown person", { checked: chosen.includes(id) }) }));
  const node = el("fieldset.setting-group", {}, el("legend", {}, "Which conversations?"), el("div.staff-conversations", {}, boxes.map((box) => box.node)));
  const value = () => boxes.filter(({ input }) => input.checked).map(({ id }) => id);
  return { node, value, isEmpty: boxes.length === 0, problem: () => (value().length === 0 ? "Choose at least one conversation." : undefined), focus: () => boxes[0]?.input.focus() };
}

/** All conversations, or some of them. `value()`: ids, or undefined for all; `problem()`. */
function conversationsPart(directory) {
  const name = `staff-conversations-${(count += 1)}`;
  const chosen = chosenPart(directory);
  const all = choice("radio", name, "staff-all", "All, new ones too", { checked: true, changed: show });
  const some = choice("radio", name, "staff-some", "Only some", { changed: show });
  some.input.disabled = chosen.isEmpty;

  function show() {
    chosen.node.hidden = !some.input.checked;
  }

  show();
  return {
    node: el("div.stack", {}, group("All conversations?", undefined, all.node, some.node), chosen.node),
    value: () => (some.input.checked ? chosen.value() : undefined),
    problem: () => (some.input.checked ? chosen.problem() : undefined),
    focus: chosen.focus,
  };
}

const dayOf = (ms) => {
  const date = new Date(ms);
  const two = (number) => String(number).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
};

/** Until the person ends it, or to the end of a day. `value()`: milliseconds, or null; `problem()`. */
export function untilPart(until) {
  const name = `staff-until-${(count += 1)}`;
  const open = choice("radio", name, "staff-open", "Until I end it", { checked: until === undefined, changed: show });
  const dated = choice("radio", name, "staff-dated", "Until the end of a day", { checked: until !== undefined, changed: show });
  const day = field("The day", { type: "date", testid: "staff-until", min: dayOf(Date.now()), value: until === undefined ? "" : dayOf(until) });
  day.node.classList.add("staff-day");

  function show() {
    day.node.hidden = !dated.input.checked;
    if (!day.node.hidden) day.input.focus();
  }

  day.node.hidden = until === undefined;
  const value = () => (dated.input.checked ? new Date(`${day.input.value}T23:59:59.999`).getTime() : null);
  const problem = () => {
    if (!dated.input.checked || value() > Date.now()) return undefined;
    return day.input.value ? "This day is over. Choose a later one." : "Choose a day.";
  };
  return { node: group("For how long?", undefined, open.node, dated.node, day.node), value, problem, focus: () => day.input.focus() };
}

/** The whole of it, for somebody new. `claimed`: the handle they are signed in as, if known. */
export function staffForm({ directory, claimed }) {
  const label = field("Who is it?", { testid: "staff-label", maxlength: 64, autocomplete: "off", value: claimed ? `@${claimed}` : "", placeholder: "Jane, office" },
    "The people you write with see this name.");
  const name = `staff-may-${(count += 1)}`;
  const reads = choice("radio", name, "staff-reads", "Read");
  const answers = choice("radio", name, "staff-answers", "Read and answer. Others see that staff has answered", { checked: true });
  const sent = choice("checkbox", undefined, "staff-sent", "Also read what I write", { checked: true });
  const conversations = conversationsPart(directory);
  const until = untilPart();
  const node = el("div.stack.staff-form", { testid: "staff-form" }, label.node,
    group("What may they do?", undefined, reads.node, answers.node, sent.node), conversations.node, until.node);

  /** What is missing, with the keyboard where it is to be put right. */
  function problem() {
    if (!label.input.value.trim()) {
      label.input.focus();
      return "Say who it is: the people you write with see it.";
    }
    for (const part of [conversations, until]) {
      const missing = part.problem();
      if (missing) part.focus();
      if (missing) return missing;
    }
    return undefined;
  }

  const value = () => ({
    label: label.input.value.trim(),
    answers: answers.input.checked,
    readsSent: sent.input.checked,
    ...(conversations.value() && { conversations: conversations.value() }),
    ...(until.value() && { until: until.value() }),
  });
  return { node, problem, value };
}
