// Files on the screen: chosen, dropped and pasted, on their way, shown and fetched. One page is 390 px wide, and one person uses no mouse.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { byId, choose, press, saying } from "./lib/acts.mjs";
import { asFile, noise, png } from "./lib/files.mjs";
import { aliceAndBob } from "./lib/people.mjs";
import { until } from "./lib/poll.mjs";
import { Relay } from "./lib/relay.mjs";

const picture = png(400, 300);
const drawing = Buffer.from("<svg xmlns='http://www.w3.org/2000/svg'><script>window.hacked = true</script></svg>");
let relay;
let people;

before(async () => {
  relay = await Relay.start();
  people = await aliceAndBob(relay);
  const { laptop, bob } = people;
  await bob.page.setViewportSize({ width: 390, height: 844 });
  for (const device of [laptop, bob]) await device.t("conversation").first().click();
});

after(async () => {
  await people?.remove();
  await relay?.remove();
});

const chips = (device) => device.t("chip").evaluateAll((nodes) => nodes.map((node) => ({
  name: node.querySelector(".chip-name").textContent, ready: node.dataset.ready === "true", code: node.dataset.code })));
const ready = (device, count) => until(`${count} files are there`, async () => {
  const all = await chips(device);
  return all.length === count && all.every((chip) => chip.ready);
});
const pick = (device, ...files) => device.t("attach-input").setInputFiles(files.map(({ name, type, base64 }) => ({ name, mimeType: type, buffer: Buffer.from(base64, "base64") })));

/** Gives files to the page as a drop on the messages, or as a paste into the field, does. */
const give = (device, how, files) => device.page.evaluate(([event, given]) => {
  const data = new DataTransfer();
  for (const { name, type, base64 } of given) data.items.add(new File([Uint8Array.from(atob(base64), (char) => char.charCodeAt(0))], name, { type }));
  const [target, made] = event === "paste"
    ? [document.querySelector("[data-testid=composer]"), new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true })]
    : [document.querySelector(".scroller"), new DragEvent(event, { dataTransfer: data, bubbles: true, cancelable: true })];
  target.dispatchEvent(made);
}, [how, files]);

/** The picture of a message, once it is drawn. */
const drawn = (device, text) => until(`${device.name} draws the picture of “${text}”`, () => saying(device, text).first().getByTestId("picture").locator("img").first().evaluate((img) =>
  (img.complete && img.naturalWidth > 0 ? { width: img.naturalWidth, src: img.src } : undefined)));
const narrowEnough = async (device) => assert.equal(await device.page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true, "nothing is wider than the screen");

