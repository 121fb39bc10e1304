// What a new device gets of the messages from before: asked for in one sentence, decided by the person.
// Does not know how history travels.

import { el } from "../dom.js";

const CHOICES = [
  ["all", "All of them", "all"],
  ["month", "Those of the last 30 days", { days: 30 }],
  ["none", "None", "none"],
];

export function historyChoice() {
  const inputs = CHOICES.map(([name, text, value]) => {
    const input = el("input", { type: "radio", name: "history", testid: `history-${name}`, checked: name === "all" });
    return { value, input, node: el("label.setting.choice-line", {}, input, el("span", {}, text)) };
  });
  const node = el("fieldset.setting-group", { testid: "history-choice" }, el("legend", {}, "Which earlier messages may it have?"),
    inputs.map((choice) => choice.node));
  return { node, value: () => inputs.find(({ input }) => input.checked).value };
}
