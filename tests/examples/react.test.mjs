// The React example as a person uses it: two people sign up, find each other, talk, and see each other's messages come, also those from
// before, after a reload and after a restart of the relay. It must have been built (examples/react/build.mjs).
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { join } from "node:path";
import { Browser } from "../e2e/lib/browser.mjs";
import { until } from "../e2e/lib/poll.mjs";
import { Relay, root } from "../e2e/lib/relay.mjs";

let relay;
const browsers = [];
const problems = [];

before(async () => {
  relay = await Relay.start({ www: join(root, "examples/react/dist") });
});

after(async () => {
  await Promise.all(browsers.map((browser) => browser.remove()));
  await relay?.remove();
});

async function person(handle) {
  const browser = await Browser.open();
  browsers.push(browser);
  const page = await browser.page();
  page.on("pageerror", (error) => problems.push(String(error)));
  page.on("console", (line) => line.type() === "error" && !/WebSocket|ERR_/.test(line.text()) && problems.push(line.text()));
  await page.goto(relay.http);
  await page.getByLabel("Your handle").fill(handle);
  await page.getByRole("button", { name: "Sign up" }).click();
  await page.getByLabel("Write to").waitFor();
  return page;
}

async function write(page, text) {
  await page.getByLabel("Message", { exact: true }).fill(text);
  await page.keyboard.press("Enter");
}

const shown = (page) => page.getByRole("log").getByRole("listitem").locator("p").allTextContents();
const shows = (page, texts) => until(`"${texts.at(-1)}" is shown`, async () => (await shown(page)).join("|") === texts.join("|"));

test("two people talk, and a reload and a restart of the relay change nothing", async () => {
  const [alice, bob] = [await person("alice"), await person("bob")];
  await alice.getByLabel("Write to").fill("bob");
  await alice.keyboard.press("Enter");
  await write(alice, "Hello Bob");
  await shows(alice, ["Hello Bob"]);
  await bob.getByRole("button", { name: "alice" }).click();
  await shows(bob, ["Hello Bob"]);
  await write(bob, "Hello Alice");
  await shows(alice, ["Hello Bob", "Hello Alice"]);
  await until("Bob's is read", async () => (await bob.getByRole("log").locator("small").last().textContent()).includes("read"));

  await bob.reload();
  await until("nothing is unread", async () => (await bob.locator(".unread").count()) === 0);
  await relay.kill();
  await write(alice, "While the relay is away");
  await relay.start();
  await bob.getByRole("button", { name: "alice" }).click();
  await shows(bob, ["Hello Bob", "Hello Alice", "While the relay is away"]);
  assert.deepEqual(problems, []);
});

test("a long conversation begins with its newest messages and goes back by a button", async () => {
  const [alice, bob] = await Promise.all(browsers.map((browser) => browser.context.pages().at(-1)));
  for (let n = 1; n <= 35; n += 1) {
    await write(alice, `Line ${n}`);
    await until("it is taken", async () => (await alice.getByLabel("Message", { exact: true }).inputValue()) === "");
  }
  await until("all have come", async () => (await shown(bob)).at(-1) === "Line 35");
  const before = (await shown(bob)).length;
  assert.equal(before, 30);
  await bob.getByRole("button", { name: "Earlier messages" }).click();
  await until("there are more", async () => (await shown(bob))[0] === "Hello Bob");
  assert.equal((await shown(bob)).length, 38);
});
