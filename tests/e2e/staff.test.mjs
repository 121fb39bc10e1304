// Staff, by what people see and touch: a member of parliament lets somebody of the office read and answer, the people who write see it
// and may do without, and it ends. The relay takes the platform's tokens, so each is signed in as themself. The tests are one story.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { byId, openMenu } from "./lib/acts.mjs";
import { Browser } from "./lib/browser.mjs";
import { Device } from "./lib/device.mjs";
import { until } from "./lib/poll.mjs";
import { isRefused } from "./lib/refused.mjs";
import { Relay } from "./lib/relay.mjs";
import { Platform } from "./lib/tokens.mjs";

let platform;
let relay;
let browsers;
let mp; // a laptop of the account @mp
let jane; // of the office: her own account, then what she reads for @mp
let tom; // may read one conversation
let carol; // two who write to @mp
let dave;
const ids = {};

before(async () => {
  platform = new Platform();
  relay = await Relay.start({ args: platform.args });
  browsers = await Promise.all([Browser.open(), Browser.open(), Browser.open()]);
  const open = (name, browser) => Device.open(relay, { name, browser, store: name });
  [mp, jane, carol, dave] = [await open("mp", browsers[0]), await open("jane", browsers[1]), await open("carol", browsers[2]), await open("dave", browsers[2])];
  for (const device of [mp, jane, carol, dave]) ids[device.name] = (await device.signUp(device.name, platform.token(device.name))).id;
  await carol.send("mp", "Before there was any staff");
  await until("the MP has it", async () => (await mp.messages(ids.carol)).length === 1);
  await mp.send(ids.carol, "Noted");
  await until("Carol has it", async () => (await carol.messages(ids.mp)).length === 2);
});

after(async () => {
  await Promise.all((browsers ?? []).map((browser) => browser.remove()));
  await relay?.remove();
  platform?.remove();
});

const texts = async (device, conversation) => (await device.messages(conversation).catch(() => [])).map(({ text }) => text);
const has = (device, conversation, text) => until(`${device.name} has “${text}”`, async () => (await texts(device, conversation)).includes(text));
const text = (device, testid) => device.t(testid).textContent();
const says = (device, testid, pattern) => until(`${device.name} says ${pattern}`, async () => pattern.test(await device.t(testid).first().textContent()));
const noProblems = (...devices) => assert.deepEqual(devices.flatMap(({ problems }) => problems), []);
const toList = (device) => device.page.goto(`${device.page.url().split("#")[0]}#/`);
const readers = (device) => device.call(async (client, id) => (await client.contacts()).find((contact) => contact.id === id).staff.map(({ label }) => label), ids.mp);
const openChat = async (device, id) => {
  await device.page.goto(`${device.page.url().split("#")[0]}#/c/${id}`);
  await device.page.locator(`.chat[data-id="${id}"]`).waitFor();
};

