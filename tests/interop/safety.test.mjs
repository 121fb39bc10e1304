// Safety numbers against Signal's official library: the same digits, and each side's code accepted by the other. Then its owner
// goes on with another identity key, which our client shows before it does anything with it.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import * as signal from "@signalapp/libsignal-client";
import { Browser } from "../e2e/lib/browser.mjs";
import { Device } from "../e2e/lib/device.mjs";
import { until } from "../e2e/lib/poll.mjs";
import { isRefused } from "../e2e/lib/refused.mjs";
import { Relay } from "../e2e/lib/relay.mjs";
import { Bob } from "./bob.mjs";
import { uuidBytes } from "./codec.mjs";
import { newStores } from "./stores.mjs";

const ITERATIONS = 5200;
const VERSION = 2;
const SLOW_MS = 250; // nobody waits longer than that for digits, on the slowest machine that runs this

let relay;
let browser;
let laptop;
let phone;
let alice;
let bob;

before(async () => {
  relay = await Relay.start();
  browser = await Browser.open();
  laptop = await Device.open(relay, { name: "laptop", browser, store: "laptop" });
  phone = await Device.open(relay, { name: "phone", browser, store: "phone" });
  bob = await Bob.register(relay.http, "bob");
  alice = (await laptop.signUp("alice")).id;
  await phone.joinTo(laptop);
  await laptop.send("bob", "Hello");
  await bob.until(1);
  await bob.send(alice, "Hello yourself");
  for (const device of [laptop, phone]) await has(device, "Hello yourself");
});

after(async () => {
  await bob?.close();
  await browser?.remove();
  await relay?.remove();
});

const has = (device, text) => until(`${device.name} has “${text}”`, async () =>
  (await device.messages(bob.account)).some((message) => message.text === text));
const number = (device) => device.call(async (client, id) => {
  const { scannable, ...rest } = await client.safetyNumber(id);
  return { ...rest, scannable: [...scannable] };
}, bob.account);
const compare = (device, bytes) => device.call((client, [id, all]) => client.compareSafetyNumber(id, new Uint8Array(all)), [bob.account, [...bytes]]);
const contact = (device) => device.call(async (client, id) => (await client.contacts()).find((one) => one.id === id), bob.account);
const shows = (device, testid) => until(`${device.name} shows ${testid}`, async () => device.t(testid).first().isVisible());

/** As Signal's clients make it, on Bob's side. */
function bobsFingerprint() {
  const { pair, known } = bob.stores.identities;
  return signal.Fingerprint.new(ITERATIONS, VERSION, uuidBytes(bob.account), pair.publicKey, uuidBytes(alice), known.get(alice));
}

describe("safety numbers with Signal's own library", { concurrency: false }, () => {
  test("both show the same digits, and each accepts the code of the other", async () => {
    const theirs = bobsFingerprint();
    const ours = await number(laptop);
    assert.equal(ours.digits.replaceAll(" ", ""), theirs.displayableFingerprint().toString());
    const scanned = signal.ScannableFingerprint._fromBuffer(new Uint8Array(ours.scannable));
    assert.ok(theirs.scannableFingerprint().compare(scanned), "ours is accepted there");
    assert.equal(await compare(laptop, theirs.scannableFingerprint().toBuffer()), "match");
    assert.equal((await number(phone)).digits, ours.digits);
  });

  test("making the digits takes no time that anybody notices", async (t) => {
    const took = await laptop.call(async (client, id) => {
      const times = [];
      for (let n = 0; n < 20; n += 1) {
        const from = performance.now();
        await client.safetyNumber(id);
        times.push(performance.now() - from);
      }
      return times.sort((a, b) => a - b);
    }, bob.account);
    t.diagnostic(`safetyNumber(): median ${took[10].toFixed(1)} ms, slowest ${took.at(-1).toFixed(1)} ms`);
    assert.ok(took[10] < SLOW_MS, `${took[10]} ms`);
  });

  test("another key of somebody verified drops the mark on both devices, sends nothing, and says so more strongly", async () => {
    await laptop.t("conversation").first().click();
    await laptop.call((client, id) => client.verify(id, true), bob.account);
    await shows(laptop, "verified");
    await until("the phone knows", async () => (await contact(phone)).verified);
    bob.stores.identities = newStores().identities;
    bob.stores.sessions = newStores().sessions;
    bob.devices.delete(alice);
    await bob.send(alice, "It is me, with another key");
    await shows(laptop, "key-changed");
    assert.equal(await laptop.t("key-changed").getAttribute("data-verified"), "true");
    assert.match(await laptop.t("key-changed").textContent(), /which you had verified, has changed/);
    assert.equal(await laptop.t("verified").isVisible(), false);
    const before = bob.received.length;
    await isRefused(laptop, "identity_changed", (client, id) => client.send(id, { text: "Nobody gets this" }), bob.account);
    assert.equal(bob.received.length, before);
    await until("the phone shows it too", async () => (await contact(phone)).keyChanged);
    const shown = await number(laptop);
    assert.deepEqual([shown.changed, shown.wasVerified, shown.verified], [true, true, false]);
    assert.equal(shown.digits.replaceAll(" ", ""), bobsFingerprint().displayableFingerprint().toString());
    assert.equal(await compare(laptop, bobsFingerprint().scannableFingerprint().toBuffer()), "match");
  });

  test("the new number is on the screen before anything is accepted", async () => {
    await laptop.t("compare-key").click();
    await shows(laptop, "safety-changed");
    assert.match(await laptop.t("safety-changed").textContent(), /You had verified the one before/);
    assert.equal((await laptop.t("safety-digits").locator("span").allTextContents()).join(""), bobsFingerprint().displayableFingerprint().toString());
    await laptop.t("dialog-leave").click();
    assert.ok((await contact(laptop)).keyChanged, "looking at it accepts nothing");
    assert.deepEqual([...laptop.problems, ...phone.problems], []);
  });
});
