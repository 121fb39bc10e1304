// The first promise of the project, on real parts and by what a person sees and touches: two people, three browsers, one
// relay; one of them links a second browser, and from then on both show the same.
// The tests are one story and build on each other.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Device } from "./lib/device.mjs";
import { until } from "./lib/poll.mjs";
import { Relay } from "./lib/relay.mjs";
import { sameThread, showsThread } from "./lib/thread.mjs";

let relay;
let laptop; // Alice's first browser
let phone; // Alice's second browser
let bob;
let bobId;
let aliceId;
const said = []; // every text of the conversation, in order

before(async () => {
  relay = await Relay.start();
  [laptop, phone, bob] = await Promise.all(
    ["Alice's laptop", "Alice's phone", "Bob's tablet"].map((name) => Device.open(relay, { name })));
});

after(async () => {
  await Promise.all([laptop, phone, bob].map((device) => device?.remove()));
  await relay?.remove();
});

/** One says it on the screen, and it is seen on all the others that are there. */
async function say(device, text, ...others) {
  await device.type(text);
  said.push(text);
  await Promise.all([device, ...others].map((one) => one.sees(text)));
}

/** Both of Alice's browsers hold the same since the link, and so does Bob; the screens show it too. */
async function allTheSame() {
  const thread = await sameThread([laptop, phone, bob], (device) => (device === bob ? aliceId : bobId), said);
  await Promise.all([laptop, phone, bob].map((device) => showsThread(device, thread.map(({ id }) => id))));
}

