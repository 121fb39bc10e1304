// What must hold of a conversation on several devices: the same messages, in the same order, each once.
import assert from "node:assert/strict";
import { until } from "./poll.mjs";

/** Whether the relay has taken a message of ours; perhaps its reader has it by now. */
export const isSent = (message) => ["sent", "delivered", "read"].includes(message?.status);

const gist = ({ id, text, author, kind }) => ({ id, text, author, kind });

/**
 * Waits until the end of each device's thread holds `texts`, as a set, and no more comes; then compares ids, order, texts
 * and authors. Resolves to that part of the thread. `conversation(device)` is what the device calls the thread.
 */
export async function sameThread(devices, conversation, texts) {
  const expected = [...texts].sort();
  const threads = [];
  for (const device of devices) {
    let last = [];
    const arrived = async () => {
      last = await device.messages(conversation(device));
      const end = last.slice(-texts.length).map(({ text }) => text).sort();
      return JSON.stringify(end) === JSON.stringify(expected);
    };
    await until(`${device.name} has ${texts.length} messages`, arrived).catch(() =>
      assert.deepEqual(last.slice(-texts.length).map(({ text }) => text), texts, `the thread of ${device.name}`));
    assert.equal(new Set(last.map(({ id }) => id)).size, last.length, `${device.name} has a message twice`);
    threads.push(last.slice(-texts.length));
  }
  for (const [at, thread] of threads.entries()) {
    assert.deepEqual(thread.map(gist), threads[0].map(gist), `${devices[at].name} has another thread than ${devices[0].name}`);
  }
  return threads[0];
}

/** Waits until the screen ends with exactly these messages. */
export async function showsThread(device, ids) {
  const wanted = JSON.stringify(ids);
  await until(`${device.name} shows ${ids.length} messages`, async () =>
    JSON.stringify((await device.shown()).slice(-ids.length).map(({ id }) => id)) === wanted);
}
