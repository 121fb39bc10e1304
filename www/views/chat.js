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

/** `route`: { id } or { handle }. `onKnown(id, hash)` is called once when a handle turned into an account. */
export function chatView(app, route, onKnown) {
  const view = parts(app, route);
  const { client, directory } = app;
  const bubbles = new Bubbles({
    name: () => directory.name(id),
    via: (m) => (m.outgoing && m.authorDevice !== app.account.deviceId ? `from ${directory.deviceName(m.authorDevice)}` : ""),
    again: (m) => send(m.text).catch(() => {}),
  });
  const scroll = new Scroll(view.scroller, view.list);
  const refresh = coalesce(() => read().catch(failed));
  const offs = [];
  let id = route.id;
  let thread = id && new Thread(client, id);
  let firstUnread;
  let marked; // the newest message told to be read
  let paging = false;
  let closed = false;
  let opened = false;

  async function read() {
    await thread?.refresh();
    if (closed) return;
    if (!opened && thread) firstUnread = firstUnreadOf(thread.messages, directory.find(id)?.unread ?? 0);
    render();
    if (!opened && firstUnread && bubbles.unreadLine.isConnected) scroll.reveal(bubbles.unreadLine);
    opened = true;
    seen();
    fill();
  }

  function render() {
    const messages = thread?.messages ?? [];
    scroll.replace(bubbles.render(messages, firstUnread));
    view.start.hidden = !(thread === undefined || (opened && thread.complete));
    view.start.classList.toggle("alone", messages.length === 0);
    view.loading.hidden = opened || !thread;
    header();
  }

  function header() {
    const name = id ? directory.name(id) : `@${route.handle}`;
    const handle = directory.find(id)?.handle;
    setText(view.name, name);
    setText(view.sub, handle && handle !== name ? `@${handle}` : "End-to-end encrypted");
    setText(view.startName, name);
    view.keyNotice.hidden = !app.identityChanged.has(id);
    if (view.face.dataset.name !== name) {
      view.face.dataset.name = name;
      view.face.replaceChildren(avatar(id ?? route.handle, name));
    }
  }

  async function send(text) {
    view.error.clear();
    try {
      const message = await client.send(id ?? route.handle, { text });
      if (!id) await adopt(message);
      firstUnread = undefined;
      scroll.toEnd();
      refresh();
    } catch (error) {
      failed(error);
      throw error;
    }
  }

  /** The first message went out: find the conversation it made. */
  async function adopt(message) {
    await directory.refresh();
    const conversations = await client.conversations();
    const made = conversations.find((c) => c.lastMessage?.id === message) ?? conversations.find((c) => c.handle?.toLowerCase() === route.handle.toLowerCase());
    if (!made || id || closed) return;
    app.drafts.delete(route.handle);
    id = made.id;
    thread = new Thread(client, id);
    onKnown(id, chatHash(id));
  }

  function failed(error) {
    if (closed || endsTheSession(error?.code)) return app.report(error);
    return view.error.show(sentence(error), error?.code);
  }

  /** Loads older messages when the top is near; repeats while the first page does not fill the screen. */
  async function fill() {
    if (paging || closed || !opened || !thread || thread.complete || view.scroller.scrollTop > 400) return;
    paging = true;
    view.older.hidden = false;
    try {
      await thread.older();
      if (!closed) render();
    } catch (error) {
      failed(error);
    }
    view.older.hidden = true;
    paging = false;
    if (!closed && view.scroller.scrollTop <= 400 && view.scroller.scrollHeight <= view.scroller.clientHeight) fill();
  }

  /** Tells how far the person has read: the last incoming message that was on a visible screen. */
  function seen() {
    view.jump.hidden = scroll.pinned;
    if (document.visibilityState !== "visible" || !id || app.readonly() || !opened) return;
    const unread = directory.find(id)?.unread;
    const last = scroll.lastSeen([...view.list.querySelectorAll(".message.in")])?.dataset.id;
    if (!last || last === marked) return;
    const at = (message) => thread.messages.findIndex((m) => m.id === message);
    if (at(last) <= at(marked) || (unread === 0 && marked === undefined && last === lastIncoming(thread.messages))) return;
    marked = last;
    client.markRead(id, last).then(() => directory.refresh(), app.report);
  }

  function close() {
    closed = true;
    refresh.stop();
    scroll.close();
    document.removeEventListener("visibilitychange", seen);
    for (const off of offs) off();
  }

  view.scroller.addEventListener("scroll", () => {
    seen();
    fill();
  }, { passive: true });
  view.jump.addEventListener("click", () => scroll.toEnd());
  document.addEventListener("visibilitychange", seen);
  offs.push(client.on("message", ({ message }) => message.conversation === id && refresh()));
  offs.push(client.on("status", (event) => event.conversation === id && thread?.setStatus(event) && render()));
  offs.push(directory.watch(() => opened && render()));
  const draftKey = id ?? route.handle;
  const write = app.readonly() ? undefined : composer({
    label: `Message to ${id ? directory.name(id) : `@${route.handle}`}`,
    draft: app.drafts.get(draftKey) ?? "",
    send,
    onDraft: (text) => (text ? app.drafts.set(draftKey, text) : app.drafts.delete(draftKey)),
  });
  view.node.append(view.error.node, write ? write.node : el("p.readonly-note", {}, "This browser is no longer linked, so it cannot send."));
  header();
  refresh();

  const onShown = () => (write && matchMedia("(pointer: fine)").matches ? write.focus() : view.name.focus());
  return { node: view.node, close, onShown, id: () => id };
}

/** The nodes of the screen, without behaviour. */
function parts(app, route) {
  const name = el("h2.chat-name", { tabIndex: -1 });
  const sub = el("p.chat-sub");
  const face = el("span.face");
  const startName = el("strong");
  const list = el("ol.thread", { role: "list", "aria-label": "Messages" });
  const loading = el("p.chat-wait", {}, "Loading messages…");
  const older = el("p.chat-wait", { hidden: true }, "Loading older messages…");
  const start = el("div.chat-start", { hidden: true }, icon("lock"),
    el("p", {}, "This is the beginning of your conversation with ", startName, " in this browser. Only your devices and theirs can read it."));
  const keyNotice = el("p.banner.warn", { hidden: true, role: "status" }, icon("warning"),
    "The security key of this person has changed. Check with them in another way before you send anything private.");
  const scroller = el("div.scroller", { tabIndex: 0, role: "region", "aria-label": "Message history" }, older, start, loading, list);
  const jump = el("button.jump", { type: "button", hidden: true, "aria-label": "Jump to the newest message", title: "Newest" }, icon("down"));
  const error = inlineError();
  const head = el("header.chat-head", {},
    el("a.icon-button.to-list", { href: LIST, "aria-label": "Back to conversations" }, icon("back")),
    face, el("div.grow", {}, name, sub));
  const node = el("section.chat", { "data-id": route.id }, head, keyNotice, el("div.scroll-frame", {}, scroller, jump));
  return { node, name, sub, face, startName, list, loading, older, start, keyNotice, scroller, jump, error };
}

function lastIncoming(messages) {
  return messages.findLast((message) => !message.outgoing)?.id;
}

/** Counting back `unread` incoming messages from the end. */
function firstUnreadOf(messages, unread) {
  if (!unread) return undefined;
  const incoming = messages.filter((message) => !message.outgoing);
  return incoming.at(-Math.min(unread, incoming.length))?.id;
}
