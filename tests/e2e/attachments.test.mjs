// Files in messages between real browsers: Alice with two of them and Bob with one. What is fetched is what was sent, wherever and
// whenever it is fetched, and an upload that was cut short by anything goes on where it was.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { asFile, damageBlobs, fetchFile, noise, png, sendFiles } from "./lib/files.mjs";
import { aliceAndBob } from "./lib/people.mjs";
import { until } from "./lib/poll.mjs";
import { isRefused } from "./lib/refused.mjs";
import { Relay } from "./lib/relay.mjs";

const picture = png(320, 200);
const large = noise(5 * 1024 * 1024 + 7);
const sha256 = (bytes) => createHash("sha256").update(bytes).digest("base64");
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

const of = (device) => (device === people.bob ? people.aliceId : people.bobId);
const everybody = () => [people.laptop, people.phone, people.bob];
const has = (device, id) => until(`${device.name} has it`, async () => (await device.messages(of(device))).find((message) => message.id === id));

describe("files in messages", { concurrency: false }, () => {
  test("a picture and a file of 5 MB reach every browser of both, as they were", async () => {
    const files = [{ ...asFile("cat.png", "image/png", picture), width: 320, height: 200 }, asFile("report.pdf", "application/pdf", large)];
    const id = await people.laptop.call(sendFiles, ["bob", "Two files", files]);
    for (const device of everybody()) {
      const { text, attachments } = await has(device, id);
      assert.equal(text, "Two files");
      assert.deepEqual(attachments, [
        { index: 0, size: picture.length, contentType: "image/png", fileName: "cat.png", width: 320, height: 200, style: "plain" },
        { index: 1, size: large.length, contentType: "application/pdf", fileName: "report.pdf", style: "plain" },
      ]);
      assert.deepEqual(await device.call(fetchFile, [id, 0]), { type: "image/png", size: picture.length, sha256: sha256(picture), whole: true });
      // What a browser could open as a page of this origin is plain bytes.
      assert.deepEqual(await device.call(fetchFile, [id, 1]), { type: "application/octet-stream", size: large.length, sha256: sha256(large), whole: true });
    }
  });

  test("without a text it is a message, without anything it is none, and what is no attachment is refused", async () => {
    const id = await people.bob.call(sendFiles, [people.aliceId, "", [asFile("cat.png", "image/png", picture)]]);
    assert.equal((await has(people.phone, id)).text, "");
    await isRefused(people.bob, "message_empty", (client, to) => client.send(to, { text: "", attachments: [] }), people.aliceId);
    await isRefused(people.bob, "invalid_argument", (client, to) => client.send(to, { attachments: ["attachment:00"] }), people.aliceId);
    await isRefused(people.bob, "invalid_argument", (client) => client.upload("text"));
    await isRefused(people.bob, "unknown_attachment", (client, message) => client.download(message, 1), id);
    await isRefused(people.bob, "unknown_attachment", (client) => client.download("0".repeat(32), 0));
  });

  test("an upload in a browser that is killed goes on where it was", async () => {
    const { phone } = people;
    const file = asFile("film.mp4", "video/mp4", large, 1_700_000_000_001);
    const held = await holdAfter(phone, 2);
    const sending = phone.call(sendFiles, ["bob", "A film", [file]]).catch(() => "killed");
    await until("two parts are there", () => held.offsets.length >= 3);
    await phone.browser.kill();
    assert.equal(await sending, "killed");
    await phone.reopen();
    const after = await holdAfter(phone, 1_000);
    const id = await phone.call(sendFiles, ["bob", "A film", [file]]);
    assert.ok(Math.min(...after.offsets) >= held.offsets.at(-1), `it went on at ${after.offsets[0]}, and was at ${held.offsets.at(-1)}`);
    for (const device of everybody()) {
      await has(device, id);
      assert.equal((await device.call(fetchFile, [id, 0])).sha256, sha256(large));
    }
  });

  test("another file of the same name, size and time is not taken for the one that was begun", async () => {
    const { phone } = people;
    const [first, second] = [large, Buffer.from(large)];
    second[3] ^= 1;
    const begun = asFile("same.bin", "", first, 1_700_000_000_002);
    const held = await holdAfter(phone, 2);
    const sending = phone.call(sendFiles, ["bob", "Begun", [begun]]).catch(() => "reloaded");
    await until("two parts are there", () => held.offsets.length >= 3);
    await phone.page.unroute("**/v1/blobs/**");
    await phone.reload();
    assert.equal(await sending, "reloaded");
    const id = await phone.call(sendFiles, ["bob", "Another", [{ ...begun, base64: second.toString("base64") }]]);
    await has(people.bob, id);
    assert.equal((await people.bob.call(fetchFile, [id, 0])).sha256, sha256(second));
  });

  test("an upload waits for a lost network, and ends when the page says so", async () => {
    const { laptop } = people;
    await laptop.goOffline();
    const sending = laptop.call(sendFiles, ["bob", "From a tunnel", [asFile("tunnel.png", "image/png", picture)]]);
    await laptop.goOnline();
    await has(people.bob, await sending);
    const stopped = (client) => client.upload(new File(["text"], "stopped.txt"), { signal: AbortSignal.abort() });
    await isRefused(laptop, "aborted", stopped);
    const shown = (client) => client.upload(new Blob([new Uint8Array(100 * 1024 * 1024 + 1)]));
    await isRefused(laptop, "attachment_too_large", shown);
  });

  test("a file goes with a message that is deleted for everyone, and stays with one that is edited", async () => {
    const { laptop, bob } = people;
    const id = await laptop.call(sendFiles, ["bob", "Here", [asFile("cat.png", "image/png", picture)]]);
    await has(bob, id);
    await laptop.call((client, message) => client.edit(message, { text: "Here it is" }), id);
    await until("it is edited", async () => (await has(bob, id)).text === "Here it is");
    assert.equal((await has(bob, id)).attachments.length, 1);
    await laptop.call((client, message) => client.remove(message, { everyone: true }), id);
    await until("it is deleted", async () => (await has(bob, id)).kind === "deleted");
    assert.deepEqual((await has(bob, id)).attachments, []);
  });

  test("what was damaged at the relay, or has had its time there, is not given out", async () => {
    const { laptop, bob } = people;
    const id = await laptop.call(sendFiles, ["bob", "Fragile", [asFile("fragile.bin", "", large, 1_700_000_000_003)]]);
    await has(bob, id);
    assert.ok(damageBlobs(relay) > 0);
    await isRefused(bob, "attachment_damaged", (client, message) => client.download(message, 0), id);
    await laptop.browser.context.route("**/v1/blobs/**", (route) => route.fulfill({ status: 404, contentType: "application/json", body: '{"code":"blob_unknown"}' }));
    await isRefused(laptop, "attachment_gone", (client, message) => client.download(message, 0), id);
    await laptop.browser.context.unroute("**/v1/blobs/**");
    for (const device of everybody()) assert.deepEqual(device.problems.filter((problem) => !/\b(404|422)\b/.test(problem)), []);
  });
});

/** Lets so many parts of an upload through; those after that hang. Where each began. */
async function holdAfter(device, parts) {
  const held = { offsets: [] };
  await device.page.unroute("**/v1/blobs/**").catch(() => {});
  await device.page.route("**/v1/blobs/**", async (route) => {
    const request = route.request();
    if (request.method() !== "PATCH") return route.continue();
    held.offsets.push(Number(request.headers()["upload-offset"]));
    return held.offsets.length > parts ? undefined : route.continue();
  });
  return held;
}
