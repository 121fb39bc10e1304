// What the official library asks its application to keep, in memory. Knows nothing of the relay.
import * as signal from "@signalapp/libsignal-client";

class Sessions extends signal.SessionStore {
  records = new Map();
  async saveSession(address, record) {
    this.records.set(`${address.name()}.${address.deviceId()}`, record.serialize());
  }
  async getSession(address) {
    const bytes = this.records.get(`${address.name()}.${address.deviceId()}`);
    return bytes ? signal.SessionRecord.deserialize(bytes) : null;
  }
  async getExistingSessions(addresses) {
    return Promise.all(addresses.map((address) => this.getSession(address)));
  }
}

class Identities extends signal.IdentityKeyStore {
  known = new Map();
  certificates = new Map();
  constructor(pair, registrationId) {
    super();
    Object.assign(this, { pair, registrationId });
  }
  async getIdentityKey() {
    return this.pair.privateKey;
  }
  async getLocalRegistrationId() {
    return this.registrationId;
  }
  /** A device with a key of its own, for which its account's key vouches. */
  certify(address, key) {
    this.certificates.set(`${address.name()}.${address.deviceId()}`, key);
  }
  certified(address) {
    return this.certificates.get(`${address.name()}.${address.deviceId()}`);
  }
  async saveIdentity(address, key) {
    if (this.certified(address)?.equals(key)) return signal.IdentityChange.NewOrUnchanged;
    const before = this.known.get(address.name());
    this.known.set(address.name(), key);
    const changed = before && !before.equals(key);
    return changed ? signal.IdentityChange.ReplacedExisting : signal.IdentityChange.NewOrUnchanged;
  }
  async isTrustedIdentity(address, key) {
    const known = this.known.get(address.name());
    return !known || known.equals(key) || Boolean(this.certified(address)?.equals(key));
  }
  async getIdentity(address) {
    return this.known.get(address.name()) ?? null;
  }
}

/** The three kinds of prekeys have the same shape: records by id, serialized. */
class Keys {
  records = new Map();
  constructor(type) {
    this.type = type;
  }
  put(record) {
    this.records.set(record.id(), record.serialize());
  }
  get(id) {
    const bytes = this.records.get(id);
    if (!bytes) throw new Error(`there is no ${this.type.name} ${id}`);
    return this.type.deserialize(bytes);
  }
}

class PreKeys extends signal.PreKeyStore {
  keys = new Keys(signal.PreKeyRecord);
  used = 0;
  async savePreKey(_, record) {
    this.keys.put(record);
  }
  async getPreKey(id) {
    return this.keys.get(id);
  }
  async removePreKey(id) {
    this.used += 1;
    this.keys.records.delete(id);
  }
}

class SignedPreKeys extends signal.SignedPreKeyStore {
  keys = new Keys(signal.SignedPreKeyRecord);
  async saveSignedPreKey(_, record) {
    this.keys.put(record);
  }
  async getSignedPreKey(id) {
    return this.keys.get(id);
  }
}

class KyberPreKeys extends signal.KyberPreKeyStore {
  keys = new Keys(signal.KyberPreKeyRecord);
  used = 0;
  lastResort = undefined;
  async saveKyberPreKey(_, record) {
    this.keys.put(record);
  }
  async getKyberPreKey(id) {
    return this.keys.get(id);
  }
  async markKyberPreKeyUsed(id) {
    this.used += 1;
    if (id !== this.lastResort) this.keys.records.delete(id);
  }
}

/** All stores of a new device. */
export function newStores() {
  const registrationId = 1 + Math.floor(Math.random() * 16_380);
  return {
    sessions: new Sessions(),
    identities: new Identities(signal.IdentityKeyPair.generate(), registrationId),
    preKeys: new PreKeys(),
    signedPreKeys: new SignedPreKeys(),
    kyberPreKeys: new KyberPreKeys(),
  };
}
