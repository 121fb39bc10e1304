// What is done to a message on one screen is seen on the other screen of the same person and on the other person's: answers,
// edits, reactions, deletions. By mouse, by finger and by keyboard alone. The tests are one story and build on each other.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { allSee, byId, choose, idOf, isGone, openLastByKeyboard, openMenu, press, saying, seen } from "./lib/acts.mjs";
import { aliceAndBob } from "./lib/people.mjs";
import { until } from "./lib/poll.mjs";
import { Relay } from "./lib/relay.mjs";

let relay;
let cast;
let all;

before(async () => {
  relay = await Relay.start();
  cast = await aliceAndBob(relay);
  all = [cast.laptop, cast.phone, cast.bob];
  for (const device of all) await device.t("conversation").first().click();
});

after(async () => {
  await cast?.remove();
  await relay?.remove();
});

const focused = (device) => device.page.evaluate(() => document.activeElement.dataset.testid);

describe("acts on the screen", { concurrency: false }, () => {
  let answer;

  test("by keyboard alone, an answer quotes the newest message on every screen", async () => {
    const { laptop } = cast;
    await openLastByKeyboard(laptop);
    assert.equal(await focused(laptop), "act-reply");
    await press(laptop, "Enter");
    assert.match(await laptop.t("writing-strip").textContent(), /Replying to .*bob.*Hello you two/i);
    assert.equal(await focused(laptop), "composer");
    await laptop.page.keyboard.type("Hello Bob!");
    await press(laptop, "Enter");
    answer = await idOf(laptop, "Hello Bob!");
    await allSee(all, "the quote", answer, ({ text, quote }) => text === "Hello Bob!" && quote.endsWith("Hello you two"));
    assert.match((await seen(cast.bob, answer)).quote, /^You/);
    assert.match((await seen(cast.phone, answer)).quote, /^@?bob/i);
    assert.equal(await laptop.t("writing-strip").isVisible(), false, "the next message is a new one");
  });

  test("Escape ends an answer, and closes a menu without leaving the conversation", async () => {
    const { laptop } = cast;
    await openLastByKeyboard(laptop);
    await press(laptop, "Escape");
    await until("the menu is closed", async () => (await laptop.t("message-menu").count()) === 0);
    assert.equal(await focused(laptop), "message-actions");
    await press(laptop, "Enter", "Enter");
    assert.equal(await laptop.t("writing-strip").isVisible(), true);
    await press(laptop, "Escape");
    assert.equal(await laptop.t("writing-strip").isVisible(), false);
    assert.equal(await laptop.t("composer").isVisible(), true);
  });

  test("by keyboard alone, the Up arrow edits one's last message, which says so on every screen, with what it said", async () => {
    const { laptop, phone, bob } = cast;
    await phone.t("composer").focus();
    await press(phone, "ArrowUp");
    assert.match(await phone.t("writing-strip").textContent(), /Editing/);
    assert.equal(await phone.t("composer").inputValue(), "Hello Bob!");
    await press(phone, "ControlOrMeta+a");
    await phone.page.keyboard.type("Hello dear Bob!");
    await press(phone, "Enter");
    await allSee(all, "the edit", answer, ({ text, edited }) => edited && text === "Hello dear Bob!");
    assert.equal(await phone.t("composer").inputValue(), "");
    await byId(bob, answer).getByTestId("edited").click();
    assert.deepEqual(await bob.t("version").locator(".bubble-text").allTextContents(), ["Hello dear Bob!", "Hello Bob!"]);
    await bob.t("dialog-leave").click();
    assert.match(await laptop.t("conversation").first().textContent(), /Hello dear Bob!/);
  });

  test("Escape ends an edit, and what was being written is there again", async () => {
    const { laptop } = cast;
    await laptop.t("composer").fill("half a sen");
    await choose(laptop, byId(laptop, answer), "act-edit");
    assert.equal(await laptop.t("composer").inputValue(), "Hello dear Bob!");
    await press(laptop, "Escape");
    assert.equal(await laptop.t("composer").inputValue(), "half a sen");
    await laptop.t("composer").fill("");
    assert.equal((await seen(laptop, answer)).text, "Hello dear Bob!");
  });

  test("by keyboard alone, a reaction is chosen; a click on it joins in, another takes that back", async () => {
    const { laptop, bob } = cast;
    await openLastByKeyboard(laptop);
    await press(laptop, "ArrowUp", "ArrowRight", "ArrowLeft", "Enter"); // the row of emoji is one line, above the first
    await allSee(all, "the reaction", answer, ({ reactions }) => reactions.length === 1 && reactions[0].startsWith("👍 1, "));
    assert.match((await seen(laptop, answer)).reactions[0], /You/);
    await byId(bob, answer).getByTestId("reaction").click();
    await allSee(all, "two of it", answer, ({ reactions }) => reactions.length === 1 && /^👍 2, .*You/.test(reactions[0]));
    await byId(bob, answer).getByTestId("reaction").click();
    await allSee(all, "one of it", answer, ({ reactions }) => /^👍 1, /.test(reactions[0]));
  });

  test("any other emoji can be typed, in place of the first; what is none is refused in the library's words", async () => {
    const { phone, bob } = cast;
    await openMenu(phone, byId(phone, answer));
    await phone.t("react-other").fill("not one");
    await phone.t("react-other-go").click();
    assert.equal(await phone.error(), "no_emoji");
    const { y, height } = await phone.t("message-menu").boundingBox();
    assert.ok(y >= 0 && y + height <= 800, `the menu has grown, and still fits: ${y} + ${height}`);
    await phone.t("react-other").fill("🦊");
    await press(phone, "Enter");
    await allSee(all, "the other emoji", answer, ({ reactions }) => reactions.length === 1 && reactions[0].startsWith("🦊 1, "));
    await byId(phone, answer).getByTestId("reaction").click();
    await allSee(all, "no reaction", answer, ({ reactions }) => reactions.length === 0);
    assert.equal((await seen(bob, answer)).text, "Hello dear Bob!");
  });

  test("a quote leads to what it answers, however far up, and marks it", async () => {
    const { laptop, bob, aliceId, bobId } = cast;
    for (let n = 1; n <= 120; n += 1) await bob.send(aliceId, `Filler ${n}`);
    await until("they have come", async () => (await laptop.messages(bobId)).at(-1).text === "Filler 120");
    await laptop.reload();
    await laptop.sees("Filler 120");
    await choose(laptop, saying(laptop, "Filler 120"), "act-reply");
    await laptop.type("Enough!");
    const late = await bob.call((client, [to, quote]) => client.send(to, { text: "So it began", quote }), [aliceId, answer]);
    await byId(laptop, late).getByTestId("quote").click();
    await until("it is on the screen and marked", () => byId(laptop, answer).evaluate((node) => {
      const { top, bottom } = node.getBoundingClientRect();
      return node.classList.contains("marked") && top > 0 && bottom < innerHeight && node.contains(document.activeElement);
    }));
  });

  test("what one wrote can be copied", async () => {
    const { laptop } = cast;
    await laptop.browser.context.grantPermissions(["clipboard-read", "clipboard-write"]);
    await choose(laptop, byId(laptop, answer), "act-copy");
    await until("it is there", async () => (await laptop.page.evaluate(() => navigator.clipboard.readText())) === "Hello dear Bob!");
  });

  test("of what somebody else wrote one can neither change the words nor delete them for everyone", async () => {
    const { phone } = cast;
    const theirs = saying(phone, "So it began");
    await openMenu(phone, theirs);
    assert.equal(await phone.t("act-edit").count(), 0);
    await phone.t("act-delete").click();
    assert.match(await phone.t("delete-message").textContent(), /Only the person who wrote a message/);
    assert.equal(await phone.t("delete-for-everyone").count(), 0);
    await phone.t("dialog-leave").click();
  });

  test("deleted for oneself, it goes from both of Alice's screens and stays on Bob's", async () => {
    const { laptop, phone, bob } = cast;
    const id = await idOf(phone, "So it began");
    await choose(phone, byId(phone, id), "act-delete");
    await phone.t("delete-for-me").click();
    await allSee([laptop, phone], "it gone", id, isGone);
    assert.equal((await seen(bob, id)).text, "So it began");
  });

  test("deleted for everyone, it says so on every screen, and what quotes it no longer shows its words", async () => {
    const { laptop, bob } = cast;
    await laptop.t("composer").fill("");
    await laptop.type("I take that back");
    const id = await idOf(laptop, "I take that back");
    await idOf(bob, "I take that back");
    await choose(bob, byId(bob, id), "act-reply");
    await bob.type("Take what back?");
    const quoting = await idOf(bob, "Take what back?");
    await choose(laptop, byId(laptop, id), "act-delete");
    await laptop.t("delete-for-everyone").click();
    await allSee(all, "it deleted", id, ({ kind, text }) => kind === "deleted" && text === "This message was deleted.");
    await allSee(all, "no words of it", quoting, ({ quote }) => quote.endsWith("This message was deleted."));
    await openMenu(bob, byId(bob, id));
    assert.equal(await bob.t("act-reply").count() + await bob.t("react").count(), 0);
    await press(bob, "Escape");
  });

  test("an edit of what is deleted meanwhile ends, and loses no words of a draft", async () => {
    const { laptop, phone } = cast;
    await laptop.type("Short-lived");
    const id = await idOf(phone, "Short-lived");
    await laptop.t("composer").fill("a draft");
    await choose(laptop, byId(laptop, id), "act-edit");
    await choose(phone, byId(phone, id), "act-delete");
    await phone.t("delete-for-everyone").click();
    await until("the draft is back", async () => (await laptop.t("composer").inputValue()) === "a draft");
    await laptop.t("composer").fill("");
  });

  test("on a narrow screen a finger that rests on a message opens its menu, which fits", async () => {
    const { bob } = cast;
    await bob.page.setViewportSize({ width: 360, height: 740 });
    const bubble = saying(bob, "Take what back?").locator(".bubble .bubble-text");
    await bubble.dispatchEvent("pointerdown", { pointerType: "touch", bubbles: true, clientX: 50, clientY: 50 });
    await bob.t("message-menu").waitFor();
    const { x, y, width, height } = await bob.t("message-menu").boundingBox();
    assert.ok(x >= 0 && x + width <= 360 && y >= 0 && y + height <= 740, JSON.stringify({ x, y, width, height }));
    assert.equal(await bob.page.evaluate(() => document.documentElement.scrollWidth > innerWidth), false);
    await press(bob, "Escape");
    await bob.page.setViewportSize({ width: 1280, height: 800 });
  });

  test("an unlinked browser offers nothing to do with a message, and its quotes are still reached by keyboard", async () => {
    const { laptop, phone } = cast;
    await laptop.removeDevice("Alice's phone");
    await phone.t("unlinked").waitFor();
    await saying(phone, "Take what back?").waitFor();
    assert.equal(await phone.t("message-actions").count(), 0);
    assert.equal(await phone.page.locator(".thread button:not([tabindex='-1'])").count(), 1, "one tab stop");
    await phone.page.locator(".thread button:not([tabindex='-1'])").focus();
    const quoted = () => phone.page.evaluate(() => document.activeElement.closest("[data-testid=message]")?.querySelector("[data-testid=message-text]").textContent);
    assert.equal(await quoted(), "Take what back?");
    await press(phone, "ArrowUp");
    assert.equal(await quoted(), "Enough!");
  });

  test("no page logged an error or broke the policy on the way", () => {
    assert.deepEqual(all.flatMap(({ problems }) => problems), []);
  });
});
