// npm run bench: how fast and how large it is, beside its peers where it has any. Nothing here is a test: it prints figures.
//
//   npm run bench                       everything
//   npm run bench -- crypto size        these parts: crypto, storage, mirror, search, size, native
//   npm run bench -- --rounds 11        medians of so many rounds (5); what is compared takes turns within a round
//   npm run bench -- --built            measures what is built, even if the sources have changed since
//
// What each figure means, and what they were: docs/performance.md. A busy machine makes them all worse, and unevenly.
import { cpus, loadavg, release, totalmem, type } from "node:os";
import { execFileSync } from "node:child_process";
import { parseArgs } from "node:util";
import { inRoot, toolEnv } from "./lib/env.mjs";
import { benchIsFresh, buildBench, buildPackage, buildRelay, packageIsFresh } from "./lib/builds.mjs";
import { liveLine } from "./lib/progress.mjs";
import { stopAll, tail } from "./lib/run.mjs";
import { setUp } from "./lib/setup.mjs";

const parts = ["crypto", "storage", "mirror", "search", "size", "native"];
const inBrowser = parts.filter((part) => !["size", "native"].includes(part));
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: "string", default: "5" }, built: { type: "boolean", default: false } },
});
const rounds = Number(values.rounds);
const wanted = (part) => !positionals.length || positionals.includes(part);

function refuse(sentence) {
  console.error(sentence);
  process.exit(2);
}

async function built(title, name, work) {
  const log = inRoot(".lockstep", "logs", `bench-${name}.log`);
  const line = liveLine(title);
  const result = await work({ env, log, onLine: line.follow, say: line.note });
  line.end(result.code === 0 ? `done in ${line.seconds()}` : "FAILED");
  if (result.code !== 0) refuse(`${tail(log, 30)}\nThe whole output is in ${log}`);
  return result;
}

/** What is missing or older than its sources. */
async function build() {
  if (!setUp({ browser: inBrowser.some(wanted) })) process.exit(1);
  if (parts.some((part) => part !== "native" && wanted(part)) && !packageIsFresh(env)) await built("building the package (2 to 4 min the first time)", "package", buildPackage);
  if (wanted("crypto") && !benchIsFresh(env)) await built("building the module that is measured (1 to 4 min)", "module", buildBench);
  if (!["storage", "mirror", "search"].some(wanted)) return;
  const { binary } = await built("building the relay", "relay", buildRelay);
  process.env.LOCKSTEP_RELAY = binary;
}

function machine() {
  const [cpu] = cpus();
  const browser = execFileSync(env.CHROMIUM, ["--version"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`;
  console.log(`${cpus().length} x ${cpu.model.trim()}, ${memory}, ${type()} ${release()}; ${browser}; Node ${process.version}; load ${loadavg()[0].toFixed(1)}`);
}

async function measure() {
  // Only now, since these find the browser and the relay by the environment.
  const { Browser } = await import("../tests/e2e/lib/browser.mjs");
  const { serve } = await import("./bench/serve.mjs");
  const site = await serve();
  const browser = await Browser.open();
  const part = async (title, work) => {
    const line = liveLine(title);
    await work({ browser, site, rounds, note: (text) => line.note(text), done: () => line.end(`${rounds} rounds in ${line.seconds()}`) });
  };
  try {
    if (wanted("crypto")) await part("encrypting", (await import("./bench/crypto.mjs")).crypto);
    if (wanted("storage")) await part("storing", (await import("./bench/storage.mjs")).storage);
    if (wanted("mirror")) await part("mirroring", (await import("./bench/mirror.mjs")).mirror);
    if (wanted("search")) await part("searching", (await import("./bench/search.mjs")).search);
  } finally {
    await browser.remove();
    await site.close();
  }
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.once(signal, () => {
    stopAll();
    process.exit(130);
  });
}
const unknown = positionals.find((part) => !parts.includes(part));
if (unknown) refuse(`There is no part ${unknown}; there are ${parts.join(", ")}.`);
if (!Number.isInteger(rounds) || rounds < 1) refuse("--rounds takes a whole number from 1.");
const env = toolEnv();
process.env.CHROMIUM ??= env.CHROMIUM;
if (!values.built) await build();
machine();
if (inBrowser.some(wanted)) await measure();
if (wanted("size")) (await import("./bench/size.mjs")).size();
if (wanted("native")) (await import("./bench/native.mjs")).native({ env, rounds });
