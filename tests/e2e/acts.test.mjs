// What is done to a message in one browser is seen in all: Alice's other one and Bob's. By the API; the screen has its
// own tests.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { aliceAndBob } from "./lib/people.mjs";
import { until } from "./lib/poll.mjs";
import { Relay } from "./lib/relay.mjs";
import { isRefused } from "./lib/refused.mjs";

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

const thread = (device) => device.messages(device === cast.bob ? cast.aliceId : cast.bobId);

/** Waits until the message is as `right` says, on every device; gives what they see. */
async function everywhere(what, id, right) {
  for (const device of [cast.laptop, cast.phone, cast.bob]) {
    await until(`${device.name}: ${what}`, async () => {
      const message = (await thread(device)).find((one) => one.id === id);
      return right(message);
    });
  }
}

const work = (client, [name, given]) => client[name](...given);
const call = (device, method, ...args) => device.call(work, [method, args]);

describe("acts", { concurrency: false }, () => {
  let id;

  test("an edit on the phone of what the laptop wrote is seen by all, with what it said before", async () => {
    id = await call(cast.laptop, "send", "bob", { text: "Helo again" });
    await everywhere("is there", id, (message) => message?.text === "Helo again");
    await call(cast.phone, "edit", id, { text: "Hello again" });
    await everywhere("is edited", id, (message) =>
      message.text === "Hello again" && message.earlier.map(({ text }) => text).join() === "Helo again");
  });

  test("reactions of both people are seen by all, and go when taken back", async () => {
    await call(cast.bob, "react", id, "👍");
    await call(cast.phone, "react", id, "🎉");
    await everywhere("two reactions", id, (message) =>
      message.reactions.map(({ emoji }) => emoji).sort().join() === ["🎉", "👍"].sort().join());
    await call(cast.laptop, "react", id);
    await everywhere("one reaction", id, (message) => message.reactions.map(({ emoji }) => emoji).join() === "👍");
  });

  test("an answer quotes what it answers", async () => {
    const answer = await call(cast.bob, "send", cast.aliceId, { text: "Hello!", quote: id });
    await everywhere("quotes", answer, (message) =>
      message?.quote?.id === id && message.quote.author === cast.aliceId && message.quote.text === "Hello again");
  });

  test("what the other person wrote can't be edited or deleted for everyone", async () => {
    for (const [method, options] of [["edit", { text: "mine" }], ["remove", { everyone: true }]]) {
      await isRefused(cast.bob, "not_author", work, [method, [id, options]]);
    }
  });

  test("deleted for oneself it goes on both of Alice's browsers and stays with Bob", async () => {
    const theirs = await call(cast.bob, "send", cast.aliceId, { text: "Only for you" });
    await everywhere("is there", theirs, (message) => message?.text === "Only for you");
    await call(cast.phone, "remove", theirs);
    for (const device of [cast.laptop, cast.phone]) {
      await until("it is gone", async () => (await thread(device)).every((message) => message.id !== theirs));
    }
    assert.ok((await thread(cast.bob)).some((message) => message.id === theirs));
  });

  test("deleted for everyone it says nothing anywhere, also after a reload", async () => {
    await call(cast.laptop, "remove", id, { everyone: true });
    const empty = (message) => message.kind === "deleted" && message.text === "" && message.reactions.length === 0;
    await everywhere("is deleted", id, empty);
    await cast.phone.reload();
    await everywhere("is deleted", id, empty);
  });

  test("no browser has had a problem", () => {
    for (const device of [cast.laptop, cast.phone, cast.bob]) assert.deepEqual(device.problems, []);
  });
});
