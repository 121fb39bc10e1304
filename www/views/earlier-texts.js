// What an edited message says and said before, as a list with times.
// Does not know the conversation around it.

import { el } from "../dom.js";
import { clock, dayLabel, iso } from "../format.js";
import { dialog } from "./popup.js";

/** The texts of an edited message, the present one first. */
export function earlierTexts(message) {
  const now = Date.now();
  const when = (at) => el("time", { datetime: iso(at) }, `${dayLabel(at, now)}, ${clock(at)}`);
  const version = (text, label) => el("li.version", { testid: "version" }, el("p.muted.small-text", {}, label), el("p.bubble-text", { dir: "auto" }, text));
  return dialog({ title: "Edits", testid: "earlier", leave: "Close" },
    el("ol.versions", { role: "list" }, version(message.text, "Now"), message.earlier.map(({ text, at }) => version(text, when(at)))));
}
