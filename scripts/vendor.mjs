// Copies the two QR libraries of the demo from node_modules to www/vendor/, as ES modules the page can import without a
// bundler, each with its licence. Safe to run again; writes only what changed. Run after `npm ci`.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const from = join(root, "node_modules");
const to = join(root, "www", "vendor");

// qrcode-generator ships no licence file; its package.json and source header state the licence and the owner.
const MIT = `MIT License

Copyright (c) 2009 Kazuhiko Arase

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation
files (the "Software"), to deal in the Software without restriction, including without limitation the rights to use, copy,
modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the Software
is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT
HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
`;

function read(path) {
  const file = join(from, path);
  if (!existsSync(file)) {
    console.error(`vendor: ${path} is not in node_modules; run \`npm ci\` first.`);
    process.exit(1);
  }
  return readFileSync(file, "utf8");
}

function write(name, text) {
  const file = join(to, name);
  if (!existsSync(file) || readFileSync(file, "utf8") !== text) writeFileSync(file, text);
}

/** A UMD file runs unchanged inside a function that offers it CommonJS. */
function umdToModule(source, origin) {
  return `// ${origin}, wrapped as an ES module; the code between the marks is unchanged.
const module = { exports: {} };
const exports = module.exports;
/* --- begin --- */
${source}
/* --- end --- */
export default module.exports.default ?? module.exports;
`;
}

const version = (name) => JSON.parse(read(`${name}/package.json`)).version;

mkdirSync(to, { recursive: true });
write("qrcode.js", read("qrcode-generator/dist/qrcode.mjs"));
write("qrcode.LICENSE.txt", MIT);
write("jsqr.js", umdToModule(read("jsqr/dist/jsQR.js"), `jsqr ${version("jsqr")} (Apache-2.0)`));
write("jsqr.LICENSE.txt", read("jsqr/LICENSE"));
