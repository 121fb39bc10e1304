// One conversation: header, messages, composer. Also a conversation that does not exist yet, known by a handle only;
// it becomes a real one with its first message. Does not know the list beside it.

import { canEdit } from "../acts.js";
import { coalesce } from "../coalesce.js";
import { el } from "../dom.js";
import { Draft } from "../draft.js";
import { endsTheSession, sentence } from "../errors.js";
import { accountName } from "../format.js";
import { toast } from "../notify.js";
import { LIST, chatHash } from "../route.js";
import { answeredBy, comingsAndGoings, isOwnHere, isStaff, mayWrite } from "../staff.js";
import { Thread } from "../thread.js";
import { Bubbles, rovingMessages } from "./bubbles.js";
import { ChatHead } from "./chat-head.js";
import { chatParts } from "./chat-parts.js";
import { droppable } from "./drop.js";
import { MessageActs } from "./message-acts.js";
import { Scroll } from "./scroll.js";
import { Writing } from "./writing.js";

const NEAR_TOP_PX = 400;
const MOST_PAGES = 100; // that are read to find one message

/** `route`: { id } or { handle }. `onKnown(id, hash)` is called once, when the handle turned into an account. */
export function chatView(app, route, onKnown) {
  const chat = new Chat(app, route, onKnown);
  return { node: chat.view.node, close: () => chat.close(), onShown: () => chat.shown(), id: () => chat.id, goTo: (message) => chat.goTo(message) };
}

class Chat {
  constructor(app, route, onKnown) {
    Object.assign(this, { app, client: app.client, directory: app.directory, handle: route.handle, id: route.id, onKnown });
    this.thread = this.id && new Thread(this.client, this.id);
    this.wanted = route.message; // to be shown first
    this.firstUnread = undefined;
    this.marked = undefined; // the newest message told to be read
    this.opened = false; // the first page is on screen
    this.left = false; // it is as the person left it, here or elsewhere
    this.paging = false;
    this.closed = false;
    this.view = chatParts(route);
    this.scroll = new Scroll(this.view.scroller, this.view.content, this.view.list);
    this.acts = new MessageActs({
      client: this.client, account: app.account, writing: () => this.writing, name: () => this.#name(), failed: (error) => this.#failed(error),
    });
    this.head = new ChatHead({
      app, view: this.view, id: () => this.id, name: () => this.#name(), failed: (error) => this.#failed(error),
      leave: () => app.go(LIST), decided: () => this.refresh(),
    });
    this.bubbles = new Bubbles(this.#helpers());
    this.settle = rovingMessages(this.view.list);
    this.refresh = coalesce(() => this.#read().catch((error) => this.#failed(error)));
    this.#addComposer();
    this.#listen();
    this.#showHead();
    this.refresh();
  }

  /** What a bubble asks of this conversation. A browser that is unlinked only shows; in one of staff the account is not "you". */
  #helpers() {
    const { account } = this.app;
    const can = !this.app.readonly();
    const own = isStaff(account) ? accountName(account) : "You";
    return {
      me: account.id,
      who: (author) => (author === account.id ? own : this.directory.name(author)),
      by: (message) => answeredBy(message, account),
      acts: (message) => this.acts.any(message),
      via: (message) => this.#via(message),
      quoted: (id) => this.thread.find(id),
      toQuoted: (id) => this.goTo(id),
      earlier: (message) => this.acts.earlier(message),
      again: can && mayWrite(account) ? (message) => this.#again(message.id) : undefined,
      menu: can ? (message, anchor) => this.acts.menu(message, anchor) : undefined,
      fetchFile: (message, index, options) => this.client.download(message, index, options),
      react: can && !isStaff(account) ? (message, emoji) => this.acts.react(message, emoji) : undefined,
    };
  }

  #addComposer() {
    const { account } = this.app;
    this.writing = this.app.readonly() || !mayWrite(account) ? undefined : new Writing({
      label: `Message to ${this.#name()}`,
      draft: this.id ? "" : this.app.drafts.get(this.handle) ?? "",
      send: (text, quote, attachments) => this.send(text, quote, attachments),
      upload: (file, options) => this.client.upload(file, options),
      edit: (id, text) => this.#edit(id, text),
      onDraft: (text) => this.#typed(text),
      lastOwn: () => this.thread?.messages.findLast((message) => isOwnHere(message, account) && canEdit(message, Date.now())),
      who: this.bubbles.helpers.who,
    });
    if (this.writing) droppable(this.view.node, (files) => this.head.isBlocked || this.writing.attach(files));
    if (this.id) this.#keepDraft();
    this.view.node.append(this.view.error.node,
      this.writing ? this.writing.node : el("p.readonly-note", { testid: "readonly-note" }, this.app.readonly() ? "This browser is no longer linked, so it cannot send."
        : `You may read the messages of ${accountName(account)}, not answer them.`));
  }

