// Asks for whom a message is to be deleted, and says what each way means.
// Does not know how a message is deleted.

import { el } from "../dom.js";
import { sentence } from "../errors.js";
import { icon } from "../icons.js";
import { inlineError } from "../notify.js";
import { dialog } from "./popup.js";

const WHY_NOT = {
  late: "It is more than a day old, so it can no longer be deleted for everyone.",
  foreign: "Only the person who wrote a message can delete it for everyone.",
};

/** `everyone`: "yes" or why not; `onlyEveryone`: there is no other way; `remove(everyone)` may reject. */
export function deleteMessage({ name, everyone, onlyEveryone, remove }) {
  const error = inlineError();
  const choose = (forEveryone) => async () => {
    error.clear();
    try {
      await remove(forEveryone);
      opened.close();
    } catch (cause) {
      error.show(sentence(cause), cause?.code);
    }
  };
  const choice = (testid, title, help, run) => el("button.choice", { type: "button", testid, onclick: run },
    icon("trash"), el("span.grow", {}, el("strong", {}, title), el("span.muted.small-text", {}, help)));
  const opened = dialog({ title: "Delete this message?", testid: "delete-message" },
    !onlyEveryone && choice("delete-for-me", "Delete for me", `It goes from all your devices. ${name} keeps it.`, choose(false)),
    everyone === "yes" && choice("delete-for-everyone", "Delete for everyone",
      `Its words go from your devices and from ${name}’s. Both of you see that a message was deleted. What ${name} has read already, they have read.`, choose(true)),
    WHY_NOT[everyone] && el("p.muted.small-text", {}, WHY_NOT[everyone]),
    error.node);
  return opened;
}
