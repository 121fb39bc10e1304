// The devices page, by what a person sees: which devices hold the account's key, what a browser without it can't do, and how one that
// was lost is cut off from everybody. The tests are one story and build on each other.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
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
const devices = (device) => device.call(async (client) => (await client.devices()).map(({ id, name, role, current }) => ({ id, name, role, current })));

describe("the devices page", { concurrency: false }, () => {
  test("a linked browser has a key of its own, and says so on both", async () => {
    const { laptop, phone } = cast;
    const [first, second] = [{ id: 1, name: "Alice's laptop", role: "owner" }, { id: 2, name: "Alice's phone", role: "device" }];
    assert.deepEqual(await devices(laptop), [{ ...first, current: true }, { ...second, current: false }]);
    assert.deepEqual(await devices(phone), [{ ...first, current: false }, { ...second, current: true }]);
    assert.equal((await phone.account()).role, "device");
    for (const device of [laptop, phone]) {
      await device.t("devices-open").click();
      await device.t("device").nth(1).waitFor();
      assert.equal(await device.t("device-owner").count(), 1);
    }
  });

  test("without the account's key nothing is linked and nobody else removed, on the screen and under it", async () => {
    const { laptop, phone } = cast;
    await phone.t("not-owner").waitFor();
    assert.equal(await phone.t("link-device-open").isVisible(), false);
    assert.equal(await phone.t("delete-account-open").isVisible(), false);
    assert.equal(await phone.t("device-remove").count(), 1, "only itself");
    assert.equal(await laptop.t("not-owner").isVisible(), false);
    await isRefused(phone, "not_owner", (client) => client.unlink(1));
    await isRefused(phone, "not_owner", (client) => client.deleteAccount());
  });

  test("once a month a person is asked whether each device is still theirs", async () => {
    const { laptop } = cast;
    const monthAgo = (days) => laptop.page.evaluate((ms) => {
      const key = Object.keys(localStorage).find((name) => name.startsWith("lockstep-reviewed-"));
      localStorage.setItem(key, String(Date.now() - ms));
    }, days * 24 * 60 * 60 * 1000);
    await monthAgo(29);
    await laptop.reload();
    await laptop.shows("online");
    assert.equal(await laptop.t("review").count(), 0);
    await monthAgo(31);
    await laptop.reload();
    assert.match(await laptop.t("review").textContent(), /2 devices read and write your messages/);
    await laptop.t("review-look").click();
    await laptop.t("device").nth(1).waitFor();
    assert.equal(await laptop.t("review").count(), 0);
    await laptop.reload();
    await laptop.shows("online");
    assert.equal(await laptop.t("review").count(), 0);
  });

  test("a lost one is cut off, and others go on under the same key", async () => {
    const { laptop, phone, bob, aliceId, bobId } = cast;
    const keyOf = () => bob.call(async (client, id) => [...(await client.contacts()).find((contact) => contact.id === id).identityKey], aliceId);
    const before = await keyOf();
    await phone.send("bob", "from the phone, while it was Alice's");
    await until("Bob has it", async () => (await texts(bob, aliceId)).includes("from the phone, while it was Alice's"));
    await laptop.page.getByRole("button", { name: "Remove Alice's phone" }).click();
    await laptop.t("device-lost").check();
    await laptop.t("device-remove-confirm").click();
    assert.equal(await phone.unlinkedBecause(), "removed");
    await bob.send(aliceId, "is it you?");
    await until("Alice has it", async () => (await texts(laptop, bobId)).includes("is it you?"));
    await laptop.send("bob", "it is");
    await until("Bob has it", async () => (await texts(bob, aliceId)).includes("it is"));
    assert.deepEqual(await keyOf(), before);
    assert.deepEqual((await devices(laptop)).map(({ id }) => id), [1]);
    assert.deepEqual([laptop, phone, bob].flatMap(({ problems }) => problems), []);
  });
});
