// What must hold of a conversation on several devices: the same messages, in the same order, each once.
import assert from "node:assert/strict";
import { PATIENCE_MS, until } from "./poll.mjs";

const gist = ({ id, text, author, kind, sentAt }) => ({ id, text, author, kind, sentAt });

/** Waits until each device's thread with `conversation` holds `count` messages, then compares all of it. */
export async function sameThread(devices, conversation, count) {
  const threads = [];
  for (const device of devices) {
    let last = 0;
    await until(`${device.name} has ${count} messages`, async () => (last = (await device.messages(conversation)).length) >= count, PATIENCE_MS)
      .catch((error) => assert.fail(`${error.message}, but ${last}`, { cause: error }));
    threads.push(await device.messages(conversation));
  }
  const [first] = threads;
  assert.equal(first.length, count, `${devices[0].name} has ${first.length} messages instead of ${count}`);
  for (const [at, thread] of threads.entries()) {
    assert.equal(new Set(thread.map(({ id }) => id)).size, thread.length, `${devices[at].name} has a message twice`);
    assert.deepEqual(thread.map(gist), first.map(gist), `${devices[at].name} has another thread than ${devices[0].name}`);
  }
  return first;
}

/** The texts of a thread by one author. */
export const textsOf = (thread, author) => thread.filter((message) => message.author === author).map(({ text }) => text);

/** Waits until the screen shows exactly these ids in this order. */
export async function showsThread(device, thread) {
  const ids = thread.map(({ id }) => id);
  await until(`${device.name} shows ${ids.length} messages`, async () => {
    const shown = (await device.shown()).map(({ id }) => id);
    return JSON.stringify(shown) === JSON.stringify(ids.slice(-shown.length)) && shown.length >= Math.min(ids.length, 50);
  });
}
