// What a person sets on one of their screens is seen on the other: drafts, what is pinned, muted, archived and marked unread,
// names, blocks, answers to strangers. The tests are one story and build on each other.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Device } from "./lib/device.mjs";
import { aliceAndBob } from "./lib/people.mjs";
import { until } from "./lib/poll.mjs";
import { Relay } from "./lib/relay.mjs";

let relay;
let cast;
let carol;
let dave;

before(async () => {
  relay = await Relay.start();
  cast = await aliceAndBob(relay);
  const stranger = (name) => Device.open(relay, { name, browser: cast.bob.browser, store: name });
  [carol, dave] = [await stranger("carol"), await stranger("dave")];
  await carol.signUp("carol");
  await dave.signUp("dave");
  for (const device of [cast.laptop, cast.phone]) await open(device, "bob");
});

after(async () => {
  await cast?.remove();
  await relay?.remove();
});

const row = (device, name) => device.t("conversation").filter({ hasText: name });
const open = async (device, name) => {
  await row(device, name).click();
  await until(`${name} is open`, async () => new RegExp(name, "i").test(await device.page.locator(".chat-name").textContent()));
};

/** Chooses a line of the menu of the conversation that is open. */
async function set(device, testid) {
  await device.t("conversation-open").click();
  await device.t(testid).click();
}

const has = (device, locator, what) => until(`${device.name} shows ${what}`, async () => (await locator.count()) > 0);
const hasNot = (device, locator, what) => until(`${device.name} does not show ${what}`, async () => (await locator.count()) === 0);
const draftIs = (device, text) => until(`${device.name} has the draft “${text}”`, async () => (await device.t("composer").inputValue()) === text);
const flag = (device, name, label) => row(device, name).getByRole("img", { name: label });

