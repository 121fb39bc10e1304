// What a new device gets of the messages from before: asked for in one sentence, decided by the person.
// Does not know how history travels.

import { el } from "../dom.js";

const DAYS = 30;
const DAYS_MAX = 3_650;

/** `people`: the conversations there are, { id, name, handle }. */
export function historyChoice(people) {
  const days = el("input.days", { type: "number", min: 1, max: DAYS_MAX, value: DAYS, testid: "history-days", "aria-label": "How many days",
    onfocus: () => (month.input.checked = true) });
  const ofDays = () => ({ days: Math.min(DAYS_MAX, Math.max(1, Math.round(Number(days.value)) || DAYS)) });
  const all = choice("all", "all", "All of them");
  const month = choice("month", ofDays, "Those of the last ", days, " days");
  const none = choice("none", "none", "None");
  const choices = [all, month, none];
  all.input.checked = true;
  const some = people.length > 1 ? onlySome(people) : undefined;
  const node = el("fieldset.setting-group", { testid: "history-choice" }, el("legend", {}, "Which earlier messages may it have?"),
    choices.map((one) => one.node), some?.node);
  const value = () => {
    const { value: history } = choices.find(({ input }) => input.checked);
    return { history: typeof history === "function" ? history() : history, ...some?.value() };
  };
  return { node, value };
}

function choice(name, value, ...text) {
  const input = el("input", { type: "radio", name: "history", testid: `history-${name}` });
  return { value, input, node: el("label.setting.choice-line", {}, input, el("span", {}, text)) };
}

/** A box that, once it is ticked, asks which conversations. Nobody is ticked then, so nothing is given by mistake. */
function onlySome(people) {
  const boxes = people.map((person) => {
    const input = el("input", { type: "checkbox", testid: "history-person", "data-id": person.id });
    return { id: person.id, input, node: el("label.setting.choice-line", {}, input, el("span", { dir: "auto" }, person.name || person.handle || "Unknown person")) };
  });
  const list = el("div.history-people", { role: "group", "aria-label": "Of these conversations", hidden: true }, boxes.map(({ node }) => node));
  const tick = el("input", { type: "checkbox", testid: "history-some", onchange: () => (list.hidden = !tick.checked) });
  const value = () => (tick.checked ? { conversations: boxes.filter(({ input }) => input.checked).map(({ id }) => id) } : {});
  return { node: [el("label.setting.choice-line", {}, tick, el("span", {}, "Only of conversations that I choose")), list], value };
}