describe("files on the screen", { concurrency: false }, () => {
  test("files that were chosen, dropped and pasted go with one message", async () => {
    const { laptop, bob } = people;
    await pick(laptop, asFile("chosen.png", "image/png", picture));
    await give(laptop, "dragover", [asFile("x", "", picture)]);
    assert.equal(await laptop.t("drop-here").isVisible(), true);
    await give(laptop, "drop", [asFile("dropped.pdf", "application/pdf", noise(200_000))]);
    assert.equal(await laptop.t("drop-here").isVisible(), false);
    await give(laptop, "paste", [asFile("pasted.png", "image/png", png(60, 90, 80))]);
    await ready(laptop, 3);
    await laptop.type("Three of them");
    assert.deepEqual(await chips(laptop), []);
    assert.equal((await drawn(bob, "Three of them")).width, 400);
    assert.match((await drawn(laptop, "Three of them")).src, /^blob:/);
    assert.equal(await saying(bob, "Three of them").getByTestId("picture").count(), 2);
    assert.match(await saying(bob, "Three of them").getByTestId("file").innerText(), /dropped\.pdf\s+200 KB/);
    await narrowEnough(bob);
  });

  test("a file is fetched with its name, and a picture is enlarged and kept", async () => {
    const { bob } = people;
    const message = saying(bob, "Three of them");
    const fetched = bob.page.waitForEvent("download");
    await message.getByTestId("file").click();
    const download = await fetched;
    assert.equal(download.suggestedFilename(), "dropped.pdf");
    assert.ok(readFileSync(await download.path()).equals(noise(200_000)));
    await message.getByTestId("picture").first().click();
    await bob.t("picture-view").waitFor();
    await narrowEnough(bob);
    const kept = bob.page.waitForEvent("download");
    await bob.t("picture-save").click();
    assert.equal((await kept).suggestedFilename(), "chosen.png");
    await press(bob, "Escape");
    await bob.t("picture-view").waitFor({ state: "detached" });
  });

  test("a drawing that holds a script is a file to fetch, and nothing runs", async () => {
    const { laptop, bob } = people;
    for (const [name, type] of [["logo.svg", "image/svg+xml"], ["page.html", "text/html"]]) {
      await pick(bob, asFile(name, type, drawing));
      await ready(bob, 1);
      await bob.type(name);
      await laptop.sees(name);
      const message = saying(laptop, name).last();
      await message.getByTestId("file").waitFor();
      assert.equal(await message.locator("img, object, iframe, embed").count(), 0);
      const { id } = (await laptop.messages(people.bobId)).at(-1);
      const type_ = await laptop.call(async (client, wanted) => (await client.download(wanted, 0)).type, id);
      assert.equal(type_, "application/octet-stream");
    }
    assert.equal(await laptop.page.evaluate(() => window.hacked), undefined);
  });

  test("a file may be taken out again while it is on its way, and the message waits for what stays", async () => {
    const { laptop, bob } = people;
    let open;
    const gate = new Promise((resolve) => (open = resolve));
    await laptop.page.route("**/v1/blobs/**", async (route) => {
      if (route.request().method() === "PATCH") await gate;
      await route.continue().catch(() => {});
    });
    await pick(laptop, asFile("slow.bin", "", noise(300_000)), asFile("wrong.bin", "", noise(300_001)));
    await laptop.t("composer").fill("One of two");
    assert.equal(await laptop.t("send").isDisabled(), true);
    await laptop.page.getByRole("button", { name: "Remove wrong.bin" }).click();
    assert.deepEqual((await chips(laptop)).map(({ name }) => name), ["slow.bin"]);
    open();
    await ready(laptop, 1);
    await laptop.page.unroute("**/v1/blobs/**");
    await laptop.t("send").click();
    await bob.sees("One of two");
    assert.equal(await saying(bob, "One of two").getByTestId("file").count(), 1);
  });

  test("an upload that fails says so and can be tried again", async () => {
    const { laptop } = people;
    const refused = { status: 429, contentType: "application/json", headers: { "retry-after": "60" }, body: '{"code":"blob_quota"}' };
    await laptop.page.route("**/v1/blobs/**", (route) => route.fulfill(refused));
    await pick(laptop, asFile("again.bin", "", noise(1000)));
    await until("it says why", async () => (await chips(laptop))[0]?.code === "attachment_quota");
    assert.equal(await laptop.t("send").isDisabled(), true);
    await laptop.page.unroute("**/v1/blobs/**");
    await laptop.t("chip-again").click();
    await ready(laptop, 1);
    await laptop.t("chip-remove").click();
  });

  test("with the keyboard alone a picture is sent, found, looked at and answered", async () => {
    const { laptop, bob } = people;
    const chooser = laptop.page.waitForEvent("filechooser");
    await laptop.t("composer").focus();
    await press(laptop, "Tab", "Enter");
    await (await chooser).setFiles([{ name: "keys.png", mimeType: "image/png", buffer: png(200, 200, 40) }]);
    await ready(laptop, 1);
    await laptop.t("composer").focus();
    await press(laptop, "Enter");
    const id = await until("Bob has it", async () => (await bob.messages(people.aliceId)).find(({ attachments }) => attachments[0]?.fileName === "keys.png")?.id);
    await until("Bob sees it", () => byId(bob, id).getByTestId("picture").locator("img").count());
    await byId(bob, id).getByTestId("picture").focus();
    await press(bob, "Enter");
    await bob.t("picture-view").waitFor();
    await press(bob, "Escape");
    await choose(bob, byId(bob, id), "act-reply");
    assert.match(await bob.t("writing-strip").innerText(), /Photo/);
    await bob.type("Nice keys");
    await laptop.sees("Nice keys");
    assert.match(await saying(laptop, "Nice keys").getByTestId("quote").innerText(), /Photo/);
  });

  test("a message with a picture that is deleted for everyone shows no picture, and nothing went wrong on the way", async () => {
    const { laptop, bob } = people;
    const message = (await laptop.messages(people.bobId)).find(({ text }) => text === "Three of them");
    await laptop.call((client, id) => client.remove(id, { everyone: true }), message.id);
    await until("it is gone", async () => (await byId(bob, message.id).getByTestId("picture").count()) === 0);
    for (const device of [laptop, bob]) assert.deepEqual(device.problems.filter((problem) => !problem.includes("429")), []);
  });
});