describe("settings on the screen", { concurrency: false }, () => {
  test("what is being written on one screen goes on on the other, also after a reload, until it is sent from there", async () => {
    const { laptop, phone } = cast;
    await laptop.t("composer").pressSequentially("Shall we");
    await draftIs(phone, "Shall we");
    await phone.t("composer").press("End");
    await phone.t("composer").pressSequentially(" meet?");
    await draftIs(laptop, "Shall we meet?");
    await laptop.reload();
    await draftIs(laptop, "Shall we meet?");
    await phone.t("send").click();
    await draftIs(laptop, "");
    await laptop.sees("Shall we meet?");
    assert.equal(await phone.t("composer").inputValue(), "");
  });

  test("a draft stands in the list while another conversation is open", async () => {
    const { laptop, phone } = cast;
    await carol.send("alice", "I am Carol");
    for (const device of [laptop, phone]) await has(device, row(device, "carol"), "a stranger");
    await phone.t("composer").fill("half a sentence");
    await draftIs(laptop, "half a sentence");
    await open(laptop, "carol");
    await has(laptop, row(laptop, "bob").getByTestId("row-draft"), "the draft");
    assert.match(await row(laptop, "bob").textContent(), /Draft: half a sentence/);
    await phone.t("composer").fill("");
    await hasNot(laptop, laptop.t("row-draft"), "a draft");
  });

  test("a stranger is asked about on both screens until one of them accepts", async () => {
    const { laptop, phone } = cast;
    await open(phone, "carol");
    for (const device of [laptop, phone]) await has(device, device.t("request"), "the question");
    await phone.t("request-accept").click();
    for (const device of [laptop, phone]) await hasNot(device, device.t("request"), "the question");
    assert.equal((await laptop.call((client) => client.contacts())).find(({ handle, name }) => (handle ?? name) === "carol").request, "accepted");
  });

  test("a stranger who is declined can still be accepted", async () => {
    const { laptop, phone } = cast;
    await dave.send("alice", "Buy this!");
    for (const device of [laptop, phone]) await has(device, row(device, "dave"), "another stranger");
    for (const device of [laptop, phone]) await open(device, "dave");
    await laptop.t("request-decline").click();
    await has(phone, phone.t("request-declined"), "that they were declined");
    await phone.t("request-accept").click();
    for (const device of [laptop, phone]) await hasNot(device, device.t("request-declined"), "that they were declined");
  });

  test("who is blocked can't be written to on either screen until they are unblocked", async () => {
    const { laptop, phone } = cast;
    await set(laptop, "set-block");
    await laptop.t("block-confirm").click();
    for (const device of [laptop, phone]) {
      await has(device, device.t("blocked"), "that they are blocked");
      assert.equal(await device.t("composer").isVisible(), false);
      await has(device, flag(device, "dave", "Blocked"), "the mark in the list");
    }
    await phone.t("unblock").click();
    for (const device of [laptop, phone]) await hasNot(device, device.t("blocked"), "that they are blocked");
    assert.equal(await laptop.t("composer").isVisible(), true);
  });

  test("what is pinned stands first on both screens, and what is muted says so", async () => {
    const { laptop, phone } = cast;
    const first = async (device) => device.t("conversation").first().textContent();
    assert.doesNotMatch(await first(phone), /bob/);
    await open(laptop, "bob");
    await set(laptop, "set-pin");
    await until("it is first on the phone", async () => /bob/.test(await first(phone)));
    await set(laptop, "set-mute");
    await laptop.t("mute-for").last().click();
    await has(phone, flag(phone, "bob", "Muted"), "that it is muted");
    await set(laptop, "set-mute");
    await hasNot(phone, flag(phone, "bob", "Muted"), "that it is muted");
    await set(laptop, "set-pin");
    await until("it is no longer first", async () => !/bob/.test(await first(phone)));
  });

  test("a name that one gave is shown on both screens, and none but one's own", async () => {
    const { laptop, phone, bob } = cast;
    await set(laptop, "set-name");
    await laptop.t("petname").fill("Bobby B.");
    await laptop.t("petname-save").click();
    for (const device of [laptop, phone]) await has(device, row(device, "Bobby B."), "the name");
    assert.equal(await laptop.page.locator(".chat-name").textContent(), "Bobby B.");
    assert.equal((await bob.t("account").textContent()).includes("Bobby"), false);
    await set(laptop, "set-name");
    await laptop.t("petname").fill("");
    await laptop.page.keyboard.press("Enter");
    await hasNot(phone, row(phone, "Bobby B."), "the name");
  });

  test("what is put away leaves both lists, and is found below them", async () => {
    const { laptop, phone } = cast;
    await open(laptop, "dave");
    await set(laptop, "set-archive");
    for (const device of [laptop, phone]) await hasNot(device, row(device, "dave"), "it in the list");
    await phone.t("archive-toggle").click();
    await open(phone, "dave");
    await set(phone, "set-archive");
    for (const device of [laptop, phone]) await has(device, row(device, "dave"), "it in the list");
  });

  test("what is marked as unread has a mark on both screens until it is opened on one", async () => {
    const { laptop, phone } = cast;
    await open(laptop, "bob");
    await set(laptop, "set-unread");
    const marked = (device) => row(device, "bob").and(device.page.locator("[data-marked=true]"));
    for (const device of [laptop, phone]) await has(device, marked(device), "the mark");
    await open(phone, "bob");
    for (const device of [laptop, phone]) await hasNot(device, marked(device), "the mark");
  });

  test("settings and the own name are the same on both screens, whichever changes them", async () => {
    const { laptop, phone } = cast;
    for (const device of [laptop, phone]) await device.t("settings-open").click();
    await laptop.t("profile-name").fill("Alice A.");
    await laptop.t("profile-save").click();
    await until("the phone has the name", async () => (await phone.t("profile-name").inputValue()) === "Alice A.");
    for (const key of ["readReceipts", "deliveryReceipts", "typing"]) assert.equal(await phone.t(`setting-${key}`).isChecked(), true, key);
    await phone.t("setting-typing").uncheck();
    await until("the laptop has it off", async () => !(await laptop.t("setting-typing").isChecked()));
    await laptop.t("notifications-bare").check();
    await until("the phone has the choice", () => phone.t("notifications-bare").isChecked());
    assert.equal(await phone.t("setting-readReceipts").isChecked(), true, "the others stay");
    await laptop.page.keyboard.press("Escape");
    await laptop.t("settings").waitFor({ state: "detached" });
    await phone.t("setting-typing").check();
  });

  test("no page logged an error or broke the policy on the way", () => {
    assert.deepEqual([cast.laptop, cast.phone, cast.bob, carol, dave].flatMap(({ problems }) => problems), []);
  });
});
