// Pictures of every screen of the real product, wide and narrow, light and dark: node tests/e2e/shots.mjs FOLDER [--ends | --acts | --files | --staff]
// Not a test: somebody looks at them. Drives real browsers against a real relay, and leaves nothing else behind.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { Forgetful } from "../interop/forgetful.mjs";
import { byId, choose, idOf, openMenu, press } from "./lib/acts.mjs";
import { Browser } from "./lib/browser.mjs";
import { Device } from "./lib/device.mjs";
import { asFile, noise, png, sendFiles } from "./lib/files.mjs";
import { Nonsense } from "./lib/nonsense.mjs";
import { until } from "./lib/poll.mjs";
import { Relay } from "./lib/relay.mjs";

const folder = process.argv[2];
if (!folder) throw new Error("Say where the pictures go: node tests/e2e/shots.mjs FOLDER");
mkdirSync(folder, { recursive: true });

const sizes = { wide: { width: 1280, height: 800 }, phone: { width: 360, height: 740 } };
const patience = 900; // what appears late (the line about the connection) is there by then

/** Four pictures of what the page shows now. */
async function shoot(device, name) {
  const { page } = device;
  await page.bringToFront(); // a tab behind another one is not painted
  for (const [size, viewport] of Object.entries(sizes)) {
    for (const colorScheme of ["light", "dark"]) {
      await page.setViewportSize(viewport);
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
      await page.waitForTimeout(patience / 3);
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
      if (overflow) console.log(`${name} ${size}: wider than the screen`);
      await page.screenshot({ path: join(folder, `${name}-${size}-${colorScheme}.png`) });
    }
  }
  await page.setViewportSize(sizes.wide);
  console.log(name);
}

const talk = ["Are you on your laptop today?", "On my phone. Both show the same, look.", "So they do!",
  "A longer one, to see how a paragraph sits in a bubble: the quick brown fox jumps over the lazy dog, and then over the next one, since it was at it.",
  "🦊🐶", "https://example.org/a/very/long/address/that/does/not/break/anywhere/at/all/and/goes/on/and/on"];

async function signUpScreens(alice, bob) {
  await shoot(alice, "01-welcome");
  await bob.register("bob", "Bob's tablet");
  await alice.t("welcome-handle").fill("bob");
  await alice.t("welcome-register").click();
  await alice.t("error").waitFor();
  await shoot(alice, "02-handle-taken");
  await alice.register("alice", "Laptop");
  await shoot(alice, "03-empty-list");
}

async function talkScreens(alice, bob) {
  await alice.openChat("nobody");
  await alice.type("Hello?");
  await alice.t("error").waitFor();
  await shoot(alice, "04-unknown-handle");
  await alice.openChat("bob");
  const ids = [(await alice.account()).id, (await bob.account()).id];
  for (const [at, text] of talk.entries()) {
    const [from, to] = at % 2 ? [bob, ids[0]] : [alice, "bob"];
    await from.send(to, text);
    const other = from === alice ? bob : alice;
    await until("it is there", async () => (await other.messages(from === alice ? ids[0] : ids[1])).at(-1).text === text);
  }
  await alice.page.goto(`${alice.address}#/c/${ids[1]}`);
  await alice.sees(talk[0]);
  await shoot(alice, "05-chat");
  await alice.page.goto(`${alice.address}#/`);
  for (let n = 1; n <= 3; n += 1) await bob.send(ids[0], `Unread ${n}`);
  await until("three are unread", async () => (await alice.t("conversation").first().getAttribute("data-unread")) === "3");
  await shoot(alice, "06-list-unread");
  await alice.t("conversation").first().click();
  await alice.sees("Unread 3");
  await shoot(alice, "07-chat-unread");
}

async function linkScreens(alice, phone) {
  const uri = await phone.askToBeLinked("Phone");
  await phone.page.locator(".qr svg").waitFor();
  await shoot(phone, "08-link-this-browser");
  await alice.t("devices-open").click();
  await alice.t("device").first().waitFor();
  await shoot(alice, "09-devices");
  await alice.t("link-device-open").click();
  await shoot(alice, "10-link-a-device");
  await alice.t("link-device-uri").fill("https://example.org");
  await alice.t("link-device-next").click();
  await alice.t("error").waitFor();
  await shoot(alice, "11-link-foreign");
  await alice.t("link-device-uri").fill(uri);
  await alice.t("link-device-next").click();
  await alice.t("link-claim").waitFor();
  await shoot(alice, "12-link-claim");
  await alice.t("link-approve").click();
  await alice.t("link-done").waitFor();
  await shoot(alice, "13-link-done");
  await phone.t("account").waitFor();
  await until("contacts are there", async () => (await phone.t("conversation").count()) > 0);
  await shoot(phone, "14-linked-list");
  await phone.t("conversation").first().click();
  await phone.type("From the phone");
  await alice.page.keyboard.press("Escape");
  await alice.page.keyboard.press("Escape");
  await alice.t("conversation").first().click();
  await alice.sees("From the phone");
  await shoot(alice, "15-chat-from-other-device");
}

