// Loads the Lockstep package and opens the one client this page uses. The only file that names the package.
// Does not know any view; everything after open() goes through the returned client.

const IN_USE_TRIES = 4; // a page that is being reloaded may hold the store for a moment longer
const IN_USE_PAUSE_MS = 500;

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
  for (let tries = 1; ; tries += 1) {
    try {
      return await Client.open({ relay: relayAddress(), store: storeName() });
    } catch (error) {
      if (error?.code !== "store_in_use" || tries === IN_USE_TRIES) throw error;
      await new Promise((resolve) => setTimeout(resolve, IN_USE_PAUSE_MS));
    }
  }
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
