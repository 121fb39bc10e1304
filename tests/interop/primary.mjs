// Bob as the existing device of a person: he reads a link URI and gives his account to the device that showed it, with
// Signal's provisioning cipher made from Node's own crypto and the official library's keys.
import { createCipheriv, createHmac, hkdfSync, randomBytes } from "node:crypto";
import * as signal from "@signalapp/libsignal-client";
import { base64, ProvisionEnvelope, ProvisionMessage, unbase64, uuidBytes } from "./codec.mjs";

const WAIT_S = 60;

/** What the URI says: where the device waits, its key, and how it calls itself. */
export function readUri(uri) {
  const query = new URLSearchParams(uri.slice(uri.indexOf("?") + 1));
  return { address: query.get("uuid"), key: signal.PublicKey.deserialize(unbase64(query.get("pub_key"))), name: query.get("name") };
}

/** Resolves to the new device as the relay tells it. */
export async function approve(bob, uri) {
  const { address, key } = readUri(uri);
  const token = (await bob.socket.request("GET", "/v1/devices/provisioning/code")).json();
  const { pair } = bob.stores.identities;
  const message = ProvisionMessage.encode({
    aciIdentityKeyPublic: pair.publicKey.serialize(),
    aciIdentityKeyPrivate: pair.privateKey.serialize(),
    provisioningCode: token.verificationCode,
    userAgent: "Bob",
    profileKey: randomBytes(32),
    readReceipts: true,
    aci: bob.account,
    aciBinary: uuidBytes(bob.account),
    provisioningVersion: 1,
  });
  const put = await bob.socket.request("PUT", `/v1/provisioning/${address}`, { body: base64(seal(message, key)) });
  if (put.status >= 300) throw new Error(`PUT /v1/provisioning: ${put.status}`);
  const wait = `/v1/devices/wait_for_linked_device/${token.tokenIdentifier}?timeout=${WAIT_S}`;
  const linked = await bob.socket.request("GET", wait);
  if (linked.status !== 200) throw new Error(`GET ${wait}: ${linked.status}`);
  return linked.json();
}

/** A serialized ProvisionEnvelope. */
function seal(message, to) {
  const own = signal.PrivateKey.generate();
  const keys = Buffer.from(hkdfSync("sha256", own.agree(to), Buffer.alloc(32), "TextSecure Provisioning Message", 64));
  const iv = randomBytes(16);
  const cipher = createCipheriv("aes-256-cbc", keys.subarray(0, 32), iv);
  const authentic = Buffer.concat([Buffer.of(1), iv, cipher.update(message), cipher.final()]);
  const mac = createHmac("sha256", keys.subarray(32)).update(authentic).digest();
  return ProvisionEnvelope.encode({ publicKey: own.getPublicKey().serialize(), body: Buffer.concat([authentic, mac]) });
}
