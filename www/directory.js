// Who there is to talk to: conversations and contacts as the client last told, and the names they go by.
// The client is the truth; this is a copy, read again whenever an event hints that it is old.
// Does not know the DOM.

import { coalesce } from "./coalesce.js";

const HINTS = ["message", "status", "edit", "remove", "read", "contact", "conversation"];

export const isMuted = (conversation, now) => (conversation?.mutedUntil ?? 0) > now;

export class Directory {
  /** `own()`: the account of whoever looks. */
  constructor(client, own, onError) {
    this.client = client;
    this.own = own;
    this.conversations = [];
    this.contacts = [];
    this.devices = [];
    this.loaded = false;
    this.watchers = new Set();
    this.writers = new Map(); // who is writing, and the timer that ends it
    this.refresh = coalesce(() => this.#read().catch(onError));
    this.off = HINTS.map((name) => client.on(name, () => this.refresh()));
    this.off.push(client.on("device", () => this.readDevices()), client.on("typing", (event) => this.#noteTyping(event)));
  }

  async #read() {
    const [conversations, contacts] = await Promise.all([this.client.conversations(), this.client.contacts()]);
    const named = (conversation) => (conversation.id === this.own() ? { ...conversation, name: "Note to self" } : conversation);
    this.conversations = conversations.map(named).sort((a, b) => (b.pinned ?? 0) - (a.pinned ?? 0)); // those without keep their order
    this.contacts = contacts;
    this.loaded = true;
    this.#tell();
  }

  #noteTyping({ conversation, isTyping, until }) {
    clearTimeout(this.writers.get(conversation));
    this.writers.delete(conversation);
    const end = () => {
      this.writers.delete(conversation);
      this.#tell();
    };
    if (isTyping) this.writers.set(conversation, setTimeout(end, Math.max(0, until - Date.now())));
    this.#tell();
  }

  isWriting(id) {
    return this.writers.has(id);
  }

  /** Own device names, to say which one a mirrored message came from. Fails quietly: it is only a courtesy. */
  async readDevices() {
    try {
      this.devices = await this.client.devices();
      this.#tell();
    } catch {
      this.devices = [];
    }
  }

  #tell() {
    for (const watcher of this.watchers) watcher();
  }

  /** Calls back after every change; returns a function that ends it. */
  watch(watcher) {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  }

  /** The conversation or contact with this account id. */
  find(id) {
    return this.conversations.find((c) => c.id === id) ?? this.contacts.find((c) => c.id === id);
  }

  contact(id) {
    return this.contacts.find((contact) => contact.id === id);
  }

  /** Nobody wants to be told of messages here just now. */
  isQuiet(id) {
    const entry = this.find(id);
    return Boolean(entry?.blocked) || isMuted(entry, Date.now());
  }

  /** Whether this person has come with a security key that was not accepted yet. */
  keyChanged(id) {
    return this.contacts.some((contact) => contact.id === id && contact.keyChanged);
  }

  /** Whether the key that counts for this person is one that was compared with them. */
  isVerified(id) {
    return this.contacts.some((contact) => contact.id === id && contact.verified && !contact.keyChanged);
  }

  byHandle(handle) {
    const same = (entry) => entry.handle?.toLowerCase() === handle.toLowerCase();
    return this.conversations.find(same) ?? this.contacts.find(same);
  }

  name(id) {
    const known = this.find(id);
    return known?.name || known?.handle || "Unknown person";
  }

  /** This account has staff of its own. */
  hasStaff() {
    return this.devices.some(({ role }) => role === "delegate");
  }

  deviceName(number) {
    return this.devices.find((device) => device.id === number)?.name || `device ${number}`;
  }

  unread() {
    const counted = this.conversations.filter(({ archived, blocked }) => !archived && !blocked);
    return counted.reduce((sum, { unread, markedUnread }) => sum + (unread || Number(markedUnread)), 0);
  }

  /** Contacts one has not written with yet, by name. */
  quietContacts() {
    const talking = new Set(this.conversations.map((c) => c.id));
    return this.contacts.filter((c) => !talking.has(c.id)).sort((a, b) => a.name.localeCompare(b.name));
  }

  close() {
    this.refresh.stop();
    this.watchers.clear();
    for (const timer of this.writers.values()) clearTimeout(timer);
    for (const off of this.off) off();
  }
}