async function troubleScreens(alice, relay, browser) {
  await relay.stop();
  await alice.shows("offline");
  await alice.type("Written without a relay");
  await until("it waits", async () => (await alice.shown()).at(-1).status === "queued");
  await alice.page.waitForTimeout(patience);
  await shoot(alice, "16-offline");
  const nonsense = new Nonsense("random bytes");
  await nonsense.start(relay.port);
  await alice.t("error").first().waitFor();
  await shoot(alice, "17-nonsense");
  await nonsense.stop();
  await relay.start();
  await alice.shows("online");
  await alice.t("composer").fill("x ".repeat(33_000));
  await shoot(alice, "18-too-long");
  const second = await Device.open(relay, { name: "second", browser, store: "alice" });
  await shoot(second, "19-store-in-use");
  const denied = () => {
    IDBFactory.prototype.open = () => {
      throw new DOMException("no", "SecurityError");
    };
  };
  await shoot(await Device.open(relay, { name: "denied", browser, store: "denied", init: denied }), "20-storage-refused");
}

/** Removing, being removed, coming back, deleting. All of it on accounts of its own. */
async function endScreens(relay, browser) {
  const open = (name) => Device.open(relay, { name, browser, store: name });
  const [dora, tablet, erik] = [await open("dora"), await open("tablet"), await open("erik")];
  await dora.register("dora", "Laptop");
  await erik.register("erik", "Erik’s phone");
  await tablet.joinTo(dora);
  await dora.send("erik", "Shall we meet at nine?");
  await until("it is there", async () => (await tablet.t("conversation").count()) > 0);
  await dora.t("devices-open").click();
  await dora.page.getByRole("button", { name: "Remove tablet" }).click();
  await shoot(dora, "21-remove-a-device");
  await dora.t("device-remove-confirm").click();
  await tablet.t("unlinked").waitFor();
  await tablet.t("conversation").first().click();
  await tablet.sees("Shall we meet at nine?");
  await shoot(tablet, "22-unlinked-removed");
  await tablet.t("unlinked-link-again").click();
  await shoot(tablet, "23-link-again");
  await tablet.t("link-again-go").click();
  await tablet.page.locator(".qr svg").waitFor();
  await shoot(tablet, "24-link-again-code");
  await dora.page.reload();
  await dora.t("delete-account-open").waitFor();
  await shoot(dora, "25-the-only-device");
  await dora.t("delete-account-open").click();
  await shoot(dora, "26-delete-account");
  await dora.t("delete-account-handle").fill("dora");
  await dora.t("delete-account-confirm").click();
  await dora.t("unlinked").waitFor();
  await shoot(dora, "27-unlinked-deleted");
  await erik.send("dora", "Are you there?");
  await erik.t("conversation").first().click();
  await until("it has failed", async () => (await erik.shown()).at(-1).status === "failed");
  await shoot(erik, "28-account-gone");
}

/** A message that can't be read, and a person who comes with another key. */
async function keyScreens(relay, browser) {
  const gina = await Device.open(relay, { name: "gina", browser, store: "gina" });
  await gina.register("gina", "Laptop");
  const hugo = await Forgetful.register(relay.http, "hugo");
  const { id } = await gina.account();
  await gina.send("hugo", "Did you get my letter?");
  await hugo.until(1);
  hugo.askedAgain = async () => {}; // he does not answer
  await hugo.send(id, "Yes, thank you.");
  await hugo.sendSpoilt(id, 1, "never seen");
  await gina.t("conversation").first().click();
  await until("something is waited for", async () => (await gina.shown()).length === 3);
  await shoot(gina, "30-waiting");
  hugo.startOver();
  await hugo.send(id, "This is my new phone.");
  await gina.t("key-changed").waitFor();
  await shoot(gina, "31-key-changed");
  await gina.t("accept-key").click();
  await gina.sees("This is my new phone.");
  await shoot(gina, "32-key-accepted");
  await hugo.close();
}

