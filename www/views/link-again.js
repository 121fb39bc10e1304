// A browser that was unlinked asks for what linking it again needs: a name and, where the service wants one, an access token.
// Does not know how linking goes on from here.

import { el } from "../dom.js";
import { icon } from "../icons.js";
import { LIST } from "../route.js";
import { isStaff } from "../staff.js";
import { whyUnlinked } from "../unlinked.js";
import { field } from "./field.js";

/** `begin(options)` goes on with what was filled in. */
export function linkAgainView(app, begin) {
  const { account } = app;
  const staff = isStaff(account);
  const title = staff ? `Ask @${account.handle} again` : "Link this browser again";
  const device = field("Name of this device", { testid: "link-again-name", autocomplete: "off", maxlength: 64, value: account.deviceName },
    staff ? "They see it when you ask." : "It stands in the list of your devices.");
  const token = field("Access token", { testid: "link-again-token", autocomplete: "off", spellcheck: "false" },
    "Some services give you one to prove who you are. Leave it empty otherwise.");
  const heading = el("h1", { tabIndex: -1 }, title);

  function go(event) {
    event.preventDefault();
    const credential = token.input.value.trim();
    begin({ ...(account.handle && { handle: account.handle }), deviceName: device.input.value.trim(), ...(credential && { credential }) });
  }

  const form = el("form.card.stack.notice", { onsubmit: go, "aria-label": title },
    el("p", {}, whyUnlinked(account).title),
    el("p.muted", {}, staff ? `@${account.handle} has to let you again, on a device of theirs. What is stored here stays.` : `You need another device that is linked to ${account.handle ? `@${account.handle}` : "your account"}. What is stored here stays; what you had not sent yet goes out then.`),
    device.node,
    el("details.quiet", {}, el("summary", {}, "I have an access token"), token.node),
    el("div.row", {},
      el("button.button.primary", { type: "submit", testid: "link-again-go" }, "Show a code"),
      el("a.button.plain", { href: LIST }, "Cancel")));
  const node = el("main.page.narrow", {},
    el("a.button.plain.back-line", { href: LIST }, icon("back"), "Back"), heading, form);
  node.addEventListener("keydown", (event) => event.key === "Escape" && app.go(LIST));
  return { node, onShown: () => heading.focus() };
}
