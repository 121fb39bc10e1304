// Signal's own client library for Node, with stores in memory: the peer that encryption is compared with.
// It is native code behind a JavaScript API; its application keeps sessions as bytes, so each call reads and writes them.
import * as signal from "@signalapp/libsignal-client";
import { unbase64 } from "../../tests/interop/codec.mjs";
import { firstKeys } from "../../tests/interop/keys.mjs";
import { newStores } from "../../tests/interop/stores.mjs";

async function party(name) {
  const stores = newStores();
  return { stores, address: signal.ProtocolAddress.new(name, 1), keys: await firstKeys(stores) };
}

function bundle({ stores, keys }) {
  const { aciSignedPreKey: ec, aciPqLastResortPreKey: kem } = keys;
  const { registrationId, pair } = stores.identities;
  return signal.PreKeyBundle.new(
    registrationId, 1, null, null,
    ec.keyId, signal.PublicKey.deserialize(unbase64(ec.publicKey)), unbase64(ec.signature), pair.publicKey,
    kem.keyId, signal.KEMPublicKey.deserialize(unbase64(kem.publicKey)), unbase64(kem.signature));
}

async function pass(from, to, text) {
  const { sessions, identities } = from.stores;
  const sealed = await signal.signalEncrypt(text, to.address, from.address, sessions, identities);
  const bytes = sealed.serialize();
  const stores = to.stores;
  if (sealed.type() === signal.CiphertextMessageType.PreKey) {
    const message = signal.PreKeySignalMessage.deserialize(bytes);
    return signal.signalDecryptPreKey(
      message, from.address, to.address, stores.sessions, stores.identities, stores.preKeys, stores.signedPreKeys, stores.kyberPreKeys);
  }
  return signal.signalDecrypt(signal.SignalMessage.deserialize(bytes), from.address, to.address, stores.sessions, stores.identities);
}

/** Two devices with a session that both have used: { oneWay(times, bytes), turns(times, bytes) }, microseconds each. */
export async function official() {
  const [alice, bob] = [await party("alice"), await party("bob")];
  await signal.processPreKeyBundle(bundle(bob), bob.address, alice.address, alice.stores.sessions, alice.stores.identities);
  const timed = async (times, work) => {
    const start = performance.now();
    for (let done = 0; done < times; done += 1) await work();
    return ((performance.now() - start) * 1000) / times;
  };
  const text = (bytes) => new Uint8Array(bytes).fill(120);
  const turn = async (words) => {
    await pass(alice, bob, words);
    await pass(bob, alice, words);
  };
  await turn(text(5));
  return {
    oneWay: (times, bytes) => timed(times, () => pass(alice, bob, text(bytes))),
    turns: (times, bytes) => timed(times, () => turn(text(bytes))),
  };
}