/** What is done to messages, in a conversation of its own. */
async function actScreens(relay, browser) {
  const open = (name) => Device.open(relay, { name, browser, store: name });
  const [ida, jon] = [await open("ida"), await open("jon")];
  await ida.register("ida", "Laptop");
  await jon.register("jon", "Phone");
  const [me, him] = [(await ida.account()).id, (await jon.account()).id];
  const act = (device, method, ...args) => device.call((client, [name, given]) => client[name](...given), [method, args]);
  const plan = await ida.send("jon", "Shall we take the eight o’clock train on Saturday? The next one is at ten, and then the museum is full.");
  await until("it is there", async () => (await jon.messages(me)).length === 1);
  const yes = await act(jon, "send", me, { text: "Yes, and I’ll bring breakfast.", quote: plan });
  await until("it is there", async () => (await ida.messages(him)).length === 2);
  const typo = await ida.send("jon", "Grate!");
  await act(ida, "edit", typo, { text: "Great! Something sweet, please." });
  await act(ida, "react", yes, "❤️");
  await ida.t("conversation").first().click();
  await jon.t("conversation").first().click();
  await jon.sees("Great! Something sweet, please.");
  await act(jon, "react", yes, "❤️");
  await act(jon, "react", typo, "🥐");
  const slip = await act(jon, "send", me, { text: "My number is 1234" });
  await act(jon, "remove", slip, { everyone: true });
  await until("it is deleted", async () => (await ida.messages(him)).at(-1)?.kind === "deleted");
  await act(ida, "send", "jon", { text: "Anything wrong?", quote: slip });
  await until("it was read", async () => (await ida.messages(him)).some(({ status }) => status === "read"));
  await jon.page.keyboard.press("Escape");
  await ida.type("Jon?");
  await until("it has arrived", async () => (await ida.messages(him)).at(-1).status === "delivered");
  const writing = setInterval(() => act(jon, "typing", me).catch(() => {}), 1_000);
  await until("he is writing", async () => (await ida.t("typing").textContent()) !== "");
  await shoot(ida, "33-acts");
  clearInterval(writing);
  await jon.t("conversation").first().click();
  await shoot(jon, "34-acts-other-side");
  await openMenu(ida, byId(ida, typo));
  await shoot(ida, "35-message-menu");
  await ida.t("react-other").fill("two words");
  await ida.t("react-other-go").click();
  await ida.t("error").waitFor();
  await shoot(ida, "36-react-refused");
  await press(ida, "Escape");
  await choose(ida, byId(ida, yes), "act-reply");
  await ida.t("composer").fill("Croissants it is");
  await shoot(ida, "37-replying");
  await press(ida, "Escape");
  await choose(ida, byId(ida, typo), "act-edit");
  await shoot(ida, "38-editing");
  await press(ida, "Escape");
  await choose(ida, byId(ida, typo), "act-delete");
  await shoot(ida, "39-delete");
  await press(ida, "Escape");
  await byId(ida, typo).getByTestId("edited").click();
  await shoot(ida, "40-earlier-texts");
  await press(ida, "Escape");
  await ida.t("composer").fill("");
  await ida.type("Never mind");
  await idOf(ida, "Never mind");
  await ida.page.mouse.move(0, 0);
  await ida.t("composer").focus();
  await press(ida, "Shift+Tab", "ArrowUp", "ArrowUp", "ArrowUp");
  await shoot(ida, "41-keyboard");
  await settingScreens(ida, jon, await open("kim"));
}

/** What is set of conversations: three people, of whom one is a stranger. */
async function settingScreens(ida, jon, kim) {
  const him = (await jon.account()).id;
  await kim.register("kim", "Tablet");
  await kim.send("ida", "Hello, we met at the museum.");
  await ida.page.keyboard.press("Escape");
  const row = (name) => ida.t("conversation").filter({ hasText: name });
  await row("kim").click();
  await ida.t("request").waitFor();
  await shoot(ida, "42-stranger");
  await ida.t("request-decline").click();
  await ida.t("request-declined").waitFor();
  await shoot(ida, "43-declined");
  await ida.t("request-accept").click();
  await ida.t("conversation-open").click();
  await shoot(ida, "44-conversation-menu");
  await ida.t("set-block").click();
  await shoot(ida, "45-block");
  await ida.t("block-confirm").click();
  await ida.t("blocked").waitFor();
  await shoot(ida, "46-blocked");
  await ida.t("unblock").click();
  await row("jon").click();
  await ida.t("conversation-open").click();
  await ida.t("set-mute").click();
  await shoot(ida, "47-mute");
  await ida.t("mute-for").last().click();
  await ida.t("conversation-open").click();
  await ida.t("set-name").click();
  await shoot(ida, "48-name");
  await press(ida, "Escape");
  await ida.call(async (client, id) => {
    await client.pin(id, true);
    await client.setDraft(id, "The nine o’clock one is");
    await client.archive((await client.conversations()).find(({ handle }) => handle === "kim").id, true);
  }, him);
  await ida.page.goto(`${ida.address}#/`);
  await ida.t("archive-toggle").click();
  await ida.t("row-draft").waitFor();
  await shoot(ida, "49-list");
  await ida.t("settings-open").click();
  await ida.t("profile-name").fill("Ida");
  await shoot(ida, "50-settings");
}

