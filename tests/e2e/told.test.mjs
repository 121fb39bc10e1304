// What people are told of each other and of what is new: receipts, typing, notifications, in real browsers. By the API.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { aliceAndBob } from "./lib/people.mjs";
import { until } from "./lib/poll.mjs";
import { Relay } from "./lib/relay.mjs";

let relay;
let cast;

/** Collects what a browser is told, from now on. */
const listen = (device) =>
  device.call((client) => {
    window.told = [];
    for (const kind of ["typing", "notify"]) client.on(kind, (event) => window.told.push({ kind, ...event }));
  });
const told = (device, kind) => device.call((_, kind) => window.told.filter((event) => event.kind === kind), kind);

before(async () => {
  relay = await Relay.start();
  cast = await aliceAndBob(relay);
  await Promise.all([cast.laptop, cast.phone, cast.bob].map(listen));
});

after(async () => {
  await cast?.remove();
  await relay?.remove();
});

describe("told", { concurrency: false }, () => {
  test("both of Alice's browsers learn that Bob's has a message and that he has read it", async () => {
    const { laptop, phone, bob, aliceId, bobId } = cast;
    const id = await laptop.send("bob", "Do you see this?");
    const stands = (device, status) =>
      until(`${device.name}: ${status}`, async () =>
        (await device.messages(bobId)).find((message) => message.id === id)?.status === status);
    await Promise.all([stands(laptop, "delivered"), stands(phone, "delivered")]);
    await bob.call((client, [whom, id]) => client.markRead(whom, id), [aliceId, id]);
    await Promise.all([stands(laptop, "read"), stands(phone, "read")]);
  });

  test("Bob sees that Alice is writing, and that she has stopped", async () => {
    const { laptop, bob } = cast;
    await laptop.call((client) => client.typing("bob"));
    await until("he sees it", async () => (await told(bob, "typing")).some(({ isTyping }) => isTyping));
    await laptop.call((client) => client.typing("bob", false));
    await until("he sees the end", async () => (await told(bob, "typing")).at(-1).isTyping === false);
  });

  test("what is read on the laptop takes the notification on the phone away", async () => {
    const { laptop, phone, bob, aliceId, bobId } = cast;
    const id = await bob.send(aliceId, "Something new");
    const last = async () => (await told(phone, "notify")).at(-1);
    await until("the phone notifies", async () => (await last())?.text === "Something new");
    await until("the laptop has it", async () => (await laptop.messages(bobId)).some((message) => message.id === id));
    await laptop.call((client, [whom, id]) => client.markRead(whom, id), [bobId, id]);
    await until("the phone takes it back", async () => (await last()).show === false);
  });

  test("a browser that starts with 500 messages notifies once for the conversation", async () => {
    const { phone, bob, aliceId } = cast;
    await phone.close();
    await bob.call(async (client, to) => {
      for (let n = 0; n < 500; n += 50) await Promise.all(Array.from({ length: 50 }, (_, k) => client.send(to, { text: `night ${n + k}` })));
    }, aliceId);
    const sent = ({ text, status }) => text === "night 499" && status !== "queued";
    await until("all is sent", async () => sent((await bob.messages(aliceId)).at(-1)), 120_000);
    await phone.reopen();
    await listen(phone);
    await until("all is there", async () => (await phone.messages(cast.bobId)).at(-1).text === "night 499", 120_000);
    await bob.send(aliceId, "morning");
    await until("it notifies", async () => (await told(phone, "notify")).some(({ text }) => text === "morning"));
    const shown = (await told(phone, "notify")).filter(({ show }) => show);
    assert.ok(shown.length <= 2, `${shown.length} notifications for 501 messages`);
  });

  test("no browser has had a problem", () => {
    for (const device of [cast.laptop, cast.phone, cast.bob]) assert.deepEqual(device.problems, []);
  });
});
