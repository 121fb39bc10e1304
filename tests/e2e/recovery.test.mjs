// A recovery code by what a person sees and touches: made and written down on one screen, used on a new one when all others are
// gone. The other person notices nothing; own devices are told. The tests are one story and build on each other.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Device } from "./lib/device.mjs";
import { until } from "./lib/poll.mjs";
import { isRefused } from "./lib/refused.mjs";
import { Relay } from "./lib/relay.mjs";

let relay;
let laptop;
let bob;
let tablet;
let aliceId;
let bobId;
let words;

before(async () => {
  relay = await Relay.start();
  [laptop, bob] = await Promise.all(["Alice's laptop", "Bob's tablet"].map((name) => Device.open(relay, { name })));
  await laptop.register("alice");
  await bob.signUp("bob");
  [aliceId, bobId] = [(await laptop.account()).id, (await bob.account()).id];
  await laptop.send("bob", "Hello");
  await until("Bob has it", async () => (await bob.messages(aliceId).catch(() => [])).length === 1);
  await bob.send(aliceId, "Hi");
  tablet = await Device.open(relay, { name: "Alice's new tablet" });
});

after(async () => {
  for (const device of [laptop, bob, tablet]) await device?.remove();
  await relay?.remove();
});

const shows = (device, testid) => until(`${device.name} shows ${testid}`, async () => device.t(testid).first().isVisible());
const digits = (device, id) => device.call(async (client, whom) => (await client.safetyNumber(whom)).digits, id);
const state = (device) => device.call(async (client) => (await client.recovery()).state);

/** On an open dialog with the words: goes on, and types what is asked for. */
async function writeDown(device) {
  const shown = await device.t("recovery-words").locator("li").allTextContents();
  await device.t("recovery-written").click();
  const asked = device.t("recovery-again");
  await until("two words are asked for", async () => (await asked.count()) === 2);
  for (const at of [0, 1]) {
    const label = await device.page.locator(`label[for=${await asked.nth(at).getAttribute("id")}]`).textContent();
    await asked.nth(at).fill(shown[Number(/\d+/.exec(label)[0]) - 1]);
  }
  await device.t("recovery-check").click();
  await until("it is done", async () => (await device.t("recovery-check-dialog").count()) === 0);
  return shown.join(" ");
}

async function recover(device, typed) {
  await device.t("welcome-gone").click();
  await device.t("recover-handle").fill("alice");
  await device.t("recover-words").fill(typed);
  await device.t("recover-device-name").fill("New tablet");
  await device.t("recover-go").click();
}

describe("a recovery code", { concurrency: false }, () => {
  test("who has one device and no code is reminded, and can put that off", async () => {
    await shows(laptop, "recovery-reminder");
    await laptop.t("reminder-later").click();
    await laptop.reload();
    await laptop.online();
    assert.equal(await state(laptop), "none");
    assert.equal(await laptop.t("recovery-reminder").count(), 0);
    await laptop.page.evaluate(() => {
      for (const key of Object.keys(localStorage)) if (key.includes("reminder")) localStorage.setItem(key, String(Date.now() - 31 * 86_400_000));
    });
    await laptop.reload();
    await shows(laptop, "recovery-reminder");
  });

  test("twelve words are shown once, and two of them are asked for again", async () => {
    await laptop.t("settings-open").click();
    await until("there is none", async () => (await laptop.t("recovery").getAttribute("data-state")) === "none");
    await laptop.t("recovery-make").click();
    await laptop.t("recovery-go").click();
    await laptop.t("recovery-words").waitFor();
    await laptop.t("recovery-written").click();
    for (const at of [0, 1]) await laptop.t("recovery-again").nth(at).fill("nonsense");
    await laptop.t("recovery-check").click();
    assert.equal(await laptop.error(), "recovery_again");
    await laptop.t("recovery-back").click();
    words = await writeDown(laptop);
    assert.equal(words.split(" ").length, 12);
    await until("there is one", async () => (await laptop.t("recovery").getAttribute("data-state")) === "ready");
    assert.ok(!(await laptop.page.content()).includes(words.split(" ").slice(0, 3).join("</li><li>")), "the words are gone from the page");
    await until("the reminder is gone", async () => (await laptop.t("recovery-reminder").count()) === 0);
  });

  test("wrong words say what is wrong", async () => {
    const list = words.split(" ");
    await recover(tablet, ["lockstep", ...list.slice(1)].join(" "));
    await until("a word is unknown", async () => (await tablet.error()) === "recovery_word_unknown");
    assert.match(await tablet.t("error").first().textContent(), /Word 1 /);
    await tablet.t("recover-words").fill(list.slice(1).join(" "));
    await tablet.t("recover-go").click();
    await until("one is missing", async () => (await tablet.error()) === "recovery_words_incomplete");
    await tablet.t("recover-words").fill("legal winner thank year wave sausage worth useful legal winner thank yellow");
    await tablet.t("recover-go").click();
    await until("they are another code", async () => (await tablet.error()) === "recovery_refused");
    await isRefused(tablet, "recovery_none", (client, typed) => client.recover({ handle: "bob", words: typed, deviceName: "x" }), words);
    await isRefused(tablet, "invalid_argument", (client) => client.recover({ handle: "alice", deviceName: "x" }));
    assert.equal(await tablet.state(), "new");
  });

  test("with the words a new browser is the same person, and the other device is told", async () => {
    const before = await digits(bob, aliceId);
    await tablet.t("recover-words").fill(`  ${words.toUpperCase().replaceAll(" ", "\n")} `);
    await tablet.t("recover-go").click();
    await tablet.t("account").waitFor();
    assert.equal((await tablet.account()).id, aliceId);
    await until("the laptop is told", async () => (await laptop.page.locator("[data-testid=error][data-code=recovered]").count()) === 1);
    assert.match(await laptop.page.locator("[data-code=recovered]").textContent(), /New tablet/);
    await bob.send(aliceId, "Who is there?");
    for (const device of [laptop, tablet]) {
      await until("it has come", async () => (await device.messages(bobId).catch(() => [])).some(({ text }) => text === "Who is there?"));
    }
    await tablet.send("bob", "Still me");
    await until("Bob has it", async () => (await bob.messages(aliceId)).some(({ text }) => text === "Still me"));
    assert.deepEqual([await digits(bob, aliceId), await digits(tablet, bobId)], [before, before]);
    assert.equal(await bob.call(async (client, id) => (await client.contacts()).find((one) => one.id === id).keyChanged, aliceId), false);
    assert.equal(await state(tablet), "ready");
  });

  test("a new code made there ends the old one", async () => {
    const next = await tablet.call((client) => client.makeRecoveryCode());
    assert.notEqual(next, words);
    const another = await Device.open(relay, { name: "another", browser: bob.browser, store: "another" });
    await isRefused(another, "recovery_refused", (client, typed) => client.recover({ handle: "alice", words: typed, deviceName: "x" }), words);
    await isRefused(another, "handle_taken", (client) => client.register({ handle: "alice", deviceName: "x", anew: true }));
    await another.remove();
    assert.deepEqual([laptop, tablet, bob].flatMap(({ problems }) => problems), []);
  });
});