/** Files: on their way, refused, in messages of both people, and a picture enlarged. */
async function fileScreens(relay, browser) {
  const open = (name) => Device.open(relay, { name, browser, store: name });
  const [lea, max] = [await open("lea"), await open("max")];
  await lea.register("lea", "Laptop");
  await max.register("max", "Phone");
  const me = (await lea.account()).id;
  const pick = (...files) => lea.t("attach-input").setInputFiles(files.map(({ name, type, base64 }) => ({ name, mimeType: type, buffer: Buffer.from(base64, "base64") })));
  await lea.send("max", "The pictures from Saturday:");
  await until("it is there", async () => (await max.messages(me)).length === 1);
  const photo = (name, width, height, hue) => ({ ...asFile(name, "image/png", png(width, height, hue)), width, height });
  await lea.call(sendFiles, ["max", "The museum, and the train", [photo("museum.png", 640, 420, 20), photo("train.png", 300, 420, 160)]]);
  await max.call(sendFiles, [me, "", [asFile("Tickets for the train on Saturday, the eighth of May, both ways.pdf", "application/pdf", noise(2_300_000)), asFile("a.zip", "application/zip", noise(900))]]);
  await max.call(sendFiles, [me, "", [photo("croissant.png", 120, 90, 90)]]);
  await lea.call(sendFiles, ["max", "", [asFile("notes.txt", "text/plain", noise(12_000))]]);
  await lea.t("conversation").first().click();
  await lea.page.bringToFront();
  await until("pictures are drawn", async () => (await lea.page.locator(".picture img").count()) > 1);
  await shoot(lea, "51-files");
  await max.t("conversation").first().click();
  await max.page.bringToFront();
  await until("pictures are drawn", async () => (await max.page.locator(".picture img").count()) > 1);
  await shoot(max, "52-files-other-side");
  await max.t("picture").first().click();
  await shoot(max, "53-picture");
  await press(max, "Escape");
  let full = false;
  const parts = new Map(); // by address: of the film, not all come through
  await lea.page.route("**/v1/blobs/**", (route) => {
    const request = route.request();
    if (full && !parts.has(request.url())) return route.fulfill({ status: 429, contentType: "application/json", headers: { "retry-after": "60" }, body: '{"code":"blob_quota"}' });
    if (request.method() === "PATCH") parts.set(request.url(), (parts.get(request.url()) ?? 0) + 1);
    return parts.get(request.url()) > 2 ? undefined : route.continue();
  });
  await pick(photo("ada.png", 300, 300, 200), asFile("A film of the whole day with a rather long name.mp4", "video/mp4", noise(3_000_000)));
  await until("one is there", async () => (await lea.page.locator("[data-testid=chip][data-ready]").count()) === 1);
  full = true;
  await pick(asFile("too-much.bin", "", noise(500_000)));
  await lea.page.locator(".chip.failed").waitFor();
  await lea.t("composer").fill("And the film");
  await shoot(lea, "54-attaching");
  await lea.page.goto(`${lea.address}#/`);
  await lea.t("conversation").first().waitFor();
  await shoot(lea, "55-list-with-files");
}

