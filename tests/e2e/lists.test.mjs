// What a page finds and follows without putting events together: pages both ways, search, lists that stay in step; and messages
// that disappear from them. By the package's API.
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

const lastOf = (device, id) => device.call(async (client, other) => (await client.messages(other)).at(-1), id);

describe("lists", { concurrency: false }, () => {
  test("a conversation is paged both ways, and search finds words, parts of words and capital letters", async () => {
    const { laptop, phone, bobId } = people;
    await laptop.call(async (client, id) => {
      for (let n = 0; n < 60; n += 1) await client.send(id, { text: n % 20 === 7 ? `Der Haushaltsentwurf Nr. ${n}` : `Zeile ${n}` });
    }, bobId);
    await until("the phone has them", async () => (await lastOf(phone, bobId)).text === "Zeile 59");
    const pages = await phone.call(async (client, id) => {
      const texts = (list) => list.map(({ text }) => text);
      const newest = await client.messages(id, { limit: 10 });
      const before = await client.messages(id, { before: newest[0].id, limit: 5 });
      const after = await client.messages(id, { after: before[4].id, limit: 3 });
      return [texts(before), texts(after)];
    }, bobId);
    assert.deepEqual(pages[0], ["Zeile 45", "Zeile 46", "Der Haushaltsentwurf Nr. 47", "Zeile 48", "Zeile 49"]);
    assert.deepEqual(pages[1], ["Zeile 50", "Zeile 51", "Zeile 52"]);

    const search = (...args) => phone.call(async (client, args) => (await client.search(...args)).map(({ text }) => text), args);
    for (let round = 0; round < 2; round += 1) { // the second time from blocks
      assert.deepEqual(await search("ENTWURF haushalt"), [47, 27, 7].map((n) => `Der Haushaltsentwurf Nr. ${n}`));
      await phone.call(() => new Promise((resolve) => setTimeout(resolve, 1000)));
    }
    const [first] = await phone.call((client) => client.search("entwurf", { limit: 1 }));
    assert.deepEqual(await phone.call(async (client, id) => (await client.search("entwurf", { before: id, limit: 1 }))[0].text, first.id), "Der Haushaltsentwurf Nr. 27");
    assert.deepEqual(await search("entwurf", { conversation: bobId, limit: 2 }), ["Der Haushaltsentwurf Nr. 47", "Der Haushaltsentwurf Nr. 27"]);
    const codes = await phone.call(async (client) => {
      const code = (promise) => promise.then(() => "none", (error) => error.code);
      const aborted = AbortSignal.abort();
      return Promise.all([code(client.search("")), code(client.search("x".repeat(300))), code(client.search("a", { before: "f".repeat(32) })),
        code(client.search("a", { conversation: "nobody" })), code(client.search("a", { limit: 0 })), code(client.search("a", { signal: aborted }))]);
    });
    assert.deepEqual(codes, ["invalid_argument", "invalid_argument", "unknown_message", "unknown_conversation", "invalid_argument", "aborted"]);
  });

  test("a subscription gives what there is now, then what has changed, until it is stopped", async () => {
    const { laptop, phone, bob, aliceId, bobId } = people;
    await phone.call((client, id) => {
      window.lists = [];
      window.heads = [];
      window.sub = client.subscribe({ messages: id, limit: 2 }, (now) => window.lists.push(now));
      window.all = client.subscribe("conversations", ({ conversations }) => window.heads.push(conversations.map(({ unread, lastMessage }) => [unread, lastMessage.text])));
    }, bobId);
    const now = () => phone.call(() => window.lists.at(-1));
    const texts = async () => (await now())?.messages.map(({ text }) => text).join("|");
    await until("the list is there", async () => (await texts()) === "Zeile 58|Zeile 59");
    assert.equal((await now()).hasEarlier, true);
    await bob.call((client, id) => client.send(id, { text: "from Bob" }), aliceId);
    await until("Bob's is in it", async () => (await texts()) === "Zeile 59|from Bob");
    await until("it is counted", () => phone.call(() => window.heads.at(-1).join() === "2,from Bob"));
    await laptop.call(async (client, id) => {
      const [last] = (await client.messages(id)).slice(-1);
      await client.react(last.id, "👍");
      await client.markRead(id, last.id);
    }, bobId);
    await until("so is what was done on the laptop", async () => (await now()).messages[1].reactions[0]?.emoji === "👍");
    await until("it is read", () => phone.call(() => window.heads.at(-1).join() === "0,from Bob"));
    await phone.call(() => window.sub.earlier(50));
    await until("there is more", async () => (await now()).messages.length === 52);
    await phone.call(() => window.sub.earlier(500));
    await until("there is all", async () => (await now()).hasEarlier === false);
    const calls = await phone.call(() => {
      window.sub.stop();
      window.sub.stop();
      window.all.stop();
      return window.lists.length;
    });
    await bob.call((client, id) => client.send(id, { text: "nobody listens" }), aliceId);
    await until("it has come", async () => (await lastOf(phone, bobId)).text === "nobody listens");
    assert.equal(await phone.call(() => window.lists.length), calls);
    const codes = await phone.call((client) => {
      const code = (call) => {
        try {
          call();
          return "none";
        } catch (error) {
          return error.code;
        }
      };
      const listen = () => {};
      return [code(() => client.subscribe("people", listen)), code(() => client.subscribe({}, listen)), code(() => client.subscribe("contacts")), code(() => client.subscribe({ messages: "bob", limit: 0.5 }, listen))];
    });
    assert.deepEqual(codes, ["invalid_argument", "invalid_argument", "invalid_argument", "invalid_argument"]);
  });

  test("messages disappear on all three browsers, where they were sent and where they were read", async () => {
    const { laptop, phone, bob, aliceId, bobId } = people;
    await laptop.call((client, id) => client.setTimer(id, 3), bobId);
    for (const [device, id] of [[phone, bobId], [bob, aliceId]]) {
      await until("the timer is known", async () => (await lastOf(device, id)).kind === "timer");
      assert.equal((await lastOf(device, id)).timer, 3);
      assert.equal(await device.call(async (client) => (await client.conversations())[0].timer), 3);
    }
    await bob.call((client, id) => client.send(id, { text: "for three seconds" }), aliceId);
    for (const device of [laptop, phone]) await until("it has come", async () => (await lastOf(device, bobId)).text === "for three seconds");
    await until("it has gone at Bob's", async () => (await lastOf(bob, aliceId)).kind === "timer");
    const message = await lastOf(phone, bobId);
    assert.deepEqual([message.text, message.disappearsAt], ["for three seconds", undefined]);
    await phone.call((client, [id, message]) => client.markRead(id, message), [bobId, message.id]);
    for (const device of [laptop, phone]) await until("it goes once it was read", async () => (await lastOf(device, bobId)).kind === "timer");
    assert.deepEqual(await phone.call((client) => client.search("three seconds")), []);
    await bob.call((client, id) => client.setTimer(id, 0), aliceId);
    await until("it is off", () => phone.call(async (client) => (await client.conversations())[0].timer === undefined));
    const refused = await phone.call((client, id) => client.setTimer(id, 4 * 7 * 24 * 3600 + 1).catch((error) => error.code), bobId);
    assert.equal(refused, "invalid_argument");
  });
});
