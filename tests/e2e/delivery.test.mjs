// Nothing lost, nothing twice, the same order on all of a person's devices, whatever is closed, reloaded or killed meanwhile.
// All of it on one relay and three browsers, each with a profile on disk.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { aliceAndBob } from "./lib/people.mjs";
import { until } from "./lib/poll.mjs";
import { Relay } from "./lib/relay.mjs";
import { isSent, sameThread } from "./lib/thread.mjs";

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

const numbered = (word, count) => Array.from({ length: count }, (_, n) => `${word} ${n}`);

/** All three hold these texts at the end of the thread, in this order. */
async function everywhere(texts) {
  const { laptop, phone, bob, aliceId, bobId } = people;
  const thread = await sameThread([laptop, phone, bob], (device) => (device === bob ? aliceId : bobId), texts);
  assert.deepEqual(thread.map(({ text }) => text), texts);
  return thread;
}

/** Starts sends and awaits none. What resolved is kept in the page's session storage, which survives a reload. */
const startSending = (device, to, texts) => device.call((client, [whom, all]) => {
  sessionStorage.resolved = "[]";
  const note = (text) => (id) => {
    sessionStorage.resolved = JSON.stringify([...JSON.parse(sessionStorage.resolved), [id, text]]);
  };
  for (const text of all) client.send(whom, { text }).then(note(text), () => {});
}, [to, texts]);

const resolved = (device) => device.page.evaluate(() => JSON.parse(sessionStorage.resolved));

/** Everything that resolved is stored once, in order; what did not resolve may be stored or not, but never out of order. */
async function keptWhatResolved(device, sent, texts) {
  const stored = (await device.messages(people.bobId)).filter(({ text }) => texts.includes(text));
  for (const [id, text] of sent) assert.equal(stored.filter((message) => message.id === id && message.text === text).length, 1, text);
  assert.equal(new Set(stored.map(({ text }) => text)).size, stored.length);
  assert.deepEqual(stored.map(({ text }) => text), texts.slice(0, stored.length));
  return stored.map(({ text }) => text);
}

describe("delivery", { concurrency: false }, () => {
  test("50 messages from Bob while a linked browser is closed arrive in order on reopening, none twice", async () => {
    const { laptop, phone, bob, aliceId } = people;
    await phone.close();
    const texts = numbered("while the phone is closed", 50);
    for (const text of texts) await bob.send(aliceId, text);
    await until("the laptop has them", async () => (await laptop.messages(people.bobId)).some(({ text }) => text === texts.at(-1)));
    await phone.reopen();
    await everywhere(texts);
    await phone.reload();
    await everywhere(texts);
  });

  test("a reload in the middle of sending: what had resolved is everywhere exactly once and in order", async () => {
    const { laptop } = people;
    const texts = numbered("before the reload", 20);
    await startSending(laptop, "bob", texts);
    await until("a few have resolved", async () => (await resolved(laptop)).length >= 3);
    await laptop.reload();
    const kept = await keptWhatResolved(laptop, await resolved(laptop), texts);
    await laptop.send("bob", "after the reload");
    await everywhere([...kept, "after the reload"]);
  });

  test("a reload at once, with 20 sends just begun, loses none that resolved", async () => {
    const { laptop } = people;
    const texts = numbered("just begun", 20);
    await startSending(laptop, "bob", texts);
    await laptop.reload();
    const kept = await keptWhatResolved(laptop, await resolved(laptop), texts);
    await laptop.send("bob", "after all that");
    await everywhere([...kept, "after all that"]);
  });

  test("the relay killed and started again in the middle of sending: all of it arrives once and in order", async () => {
    const { phone, bob, aliceId } = people;
    const texts = numbered("through a crash", 30);
    await startSending(phone, "bob", texts);
    await until("the relay has some", async () => (await bob.messages(aliceId)).some(({ text }) => text === texts[2]));
    await relay.kill();
    await relay.start();
    await everywhere(texts);
    const statuses = (await phone.messages(people.bobId)).slice(-30).map(({ status }) => status);
    await until("all are sent", async () => (await phone.messages(people.bobId)).slice(-30).every(isSent))
      .catch(() => assert.fail(`${statuses}`));
  });

  test("a browser killed right after send() resolved: the message is delivered after reopening, once, and is on both", async () => {
    const { laptop } = people;
    const id = await laptop.send("bob", "my last words");
    await laptop.browser.kill();
    await laptop.reopen();
    const thread = await everywhere(["my last words"]);
    assert.equal(thread[0].id, id);
  });

  test("a browser killed right after send() resolved while the relay was down delivers it too", async () => {
    const { phone } = people;
    await relay.kill();
    const ids = [await phone.send("bob", "into the void"), await phone.send("bob", "and once more")];
    await phone.browser.kill();
    await relay.start();
    await phone.reopen();
    const thread = await everywhere(["into the void", "and once more"]);
    assert.deepEqual(thread.map(({ id }) => id), ids);
  });

  test("no page logged an error on the way", () => {
    const { laptop, phone, bob } = people;
    assert.deepEqual([laptop, phone, bob].flatMap(({ problems }) => problems), []);
  });
});
