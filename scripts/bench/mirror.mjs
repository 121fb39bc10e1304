// What a person does on one device, until it is on disk on another: from the first call to the last event there, which is after
// its commit. Two clients in two pages of one browser, a relay process, strict durability.
import { Relay } from "../../tests/e2e/lib/relay.mjs";
import { spread, table } from "./figures.mjs";
import * as work from "./page.mjs";

const COUNT = 300;
const STORE = "bench-mirror";

export async function mirror({ browser, site, rounds, note, done }) {
  const relay = await Relay.start({ args: ["--dev", "--allow-origin", site.origin] });
  const pages = [];
  try {
    const open = async (store) => {
      const page = await browser.page();
      pages.push(page);
      await page.goto(site.origin);
      await page.evaluate(work.catchUp, { relay: relay.ws, store, count: 0 });
      return page;
    };
    const first = await open(`${STORE}-first`);
    const bob = await open(`${STORE}-bob`);
    await first.evaluate(work.register, { handle: "alice" });
    await bob.evaluate(work.register, { handle: "bob" });
    const second = await open(`${STORE}-second`);
    const uri = await second.evaluate(work.askToBeLinked);
    await first.evaluate(work.approve, { uri });
    await second.evaluate(work.linked);
    await first.evaluate(work.send, { to: "bob", text: "Hello" });
    const acts = { send: [], react: [], edit: [], set: [] };
    for (let n = 1; n <= rounds; n += 1) {
      for (const act of Object.keys(acts)) {
        note(`${act}, round ${n} of ${rounds}`);
        const heard = second.evaluate(work.hear, { act, count: COUNT });
        await second.evaluate(work.listening);
        const begun = await first.evaluate(work.act, { act, count: COUNT, round: n });
        acts[act].push((COUNT * 1000) / ((await heard) - begun));
      }
    }
    done();
    const row = (title, all) => [title, spread(all, "/s")];
    table(`${COUNT} at once on one device, until the last is on disk on another of the same person (and of the other person)`, ["", "median (least to most)"], [
      row("messages sent", acts.send),
      row("reactions", acts.react),
      row("edits", acts.edit),
      row("values of the application", acts.set),
    ]);
  } finally {
    for (const page of pages) await page.close();
    await relay.remove();
  }
}
