// The bytes of the protocol as a stranger would read them: protobuf from wire/proto at run time, padding, ids.
// Shares no line with our Rust code; knows no socket and no key.
import { readFileSync } from "node:fs";
import protobuf from "protobufjs";

const folder = new URL("../../wire/proto/", import.meta.url);
const types = ["websocket", "service", "lockstep", "provisioning"].map(
  (name) => protobuf.parse(readFileSync(new URL(`${name}.proto`, folder), "utf8")).root);

function codec(name) {
  const type = types.map((root) => root.lookup(name)).find(Boolean);
  return {
    encode: (value) => type.encode(type.fromObject(value)).finish(),
    decode: (bytes) => type.toObject(type.decode(bytes), { longs: Number, arrays: true }),
  };
}

export const Frame = codec("lockstep.websocket.WebSocketMessage");
export const Envelope = codec("lockstep.service.Envelope");
export const Content = codec("lockstep.service.Content");
export const Bundle = codec("lockstep.bundle.Bundle");
export const BundleMismatch = codec("lockstep.bundle.BundleMismatch");
export const ProvisionEnvelope = codec("lockstep.provisioning.ProvisionEnvelope");
export const ProvisionMessage = codec("lockstep.provisioning.ProvisionMessage");

export const REQUEST = 1;
export const RESPONSE = 2;
export const CIPHERTEXT = 1;
export const PREKEY_BUNDLE = 3;
export const PLAINTEXT = 8;

const BLOCK = 80;
const MARK = 0x80;

/** Signal's padding: the content, one 0x80, zeros up to one below a multiple of 80. */
export function pad(content) {
  const padded = new Uint8Array(Math.ceil((content.length + 2) / BLOCK) * BLOCK - 1);
  padded.set(content);
  padded[content.length] = MARK;
  return padded;
}

/** Refuses whatever our own client must not have sent. */
export function unpad(padded) {
  if (padded.length % BLOCK !== BLOCK - 1) throw new Error(`${padded.length} bytes are no padded length`);
  const end = padded.findLastIndex((byte) => byte !== 0);
  if (padded[end] !== MARK) throw new Error("the padding has no mark");
  return padded.subarray(0, end);
}

export const base64 = (bytes) => Buffer.from(bytes).toString("base64");
export const unbase64 = (text) => new Uint8Array(Buffer.from(text, "base64"));
export const hex = (bytes) => Buffer.from(bytes).toString("hex");
export const uuidBytes = (text) => new Uint8Array(Buffer.from(text.replaceAll("-", ""), "hex"));
export const uuidText = (bytes) => hex(bytes).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