describe("the journey", { concurrency: false }, () => {
  test("two people sign up with a handle each", async () => {
    await laptop.register("alice");
    await bob.register("bob");
    for (const device of [laptop, bob]) {
      assert.equal(await device.state(), "ready");
      assert.equal((await device.account()).deviceId, 1);
    }
    assert.match(await laptop.t("account").textContent(), /@alice · Alice's laptop/);
    [bobId, aliceId] = [(await bob.account()).id, (await laptop.account()).id];
  });

  test("they find each other by handle and talk both ways", async () => {
    await laptop.openChat("bob");
    await laptop.type("Hello Bob");
    said.push("Hello Bob");
    await bob.t("conversation").first().click();
    await bob.sees("Hello Bob");
    await say(bob, "Hello Alice", laptop);
    await say(laptop, "<b>How</b> are you? 🦊\nFine?", bob);
    await say(bob, "Very well.", laptop);
  });

  test("a second browser is linked by pasting its text into the first, which shows what is asking", async () => {
    const uri = await phone.askToBeLinked();
    assert.match(uri, /^lockstep:\/\/linkdevice\?uuid=[^&]+&pub_key=/);
    assert.match(await laptop.lookAtLink(uri), /“Alice's phone” asks to be linked/);
    assert.equal(await phone.state(), "new", "nothing has happened before the approval");
    await laptop.approveLink();
    await phone.t("account").waitFor();
    assert.match(await phone.t("account").textContent(), /@alice · Alice's phone/);
    assert.deepEqual(await phone.account(), { id: aliceId, handle: "alice", deviceId: 2, deviceName: "Alice's phone", role: "device" });
    for (const device of [laptop, phone]) {
      const devices = await device.call((client) => client.devices());
      assert.deepEqual(devices.map(({ id, name, current }) => [id, name, current]).sort(), [
        [1, "Alice's laptop", device === laptop], [2, "Alice's phone", device === phone]]);
    }
  });

  test("contacts arrive, and the second browser goes on writing to Bob without looking him up", async () => {
    await until("Bob is a contact on the phone", async () =>
      (await phone.call((client) => client.contacts())).some(({ id, handle, identityKey }) => id === bobId && handle === "bob" && identityKey));
    await phone.page.locator(`[data-testid=conversation][data-id="${bobId}"]`).click();
    await phone.t("composer").waitFor();
    said.length = 0; // what was said before the link is not on the phone
    await laptop.openChat("bob");
    await say(phone, "This is my phone", laptop, bob);
    await say(bob, "And this is still my tablet", laptop, phone);
    await say(laptop, "And my laptop", phone, bob);
  });

  test("both of Alice's browsers hold and show the same conversation, each message once and in Bob's order", async () => {
    const before = ["Hello Bob", "Hello Alice", "<b>How</b> are you? 🦊\nFine?", "Very well."];
    assert.deepEqual((await laptop.messages(bobId)).slice(0, 4).map(({ text }) => text), before);
    await allTheSame();
    const via = phone.page.locator(".via", { hasText: "from Alice's laptop" });
    assert.ok(await via.count() > 1, "the phone says what came from the other device, also what was said before it was linked");
  });

  test("a reload of each browser changes nothing", async () => {
    for (const device of [laptop, phone, bob]) await device.reload();
    await allTheSame();
    await say(bob, "Still there?", laptop, phone);
    await say(phone, "After a reload, yes", laptop, bob);
    await allTheSame();
  });

  test("a browser without a network keeps what is written, sends it when the network is back, and catches up", async () => {
    await phone.goOffline();
    await phone.type("Written in a tunnel");
    await until("it is shown as waiting", async () => (await phone.shown()).at(-1)?.status === "queued");
    await say(bob, "Are you in a tunnel?", laptop);
    await phone.goOnline();
    await Promise.all([laptop, bob].map((device) => device.sees("Written in a tunnel")));
    await phone.sees("Are you in a tunnel?");
    said.push("Written in a tunnel");
    await allTheSame();
  });

  test("a relay that is stopped and started again loses nothing of what all three write meanwhile", async () => {
    await relay.stop();
    for (const device of [laptop, phone, bob]) {
      await until("it is seen to be offline", async () => (await device.t("connection").getAttribute("data-state")) !== "online");
      await device.type(`Written by ${device.name} without a relay`);
      said.push(`Written by ${device.name} without a relay`);
      await until("it is shown as waiting", async () => (await device.shown()).at(-1)?.status === "queued");
    }
    await relay.start();
    await allTheSame();
  });

  test("a browser that is killed shows everything when it is opened again, and what it missed", async () => {
    for (const device of [laptop, phone]) {
      await device.browser.kill();
      await say(bob, `While ${device.name} is dead`, device === laptop ? phone : laptop);
      await device.reopen();
      await device.t("conversation").first().click();
      await device.sees(`While ${device.name} is dead`);
    }
    await allTheSame();
    await say(laptop, "Back from the dead", phone, bob);
    await say(phone, "Me too", laptop, bob);
    await allTheSame();
  });

  test("no page logged an error or broke the policy on the way", () => {
    assert.deepEqual([laptop, phone, bob].flatMap(({ problems }) => problems), []);
  });

  test("text can't become markup or script, and a script that gets past that is still stopped", async () => {
    const refused = await laptop.page.evaluate(async () => {
      const out = { violations: [] };
      document.addEventListener("securitypolicyviolation", (event) => out.violations.push(event.effectiveDirective));
      const attempt = (name, work) => {
        try {
          work();
        } catch (error) {
          out[name] = error.name;
        }
      };
      const script = document.createElement("script");
      const button = document.createElement("button");
      attempt("markup", () => (document.body.innerHTML = "<p>markup</p>"));
      attempt("inline", () => (script.textContent = "window.broken = 'inline'"));
      attempt("attribute", () => button.setAttribute("onclick", "window.broken = 'attribute'"));
      const policy = window.trustedTypes.createPolicy("past", { createScript: (text) => text });
      script.textContent = policy.createScript("window.broken = 'inline'");
      button.setAttribute("onclick", policy.createScript("window.broken = 'attribute'"));
      document.body.append(script, button);
      button.click();
      await fetch("http://localhost:1/").catch((error) => (out.fetch = error.name));
      await new Promise((resolve) => setTimeout(resolve, 100));
      return { ...out, violations: [...new Set(out.violations)].sort(), ran: window.broken ?? "nothing" };
    });
    const { violations, ...rest } = refused;
    assert.deepEqual(rest, { markup: "TypeError", inline: "TypeError", attribute: "TypeError", fetch: "TypeError", ran: "nothing" });
    for (const directive of ["script-src-elem", "script-src-attr", "connect-src"]) assert.ok(violations.includes(directive), `${violations}`);
  });

  test("eval called by a script of the page itself is refused", async () => {
    const { page } = bob;
    await page.evaluate(() => setTimeout(() => {
      try {
        window.evalled = (0, eval)("1 + 1");
      } catch (error) {
        window.evalled = error.name;
      }
    }));
    await until("it was tried", () => page.evaluate(() => window.evalled !== undefined));
    assert.equal(await page.evaluate(() => window.evalled), "EvalError");
  });
});
