// A page may call anything at any time, twice and in parallel, with any argument: every promise settles, nothing traps, and the
// client goes on working. The calls are drawn from a seed, which the name of a test tells and LOCKSTEP_SEED sets.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Browser } from "./lib/browser.mjs";
import { Device } from "./lib/device.mjs";
import { until } from "./lib/poll.mjs";
import { Relay } from "./lib/relay.mjs";

const CALLS = 300;
const seeds = [1, Number(process.env.LOCKSTEP_SEED ?? Date.now() % 1_000_000)];
let relay;
let browser;

before(async () => {
  relay = await Relay.start();
  browser = await Browser.open();
});

after(async () => {
  await browser?.remove();
  await relay?.remove();
});

/** Runs in the page: calls drawn at random, all at once or in bursts. Resolves to { settled, codes, strange }. */
async function storm(client, { seed, calls, known }) {
  let state = seed;
  const draw = (n) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
  const pick = (list) => list[draw(list.length)];
  const circular = {};
  circular.self = circular;
  const trap = new Proxy({}, { get: () => { throw new Error("a getter that throws"); } });
  const hostile = () => pick([undefined, null, 0, -1, NaN, Infinity, 2 ** 53, true, "", "x", "nobody", known, "0".repeat(32), "\ud800", "x".repeat(70_000),
    [], {}, [1, 2], { text: 7 }, { text: "hi" }, { text: "hi", extra: 1 }, { text: null }, { limit: 0 }, { limit: 1.5 }, { limit: "9" }, { before: "x" },
    { handle: "storm" }, { handle: 1, deviceName: [] }, { deviceName: "x".repeat(1000) }, circular, trap, new Uint8Array(3), new Map(), Symbol("s"), 10n,
    () => {}, new Date(), document.body, Promise.resolve(1), "lockstep://linkdevice?uuid=a&pub_key=b"]);
  const methods = ["state", "connection", "account", "openLink", "send", "send", "conversations", "messages", "markRead", "contacts", "devices", "unlink", "on", "register", "link"];
  const right = { send: () => [known, { text: `storm ${draw(1e9)}` }], messages: () => [known, { limit: 5 }], on: () => ["message", () => { throw new Error("a listener that throws"); }] };
  const outcomes = [];
  const codes = {};
  const strange = [];
  const note = (error) => {
    const code = error?.code ?? `${error}`;
    codes[code] = (codes[code] ?? 0) + 1;
    if (!(error instanceof Error) || typeof error.code !== "string" || typeof error.message !== "string") strange.push(`${error?.stack ?? error}`.slice(0, 300));
  };
  const attempts = [];
  for (let n = 0; n < calls; n += 1) {
    const method = pick(methods);
    const args = right[method] && draw(2) ? right[method]() : Array.from({ length: draw(4) }, hostile);
    try {
      const outcome = client[method](...args);
      if (method === "link") outcome.then((attempt) => attempts.push(attempt), () => {});
      outcomes.push(Promise.resolve(outcome).then(() => {}, note));
      if (typeof outcome === "function" && draw(2)) outcome();
    } catch (error) {
      note(error);
    }
    if (draw(10) === 0) await new Promise((resolve) => setTimeout(resolve, draw(20)));
  }
  await Promise.all(outcomes);
  for (const attempt of attempts) {
    attempt.cancel();
    attempt.cancel();
    await attempt.done.catch(note);
  }
  return { settled: outcomes.length, codes, strange };
}

const ready = async (name) => {
  const device = await Device.open(relay, { name, browser, store: name });
  await device.signUp(name);
  return device;
};

/** A throwing listener is the page's own fault and is reported as such; anything else on this list is ours. */
const ours = (device) => device.problems.filter((problem) => !/a listener that throws/.test(problem));

describe("anything at any time", { concurrency: false }, () => {
  for (const seed of seeds) {
    test(`${CALLS} random calls on a client in use settle with typed errors, and it goes on working (seed ${seed})`, async () => {
      const [device, peer] = [await ready(`user${seed}`), await ready(`peer${seed}`)];
      const { strange, codes } = await device.call(storm, { seed, calls: CALLS, known: `peer${seed}` });
      assert.deepEqual(strange, [], JSON.stringify(codes));
      assert.equal(codes.internal, undefined, JSON.stringify(codes));
      assert.deepEqual(ours(device), []);
      await device.send(`peer${seed}`, "after the storm");
      const { id } = await device.account();
      await until("the peer has it", async () => (await peer.messages(id)).at(-1)?.text === "after the storm");
      const sent = (await device.messages((await peer.account()).id)).map((message) => message.id);
      assert.deepEqual((await peer.messages(id)).map((message) => message.id), sent);
      for (const one of [device, peer]) await one.remove();
    });
  }

  test(`${CALLS} random calls before there is an account settle with typed errors, and one can still sign up or link`, async () => {
    const device = await Device.open(relay, { name: "early", browser, store: "early" });
    const { strange, codes } = await device.call(storm, { seed: 5, calls: CALLS, known: "nobody" });
    assert.deepEqual(strange, [], JSON.stringify(codes));
    assert.equal(codes.internal, undefined, JSON.stringify(codes));
    assert.deepEqual(ours(device), []);
    if ((await device.state()) === "new") await device.signUp("early");
    assert.equal(await device.state(), "ready");
    await device.remove();
  });

  test("a client that is closed in the middle of a storm settles every promise, and its store opens again", async () => {
    const device = await ready("closing");
    const closing = device.call(async (client) => {
      await new Promise((resolve) => setTimeout(resolve, 50));
      await Promise.all([client.close(), client.close()]);
      await client.close();
    });
    const { strange, codes } = await device.call(storm, { seed: 9, calls: CALLS, known: "nobody" });
    await closing;
    assert.deepEqual(strange, [], JSON.stringify(codes));
    assert.ok(codes.closed > 0, JSON.stringify(codes));
    const after = await device.call(storm, { seed: 10, calls: CALLS, known: "nobody" });
    assert.deepEqual(after.strange, [], JSON.stringify(after.codes));
    assert.deepEqual(ours(device), []);
    await device.reload();
    assert.equal(await device.state(), "ready");
    await device.remove();
  });

  test("open() with anything as options is refused or opens, and never traps", async () => {
    const device = await ready("opening");
    const codes = await device.page.evaluate(async (relayAddress) => {
      const { Client } = await import("/pkg/lockstep.js");
      const options = [undefined, null, 1, "x", [], {}, { relay: 1, store: 2 }, { relay: "", store: "a" }, { relay: "not an address", store: "a" },
        { relay: "ftp://x", store: "a" }, { relay: relayAddress }, { relay: relayAddress, store: "" }, { relay: relayAddress, store: "x".repeat(1000) },
        { relay: relayAddress, store: null }];
      const all = await Promise.allSettled(options.map((one) => new Promise((resolve) => resolve(Client.open(one)))));
      return all.map(({ reason, status }) => reason?.code ?? status);
    }, relay.ws);
    assert.deepEqual([...new Set(codes)], ["invalid_argument"]);
    assert.deepEqual(ours(device), []);
    assert.equal(await device.state(), "ready");
    await device.remove();
  });
});
