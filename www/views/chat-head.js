// The top of a conversation: with whom it is, what is set of it, and what there is to decide about this person: another
// security key, a first message from a stranger, a block. Does not know the messages.

import { isMuted } from "../directory.js";
import { el, reconcile, setText } from "../dom.js";
import { icon } from "../icons.js";
import { duration } from "../timers.js";
import { avatar } from "./avatar.js";
import { askBlock, conversationMenu } from "./conversation-menu.js";
import { keyNotice } from "./key-notice.js";
import { openSafety } from "./safety.js";

export class ChatHead {
  /** `view`: the nodes; `id()`: the account, once known; `name()`; `failed(error)`; `leave()` shows the list; `decided()`. */
  constructor({ app, view, id, name, failed, leave, decided }) {
    Object.assign(this, { app, client: app.client, directory: app.directory, view, id, name, failed, leave, decided });
    const button = (testid, text, call, kind = "") => el(`button.button.small${kind}`, { type: "button", testid, onclick: () => this.#decide(call) }, text);
    const ask = (testid, text, ...buttons) => el("div.banner", { role: "status", testid }, el("p.grow", {}, text), el("div.row", {}, buttons));
    this.keyNotice = keyNotice({
      compare: () => this.#openSafety(),
      accept: () => this.#decide((who) => this.client.acceptIdentity(who)),
      reject: () => this.#decide((who) => this.client.rejectIdentity(who)),
    });
    this.stranger = ask("request", "You have not written with this person before. If you do not know them, be careful with what they say and send.",
      button("request-accept", "Accept", (who) => this.client.acceptRequest(who), ".primary"),
      button("request-decline", "Decline", (who) => this.client.declineRequest(who)),
      el("button.button.small.danger-text", { type: "button", testid: "request-block", onclick: () => askBlock(this.client, this.directory.find(this.id())) }, "Block"));
    this.declined = ask("request-declined", "You declined to hear from this person. They were not told. Writing to them accepts them.",
      button("request-accept", "Accept", (who) => this.client.acceptRequest(who)));
    this.blocked = ask("blocked", "You have blocked this person.",
      button("unblock", "Unblock", (who) => this.client.block(who, false)));
    for (const notice of [this.stranger, this.declined, this.blocked]) notice.classList.add("ask");
    view.menu.addEventListener("click", () => this.#openMenu());
    view.verified.addEventListener("click", () => this.#openSafety());
  }

  #openMenu() {
    const entry = this.directory.find(this.id());
    if (!entry) return;
    const { petname } = this.directory.contact(entry.id) ?? {};
    const { client, leave, failed } = this;
    conversationMenu({ client, entry, petname, anchor: this.view.menu, leave, failed, verify: () => this.#openSafety() });
  }

  #openSafety() {
    openSafety({ app: this.app, id: this.id(), name: this.name(), decided: () => this.#decide(() => {}) });
  }

  /** The person has decided something about the other one. */
  async #decide(call) {
    try {
      await call(this.id());
      this.app.identityChanged.delete(this.id());
      await this.directory.refresh();
      this.decided();
    } catch (error) {
      this.failed(error);
    }
  }

  get isBlocked() {
    return Boolean(this.directory.find(this.id())?.blocked);
  }

  update() {
    const { view } = this;
    const id = this.id();
    const name = this.name();
    const entry = this.directory.find(id);
    setText(view.name, name);
    const whose = entry?.handle && entry.handle !== name ? `@${entry.handle}` : "End-to-end encrypted";
    setText(view.sub, entry?.timer ? `Disappear after ${duration(entry.timer)}` : whose);
    setText(view.startName, name);
    view.menu.hidden = !entry || this.app.readonly();
    view.verified.hidden = !this.directory.isVerified(id);
    this.keyNotice.update(name, Boolean(this.directory.contact(id)?.verified));
    view.flags.hidden = !isMuted(entry, Date.now());
    reconcile(view.notices, this.app.readonly() ? [] : this.#notices(id, entry));
    if (view.face.dataset.name === name) return;
    view.face.dataset.name = name;
    view.face.replaceChildren(avatar(id ?? name, name));
  }

  /** What there is to decide, the gravest first. A stranger with another key is asked about the key alone. */
  #notices(id, entry) {
    if (this.app.identityChanged.has(id) || this.directory.keyChanged(id)) return [this.keyNotice.node];
    if (entry?.blocked) return [this.blocked];
    if (entry?.request === "pending") return [this.stranger];
    return entry?.request === "declined" ? [this.declined] : [];
  }
}