  /** A draft to a handle that nobody was written to by yet is in memory only: the client keeps those of conversations. */
  #typed(text) {
    const isTyping = text !== "";
    if (this.thread && (isTyping || this.toldTyping) && !isStaff(this.app.account)) this.client.typing(this.id, isTyping).catch(() => {}); // a courtesy: its failure is nobody's concern
    this.toldTyping = isTyping;
    if (this.draft) this.draft.typed(text);
    else if (!this.id && text) this.app.drafts.set(this.handle, text);
    else if (!this.id) this.app.drafts.delete(this.handle);
  }

  #keepDraft() {
    if (!this.writing) return;
    this.draft = new Draft(this.client, this.id, {
      show: (text) => this.writing.setDraft(text),
      failed: (error) => ["unknown_conversation", "message_too_long"].includes(error?.code) || this.#failed(error), // the composer says the latter
    });
  }

  #showHead() {
    this.head.update();
    if (this.writing) this.writing.node.hidden = this.head.isBlocked;
    const writing = this.id && this.directory.isWriting(this.id);
    if (this.view.typing.hasChildNodes() === Boolean(writing)) return;
    this.view.typing.replaceChildren(...(writing ? [el("span.dots", { "aria-hidden": "true" }, el("i"), el("i"), el("i")), `${this.#name()} is writing…`] : []));
  }

  #listen() {
    this.onVisible = () => this.#seen();
    document.addEventListener("visibilitychange", this.onVisible);
    this.view.scroller.addEventListener("scroll", () => {
      this.#seen();
      this.#fill();
    }, { passive: true });
    this.view.jump.addEventListener("click", () => this.scroll.toEnd());
    this.offs = [
      this.client.on("message", ({ message }) => message.conversation === this.id && this.refresh()),
      this.client.on("remove", ({ conversation, id }) => conversation === this.id && this.#gone(id)),
      ...["edit", "reaction"].map((name) => this.client.on(name, ({ message }) => message.conversation === this.id && this.#changed(message))),
      this.client.on("status", (event) => event.conversation === this.id && this.thread?.setStatus(event) && this.#render()),
      this.directory.watch(() => {
        if (!this.opened) return;
        this.#asLeft();
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
    this.#asLeft();
    this.#render();
    if (first && this.wanted) this.goTo(this.wanted);
    else if (first && this.bubbles.unreadLine.isConnected) this.scroll.reveal(this.bubbles.unreadLine);
    this.#seen();
    this.#fill();
  }

  /** What was being written here or elsewhere is there again; a conversation that was marked as unread is read now. */
  #asLeft() {
    if (this.left || !this.opened || !this.directory.loaded || !this.id) return;
    this.left = true;
    const { draft, markedUnread } = this.directory.find(this.id) ?? {};
    if (draft) this.draft?.take(draft);
    const last = this.thread.messages.findLast((message) => !message.outgoing) ?? this.thread.messages.at(-1);
    if (markedUnread && last && !this.app.readonly()) this.client.markRead(this.id, last.id).catch(this.app.report);
  }

  async #findUnread() {
    const unread = this.directory.find(this.id)?.unread ?? 0;
    if (!unread) return;
    const incoming = () => this.thread.messages.filter((message) => !message.outgoing);
    for (let pages = 1; pages < 5 && incoming().length < unread && !this.thread.complete; pages += 1) await this.thread.older();
    this.firstUnread = incoming().at(-Math.min(unread, incoming().length))?.id;
  }

  #changed(message) {
    if (message.kind !== "text") this.writing?.forget(message.id);
    if (this.thread?.replace(message)) this.#render();
  }

  #gone(id) {
    this.writing?.forget(id);
    this.thread?.drop(id);
    this.refresh();
  }

  /** Shows a message that is further up, wherever it is. */
  goTo(id) {
    this.#show(id).catch((error) => this.#failed(error));
    if (this.id) history.replaceState(null, "", chatHash(this.id)); // so that the same address leads here again
  }

  async #show(id) {
    for (let pages = 0; pages < MOST_PAGES && !this.thread.find(id) && !this.thread.complete; pages += 1) await this.thread.older();
    if (this.closed) return;
    this.#render();
    const bubble = this.bubbles.get(id);
    if (!bubble) {
      toast("That message is not in this browser.");
      return;
    }
    this.scroll.center(bubble.node);
    bubble.mark();
  }

  #render() {
    const { view } = this;
    const messages = this.thread?.messages ?? [];
    view.start.hidden = Boolean(this.thread) && !(this.opened && this.thread.complete);
    view.start.classList.toggle("alone", messages.length === 0);
    view.loading.hidden = this.opened || !this.thread;
    this.scroll.replace(this.bubbles.render(messages, this.firstUnread, this.#lines()));
    this.settle();
    this.#showHead();
  }

  /** Whose staff came and went is told to those who write to them; who is among it is told who is new. */
  #lines() {
    return isStaff(this.app.account) ? [] : comingsAndGoings(this.#name(), this.directory.contact(this.id));
  }

  #name() {
    return this.id ? this.directory.name(this.id) : `@${this.handle}`;
  }

  #via(message) {
    if (message.staff !== undefined) return "";
    if (isStaff(this.app.account)) return message.outgoing ? `by ${accountName(this.app.account)}` : "";
    const here = !message.outgoing || message.authorDevice === this.app.account.deviceId;
    return here ? "" : `from ${this.directory.deviceName(message.authorDevice)}`;
  }

  async send(text, quote, attachments) {
    this.view.error.clear();
    await this.#askedAboutStaff();
    try {
      const message = await this.client.send(this.id ?? this.handle, { text, attachments, ...(quote && { quote }) });
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

  /** Rejects when the person leaves it open who is to read what they wrote: the words stay where they are. */
  async #askedAboutStaff() {
    if (!(await this.head.maySend())) throw new Error("who is to read it is not decided");
  }

  async #edit(id, text) {
    this.view.error.clear();
    await this.#askedAboutStaff();
    try {
      await this.client.edit(id, { text });
    } catch (error) {
      this.#failed(error);
      throw error;
    }
  }

  async #again(id) {
    this.view.error.clear();
    if (await this.head.maySend()) await this.client.resend(id).catch((error) => this.#failed(error));
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
    this.app.drafts.delete(this.handle);
    this.#keepDraft();
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
    if (this.writing && matchMedia("(pointer: fine)").matches) this.writing.focus();
    else this.view.name.focus();
  }

  close() {
    this.closed = true;
    this.draft?.close();
    this.writing?.close();
    this.bubbles.close();
    this.refresh.stop();
    this.scroll.close();
    document.removeEventListener("visibilitychange", this.onVisible);
    for (const off of this.offs) off();
  }
}
