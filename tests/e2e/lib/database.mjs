// IndexedDB by hand, from the page: to do to a store what only the outside world does to it. Runs in the page.

/** Closes over nothing: goes to the page as text. Resolves to the result of `work(database)` in a page's own connection. */
const opened = (work) => `(async (argument) => {
  const done = (request) => new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
    request.onblocked = () => reject(new Error("blocked"));
  });
  const database = await done(indexedDB.open(argument.name, argument.version));
  try {
    return await (${work})(database, done, argument);
  } finally {
    database.close();
  }
})`;

const run = (page, work, argument) => page.evaluate(`${opened(work)}(${JSON.stringify(argument)})`);

/** The database gets a higher version, as a newer build of the package would give it. */
export const bumpVersion = (page, name) => run(page, "async (database) => database.version", { name }).then((version) =>
  run(page, "async (database) => database.version", { name, version: version + 1 }));

/** How many records each object store has. */
export const counts = (page, name) => run(page, `async (database, done) => {
  const all = {};
  for (const store of database.objectStoreNames) all[store] = await done(database.transaction(store).objectStore(store).count());
  return all;
}`, { name });

/** Waits until the store that is open has carried its journal over into its tables. */
export const settled = (page, name) => run(page, `async (database, done) => {
  while (await done(database.transaction("journal").objectStore("journal").count())) await new Promise((resume) => setTimeout(resume, 20));
}`, { name });

/** One byte in the middle of every record of an object store is turned over. */
export const damage = (page, name, store) => run(page, `async (database, done, { store }) => {
  const objects = database.transaction(store, "readwrite").objectStore(store);
  const [keys, values] = [await done(objects.getAllKeys()), await done(objects.getAll())];
  for (const [at, value] of values.entries()) {
    const bytes = value instanceof Uint8Array ? value : new Uint8Array(value);
    bytes[bytes.length >> 1] ^= 1;
    await done(objects.put(value, keys[at]));
  }
  return values.length;
}`, { name, store });
