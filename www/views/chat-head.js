// The top of a conversation: with whom it is, what is set of it, and what there is to decide about this person: another
// security key, a first message from a stranger, a block. Does not know the messages.

import { isMuted } from "../directory.js";
import { el, reconcile, setText } from "../dom.js";
import { accountName } from "../format.js";
import { icon } from "../icons.js";
import { isStaff, newcomers, readBy } from "../staff.js";
import { duration } from "../timers.js";
import { avatar } from "./avatar.js";
import { askBlock, conversationMenu } from "./conversation-menu.js";
import { keyNotice } from "./key-notice.js";
import { openSafety } from "./safety.js";
import { askStaff, openStaff } from "./staff-dialog.js";

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
    this.unwanted = el("div.banner.ask", { role: "status", testid: "without-staff-by-them" }, icon("lock"), el("p.grow"));
    this.keyForStaff = el("div.banner.warn", { role: "status", testid: "key-changed" }, icon("warning"), el("p.grow"), el("div.row", {},
      button("accept-key", "It is really them", (who) => this.client.acceptIdentity(who)), button("reject-key", "It is not them", (who) => this.client.rejectIdentity(who))));
    for (const notice of [this.stranger, this.declined, this.blocked]) notice.classList.add("ask");
    view.menu.addEventListener("click", () => this.#openMenu());
    view.verified.addEventListener("click", () => this.#openSafety());
    view.staff.addEventListener("click", () => this.#openStaff());
  }

  #openMenu() {
    const entry = this.directory.find(this.id());
    if (!entry) return;
    const contact = this.directory.contact(entry.id);
    const { client, leave, failed } = this;
    conversationMenu({ client, entry, contact, anchor: this.view.menu, leave, failed, verify: () => this.#openSafety(), asStaff: isStaff(this.app.account),
      ownStaff: this.directory.hasStaff(), withoutStaff: (without) => this.#decide(() => this.#setWithoutStaff(without)) });
  }

  #openStaff() {
    const contact = this.directory.contact(this.id());
    if (contact) openStaff({ name: this.name(), contact, set: (without) => this.#setWithoutStaff(without) });
  }

  /** Whoever has decided has seen who is new, too. */
  async #setWithoutStaff(without) {
    const who = this.id();
    await this.client.setWithoutStaff(who, without);
    await this.client.seenStaff(who);
    await this.directory.refresh();
  }

  /** Before a message goes: somebody new would read it, and the person has not been asked. False: not now. */
  async maySend() {
    const contact = this.directory.contact(this.id());
    if (!contact || contact.withoutStaff || newcomers(contact.staff).length === 0 || isStaff(this.app.account)) return true;
    const decide = async (without) => {
      if (without) await this.client.setWithoutStaff(contact.id, true);
      await this.client.seenStaff(contact.id);
      this.directory.refresh();
    };
    return askStaff({ name: this.name(), contact, decide });
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
    const contact = this.directory.contact(id);
    const staff = isStaff(this.app.account) ? "" : readBy(name, contact);
    setText(view.staff, staff);
    view.staff.hidden = staff === "";
    view.sub.hidden = staff !== "" && !entry?.timer;
    this.#sayStart(contact, staff);
    view.menu.hidden = !entry || this.app.readonly();
    view.verified.hidden = !this.directory.isVerified(id);
    this.keyNotice.update(name, Boolean(contact?.verified));
    setText(this.unwanted.lastChild, `${name} wants no staff here: what they write goes to your own devices alone, and so do your answers.`);
    setText(this.keyForStaff.querySelector("p"), `The security key of ${name} has changed. Nothing is sent to them or shown from them here. Ask ${accountName(this.app.account)} whether it is really them.`);
    view.flags.hidden = !isMuted(entry, Date.now());
    reconcile(view.notices, this.app.readonly() ? [] : this.#notices(id, entry));
    if (view.face.dataset.name === name) return;
    view.face.dataset.name = name;
    view.face.replaceChildren(avatar(id ?? name, name));
  }

  /** What stands above the first message: who can read it. `staff`: as the head says it. */
  #sayStart(contact, staff) {
    const { view, app } = this;
    if (isStaff(app.account)) {
      setText(view.startWhose, `What you may read of the conversation of ${accountName(app.account)} with `);
      setText(view.startWho, "What was before is not here.");
    } else setText(view.startWho, staff === "" || contact.withoutStaff ? "Only your devices and theirs can read it." : "Only your devices, theirs, and those of their staff can read it.");
  }

  /** What there is to decide, the gravest first. A stranger with another key is asked about the key alone. */
  #notices(id, entry) {
    const [first] = this.#gravest(id, entry);
    const unwanted = this.directory.contact(id)?.withoutStaffByThem && !isStaff(this.app.account);
    return [first, unwanted && this.unwanted].filter(Boolean);
  }

  #gravest(id, entry) {
    if (isStaff(this.app.account)) return this.directory.keyChanged(id) ? [this.keyForStaff] : []; // all else is the account's to decide
    if (this.app.identityChanged.has(id) || this.directory.keyChanged(id)) return [this.keyNotice.node];
    if (entry?.blocked) return [this.blocked];
    if (entry?.request === "pending") return [this.stranger];
    return entry?.request === "declined" ? [this.declined] : [];
  }
}
