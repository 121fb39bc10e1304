// A real relay process for a test: on a free port, with a database of its own, to be killed and started again on both.
// Knows nothing of browsers.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../../../", import.meta.url));
const START_MS = 30_000;
const STOP_MS = 15_000;

/** LOCKSTEP_RELAY, or whichever build of the relay is newest. */
export function relayBinary() {
  if (process.env.LOCKSTEP_RELAY) return process.env.LOCKSTEP_RELAY;
  const target = process.env.CARGO_TARGET_DIR ?? join(root, "target");
  const builds = ["release", "debug"].map((kind) => join(target, kind, "lockstep-relay")).filter((path) => existsSync(path));
  if (!builds.length) throw new Error("There is no relay yet: run `cargo build --release -p relay`, or name one in LOCKSTEP_RELAY.");
  return builds.sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs)[0];
}

export class Relay {
  /** `args` are added to, or in place of, `--dev`; `www` is served in place of the demo. */
  static async start({ args = ["--dev"], www = join(root, "www") } = {}) {
    const relay = new Relay(args, www);
    await relay.start();
    return relay;
  }

  constructor(args, www) {
    this.www = www;
    this.folder = mkdtempSync(join(tmpdir(), "lockstep-relay-"));
    this.args = args;
    this.port = 0;
    this.log = "";
  }

  get http() {
    return `http://127.0.0.1:${this.port}`;
  }

  get ws() {
    return `ws://127.0.0.1:${this.port}`;
  }

  /** Starts it, or starts it again: the same port and the same database. */
  async start() {
    const fixed = ["--listen", `127.0.0.1:${this.port}`, "--data", join(this.folder, "relay.db")];
    const pages = ["--www", this.www, "--pkg", join(root, "pkg")];
    const child = spawn(relayBinary(), [...this.args, ...fixed, ...pages], { stdio: ["ignore", "pipe", "pipe"] });
    this.child = child;
    this.ended = new Promise((resolve) => child.once("close", resolve));
    child.stderr.on("data", (text) => (this.log += text));
    await new Promise((resolve, reject) => {
      const fail = (why) => reject(new Error(`the relay ${why}\n${this.log}`));
      const timer = setTimeout(() => fail("does not start"), START_MS);
      child.once("error", (error) => fail(error.message));
      child.once("close", (code) => fail(`ended with ${code}`));
      child.stdout.on("data", (text) => {
        this.log += text;
        const port = /listening on http:\/\/[^\s:]+:(\d+)/.exec(this.log.slice(-2000))?.[1];
        if (!port) return;
        this.port = Number(port);
        clearTimeout(timer);
        resolve();
      });
    });
  }

  /** As a power cut would: no goodbye. */
  async kill() {
    this.child.kill("SIGKILL");
    await this.ended;
  }

  /** As an operator would. */
  async stop() {
    this.child.kill("SIGTERM");
    const timer = setTimeout(() => this.child.kill("SIGKILL"), STOP_MS);
    await this.ended;
    clearTimeout(timer);
  }

  /** Ends it for good and removes its database. */
  async remove() {
    if (this.child.exitCode === null && this.child.signalCode === null) await this.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
