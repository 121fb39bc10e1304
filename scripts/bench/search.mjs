// Searching a store of 100,000 messages, and the memory of the page that has it: two years of conversations with eight people, who send
// all of it now, dated back.
import { Relay } from "../../tests/e2e/lib/relay.mjs";
import { Bob } from "../../tests/interop/bob.mjs";
import { short, spread, table } from "./figures.mjs";
import * as work from "./page.mjs";

const STORED = 100_000;
const PART = 5_000;
const PEOPLE = 8;
const YEARS_MS = 2 * 365 * 86_400_000;
const STORE = "bench-search";
const WORDS = ["the", "committee", "will", "meet", "on", "budget", "draft", "before", "we", "answer", "them", "about", "schools", "roads", "and", "water"];
const NEEDLE = "Nadelstreifen";

/** Some fifty letters, the same in every run; one in ten thousand has the needle. */
function text(n) {
  const words = Array.from({ length: 8 }, (_, at) => WORDS[(n * 7 + at * (n % 13) + at) % WORDS.length]);
  return `${words.join(" ")} ${n}${n % 10_000 === 5_000 ? ` ${NEEDLE}` : ""}`;
}

/** Somebody who has been answered: until then each message would carry the start of its session. */
async function meet(page, relay, alice, handle) {
  const person = await Bob.register(relay.http, handle);
  await person.send(alice, "Hello");
  await page.evaluate(work.send, { to: handle, text: "Hello" });
  await person.until(1);
  return person;
}

export async function search({ browser, site, rounds, note, done }) {
  const relay = await Relay.start({ args: ["--dev", "--allow-origin", site.origin] });
  const people = [];
  const page = await browser.page();
  try {
    await page.goto(site.origin);
    const here = { relay: relay.ws, store: STORE };
    await page.evaluate(work.catchUp, { ...here, count: 0 });
    const alice = await page.evaluate(work.register, { handle: "alice" });
    await page.evaluate(work.quiet); // Bob seals and reads in turns, and must not be asked to do both at once
    for (let n = 0; n < PEOPLE; n += 1) people.push(await meet(page, relay, alice, `person${n}`));
    await page.evaluate(work.holds, { count: 0 });
    const begin = Date.now() - YEARS_MS;
    for (let from = 0; from < STORED; from += PART) {
      note(`${short(from)} of ${short(STORED)} messages have come`);
      await Promise.all(people.map(async (person, at) => {
        for (let n = from + at; n < from + PART; n += PEOPLE) {
          await person.send(alice, text(n), { ordered: true, at: begin + Math.floor((n * YEARS_MS) / STORED) });
        }
      }));
      await page.evaluate(work.holds, { count: from + PART });
    }
    await page.evaluate(work.settle, here);
    const timed = (query, options) => page.evaluate(work.find, { query, options });
    const unmade = await timed(NEEDLE);
    const memory = await page.evaluate(work.memory);
    const found = { rare: [], none: [], common: [], older: [] };
    for (let n = 0; n < rounds; n += 1) {
      found.rare.push(await timed(NEEDLE));
      found.none.push(await timed("nowhere at all"));
      found.common.push(await timed("budget", { limit: 50 }));
    }
    done();
    const times = (all) => spread(all.map(({ took }) => took), "ms");
    table(`Searching ${short(STORED)} messages of two years`, ["", "found", "time"], [
      ["a rare word, where blocks are still to be made", unmade.count, `${short(unmade.took)} ms`],
      ["a rare word", found.rare[0].count, times(found.rare)],
      ["words that nobody wrote", found.none[0].count, times(found.none)],
      ["a common word, the newest 50", found.common[0].count, times(found.common)],
      ["memory of the module, all of it", "", `${short(memory.module / 2 ** 20)} MiB`],
      ["memory of the page's JavaScript", "", `${short(memory.script / 2 ** 20)} MiB`],
    ]);
  } finally {
    for (const person of people) await person.close();
    await page.close();
    await relay.remove();
  }
}
