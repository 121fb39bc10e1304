// Our client against somebody else's: Alice is the package in a browser, Bob is Signal's official library in Node.
// Bob checks each plaintext himself (padding, Binding, post-quantum ratchet); what he finds wrong fails these tests.
// The tests are one story and build on each other.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Browser } from "../e2e/lib/browser.mjs";
import { Device } from "../e2e/lib/device.mjs";
import { until } from "../e2e/lib/poll.mjs";
import { Relay } from "../e2e/lib/relay.mjs";
import { Bob } from "./bob.mjs";

let relay;
let browser;
let laptop; // Alice's first device
let phone; // her second: another store, so another device, in the same browser
let alice; // her account id
let bob;

before(async () => {
  relay = await Relay.start();
  browser = await Browser.open();
  laptop = await Device.open(relay, { name: "laptop", browser, store: "laptop" });
  phone = await Device.open(relay, { name: "phone", browser, store: "phone" });
});

after(async () => {
  await bob?.close();
  await browser?.remove();
  await relay?.remove();
});

const has = (device, text, conversation = bob.account) => until(`${device.name} has “${text}”`, async () =>
  (await device.messages(conversation)).find((message) => message.text === text));

const bobsTexts = () => bob.received.map(({ text }) => text);

describe("Signal's own library on the other end", { concurrency: false }, () => {
  test("Bob registers by the public protocol and leaves 100 one-time keys of each kind", async () => {
    bob = await Bob.register(relay.http, "bob");
    assert.deepEqual(await bob.keyCounts(), { count: 100, pqCount: 100 });
    await laptop.call((client) => client.register({ handle: "alice", deviceName: "Laptop" }));
    alice = (await laptop.account()).id;
    assert.equal(await bob.find("alice"), alice);
    assert.equal(await bob.find("nobody"), undefined);
  });

  test("our client opens a PQXDH session with Bob, from one of his one-time keys of each kind", async () => {
    const id = await laptop.send("bob", "Hello from a browser");
    const [first] = await bob.until(1);
    assert.deepEqual({ ...first, sentAt: 0 }, { from: alice, device: 1, id, text: "Hello from a browser", sentAt: 0, preKey: true });
    assert.equal(first.sentAt, (await has(laptop, "Hello from a browser")).sentAt);
    assert.deepEqual([bob.stores.preKeys.used, bob.stores.kyberPreKeys.used], [1, 1]);
    assert.deepEqual(await bob.keyCounts(), { count: 99, pqCount: 99 });
  });

  test("Bob answers in that session, and our client then sends ratchet messages with the post-quantum ratchet in them", async () => {
    const id = await bob.send(alice, "Hello from Node");
    const got = await has(laptop, "Hello from Node");
    assert.deepEqual([got.id, got.author, got.authorDevice, got.outgoing, got.kind, got.status], [id, bob.account, 1, false, "text", "received"]);
    await laptop.send(bob.account, "Now we ratchet");
    assert.equal((await bob.until(2)).at(-1).preKey, false);
  });

  test("they take turns for thirty messages, and each arrives once and in order", async () => {
    const said = [];
    for (let turn = 0; turn < 15; turn += 1) {
      await laptop.send("bob", `ping ${turn}`);
      await bob.until(3 + turn);
      await bob.send(alice, `pong ${turn} ${"🦊".repeat(turn * 20)}`);
      await has(laptop, `pong ${turn} ${"🦊".repeat(turn * 20)}`);
      said.push(`ping ${turn}`, `pong ${turn} ${"🦊".repeat(turn * 20)}`);
    }
    assert.deepEqual((await laptop.messages(bob.account)).slice(-30).map(({ text }) => text), said);
    assert.deepEqual(bobsTexts().slice(-15), said.filter((text) => text.startsWith("ping")));
  });

  test("a second device is linked: Bob's next bundle is refused with 409, repaired, and reaches both", async () => {
    await phone.page.evaluate("(async () => { window.attempt = await lockstep.client.link({ deviceName: 'Phone' }); })()");
    const uri = await phone.page.evaluate("window.attempt.uri");
    await laptop.call(async (client, text) => void (await (await client.openLink(text)).approve()), uri);
    await until("the phone is linked", async () => (await phone.state()) === "ready");
    const id = await bob.send(alice, "To all of you");
    for (const device of [laptop, phone]) assert.equal((await has(device, "To all of you")).id, id);
    assert.deepEqual(bob.lists.get(alice).devices.map(({ device }) => device), [2]); // signed, checked with the official library
  });

  test("the second device answers in the session that Bob opened, and the first has the transcript", async () => {
    await until("Bob is a contact there", async () => (await phone.call((client) => client.contacts())).length > 0);
    const before = bob.received.length;
    const id = await phone.send("bob", "From the phone");
    const last = (await bob.until(before + 1)).at(-1);
    assert.deepEqual([last.id, last.device, last.preKey], [id, 2, false]);
    assert.ok(bob.beacons > 0, "the message says which list its sender knows");
    const copy = await has(laptop, "From the phone");
    assert.deepEqual([copy.id, copy.outgoing, copy.authorDevice, copy.status], [id, true, 2, "sent"]);
  });

  test("what was sent while Bob was away waits for him, in order", async () => {
    await bob.close();
    const before = bob.received.length;
    for (let n = 0; n < 10; n += 1) await laptop.send("bob", `while away ${n}`);
    await until("all of it is on the relay", async () =>
      (await laptop.messages(bob.account)).slice(-10).every(({ text, status }) => text.startsWith("while away") && status === "sent"));
    await bob.connect();
    await bob.until(before + 10);
    await bob.drained;
    assert.deepEqual(bobsTexts().slice(before), Array.from({ length: 10 }, (_, n) => `while away ${n}`));
  });

  test("a bundle that Bob sends twice is shown once", async () => {
    const bundleId = new Uint8Array(16).fill(7);
    await bob.send(alice, "Once", { bundleId });
    await bob.send(alice, "Once, again", { bundleId });
    await bob.send(alice, "After it");
    await has(laptop, "After it");
    const texts = (await laptop.messages(bob.account)).slice(-2).map(({ text }) => text);
    assert.deepEqual(texts, ["Once", "After it"]);
  });

  test("texts at the edge of the size limit go both ways", async () => {
    const long = "ü".repeat(32 * 1024);
    const before = bob.received.length;
    await laptop.send("bob", long);
    assert.equal((await bob.until(before + 1)).at(-1).text, long);
    await bob.send(alice, `${long.slice(1)}!!`);
    await has(laptop, `${long.slice(1)}!!`);
  });

  test("nothing went wrong on either side that nobody saw", () => {
    assert.deepEqual(bob.failures, []);
    assert.deepEqual([...laptop.problems, ...phone.problems], []);
  });
});
