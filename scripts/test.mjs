// npm test: every test there is, in stages, with one summary. The last line is "N passed, N failed", with ", N skipped"
// where something was skipped; the exit code is 0 only if nothing failed.
//
//   npm test                     all stages
//   npm test -- native package   these stages, and what they need
//   npm test -- --list           what stages there are
//
// The whole output of a stage is in test-results/STAGE.log.
import { mkdirSync, rmSync } from "node:fs";
import { inRoot, toolEnv } from "./lib/env.mjs";
import { liveLine } from "./lib/progress.mjs";
import { run as runProgram, stopAll, tail } from "./lib/run.mjs";
import { cargoProgress } from "./lib/builds.mjs";
import { setUp } from "./lib/setup.mjs";
import { chosen, stages } from "./lib/stages.mjs";
import { add, nothing, summary, verdict } from "./lib/tally.mjs";

const results = inRoot("test-results");
const args = process.argv.slice(2);

function list() {
  for (const { name, title, needs } of stages) {
    console.log(`${name.padEnd(12)} ${title}${needs ? `  (needs ${needs.join(", ")})` : ""}`);
  }
}

/** Runs the stage's programs up to the first that fails; their outputs are counted as one. */
async function programs(stage, run, env) {
  let last = { code: 0, output: "" };
  let output = "";
  for (const [command, ...rest] of stage.commands()) {
    last = await runProgram(command, rest, { ...run, env: { ...env, ...cargoProgress }, minutes: stage.minutes ?? 20 });
    output += last.output;
    if (last.code !== 0) break;
  }
  return { ...last, output };
}

async function runStage(stage, env) {
  const log = `${results}/${stage.name}.log`;
  rmSync(log, { force: true });
  const line = liveLine(`${stage.name.padEnd(12)} ${stage.title}`);
  const run = { env, log, results, onLine: line.follow, say: line.note };
  const done = stage.work ? await stage.work(run) : await programs(stage, run, stage.env?.(run) ?? env);
  const counts = verdict(done, stage.count, stage.mustRun);
  line.end(`${counts.failed ? "FAILED" : "ok"}  ${summary(counts)}  ${line.seconds()}`);
  if (counts.failed) console.log(`${indent(tail(log, 40))}\n    The whole output is in test-results/${stage.name}.log`);
  return { ...counts, took: line.seconds() };
}

const indent = (text) => text.replace(/^/gm, "    ");

/** Decides whether a stage runs at all. */
async function outcome(stage, env, outcomes) {
  const broken = (stage.needs ?? []).find((need) => outcomes.get(need)?.failed);
  if (broken) {
    console.log(`${stage.name.padEnd(12)} ${stage.title}  FAILED  not run: ${broken} failed`);
    return { ...nothing, failed: 1, took: "not run" };
  }
  const absent = stage.absent?.();
  if (absent) {
    console.log(`${stage.name.padEnd(12)} ${stage.title}  skipped: ${absent}`);
    return { ...nothing, skipped: 1, took: "skipped" };
  }
  return runStage(stage, env);
}

function report(list, outcomes) {
  console.log("\nstage        result   passed  failed  skipped  time");
  for (const { name } of list) {
    const { passed, failed, skipped, took } = outcomes.get(name);
    const result = failed ? "FAILED" : passed || took !== "skipped" ? "ok" : "-";
    const cells = [name.padEnd(12), result.padEnd(7), `${passed}`.padStart(7), `${failed}`.padStart(7), `${skipped}`.padStart(8)];
    console.log(`${cells.join(" ")}  ${took}`);
  }
}

async function main() {
  if (args.includes("--list")) {
    list();
    return 0;
  }
  const { list: selected, unknown } = chosen(args);
  if (unknown) {
    console.error(`There is no stage ${unknown}. These there are:`);
    list();
    return 2;
  }
  if (!setUp({ browser: selected.some((stage) => stage.browser) || !args.length })) {
    console.log(summary({ ...nothing, failed: 1 }));
    return 1;
  }
  mkdirSync(results, { recursive: true });
  const env = toolEnv();
  const outcomes = new Map();
  for (const stage of selected) outcomes.set(stage.name, await outcome(stage, env, outcomes));
  const total = [...outcomes.values()].reduce(add, nothing);
  report(selected, outcomes);
  console.log(summary(total));
  return total.failed ? 1 : 0;
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.once(signal, () => {
    stopAll();
    process.exit(130);
  });
}
process.exitCode = await main();
