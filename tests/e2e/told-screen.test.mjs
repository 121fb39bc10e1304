// What people are told of each other, on the screen: that one is writing, that a message has arrived and was read, and a
// notification while they look elsewhere. The tests are one story and build on each other.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { byId, idOf } from "./lib/acts.mjs";
import { aliceAndBob } from "./lib/people.mjs";
import { until } from "./lib/poll.mjs";
import { Relay } from "./lib/relay.mjs";

let relay;
let cast;

before(async () => {
  relay = await Relay.start();
  cast = await aliceAndBob(relay);
  for (const device of [cast.laptop, cast.phone]) await device.t("conversation").first().click();
});

after(async () => {
  await cast?.remove();
  await relay?.remove();
});

const hasStatus = (device, id, status, words) => until(`${device.name} shows “${words}”`, async () =>
  (await byId(device, id).getAttribute("data-status")) === status
  && (await byId(device, id).locator(".bubble-state").getByRole("img", { name: words, exact: true }).count()) === 1);

describe("what is told, on the screen", { concurrency: false }, () => {
  test("a message has two ticks on both screens once it has arrived, and two filled ones once it was read", async () => {
    const { laptop, phone, bob } = cast;
    await laptop.type("Have you seen this?");
    const id = await idOf(laptop, "Have you seen this?");
    for (const device of [laptop, phone]) await hasStatus(device, id, "delivered", "Delivered");
    await bob.t("conversation").first().click();
    for (const device of [laptop, phone]) await hasStatus(device, id, "read", "Read");
    await until("the list says it too", async () =>
      (await phone.t("conversation").first().getByRole("img", { name: "Read", exact: true }).count()) === 1);
  });

  test("that Bob is writing is shown on both screens, and not any more when his message comes", async () => {
    const { laptop, phone, bob } = cast;
    await bob.t("composer").pressSequentially("I");
    for (const device of [laptop, phone]) {
      await until("it says so", async () => /bob is writing/i.test(await device.t("typing").textContent()));
      await until("the list says so", async () => /is writing/.test(await device.t("conversation").first().textContent()));
    }
    await bob.t("composer").pressSequentially(" have");
    await bob.t("send").click();
    for (const device of [laptop, phone]) {
      await device.sees("I have");
      await until("it no longer says so", async () => (await device.t("typing").textContent()) === "");
    }
  });

  test("while Bob looks elsewhere he is notified, with as much as he wants shown, until he has read it", async () => {
    const { laptop, bob } = cast;
    await bob.page.keyboard.press("Escape");
    await bob.page.evaluate(() => {
      window.notified = [];
      document.hasFocus = () => false;
      window.Notification = class extends EventTarget {
        static permission = "granted";
        constructor(title, { body }) {
          super();
          window.notified.push({ title, body, closed: false });
          this.at = window.notified.length - 1;
        }
        close() {
          window.notified[this.at].closed = true;
        }
      };
    });
    let seen;
    const shown = (right) => until("Bob is notified", async () => {
      seen = await bob.page.evaluate(() => window.notified);
      return right(seen.at(-1));
    }, 20_000).catch((error) => assert.fail(`${error.message}: ${JSON.stringify(seen)}`));
    await laptop.type("Are you there?");
    await shown((one) => one?.title === "alice" && one.body === "Are you there?" && !one.closed);
    await bob.call((client) => client.setSettings({ notifications: "bare" }));
    await laptop.type("Hello?");
    await shown((one) => one.title === "Lockstep" && one.body === "2 new messages" && !one.closed);
    await bob.t("conversation").first().click();
    await shown((one) => one.closed);
  });

  test("no page logged an error or broke the policy on the way", () => {
    assert.deepEqual([cast.laptop, cast.phone, cast.bob].flatMap(({ problems }) => problems), []);
  });
});
