// Catching up and opening, on real parts: the package in Chromium with a profile on disk, a relay process, and Bob, who is
// Signal's own client in Node. Raw IndexedDB in the same profile, in turn with each round, says what the disk allows.
import { Relay } from "../../tests/e2e/lib/relay.mjs";
import { Bob } from "../../tests/interop/bob.mjs";
import { median, short, spread, table } from "./figures.mjs";
import * as work from "./page.mjs";

const COUNT = 1000;
const STORED = 10_000;
const BATCH = 128; // what the host hands the engine at once
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
    await bob.send(alice, TEXT);
  }
}

async function inPage({ browser, site }, job, argument) {
  const page = await browser.page();
  try {
    await page.goto(site.origin);
    return await page.evaluate(job, argument);
  } finally {
    await page.close();
  }
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
    const caught = [];
    const raws = { writes: [], both: [] };
    for (let n = 1; n <= rounds; n += 1) {
      await fill(bob, alice, COUNT, (text) => note(`catch-up, round ${n} of ${rounds}: ${text}`));
      caught.push(await inPage(run, work.catchUp, { ...here, count: COUNT }));
      raws.writes.push(await inPage(run, work.raw, { count: COUNT, batch: BATCH, reads: false }));
      raws.both.push(await inPage(run, work.raw, { count: COUNT, batch: BATCH, reads: true }));
    }
    await fill(bob, alice, STORED - rounds * COUNT, (text) => note(`filling the store: ${text}`));
    await inPage(run, work.catchUp, { ...here, count: STORED - rounds * COUNT });
    const conversation = bob.account;
    const opened = { cold: [], warm: [] };
    for (let n = 1; n <= rounds; n += 1) {
      note(`opening, round ${n} of ${rounds}`);
      await run.browser.close();
      await run.browser.open();
      opened.cold.push(await inPage(run, work.ready, { ...here, conversation }));
      opened.warm.push(await inPage(run, work.ready, { ...here, conversation }));
    }
    done();
    printCaught(caught, raws);
    printOpened(opened);
  } finally {
    await bob?.close();
    await relay.remove();
  }
}

function printCaught(caught, raws) {
  const perSecond = (times) => times.map((time) => (COUNT * 1000) / time);
  const ours = perSecond(caught.map(({ last }) => last));
  const [writes, both] = [perSecond(raws.writes), perSecond(raws.both)];
  const share = (values) => `${((100 * median(ours)) / median(values)).toFixed(0)} %`;
  table(`Catching up with ${COUNT} messages of 200 bytes that waited`, ["", "median (least to most)", "ours to it"], [
    ["client: connect to last commit", spread(ours, "/s"), ""],
    ["  of which connect to signed in, ms", spread(caught.map(({ online }) => online), "ms"), ""],
    ["  of which connect to first event, ms", spread(caught.map(({ first }) => first), "ms"), ""],
    ["  connect to last event, ms", spread(caught.map(({ last }) => last), "ms"), ""],
    ["raw IndexedDB, the same writes", spread(writes, "/s"), share(writes)],
    ["raw IndexedDB, the same reads and writes", spread(both, "/s"), share(both)],
  ]);
}

function printOpened({ cold, warm }) {
  const of = (all, name) => spread(all.map((found) => found[name]), "ms");
  const rows = [
    ["module loaded and compiled", "load"],
    ["Client.open()", "open"],
    ["then conversations()", "list"],
    ["then messages(), a page of 50", "page"],
    ["Client.open() to that page", "all"],
  ];
  table(`Opening with ${short(STORED)} messages stored`, ["", "browser just started", "page opened again"],
    rows.map(([title, name]) => [title, of(cold, name), of(warm, name)]));
}
