// The first screen of a browser that is to read for somebody else, as staff: what that means, and what asking for it needs.
// Does not know how linking goes on from here.

import { ownAddress } from "../client.js";
import { el } from "../dom.js";
import { bareHandle, browserName } from "../format.js";
import { icon } from "../icons.js";
import { inlineError } from "../notify.js";
import { field } from "./field.js";

/** `handle`: of whom. `begin(options)` goes on with what was filled in. */
export function helpHereView(handle, begin) {
  const whose = field("Their handle", { testid: "help-handle", autocomplete: "off", autocapitalize: "none", spellcheck: "false", maxlength: 64, value: handle });
  const device = field("Name of this browser", { testid: "help-device-name", autocomplete: "off", maxlength: 64,
    value: browserName(navigator.userAgent, navigator.userAgentData?.brands) }, "They see it when you ask.");
  const token = field("Your access token", { testid: "help-token", autocomplete: "off", spellcheck: "false" },
    "If your service gives you one: your own, not theirs. It says who you are.");
  const error = inlineError();

  function ask(event) {
    event.preventDefault();
    const name = bareHandle(whose.input.value);
    if (!name) {
      error.show("Whose messages? Enter their handle.", "handle_invalid");
      whose.input.focus();
      return;
    }
    const credential = token.input.value.trim();
    begin({ handle: name, deviceName: device.input.value.trim(), ...(credential && { credential }) });
  }

  const heading = el("h1", { tabIndex: -1 }, handle ? `Help @${handle} answer` : "Help somebody answer");
  const form = el("form.card.stack.notice", { onsubmit: ask, "aria-label": "Help somebody answer", testid: "help-here" },
    el("p", {}, "You read their messages here, and answer if they let you. The people who write to them see that staff reads, and which answers are by staff."),
    el("p.muted", {}, "Your own account stays apart: nothing of it comes here. They can end your access at any time."),
    whose.node, device.node, el("details.quiet", { open: false }, el("summary", {}, "I have an access token"), token.node), error.node,
    el("div.row", {}, el("button.button.primary", { type: "submit", testid: "help-ask" }, "Go on")));
  const node = el("main.page.narrow", {},
    el("a.button.plain.back-line", { href: ownAddress(), testid: "help-back" }, icon("back"), "Your own messages"), heading, form);
  return { node, onShown: () => heading.focus() };
}
