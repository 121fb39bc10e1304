// Sessions that break and keys that run out or grow old, with Signal's official library on the other end.
// The tests are one story and build on each other.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Browser } from "../e2e/lib/browser.mjs";
import { Device } from "../e2e/lib/device.mjs";
import { until } from "../e2e/lib/poll.mjs";
import { Relay } from "../e2e/lib/relay.mjs";
import { Bob } from "./bob.mjs";
import { Forgetful } from "./forgetful.mjs";
import { nextKeys } from "./keys.mjs";

let relay;
let browser;
let alice;
let carol; // another account in the same browser
let bob;

before(async () => {
  relay = await Relay.start();
  browser = await Browser.open();
  alice = await Device.open(relay, { name: "alice", browser, store: "alice" });
  carol = await Device.open(relay, { name: "carol", browser, store: "carol" });
  await alice.call((client) => client.register({ handle: "alice", deviceName: "Laptop" }));
  await carol.call((client) => client.register({ handle: "carol", deviceName: "Laptop" }));
  bob = await Forgetful.register(relay.http, "bob");
});

after(async () => {
  await bob?.close();
  await browser?.remove();
  await relay?.remove();
});

const texts = async (device, conversation) => (await device.messages(conversation)).map(({ text }) => text);

describe("sessions that break, with Signal's own library", { concurrency: false }, () => {
  test("what Bob can't read he asks for, and our client sends it again in a new session, once", async () => {
    await alice.send("bob", "Hello");
    await bob.until(1);
    const { id: account } = await alice.account();
    await bob.send(account, "Hi");
    await until("Alice has the answer", async () => (await texts(alice, bob.account)).includes("Hi"));
    bob.forgetSessions();
    const id = await alice.send("bob", "Lost on the way");
    const again = (await bob.until(2))[1];
    assert.deepEqual([again.id, again.text, again.preKey], [id, "Lost on the way", true]);
    assert.equal(bob.unread, 1);
    await alice.send("bob", "And on");
    assert.equal((await bob.until(3))[2].text, "And on");
  });

  test("what our client can't read it asks for, and shows it in its place once it has come", async () => {
    const { id: account } = await alice.account();
    await bob.send(account, "Before");
    await bob.sendSpoilt(account, 1, "Spoilt");
    await bob.send(account, "After");
    const seen = await until("Alice has the repeat", async () => {
      const all = await texts(alice, bob.account);
      return all.includes("Spoilt") && all.includes("After") && all;
    });
    assert.deepEqual(seen.slice(-3), ["Before", "Spoilt", "After"]);
    assert.deepEqual(bob.asked.map(({ from, device }) => [from, device]), [[account, 1]]);
    const kinds = (await alice.messages(bob.account)).map(({ kind }) => kind);
    assert.deepEqual([...new Set(kinds)], ["text"], "no placeholder is left");
  });

  test("when the one-time keys are used up, sessions begin with the last-resort key, each its own", async () => {
    const poor = await Bob.register(relay.http, "poor", undefined, 1);
    await alice.send("poor", "The only one-time key");
    await carol.send("poor", "None is left");
    const received = await poor.until(2);
    assert.deepEqual(received.map(({ preKey }) => preKey), [true, true]);
    assert.deepEqual(await poor.keyCounts(), { count: 0, pqCount: 0 });
    assert.deepEqual([poor.stores.preKeys.used, poor.stores.kyberPreKeys.used], [1, 2]);
    await poor.send((await carol.account()).id, "Both work");
    await until("Carol has the answer", async () => (await texts(carol, poor.account)).includes("Both work"));
    await poor.close();
  });

  test("after Bob has replaced his keys a new session begins with the new ones", async () => {
    const put = await bob.socket.request("PUT", "/v2/keys", await nextKeys(bob.stores));
    assert.equal(put.status, 204);
    const count = bob.received.length;
    await carol.send("bob", "To the new keys");
    assert.equal((await bob.until(count + 1)).at(-1).text, "To the new keys");
    await bob.send((await carol.account()).id, "Welcome");
    await until("Carol has the answer", async () => (await texts(carol, bob.account)).includes("Welcome"));
  });

  test("when Bob comes with another identity key, nothing of it is shown and nothing sent until it is accepted", async () => {
    const { id: account } = await alice.account();
    const before = await texts(alice, bob.account);
    bob.startOver();
    await bob.send(account, "It is me, with a new key");
    await until("Alice is told", async () =>
      (await alice.call((client) => client.contacts())).some(({ id, keyChanged }) => id === bob.account && keyChanged));
    assert.deepEqual(await texts(alice, bob.account), before);
    await assert.rejects(alice.send("bob", "Who is there?"), /identity_changed/);
    await alice.call((client, bob) => client.acceptIdentity(bob), bob.account);
    assert.deepEqual(await texts(alice, bob.account), [...before, "It is me, with a new key"]);
    const count = bob.received.length;
    await alice.send("bob", "Good to know");
    assert.equal((await bob.until(count + 1)).at(-1).text, "Good to know");
  });

  test("nothing went wrong on either side that nobody saw", () => {
    assert.deepEqual(bob.failures, []);
    assert.deepEqual([...alice.problems, ...carol.problems], []);
  });
});
