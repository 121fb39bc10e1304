// What a new device will be: a device, an owner, or somebody else's who helps. One plain sentence each, decided by the person.
// Does not know keys.

import { el } from "../dom.js";

const CHOICES = [
  ["device", "A device of mine. It reads and writes everything as you, and you can remove it at any time."],
  ["owner", "An owner. It can also link and remove devices, this one too, since it gets your account’s key."],
  ["staff", "Staff: somebody else who helps you. They read what people write to you, and answer if you let them. The people you write with see it."],
];

/** `first` is chosen at first; `changed(role)` hears every other choice. */
export function roleChoice({ first = "device", changed }) {
  const inputs = CHOICES.map(([value, text]) => {
    const input = el("input", { type: "radio", name: "role", testid: `role-${value}`, checked: value === first, onchange: () => changed(value) });
    return { value, input, node: el("label.setting.choice-line", {}, input, el("span", {}, text)) };
  });
  const node = el("fieldset.setting-group", { testid: "role-choice" }, el("legend", {}, "What will it be?"), inputs.map((choice) => choice.node));
  return { node, value: () => inputs.find(({ input }) => input.checked).value };
}
