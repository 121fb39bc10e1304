// Catching up and opening, on real parts: the package in Chromium with a profile on disk, a relay process, and Bob, who is
// Signal's own client in Node. Raw IndexedDB in the same profile, in turn with each round, says what the disk allows.
import { Relay } from "../../tests/e2e/lib/relay.mjs";
import { Bob } from "../../tests/interop/bob.mjs";
import { median, short, spread, table } from "./figures.mjs";
import * as work from "./page.mjs";

const COUNT = 1000;
const STORED = 10_000;
const BATCH = 128; // what the host hands the engine at once
const SETTLE_MS = 1500; // a browser has a lot to do when a page has just been opened
const TEXT = "x".repeat(200);
const STORE = "bench";
const ALICE = "alice";

/** Alice in the browser and Bob in Node, with a session that both have used. */
async function meet({ browser, site, relay }) {
  const page = await browser.page();
  await page.goto(site.origin);
  const here = { relay: relay.ws, store: STORE };
  await page.evaluate(work.catchUp, { ...here, count: 0 });
  const alice = await page.evaluate(work.register, { handle: ALICE });
  const bob = await Bob.register(relay.http, "bob");
  const had = bob.received.length;
  await page.evaluate(work.send, { to: "bob", text: "Hello" });
  await bob.until(had + 1);
  await bob.send(alice, "Hello");
  await page.evaluate(work.send, { to: "bob", text: "And now we ratchet" });
  await bob.until(had + 2);
  await page.close();
  return { here, alice, bob };
}

async function fill(bob, alice, count, note) {
  for (let sent = 0; sent < count; sent += 1) {
    if (sent % 100 === 0) note?.(`Bob sends ${sent} of ${count}`);
    await bob.send(alice, TEXT, { ordered: true });
  }
}

/** Does something in a page of its own, which has settled. */
async function inPage({ browser, site }, job) {
  const page = await browser.page();
  try {
    await page.goto(site.origin);
    await page.waitForTimeout(SETTLE_MS);
    return await job(page);
  } finally {
    await page.close();
  }
}

/** Twice in one page: with the module just loaded, and again when its code has been compiled for speed. Then the peer. */
async function round(run, { here, alice, bob }, found, note) {
  const caughtUp = (page) => page.evaluate(work.catchUp, { ...here, count: COUNT });
  await fill(bob, alice, COUNT, note);
  await inPage(run, async (page) => {
    found.fresh.push(await caughtUp(page));
    await page.evaluate(work.close);
    await fill(bob, alice, COUNT, note);
    found.again.push(await caughtUp(page));
    await page.evaluate(work.close);
    found.rows.push(await page.evaluate(work.raw, { count: COUNT, batch: BATCH, rows: true }));
    found.same.push(await page.evaluate(work.raw, { count: COUNT, batch: BATCH, rows: false }));
  });
}

/** Prints two tables. */
export async function storage(run) {
  const { site, rounds, note, done } = run;
  const relay = await Relay.start({ args: ["--dev", "--allow-origin", site.origin] });
  let bob;
  try {
    const met = await meet({ ...run, relay });
    bob = met.bob;
    const { here, alice } = met;
    const found = { fresh: [], again: [], rows: [], same: [] };
    for (let n = 1; n <= rounds; n += 1) await round(run, met, found, (text) => note(`catching up, round ${n} of ${rounds}: ${text}`));
    const rest = STORED - 2 * rounds * COUNT;
    if (rest > 0) {
      await fill(bob, alice, rest, (text) => note(`filling the store: ${text}`));
      await inPage(run, (page) => page.evaluate(work.catchUp, { ...here, count: rest }));
    }
    const ready = (page) => page.evaluate(work.ready, { ...here, conversation: bob.account });
    const opened = { journal: [], cold: [], warm: [] };
    for (let n = 1; n <= rounds; n += 1) opened.journal.push(await inPage(run, ready));
    await inPage(run, async (page) => {
      await page.evaluate(work.catchUp, { ...here, count: 0 });
      await page.evaluate(work.settle, here);
    });
    for (let n = 1; n <= rounds; n += 1) {
      note(`opening, round ${n} of ${rounds}`);
      await run.browser.close();
      await run.browser.open();
      opened.cold.push(await inPage(run, ready));
      opened.warm.push(await inPage(run, ready));
    }
    done();
    printCaught(found);
    printOpened(opened, Math.max(rest, 0));
  } finally {
    await bob?.close();
    await relay.remove();
  }
}

function printCaught({ fresh, again, rows, same }) {
  const rate = (times) => times.map((time) => (COUNT * 1000) / time);
  const last = (all) => rate(all.map((found) => found.last));
  const part = (all, name) => spread(all.map((found) => found[name]), "ms");
  const against = (ours, peer) => `${((100 * median(ours)) / median(peer)).toFixed(0)} %`;
  const row = (title, all) => [title, spread(last(all), "/s"), against(last(all), rate(rows)), against(last(all), rate(same))];
  table(`Catching up with ${COUNT} messages of 200 bytes that waited: from connecting to the last commit`,
    ["", "median (least to most)", "of a raw row for each record", "of the same in raw"], [
      row("page just opened", fresh),
      ["  connecting to first message", part(fresh, "first"), "", ""],
      ["  connecting to last message", part(fresh, "last"), "", ""],
      row("again in the same page", again),
      ["  connecting to first message", part(again, "first"), "", ""],
      ["  connecting to last message", part(again, "last"), "", ""],
      ["raw IndexedDB, a row for each record", spread(rate(rows), "/s"), "", ""],
      ["raw IndexedDB, the same reads and writes", spread(rate(same), "/s"), "", ""],
    ]);
}

function printOpened({ journal, cold, warm }, left) {
  const of = (all, name) => spread(all.map((found) => found[name]), "ms");
  const rows = [
    ["module loaded and compiled", "load"],
    ["Client.open()", "open"],
    ["then conversations()", "list"],
    ["then messages(), a page of 50", "page"],
    ["Client.open() to that page", "all"],
  ];
  table(`Opening with ${short(STORED)} messages stored`, ["", "browser just started", "page opened again", `with ${short(left)} in the journal`],
    rows.map(([title, name]) => [title, of(cold, name), of(warm, name), of(journal, name)]));
}
