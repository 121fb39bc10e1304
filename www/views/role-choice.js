// What a new device will be: a device, or an owner. One plain sentence each, decided by the person.
// Does not know keys.

import { el } from "../dom.js";

const CHOICES = [
  ["device", "A device. It reads and writes everything as you, and you can remove it at any time."],
  ["owner", "An owner. It can also link and remove devices, this one too, since it gets your account’s key."],
];

export function roleChoice() {
  const inputs = CHOICES.map(([value, text]) => {
    const input = el("input", { type: "radio", name: "role", testid: `role-${value}`, checked: value === "device" });
    return { value, input, node: el("label.setting.choice-line", {}, input, el("span", {}, text)) };
  });
  const node = el("fieldset.setting-group", { testid: "role-choice" }, el("legend", {}, "What will it be?"), inputs.map((choice) => choice.node));
  return { node, value: () => inputs.find(({ input }) => input.checked).value };
}
