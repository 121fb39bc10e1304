// How much a page has to load: the module and its JavaScript, as they are, and as servers send them.
import { readFileSync } from "node:fs";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { inRoot } from "../lib/env.mjs";
import { table } from "./figures.mjs";

const files = ["lockstep_bg.wasm", "lockstep.js"];

export async function size() {
  const bytes = files.map((file) => readFileSync(inRoot("pkg", file)));
  const sizes = bytes.map((all) => [
    all.length,
    gzipSync(all, { level: 9 }).length,
    brotliCompressSync(all, { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: all.length } }).length,
  ]);
  const row = (name, numbers) => [name, ...numbers.map((number) => number.toLocaleString("en-GB"))];
  const total = sizes.reduce((sum, one) => sum.map((number, at) => number + one[at]));
  const rows = files.map((file, at) => row(file, sizes[at]));
  rows.push(row("together", total));
  table("What a page loads, in bytes", ["file", "raw", "gzip -9", "brotli 11"], rows);
}
