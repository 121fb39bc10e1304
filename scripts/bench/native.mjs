// What runs without a browser: the engine compiled for this machine, a send whose devices have changed beside one whose have not, and
// how fast the simulator is, which says how much a hunt can look at. Both are built first, which takes minutes once.
import { execFileSync } from "node:child_process";
import { root } from "../lib/env.mjs";
import { spread, table } from "./figures.mjs";

const RUNS = 100;
const SEED = 4_000_000; // the same runs each time

function cargo(env, ...args) {
  return execFileSync("cargo", ["run", "--quiet", "--release", ...args], { cwd: root, env, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
}

export function native({ env, rounds }) {
  const rows = cargo(env, "-p", "bench", "--example", "native").trimEnd().split("\n");
  table("Without a browser, for each message", ["what", "time"], rows.map((row) => row.split(/ {2,}/)));
  const hunts = Array.from({ length: rounds }, () => cargo(env, "-p", "sim", "--", "--hunt", String(RUNS), "--from", String(SEED)));
  const of = (word) => hunts.map((told) => Number(told.match(new RegExp(`(\\d+) ${word}`, "g")).at(-1).split(" ")[0]));
  table(`The simulator, ${RUNS} runs`, ["what", "is"], [["steps a second", spread(of("a second"), "")], ["steps", of("steps")[0]]]);
}
