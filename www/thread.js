// The messages of one conversation that are on screen: the newest page, and older ones as they are asked for.
// The client is the truth: an event only causes the newest page to be read again and joined to what is here.
// Does not know the DOM.

export const PAGE = 100;
const MOST = 500; // the client's own limit for one page

export class Thread {
  constructor(client, conversation) {
    this.client = client;
    this.conversation = conversation;
    this.messages = [];
    this.complete = false; // true: nothing older exists
  }

  async refresh() {
    const page = await this.#page({ limit: PAGE });
    if (this.#join(page)) return;
    const wide = await this.#page({ limit: MOST });
    if (this.#join(wide)) return;
    this.messages = wide; // so much is new that the old end is far away: it is paged in again when wanted
    this.complete = wide.length < MOST;
  }

  /** Adds one page of older messages. */
  async older() {
    const first = this.messages[0];
    if (!first || this.complete) return;
    const page = await this.#page({ before: first.id, limit: PAGE });
    if (this.messages[0] !== first && this.messages[0]?.id !== first.id) return;
    this.messages = [...page, ...this.messages];
    this.complete = page.length < PAGE;
  }

  find(id) {
    return this.messages.find((message) => message.id === id);
  }

  /** Puts a message in the place of what was known of it. False if it is not here. */
  replace(message) {
    const at = this.messages.findIndex(({ id }) => id === message.id);
    if (at >= 0) this.messages[at] = message;
    return at >= 0;
  }

  setStatus({ id, status, error }) {
    const message = this.find(id);
    return Boolean(message) && this.replace({ ...message, status, error });
  }

  /** A message is gone: the newest page, read again, would say so only of its own part. */
  drop(id) {
    this.messages = this.messages.filter((message) => message.id !== id);
  }

  /** Puts a newest page over the end of what is here. False when the two do not meet. */
  #join(page) {
    if (this.messages.length === 0 || page.length < PAGE) {
      this.complete = page.length < PAGE || this.complete;
      if (page.length < PAGE || this.messages.length === 0) this.messages = page;
      return true;
    }
    const at = this.messages.findIndex((message) => message.id === page[0].id);
    if (at < 0) return false;
    this.messages = [...this.messages.slice(0, at), ...page];
    return true;
  }

  async #page(options) {
    try {
      return await this.client.messages(this.conversation, options);
    } catch (error) {
      if (error?.code === "unknown_conversation") return [];
      throw error;
    }
  }
}
