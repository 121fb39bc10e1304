// What runs inside the page when storage is measured: each function is sent there whole, so it uses nothing around it.
// Times are in milliseconds by the page's clock.

/** Opens the client and waits until so many messages have come; 0: until it is online. The client stays in window.client. */
export async function catchUp({ relay, store, count }) {
  const loading = performance.now();
  const { default: init, Client } = await import("/pkg/lockstep.js");
  await init();
  const start = performance.now();
  const client = await Client.open({ relay, store });
  const opened = performance.now();
  window.client = client;
  const found = { load: start - loading, open: opened - start, online: undefined, first: undefined, last: undefined };
  const since = () => performance.now() - opened;
  let left = count;
  await new Promise((resolve) => {
    const look = () => found.online !== undefined && left <= 0 && resolve();
    const online = () => {
      if (client.connection() === "online") found.online ??= since();
      look();
    };
    client.on("connection", online);
    client.on("message", () => {
      found.first ??= since();
      found.last = since();
      left -= 1;
      look();
    });
    online();
  });
  return found;
}

export async function register({ handle }) {
  return (await window.client.register({ handle, deviceName: "Bench" })).id;
}

export const send = ({ to, text }) => window.client.send(to, { text });

export const close = () => window.client.close();

/** From nothing to what a person looks at first. */
export async function ready({ relay, store, conversation }) {
  const loading = performance.now();
  const { default: init, Client } = await import("/pkg/lockstep.js");
  await init();
  const start = performance.now();
  const client = await Client.open({ relay, store });
  const opened = performance.now();
  await client.conversations();
  const listed = performance.now();
  const page = await client.messages(conversation, { limit: 50 });
  const shown = performance.now();
  if (page.length !== 50) throw new Error(`a page of ${page.length} messages`);
  await client.close();
  return { load: start - loading, open: opened - start, list: listed - opened, page: shown - listed, all: shown - start };
}

/**
 * Raw IndexedDB: as many rows, transactions and bytes as the client writes for this many messages, and nothing else.
 * With `reads` also the lookups that come before each transaction.
 */
export async function raw({ count, batch, reads }) {
  const name = `raw-${crypto.randomUUID()}`;
  const stores = ["seen", "messages", "message_index", "sessions", "peers", "conversations", "meta", "fence"];
  const done = (request, type = "success") => new Promise((resolve, reject) => {
    request[`on${type}`] = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  const opening = indexedDB.open(name, 1);
  opening.onupgradeneeded = () => stores.forEach((store) => opening.result.createObjectStore(store));
  const database = await done(opening);
  const bytes = (length) => crypto.getRandomValues(new Uint8Array(length));
  const rows = Array.from({ length: count }, () => [
    ["messages", bytes(40), bytes(320)],
    ["message_index", bytes(16), bytes(70)],
  ]);
  const one = { seen: [bytes(8), bytes(2100)], sessions: [bytes(17), bytes(6000)], peers: [bytes(16), bytes(120)], conversations: [bytes(16), bytes(120)], meta: [bytes(5), bytes(70)] };
  const start = performance.now();
  for (let from = 0; from < count; from += batch) {
    const part = rows.slice(from, from + batch);
    for (const store of reads ? ["message_index"] : []) {
      const reading = database.transaction([store], "readonly").objectStore(store);
      await Promise.all(part.map((row) => done(reading.get(row.find(([name]) => name === store)[1]))));
    }
    const transaction = database.transaction(stores, "readwrite", { durability: "strict" });
    transaction.objectStore("fence").get(0);
    for (const row of part) for (const [store, key, value] of row) transaction.objectStore(store).put(value, key);
    for (const [store, [key, value]] of Object.entries(one)) transaction.objectStore(store).put(value, key);
    await done(transaction, "complete");
  }
  const took = performance.now() - start;
  database.close();
  await done(indexedDB.deleteDatabase(name));
  return took;
}
