// What is built: the browser module in pkg/, the one that npm run bench measures, and the relay. Each only when it has to be.
// A module is built when the contents of its sources or the compiler changed: a record beside it says what it was built
// from. The relay's freshness is cargo's own business.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { inRoot, root } from "./env.mjs";
import { run } from "./run.mjs";

/** Both are made in the same way, so that what is measured in the one holds for the other. */
const lockstep = { crate: ".", folder: "pkg", name: "lockstep", sources: ["src", "engine", "wire"] };
const bench = { crate: "bench", folder: ".lockstep/bench", name: "bench", sources: ["bench", "engine", "wire"] };
const recordOf = ({ folder }) => inRoot(folder, ".built-from");

/** Settings that make cargo say how far it is, also into a pipe. */
export const cargoProgress = { CARGO_TERM_PROGRESS_WHEN: "always", CARGO_TERM_PROGRESS_WIDTH: "100", CARGO_TERM_COLOR: "never" };

/** Is pkg/ what the sources would make? */
export const packageIsFresh = (env) => isFresh(lockstep, env);
export const benchIsFresh = (env) => isFresh(bench, env);

function isFresh(module, env) {
  const { folder, name } = module;
  const made = [`${name}.js`, `${name}.d.ts`, `${name}_bg.wasm`, `${name}_bg.wasm.d.ts`];
  const complete = made.every((file) => existsSync(inRoot(folder, file)));
  const record = recordOf(module);
  return complete && existsSync(record) && readFileSync(record, "utf8") === sourcesHash(module, env);
}

/** Builds pkg/. Resolves to { code, output }. */
export const buildPackage = (run) => buildModule(lockstep, run);
/** Builds the module with the bare engine in it, in .lockstep/bench/. Resolves to { code, output }. */
export const buildBench = (run) => buildModule(bench, run);

async function buildModule(module, { env, log, onLine, say }) {
  const { crate, folder, name } = module;
  const hash = sourcesHash(module, env);
  rmSync(recordOf(module), { force: true });
  mkdirSync(inRoot(folder), { recursive: true });
  // wasm-pack would take any wasm-opt it finds, and an old one breaks the module: ours is called below.
  const wasmPack = ["build", crate, "--target", "web", "--profile", "web", "--out-dir", inRoot(folder), "--out-name", name];
  const options = ["--no-pack", "--no-opt", "--no-gitignore"];
  const built = await run("wasm-pack", [...wasmPack, ...options], { env: { ...env, ...cargoProgress }, log, onLine });
  if (built.code !== 0) return built;
  say?.("making the module smaller and faster (wasm-opt, about 15 s)");
  const [wasm, smaller] = [inRoot(folder, `${name}_bg.wasm`), inRoot(folder, `${name}_bg.opt.wasm`)];
  const optimized = await run(inRoot("node_modules", ".bin", "wasm-opt"), ["-O2", wasm, "-o", smaller], { env, log, onLine });
  if (optimized.code !== 0) return optimized;
  renameSync(smaller, wasm);
  rmSync(inRoot(folder, ".gitignore"), { force: true }); // it would empty an npm tarball
  writeFileSync(recordOf(module), hash);
  return optimized;
}

/** Builds the relay. Resolves to { code, output, binary }. */
export async function buildRelay({ env, log, onLine }) {
  const args = ["build", "--release", "-p", "relay"];
  const built = await run("cargo", args, { env: { ...env, ...cargoProgress }, log, onLine });
  return { ...built, binary: built.code === 0 ? join(targetFolder(env), "release", "lockstep-relay") : undefined };
}

/** Copies the demo's libraries to where the page finds them. */
export function vendorLibraries({ env, log }) {
  return run(process.execPath, ["scripts/vendor.mjs"], { env, log });
}

function targetFolder(env) {
  const args = ["metadata", "--no-deps", "--format-version", "1"];
  return JSON.parse(execFileSync("cargo", args, { cwd: root, env, encoding: "utf8", maxBuffer: 1 << 26 })).target_directory;
}

function sourcesHash({ sources }, env) {
  const hash = createHash("sha256");
  hash.update(execFileSync("rustc", ["-vV"], { cwd: root, env }));
  const files = ["Cargo.toml", "Cargo.lock", "scripts/lib/builds.mjs"];
  for (const folder of sources) files.push(...sourcesIn(folder));
  for (const file of files.sort()) {
    if (!existsSync(inRoot(file))) continue;
    hash.update(`\0${file}\0`).update(readFileSync(inRoot(file)));
  }
  return hash.digest("hex");
}

/** What a build of the module reads: not tests, not vectors. */
function sourcesIn(folder) {
  const found = [];
  for (const entry of readdirSync(inRoot(folder), { withFileTypes: true })) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory() && !["tests", "benches", "vectors", "target"].includes(entry.name)) found.push(...sourcesIn(path));
    else if (entry.isFile() && /\.(rs|toml|proto)$/.test(entry.name)) found.push(path);
  }
  return found;
}
