// What is said when somebody comes with another security key, what may have happened, and the ways on. Of somebody whom the
// person had verified it is said more strongly, and the way on is comparing. Does not know what a decision does.

import { el, setText } from "../dom.js";
import { icon } from "../icons.js";

/** `compare()`, `accept()` and `reject()` are what the person may want. Returns { node, update(name, wasVerified) }. */
export function keyNotice({ compare, accept, reject }) {
  const title = el("strong");
  const text = el("p");
  const button = (testid, words, run) => el("button.button.small", { type: "button", testid, onclick: run }, words);
  const trusting = button("accept-key", "It is really them", accept);
  const node = el("div.banner.warn.key-notice", { role: "status", testid: "key-changed" }, icon("warning"),
    el("div.grow.stack", {},
      el("p", {}, title), text,
      el("details", {}, el("summary", {}, "What may have happened"),
        el("ul", {},
          el("li", {}, "They lost all their devices, or cleared this app’s data, and started anew. That is common, and harmless."),
          el("li", {}, "Somebody has taken over their sign-in and pretends to be them."),
          el("li", {}, "Somebody stands between you, and wants to read along.")),
        el("p", {}, "You cannot tell which by messages here. Call them, or meet them, and compare the safety number on both screens."))),
    el("div.row", {}, el("button.button.small.primary", { type: "button", testid: "compare-key", onclick: compare }, "Compare safety numbers"),
      trusting, button("reject-key", "It is not them", reject)));

  function update(name, wasVerified) {
    node.dataset.verified = String(wasVerified);
    setText(title, wasVerified ? `The key of ${name}, which you had verified, has changed.` : `The security key of ${name} has changed.`);
    setText(text, wasVerified
      ? "Whoever writes now is not using the key that you compared. Nothing is sent to them or shown from them. Compare the new safety number in the same way before you go on."
      : "Nothing is sent to them or shown from them until you have asked them in another way whether it is really them.");
    setText(trusting, wasVerified ? "Go on without comparing" : "It is really them");
    trusting.classList.toggle("danger-text", wasVerified);
  }
  return { node, update };
}
