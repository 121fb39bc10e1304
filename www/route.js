// Where in the app the person is, as location.hash says. One parser, one writer.
// Does not know any view. There is deliberately no route to approving a link: that screen opens only from the
// Devices screen, by the person's own hand, so no address anyone sends can lead to it.

/** { view: "list" | "chat" | "compose" | "devices" | "settings" | "link", id?, message?, handle? }; anything unknown is the list. */
export function parse(hash) {
  const [view, argument, message] = hash.replace(/^#\/?/, "").split("/").map(decoded);
  if (view === "c" && argument) return { view: "chat", id: argument, message };
  if (view === "to" && argument) return { view: "compose", handle: argument };
  if (view === "devices") return { view: "devices" };
  if (view === "settings") return { view: "settings" };
  if (view === "link") return { view: "link" };
  return { view: "list" };
}

function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return "";
  }
}

export const LIST = "#/";
export const DEVICES = "#/devices";
export const SETTINGS = "#/settings";
export const LINK_HERE = "#/link";
export const chatHash = (id) => `#/c/${encodeURIComponent(id)}`;
/** A message in its conversation. Once shown, the address is that of the conversation. */
export const messageHash = (id, message) => `${chatHash(id)}/${encodeURIComponent(message)}`;
export const composeHash = (handle) => `#/to/${encodeURIComponent(handle)}`;

/** Two addresses that show the same screen have the same key. */
export const routeKey = (route) => `${route.view}/${route.id ?? route.handle ?? ""}`;