describe("staff", { concurrency: false }, () => {
  test("an account without any shows nothing of it", async () => {
    await openChat(carol, ids.mp);
    await carol.sees("Noted");
    assert.equal(await carol.t("read-by").isVisible(), false);
    await carol.t("conversation-open").click();
    assert.equal(await carol.t("set-without-staff").count(), 0);
    await carol.page.keyboard.press("Escape");
    await mp.t("devices-open").click();
    await mp.t("device").first().waitFor();
    assert.equal(await mp.t("staff-part").isVisible(), false);
    assert.deepEqual(await mp.call((client) => client.staff()), []);
    await toList(mp);
  });

  test("somebody signed in as themself is let read and answer, by digits told in a call; for anything but staff that is a danger", async () => {
    await jane.t("settings-open").click();
    await jane.t("help-start").click();
    await jane.t("help-whom").fill("@mp");
    await jane.t("help-go").click();
    await jane.t("help-here").waitFor();
    assert.equal(await jane.t("help-handle").inputValue(), "mp");
    await jane.page.getByText("I have an access token").click();
    await jane.t("help-token").fill(platform.token("jane"));
    await jane.t("help-device-name").fill("Office PC");
    await jane.t("help-ask").click();
    await jane.page.locator("[data-testid=link-digits-here][data-state=waiting]").waitFor();

    await mp.t("devices-open").click();
    await mp.t("link-device-open").click();
    await mp.t("link-digits-start").click();
    await jane.t("link-digits").waitFor();
    assert.match(await text(jane, "link-digits-here"), /Tell nobody but @mp/);
    assert.match(await text(mp, "link-claimed"), /signed in as @jane, not as you. Go on only if you want @jane to help you/);
    await mp.t("link-enter").fill(await jane.t("link-digits").getAttribute("data-digits"));
    await mp.t("link-enter").press("Enter");
    await mp.t("link-claim").waitFor();
    assert.equal(await mp.t("role-staff").isChecked(), true, "whoever is signed in as somebody else is staff, unless the person says otherwise");
    assert.equal(await mp.t("history-choice").isVisible(), false);
    await mp.t("role-device").check();
    assert.match(await text(mp, "link-claimed"), /not your device/);
    assert.equal(await mp.t("staff-form").isVisible(), false);
    await mp.t("role-staff").check();
    assert.match(await text(mp, "link-claimed"), /as it should be/);
    assert.equal(await mp.t("staff-label").inputValue(), "@jane");
    await mp.t("staff-label").fill(" ");
    await mp.t("link-approve").click();
    assert.equal(await mp.error(), "staff_form");
    await mp.t("staff-label").fill("Jane, office");
    await mp.t("link-approve").click();
    await mp.t("link-answer-digits").waitFor();
    await jane.t("link-confirm").fill(await mp.t("link-answer-digits").getAttribute("data-digits"));
    await jane.t("link-confirm").press("Enter");
    await jane.t("account").waitFor();
    await mp.t("link-done").waitFor();
    assert.match(await text(mp, "link-done"), /“Jane, office” has access now/);
    await toList(mp);

    await says(jane, "staff-line", /^You read and answer for @mp as “Jane, office”, until /);
    const account = await jane.account();
    assert.deepEqual([account.id, account.role, account.staff.label, account.staff.answers], [ids.mp, "delegate", "Jane, office", true]);
    assert.deepEqual((await mp.call((client) => client.staff())).map(({ label, answers, readsSent, conversations, until: end, endedAt }) => ({ label, answers, readsSent, conversations, end, endedAt })),
      [{ label: "Jane, office", answers: true, readsSent: true, conversations: undefined, end: undefined, endedAt: undefined }]);
    assert.equal(await mp.t("alarm").count(), 0, "no alarm where the person has just done it");
    noProblems(mp, jane);
  });

  test("staff reads and answers; the one who wrote, and the account's own devices, see who has answered", async () => {
    await until("Carol knows who reads", async () => (await readers(carol)).join() === "Jane, office"); // what she wrote before is not for them
    await carol.send("mp", "Can you help with the bus?");
    await has(mp, ids.carol, "Can you help with the bus?");
    await has(jane, ids.carol, "Can you help with the bus?");
    assert.deepEqual((await texts(jane, ids.carol)).slice(-1), ["Can you help with the bus?"]);
    assert.equal((await texts(jane, ids.carol)).includes("Before there was any staff"), false, "nothing from before");
    await openChat(jane, ids.carol);
    await jane.type("We are on it.");
    await jane.sees("We are on it.");
    await openChat(carol, ids.mp);
    await carol.sees("We are on it.");
    const byStaff = (device) => device.t("by-staff").filter({ visible: true }).allTextContents();
    assert.deepEqual(await byStaff(carol), ["Answered by staff (Jane, office)"]);
    await says(carol, "read-by", /^Read by mp and 1 staff$/);
    await says(carol, "staff-note", /mp lets “Jane, office” read this, and answer/);
    await openChat(mp, ids.carol);
    await mp.sees("We are on it.");
    await until("the account's own device says so, too", async () => (await byStaff(mp)).join() === "Answered by staff (Jane, office)");
    assert.deepEqual((await carol.messages(ids.mp)).map(({ staff }) => staff), [undefined, undefined, undefined, "Jane, office"]);
    await mp.type("And I keep an eye on it.");
    await has(jane, ids.carol, "And I keep an eye on it.");
    await carol.sees("And I keep an eye on it.");
    assert.equal((await byStaff(carol)).length, 1, "what the MP writes is the MP's");
    noProblems(mp, jane, carol);
  });

  test("before the first message that somebody new would read the person is asked, once", async () => {
    await carol.type("Which day?");
    await carol.t("staff-ask").waitFor();
    assert.match(await text(carol, "staff-ask"), /Jane, office.*reads and answers/);
    await carol.t("dialog-leave").click();
    await until("the words are kept", async () => (await carol.t("composer").inputValue()) === "Which day?");
    await carol.t("send").click();
    await carol.t("staff-ask-all").click();
    await carol.sees("Which day?");
    await carol.type("Friday?");
    await carol.sees("Friday?");
    for (const device of [mp, jane]) await has(device, ids.carol, "Friday?");
    await carol.t("read-by").click();
    assert.equal(await carol.t("staff-person").count(), 1);
    assert.match(await text(carol, "staff-person"), /Jane, office.*reads and answers, since today/);
    await carol.page.keyboard.press("Escape");
  });

  test("what staff may not do is not there, and refused under the screen", async () => {
    for (const testid of ["devices-open", "new-message-go", "recovery-reminder"]) assert.equal(await jane.t(testid).filter({ visible: true }).count(), 0, testid);
    await jane.t("conversation-open").click();
    for (const testid of ["verify-open", "set-timer", "set-block", "set-without-staff"]) assert.equal(await jane.t(testid).count(), 0, testid);
    await jane.page.keyboard.press("Escape");
    const theirs = (await jane.messages(ids.carol)).find(({ outgoing }) => !outgoing).id;
    const own = (await jane.messages(ids.carol)).find(({ text: said }) => said === "We are on it.").id;
    const accounts = (await jane.messages(ids.carol)).find(({ text: said }) => said === "And I keep an eye on it.").id;
    await openMenu(jane, byId(jane, theirs));
    assert.equal(await jane.t("react").count(), 0);
    assert.equal(await jane.t("act-delete").count(), 0);
    await jane.page.keyboard.press("Escape");
    await openMenu(jane, byId(jane, own));
    assert.equal(await jane.t("act-edit").count(), 1);
    await jane.page.keyboard.press("Escape");
    await openMenu(jane, byId(jane, accounts));
    assert.equal(await jane.t("act-edit").count(), 0, "what the account itself wrote is not hers to change");
    await jane.page.keyboard.press("Escape");
    await jane.page.goto(`${jane.page.url().split("#")[0]}#/devices`);
    await until("that address is the list", async () => new URL(jane.page.url()).hash === "#/");
    await isRefused(jane, "not_allowed", (client, id) => client.react(id, "👍"), theirs);
    await isRefused(jane, "not_allowed", (client, id) => client.block(id, true), ids.carol);
    await isRefused(jane, "not_allowed", (client, id) => client.verify(id, true), ids.carol);
    await isRefused(jane, "not_allowed", (client, id) => client.setTimer(id, 3600), ids.carol);
    await isRefused(jane, "not_owner", (client) => client.unlink(1));
    await isRefused(jane, "not_allowed", (client) => client.devices());
    await isRefused(jane, "not_allowed", (client) => client.deleteAccount());
    await isRefused(jane, "not_allowed", (client) => client.makeRecoveryCode());
    noProblems(jane);
  });

  test("without staff a message goes past them, both people are told, and with staff again it does not", async () => {
    await openChat(carol, ids.mp);
    await carol.t("conversation-open").click();
    await carol.t("set-without-staff").click();
    await says(carol, "read-by", /^Read by mp, without staff$/);
    await carol.type("Between us");
    await has(mp, ids.carol, "Between us");
    await openChat(mp, ids.carol);
    await says(mp, "without-staff-by-them", /carol wants no staff here/);
    await mp.type("Between us, yes");
    await has(carol, ids.mp, "Between us, yes");
    await carol.t("read-by").click();
    await carol.t("staff-switch").click();
    await says(carol, "read-by", /^Read by mp and 1 staff$/);
    await carol.type("For all again");
    await has(jane, ids.carol, "For all again");
    const seen = await texts(jane, ids.carol);
    for (const secret of ["Between us", "Between us, yes"]) assert.equal(seen.includes(secret), false, secret);
    await has(mp, ids.carol, "For all again");
    await until("the note is gone", async () => (await mp.t("without-staff-by-them").count()) === 0);
    noProblems(mp, jane, carol);
  });

  test("who may read one conversation gets that one alone, and has nothing to write with", async () => {
    tom = await Device.open(relay, { name: "tom", browser: browsers[1], store: "tom-for-mp" });
    await tom.call(async (client, credential) => {
      window.attempt = await client.link({ handle: "mp", credential, deviceName: "Tom’s phone" });
    }, platform.token("tom"));
    await until("there is a code", () => tom.call(() => window.attempt.code));
    const code = await tom.call(() => window.attempt.code);
    await dave.send("mp", "A question about the school");
    await has(mp, ids.dave, "A question about the school");
    const approve = (staff, role = "delegate") => mp.call(async (client, [uri, options]) => {
      window.asking ??= await client.openLink(uri);
      const { label } = (await window.asking.approve(options)) && options.staff;
      return label;
    }, [code, { role, ...(staff && { staff }) }]);
    for (const [staff, role] of [[undefined], [{}], [{ label: 7 }], [{ label: "" }], [{ label: "x".repeat(65) }], [{ label: "Tom", conversations: "dave" }], [{ label: "Tom", until: "soon" }],
      [{ label: "Tom" }, "device"], [{ label: "Tom" }, "owner"], [{ label: "Tom" }, "reader"]]) {
      await assert.rejects(approve(staff, role), ({ refused }) => refused?.code === "invalid_argument", JSON.stringify([staff, role]));
    }
    assert.equal(await tom.state(), "new", "nothing was given");
    assert.equal(await approve({ label: "Tom", answers: false, conversations: ["dave"], until: Date.now() + 86_400_000 }), "Tom");
    await tom.call(() => window.attempt.done.then(() => undefined));
    await tom.t("account").waitFor();
    await says(tom, "staff-line", /^You read for @mp as “Tom”/);

    await carol.type("Not for Tom");
    await has(jane, ids.carol, "Not for Tom");
    await until("Dave knows who reads", async () => (await readers(dave)).join() === "Jane, office,Tom");
    await dave.send("mp", "Is it still open?");
    for (const device of [mp, jane, tom]) await has(device, ids.dave, "Is it still open?");
    assert.deepEqual(await texts(tom, ids.carol), []);
    await openChat(tom, ids.dave);
    await tom.sees("Is it still open?");
    assert.equal(await tom.t("composer").count(), 0);
    assert.match(await text(tom, "readonly-note"), /You may read the messages of @mp, not answer them/);
    await isRefused(tom, "not_allowed", (client, id) => client.send(id, { text: "No" }), ids.dave);
    await says(carol, "read-by", /^Read by mp and 1 staff$/);
    noProblems(tom, dave);
  });

  test("the account's devices show who has access and change it, with the keyboard alone", async () => {
    await mp.page.goto(`${mp.page.url().split("#")[0]}#/devices`);
    await mp.t("staff").nth(1).waitFor();
    const shown = await mp.t("staff").allTextContents();
    assert.match(shown[0], /^Tomreadsonly dave, also what you writesince today, until /);
    assert.match(shown[1], /^Jane, officereads and answersall conversations, also what you writesince today, until you end it/);
    assert.equal(await mp.t("device").count(), 1, "staff is none of the account's own devices");
    await mp.t("staff-change").first().focus();
    await mp.page.keyboard.press("Enter");
    await mp.t("staff-change-dialog").waitFor();
    await mp.t("staff-open").focus();
    await mp.page.keyboard.press("Space");
    await mp.t("staff-change-save").focus();
    await mp.page.keyboard.press("Enter");
    await until("it holds", async () => (await mp.call((client) => client.staff()))[0].until === undefined);
    assert.deepEqual((await mp.call((client) => client.staff()))[0].conversations, [ids.dave]);
  });

  test("ended access is over at once: the next message is not readable there, everybody is told, and who had access can be looked up", async () => {
    await mp.page.getByRole("button", { name: "End access of Jane, office" }).click();
    assert.match(await text(mp, "staff-end-ask"), /What they have read stays read/);
    await mp.t("staff-end-confirm").click();
    await jane.t("unlinked").waitFor();
    assert.match(await text(jane, "unlinked"), /Your access to the messages of @mp has ended/);
    await openChat(carol, ids.mp);
    await carol.type("Are you still there?");
    await has(mp, ids.carol, "Are you still there?");
    await until("Carol is told", async () => !(await carol.t("read-by").isVisible()));
    await until("a line says so", async () => /“Jane, office” can no longer read/.test((await carol.t("staff-note").allTextContents()).join()));
    assert.equal((await texts(jane, ids.carol)).includes("Are you still there?"), false);
    assert.ok((await texts(jane, ids.carol)).includes("For all again"), "what was read stays");
    assert.equal(await jane.t("composer").count(), 0);
    await mp.t("staff-audit-open").click();
    await until("the list has her", async () => /Jane, office/.test(await mp.t("staff-past").first().textContent()));
    await jane.t("own-open").click();
    await until("her own account is as it was", async () => /@jane/.test(await text(jane, "account")));
    noProblems(mp, jane, carol, dave, tom);
  });
});
