// Bad input and bad luck, each a typed error with a sentence, and nothing lost by it.
// All devices are tabs of one browser, each with a store of its own.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Browser } from "./lib/browser.mjs";
import { Device } from "./lib/device.mjs";
import { kindsOfNonsense, Nonsense } from "./lib/nonsense.mjs";
import { until } from "./lib/poll.mjs";
import { isRefused } from "./lib/refused.mjs";
import { Relay } from "./lib/relay.mjs";
import { isSent } from "./lib/thread.mjs";

let relay;
let browser;
let alice;
let bob;
let bobId;
let aliceId;

const newTab = (store) => Device.open(relay, { name: store, browser, store });

before(async () => {
  relay = await Relay.start({ args: ["--dev", "--max-devices", "2"] });
  browser = await Browser.open();
  [alice, bob] = [await newTab("alice"), await newTab("bob")];
  aliceId = (await alice.signUp("alice")).id;
  bobId = (await bob.signUp("bob")).id;
  await alice.send("bob", "first");
  await until("Bob has it", async () => (await bob.messages(aliceId)).length === 1);
});

after(async () => {
  await browser?.remove();
  await relay?.remove();
});

const texts = async (device, id) => (await device.messages(id)).map(({ text }) => text);

/** What a refused call must not have changed. */
const everything = (device) => device.call(async (client) => JSON.stringify([await client.account(), await client.conversations(), await client.contacts()]));

describe("handles and messages", { concurrency: false }, () => {
  test("an unknown handle is unknown_handle, on the screen too, and the words stay in the composer", async () => {
    const before = await everything(alice);
    await isRefused(alice, "unknown_handle", (client) => client.send("nobody", { text: "hello?" }));
    assert.equal(await everything(alice), before);
    await alice.openChat("nobody");
    await alice.type("hello?");
    await alice.t("error").waitFor();
    assert.equal(await alice.error(), "unknown_handle");
    assert.equal(await alice.t("composer").inputValue(), "hello?");
  });

  test("a taken handle is handle_taken, and another one then works in the same browser", async () => {
    const eve = await newTab("eve");
    await eve.t("welcome-handle").fill("alice");
    await eve.t("welcome-register").click();
    await eve.t("error").waitFor();
    assert.equal(await eve.error(), "handle_taken");
    assert.equal(await eve.state(), "new");
    await isRefused(eve, "handle_invalid", (client) => client.register({ handle: "not a handle!", deviceName: "x" }));
    await eve.register("eve");
    await isRefused(eve, "already_registered", (client) => client.register({ handle: "eve2", deviceName: "x" }));
    await eve.remove();
  });

  test("texts that are empty or over 64 KiB are refused, and one of exactly 64 KiB goes through", async () => {
    const before = await texts(alice, bobId);
    await isRefused(alice, "message_empty", (client) => client.send("bob", { text: "" }));
    await isRefused(alice, "message_too_long", (client) => client.send("bob", { text: "x".repeat(64 * 1024 + 1) }));
    await isRefused(alice, "message_too_long", (client) => client.send("bob", { text: "ü".repeat(32 * 1024) + "x" }));
    assert.deepEqual(await texts(alice, bobId), before);
    const longest = "ü".repeat(32 * 1024);
    await alice.send("bob", longest);
    await until("Bob has it", async () => (await texts(bob, aliceId)).at(-1) === longest);
  });

  test("ids and conversations that do not exist are refused by name", async () => {
    await isRefused(alice, "unknown_conversation", (client) => client.messages("nobody"));
    await isRefused(alice, "unknown_message", (client) => client.markRead("bob", "0".repeat(32)));
    await isRefused(alice, "invalid_argument", (client) => client.markRead("bob", "not an id"));
    await isRefused(alice, "invalid_argument", (client) => client.messages("bob", { limit: 501 }));
  });
});

