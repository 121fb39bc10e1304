// Loads the Lockstep package and opens the one client this page uses. The only file that names the package.
// Does not know any view; everything after open() goes through the returned client.

export const storeName = () => new URLSearchParams(location.search).get("store") || "lockstep-demo";

/** An address of this page with another, unused store: a fresh start that touches nothing. */
export function freshAddress() {
  const [, stem, number] = /^(.*?)(?:-(\d+))?$/.exec(storeName());
  return `${location.pathname}?store=${encodeURIComponent(`${stem}-${Number(number ?? 1) + 1}`)}`;
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
