// Our browser on a plain Signal service: Signal's own mock server, which knows nothing of our additions, and people on it
// whose phones are Signal's own code. The tests are one story and build on each other.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { until } from "../e2e/lib/poll.mjs";
import { isRefused } from "../e2e/lib/refused.mjs";
import { EMPTY_DATA_MESSAGE, SignalService, attachmentToPointer, encryptAttachment } from "./mock.mjs";
import { RelaySocket } from "./socket.mjs";

let service;
let phone; // our person's primary device
let contact; // another person
let laptop; // our person's browser, which is ours
let linked; // the same, as the service knows it

before(async () => {
  service = await SignalService.start();
  phone = await service.person("Phone");
  contact = await service.person("Contact");
  laptop = await service.browser({ name: "Laptop" });
});

after(async () => {
  await laptop?.remove();
  await service?.close();
});

const aciOf = (person) => person.device.aci;
const has = (text, conversation = aciOf(contact)) => until(`the laptop has “${text}”`, async () =>
  (await laptop.messages(conversation)).find((message) => message.text === text));
const hasStatus = (status, id, conversation = aciOf(contact)) => until(`the message is ${status}`, async () =>
  (await laptop.messages(conversation)).find((message) => message.id === id && message.status === status));
const sentSync = (body) => phone.waitForSyncMessage(({ syncMessage }) => syncMessage.content?.sent?.message?.body === body);
const devicesOfLastSend = (to) => service.sends.findLast((send) => send.to === to)?.devices;
const conversation = (id = aciOf(contact)) => laptop.call(async (client, wanted) => (await client.conversations()).find((one) => one.id === wanted), id);

