// What a notification shows: a choice of the person, and whether this browser shows any.
// Does not know who is notified of what.

import { el } from "../dom.js";

const SHOWN = [
  ["content", "Who has written what"],
  ["name", "Who has written"],
  ["bare", "That somebody has written"],
  ["off", "Nothing"],
];

/** `change(value)` hears the choice. Returns { node, set(value) }. */
export function notifyChoice(change) {
  const shown = new Map(SHOWN.map(([value, text]) => [value, radio(value, text, () => change(value))]));
  const node = el("fieldset.setting-group", {}, el("legend", {}, "A notification shows"), [...shown.values()].map((part) => part.node), permissionNote());
  const set = (value) => {
    shown.get(value).input.checked = true;
  };
  return { node, set };
}

function radio(value, text, change) {
  const input = el("input", { type: "radio", name: "notifications", testid: `notifications-${value}`, onchange: change });
  return { node: el("label.setting.choice-line", {}, input, el("span", {}, text)), input };
}

/** A browser shows none until it was allowed to, and asks only when the person presses something. */
function permissionNote() {
  const note = el("div.permission");
  const show = () => {
    const state = window.Notification?.permission ?? "denied";
    note.replaceChildren(...(state === "granted" ? [] : [el("p.hint", {}, state === "denied"
      ? "This browser does not let Lockstep show notifications. You can allow it in the settings of this site."
      : "This browser shows none until you allow it."),
    state === "default" && el("button.button.small", { type: "button", testid: "notifications-allow", onclick: () => Notification.requestPermission().then(show) }, "Allow")].filter(Boolean)));
  };
  show();
  return note;
}
