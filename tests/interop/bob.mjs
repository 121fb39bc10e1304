// Bob: a device that is none of ours. Signal's official library does his cryptography, and he knows the relay only by its
// public protocol (docs/protocol.md): registration, prekeys, bundles, deliveries and acks.
// He is strict with what he receives: wrong padding, a wrong Binding or a message without the post-quantum ratchet throws.
// Everything is in memory; one Bob is the first device of his account. Devices he links (primary.mjs) get a copy of what he sends.
import { randomBytes } from "node:crypto";
import * as signal from "@signalapp/libsignal-client";
import {
  base64, Bundle, BundleMismatch, CIPHERTEXT, Content, Envelope, hex, pad, PLAINTEXT, PREKEY_BUNDLE, unbase64, unpad, uuidBytes, uuidText,
} from "./codec.mjs";
import { firstKeys, oneTimeKeys, preKeyBundle } from "./keys.mjs";
import { readCertificate, readList, vouchedFor } from "./lists.mjs";
import { RelaySocket } from "./socket.mjs";
import { newStores } from "./stores.mjs";

const ONE_TIME_KEYS = 100;
const SEND_TRIES = 4;
const DEVICE_ID = 1;
const PQXDH_WITH_SPQR = 4; // message version: PQXDH and the post-quantum ratchet

function messageId(timestamp) {
  const id = randomBytes(16);
  if (timestamp) id.writeUIntBE(timestamp, 0, 6);
  return new Uint8Array(id);
}

export class Bob {
  /** Registers a new account and stays connected. */
  static async register(relay, handle, credential, oneTime = ONE_TIME_KEYS) {
    const bob = new this(relay, handle);
    await bob.#register(credential);
    await bob.connect();
    const put = await bob.socket.request("PUT", "/v2/keys", await oneTimeKeys(bob.stores, oneTime));
    if (put.status !== 204) throw new Error(`PUT /v2/keys: ${put.status}`);
    return bob;
  }

  constructor(relay, handle) {
    Object.assign(this, { relay, handle, stores: newStores(), password: base64(randomBytes(16)) });
    this.received = []; // { from, device, id, text, sentAt, kind, preKey }
    this.synced = []; // { device, sync } from his own other devices
    this.failures = []; // what threw while receiving
    this.devices = new Map(); // account to Map of device to registration id
    this.lists = new Map(); // account to the newest signed list
    this.beacons = 0; // how many messages said which list their sender knows, and it was the one
    this.seen = new Set();
    this.waiting = [];
  }

