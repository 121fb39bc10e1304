// What is being written in one conversation, kept in step with this person's other devices: stored when they pause, and
// taken over from elsewhere unless something newer stands here.
// Does not know the field it is written in.

const PAUSE_MS = 1_000;

export class Draft {
  /** `show(text)` puts a text that came from elsewhere into the field. */
  constructor(client, conversation, { show, failed }) {
    Object.assign(this, { client, conversation, show, failed });
    this.text = ""; // as it stands here
    this.kept = ""; // as it was last stored or told
    this.storing = 0;
    this.offs = [client.on("conversation", ({ conversation: told }) => told.id === conversation && this.take(told.draft ?? ""))];
    this.onHidden = () => document.visibilityState === "hidden" && this.store();
    document.addEventListener("visibilitychange", this.onHidden);
  }

  /** The person has written. A field that was emptied, as by sending, is told at once: nobody else is to send it too. */
  typed(text) {
    this.text = text;
    clearTimeout(this.timer);
    if (text === this.kept) return;
    if (text === "") this.store();
    else this.timer = setTimeout(() => this.store(), PAUSE_MS);
  }

  /** What is stored, here or elsewhere. */
  take(text) {
    if (this.storing > 0 || this.text !== this.kept || text === this.text) return;
    this.text = this.kept = text;
    this.show(text);
  }

  async store() {
    clearTimeout(this.timer);
    const { text } = this;
    if (text === this.kept) return;
    const before = this.kept;
    this.kept = text;
    this.storing += 1;
    try {
      await this.client.setDraft(this.conversation, text);
    } catch (error) {
      if (this.kept === text) this.kept = before;
      this.failed(error);
    }
    this.storing -= 1;
  }

  close() {
    this.store();
    document.removeEventListener("visibilitychange", this.onHidden);
    for (const off of this.offs) off();
  }
}
