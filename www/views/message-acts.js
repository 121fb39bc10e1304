// What a person does to the messages of one conversation: the menu of each, and what its lines do.
// Does not know how messages are shown, nor where the composer is.

import { canCopy, canEdit, canReact, canReply, deletableForEveryone, reactionOf } from "../acts.js";
import { toast } from "../notify.js";
import { isOwnHere, isStaff } from "../staff.js";
import { deleteMessage } from "./delete-message.js";
import { earlierTexts } from "./earlier-texts.js";
import { messageMenu } from "./message-menu.js";

export class MessageActs {
  /** `account`: the own one; `writing()`: the composer, if there is one; `name()`: the other person; `failed(error)`: shows a refusal beside the messages. */
  constructor({ client, account, writing, name, failed }) {
    Object.assign(this, { client, account, me: account.id, asStaff: isStaff(account), writing, name, failed });
  }

  /** Whether there is anything to do to a message. */
  any(message) {
    return this.#items(message).length > 0;
  }

  #items(message) {
    const now = Date.now();
    const writing = this.writing();
    const own = isOwnHere(message, this.account);
    const deletable = !this.asStaff || (own && Boolean(writing) && deletableForEveryone(message, now) === "yes");
    return [
      writing && canReply(message) && { icon: "reply", text: "Reply", testid: "act-reply", run: () => this.writing().reply(message) },
      writing && own && canEdit(message, now) && { icon: "edit", text: "Edit", testid: "act-edit", run: () => this.writing().edit(message) },
      canCopy(message) && { icon: "copy", text: "Copy text", testid: "act-copy", run: () => copy(message.text) },
      deletable && { icon: "trash", text: "Delete…", testid: "act-delete", danger: true, run: () => this.#delete(message) },
    ].filter(Boolean);
  }

  menu(message, anchor) {
    const items = this.#items(message);
    messageMenu({ anchor, items, mine: reactionOf(message, this.me), react: canReact(message) && !this.asStaff ? (emoji) => this.client.react(message.id, emoji) : undefined });
  }

  #delete(message) {
    deleteMessage({
      name: this.name(),
      onlyEveryone: this.asStaff,
      everyone: deletableForEveryone(message, Date.now()),
      remove: (everyone) => this.client.remove(message.id, { everyone }),
    });
  }

  react(message, emoji) {
    this.client.react(message.id, emoji).catch(this.failed);
  }

  earlier(message) {
    earlierTexts(message);
  }
}

/** The clipboard is closed to pages without a secure connection. */
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    toast("Copied.");
  } catch {
    toast("This browser does not let the page copy. Select the text instead.", { kind: "error", code: "clipboard" });
  }
}
