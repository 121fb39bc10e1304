// The quiet line at the top: nothing while online, otherwise what is going on and when it is tried again.
// Does not know what is on the screen below it.

import { el, setText } from "../dom.js";
import { seconds } from "../format.js";

const PATIENCE_MS = 800; // a connection made sooner than this is not worth a word

export function connectionView(client) {
  const text = el("span");
  const node = el("div.connection", { role: "status", testid: "connection" }, el("span.connection-dot", { "aria-hidden": "true" }), text);
  let retryAt;
  let patience;

  function words(state) {
    if (state === "online") return "Connected";
    if (state === "connecting") return "Connecting…";
    const left = retryAt - Date.now();
    const when = retryAt && left > 0 ? ` Trying again in ${seconds(left)}.` : "";
    return `You are offline. Messages you write are kept and sent later.${when}`;
  }

  function render(state) {
    node.dataset.state = state;
    setText(text, words(state));
    clearTimeout(patience);
    // A browser that was unlinked has no connection on purpose, and says so elsewhere.
    const fine = state === "online" || (state === "offline" && client.state() === "unlinked");
    if (fine) node.classList.remove("shown");
    else patience = setTimeout(() => node.classList.add("shown"), PATIENCE_MS);
  }

  client.on("connection", (event) => {
    retryAt = event.retryAt;
    render(event.state);
  });
  client.on("state", () => render(client.connection()));
  setInterval(() => {
    if (node.dataset.state === "offline" && retryAt) setText(text, words("offline"));
  }, 1000);
  render(client.connection());
  return node;
}
