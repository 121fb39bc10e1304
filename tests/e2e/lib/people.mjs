// The cast of most tests: Alice with two linked browsers and Bob with one, who know each other and are online.
import { Device } from "./device.mjs";
import { until } from "./poll.mjs";

/** Each device has a browser of its own. Resolves to { laptop, phone, bob, aliceId, bobId, remove }. */
export async function aliceAndBob(relay) {
  const names = ["Alice's laptop", "Alice's phone", "Bob's tablet"];
  const [laptop, phone, bob] = await Promise.all(names.map((name) => Device.open(relay, { name })));
  const aliceId = (await laptop.signUp("alice")).id;
  const bobId = (await bob.signUp("bob")).id;
  await phone.joinTo(laptop);
  await laptop.send("bob", "Hello");
  await until("Bob has it", async () => (await bob.messages(aliceId).catch(() => [])).length === 1);
  await bob.send(aliceId, "Hello you two");
  for (const device of [laptop, phone]) await until("they have it", async () => (await device.messages(bobId)).length === 2);
  const remove = () => Promise.all([laptop, phone, bob].map((device) => device.remove()));
  return { laptop, phone, bob, aliceId, bobId, remove };
}
