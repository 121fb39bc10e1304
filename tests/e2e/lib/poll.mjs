// Waiting for something to become true. Tests never assert times: only that it happens before patience ends.
export const PATIENCE_MS = 60_000;
const EVERY_MS = 50;

/** Calls `look` until it returns something truthy, and returns that. What it throws counts as "not yet". */
export async function until(what, look, patienceMs = PATIENCE_MS) {
  const end = Date.now() + patienceMs;
  for (;;) {
    let problem;
    try {
      const found = await look();
      if (found) return found;
    } catch (error) {
      problem = error;
    }
    if (Date.now() > end) throw new Error(`still not: ${what}`, { cause: problem });
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  }
}