  async #register(credential) {
    const { pair, registrationId } = this.stores.identities;
    const proof = Buffer.from(`Lockstep register 1\0${this.handle}\0${this.password}`);
    const body = {
      handle: this.handle,
      ...(credential && { credential }),
      password: this.password,
      identityKey: base64(pair.publicKey.serialize()),
      proof: base64(pair.privateKey.sign(proof)),
      accountAttributes: { fetchesMessages: true, registrationId, name: "", capabilities: {} },
      ...(await firstKeys(this.stores)),
    };
    const socket = await RelaySocket.open(this.relay, async () => 404);
    const answer = await socket.request("PUT", "/v1/accounts", body);
    await socket.close();
    if (answer.status !== 200) throw new Error(`PUT /v1/accounts: ${answer.status} ${Buffer.from(answer.body)}`);
    this.account = answer.json().uuid;
    this.address = signal.ProtocolAddress.new(this.account, DEVICE_ID);
  }

  /** Connects and says who he is; deliveries begin. */
  async connect() {
    this.drained = new Promise((resolve) => {
      this.onDrained = resolve;
    });
    this.socket = await RelaySocket.open(this.relay, (request) => this.#asked(request));
    const authorization = `Basic ${base64(Buffer.from(`${this.account}.${DEVICE_ID}:${this.password}`))}`;
    const me = await this.socket.request("GET", "/v1/accounts/whoami", undefined, [`authorization:${authorization}`]);
    if (me.status !== 200) throw new Error(`GET /v1/accounts/whoami: ${me.status}`);
    if (me.json().uuid !== this.account || me.json().handle !== this.handle) throw new Error("the relay takes Bob for someone else");
  }

  /** Deliveries that wait stay in the mailbox until he connects again. */
  close() {
    return this.socket.close();
  }

  /** The account of a handle, or undefined. */
  async find(handle) {
    const answer = await this.socket.request("GET", `/v1/accounts/handle/${handle}`);
    return answer.status === 200 ? answer.json().uuid : undefined;
  }

  async keyCounts() {
    return (await this.socket.request("GET", "/v2/keys")).json();
  }

  // Receiving

  async #asked({ verb, path, body }) {
    if (`${verb} ${path}` === "PUT /api/v1/queue/empty") this.onDrained();
    if (`${verb} ${path}` !== "PUT /api/v1/message") return 200;
    const envelope = Envelope.decode(body);
    try {
      if (envelope.type === PLAINTEXT) await this.askedAgain(envelope);
      else await this.#receive(envelope);
    } catch (error) {
      await this.unreadable(envelope, error);
    }
    this.#wake();
    return 200;
  }

  /** This one remembers everything, so it is a failure. */
  async unreadable(_, error) {
    this.failures.push(error);
  }

  /** This one seals everything well, so nobody has reason to ask. */
  async askedAgain() {
    this.failures.push(new Error("a retry request"));
  }

  async #receive(envelope) {
    const account = envelope.sourceServiceId ?? uuidText(envelope.sourceServiceIdBinary);
    const device = envelope.sourceDeviceId;
    const from = signal.ProtocolAddress.new(account, device);
    if (envelope.certified && !this.stores.identities.certified(from)) await this.#fetchList(account);
    const { padded, epoch, preKey } = await this.#decrypt(envelope, from);
    const content = Content.decode(unpad(padded));
    this.#checkBinding(content.binding, { account, device, epoch });
    this.#checkBeacon(content.binding, account);
    if (!this.devices.has(account)) this.devices.set(account, new Map());
    this.devices.get(account).set(device, epoch);
    const id = hex(content.binding.messageId);
    if (this.seen.has(`${account} ${id}`)) throw new Error(`the message ${id} came twice`);
    this.seen.add(`${account} ${id}`);
    if (content.syncMessage) this.#synced(account, device, content.syncMessage);
    if (!content.dataMessage) return;
    const { body: text, timestamp: sentAt } = content.dataMessage;
    if (sentAt !== envelope.clientTimestamp) throw new Error("the timestamps inside and outside differ");
    this.received.push({ from: account, device, id, text, sentAt, preKey });
  }

  #synced(account, device, sync) {
    if (account !== this.account) throw new Error("a sync message from somebody else");
    this.synced.push({ device, sync });
  }

  async #decrypt(envelope, from) {
    const { sessions, identities, preKeys, signedPreKeys, kyberPreKeys } = this.stores;
    if (envelope.type === PREKEY_BUNDLE) {
      const message = signal.PreKeySignalMessage.deserialize(envelope.content);
      if (message.version() !== PQXDH_WITH_SPQR) throw new Error(`a session of version ${message.version()}`);
      const padded = await signal.signalDecryptPreKey(
        message, from, this.address, sessions, identities, preKeys, signedPreKeys, kyberPreKeys);
      return { padded, epoch: message.registrationId(), preKey: true };
    }
    if (envelope.type !== CIPHERTEXT) throw new Error(`an envelope of type ${envelope.type}`);
    const message = signal.SignalMessage.deserialize(envelope.content);
    if (message.messageVersion() !== PQXDH_WITH_SPQR) throw new Error(`a message of version ${message.messageVersion()}`);
    if (message.pqRatchet().length === 0) throw new Error("a message without the post-quantum ratchet");
    const padded = await signal.signalDecrypt(message, from, this.address, sessions, identities);
    return { padded, epoch: (await sessions.getSession(from)).remoteRegistrationId(), preKey: false };
  }

  #checkBinding(binding, from) {
    if (!binding) throw new Error("a plaintext without a Binding");
    const says = {
      account: uuidText(binding.senderAccount), device: binding.senderDevice, epoch: binding.senderEpoch,
      toAccount: uuidText(binding.recipientAccount), toDevice: binding.recipientDevice, id: binding.messageId.length,
    };
    const is = { ...from, toAccount: this.account, toDevice: DEVICE_ID, id: 16 };
    if (JSON.stringify(says) !== JSON.stringify(is)) throw new Error(`the Binding says ${JSON.stringify(says)}, not ${JSON.stringify(is)}`);
  }

  /** Which list of their own the sender knows: it must be the one that the relay shows. */
  #checkBeacon({ senderListVersion: version, senderListHash: hash }, account) {
    const known = this.lists.get(account);
    if (!version || !known || version !== known.version) return;
    if (hex(hash) !== known.hash.slice(0, 32)) throw new Error("two lists of one version");
    this.beacons += 1;
  }

  // Sending

  /**
   * A text to every device of the account, with a copy for his own others; resolves to the message id when the relay has it.
   * Ids are random, since any 16 bytes will do; `ordered`, they begin with the time, as our own client's do.
   */
  async send(account, text, { bundleId, ordered, at = Date.now() } = {}) {
    const timestamp = at;
    const message = { body: text, timestamp };
    const sent = { destinationServiceId: account, destinationServiceIdBinary: uuidBytes(account), timestamp, message };
    if (!this.devices.get(account)?.size) await this.fetchKeys(account, "*");
    return this.#deliver(timestamp, [[account, { dataMessage: message }]], { syncMessage: { sent } }, { bundleId, id: messageId(ordered && timestamp) });
  }

  /** Something for his own other devices alone. */
  sync(syncMessage) {
    return this.#deliver(Date.now(), [], { syncMessage });
  }

  async #deliver(timestamp, parts, own, { bundleId, id = messageId() } = {}) {
    for (let tries = 1; tries <= SEND_TRIES; tries += 1) {
      const all = this.devices.get(this.account)?.size ? [...parts, [this.account, own]] : parts;
      const recipients = [];
      for (const [account, content] of all) recipients.push({ account: uuidBytes(account), messages: await this.#seal(account, content, id) });
      const bundle = Bundle.encode({ bundleId: bundleId ?? id, timestamp, recipients });
      const answer = await this.socket.request("PUT", "/v1/bundles", bundle);
      if (answer.status === 200) return hex(id);
      if (answer.status !== 409) throw new Error(`PUT /v1/bundles: ${answer.status}`);
      for (const mismatch of BundleMismatch.decode(answer.body).accounts) await this.#repair(mismatch);
    }
    throw new Error(`not sent after ${SEND_TRIES} tries`);
  }

  /** Something for one device that asked for it or is asked; no other device is missed (docs/protocol.md, section 17). */
  async sendPartial(account, message, timestamp) {
    const bundleId = new Uint8Array(randomBytes(16));
    const recipients = [{ account: uuidBytes(account), messages: [message] }];
    const answer = await this.socket.request("PUT", "/v1/bundles", Bundle.encode({ bundleId, timestamp, partial: true, recipients }));
    if (answer.status !== 200) throw new Error(`PUT /v1/bundles: ${answer.status}`);
  }

  async #seal(account, content, id) {
    const messages = [];
    for (const [device, epoch] of this.devices.get(account)) messages.push(await this.sealFor(account, device, epoch, content, id));
    return messages;
  }

  /** One device's part. */
  async sealFor(account, device, epoch, content, id) {
    const binding = {
      senderAccount: uuidBytes(this.account), senderDevice: DEVICE_ID, senderEpoch: this.stores.identities.registrationId,
      recipientAccount: uuidBytes(account), recipientDevice: device, messageId: id,
    };
    const padded = pad(Content.encode({ ...content, binding }));
    const to = signal.ProtocolAddress.new(account, device);
    const sealed = await signal.signalEncrypt(padded, to, this.address, this.stores.sessions, this.stores.identities);
    const type = sealed.type() === signal.CiphertextMessageType.PreKey ? PREKEY_BUNDLE : CIPHERTEXT;
    return { deviceId: device, registrationId: epoch, type, content: sealed.serialize() };
  }

  async #repair({ account, missing, extra, stale, gone }) {
    const id = uuidText(account);
    if (gone) throw new Error("the account is gone");
    for (const device of [...extra, ...stale]) this.devices.get(id)?.delete(device);
    for (const device of [...missing, ...stale]) await this.fetchKeys(id, device);
  }

  async fetchKeys(account, device) {
    const answer = await this.socket.request("GET", `/v2/keys/${account}/${device}`);
    if (answer.status !== 200) throw new Error(`GET /v2/keys: ${answer.status}`);
    const { identityKey, devices, deviceList } = answer.json();
    if (!this.devices.has(account)) this.devices.set(account, new Map());
    if (deviceList) this.#takeList(account, signal.PublicKey.deserialize(unbase64(identityKey)), deviceList, devices.flatMap((one) => one.certificate ?? []));
    for (const one of devices) {
      const to = signal.ProtocolAddress.new(account, one.deviceId);
      const { sessions, identities } = this.stores;
      const key = one.certificate ? base64(identities.certified(to).serialize()) : identityKey;
      await signal.processPreKeyBundle(preKeyBundle(key, one), to, this.address, sessions, identities);
      this.devices.get(account).set(one.deviceId, one.registrationId);
    }
  }

  /** Takes in a signed list with the certificates of its devices; whatever is wrong with it throws. */
  #takeList(account, accountKey, text, certificates) {
    const list = readList(text, accountKey);
    const known = this.lists.get(account);
    if (list.account !== account || known?.version > list.version) throw new Error("a list of somebody else, or an old one");
    if (known?.version + 1 === list.version && known.hash !== list.previous) throw new Error("a list that does not follow the one before");
    this.lists.set(account, list);
    const vouched = vouchedFor(list, certificates.map(readCertificate));
    for (const [device, { key }] of vouched) this.stores.identities.certify(signal.ProtocolAddress.new(account, device), key);
  }

  /** The list of an account that has written from a device whose key he does not know. */
  async #fetchList(account) {
    const answer = await this.socket.request("GET", `/v1/accounts/${account}/list`);
    if (answer.status !== 200) throw new Error(`GET list: ${answer.status}`);
    const { list, certificates } = answer.json();
    const known = await this.stores.identities.getIdentity(signal.ProtocolAddress.new(account, 1));
    const accountKey = known ?? readCertificate(certificates[0]).accountKey;
    await this.stores.identities.saveIdentity(signal.ProtocolAddress.new(account, 1), accountKey);
    this.#takeList(account, accountKey, list, certificates);
  }

  // Waiting

  #wake() {
    for (const look of this.waiting.splice(0)) look();
  }

  /** Resolves to what was received once it is `count` messages or more; throws what went wrong in receiving. */
  async until(count, patienceMs = 60_000) {
    const end = Date.now() + patienceMs;
    for (;;) {
      if (this.failures.length) throw this.failures[0];
      if (this.received.length >= count) return this.received;
      if (Date.now() > end) throw new Error(`Bob has ${this.received.length} of ${count} messages`);
      await new Promise((resolve) => {
        const timer = setTimeout(resolve, 1000);
        this.waiting.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }
}
