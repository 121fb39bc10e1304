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

/** Waits until the client, which is open, has carried its journal over. */
export async function settle({ store }) {
  const opening = indexedDB.open(store);
  const database = await new Promise((resolve) => (opening.onsuccess = () => resolve(opening.result)));
  for (let left = 1; left > 0; ) {
    await new Promise((resume) => setTimeout(resume, 50));
    const counting = database.transaction("journal").objectStore("journal").count();
    left = await new Promise((resolve) => (counting.onsuccess = () => resolve(counting.result)));
  }
  database.close();
}

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
 * Raw IndexedDB and nothing else: what the client reads and writes for this many messages, in as many transactions. `rows`: with a row
 * for each record and no reads, as its tables would take it; else as it does, each batch one row of a journal and before that one load.
 */
export async function raw({ count, batch, rows }) {
  const name = `raw-${crypto.randomUUID()}`;
  const stores = ["journal", "seen", "messages", "message_index", "sessions", "peers", "contacts", "conversations", "meta", "fence"];
  const done = (request, type = "success") => new Promise((resolve, reject) => {
    request[`on${type}`] = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  const opening = indexedDB.open(name, 1);
  opening.onupgradeneeded = () => stores.forEach((store) => opening.result.createObjectStore(store));
  const database = await done(opening);
  const bytes = (length) => crypto.getRandomValues(new Uint8Array(length));
  const messages = Array.from({ length: count }, () => [["messages", bytes(40), bytes(320)], ["message_index", bytes(16), bytes(70)]]);
  const others = [["seen", bytes(8), bytes(2100)], ["sessions", bytes(17), bytes(6000)], ["peers", bytes(16), bytes(120)],
    ["conversations", bytes(16), bytes(120)], ["meta", bytes(5), bytes(70)]];
  const size = (all) => all.reduce((sum, [, key, value]) => sum + key.length + value.length + 25, 0);
  const journal = new Uint8Array(await new Blob([bytes(65_536), bytes(65_536)]).arrayBuffer());
  const start = performance.now();
  for (let from = 0; from < count; from += batch) {
    const all = [...messages.slice(from, from + batch).flat(), ...others];
    if (!rows) {
      const reading = database.transaction(["peers", "contacts", "message_index"], "readonly");
      const index = reading.objectStore("message_index");
      const range = IDBKeyRange.bound(bytes(6).fill(1), bytes(6).fill(2));
      const gets = ["peers", "contacts"].map((store) => reading.objectStore(store).get(bytes(16)));
      await Promise.all([...gets, index.getAllKeys(range, 2 * batch), index.getAll(range, 2 * batch)].map((request) => done(request)));
    }
    const transaction = database.transaction(rows ? stores : ["journal", "fence"], "readwrite", { durability: "strict" });
    transaction.objectStore("fence").get(0);
    if (rows) for (const [store, key, value] of all) transaction.objectStore(store).put(value, key);
    else transaction.objectStore("journal").add(journal.slice(0, size(all)), from);
    await done(transaction, "complete");
  }
  const took = performance.now() - start;
  database.close();
  await done(indexedDB.deleteDatabase(name));
  return took;
}

/** Waits until so many messages have come since the first call. */
export async function holds({ count }) {
  window.came ??= 0;
  window.listens ??= window.client.on("message", () => (window.came += 1));
  while (window.came < count) await new Promise((resume) => setTimeout(resume, 50));
}

/** How long a search takes, and how much it finds. */
export async function find({ query, options }) {
  const start = performance.now();
  const found = await window.client.search(query, options);
  return { took: performance.now() - start, count: found.length };
}

/** Bytes. */
export async function memory() {
  const { default: init } = await import("/pkg/lockstep.js");
  const { memory: module } = await init();
  return { module: module.buffer.byteLength, script: performance.memory.usedJSHeapSize };
}

export async function askToBeLinked() {
  window.link = await window.client.link({ deviceName: "Second" });
  return window.link.uri;
}

export async function approve({ uri }) {
  const request = await window.client.openLink(uri);
  await request.approve();
}

export const linked = () => window.link.done;

/** Resolves to the time of the last of so many events of an act, by a clock that all pages of a browser share. */
export function hear({ act, count }) {
  const event = { send: "message", react: "reaction", edit: "edit", set: "app" }[act];
  return new Promise((resolve) => {
    let left = count;
    const off = window.client.on(event, () => {
      left -= 1;
      if (left > 0) return;
      off();
      resolve(performance.timeOrigin + performance.now());
    });
    window.hears = true;
  });
}

export async function listening() {
  while (!window.hears) await new Promise((resume) => setTimeout(resume, 1));
  window.hears = false;
}

/** Does something so often, as fast as calls are taken. Gives when it began. */
export async function act({ act, count, round }) {
  const { client } = window;
  const begun = performance.timeOrigin + performance.now();
  const doing = {
    send: async (n) => window.sent.push(await client.send("bob", { text: `Message ${round}/${n}` })),
    react: (n) => client.react(window.sent[n], "👍"),
    edit: (n) => client.edit(window.sent[n], { text: `Edited ${round}/${n}` }),
    set: (n) => client.app.set(`bench/${n}`, round),
  }[act];
  if (act === "send") window.sent = [];
  const running = new Set();
  for (let n = 0; n < count; n += 1) {
    const one = doing(n).finally(() => running.delete(one));
    running.add(one);
    if (running.size >= 64) await Promise.race(running);
  }
  await Promise.all(running);
  return begun;
}

/** Nobody is told that a message has come. */
export const quiet = () => window.client.setSettings({ deliveryReceipts: false });
