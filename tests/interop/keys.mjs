// Prekeys of a device: made with the official library, and as JSON for the relay. Knows no socket.
import * as signal from "@signalapp/libsignal-client";
import { base64, unbase64 } from "./codec.mjs";

const LAST_RESORT_ID = 1_000_000;

function signedJson(record) {
  return { keyId: record.id(), publicKey: base64(record.publicKey().serialize()), signature: base64(record.signature()) };
}

async function signed({ identities, signedPreKeys }, id) {
  const key = signal.PrivateKey.generate();
  const signature = identities.pair.privateKey.sign(key.getPublicKey().serialize());
  const record = signal.SignedPreKeyRecord.new(id, Date.now(), key.getPublicKey(), key, signature);
  await signedPreKeys.saveSignedPreKey(id, record);
  return signedJson(record);
}

async function kyber({ identities, kyberPreKeys }, id) {
  const pair = signal.KEMKeyPair.generate();
  const signature = identities.pair.privateKey.sign(pair.getPublicKey().serialize());
  const record = signal.KyberPreKeyRecord.new(id, Date.now(), pair, signature);
  await kyberPreKeys.saveKyberPreKey(id, record);
  return signedJson(record);
}

/** The two keys without which a device is not taken in. */
export async function firstKeys(stores) {
  stores.kyberPreKeys.lastResort = LAST_RESORT_ID;
  return { aciSignedPreKey: await signed(stores, 1), aciPqLastResortPreKey: await kyber(stores, LAST_RESORT_ID) };
}

/** The body of PUT /v2/keys that replaces those two; what was made before stays readable. */
export async function nextKeys(stores) {
  stores.kyberPreKeys.lastResort += 1;
  const { lastResort } = stores.kyberPreKeys;
  return { signedPreKey: await signed(stores, lastResort), pqLastResortPreKey: await kyber(stores, lastResort) };
}

/** The body of PUT /v2/keys with this many one-time keys of each kind. */
export async function oneTimeKeys(stores, count) {
  const preKeys = [];
  const pqPreKeys = [];
  for (let id = 1; id <= count; id += 1) {
    const key = signal.PrivateKey.generate();
    await stores.preKeys.savePreKey(id, signal.PreKeyRecord.new(id, key.getPublicKey(), key));
    preKeys.push({ keyId: id, publicKey: base64(key.getPublicKey().serialize()) });
    pqPreKeys.push(await kyber(stores, id));
  }
  return { preKeys, pqPreKeys };
}

/** One device's part of the answer of GET /v2/keys/..., as the library takes it. */
export function preKeyBundle(identityKey, device) {
  const key = (json) => signal.PublicKey.deserialize(unbase64(json.publicKey));
  const { deviceId, registrationId, preKey, signedPreKey, pqPreKey } = device;
  return signal.PreKeyBundle.new(
    registrationId,
    deviceId,
    preKey?.keyId ?? null,
    preKey ? key(preKey) : null,
    signedPreKey.keyId,
    key(signedPreKey),
    unbase64(signedPreKey.signature),
    signal.PublicKey.deserialize(unbase64(identityKey)),
    pqPreKey.keyId,
    signal.KEMPublicKey.deserialize(unbase64(pqPreKey.publicKey)),
    unbase64(pqPreKey.signature),
  );
}
