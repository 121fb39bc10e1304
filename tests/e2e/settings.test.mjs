// What is set in one of Alice's browsers holds in the other: application data, drafts, blocks, mutes, settings. By the package's API;
// what the screen shows of it is the demo's business.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { aliceAndBob } from "./lib/people.mjs";
import { until } from "./lib/poll.mjs";
import { Relay } from "./lib/relay.mjs";

let relay;
let people;

before(async () => {
  relay = await Relay.start();
  people = await aliceAndBob(relay);
});

after(async () => {
  await people?.remove();
  await relay?.remove();
});

const withBob = (device) => device.call(async (client, id) =>
  (await client.conversations()).find((conversation) => conversation.id === id), people.bobId);

const onPhone = (what, holds) => until(what, async () => holds(await withBob(people.phone)));

describe("what is set", { concurrency: false }, () => {
  test("application data set on one browser is read, listed and told of on the other", async () => {
    const { laptop, phone } = people;
    await phone.call((client) => {
      window.heard = [];
      window.off = client.app.on("notes/", ({ key, kind }) => window.heard.push([key, kind]));
    });
    await laptop.call(async (client) => {
      await client.app.set("notes/one", { text: "über 🦊", list: [1, 2.5, null, true] });
      await client.app.set("notes/two", new Uint8Array([0, 255, 7]));
      await client.app.set("other/x", "not a note");
    });
    await until("all three are there", () => phone.call(async (client) => (await client.app.get("other/x")) === "not a note"));
    const got = await phone.call(async (client) => {
      const list = await client.app.list("notes/");
      return [list[0], list[1].key, list[1].value instanceof Uint8Array, [...list[1].value], list.length, await client.app.get("notes/none") === undefined];
    });
    const one = { key: "notes/one", value: { text: "über 🦊", list: [1, 2.5, null, true] } };
    assert.deepEqual(got, [one, "notes/two", true, [0, 255, 7], 2, true]);
    const heard = await phone.call(() => window.heard);
    assert.deepEqual([...new Set(heard.map(String))].sort(), ["notes/one,value", "notes/two,value"]);
    await phone.call((client) => {
      window.off();
      return client.app.delete("notes/one");
    });
    await until("it is gone on the laptop", () => laptop.call(async (client) => (await client.app.list("notes/")).length === 1));
  });

  test("counters and sets take what both browsers did while they were apart", async () => {
    const { laptop, phone } = people;
    await phone.goOffline();
    for (const [device, n, element] of [[laptop, 2, "red"], [phone, 40, "blue"]]) {
      await device.call(async (client, [by, colour]) => {
        await client.app.add("game/score", by);
        await client.app.include("tags/colours", colour);
        await client.app.include("tags/colours", "green");
      }, [n, element]);
    }
    await phone.goOnline();
    for (const device of [laptop, phone]) {
      await until("both have all", () => device.call(async (client) => (await client.app.count("game/score")) === 42));
      await until("both have all", () => device.call(async (client) => (await client.app.members("tags/colours")).join() === "blue,green,red"));
    }
  });

  test("a one-off message reaches the other browser as an event", async () => {
    const { laptop, phone } = people;
    await phone.call((client) => {
      window.said = [];
      client.on("app", ({ bytes, device }) => bytes && window.said.push([[...bytes], device]));
    });
    await laptop.call((client) => client.app.send(new Uint8Array([1, 2, 3])));
    await until("it has come", () => phone.call(() => window.said.length === 1));
    assert.deepEqual(await phone.call(() => window.said[0]), [[1, 2, 3], 1]);
  });

  test("drafts, mutes, pins, blocks, names and unread marks are the same in both", async () => {
    const { laptop, phone, bobId } = people;
    await laptop.call(async (client, bob) => {
      await client.setDraft(bob, "Dear Bo");
      await client.mute(bob, Infinity);
      await client.pin(bob, true);
      await client.setContact(bob, { name: "Bobby" });
      await client.verify(bob, true);
      await client.markUnread(bob);
      await client.archive(bob, true);
      await client.block(bob, true);
    }, bobId);
    await onPhone("he is blocked", ({ blocked }) => blocked);
    const shown = await phone.call(async (client, id) => {
      const conversation = (await client.conversations()).find((one) => one.id === id);
      const contact = (await client.contacts()).find((one) => one.id === id);
      const { draft, mutedUntil, pinned, archived, markedUnread, name, request } = conversation;
      return [draft, mutedUntil === Infinity, typeof pinned, archived, markedUnread, name, request, contact.verified, contact.petname];
    }, bobId);
    assert.deepEqual(shown, ["Dear Bo", true, "number", true, true, "Bobby", "accepted", true, "Bobby"]);
    await phone.call(async (client, bob) => {
      await client.block(bob, false);
      await client.setDraft(bob, "");
      await client.mute(bob);
      const messages = await client.messages(bob);
      await client.markRead(bob, messages.at(-1).id);
    }, bobId);
    await until("it is taken back on the laptop", async () => {
      const { blocked, draft, mutedUntil, markedUnread } = await withBob(laptop);
      return !blocked && draft === undefined && mutedUntil === undefined && !markedUnread;
    });
  });

  test("settings and profile hold in both, and after a reload", async () => {
    const { laptop, phone } = people;
    const first = { readReceipts: true, deliveryReceipts: true, typing: true, notifications: "content" };
    assert.deepEqual(await phone.call((client) => client.settings()), first);
    await laptop.call(async (client) => {
      await client.setSettings({ readReceipts: false, notifications: "bare" });
      await client.setProfile({ name: "Alice A." });
    });
    await until("the phone has it", () => phone.call(async (client) => (await client.profile()).name === "Alice A."));
    await phone.reload();
    const now = { ...first, readReceipts: false, notifications: "bare" };
    assert.deepEqual(await phone.call((client) => client.settings()), now);
  });

  test("what can't be kept is refused with a reason", async () => {
    const { laptop } = people;
    const large = await laptop.refusal((client) => client.app.set("a/b", "x".repeat(70_000)));
    assert.equal(large.code, "app_item_too_large");
    assert.equal((await laptop.refusal((client) => client.app.get("no namespace"))).code, "app_key_invalid");
    assert.equal((await laptop.refusal((client) => client.app.set("a/b", () => {}))).code, "invalid_argument");
    assert.equal((await laptop.refusal((client) => client.block("nobody-here", true))).code, "unknown_handle");
  });

  test("no page logged an error on the way", () => {
    const { laptop, phone, bob } = people;
    assert.deepEqual([laptop, phone, bob].flatMap(({ problems }) => problems), []);
  });
});
