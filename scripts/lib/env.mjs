// Where the project is and which tools it uses. Knows nothing of what is done with them.
// The tools are chosen in one place, scripts/wasm-env.sh; this asks bash for the result.
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
export const inRoot = (...parts) => join(root, ...parts);

const browsers = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/** The environment in which every tool of the project runs. */
export function toolEnv() {
  const script = '. "$1/scripts/wasm-env.sh" && env -0';
  const text = execFileSync("bash", ["-c", script, "bash", root], { encoding: "utf8", maxBuffer: 1 << 24 });
  const env = {};
  for (const pair of text.split("\0")) {
    const at = pair.indexOf("=");
    if (at > 0) env[pair.slice(0, at)] = pair.slice(at + 1);
  }
  env.CHROMIUM ??= browsers.find((path) => existsSync(path)) ?? browsers[0];
  return env;
}
