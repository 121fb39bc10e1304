// How fast history goes from one browser to another that was just linked: node tests/e2e/figures.mjs [messages]. Not a test: it prints.
import { Device } from "./lib/device.mjs";
import { until } from "./lib/poll.mjs";
import { Relay } from "./lib/relay.mjs";

const messages = Number(process.argv[2] ?? 10_000);
const relay = await Relay.start();
const [laptop, phone] = await Promise.all(["laptop", "phone"].map((name) => Device.open(relay, { name })));
try {
  const { id } = await laptop.signUp("alice");
  await laptop.call(async (client, count) => {
    const words = "the quick brown fox jumps over the lazy dog ";
    for (let n = 0; n < count; n += 50) {
      await Promise.all(Array.from({ length: Math.min(50, count - n) }, (_, k) => client.send("alice", { text: `${n + k} ${words.repeat(1 + ((n + k) % 5))}` })));
    }
  }, messages);
  await until("all are sent", () => laptop.call(async (client, self) => (await client.messages(self, { limit: 500 })).every(({ status }) => status === "sent"), id), 600_000);
  await phone.page.evaluate(() => window.lockstep.client.on("progress", (event) => {
    window.first ??= performance.now();
    window.last = { ...event, at: performance.now() };
  }));
  const uri = await phone.offerLink();
  const start = Date.now();
  await laptop.approve(uri);
  const linked = Date.now();
  await until("all of it is there", () => phone.page.evaluate(() => window.last?.done === window.last?.total && window.last?.total > 0), 600_000);
  const seconds = (Date.now() - linked) / 1000;
  const bytes = (await phone.messages(id)).reduce((sum, message) => sum + JSON.stringify(message).length, 0);
  const pieces = (await import("node:fs")).readdirSync(`${relay.folder}/relay.blobs`, { recursive: true }).length;
  console.log(`${messages} messages in ${seconds.toFixed(1)} s after the link (${((linked - start) / 1000).toFixed(1)} s): ${Math.round(messages / seconds)} messages/s, `
    + `${(bytes / 1e6 / seconds).toFixed(2)} MB/s as JavaScript has them, ${pieces} pieces`);
} finally {
  for (const device of [laptop, phone]) await device.remove();
  await relay.remove();
}
