// One conversation: header, messages, composer. Also a conversation that does not exist yet, known by a handle only;
// it becomes a real one with its first message. Does not know the list beside it.

import { coalesce } from "../coalesce.js";
import { el, setText } from "../dom.js";
import { endsTheSession, sentence } from "../errors.js";
import { icon } from "../icons.js";
import { inlineError } from "../notify.js";
import { LIST, chatHash } from "../route.js";
import { Thread } from "../thread.js";
import { avatar } from "./avatar.js";
import { Bubbles } from "./bubbles.js";
import { composer } from "./composer.js";
import { Scroll } from "./scroll.js";

const NEAR_TOP_PX = 400;

/** `route`: { id } or { handle }. `onKnown(id, hash)` is called once, when the handle turned into an account. */
export function chatView(app, route, onKnown) {
  const chat = new Chat(app, route, onKnown);
  return { node: chat.view.node, close: () => chat.close(), onShown: () => chat.shown(), id: () => chat.id };
}

class Chat {
  constructor(app, route, onKnown) {
    Object.assign(this, { app, client: app.client, directory: app.directory, handle: route.handle, id: route.id, onKnown });
    this.thread = this.id && new Thread(this.client, this.id);
    this.firstUnread = undefined;
    this.marked = undefined; // the newest message told to be read
    this.opened = false; // the first page is on screen
    this.paging = false;
    this.closed = false;
    this.view = parts(route);
    this.scroll = new Scroll(this.view.scroller, this.view.content, this.view.list);
    this.bubbles = new Bubbles({
      name: () => this.directory.name(this.id),
      via: (message) => this.#via(message),
      again: app.readonly() ? undefined : (message) => this.#again(message.id),
    });
    this.refresh = coalesce(() => this.#read().catch((error) => this.#failed(error)));
    this.#addComposer();
    this.#listen();
    this.#header();
    this.refresh();
  }

  #addComposer() {
    const { drafts } = this.app;
    const key = this.id ?? this.handle;
    const bottom = this.app.readonly() ? undefined : composer({
      label: `Message to ${this.#name()}`,
      draft: drafts.get(key) ?? "",
      send: (text) => this.send(text),
      onDraft: (text) => (text ? drafts.set(key, text) : drafts.delete(key)),
    });
    this.composer = bottom;
    this.view.node.append(this.view.error.node,
      bottom ? bottom.node : el("p.readonly-note", {}, "This browser is no longer linked, so it cannot send."));
  }

  #listen() {
    this.onVisible = () => this.#seen();
    document.addEventListener("visibilitychange", this.onVisible);
    this.view.scroller.addEventListener("scroll", () => {
      this.#seen();
      this.#fill();
    }, { passive: true });
    this.view.jump.addEventListener("click", () => this.scroll.toEnd());
    this.view.acceptKey.addEventListener("click", () => this.#decide((id) => this.client.acceptIdentity(id)));
    this.view.rejectKey.addEventListener("click", () => this.#decide((id) => this.client.rejectIdentity(id)));
    this.offs = [
      this.client.on("message", ({ message }) => message.conversation === this.id && this.refresh()),
      this.client.on("remove", ({ conversation }) => conversation === this.id && this.refresh()),
      this.client.on("status", (event) => event.conversation === this.id && this.thread?.setStatus(event) && this.#render()),
      this.directory.watch(() => {
        if (!this.opened) return;
        this.#render();
        this.#seen();
      }),
    ];
  }

  /** Reads the newest page and shows it; the first time also finds where the unread part begins. */
  async #read() {
    await this.thread?.refresh();
    if (this.closed) return;
    const first = !this.opened && this.thread;
    if (first) await this.#findUnread();
    if (this.closed) return;
    this.opened = true;
    this.#render();
    if (first && this.bubbles.unreadLine.isConnected) this.scroll.reveal(this.bubbles.unreadLine);
    this.#seen();
    this.#fill();
  }

  async #findUnread() {
    const unread = this.directory.find(this.id)?.unread ?? 0;
    if (!unread) return;
    const incoming = () => this.thread.messages.filter((message) => !message.outgoing);
    for (let pages = 1; pages < 5 && incoming().length < unread && !this.thread.complete; pages += 1) await this.thread.older();
    this.firstUnread = incoming().at(-Math.min(unread, incoming().length))?.id;
  }

