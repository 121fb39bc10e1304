// Files as a person has them, and what the relay keeps of them.
import { readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { deflateSync, crc32 } from "node:zlib";

/** Bytes that look random and are the same every time. */
export function noise(size, seed = 1) {
  const bytes = Buffer.alloc(size);
  let state = seed;
  for (let at = 0; at < size; at += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[at] = state >>> 24;
  }
  return bytes;
}

/** A picture: bands of colour. */
export function png(width, height, hue = 0) {
  const chunk = (type, data) => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(data.length);
    sum.writeUInt32BE(crc32(body));
    return Buffer.concat([length, body, sum]);
  };
  const head = Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 8, 2, 0, 0, 0]);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  const rows = Buffer.alloc(height * (1 + width * 3));
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const at = y * (1 + width * 3) + 1 + x * 3;
      rows[at] = (hue + (x * 255) / width) & 255;
      rows[at + 1] = (y * 200) / height + 30;
      rows[at + 2] = 180 - ((x + y) * 90) / (width + height);
    }
  }
  return Buffer.concat([Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]), chunk("IHDR", head), chunk("IDAT", deflateSync(rows)), chunk("IEND", Buffer.alloc(0))]);
}

/** Makes the page's next upload of this file: { name, type, base64, lastModified }. */
export const asFile = (name, type, bytes, lastModified = 1_700_000_000_000) => ({ name, type, base64: bytes.toString("base64"), lastModified });

/** Runs in the page. Uploads a file and sends it; resolves to the id of the message. */
export async function sendFiles(client, [to, text, files]) {
  const attachments = [];
  for (const { name, type, base64, lastModified, ...options } of files) {
    const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
    attachments.push(await client.upload(new File([bytes], name, { type, lastModified }), options));
  }
  return client.send(to, { text, attachments });
}

/** Runs in the page. What is fetched of a message: its type, length and SHA-256 as base64. */
export async function fetchFile(client, [message, index]) {
  let last;
  const blob = await client.download(message, index, { onProgress: (progress) => (last = progress) });
  const bytes = await blob.arrayBuffer();
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return { type: blob.type, size: bytes.byteLength, sha256: btoa(String.fromCharCode(...hash)), whole: last.done === last.total };
}

/** Turns over a byte in the middle of every blob that the relay keeps. How many there were. */
export function damageBlobs(relay) {
  const folder = join(relay.folder, "relay.blobs");
  const files = readdirSync(folder, { recursive: true }).map((name) => join(folder, name)).filter((path) => statSync(path).isFile());
  for (const path of files) {
    const bytes = readFileSync(path);
    bytes[bytes.length >> 1] ^= 1;
    writeFileSync(path, bytes);
  }
  return files.length;
}
