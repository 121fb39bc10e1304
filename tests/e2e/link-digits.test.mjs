// Linking by typed digits, by what a person sees and touches: with a typo, declined, with a relay that forgets the run, and with a
// relay that lies in the middle. How the digits come about is tested in the engine; here, that people are led through it.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Device } from "./lib/device.mjs";
import { until } from "./lib/poll.mjs";
import { Relay } from "./lib/relay.mjs";

let relay;
let laptop; // Alice's first browser
const others = [];

before(async () => {
  relay = await Relay.start();
  laptop = await Device.open(relay, { name: "Alice's laptop" });
  await laptop.register("alice");
});

after(async () => {
  await Promise.all([laptop, ...others].map((device) => device?.remove()));
  await relay?.remove();
});

async function newBrowser(name, at = relay) {
  const device = await Device.open(at, { name });
  others.push(device);
  return device;
}

const askByDigits = async (device) => {
  await device.t("welcome-handle").fill("alice");
  await device.t("welcome-device-name").fill(device.name);
  await device.t("welcome-link").click();
  await device.page.locator("[data-testid=link-digits-here][data-state=waiting]").waitFor();
};

const openLinking = async (device) => {
  await device.t("devices-open").click();
  await device.t("link-device-open").click();
  await device.t("link-digits-start").click();
};

/** Whatever a test left on the screen. */
const backToList = async (device) => {
  await device.page.goto(relay.http);
  await device.page.reload();
  await device.settled();
  await device.online();
};

const digitsOf = async (device) => {
  await device.t("link-digits").waitFor();
  return device.t("link-digits").getAttribute("data-digits");
};

const enter = async (device, digits) => {
  await device.t("link-enter").fill(digits);
  await device.t("link-enter").press("Enter");
};

const wrong = (digits) => digits.slice(0, -1) + (digits.endsWith("0") ? "1" : "0");
const devicesOf = (device) => device.call(async (client) => (await client.devices()).map(({ name }) => name).sort());
const noProblems = (...devices) => assert.deepEqual(devices.flatMap(({ problems }) => problems), []);