/** Somebody of the office who reads for an account: being let, on both sides; what those who write see of it; the end of it. */
async function staffScreens(relay, browser) {
  const open = (name) => Device.open(relay, { name, browser, store: name });
  const [mp, office, nora] = [await open("mp"), await open("office"), await open("nora")];
  await mp.register("mp", "Laptop");
  await office.register("jane", "Office PC");
  await nora.register("nora", "Phone");
  const [me, her] = [(await mp.account()).id, (await nora.account()).id];
  await nora.send("mp", "The bus to the hospital no longer stops in our street.");
  await until("it is there", async () => (await mp.messages(her)).length === 1);
  await office.t("settings-open").click();
  await office.t("help-start").click();
  await office.t("help-whom").fill("mp");
  await shoot(office, "56-help-somebody");
  await office.t("help-go").click();
  await office.t("help-here").waitFor();
  await shoot(office, "57-help-here");
  await office.t("help-ask").click();
  await mp.t("devices-open").click();
  await mp.t("link-device-open").click();
  await mp.t("link-digits-start").click();
  await office.t("link-digits").waitFor();
  await shoot(office, "58-help-digits");
  await mp.t("link-enter").fill(await office.t("link-digits").getAttribute("data-digits"));
  await mp.t("link-enter").press("Enter");
  await mp.t("role-staff").check();
  await shoot(mp, "59-claim-staff");
  await mp.t("staff-label").fill("Jane, office");
  await mp.t("staff-dated").check();
  await mp.t("staff-form").evaluate((node) => node.scrollIntoView());
  await shoot(mp, "60-staff-form");
  await mp.t("staff-open").check();
  await mp.t("link-approve").click();
  await mp.t("link-answer-digits").waitFor();
  await shoot(mp, "61-staff-answer");
  await office.t("link-confirm").fill(await mp.t("link-answer-digits").getAttribute("data-digits"));
  await office.t("link-confirm").press("Enter");
  await office.t("account").waitFor();
  await mp.t("link-done").waitFor();
  await shoot(mp, "62-staff-done");
  await nora.send("mp", "Can you help?");
  await until("it is there", async () => (await office.messages(her)).length === 1);
  await office.t("conversation").first().click();
  await office.type("We have asked the operator, and write to you on Friday.");
  await until("it is there", async () => (await nora.messages(me)).length === 3);
  await shoot(office, "63-staff-chat");
  await office.t("settings-open").click();
  await shoot(office, "64-staff-settings");
  await nora.t("conversation").first().click();
  await nora.t("by-staff").filter({ visible: true }).waitFor();
  await shoot(nora, "65-answered-by-staff");
  await nora.t("read-by").click();
  await shoot(nora, "66-who-reads");
  await press(nora, "Escape");
  await nora.type("One more thing");
  await nora.t("staff-ask").waitFor();
  await shoot(nora, "67-somebody-new");
  await nora.t("staff-ask-without").click();
  await until("it is there", async () => (await mp.messages(her)).length === 4);
  await shoot(nora, "68-without-staff");
  await mp.page.goto(`${mp.address}#/c/${her}`);
  await mp.t("without-staff-by-them").waitFor();
  await shoot(mp, "69-they-want-none");
  await mp.page.goto(`${mp.address}#/devices`);
  await mp.t("staff").waitFor();
  await shoot(mp, "70-devices-with-staff");
  await mp.t("staff-end").click();
  await shoot(mp, "71-end-access");
  await mp.t("staff-end-confirm").click();
  await office.t("unlinked").waitFor();
  await office.page.goto(`${office.page.url().split("#")[0]}#/`);
  await shoot(office, "72-access-ended");
  await mp.t("staff-audit-open").click();
  await shoot(mp, "73-who-had-access");
}

/** A profile that was put back: shown by a relay of which the browser has a copy. */
async function copyScreen(relay) {
  const original = await Device.open(relay, { name: "frida" });
  await original.register("frida", "Laptop");
  const copy = await original.copied("copy");
  await original.reopen();
  await original.online();
  await copy.reopen();
  await copy.unlinkedBecause();
  await shoot(copy, "29-unlinked-copy");
  await Promise.all([original.remove(), copy.remove()]);
}

const relay = await Relay.start();
const browser = await Browser.open();
try {
  const open = (name) => Device.open(relay, { name, browser, store: name });
  const only = process.argv[3];
  if (!only || only === "--acts") await actScreens(relay, browser);
  if (!only || only === "--files") await fileScreens(relay, browser);
  if (!only || only === "--staff") await staffScreens(relay, browser);
  if (!only || only === "--ends") {
    await endScreens(relay, browser);
    await copyScreen(relay);
    await keyScreens(relay, browser);
  }
  if (!only) {
    const [alice, bob, phone] = [await open("alice"), await open("bob"), await open("phone")];
    await signUpScreens(alice, bob);
    await talkScreens(alice, bob);
    await linkScreens(alice, phone);
    await troubleScreens(alice, relay, browser);
  }
} finally {
  await browser.remove();
  await relay.remove();
}
