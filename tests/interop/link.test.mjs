// A browser of ours becomes the second device of a person whose first is none of ours: Bob, with Signal's official library.
// The tests are one story and build on each other.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Browser } from "../e2e/lib/browser.mjs";
import { Device } from "../e2e/lib/device.mjs";
import { until } from "../e2e/lib/poll.mjs";
import { Relay } from "../e2e/lib/relay.mjs";
import { Bob } from "./bob.mjs";
import { uuidBytes } from "./codec.mjs";
import { approve, readUri } from "./primary.mjs";

let relay;
let browser;
let bob;
let tablet; // Bob's second device, which is ours
let alice;
let aliceId;

before(async () => {
  relay = await Relay.start();
  browser = await Browser.open();
  bob = await Bob.register(relay.http, "bob");
  tablet = await Device.open(relay, { name: "Bob's tablet", browser, store: "tablet" });
  alice = await Device.open(relay, { name: "alice", browser, store: "alice" });
  aliceId = (await alice.signUp("alice")).id;
});

after(async () => {
  await bob?.close();
  await browser?.remove();
  await relay?.remove();
});

const has = (device, conversation, text) => until(`${device.name} has “${text}”`, async () =>
  (await device.messages(conversation)).find((message) => message.text === text));

describe("a primary built on Signal's library", { concurrency: false }, () => {
  test("it links our browser, which takes over account and identity key", async () => {
    const uri = await tablet.askToBeLinked();
    assert.equal(readUri(uri).name, "Bob's tablet");
    const linked = await approve(bob, uri);
    assert.equal(linked.id, 2);
    await tablet.t("account").waitFor();
    assert.deepEqual(await tablet.account(), { id: bob.account, handle: "bob", deviceId: 2, deviceName: "Bob's tablet", role: "owner" });
    await alice.send("bob", "Which of you is there?");
    const known = async () => (await alice.call(async (client) => (await client.contacts()).map(({ identityKey }) => identityKey && [...identityKey])))[0];
    const key = await until("Alice knows Bob's key", known);
    assert.deepEqual(key, [...bob.stores.identities.pair.publicKey.serialize()]);
  });

  test("Alice's message reaches both", async () => {
    await bob.until(1);
    assert.equal(bob.received[0].text, "Which of you is there?");
    await has(tablet, aliceId, "Which of you is there?");
  });

  test("our browser asks the primary for contacts and takes what it sends", async () => {
    await until("it asks", () => bob.synced.some(({ sync }) => sync.request?.type === 1));
    assert.equal(bob.failures.length, 0);
    const carol = "11111111-2222-4333-8444-555555555555";
    const identityKey = bob.stores.identities.pair.publicKey.serialize();
    await bob.sync({ contactSnapshot: { complete: true, contacts: [{ account: uuidBytes(carol), handle: "carol", name: "Carol", identityKey, nameClock: 1 }] } });
    await until("Carol is there", async () => (await tablet.call((client) => client.contacts())).some(({ id, name }) => id === carol && name === "Carol"));
  });

  test("what the primary sends is mirrored in our browser as sent, and Alice has it once", async () => {
    const id = await bob.send(aliceId, "From the primary");
    assert.equal((await has(alice, bob.account, "From the primary")).id, id);
    const copy = await has(tablet, aliceId, "From the primary");
    assert.deepEqual([copy.id, copy.outgoing, copy.authorDevice, copy.status], [id, true, 1, "sent"]);
  });

  test("what our browser sends reaches Alice, and the primary as a transcript", async () => {
    const id = await tablet.send("alice", "From the tablet");
    assert.equal((await has(alice, bob.account, "From the tablet")).authorDevice, 2);
    const transcript = await until("the primary has it", () => bob.synced.find(({ sync }) => sync.sent?.message?.body === "From the tablet"));
    assert.equal(transcript.device, 2);
    assert.equal(transcript.sync.sent.destinationServiceId, aliceId);
    assert.deepEqual((await alice.messages(bob.account)).map(({ id: one }) => one), (await tablet.messages(aliceId)).map(({ id: one }) => one));
    assert.ok(id);
    assert.deepEqual(bob.failures, []);
  });
});