  #render() {
    const { view } = this;
    const messages = this.thread?.messages ?? [];
    view.start.hidden = Boolean(this.thread) && !(this.opened && this.thread.complete);
    view.start.classList.toggle("alone", messages.length === 0);
    view.loading.hidden = this.opened || !this.thread;
    this.scroll.replace(this.bubbles.render(messages, this.firstUnread));
    this.#header();
  }

  #name() {
    return this.id ? this.directory.name(this.id) : `@${this.handle}`;
  }

  #via(message) {
    const here = !message.outgoing || message.authorDevice === this.app.account.deviceId;
    return here ? "" : `from ${this.directory.deviceName(message.authorDevice)}`;
  }

  #header() {
    const { view } = this;
    const name = this.#name();
    const handle = this.directory.find(this.id)?.handle;
    setText(view.name, name);
    setText(view.sub, handle && handle !== name ? `@${handle}` : "End-to-end encrypted");
    setText(view.startName, name);
    view.keyNotice.hidden = !this.app.identityChanged.has(this.id) && !this.directory.keyChanged(this.id);
    if (view.face.dataset.name === name) return;
    view.face.dataset.name = name;
    view.face.replaceChildren(avatar(this.id ?? this.handle, name));
  }

  async send(text) {
    this.view.error.clear();
    try {
      const message = await this.client.send(this.id ?? this.handle, { text });
      if (!this.id) await this.#adopt(message);
      if (this.closed) return;
      this.firstUnread = undefined;
      this.scroll.toEnd();
      this.refresh();
    } catch (error) {
      this.#failed(error);
      throw error;
    }
  }

  async #again(id) {
    this.view.error.clear();
    await this.client.resend(id).catch((error) => this.#failed(error));
  }

  /** The person asked the other one, and goes on with the new key or with the old one. */
  async #decide(call) {
    try {
      await call(this.id);
      this.app.identityChanged.delete(this.id);
      await this.directory.refresh();
      this.refresh();
    } catch (error) {
      this.#failed(error);
    }
  }

  /** The first message to a handle is stored: find the conversation it made. */
  async #adopt(message) {
    const conversations = await this.client.conversations();
    const made = conversations.find((c) => c.lastMessage?.id === message)
      ?? conversations.find((c) => c.handle?.toLowerCase() === this.handle.toLowerCase());
    this.directory.refresh();
    if (!made || this.id || this.closed) return;
    this.id = made.id;
    this.thread = new Thread(this.client, made.id);
    this.onKnown(made.id, chatHash(made.id));
  }

  #failed(error) {
    if (this.closed || endsTheSession(error?.code)) this.app.report(error);
    else this.view.error.show(sentence(error), error?.code);
  }

  /** Loads older messages when the top is near; goes on while what is there does not fill the screen. */
  async #fill() {
    const { scroller, older } = this.view;
    const wanted = () => !this.closed && this.opened && this.thread && !this.thread.complete && scroller.scrollTop <= NEAR_TOP_PX;
    if (this.paging || !wanted()) return;
    this.paging = true;
    older.hidden = false;
    try {
      await this.thread.older();
      if (!this.closed) this.#render();
    } catch (error) {
      this.#failed(error);
    }
    older.hidden = true;
    this.paging = false;
    if (wanted() && scroller.scrollHeight <= scroller.clientHeight) this.#fill();
  }

  /** Tells how far the person has read: the last incoming message that was on a visible screen. */
  #seen() {
    this.view.jump.hidden = this.scroll.pinned;
    if (document.visibilityState !== "visible" || !this.opened || !this.thread || this.app.readonly()) return;
    if (!this.directory.find(this.id)?.unread) return;
    const last = this.scroll.lastSeen([...this.view.list.querySelectorAll(".message.in")])?.dataset.id;
    const at = (id) => this.thread.messages.findIndex((message) => message.id === id);
    if (!last || at(last) <= at(this.marked)) return;
    this.marked = last;
    this.client.markRead(this.id, last).then(() => this.directory.refresh(), this.app.report);
  }

  shown() {
    if (this.composer && matchMedia("(pointer: fine)").matches) this.composer.focus();
    else this.view.name.focus();
  }

  close() {
    this.closed = true;
    this.refresh.stop();
    this.scroll.close();
    document.removeEventListener("visibilitychange", this.onVisible);
    for (const off of this.offs) off();
  }
}

/** The nodes of the screen, without behaviour. */
function parts(route) {
  const name = el("h2.chat-name", { tabIndex: -1 });
  const sub = el("p.chat-sub");
  const face = el("span.face");
  const startName = el("strong");
  const list = el("ol.thread", { role: "list", "aria-label": "Messages" });
  const loading = el("p.chat-wait", {}, "Loading messages…");
  const older = el("p.chat-wait.older", { hidden: true }, "Loading older messages…");
  const start = el("div.chat-start", { hidden: true }, icon("lock"),
    el("p", {}, "This is where your conversation with ", startName, " begins in this browser. Only your devices and theirs can read it."));
  const acceptKey = el("button.button.small", { type: "button", testid: "accept-key" }, "It is really them");
  const rejectKey = el("button.button.small", { type: "button", testid: "reject-key" }, "It is not them");
  const keyNotice = el("div.banner.warn", { hidden: true, role: "status", testid: "key-changed" }, icon("warning"),
    el("p.grow", {}, "The security key of this person has changed. Nothing is sent to them or shown from them until you have asked them in another way whether it is really them."),
    el("div.row", {}, acceptKey, rejectKey));
  const content = el("div.scroll-content", {}, start, loading, list);
  const scroller = el("div.scroller", { tabIndex: 0, role: "region", "aria-label": "Message history" }, content);
  const jump = el("button.jump", { type: "button", hidden: true, "aria-label": "Jump to the newest message", title: "Newest" }, icon("down"));
  const error = inlineError();
  const head = el("header.chat-head", {},
    el("a.icon-button.to-list", { href: LIST, "aria-label": "Back to conversations" }, icon("back")),
    face, el("div.grow", {}, name, sub));
  const node = el("section.chat", { "data-id": route.id }, head, keyNotice, el("div.scroll-frame", {}, scroller, older, jump));
  return { node, name, sub, face, startName, list, content, loading, older, start, keyNotice, acceptKey, rejectKey, scroller, jump, error };
}
