// The nodes of the screen of one conversation, without behaviour.
// Does not know which conversation it is.

import { el } from "../dom.js";
import { icon } from "../icons.js";
import { inlineError } from "../notify.js";
import { LIST } from "../route.js";

export function chatParts(route) {
  const name = el("h2.chat-name", { tabIndex: -1 });
  const sub = el("p.chat-sub");
  const staff = el("button.read-by", { type: "button", testid: "read-by", hidden: true, "aria-haspopup": "dialog", title: "Who reads what you write" });
  const face = el("span.face");
  const startName = el("strong");
  const startWhose = el("span", {}, "This is where your conversation with ");
  const startWho = el("span");
  const flags = el("span.chat-flags", { hidden: true }, icon("muted", "Muted"));
  const verified = el("button.verified-badge", { type: "button", testid: "verified", hidden: true, "aria-label": "Verified: show the safety number", title: "You have verified their safety number" }, icon("verified"));
  const menu = el("button.icon-button", { type: "button", testid: "conversation-open", hidden: true, "aria-haspopup": "dialog",
    "aria-label": "Settings of this conversation", title: "Settings of this conversation" }, icon("more"));
  const list = el("ol.thread", { role: "list", "aria-label": "Messages" });
  const loading = el("p.chat-wait", {}, "Loading messages…");
  const older = el("p.chat-wait.older", { hidden: true }, "Loading older messages…");
  const start = el("div.chat-start", { hidden: true }, icon("lock"),
    el("p", {}, startWhose, startName, " begins in this browser. ", startWho));
  const typing = el("p.typing", { role: "status", testid: "typing" });
  const content = el("div.scroll-content", {}, start, loading, list, typing);
  const scroller = el("div.scroller", { tabIndex: 0, role: "region", "aria-label": "Message history" }, content);
  const jump = el("button.jump", { type: "button", hidden: true, "aria-label": "Jump to the newest message", title: "Newest" }, icon("down"));
  const error = inlineError();
  const head = el("header.chat-head", {},
    el("a.icon-button.to-list", { href: LIST, "aria-label": "Back to conversations" }, icon("back")),
    face, el("div.grow", {}, el("div.chat-title", {}, name, verified, flags), sub, staff), menu);
  const notices = el("div.notices");
  const node = el("section.chat", { "data-id": route.id }, head, notices, el("div.scroll-frame", {}, scroller, older, jump));
  return { node, name, sub, staff, face, startName, startWhose, startWho, list, content, loading, older, start, notices, menu, verified, flags, typing, scroller, jump, error };
}
