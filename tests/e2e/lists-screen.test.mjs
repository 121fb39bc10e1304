// Finding messages, and messages that disappear, as a person does it on the screen: by mouse and by keyboard.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { aliceAndBob } from "./lib/people.mjs";
import { until } from "./lib/poll.mjs";
import { Relay } from "./lib/relay.mjs";

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

describe("on the screen", { concurrency: false }, () => {
  test("what somebody wrote long ago is found by a word and shown in its place", async () => {
    const { laptop, bob, aliceId } = people;
    await bob.call(async (client, id) => {
      await client.send(id, { text: "The bakery on Harbour Street closes at noon" });
      for (let n = 1; n <= 250; n += 1) await client.send(id, { text: `Line ${n}` });
    }, aliceId);
    await until("all have come", () => laptop.call(async (client) => (await client.conversations())[0].lastMessage.text === "Line 250"));
    await laptop.t("new-message").fill("harbour BAK");
    const hit = laptop.t("found");
    await hit.waitFor();
    assert.equal(await hit.count(), 1);
    assert.match(await hit.textContent(), /bob.*The bakery on Harbour Street/);
    assert.equal(await hit.locator("mark").textContent(), "Harbour");
    for (let round = 0; round < 2; round += 1) { // the second time in the open conversation
      await laptop.t("new-message").focus();
      await hit.focus();
      await laptop.page.keyboard.press("Enter");
      const message = laptop.page.locator("li.message", { hasText: "The bakery on Harbour Street" });
      await message.waitFor();
      await until("it is on screen", () => message.evaluate((node) => {
        const { top, bottom } = node.getBoundingClientRect();
        return top >= 0 && bottom <= innerHeight && node.classList.contains("marked");
      }));
      assert.match(await laptop.page.evaluate(() => location.hash), /^#\/c\/[^/]+$/);
      await until("the mark ends", () => message.evaluate((node) => !node.classList.contains("marked")));
    }
    await laptop.t("new-message").fill("no such words");
    await until("nothing is said to be found", async () => (await laptop.t("found-note").textContent()) === "No message has these words.");
    await laptop.page.keyboard.press("Escape");
    assert.equal(await hit.count(), 0);
    assert.deepEqual(laptop.problems, []);
  });

  test("disappearing messages are set in a menu, said in the conversation on both sides, and marked", async () => {
    const { laptop, bob } = people;
    await laptop.t("conversation").first().click();
    await laptop.t("conversation-open").click();
    await laptop.t("set-timer").click();
    await laptop.t("timer-dialog").getByRole("button", { name: "1 day" }).click();
    await until("the head says so", async () => (await laptop.page.locator(".chat-sub").textContent())=== "Disappear after 1 day");
    assert.match(await laptop.t("timer-note").last().textContent(), /^You set messages to disappear 1 day after they are read\.$/);
    await until("Bob's list says so", async () => (await bob.t("conversation").first().textContent()).includes("Disappearing messages: 1 day"));
    await bob.t("conversation").first().click();
    await until("Bob sees who", async () => /^alice set messages/.test(await bob.t("timer-note").last().textContent()));
    await bob.t("composer").fill("For a day");
    await bob.page.keyboard.press("Enter");
    const message = laptop.page.locator("li.message", { hasText: "For a day" });
    await message.getByRole("img", { name: "Disappears 1 day after it was read" }).waitFor();
    await bob.t("conversation-open").click();
    await bob.t("set-timer").click();
    assert.equal(await bob.t("timer-dialog").getByRole("button", { name: "1 day" }).getAttribute("aria-pressed"), "true");
    await bob.t("timer-dialog").getByRole("button", { name: "Off" }).click();
    await until("it is off", async () => (await laptop.t("timer-note").last().textContent()) === "bob turned disappearing messages off.");
    assert.deepEqual([...laptop.problems, ...bob.problems], []);
  });
});
