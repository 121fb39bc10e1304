// The package as others get it: packed, unpacked into a stranger's project, compiled against and loaded in a browser.
// Knows only what is published. Needs pkg/ (npm run build) and Chromium (CHROMIUM names another).
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { dirname, extname, join, normalize } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { chromium } from "playwright-core";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
// The aim is 0.8 MB, which what devices keep in step, linking by digits, signed lists and recovery went beyond (docs/performance.md): it must not grow unnoticed.
const gzipBytesMax = 1_050_000;
let project; // a stranger's project, with the package in its node_modules
let unpacked;
let listed;

before(() => {
  project = mkdtempSync(join(tmpdir(), "lockstep-package-"));
  const args = ["pack", "--json", "--ignore-scripts", "--loglevel=error", "--pack-destination", project];
  const [packed] = JSON.parse(execFileSync("npm", args, { cwd: root, encoding: "utf8" }));
  listed = packed.files.map((file) => file.path).sort();
  unpacked = join(project, "node_modules", "lockstep");
  mkdirSync(unpacked, { recursive: true });
  execFileSync("tar", ["-xzf", join(project, packed.filename), "-C", unpacked, "--strip-components=1"]);
});

after(() => rmSync(project, { recursive: true, force: true }));

test("the tarball holds the module, its types, README and LICENSE, and nothing else", () => {
  assert.deepEqual(listed, [
    "LICENSE",
    "README.md",
    "package.json",
    "pkg/lockstep.d.ts",
    "pkg/lockstep.js",
    "pkg/lockstep_bg.wasm",
    "pkg/lockstep_bg.wasm.d.ts",
  ]);
});

test("every path that package.json promises is in the tarball", () => {
  const { main, types, exports } = JSON.parse(readFileSync(join(unpacked, "package.json"), "utf8"));
  const targets = Object.values(exports).flatMap((target) => (typeof target === "string" ? target : Object.values(target)));
  for (const path of [main, types, ...targets]) assert.ok(listed.includes(normalize(path)), path);
});

test("the module imports nothing from env and nothing that is not in the tarball", () => {
  const module = new WebAssembly.Module(readFileSync(join(unpacked, "pkg/lockstep_bg.wasm")));
  const from = new Set(WebAssembly.Module.imports(module).map((wanted) => wanted.module));
  assert.ok(!from.has("env"), `imports from ${[...from]}`);
  const script = readFileSync(join(unpacked, "pkg/lockstep.js"), "utf8");
  const imports = [...script.matchAll(/^\s*import\s[^'"]*['"]([^'"]+)['"]/gm)].map((found) => found[1]);
  for (const path of imports) assert.ok(listed.includes(join("pkg", path)), `imports ${path}`);
});

test("the module and its script stay under 1.05 MB compressed", () => {
  const files = ["pkg/lockstep_bg.wasm", "pkg/lockstep.js"].map((path) => gzipSync(readFileSync(join(unpacked, path)), { level: 9 }));
  const bytes = files.reduce((sum, file) => sum + file.length, 0);
  assert.ok(bytes < gzipBytesMax, `${bytes} bytes`);
});

test("a strict TypeScript program compiles against its types", () => {
  const source = `import init, { Client } from "lockstep";
export async function send(relay: string, text: string): Promise<void> {
  await init();
  const client = await Client.open({ relay, store: "alice" });
  const state: "new" | "ready" | "unlinked" = client.state();
  if (state !== "ready") return;
  const id: string = await client.send("bob", { text });
  const off = client.on("message", (event) => void event);
  console.log(id);
  off();
  await client.close();
}
`;
  const compilerOptions = {
    strict: true, noEmit: true, skipLibCheck: false, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true,
    target: "es2022", module: "nodenext", moduleResolution: "nodenext", lib: ["es2023", "dom", "dom.iterable", "esnext.disposable"], types: [],
  };
  writeFileSync(join(project, "package.json"), JSON.stringify({ name: "stranger", private: true, type: "module" }));
  writeFileSync(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["program.ts"] }));
  writeFileSync(join(project, "program.ts"), source);
  try {
    execFileSync(join(root, "node_modules/.bin/tsc"), ["--project", project], { encoding: "utf8", stdio: "pipe" });
  } catch (error) {
    assert.fail(`${error.stdout}${error.stderr}`);
  }
});

test("a page of plain modules loads it and finds Client.open", async () => {
  const page = `<!doctype html><meta charset="utf-8"><title>stranger</title>
<script type="importmap">{ "imports": { "lockstep": "/node_modules/lockstep/pkg/lockstep.js" } }</script>
<script type="module" src="/page.js"></script>`;
  const script = `import init, { Client } from "lockstep";
try {
  const wasm = await init();
  document.body.dataset.found = JSON.stringify({ open: typeof Client.open, memory: wasm.memory instanceof WebAssembly.Memory });
} catch (error) {
  document.body.dataset.found = JSON.stringify({ error: String(error) });
}`;
  writeFileSync(join(project, "index.html"), page);
  writeFileSync(join(project, "page.js"), script);
  const server = await serve(project);
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking"],
  });
  try {
    const tab = await browser.newPage();
    const problems = [];
    tab.on("pageerror", (error) => problems.push(error.message));
    await tab.goto(`http://127.0.0.1:${server.address().port}/index.html`);
    await tab.waitForFunction(() => document.body?.dataset.found, null, { timeout: 30_000 });
    const found = JSON.parse(await tab.evaluate(() => document.body.dataset.found));
    assert.deepEqual({ found, problems }, { found: { open: "function", memory: true }, problems: [] });
  } finally {
    await browser.close();
    server.close();
  }
});

/** A file server that knows three kinds of file, on a free port of this machine. */
async function serve(folder) {
  const types = { ".html": "text/html", ".js": "text/javascript", ".wasm": "application/wasm" };
  const server = createServer((request, response) => {
    const path = join(folder, normalize(new URL(request.url, "http://localhost").pathname));
    try {
      const body = readFileSync(path);
      response.writeHead(200, { "content-type": types[extname(path)] ?? "application/octet-stream" }).end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}
