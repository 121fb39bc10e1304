// Loads the Lockstep package and opens the one client this page uses. The only file that names the package.
// Does not know any view; everything after open() goes through the returned client.

const parameter = (name) => new URLSearchParams(location.search).get(name) || "";

export const storeName = () => parameter("store") || "lockstep-demo";

/** Whose messages this browser is to read as staff, by their handle; "" for one's own. Staff access has a store of its own. */
export const forWhom = () => parameter("for");

const address = (store, handle) => `${location.pathname}?store=${encodeURIComponent(store)}${handle ? `&for=${encodeURIComponent(handle)}` : ""}`;

/** Where the messages of another account are read, beside one's own. */
export const helpAddress = (handle) => address(`${storeName()}-for-${handle.toLowerCase()}`, handle);

/** From there back to one's own messages. */
export const ownAddress = () => address(storeName().replace(/-for-.*$/, ""));

/** An address of this page with another, unused store: a fresh start that touches nothing. */
export function freshAddress() {
  const [, stem, number] = /^(.*?)(?:-(\d+))?$/.exec(storeName());
  return address(`${stem}-${Number(number ?? 1) + 1}`, forWhom());
}

function relayAddress() {
  return `${location.protocol === "https:" ? "wss:" : "ws:"}//${location.host}`;
}

export async function openClient() {
  const { Client } = await loadPackage();
  return Client.open({ relay: relayAddress(), store: storeName() });
}

async function loadPackage() {
  try {
    const lockstep = await import("/pkg/lockstep.js");
    await lockstep.default();
    return lockstep;
  } catch (cause) {
    throw Object.assign(new Error(cause?.message ?? String(cause)), { code: "load", retry: true });
  }
}
