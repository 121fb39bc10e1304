// The way to help somebody else answer, in the settings of one's own account: it leads to this page with another store, since what
// one reads as staff stays apart from one's own. Does not know what happens there.

import { helpAddress, storeName } from "../client.js";
import { el } from "../dom.js";
import { bareHandle } from "../format.js";
import { field } from "./field.js";

const KEPT = `lockstep-helped-${storeName()}`;

function helped() {
  try {
    return JSON.parse(localStorage.getItem(KEPT)) ?? [];
  } catch {
    return [];
  }
}

export function helpPart() {
  const handle = field("Their handle", { testid: "help-whom", autocomplete: "off", autocapitalize: "none", spellcheck: "false", maxlength: 64 },
    "Their messages open apart from yours. They have to let you, on a device of theirs.");

  function go(event) {
    event.preventDefault();
    const name = bareHandle(handle.input.value);
    if (!name) return handle.input.focus();
    localStorage.setItem(KEPT, JSON.stringify([...new Set([...helped(), name])]));
    return location.assign(helpAddress(name));
  }

  const known = helped();
  return el("fieldset.setting-group", { testid: "help-part" }, el("legend", {}, "Help somebody answer"),
    known.length > 0 && el("ul.help-list", { role: "list" }, known.map((name) => el("li", {}, el("a", { href: helpAddress(name), testid: "help-open" }, `Messages of @${name}`)))),
    el("details.quiet.help-form", {}, el("summary", { testid: "help-start" }, known.length > 0 ? "Help somebody else too" : "Read somebody else’s messages for them"),
      el("form.stack", { onsubmit: go }, handle.node, el("div.row", {}, el("button.button", { type: "submit", testid: "help-go" }, "Go on")))));
}