describe("linking", { concurrency: false }, () => {
  test("texts that are no link of ours are refused for what they are, on the screen too", async () => {
    const cases = { link_uri_malformed: ["nonsense", "", "lockstep://linkdevice?uuid=a", "lockstep://linkdevice?uuid=a&pub_key=AAAA"],
      link_uri_foreign: ["https://example.org/?uuid=a&pub_key=b", "lockstep://other?uuid=a&pub_key=b", "mailto:alice@example.org"] };
    for (const [code, uris] of Object.entries(cases)) {
      for (const uri of uris) await isRefused(alice, code, (client, text) => client.openLink(text), uri);
    }
    await alice.t("devices-open").click();
    await alice.t("link-device-open").click();
    await alice.t("link-device-uri").fill("https://example.org");
    await alice.t("link-device-next").click();
    await alice.t("error").waitFor();
    assert.equal(await alice.error(), "link_uri_foreign");
    await alice.page.keyboard.press("Escape");
  });

  test("a link nobody waits behind any more is link_expired", async () => {
    const gone = await newTab("gone");
    const uri = await gone.offerLink();
    await gone.call(() => window.attempt.cancel());
    await isRefused(gone, "link_cancelled", () => window.attempt.done);
    await isRefused(alice, "link_expired", async (client, text) => (await client.openLink(text)).approve(), uri);
    assert.equal((await alice.call((client) => client.devices())).length, 1);
    await gone.remove();
  });

  test("a declined device is told link_declined, shows it, and can ask again", async () => {
    const asking = await newTab("asking");
    const uri = await asking.askToBeLinked("Asking");
    await alice.lookAtLink(uri);
    await alice.t("link-reject").click();
    await asking.t("link-again").waitFor();
    assert.equal(await asking.error(), "link_declined");
    assert.equal(await asking.state(), "new");
    await asking.t("link-again").click();
    assert.notEqual(await asking.linkText(), uri);
    await asking.remove();
  });

  test("one attempt at a time: a second one meanwhile is link_busy", async () => {
    const eager = await newTab("eager");
    await eager.offerLink();
    await isRefused(eager, "link_busy", (client) => client.link({ deviceName: "Again" }));
    await eager.remove();
  });

  test("the device limit is told on both sides, and the device that was refused can still sign up on its own", async () => {
    const second = await newTab("second");
    await second.joinTo(alice);
    const third = await newTab("third");
    const uri = await third.offerLink();
    await isRefused(alice, "device_limit", async (client, text) => (await client.openLink(text)).approve(), uri);
    assert.equal((await alice.call((client) => client.devices())).length, 2);
    await third.call(() => window.attempt.cancel());
    assert.equal((await third.signUp("third")).deviceId, 1);
    for (const device of [second, third]) await device.remove();
  });
});

describe("the relay", { concurrency: false }, () => {
  test("without a relay: register and link are offline, a known contact's message waits, and the relay's return delivers it", async () => {
    const fresh = await newTab("fresh");
    await relay.stop();
    for (const device of [alice, fresh]) await until("it is seen", () => device.call((client) => client.connection() !== "online"));
    await isRefused(fresh, "offline", (client) => client.register({ handle: "fresh", deviceName: "Fresh" }));
    await isRefused(fresh, "offline", (client) => client.link({ deviceName: "Fresh" }));
    await isRefused(alice, "offline", (client) => client.send("somebody-new", { text: "hello" }));
    await isRefused(alice, "offline", (client) => client.devices());
    const id = await alice.send("bob", "while the relay is down");
    const waiting = (await alice.messages(bobId)).at(-1);
    assert.deepEqual([waiting.id, waiting.status], [id, "queued"]);
    await relay.start();
    await until("Bob has it", async () => (await bob.messages(aliceId)).at(-1).id === id);
    await until("it is sent", async () => isSent((await alice.messages(bobId)).at(-1)));
    assert.equal((await fresh.signUp("fresh")).handle, "fresh");
    await fresh.remove();
  });

  for (const kind of kindsOfNonsense) {
    test(`a relay that sends ${kind} is survived: typed errors, nothing lost, and all is well once it makes sense again`, async () => {
      const fresh = await newTab("nonsense");
      const nonsense = new Nonsense(kind);
      await relay.stop();
      await nonsense.start(relay.port);
      await until("both have met it", () => nonsense.sockets >= 3);
      const refused = await fresh.refusal((client) => client.register({ handle: "nonsense", deviceName: "x" }));
      assert.ok(["offline", "relay_protocol", "relay_refused"].includes(refused.code), `${refused.code}: ${refused.message}`);
      const text = `through ${kind}`;
      const id = await alice.send("bob", text);
      assert.equal(await alice.state(), "ready");
      await nonsense.stop();
      await relay.start();
      await until("Bob has it", async () => (await bob.messages(aliceId)).at(-1).id === id);
      assert.equal((await texts(bob, aliceId)).filter((one) => one === text).length, 1);
      await fresh.remove();
    });
  }

  test("no page trapped or logged an error on the way", () => {
    assert.deepEqual([...alice.problems, ...bob.problems], []);
  });
});
