// npm start: builds what is not built, starts the relay on an embedded database, and serves the demo.
// PORT changes the port (8480). Everything it keeps is in .lockstep/: removing that folder starts anew.
import { rmSync, mkdirSync, createWriteStream } from "node:fs";
import { createServer } from "node:net";
import { inRoot, root, toolEnv } from "./lib/env.mjs";
import { buildPackage, buildRelay, packageIsFresh, vendorLibraries } from "./lib/builds.mjs";
import { liveLine } from "./lib/progress.mjs";
import { setUp } from "./lib/setup.mjs";
import { start, stop, stopAll, tail } from "./lib/run.mjs";

const steps = 5;
const port = Number(process.env.PORT ?? 8480);
const logs = inRoot(".lockstep", "logs");
let relay;
let stopping = false;

function fail(sentence) {
  stopAll();
  console.error(sentence);
  process.exit(1);
}

/** One step with a live line; ends the program when it fails. */
async function step(number, what, name, work) {
  const log = `${logs}/${name}.log`;
  rmSync(log, { force: true });
  const line = liveLine(`[${number}/${steps}] ${what}`);
  const result = await work({ log, onLine: line.follow, say: line.note });
  if (stopping) return new Promise(() => {});
  line.end(result.code === 0 ? `done in ${line.seconds()}` : "FAILED");
  if (result.code !== 0) fail(`${tail(log, 30)}\nThe whole output is in ${log}`);
  return result;
}

function portIsFree() {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", () => resolve(false));
    probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(true)));
  });
}

/** Resolves when the relay answers; ends the program when it does not. */
async function healthy() {
  for (let tries = 0; tries < 150; tries += 1) {
    if (relay.exitCode !== null) return { code: 1 };
    const answer = await fetch(`http://127.0.0.1:${port}/health`).catch(() => undefined);
    await answer?.text();
    if (answer?.ok) return { code: 0 };
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return { code: 1 };
}

function startRelay(binary, env, log) {
  const data = ".lockstep/relay.db";
  const args = ["--dev", "--listen", `127.0.0.1:${port}`, "--data", data, "--www", "www", "--pkg", "pkg"];
  const file = createWriteStream(log, { flags: "a" });
  relay = start(binary, args, { cwd: root, env });
  relay.stdout.pipe(file, { end: false });
  relay.stderr.pipe(file, { end: false });
  relay.once("error", (error) => file.write(`${error.message}\n`));
}

function end() {
  if (stopping) return;
  stopping = true;
  if (!relay || relay.exitCode !== null) {
    stopAll();
    process.exit(130);
  }
  console.log("\nstopping the relay");
  setTimeout(() => stop(relay, "SIGKILL"), 10_000).unref();
  relay.once("close", () => process.exit(0));
  stop(relay);
}

if (!Number.isInteger(port) || port < 1 || port > 65535) fail("PORT must be a number from 1 to 65535.");
if (!(await portIsFree())) {
  fail(`Port ${port} is taken, perhaps by another npm start: stop that one, or take another port: PORT=${port + 1} npm start`);
}
console.log(`[1/${steps}] looking for the tools`);
if (!setUp({ browser: false })) process.exit(1);
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, end);
// If npm is gone, nobody is left to stop us.
const parent = process.ppid;
setInterval(() => process.ppid === parent || end(), 1_000).unref();

const env = toolEnv();
mkdirSync(logs, { recursive: true });
if (packageIsFresh(env)) console.log(`[2/${steps}] the browser module is built`);
else await step(2, "building the browser module (2 to 4 min the first time)", "module", (to) => buildPackage({ env, ...to }));
const built = await step(3, "building the relay (2 to 4 min the first time)", "relay-build", (to) => buildRelay({ env, ...to }));
await step(4, "copying the demo's libraries", "libraries", (to) => vendorLibraries({ env, ...to }));
await step(5, "starting the relay", "relay", ({ log }) => {
  startRelay(built.binary, env, log);
  return healthy();
});
relay.once("close", (code) => stopping || fail(`${tail(`${logs}/relay.log`, 20)}\nThe relay ended with code ${code}.`));

console.log(`
  Open  http://localhost:${port}

  Sign up as alice there, and as bob in a private window: write to each other.
  Then open a third window (another browser or profile), choose "Link this browser", and paste its link on alice's first one.

  Ctrl-C stops it. The relay's log is .lockstep/logs/relay.log; its data is .lockstep/relay.db.`);
