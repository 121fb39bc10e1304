// What a linked browser gets of the messages from before: thousands of them, of which each hundredth has a file, between two real
// browsers, of which each is killed once on the way. Counts and order are the same afterwards, and nobody was notified.
// LOCKSTEP_HISTORY says how many (3,000), LOCKSTEP_SHOTS a folder for pictures of both screens on the way.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Device } from "./lib/device.mjs";
import { until } from "./lib/poll.mjs";
import { Relay } from "./lib/relay.mjs";

const MESSAGES = Number(process.env.LOCKSTEP_HISTORY ?? 3_000);
const FILES = Math.ceil(MESSAGES / 100);
const PATIENCE_MS = 60_000 + MESSAGES * 20;
let relay;
let laptop;
let bob;
let bobId;
let phone;

before(async () => {
  relay = await Relay.start();
  [laptop, bob] = await Promise.all(["Alice's laptop", "Bob's tablet"].map((name) => Device.open(relay, { name })));
  await laptop.signUp("alice");
  bobId = (await bob.signUp("bob")).id;
  await laptop.call(async (client, to) => {
    const picture = await client.upload(new File([new Uint8Array(200_000).map((_, at) => at * 7)], "cat.png", { type: "image/png" }));
    await client.send(to, { text: "the first", attachments: [picture] });
  }, "bob");
  await laptop.call(async (client, [to, count]) => {
    const paper = async (n) => client.upload(new File([new Uint8Array(1_000 + n).fill(n)], `paper ${n}.bin`));
    const note = async (n) => client.send(to, { text: `note ${n}`, attachments: n % 100 === 0 ? [await paper(n)] : undefined });
    // To oneself: nobody else has to take them, so they are there as soon as they are stored.
    for (let n = 0; n < count; n += 50) await Promise.all(Array.from({ length: Math.min(50, count - n) }, (_, k) => note(n + k)));
  }, ["alice", MESSAGES]);
  const { id } = await laptop.account();
  await until("all notes are sent", () => laptop.call(async (client, self) =>
    (await client.messages(self, { limit: 500 })).every(({ status }) => status === "sent"), id), PATIENCE_MS);
});

after(async () => {
  for (const device of [laptop, bob, phone]) await device?.remove();
  await relay?.remove();
});

const own = async (device) => device.messages((await device.account()).id);
const named = ({ attachments }) => attachments.map(({ fileName, size }) => `${fileName} (${size})`);
const gist = (messages) => messages.map((message) => `${message.id} ${message.text} ${message.sentAt} ${named(message)}`);

async function shoot(name) {
  const folder = process.env.LOCKSTEP_SHOTS;
  if (!folder) return;
  mkdirSync(folder, { recursive: true });
  for (const [side, device] of [["old", laptop], ["new", phone]]) {
    await device.page.bringToFront();
    await device.page.screenshot({ path: join(folder, `history-${name}-${side}.png`) });
  }
}

