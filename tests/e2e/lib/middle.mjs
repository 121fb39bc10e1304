// A relay that lies, as a process of its own: stands between one browser and the real relay, and plays the other side to each
// of a run of linking by digits. It has keys of its own and puts them in the place of both sides' (K-2).
// node middle.mjs PORT: listens on a free port, prints it, and then each thing it did, one a line.
import { createHash, generateKeyPairSync } from "node:crypto";
import { connect, createServer } from "node:net";

const relayPort = Number(process.argv[2]);
const say = (line) => process.stdout.write(`${line}\n`);

// Keys, as the protocol writes them

const publicKey = () => {
  const { publicKey: key } = generateKeyPairSync("x25519");
  return Buffer.concat([Buffer.from([5]), key.export({ format: "der", type: "spki" }).subarray(-32)]);
};
const own = { towardsDevice: publicKey(), device: publicKey(), towardsBrowser: publicKey(), nonce: Buffer.alloc(32, 7) };

function hash(...parts) {
  const sum = createHash("sha256");
  for (const part of parts.map((part) => Buffer.from(part))) {
    const length = Buffer.alloc(8);
    length.writeBigUInt64BE(BigInt(part.length));
    sum.update(length).update(part);
  }
  return sum.digest();
}

// Protobuf: [number, value], a value being a number or bytes

function* numbers(buffer) {
  let at = 0;
  const varint = () => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = buffer[at++];
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return Number(value);
    }
  };
  while (at < buffer.length) {
    const tag = varint();
    if (tag % 8 === 0) yield [tag >> 3, varint()];
    else {
      const length = varint();
      yield [tag >> 3, buffer.subarray(at, (at += length))];
    }
  }
}

function varint(value) {
  const bytes = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push((value % 128) | 128);
  return Buffer.from([...bytes, value]);
}

const read = (buffer) => [...numbers(buffer)];
const write = (fields) => Buffer.concat(fields.flatMap(([number, value]) => typeof value === "number"
  ? [varint(number * 8), varint(value)]
  : [varint(number * 8 + 2), varint(value.length), Buffer.from(value)]));
const get = (fields, number) => fields.find(([n]) => n === number)?.[1];
const put = (fields, number, value) => fields.map(([n, old]) => [n, n === number ? value : old]);

// The run

const run = { rendezvous: undefined, paths: new Map() };

const falseReveal = () => ({ registrationId: 5, name: "Phone", handle: "" });

function commitment() {
  const { registrationId, name, handle } = falseReveal();
  const id = Buffer.alloc(4);
  id.writeUInt32BE(registrationId);
  return hash("lockstep/link/commit/v1", run.rendezvous, handle, own.towardsDevice, own.device, id, name, own.nonce);
}

/** From the browser: its commitment becomes ours, and so does what it reveals. */
function asked(path, body) {
  if (path === "/v1/rendezvous") {
    const open = read(body);
    run.rendezvous = get(open, 1);
    say("swapped commitment");
    return write(put(open, 4, write(put(read(get(open, 4)), 2, commitment()))));
  }
  if (/^\/v1\/rendezvous\/[0-9a-f]+\/1$/.test(path)) {
    const { registrationId, name } = falseReveal();
    say("swapped reveal");
    return write([[1, own.towardsDevice], [2, own.device], [3, registrationId], [4, own.nonce], [6, name]]);
  }
  return body;
}

/** From the device: its ephemeral key becomes ours. */
function answered(path, status, body) {
  if (status !== 200 || !path) return body;
  if (/\/0\?timeout=/.test(path) && path.startsWith("/v1/rendezvous/")) {
    say("swapped answer");
    return write(put(read(body), 1, own.towardsBrowser));
  }
  if (/\/1\?timeout=/.test(path) && path.startsWith("/v1/rendezvous/")) say("GOT PAYLOAD");
  return body;
}

function fromBrowser(message) {
  const fields = read(message);
  const request = get(fields, 2);
  if (!request) return message;
  const inner = read(request);
  const path = get(inner, 2).toString();
  run.paths.set(get(inner, 4) ?? 0, path);
  const body = get(inner, 3);
  return body ? write(put(fields, 2, write(put(inner, 3, asked(path, body))))) : message;
}

function fromRelay(message) {
  const fields = read(message);
  const response = get(fields, 3);
  if (!response) return message;
  const inner = read(response);
  const body = get(inner, 4);
  const path = run.paths.get(get(inner, 1) ?? 0);
  return body ? write(put(fields, 3, write(put(inner, 4, answered(path, get(inner, 2), body))))) : message;
}

// WebSocket frames: whole messages only, which is what both sides send

function frames(change, masked, out) {
  let rest = Buffer.alloc(0);
  return (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    for (;;) {
      if (rest.length < 2) return;
      let [length, at] = [rest[1] & 127, 2];
      if (length === 126) [length, at] = [rest.length < 4 ? Infinity : rest.readUInt16BE(2), 4];
      else if (length === 127) [length, at] = [rest.length < 10 ? Infinity : Number(rest.readBigUInt64BE(2)), 10];
      const mask = masked ? rest.subarray(at, at + 4) : undefined;
      at += masked ? 4 : 0;
      if (rest.length < at + length) return;
      const payload = Buffer.from(rest.subarray(at, at + length)).map((byte, i) => (mask ? byte ^ mask[i % 4] : byte));
      out(frame(rest[0], (rest[0] & 15) === 2 ? change(Buffer.from(payload)) : Buffer.from(payload), masked));
      rest = rest.subarray(at + length);
    }
  };
}

/** With a mask of zeros where there is one. */
function frame(first, payload, masked) {
  const bit = masked ? 128 : 0;
  let head = Buffer.from([first, bit | payload.length]);
  if (payload.length > 65535) {
    head = Buffer.alloc(10);
    head.set([first, bit | 127]);
    head.writeBigUInt64BE(BigInt(payload.length), 2);
  } else if (payload.length > 125) {
    head = Buffer.alloc(4);
    head.set([first, bit | 126]);
    head.writeUInt16BE(payload.length, 2);
  }
  return Buffer.concat([head, Buffer.alloc(masked ? 4 : 0), payload]);
}

/** Everything is passed on as it is, until a socket is upgraded. */
createServer((browser) => {
  const relay = connect(relayPort, "127.0.0.1");
  let [up, down] = [(bytes) => relay.write(bytes), (bytes) => browser.write(bytes)];
  let head = Buffer.alloc(0);
  let begun = false;
  browser.on("data", (bytes) => {
    if (!begun && /^GET \/v1\/websocket\/ /.test(bytes.toString("latin1"))) {
      begun = true;
      const plainUp = up;
      // Compression would hide the frames from us.
      plainUp(Buffer.from(bytes.toString("latin1").replace(/Sec-WebSocket-Extensions:[^\r]*\r\n/i, ""), "latin1"));
      up = frames(fromBrowser, true, plainUp);
      const plainDown = down;
      const changed = frames(fromRelay, false, plainDown);
      down = (chunk) => {
        head = Buffer.concat([head, chunk]);
        const end = head.indexOf("\r\n\r\n");
        if (end < 0) return;
        plainDown(head.subarray(0, end + 4));
        down = changed;
        changed(head.subarray(end + 4));
      };
    } else up(bytes);
  });
  relay.on("data", (bytes) => down(bytes));
  for (const [one, other] of [[browser, relay], [relay, browser]]) {
    one.on("close", () => other.destroy());
    one.on("error", () => other.destroy());
  }
}).listen(0, "127.0.0.1", function listening() {
  say(`port ${this.address().port}`);
});
