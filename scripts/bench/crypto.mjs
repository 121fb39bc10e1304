// Encrypting and decrypting, in rounds: our engine in Chromium, bare libsignal in the same module, Signal's own client in Node.
// Everything is in memory here. What a message costs with a disk and a relay is in storage.mjs.
import { median, ratio, spread, table } from "./figures.mjs";
import { official } from "./official.mjs";

const BYTES = 200;
const BATCH = 128; // what the host hands the engine at once
const FANS = [1, 5, 16];
// States of a session, counter of the forged message: the least, the most that six states and one state let through, and what is refused.
const FORGED = [[1, 0], [6, 0], [6, 816], [1, 2000], [6, 2000], [6, 24000]];

/** Runs in the page. All times are in microseconds. */
async function round({ bytes, batch, fans, times }) {
  const { default: init, Engines, Fan, Libsignal } = await import("/bench/bench.js");
  await init();
  const clock = () => performance.now() * 1000;
  const timed = (work) => {
    const start = clock();
    work();
    return clock() - start;
  };
  const bare = new Libsignal();
  const found = {
    bareOneWay: timed(() => bare.oneWay(times, bytes)) / times,
    bareTurn: timed(() => bare.turns(times, bytes)) / times,
    seal: 0, open: 0, turn: 0, batch: 0, fans: [], bundles: [],
  };
  const engines = new Engines();
  for (let n = 0; n < times; n += 1) {
    found.seal += timed(() => engines.seal(false, bytes)) / times;
    engines.carry();
    found.open += timed(() => engines.open(true, 1)) / times;
    engines.carry();
  }
  for (let n = 0; n < times; n += 1) {
    for (const bob of [false, true]) {
      found.turn += timed(() => engines.seal(bob, bytes)) / times;
      engines.carry();
      found.turn += timed(() => engines.open(!bob, 1)) / times;
      engines.carry();
    }
  }
  const batches = Math.ceil(times / batch);
  for (let n = 0; n < batches; n += 1) {
    for (let m = 0; m < batch; m += 1) {
      engines.seal(false, bytes);
      engines.carry();
    }
    found.batch += timed(() => engines.open(true, batch)) / (batch * batches);
    engines.carry();
  }
  for (const devices of fans) {
    const fan = new Fan(devices);
    let total = 0;
    let bundle = 0;
    const sends = Math.ceil(times / devices);
    for (let n = 0; n < sends; n += 1) {
      total += timed(() => fan.seal(bytes)) / sends;
      bundle = fan.carry();
    }
    found.fans.push(total);
    found.bundles.push(bundle);
    fan.free();
  }
  bare.free();
  engines.free();
  return found;
}

/** Runs in the page: one forged message each, in milliseconds. libsignal without our guards keeps what the engine keeps and is given the same. */
async function forgeries({ forged }) {
  const { default: init, Forger } = await import("/bench/bench.js");
  await init();
  const timed = (work) => {
    const start = performance.now();
    work();
    return performance.now() - start;
  };
  return forged.map(([states, counter]) => {
    const forger = new Forger(states);
    forger.engine(0);
    forger.bare(0);
    const found = { engine: timed(() => forger.engine(counter)), bare: timed(() => forger.bare(counter)) };
    forger.free();
    return found;
  });
}

/** Measures in a tab of this browser; prints three tables. */
export async function crypto({ browser, site, rounds, note, done }) {
  const page = await browser.page();
  await page.goto(site.origin);
  const ask = (times) => page.evaluate(round, { bytes: BYTES, batch: BATCH, fans: FANS, times });
  await ask(100); // the compiler has seen it all once
  const all = [];
  for (let n = 1; n <= rounds; n += 1) {
    note(`round ${n} of ${rounds}`);
    const peer = await official();
    await peer.oneWay(100, BYTES);
    const oneWay = await peer.oneWay(400, BYTES);
    const turns = await peer.turns(400, BYTES);
    const forged = await page.evaluate(forgeries, { forged: FORGED });
    all.push({ ...(await ask(512)), oneWay, turns, forged });
  }
  await page.close();
  done();
  print(all);
}

function print(all) {
  const of = (name) => all.map((found) => found[name]);
  const both = all.map((found) => found.seal + found.open);
  const row = (title, values, peer, bare) => [title, spread(values, "µs"), ratio(values, peer), bare ? ratio(values, bare) : ""];
  table(`A text of ${BYTES} bytes, encrypted and decrypted`, ["one direction", "median (least to most)", "to Node", "to bare"], [
    row("official client, Node", of("oneWay"), of("oneWay")),
    row("bare libsignal, our wasm", of("bareOneWay"), of("oneWay"), of("bareOneWay")),
    row("engine, one at a time", both, of("oneWay"), of("bareOneWay")),
    row("  of which send: stored and sealed", of("seal"), of("oneWay"), of("bareOneWay")),
    row("  of which receive: opened and stored", of("open"), of("oneWay"), of("bareOneWay")),
    row(`receive in batches of ${BATCH}`, of("batch"), of("oneWay"), of("bareOneWay")),
  ]);
  const each = (name) => of(name).map((both) => both / 2);
  table("The same where each text answers the last, so that each turns the ratchet", ["to and fro", "median (least to most)", "to Node", "to bare"], [
    row("official client, Node", each("turns"), each("turns")),
    row("bare libsignal, our wasm", each("bareTurn"), each("turns"), each("bareTurn")),
    row("engine, one at a time", each("turn"), each("turns"), each("bareTurn")),
  ]);
  const fans = FANS.map((devices, at) => {
    const values = all.map((found) => found.fans[at]);
    return [devices, spread(values, "µs"), spread(values.map((value) => value / devices), "µs"), all[0].bundles[at]];
  });
  table(`Sending one text of ${BYTES} bytes: from the call to a stored, sealed bundle`, ["devices", "median (least to most)", "a device", "bundle, bytes"], fans);
  const forged = FORGED.map(([states, counter], at) => {
    const values = (name) => all.map((found) => found.forged[at][name]);
    return [states, counter, spread(values("bare"), "ms"), spread(values("engine"), "ms")];
  });
  table("One forged message", ["states", "counter", "bare libsignal", "engine"], forged);
  console.log(`receiving in batches: ${Math.round(1e6 / median(of("batch")))} messages/s in memory`);
}
