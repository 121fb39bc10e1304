// Writes attachment.json: attachments as another program encrypts them (Node's crypto), by Signal's published format.
// Run it by hand: node engine/vectors/attachment.mjs > engine/vectors/attachment.json
import { createCipheriv, createHash, createHmac } from "node:crypto";

const sha256 = (bytes) => createHash("sha256").update(bytes).digest();
// As Signal Desktop has it.
const padded = (size) => Math.max(541, Math.floor(1.05 ** Math.ceil(Math.log(size) / Math.log(1.05))));
const count = (length, seed) => Buffer.from(Array.from({ length }, (_, n) => (n * 31 + (n >> 8) * 7 + seed) & 255));

function encrypt(key, iv, content) {
  const cipher = createCipheriv("aes-256-cbc", key.subarray(0, 32), iv);
  const zeros = Buffer.alloc(padded(content.length) - content.length);
  const ciphertext = Buffer.concat([cipher.update(content), cipher.update(zeros), cipher.final()]);
  const mac = createHmac("sha256", key.subarray(32)).update(iv).update(ciphertext).digest();
  return Buffer.concat([iv, ciphertext, mac]);
}

const cases = [0, 1, 5, 540, 541, 542, 1000, 100_000].map((length) => {
  const [key, iv, content] = [count(64, length + 1), count(16, length + 2), count(length, 3)];
  const blob = encrypt(key, iv, content);
  const hex = { key: key.toString("hex"), iv: iv.toString("hex"), digest: sha256(blob).toString("hex") };
  return { length, ...hex, blobLength: blob.length, ...(length <= 5 ? { blob: blob.toString("hex") } : {}) };
});
const near = (size) => [size - 1, size, size + 1];
const buckets = Array.from({ length: 380 - 130 }, (_, n) => Math.floor(1.05 ** (n + 130)));
const sizes = [0, 1, 2, 541, ...buckets.flatMap(near), 100 * 1024 * 1024].filter((size) => size <= 100 * 1024 * 1024);
const padding = sizes.map((size) => [size, padded(size)]);
console.log(JSON.stringify({ cases, padding }).replaceAll("],[", "],\n[").replaceAll("},{", "},\n{"));
