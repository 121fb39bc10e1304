// Counts tests in the output of the programs that run them. Knows nothing of how they are run.
// The rule that matters: a program that fails has at least one failure, however its output looks.

export const nothing = { passed: 0, failed: 0, skipped: 0 };

export const add = (a, b) => ({
  passed: a.passed + b.passed,
  failed: a.failed + b.failed,
  skipped: a.skipped + b.skipped,
});

/** `cargo test` and `wasm-pack test`: one "test result:" line for each binary. */
export function cargoTests(output) {
  let sum = nothing;
  for (const found of output.matchAll(/^test result: \S+ (\d+) passed; (\d+) failed; (\d+) ignored/gm)) {
    sum = add(sum, { passed: +found[1], failed: +found[2], skipped: +found[3] });
  }
  return sum;
}

/** `node --test --test-reporter=tap`: the totals at the end. */
export function tap(output) {
  const total = (name) => Number(new RegExp(`^# ${name} (\\d+)$`, "m").exec(output)?.[1] ?? 0);
  return {
    passed: total("pass"),
    failed: total("fail") + total("cancelled"),
    skipped: total("skipped") + total("todo"),
  };
}

/** A check without tests of its own: the one thing it says is yes or no. */
export const oneCheck = () => undefined;

/** What a finished program counts for. `mustRun`: a program that ran no test at all proves nothing and has failed. */
export function verdict({ code, output }, count, mustRun) {
  const counted = count(output);
  if (counted === undefined) return { ...nothing, passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1 };
  if (code !== 0 && counted.failed === 0) return { ...counted, failed: 1 };
  if (mustRun && counted.passed + counted.failed + counted.skipped === 0) return { ...counted, failed: 1 };
  return counted;
}

/** The last line of every run. */
export function summary({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ""}`;
}
