// How devices and accounts end, by what a person sees and touches: a removed browser keeps its history and comes back, a copied
// profile sends nothing, a deleted account is gone for everybody.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Device } from "./lib/device.mjs";
import { aliceAndBob } from "./lib/people.mjs";
import { until } from "./lib/poll.mjs";
import { isRefused } from "./lib/refused.mjs";
import { Relay } from "./lib/relay.mjs";

let relay;
let cast;

before(async () => {
  relay = await Relay.start();
  cast = await aliceAndBob(relay);
});

after(async () => {
  await cast?.remove();
  await relay?.remove();
});

const texts = async (device, conversation) => (await device.messages(conversation)).map(({ text }) => text);
const has = (device, conversation, text) =>
  until(`${device.name} has “${text}”`, async () => (await texts(device, conversation)).includes(text));
const noProblems = (...devices) => assert.deepEqual(devices.flatMap(({ problems }) => problems), []);

describe("removal", { concurrency: false }, () => {
  test("a browser removed on another one says so, keeps its history, and sends nothing", async () => {
    const { laptop, phone, bob, aliceId, bobId } = cast;
    await laptop.removeDevice("Alice's phone");
    assert.equal(await phone.unlinkedBecause(), "removed");
    assert.equal(await phone.state(), "unlinked");
    await isRefused(phone, "unlinked", (client) => client.send("bob", { text: "no" }));
    await phone.t("conversation").first().click();
    await phone.sees("Hello you two");
    assert.equal(await phone.t("composer").count(), 0);
    await bob.send(aliceId, "for the laptop alone");
    await has(laptop, bobId, "for the laptop alone");
    assert.deepEqual(await texts(phone, bobId), ["Hello", "Hello you two"]);
    await phone.reload();
    assert.equal(await phone.unlinkedBecause(), "removed");
    noProblems(laptop, phone);
  });

  test("it links again as another device and gets the next message", async () => {
    const { laptop, phone, bob, aliceId, bobId } = cast;
    const uri = await phone.askToBeLinkedAgain();
    await laptop.lookAtLink(uri);
    await laptop.approveLink();
    await until("it is ready", async () => (await phone.state()) === "ready");
    await phone.t("account").waitFor();
    assert.equal(await phone.t("unlinked").count(), 0);
    assert.equal((await phone.account()).deviceId, 3);
    await bob.send(aliceId, "for both again");
    for (const device of [laptop, phone]) await has(device, bobId, "for both again");
    // What it missed while it was out comes as history.
    const all = ["Hello", "Hello you two", "for the laptop alone", "for both again"];
    await until("it has all", async () => JSON.stringify(await texts(phone, bobId)) === JSON.stringify(all));
    await phone.send("bob", "from the phone");
    await has(laptop, bobId, "from the phone");
    await has(bob, aliceId, "from the phone");
    noProblems(laptop, phone, bob);
  });

  test("a copied profile sends nothing and says why, and the original goes on", async () => {
    const { phone, bob, aliceId, bobId } = cast;
    const copy = await phone.copied("a copy of the phone");
    try {
      await phone.reopen();
      await phone.online();
      await phone.send("bob", "by the original");
      await has(bob, aliceId, "by the original");
      await copy.reopen();
      assert.equal(await copy.unlinkedBecause(), "rolled_back");
      await isRefused(copy, "rolled_back", (client) => client.send("bob", { text: "by the copy" }));
      assert.ok((await texts(copy, bobId)).includes("from the phone"), "its history can be read");
      await phone.reload(); // the copy took its socket; signing in takes it back
      await phone.online();
      await phone.send("bob", "still the original");
      await has(bob, aliceId, "still the original");
      assert.ok(!(await texts(bob, aliceId)).includes("by the copy"));
      noProblems(copy);
    } finally {
      await copy.remove();
    }
  });

  test("what is no device is refused by name, and the only one stays", async () => {
    const { bob } = cast;
    for (const odd of ["1", 0, 1.5, -1, 128, 1e9, null, {}]) {
      await isRefused(bob, "invalid_argument", (client, id) => client.unlink(id), odd);
    }
    await bob.call((client) => client.unlink(99)); // there is none: that is what was wanted
    await isRefused(bob, "last_device", (client) => client.unlink(1));
    assert.equal(await bob.state(), "ready");
    assert.equal((await bob.account()).unlinked, undefined);
    noProblems(bob);
  });

  test("a deleted account is gone for whoever writes to it, and its browser can still be read", async () => {
    const { bob } = cast;
    const carol = await Device.open(relay, { name: "Carol's laptop" });
    try {
      await carol.register("carol");
      const carolId = (await carol.account()).id;
      await bob.send("carol", "hello Carol");
      const bobId = (await bob.account()).id;
      await has(carol, bobId, "hello Carol");
      await carol.t("devices-open").click();
      await carol.t("delete-account-open").click();
      assert.ok(await carol.t("delete-account-confirm").isDisabled());
      await carol.t("delete-account-handle").fill("carol");
      await carol.t("delete-account-confirm").click();
      assert.equal(await carol.unlinkedBecause(), "deleted");
      await carol.t("conversation").first().click();
      await carol.sees("hello Carol");
      await bob.send("carol", "too late");
      await until("it has failed", async () => (await bob.messages(carolId)).at(-1).error === "account_gone");
      noProblems(carol, bob);
    } finally {
      await carol.remove();
    }
  });
});
