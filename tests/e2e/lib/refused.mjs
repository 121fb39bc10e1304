// What every refusal owes to its caller: an Error with the code, whether to try again, and a sentence a person can act on.
import assert from "node:assert/strict";

export async function isRefused(device, code, work, argument) {
  const refused = await device.refusal(work, argument);
  assert.equal(refused.code, code, `${refused.code}: ${refused.message}`);
  assert.ok(refused.error, "it is an Error");
  assert.equal(typeof refused.retry, "boolean");
  assert.match(refused.message, /^[A-Z“].{10,}[.!?]$/s, "it comes with a sentence");
}