describe("Signal's own server and people with Signal's own code", { concurrency: false }, () => {
  test("a phone links our browser, which is then ready without a handle", async () => {
    linked = await service.link(laptop, phone);
    assert.deepEqual(await laptop.account(), { id: aciOf(phone), deviceId: 2, deviceName: "Laptop", role: "owner" });
    assert.equal(await laptop.state(), "ready");
    assert.equal(linked.deviceId, 2);
    for (const kind of ["ACI", "PNI"]) {
      assert.equal(await linked.getPreKeyCount(kind), 100);
      assert.equal(await linked.getKyberPreKeyCount(kind), 100);
    }
  });

  test("our first message reaches a stranger, and the phone has its transcript", async () => {
    const id = await laptop.send(aciOf(contact), "Hello from a browser");
    const got = await contact.waitForMessage();
    assert.deepEqual([got.body, got.source.debugId, got.envelopeType], ["Hello from a browser", `${aciOf(phone)}.2`, "PreKey"]);
    const { syncMessage, source } = await sentSync("Hello from a browser");
    const { sent } = syncMessage.content;
    assert.equal(source.debugId, `${aciOf(phone)}.2`);
    assert.deepEqual([sent.timestamp, sent.message.timestamp], [got.dataMessage.timestamp, got.dataMessage.timestamp]);
    assert.equal(Buffer.from(sent.destinationServiceIdBinary).toString("hex"), aciOf(contact).replaceAll("-", ""));
    await hasStatus("sent", id);
  });

  test("the contact answers in that session, and both go on", async () => {
    await contact.sendText(linked, "Hello from a phone", { withProfileKey: true });
    const got = await has("Hello from a phone");
    assert.deepEqual([got.author, got.authorDevice, got.outgoing, got.status], [aciOf(contact), 1, false, "received"]);
    await laptop.send(aciOf(contact), "Now we ratchet");
    const answer = await contact.waitForMessage();
    assert.deepEqual([answer.body, answer.envelopeType], ["Now we ratchet", "CipherText"]);
    await sentSync("Now we ratchet");
  });

  test("what the phone sends is mirrored here as sent", async () => {
    const timestamp = Date.now();
    const destinationServiceId = aciOf(contact);
    await service.server.send(linked, await phone.encryptSyncSent(linked, "From the phone", { timestamp, destinationServiceId }));
    const copy = await has("From the phone");
    assert.deepEqual([copy.outgoing, copy.authorDevice, copy.status, copy.sentAt], [true, 1, "sent", timestamp]);
  });

  test("a note to self goes both ways", async () => {
    const self = aciOf(phone);
    await laptop.send(self, "Milk");
    await sentSync("Milk");
    assert.deepEqual(devicesOfLastSend(self), [1]);
    await service.server.send(linked, await phone.encryptSyncSent(linked, "Bread", { timestamp: Date.now(), destinationServiceId: self }));
    await has("Bread", self);
  });

  test("a read mark goes to the phone, and one of the phone's counts here", async () => {
    const [first] = (await laptop.messages(aciOf(contact))).filter(({ outgoing }) => !outgoing);
    assert.equal((await conversation()).unread, 1);
    await laptop.call((client, [id, message]) => client.markRead(id, message), [aciOf(contact), first.id]);
    const { syncMessage } = await phone.waitForSyncMessage(({ syncMessage: sync }) => sync.read?.length > 0);
    assert.equal(Number(syncMessage.read[0].timestamp), first.sentAt);
    assert.equal(Buffer.from(syncMessage.read[0].senderAciBinary).toString("hex"), aciOf(contact).replaceAll("-", ""));
    const timestamp = Date.now();
    await contact.sendText(linked, "Read on the phone", { timestamp });
    await has("Read on the phone");
    assert.equal((await conversation()).unread, 1);
    await service.server.send(linked, await phone.encryptSyncRead(linked, { messages: [{ senderAci: aciOf(contact), timestamp }] }));
    await until("nothing is unread", async () => (await conversation()).unread === 0);
  });

  test("a read mark that comes before its message counts when the message comes", async () => {
    const timestamp = Date.now();
    await service.server.send(linked, await phone.encryptSyncRead(linked, { messages: [{ senderAci: aciOf(contact), timestamp }] }));
    await contact.sendText(linked, "Read before it came", { timestamp });
    await has("Read before it came");
    assert.equal((await conversation()).unread, 0);
    await contact.sendText(linked, "Read by nobody yet", { timestamp: timestamp + 1 });
    await has("Read by nobody yet");
    assert.equal((await conversation()).unread, 1);
  });

  test("what the phone says of settings holds here, and blocks and answers go both ways", async () => {
    // The phone answers our request with typing indicators off; what is on is on here anyway.
    await until("the phone's settings hold", () => laptop.call(async (client) => (await client.settings()).typing === false));
    const who = aciOf(contact);
    const threadAciBinary = Buffer.from(who.replaceAll("-", ""), "hex");
    const response = async (type) => {
      const { syncMessage } = await phone.waitForSyncMessage(({ syncMessage: sync }) => sync.content?.messageRequestResponse?.type === type);
      return Buffer.from(syncMessage.content.messageRequestResponse.threadAciBinary).toString("hex");
    };
    const [ACCEPT, BLOCK] = [1, 3];
    await laptop.call((client, id) => client.block(id, true), who);
    assert.equal(await response(BLOCK), threadAciBinary.toString("hex"));
    const sync = (content) => phone.sendRaw(linked, {
      content: { syncMessage: { content, stickerPackOperation: null, read: null, viewed: null, padding: null } },
      pniSignatureMessage: null, senderKeyDistributionMessage: null,
    });
    const answered = (type) => ({ messageRequestResponse: { type, threadAciBinary, threadAci: null, groupId: null } });
    await sync(answered(ACCEPT));
    await until("he is not blocked any more", async () => !(await conversation()).blocked);
    await sync({ blocked: { numbers: null, groupIds: null, acisBinary: [threadAciBinary], acis: null } });
    await until("he is blocked", async () => (await conversation()).blocked);
    await laptop.call((client, id) => client.block(id, false), who);
    assert.equal(await response(ACCEPT), threadAciBinary.toString("hex"));
    assert.equal((await conversation()).blocked, false);
    await laptop.call((client) => client.setSettings({ readReceipts: false }));
    const { syncMessage } = await phone.waitForSyncMessage(({ syncMessage: got }) => got.content?.configuration);
    assert.equal(syncMessage.content.configuration.readReceipts, false);
  });

  test("a file that Signal's client attaches is shown as one, and fetching it is refused: it lies elsewhere", async () => {
    // As Signal's code encrypts and names it; where it lies is a name on a CDN that a browser page does not know.
    const pointer = attachmentToPointer("aCdnKeyOfSignal", encryptAttachment(Buffer.from("a picture")));
    const named = { ...pointer, contentType: "image/png", fileName: "cat.png", width: 30, height: 20 };
    const dataMessage = { ...EMPTY_DATA_MESSAGE, attachments: [named], timestamp: BigInt(Date.now()) };
    await contact.sendRaw(linked, { content: { dataMessage }, pniSignatureMessage: null, senderKeyDistributionMessage: null });
    const message = await until("the laptop has it", async () => (await laptop.messages(aciOf(contact))).find(({ attachments }) => attachments.length > 0));
    assert.deepEqual([message.kind, message.text], ["text", ""]);
    assert.deepEqual(message.attachments, [{ index: 0, size: 9, contentType: "image/png", fileName: "cat.png", width: 30, height: 20, style: "plain" }]);
    await isRefused(laptop, "attachments_unsupported", (client, id) => client.download(id, 0), message.id);
    await isRefused(laptop, "attachments_unsupported", (client) => client.upload(new File(["text"], "a.txt")));
  });

  test("edits, reactions and deletions are read as Signal writes them, and written so", async () => {
    const target = Date.now();
    const raw = (content) => contact.sendRaw(linked, { content, pniSignatureMessage: null, senderKeyDistributionMessage: null });
    const theirs = async () => (await laptop.messages(aciOf(contact))).find(({ sentAt, outgoing }) => sentAt === target && !outgoing);
    await contact.sendText(linked, "As first written", { timestamp: target });
    await has("As first written");
    await raw({ editMessage: { targetSentTimestamp: BigInt(target), dataMessage: { ...EMPTY_DATA_MESSAGE, body: "As written again", timestamp: BigInt(target + 1) } } });
    await until("the edit is here", async () => (await theirs()).text === "As written again");
    assert.deepEqual((await theirs()).earlier.map(({ text }) => text), ["As first written"]);

    const ours = await laptop.send(aciOf(contact), "To be reacted to");
    const { dataMessage: sent } = await contact.waitForMessage();
    const targetAuthorAciBinary = Buffer.from(aciOf(phone).replaceAll("-", ""), "hex");
    const reaction = { emoji: "👍", remove: false, targetAuthorAci: null, targetAuthorAciBinary, targetSentTimestamp: sent.timestamp };
    await raw({ dataMessage: { ...EMPTY_DATA_MESSAGE, reaction, timestamp: BigInt(target + 2) } });
    await until("the reaction is here", async () => (await laptop.messages(aciOf(contact))).find(({ id }) => id === ours).reactions[0]?.emoji === "👍");
    await raw({ dataMessage: { ...EMPTY_DATA_MESSAGE, delete: { targetSentTimestamp: BigInt(target) }, timestamp: BigInt(target + 3) } });
    await until("it is deleted", async () => (await theirs()).kind === "deleted");

    await laptop.call((client, id) => client.edit(id, { text: "Edited here" }), ours);
    const { editMessage } = await contact.waitForEditMessage();
    assert.deepEqual([editMessage.targetSentTimestamp, editMessage.dataMessage.body], [sent.timestamp, "Edited here"]);
    const synced = (matches) => phone.waitForSyncMessage(({ syncMessage }) => matches(syncMessage.content?.sent));
    assert.equal((await synced((sync) => sync?.editMessage)).syncMessage.content.sent.editMessage.dataMessage.body, "Edited here");
    await laptop.call((client, id) => client.react(id, "🎉"), ours);
    const { dataMessage: reacted } = await contact.waitForMessage();
    assert.deepEqual([reacted.reaction.emoji, reacted.reaction.targetSentTimestamp], ["🎉", sent.timestamp]);
    assert.equal((await synced((sync) => sync?.message?.reaction)).syncMessage.content.sent.message.reaction.emoji, "🎉");
    await laptop.call((client, id) => client.remove(id, { everyone: true }), ours);
    const { dataMessage: deleted } = await contact.waitForMessage();
    assert.equal(deleted.delete.targetSentTimestamp, sent.timestamp);
    assert.equal((await synced((sync) => sync?.message?.delete)).syncMessage.content.sent.message.delete.targetSentTimestamp, sent.timestamp);
  });

  test("what the phone deletes for its person alone goes here, and the other way round", async () => {
    const [first, second] = [Date.now(), Date.now() + 1];
    for (const [timestamp, text] of [[first, "Deleted on the phone"], [second, "Deleted here"]]) {
      await contact.sendText(linked, text, { timestamp });
      await has(text);
    }
    const threadServiceIdBinary = Buffer.from(aciOf(contact).replaceAll("-", ""), "hex");
    const conversation = { identifier: { threadServiceIdBinary } };
    const messages = [{ author: { authorServiceIdBinary: threadServiceIdBinary }, sentTimestamp: BigInt(first) }];
    const deleteForMe = { messageDeletes: [{ conversation, messages }], conversationDeletes: null, localOnlyConversationDeletes: null, attachmentDeletes: null };
    await phone.sendRaw(linked, {
      content: { syncMessage: { content: { deleteForMe }, stickerPackOperation: null, read: null, viewed: null, padding: null } },
      pniSignatureMessage: null, senderKeyDistributionMessage: null,
    });
    await until("it is gone", async () => (await laptop.messages(aciOf(contact))).every(({ text }) => text !== "Deleted on the phone"));
    const message = await has("Deleted here");
    await laptop.call((client, id) => client.remove(id), message.id);
    const { syncMessage } = await phone.waitForSyncMessage(({ syncMessage: sync }) => sync.content?.deleteForMe);
    const [{ messages: [named] }] = syncMessage.content.deleteForMe.messageDeletes;
    assert.equal(Number(named.sentTimestamp), second);
    assert.equal(Buffer.from(named.author.authorServiceIdBinary).toString("hex"), threadServiceIdBinary.toString("hex"));
  });

  test("a timer that Signal's client sets holds here, and ours holds there", async () => {
    const timer = async () => (await conversation()).timer;
    const update = { ...EMPTY_DATA_MESSAGE, flags: 2, expireTimer: 3600, expireTimerVersion: 2, timestamp: BigInt(Date.now()) };
    await contact.sendRaw(linked, { content: { dataMessage: update }, pniSignatureMessage: null, senderKeyDistributionMessage: null });
    await until("it holds", async () => (await timer()) === 3600);
    await laptop.send(aciOf(contact), "For an hour");
    const { dataMessage } = await contact.waitForMessage();
    assert.deepEqual([dataMessage.body, dataMessage.expireTimer, dataMessage.expireTimerVersion], ["For an hour", 3600, 2]);
    const { syncMessage } = await sentSync("For an hour");
    assert.equal(syncMessage.content.sent.expirationStartTimestamp, dataMessage.timestamp);
    await laptop.call((client, id) => client.setTimer(id, 0), aciOf(contact));
    const { dataMessage: off } = await contact.waitForMessage();
    assert.deepEqual([off.flags & 2, off.expireTimer, off.expireTimerVersion], [2, 0, 3]);
    assert.equal(await timer(), undefined);
  });

  test("a message to a group does not turn up in the conversation with its author", async () => {
    const groupV2 = { masterKey: new Uint8Array(32), revision: 0, groupChange: null };
    const dataMessage = { ...EMPTY_DATA_MESSAGE, body: "To a group", groupV2, timestamp: BigInt(Date.now()) };
    await contact.sendRaw(linked, { content: { dataMessage }, pniSignatureMessage: null, senderKeyDistributionMessage: null });
    await contact.sendText(linked, "To you");
    await has("To you");
    assert.ok((await laptop.messages(aciOf(contact))).every(({ text }) => text !== "To a group"));
  });

  test("what it can't read is acked and asked for, and holds up nothing", async () => {
    await contact.addSingleUseKey(linked, await linked.popSingleUseKey("PNI"), "PNI");
    await contact.sendText(linked, "To the phone number", { serviceIdKind: "PNI" });
    const asked = await contact.waitForDecryptionError();
    assert.deepEqual([asked.source.debugId, asked.senderDevice], [linked.debugId, 1]);
    await contact.sendText(linked, "Sealed", { sealed: true });
    await contact.sendReceipt(linked, { type: "Delivery", messageTimestamps: [Date.now()] });
    await contact.sendText(linked, "In plain sight");
    await has("In plain sight");
    const texts = (await laptop.messages(aciOf(contact))).map(({ text }) => text);
    assert.ok(!texts.includes("To the phone number") && !texts.includes("Sealed"));
  });

  test("devices that came meanwhile, of the contact and of our own, are found by 409 and get the next message", async () => {
    await service.server.createSecondaryDevice(contact);
    await service.server.createSecondaryDevice(phone);
    const id = await laptop.send(aciOf(contact), "To all of you");
    assert.equal((await contact.waitForMessage()).body, "To all of you");
    await sentSync("To all of you");
    await hasStatus("sent", id);
    assert.deepEqual(devicesOfLastSend(aciOf(contact)), [1, 2]);
    assert.deepEqual(devicesOfLastSend(aciOf(phone)), [1, 3]);
  });

  test("a device that was set up anew is found by 410", async () => {
    const second = await service.server.getDeviceByServiceId(aciOf(contact), 2);
    second.registrationId = (second.registrationId % 0x3fff) + 1;
    const sends = service.sends.length;
    await laptop.send(aciOf(contact), "To the new one");
    assert.equal((await contact.waitForMessage()).body, "To the new one");
    await sentSync("To the new one");
    assert.deepEqual(service.sends.slice(sends).map(({ devices }) => devices), [[1, 2], [1, 3]]);
  });

  test("an account that is no longer registered fails the message, and says so", async () => {
    const gone = await service.person("Gone");
    await laptop.send(aciOf(gone), "Are you there?");
    assert.equal((await gone.waitForMessage()).body, "Are you there?");
    service.server.unregister(gone);
    const id = await laptop.send(aciOf(gone), "And now?");
    assert.equal((await hasStatus("failed", id, aciOf(gone))).error, "unknown_handle");
    const nobody = "11111111-2222-4333-8444-555555555555";
    const second = await laptop.send(nobody, "Anybody?");
    assert.equal((await hasStatus("failed", second, nobody)).error, "unknown_handle");
  });

  test("a challenge keeps the message, says so, and order holds", async () => {
    const pair = { source: aciOf(phone), target: aciOf(contact) };
    service.server.rateLimit(pair);
    await laptop.call((client) => {
      window.failures = [];
      client.on("error", ({ code }) => window.failures.push(code));
    });
    const first = await laptop.send(aciOf(contact), "While challenged");
    const second = await laptop.send(aciOf(contact), "And one behind it");
    await until("the page is told", () => laptop.call(() => window.failures.includes("challenge_required")));
    await hasStatus("queued", first);
    await hasStatus("queued", second);
    assert.equal(service.server.stopRateLimiting(pair), 1);
    await laptop.reload();
    assert.equal((await contact.waitForMessage()).body, "While challenged");
    assert.equal((await contact.waitForMessage()).body, "And one behind it");
    await hasStatus("sent", second);
  });

  test("another socket of the same device takes over (4409), and we do not race it", async () => {
    const socket = await RelaySocket.open(service.bridge.http, async () => 200);
    const answer = await socket.request("GET", "/v1/accounts/whoami", undefined, [`authorization:${service.authorization(linked)}`]);
    assert.equal(answer.status, 200);
    await laptop.shows("offline");
    const stays = await socket.request("GET", "/v1/keepalive");
    assert.equal(stays.status, 200);
    assert.equal(await laptop.call((client) => client.connection()), "offline");
    await socket.close();
    const waiting = contact.sendText(linked, "While you were away");
    await laptop.reload();
    await has("While you were away");
    await waiting;
  });

  test("a message written while the line was cut goes out once, and what waited at the service comes", async () => {
    await laptop.goOffline();
    const id = await laptop.send(aciOf(contact), "Written in a tunnel");
    const waiting = contact.sendText(linked, "Waits for you");
    await laptop.goOnline();
    assert.equal((await contact.waitForMessage()).body, "Written in a tunnel");
    await hasStatus("sent", id);
    await has("Waits for you");
    await waiting;
    assert.equal(contact.getMessageQueueSize(), 0);
  });

  test("what is stored is the same after the browser was closed", async () => {
    const before = await laptop.messages(aciOf(contact));
    await laptop.close();
    await laptop.reopen();
    await laptop.online();
    assert.deepEqual(await laptop.messages(aciOf(contact)), before);
    assert.deepEqual(laptop.problems, []);
  });
});