describe("history", { concurrency: false }, () => {
  test("a browser that is linked is asked about, gets what was chosen, and both show how far it is", async () => {
    phone = await Device.open(relay, { name: "Alice's phone" });
    await phone.page.evaluate(() => {
      window.seen = [];
      for (const event of ["message", "notify"]) window.lockstep.client.on(event, () => window.seen.push(event));
    });
    await laptop.lookAtLink(await phone.askToBeLinked("Phone"));
    assert.match(await laptop.t("history-choice").innerText(), /Which earlier messages may it have\?/);
    await laptop.t("history-all").check();
    await shoot("choice");
    await laptop.approveLink();
    await phone.t("account").waitFor();
    await until("it has begun", async () => (await phone.messages(bobId).catch(() => [])).length === 1, PATIENCE_MS);
    for (const device of [phone, laptop]) await until("it is shown", async () => Number(await device.t("history-progress").getAttribute("data-total")) > MESSAGES);
    await shoot("on-its-way");
    assert.deepEqual(await phone.page.evaluate(() => window.seen), []);
  });

  test("either side is killed on the way, and afterwards both have the same messages in the same order", async () => {
    for (const victim of [phone, laptop]) {
      await victim.browser.kill();
      await victim.reopen();
      await victim.online();
    }
    await until("all of it is there", async () => (await own(phone)).length === MESSAGES, PATIENCE_MS);
    const [here, there] = [await own(laptop), await own(phone)];
    assert.equal(here.length, MESSAGES);
    assert.deepEqual(gist(there), gist(here));
    assert.equal(there.filter(({ attachments }) => attachments.length === 1).length, FILES);
    await phone.page.getByText("Note to self").first().waitFor();
    await shoot("whole");
    const unread = (device) => device.call(async (client) => (await client.conversations()).map(({ id, unread: count }) => `${id} ${count}`).sort());
    assert.deepEqual(await unread(phone), await unread(laptop));
  });

  test("files from before can be opened on the new browser, as long as the relay has them", async () => {
    const [first] = await phone.messages(bobId);
    assert.deepEqual([first.text, first.attachments.map(({ fileName, size }) => [fileName, size])], ["the first", [["cat.png", 200_000]]]);
    const opened = await phone.call(async (client, id) => {
      const file = await client.download(id, 0);
      const bytes = new Uint8Array(await file.arrayBuffer());
      return [file.type, bytes.length, bytes.every((byte, at) => byte === (at * 7) % 256)];
    }, first.id);
    assert.deepEqual(opened, ["image/png", 200_000, true]);
    const papers = (await own(phone)).filter(({ attachments }) => attachments.length);
    for (const { id, text } of [papers[0], papers[FILES >> 1], papers.at(-1)]) {
      const n = Number(text.slice("note ".length));
      const paper = await phone.call(async (client, message) => [...new Uint8Array(await (await client.download(message, 0)).arrayBuffer())], id);
      assert.deepEqual(paper, Array(1_000 + n).fill(n & 255));
    }
  });

  test("of a file that the relay has no more the message stays, and says so", async () => {
    const routes = phone.browser.context;
    await routes.route("**/v1/blobs/**", (route) => route.fulfill({ status: 404, contentType: "application/json", body: '{"code":"blob_unknown"}' }));
    await phone.reload();
    await phone.openChat("bob");
    await until("it says so", async () => (await phone.t("file-state").innerText()) === "This file is no longer on the server.");
    assert.deepEqual((await phone.shown()).map(({ text }) => text), ["the first"]);
    await shoot("gone");
    await routes.unroute("**/v1/blobs/**");
    await phone.t("picture").click();
    await until("it was fetched", async () => /can’t be shown/.test(await phone.t("picture").innerText())); // it is no picture, in truth
    phone.problems = phone.problems.filter((problem) => !/\b404\b/.test(problem));
  });

  test("of the conversations that a person chooses, and of no others, a browser gets what was said", async () => {
    const tablet = await Device.open(relay, { name: "Alice's e-reader" });
    try {
      await laptop.lookAtLink(await tablet.askToBeLinked("E-reader"));
      await laptop.t("history-days").fill("7");
      assert.equal(await laptop.t("history-month").isChecked(), true, "who types days means days");
      await laptop.t("history-some").check();
      await laptop.page.locator(`[data-testid=history-person][data-id="${bobId}"]`).check();
      await shoot("some");
      await laptop.approveLink();
      await tablet.t("account").waitFor();
      const shown = (name) => tablet.t("history-progress").getAttribute(name);
      await until("all of it is there", async () => (await shown("data-total")) === "1" && (await shown("data-done")) === "1", PATIENCE_MS);
      assert.deepEqual((await tablet.messages(bobId)).map(({ text }) => text), ["the first"]);
      assert.deepEqual(await own(tablet).catch(() => []), []);
    } finally {
      await tablet.remove();
    }
  });

  test("a file of all messages is taken over elsewhere with its key, and spoilt in any way it changes nothing", async () => {
    const { key } = await laptop.call(async (client) => {
      const { file, key: secret } = await client.exportArchive({ onProgress: (progress) => (window.exported = progress) });
      window.archive = file;
      return { key: secret, size: file.size };
    });
    assert.match(key, /^([0-9a-f]{8}-){7}[0-9a-f]{8}$/);
    assert.equal(await laptop.page.evaluate(() => window.exported.done), MESSAGES + 1);
    const base64 = await laptop.page.evaluate(async () => {
      const bytes = new Uint8Array(await window.archive.arrayBuffer());
      let text = "";
      for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
      return btoa(text);
    });
    const file = Buffer.from(base64, "base64");
    assert.equal(file.includes("note 7"), false, "it is encrypted");
    // A device that was given nothing.
    const tablet = await Device.open(relay, { name: "Alice's tablet" });
    try {
      const uri = await tablet.offerLink();
      await laptop.call(async (client, text) => (await client.openLink(text)).approve({ history: "none" }), uri);
      await tablet.call(() => window.attempt.done);
      const take = (device, bytes, secret) => device.call((client, [text, given]) =>
        client.importArchive(new Blob([Uint8Array.from(atob(text), (char) => char.charCodeAt(0))]), given), [bytes.toString("base64"), secret])
        .then(() => "taken", (error) => error.refused.code);
      const flipped = (at) => {
        const copy = Buffer.from(file);
        copy[at] ^= 1;
        return copy;
      };
      const wrong = key.replace(/^./, (digit) => (digit === "0" ? "1" : "0"));
      const spoilt = [[file, wrong], [file, "no key"], [file.subarray(0, file.length - 1), key], [file.subarray(0, file.length >> 1), key],
        [Buffer.concat([file, Buffer.from([0])]), key], [flipped(file.length >> 1), key], [flipped(file.length - 1), key], [flipped(3), key], [Buffer.alloc(0), key]];
      for (const [bytes, secret] of spoilt) assert.equal(await take(tablet, bytes, secret), "archive_damaged");
      assert.equal(await take(tablet, flipped(19), key), "archive_too_new");
      assert.equal(await take(bob, file, key), "archive_foreign");
      assert.deepEqual(await own(tablet).catch(() => []), []);
      const { id: self } = await tablet.account();
      await tablet.call((client, conversation) => {
        client.subscribe({ messages: conversation, limit: 3 }, ({ messages }) => (window.live = messages.map(({ text }) => text)));
      }, self);
      await until("the list is there, empty", () => tablet.page.evaluate(() => window.live?.length === 0));
      assert.equal(await take(tablet, file, key), "taken");
      const newest = (await own(laptop)).slice(-3).map(({ text }) => text);
      await until("the list has what was taken over", () => tablet.page.evaluate((texts) => window.live.join() === texts, newest.join()));
      assert.deepEqual(gist(await own(tablet)), gist(await own(laptop)));
      assert.equal(await take(tablet, file, key), "taken", "twice is nothing");
      assert.equal((await own(tablet)).length, MESSAGES);
    } finally {
      await tablet.remove();
    }
  });

  test("on the screen a file is made, its key is shown once, and it is taken over again", async () => {
    await laptop.t("settings-open").click();
    const saved = laptop.page.waitForEvent("download", { timeout: PATIENCE_MS });
    await laptop.t("archive-export").click();
    const key = await laptop.t("archive-key").textContent();
    await laptop.t("archive-save").click();
    const path = await (await saved).path();
    await laptop.page.keyboard.press("Escape");
    await laptop.t("archive-import").click();
    await laptop.t("archive-file").setInputFiles(path);
    await laptop.t("archive-key-input").fill("wrong");
    await laptop.t("archive-go").click();
    assert.equal(await laptop.error(), "archive_damaged");
    await laptop.t("archive-key-input").fill(key);
    await laptop.t("archive-go").click();
    await laptop.t("archive-import-dialog").waitFor({ state: "detached" });
  });

  test("it can be sent again, which changes nothing, and only to a device of the same person", async () => {
    const before = gist(await own(phone));
    const { deviceId } = await phone.account();
    await phone.page.evaluate(() => window.lockstep.client.on("progress", (event) => (window.last = event)));
    await laptop.call((client, id) => client.sendHistory(id, { days: 30 }), deviceId);
    await until("it has come", () => phone.page.evaluate(() => window.last?.done > 0 && window.last.done === window.last.total), PATIENCE_MS);
    assert.deepEqual(gist(await own(phone)), before);
    const refused = await laptop.refusal((client) => client.sendHistory(9));
    assert.equal(refused.code, "invalid_argument");
    for (const device of [laptop, phone]) assert.deepEqual(device.problems, []);
  });
});
