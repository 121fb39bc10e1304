// Two people compare what stands between them: by digits, by the code on a screen, by a published fingerprint. What one marks is
// on their other device, and ends with the key. The tests are one story and build on each other.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { openMenu } from "./lib/acts.mjs";
import { aliceAndBob } from "./lib/people.mjs";
import { until } from "./lib/poll.mjs";
import { isRefused } from "./lib/refused.mjs";
import { Relay } from "./lib/relay.mjs";

let relay;
let cast;

before(async () => {
  relay = await Relay.start();
  cast = await aliceAndBob(relay);
  for (const device of [cast.laptop, cast.phone]) await device.t("conversation").first().click();
  await cast.bob.t("conversation").first().click();
});

after(async () => {
  await cast?.remove();
  await relay?.remove();
});

const number = (device, id) => device.call(async (client, whom) => {
  const { scannable, ...rest } = await client.safetyNumber(whom);
  return { ...rest, scannable: [...scannable] };
}, id);
const compare = (device, id, bytes) => device.call((client, [whom, all]) => client.compareSafetyNumber(whom, new Uint8Array(all)), [id, bytes]);
const contact = (device, id) => device.call(async (client, whom) => (await client.contacts()).find((one) => one.id === whom), id);
const shows = (device, testid) => until(`${device.name} shows ${testid}`, async () => device.t(testid).first().isVisible());
const hides = (device, testid) => until(`${device.name} does not show ${testid}`, async () => !(await device.t(testid).first().isVisible()));

async function openSafety(device) {
  await device.t("conversation-open").click();
  await device.t("verify-open").click();
  await until("the digits are there", async () => (await device.t("safety-digits").locator("span").count()) === 12);
  return (await device.t("safety-digits").locator("span").allTextContents()).join(" ");
}

const leave = (device) => device.t("dialog-leave").click();

describe("safety numbers", { concurrency: false }, () => {
  test("both screens show the same digits, and each code is accepted by the other", async () => {
    const { laptop, phone, bob, aliceId, bobId } = cast;
    const [hers, his] = [await openSafety(laptop), await openSafety(bob)];
    assert.equal(hers, his);
    assert.match(hers, /^(\d{5} ){11}\d{5}$/);
    await laptop.page.locator(".safety-qr svg").waitFor();
    for (const device of [laptop, bob]) await leave(device);
    const [fromAlice, fromBob] = [await number(laptop, bobId), await number(bob, aliceId)];
    assert.equal((await number(phone, bobId)).digits, hers);
    assert.equal(await compare(laptop, bobId, fromBob.scannable), "match");
    assert.equal(await compare(bob, aliceId, fromAlice.scannable), "match");
    assert.equal(await compare(laptop, bobId, fromAlice.scannable), "somebody_else");
    fromBob.scannable[10] ^= 1;
    assert.equal(await compare(laptop, bobId, fromBob.scannable), "no_match");
    await isRefused(laptop, "safety_code_malformed", (client, id) => client.compareSafetyNumber(id, new Uint8Array(3)), bobId);
    await isRefused(laptop, "invalid_argument", (client, id) => client.compareSafetyNumber(id, "text"), bobId);
  });

  test("the picture on one screen is read from it as the bytes that the other accepts", async () => {
    const { laptop, bob, aliceId, bobId } = cast;
    await openSafety(bob);
    await bob.page.locator(".safety-qr svg").waitFor();
    const read = await bob.page.evaluate(async () => {
      const picture = document.querySelector(".safety-qr svg").cloneNode(true);
      picture.setAttribute("width", 400);
      picture.setAttribute("height", 400);
      const image = new Image();
      image.src = `data:image/svg+xml,${encodeURIComponent(new XMLSerializer().serializeToString(picture))}`;
      await image.decode();
      const canvas = Object.assign(document.createElement("canvas"), { width: 400, height: 400 });
      const context = canvas.getContext("2d");
      context.drawImage(image, 0, 0);
      const { default: jsQR } = await import("/vendor/jsqr.js");
      return [...jsQR(context.getImageData(0, 0, 400, 400).data, 400, 400).binaryData];
    });
    await leave(bob);
    assert.deepEqual(read, (await number(bob, aliceId)).scannable);
    assert.equal(await compare(laptop, bobId, read), "match");
  });

  test("a published fingerprint is compared as it was pasted", async () => {
    const { laptop, bob, bobId } = cast;
    await bob.t("settings-open").click();
    await until("it is there", async () => /^(\d{5} ){5}\d{5}$/.test(await bob.t("fingerprint").textContent()));
    const text = await bob.t("fingerprint").textContent();
    await bob.page.keyboard.press("Escape");
    await openSafety(laptop);
    await laptop.t("safety-published-open").click();
    await laptop.t("safety-published").fill(`${text.slice(0, 17)}\n   ${text.slice(18)} `);
    await laptop.t("safety-published-go").click();
    await until("it matches", async () => (await laptop.t("safety-result").getAttribute("data-found")) === "match");
    await laptop.t("safety-published").fill(text.replace(/\d/g, (digit) => String((Number(digit) + 1) % 10)));
    await laptop.t("safety-published-go").click();
    await until("it does not", async () => (await laptop.t("safety-result").getAttribute("data-found")) === "no_match");
    await laptop.t("safety-published").fill("12345");
    await laptop.t("safety-published-go").click();
    await until("it is refused", async () => (await laptop.error()) === "fingerprint_malformed");
    await leave(laptop);
    assert.equal(await laptop.call((client, [id, all]) => client.compareFingerprint(id, all), [bobId, text]), "match");
  });

  test("what is marked as verified on one device is so on the other, with a badge in head and list", async () => {
    const { laptop, phone, bobId } = cast;
    await openSafety(laptop);
    await laptop.t("safety-verify").click();
    await shows(laptop, "safety-verified");
    await leave(laptop);
    for (const device of [laptop, phone]) {
      await shows(device, "verified");
      await until("the list says so", async () => (await device.t("conversation").first().getByRole("img", { name: "Verified" }).count()) === 1);
      assert.ok((await number(device, bobId)).verified);
    }
    await phone.t("verified").click();
    await shows(phone, "safety-verified");
    await phone.t("safety-verify").click();
    await hides(laptop, "verified");
    await phone.t("safety-verify").click();
    await shows(laptop, "verified");
    await leave(phone);
  });

  test("digits of another number verify nothing", async () => {
    const { laptop, bobId } = cast;
    const { digits } = await number(laptop, bobId);
    const other = digits.replace(/\d/g, (digit) => String((Number(digit) + 1) % 10));
    await isRefused(laptop, "identity_changed", (client, [id, all]) => client.verify(id, true, all), [bobId, other]);
    await laptop.call((client, [id, all]) => client.verify(id, true, all), [bobId, digits]);
    assert.deepEqual([...laptop.problems, ...cast.phone.problems, ...cast.bob.problems], []);
  });
});
