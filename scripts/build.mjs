// npm run build: the npm package, in pkg/. Builds it even if it is fresh.
import { inRoot, toolEnv } from "./lib/env.mjs";
import { buildPackage } from "./lib/builds.mjs";
import { liveLine } from "./lib/progress.mjs";
import { setUp } from "./lib/setup.mjs";
import { stopAll, tail } from "./lib/run.mjs";

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.once(signal, () => {
    stopAll();
    process.exit(130);
  });
}
if (!setUp({ browser: false })) process.exit(1);
const log = inRoot(".lockstep", "build.log");
const line = liveLine("building pkg/ (2 to 4 min the first time)");
const built = await buildPackage({ env: toolEnv(), log, onLine: line.follow, say: line.note });
line.end(built.code === 0 ? `done in ${line.seconds()}` : "FAILED");
if (built.code !== 0) console.error(`${tail(log, 40)}\nThe whole output is in ${log}`);
process.exit(built.code === 0 ? 0 : 1);
