// Device lists and certificates (docs/protocol.md, section 26) as a stranger would check them: bytes, SHA-256, and the official
// library's signatures. Knows no socket.
import { createHash } from "node:crypto";
import * as signal from "@signalapp/libsignal-client";
import { hex, unbase64, uuidText } from "./codec.mjs";

const CERTIFICATE = 143;
const SIGNATURE = 64;
const OWNER = 1;

const sha256 = (bytes) => new Uint8Array(createHash("sha256").update(bytes).digest());

/** What is signed: the length of the context, the context, the body. */
function signed(context, body) {
  return Buffer.concat([Buffer.from([context.length]), Buffer.from(context), body]);
}

/** Reads numbers and bytes one after the other; whatever is left over or missing is an error. */
function reader(bytes) {
  const buffer = Buffer.from(bytes);
  let at = 0;
  const take = (length) => {
    if (at + length > buffer.length) throw new Error("it ends too early");
    at += length;
    return buffer.subarray(at - length, at);
  };
  return {
    bytes: take,
    number: (length) => Number(BigInt(`0x${take(length).toString("hex")}`)),
    end: () => {
      if (at !== buffer.length) throw new Error("something follows");
    },
  };
}

/** A certificate of a device with both signatures checked. */
export function readCertificate(text) {
  const all = unbase64(text);
  if (all.length !== CERTIFICATE + 2 * SIGNATURE) throw new Error(`a certificate of ${all.length} bytes`);
  const body = Buffer.from(all.subarray(0, CERTIFICATE));
  const read = reader(body);
  if (read.number(1) !== 1) throw new Error("a certificate of another format");
  const certificate = {
    account: uuidText(read.bytes(16)), device: read.number(1), epoch: read.number(4), registrationId: read.number(4),
    key: signal.PublicKey.deserialize(read.bytes(33)), role: read.number(1), capabilities: read.number(2),
    notBefore: read.number(8), notAfter: read.number(8), label: hex(read.bytes(32)), accountKey: signal.PublicKey.deserialize(read.bytes(33)),
  };
  read.end();
  const [byAccount, byDevice] = [all.subarray(CERTIFICATE, CERTIFICATE + SIGNATURE), all.subarray(CERTIFICATE + SIGNATURE)];
  if (!certificate.accountKey.verify(signed("lockstep/devcert/account/v1", body), byAccount)) throw new Error("not the account's signature");
  if (!certificate.key.verify(signed("lockstep/devcert/device/v1", body), byDevice)) throw new Error("not the device's signature");
  if (certificate.role === OWNER) throw new Error("an owner has no certificate");
  return { ...certificate, hash: hex(sha256(body)) };
}

/** An account's list with its signature checked. */
export function readList(text, accountKey) {
  const all = unbase64(text);
  const body = Buffer.from(all.subarray(0, all.length - SIGNATURE));
  if (!accountKey.verify(signed("lockstep/devlist/v1", body), all.subarray(all.length - SIGNATURE))) throw new Error("not the account's list");
  const read = reader(body);
  if (read.number(1) !== 1) throw new Error("a list of another format");
  const list = {
    account: uuidText(read.bytes(16)), accountKey: signal.PublicKey.deserialize(read.bytes(33)), version: read.number(8),
    previous: hex(read.bytes(32)), issued: read.number(8), expires: read.number(8), issuer: read.number(1), highestEpoch: read.number(4),
  };
  if (!list.accountKey.equals(accountKey)) throw new Error("a list of another key");
  list.devices = Array.from({ length: read.number(1) }, () => ({ device: read.number(1), epoch: read.number(4), certificate: hex(read.bytes(32)) }));
  list.revoked = Array.from({ length: read.number(1) }, () => ({ device: read.number(1), epoch: read.number(4), at: read.number(8), reason: read.number(1) }));
  read.end();
  return { ...list, hash: hex(sha256(body)) };
}

/** The keys that an account's key vouches for, by device: from what `GET /v2/keys` or `GET /v1/accounts/{id}/list` gives. */
export function vouchedFor(list, certificates) {
  const keys = new Map();
  for (const certificate of certificates) {
    const { account, device, epoch, hash, accountKey } = certificate;
    const named = list.devices.some((entry) => entry.device === device && entry.epoch === epoch && entry.certificate === hash);
    if (!named || account !== list.account || !accountKey.equals(list.accountKey)) throw new Error(`nobody vouches for device ${device}`);
    keys.set(device, certificate);
  }
  return keys;
}
