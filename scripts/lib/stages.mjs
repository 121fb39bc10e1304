// The stages of npm test, in order. A stage says what it needs, whether there is anything for it yet, what it runs and
// how its output is counted. Running and reporting is scripts/test.mjs's business.
//
//   needs     stages that must have passed; where one did not, this one has failed
//   absent    a sentence where there is nothing to run yet: the stage is skipped
//   commands  run one after the other, up to the first that fails; or `work`, a function of the run
//   count     what the output says (tally.mjs); `mustRun`: no test at all is a failure
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { buildPackage, buildRelay, vendorLibraries } from "./builds.mjs";
import { inRoot } from "./env.mjs";
import { cargoTests, oneCheck, tap } from "./tally.mjs";

const wasm = ["--target", "wasm32-unknown-unknown"];
const warningsAreErrors = ["--", "-D", "warnings"];

const nodeFiles = (folder) => {
  if (!existsSync(inRoot("tests", folder))) return [];
  const names = readdirSync(inRoot("tests", folder)).filter((name) => name.endsWith(".test.mjs"));
  return names.sort().map((name) => `tests/${folder}/${name}`);
};

/** A stage of node:test files in tests/FOLDER. */
const nodeStage = (name, title, rest = {}) => ({
  name,
  title,
  absent: () => (nodeFiles(name).length ? undefined : `tests/${name} holds no .test.mjs file yet`),
  commands: () => [["node", "--test", "--test-concurrency=1", "--test-reporter=tap", ...nodeFiles(name)]],
  count: tap,
  mustRun: true,
  ...rest,
});

const cargoStage = (name, title, commands, rest = {}) => ({ name, title, commands: () => commands, count: oneCheck, ...rest });

const browserTests = () => {
  const forTheBrowser = (file) => /\.rs$/.test(file) && /wasm_bindgen_test/.test(readFileSync(inRoot(file), "utf8"));
  return ["tests", "src"].some((folder) => readdirSync(inRoot(folder), { recursive: true }).some((name) => forTheBrowser(`${folder}/${name}`)));
};

/** The flags of webdriver.json, for the browser that CHROMIUM names. */
function webdriver(run) {
  const flags = JSON.parse(readFileSync(inRoot("webdriver.json"), "utf8"));
  flags["goog:chromeOptions"].binary = run.env.CHROMIUM;
  const file = `${run.results}/webdriver.json`;
  writeFileSync(file, JSON.stringify(flags));
  return { ...run.env, WASM_BINDGEN_TEST_WEBDRIVER_JSON: file };
}

/** Five hundred runs of the simulator that no day before has seen; a failing one is made short and printed, and is repeated by its seed. */
const freshSeeds = () => {
  const today = Math.floor(Date.now() / 86_400_000);
  return ["cargo", "run", "--quiet", "-p", "sim", "--", "--hunt", "500", "--from", String(today * 1000)];
};

export const stages = [
  cargoStage("fmt", "format", [["cargo", "fmt", "--all", "--check"]]),
  cargoStage("clippy", "lints, native", [["cargo", "clippy", "--workspace", "--all-targets", ...warningsAreErrors]]),
  // engine and wire are linted on the way, as members of the workspace that lockstep depends on.
  cargoStage("clippy-wasm", "lints, wasm32", [["cargo", "clippy", ...wasm, "-p", "lockstep", "-p", "bench", "--lib", "--tests", ...warningsAreErrors]]),
  cargoStage("native", "native tests", [["cargo", "test", "--workspace", "--lib", "--bins", "--tests", "--no-fail-fast"]], {
    count: cargoTests,
    mustRun: true,
  }),
  { name: "seeds", title: "500 new runs of the simulator", commands: () => [freshSeeds()], count: oneCheck },
  cargoStage("doc", "examples in the docs", [["cargo", "test", "--workspace", "--doc", "--no-fail-fast"]], { count: cargoTests }),
  nodeStage("scripts", "the project's own scripts"),
  { name: "pkg", title: "build of the npm package", work: buildPkg, count: oneCheck },
  { name: "relay", title: "build of the relay", work: buildTheRelay, count: oneCheck },
  {
    name: "browser",
    title: "tests in a browser",
    absent: () => (browserTests() ? undefined : "no test uses wasm_bindgen_test yet"),
    // These options go to cargo build as well as to cargo test, so --tests and --no-fail-fast are not to be had.
    commands: () => [["wasm-pack", "test", "--headless", "--chrome", "--", "--lib", "--test", "*"]],
    env: webdriver,
    count: cargoTests,
    mustRun: true,
    browser: true,
  },
  nodeStage("package", "the package as published", { needs: ["pkg"], browser: true }),
  nodeStage("interop", "Signal's own client and server", { needs: ["pkg", "relay"], browser: true }),
  nodeStage("examples", "the examples, built and used", {
    needs: ["pkg", "relay"],
    browser: true,
    commands: () => [
      ["npm", "ci", "--prefix", "examples/react", "--no-audit", "--no-fund", "--loglevel=error"],
      ["node", "examples/react/build.mjs"],
      ["node", "--test", "--test-reporter=tap", ...nodeFiles("examples")],
    ],
  }),
  nodeStage("e2e", "browsers and a real relay", { needs: ["pkg", "relay"], browser: true, minutes: 30 }),
];

async function buildPkg(run) {
  const built = await buildPackage(run);
  return built.code === 0 && existsSync(inRoot("scripts", "vendor.mjs")) ? vendorLibraries(run) : built;
}

/** Later stages find the program in LOCKSTEP_RELAY. */
async function buildTheRelay(run) {
  const built = await buildRelay(run);
  run.env.LOCKSTEP_RELAY = built.binary;
  return built;
}

/** The stages of these names with all they need, in order; all of them without names. An unknown name is returned. */
export function chosen(names) {
  const unknown = names.find((name) => !stages.some((stage) => stage.name === name));
  if (unknown) return { unknown };
  const wanted = new Set(names.length ? names : stages.map((stage) => stage.name));
  for (const stage of [...stages].reverse()) {
    if (wanted.has(stage.name)) for (const need of stage.needs ?? []) wanted.add(need);
  }
  return { list: stages.filter((stage) => wanted.has(stage.name)) };
}