describe("linking by digits", { concurrency: false }, () => {
  test("eight digits typed here and four typed back link a browser; a typo is a try", async () => {
    const phone = await newBrowser("Alice's phone");
    await askByDigits(phone);
    assert.equal(await phone.t("link-digits").count(), 0, "no digits before a device has answered");
    await openLinking(laptop);
    const digits = await digitsOf(phone);
    assert.match(digits, /^\d{8}$/);
    assert.equal(await phone.t("link-digits").textContent(), `${digits.slice(0, 4)} ${digits.slice(4)}`);
    assert.match(await phone.t("link-digits-here").textContent(), /Nobody from support/);
    assert.match(await laptop.t("link-asking").textContent(), /“Alice's phone” is waiting/);
    assert.equal(await laptop.page.locator("[data-testid=link-claim]").count(), 0, "nothing to approve before the digits");

    await enter(laptop, wrong(digits));
    assert.equal(await laptop.error(), "link_digits_wrong");
    await enter(laptop, digits);
    await laptop.t("link-claim").waitFor();
    assert.match(await laptop.t("link-claim").textContent(), /“Alice's phone” asks to be linked/);
    assert.equal(await laptop.t("role-device").isChecked(), true, "a device, unless the person makes it an owner");
    await laptop.t("link-approve").click();

    await laptop.t("link-answer-digits").waitFor();
    const answer = await laptop.t("link-answer-digits").getAttribute("data-digits");
    assert.match(answer, /^\d{4}$/);
    await phone.t("link-confirm").fill(wrong(answer));
    await phone.t("link-confirm").press("Enter");
    await phone.page.locator("[data-testid=error][data-code=link_digits_wrong]").waitFor();
    assert.equal(await phone.state(), "new");
    await phone.t("link-confirm").fill(answer);
    await phone.t("link-confirm").press("Enter");
    await phone.t("account").waitFor();
    await laptop.t("link-done").waitFor();
    await backToList(laptop);
    assert.deepEqual(await devicesOf(laptop), ["Alice's laptop", "Alice's phone"]);
    assert.equal(await laptop.t("alarm").count(), 0, "no alarm where the person has just done it");
    noProblems(laptop, phone);
  });

  test("no address opens the screen that links a device, and nothing shows on a device whose person did not ask", async () => {
    const stranger = await newBrowser("Stranger");
    await askByDigits(stranger);
    const here = laptop.page.url();
    const tries = ["#/link", "#/link-device", "#/devices/link", "#/devices?link=1", "?link=1", "?uri=lockstep://link1?c=AA#/devices", "#/c/link-device"];
    for (const address of tries) {
      await laptop.page.goto(new URL(address, relay.http).href);
      await laptop.page.reload();
      await laptop.settled();
      assert.equal(await laptop.page.locator(".link-device").count(), 0, address);
    }
    await laptop.page.goto(here);
    await laptop.settled();
    assert.equal(await stranger.t("link-digits").count(), 0, "no device has answered");
    assert.doesNotMatch(await laptop.page.locator("body").textContent(), /Stranger/);
    await stranger.close();
  });

  test("the code of the same run links without digits, and every other device raises an alarm that can undo it", async () => {
    const tablet = await newBrowser("Alice's tablet");
    const phone = others[0];
    await askByDigits(tablet);
    const code = await tablet.linkText();
    assert.match(code, /^lockstep:\/\/link1\?c=[\w-]{108}$/);
    await laptop.lookAtLink(code);
    await laptop.t("link-approve").click();
    await laptop.t("link-done").waitFor();
    await tablet.t("account").waitFor();
    await backToList(laptop);

    await phone.t("alarm").waitFor();
    assert.match(await phone.t("alarm").textContent(), /A device was linked: “Alice's tablet”\..*Not you\? Remove it/);
    await phone.reload();
    await phone.t("alarm").waitFor();
    assert.equal(await laptop.t("alarm").count(), 0);
    await phone.t("alarm-mine").click();
    await until("the alarm is answered", async () => (await phone.t("alarm").count()) === 0);
    await phone.reload();
    await phone.online();
    assert.equal(await phone.t("alarm").count(), 0);
    noProblems(laptop, phone, tablet);
  });

  test("declined on the existing device is said on the new one, and nothing was shared", async () => {
    const other = await newBrowser("Declined");
    await askByDigits(other);
    await openLinking(laptop);
    await enter(laptop, await digitsOf(other));
    await laptop.t("link-reject").click();
    await other.page.locator("[data-testid=error][data-code=link_declined]").waitFor();
    assert.equal(await other.state(), "new");
    await backToList(laptop);
  });

  test("five wrong tries end it on both", async () => {
    const other = await newBrowser("Guessed");
    await askByDigits(other);
    await openLinking(laptop);
    const digits = await digitsOf(other);
    for (let left = 4; left > 0; left -= 1) {
      await enter(laptop, wrong(digits));
      await until(`${left} tries are left`, async () => new RegExp(left === 1 ? "one try left" : `${left} tries left`).test(await laptop.t("error").first().textContent()));
    }
    await enter(laptop, wrong(digits));
    await laptop.page.locator("[data-testid=error][data-code=link_over]").waitFor();
    await other.page.locator("[data-testid=error][data-code=link_declined]").waitFor();
    await backToList(laptop);
  });

  test("a run that the relay has forgotten is over, and another one works", async () => {
    const other = await newBrowser("Forgotten");
    await askByDigits(other);
    await openLinking(laptop);
    await enter(laptop, await digitsOf(other));
    await laptop.t("link-claim").waitFor();
    await relay.stop();
    await relay.start();
    await other.page.locator("[data-testid=error][data-code]").waitFor();
    assert.ok(["link_over", "link_expired", "offline"].includes(await other.error()));
    await laptop.online();
    await laptop.t("link-approve").click();
    await laptop.page.locator("[data-testid=error][data-code=link_over]").waitFor();
    assert.equal(await other.state(), "new");
    await other.t("link-again").click();
    await laptop.t("link-digits-start").click();
    await enter(laptop, await digitsOf(other));
    await laptop.t("link-reject").click();
    await backToList(laptop);
  });

  test("with somebody in the middle who puts keys of their own in, the digits differ and nothing is handed over", async () => {
    const script = fileURLToPath(new URL("./lib/middle.mjs", import.meta.url));
    const middle = spawn(process.execPath, [script, String(relay.port)], { stdio: ["ignore", "pipe", "inherit"] });
    try {
      const [said] = await once(middle.stdout, "data");
      let did = "";
      middle.stdout.on("data", (text) => (did += text));
      const port = /port (\d+)/.exec(said)[1];
      const other = await newBrowser("Victim", { http: `http://127.0.0.1:${port}` });
      await askByDigits(other);
      const before = await devicesOf(laptop);
      await openLinking(laptop);
      const digits = await digitsOf(other);
      for (const step of ["swapped commitment", "swapped answer", "swapped reveal"]) await until(step, () => did.includes(step));
      assert.match(await laptop.t("link-asking").textContent(), /“Phone” is waiting/, "the device sees what the one in the middle claims");
      await enter(laptop, digits);
      await laptop.page.locator("[data-testid=error][data-code=link_digits_wrong]").waitFor();
      const refusal = await laptop.refusal(async (client) => (await client.openLink("lockstep://link1?c=AAAA")).approve());
      assert.equal(refusal.code, "link_uri_foreign");
      assert.equal(await laptop.page.locator("[data-testid=link-claim]").count(), 0);
      assert.doesNotMatch(did, /GOT PAYLOAD/);
      assert.deepEqual(await devicesOf(laptop), before);
      assert.equal(await other.state(), "new");
      await backToList(laptop);
    } finally {
      middle.kill();
    }
  });
});
