// The counting behind npm test: a failure must never be counted away.
import assert from "node:assert/strict";
import { test } from "node:test";
import { cargoTests, oneCheck, summary, tap, verdict } from "../../scripts/lib/tally.mjs";

const cargoOutput = `running 2 tests
test a ... ok
test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s
test result: FAILED. 3 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s
`;

test("all test binaries of cargo are counted together", () => {
  assert.deepEqual(cargoTests(cargoOutput), { passed: 5, failed: 1, skipped: 1 });
});

test("a binary that crashed without a result is a failure", () => {
  const crashed = { code: 101, output: "test result: ok. 2 passed; 0 failed; 0 ignored\nerror: test failed, signal: 6" };
  assert.deepEqual(verdict(crashed, cargoTests, true), { passed: 2, failed: 1, skipped: 0 });
});

test("tests that do not compile are a failure", () => {
  assert.equal(verdict({ code: 101, output: "error[E0425]" }, cargoTests, true).failed, 1);
});

test("a run that found no test is a failure where there must be some", () => {
  const empty = { code: 0, output: "running 0 tests\ntest result: ok. 0 passed; 0 failed; 0 ignored\n" };
  assert.equal(verdict(empty, cargoTests, true).failed, 1);
  assert.equal(verdict(empty, cargoTests, false).failed, 0);
});

test("a check counts as one test", () => {
  assert.deepEqual(verdict({ code: 0, output: "" }, oneCheck), { passed: 1, failed: 0, skipped: 0 });
  assert.deepEqual(verdict({ code: 1, output: "" }, oneCheck), { passed: 0, failed: 1, skipped: 0 });
});

test("cancelled tests of node are failures", () => {
  const output = "# tests 6\n# suites 0\n# pass 3\n# fail 1\n# cancelled 1\n# skipped 1\n# todo 0\n";
  assert.deepEqual(tap(output), { passed: 3, failed: 2, skipped: 1 });
});

test("the summary names skipped tests only where there are some", () => {
  assert.equal(summary({ passed: 3, failed: 0, skipped: 0 }), "3 passed, 0 failed");
  assert.equal(summary({ passed: 3, failed: 1, skipped: 2 }), "3 passed, 1 failed, 2 skipped");
});
