// What the browser's storage can do to us, each a typed state with a way back, and nothing deleted or lost by it.
// All devices are tabs of one browser; a tab with the same store is the same device opened again.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Browser } from "./lib/browser.mjs";
import { bumpVersion, counts, damage, settled } from "./lib/database.mjs";
import { Device } from "./lib/device.mjs";
import { until } from "./lib/poll.mjs";
import { isRefused } from "./lib/refused.mjs";
import { Relay } from "./lib/relay.mjs";
import { isSent } from "./lib/thread.mjs";

let relay;
let browser;
let bob;
let bobId;

const tab = (store, init) => Device.open(relay, { name: store, browser, store, init });

/** A device with an account and one message sent to Bob. */
async function inUse(store) {
  const device = await tab(store);
  await device.signUp(store);
  await device.send("bob", `from ${store}`);
  await until("it is sent", async () => isSent((await device.messages(bobId)).at(-1)));
  return device;
}

before(async () => {
  relay = await Relay.start();
  browser = await Browser.open();
  bob = await tab("bob");
  bobId = (await bob.signUp("bob")).id;
});

after(async () => {
  await browser?.remove();
  await relay?.remove();
});

describe("storage", { concurrency: false }, () => {
  test("a second tab with the same store gets store_in_use, the first goes on, and the second takes over when it is gone", async () => {
    const first = await inUse("twice");
    const second = await tab("twice");
    assert.equal(await second.error(), "store_in_use");
    await first.send("bob", "still the owner");
    await first.remove();
    await second.page.getByRole("button", { name: "Continue here" }).click();
    await second.t("account").waitFor();
    assert.equal((await second.messages(bobId)).length, 2);
    await second.send("bob", "the new owner");
    await until("Bob has it", async () => (await bob.messages((await second.account()).id)).length === 3);
    await second.remove();
  });

  test("after close() the same page opens the same store again, and the old client says closed", async () => {
    const device = await inUse("closed");
    await device.call((client) => client.close());
    await isRefused(device, "closed", (client) => client.send("bob", { text: "too late" }));
    const state = await device.page.evaluate(async (relayAddress) => {
      const { Client } = await import("/pkg/lockstep.js");
      const again = await Client.open({ relay: relayAddress, store: "closed" });
      window.lockstep.client = again;
      return again.state();
    }, relay.ws);
    assert.equal(state, "ready");
    assert.equal((await device.messages(bobId)).length, 1);
    await device.remove();
  });

  test("a store made by a newer version is storage_too_new, and every record is left in it", async () => {
    const device = await inUse("newer");
    await settled(device.page, "newer");
    await device.call((client) => client.close());
    const before = await counts(device.page, "newer");
    assert.ok(before.messages > 0);
    await bumpVersion(device.page, "newer");
    await device.reload();
    assert.equal(await device.error(), "storage_too_new");
    assert.deepEqual(await counts(device.page, "newer"), before);
    await device.remove();
  });

  for (const [how, init] of Object.entries({
    "throws a SecurityError on open()": () => {
      IDBFactory.prototype.open = () => {
        throw new DOMException("The operation is insecure.", "SecurityError");
      };
    },
    "throws a SecurityError when it is touched": () => Object.defineProperty(window, "indexedDB", { get() {
      throw new DOMException("Denied for this document.", "SecurityError");
    } }),
    "is not there": () => Object.defineProperty(window, "indexedDB", { value: undefined }),
  })) {
    test(`a browser whose IndexedDB ${how} is storage_refused`, async () => {
      const device = await tab("refused", init);
      assert.equal(await device.error(), "storage_refused");
      assert.deepEqual(device.problems.filter((problem) => !/^console/.test(problem)), []);
      await device.remove();
    });
  }

  test("a full disk is storage_full, what was stored stays, and writing goes on when there is room", async () => {
    const device = await inUse("full");
    const session = await device.page.context().newCDPSession(device.page);
    const quota = (quotaSize) => session.send("Storage.overrideQuotaForOrigin", { origin: relay.http, ...(quotaSize && { quotaSize }) });
    await quota(1);
    const kept = ["from full"];
    // The browser notices within half a minute: it remembers how much room there was.
    await until("the disk is full", async () => {
      const text = `${kept.length} ${"x".repeat(60_000)}`;
      const refused = await device.send("bob", text).then(() => undefined, (error) => error.refused);
      if (!refused) kept.push(text);
      return refused?.code === "storage_full" || (refused && assert.fail(`${refused.code}: ${refused.message}`));
    });
    const texts = async () => (await device.messages(bobId)).map(({ text }) => text);
    assert.deepEqual(await texts(), kept, "what is stored can be read");
    await isRefused(device, "storage_full", (client) => client.send("bob", { text: "still full" }));
    assert.deepEqual(await texts(), kept);
    assert.equal((await device.call((client) => client.conversations())).length, 1);
    await device.reload();
    assert.deepEqual(await texts(), kept, "also in a page opened now");
    await quota();
    await until("it can write again", () => device.send("bob", "room again").catch(() => false));
    kept.push("room again");
    assert.deepEqual(await texts(), kept);
    await until("Bob has it", async () => (await bob.messages((await device.account()).id)).at(-1).text === "room again");
    await device.remove();
  });

  test("a damaged store is storage_damaged, nothing is deleted, and a fresh store is offered", async () => {
    const device = await inUse("damaged");
    await settled(device.page, "damaged");
    await device.call((client) => client.close());
    const before = await counts(device.page, "damaged");
    assert.ok(await damage(device.page, "damaged", "meta"));
    await device.reload();
    assert.equal(await device.error(), "storage_damaged");
    assert.deepEqual(await counts(device.page, "damaged"), before);
    await device.page.getByRole("link", { name: "Set up this browser afresh" }).click();
    await device.t("welcome-handle").waitFor();
    await device.remove();
  });
});
