// Notifications of the system while the person looks elsewhere: as much as the client says may be shown, one for each
// conversation, and away again when it was read on any device. Does not decide what is worth one; the client does.

export class Notifications {
  /** `open(conversation)` is called when one is clicked. */
  constructor(client, open) {
    this.open = open;
    this.shown = new Map();
    client.on("notify", (event) => this.#take(event));
  }

  #take({ conversation, show, unread, name, text }) {
    this.shown.get(conversation)?.close();
    this.shown.delete(conversation);
    const looking = document.visibilityState === "visible" && document.hasFocus();
    if (!show || looking || window.Notification?.permission !== "granted") return;
    const title = name ?? "Lockstep";
    const body = text ?? (unread === 1 ? "A new message" : `${unread} new messages`);
    const notification = made(title, { body, tag: conversation, icon: "/favicon.svg" });
    if (!notification) return;
    notification.addEventListener("click", () => {
      window.focus();
      this.open(conversation);
      notification.close();
    });
    this.shown.set(conversation, notification);
  }
}

/** Some browsers on phones have the constructor and refuse its use. */
function made(title, options) {
  try {
    return new Notification(title, options);
  } catch {
    return undefined;
  }
}
