// What a person sees of a long step: how far it is, from what the program prints.
import assert from "node:assert/strict";
import { test } from "node:test";
import { howFar } from "../../scripts/lib/progress.mjs";

test("cargo's bar says how many crates are done, and that the last one takes longest", () => {
  assert.equal(howFar("    Building [=====>      ] 102/253: serde, syn"), "102 of 253 crates");
  assert.equal(howFar("    Building [===========>] 252/253: lockstep"), "252 of 253 crates, and the last takes longest");
  assert.equal(howFar("    Building [            ] 0/1: lockstep"), "0 of 1 crates");
});

test("a test that ends is named, and what says nothing of the progress is passed over", () => {
  assert.equal(howFar("test history::cut::tests::it_is_so ... ok"), "history::cut::tests::it_is_so");
  assert.equal(howFar("ok 3 - two people talk"), "two people talk");
  assert.equal(howFar("warning: something about 3/4"), undefined);
});
