// One line that lives while a step runs. On a terminal it is rewritten each second; elsewhere it is printed at the
// start, every 20 seconds, and at the end. Knows nothing of the steps.
const terminal = process.stdout.isTTY && !process.env.CI;
const every = terminal ? 1_000 : 20_000;

export const seconds = (since) => {
  const total = Math.round((Date.now() - since) / 1000);
  return total < 120 ? `${total} s` : `${Math.floor(total / 60)} min ${total % 60} s`;
};

/** Shows `title` until `end(text)`; `note(text)` says how far it is, `follow(line)` takes that from a program's output. */
export function liveLine(title) {
  const since = Date.now();
  let far = "";
  const draw = () => {
    const text = [title, "...", seconds(since), far].filter(Boolean).join("  ");
    if (terminal) process.stdout.write(`\r\x1b[2K${text.slice(0, (process.stdout.columns || 100) - 1)}`);
    else console.log(text);
  };
  if (terminal) draw();
  else console.log(`${title} ...`);
  const timer = setInterval(draw, every);
  timer.unref();
  return {
    note(text) {
      far = text;
    },
    follow(line) {
      far = howFar(line) ?? far;
    },
    end(text) {
      clearInterval(timer);
      if (terminal) process.stdout.write("\r\x1b[2K");
      console.log(`${title}  ${text}`);
    },
    seconds: () => seconds(since),
  };
}

/** The last crate is ours, and all of the optimizing that is left: nothing moves for a minute then. */
const cratesWords = (done, all) => `${done} of ${all} crates${all > 1 && done === all - 1 ? ", and the last takes longest" : ""}`;

/** How far a program is, from a line of its output; undefined where the line does not tell. */
export function howFar(line) {
  const crates = /(\d+)\/(\d+)(?:: |$)/.exec(line);
  if (/^\s*Building\s/.test(line) && crates) return cratesWords(Number(crates[1]), Number(crates[2]));
  const test = /^test (\S+) ?\.\.\. |^(?:ok|not ok) \d+ - (.+)$|^\s+(?:ok|not ok) \d+ - (.+)$/.exec(line);
  if (test) return test[1] ?? test[2] ?? test[3];
  if (/^\s*(Compiling|Checking|Downloading|Fetching)\s/.test(line)) return line.trim();
  return undefined;
}
