// The two things that are built: the browser module in pkg/, and the relay. Each only when it has to be.
// pkg/ is built when the contents of its sources or the compiler changed: a record beside it says what it was built
// from. The relay's freshness is cargo's own business.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { inRoot, root } from "./env.mjs";
import { run } from "./run.mjs";

const made = ["lockstep.js", "lockstep.d.ts", "lockstep_bg.wasm", "lockstep_bg.wasm.d.ts"];
const record = inRoot("pkg", ".built-from");

/** Settings that make cargo say how far it is, also into a pipe. */
export const cargoProgress = { CARGO_TERM_PROGRESS_WHEN: "always", CARGO_TERM_PROGRESS_WIDTH: "100", CARGO_TERM_COLOR: "never" };

/** Is pkg/ what the sources would make? */
export function packageIsFresh(env) {
  const complete = made.every((name) => existsSync(inRoot("pkg", name)));
  return complete && existsSync(record) && readFileSync(record, "utf8") === sourcesHash(env);
}

/** Builds pkg/. Resolves to { code, output }. */
export async function buildPackage({ env, log, onLine }) {
  const hash = sourcesHash(env);
  rmSync(record, { force: true });
  mkdirSync(inRoot("pkg"), { recursive: true });
  // wasm-pack would take any wasm-opt it finds, and an old one breaks the module: ours is called below.
  const wasmPack = ["build", "--target", "web", "--profile", "web", "--out-dir", "pkg", "--out-name", "lockstep"];
  const options = ["--no-pack", "--no-opt", "--no-gitignore"];
  const built = await run("wasm-pack", [...wasmPack, ...options], { env: { ...env, ...cargoProgress }, log, onLine });
  if (built.code !== 0) return built;
  onLine?.("making the module smaller and faster (wasm-opt, about 15 s)");
  const [wasm, smaller] = [inRoot("pkg", "lockstep_bg.wasm"), inRoot("pkg", "lockstep_bg.opt.wasm")];
  const optimized = await run(inRoot("node_modules", ".bin", "wasm-opt"), ["-O2", wasm, "-o", smaller], { env, log, onLine });
  if (optimized.code !== 0) return optimized;
  renameSync(smaller, wasm);
  rmSync(inRoot("pkg", ".gitignore"), { force: true }); // it would empty an npm tarball
  writeFileSync(record, hash);
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

function sourcesHash(env) {
  const hash = createHash("sha256");
  hash.update(execFileSync("rustc", ["-vV"], { cwd: root, env }));
  const files = ["Cargo.toml", "Cargo.lock", "scripts/lib/builds.mjs"];
  for (const folder of ["src", "engine", "wire"]) files.push(...sourcesIn(folder));
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
