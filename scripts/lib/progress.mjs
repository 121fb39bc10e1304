// One line that lives while a step runs. On a terminal it is rewritten each second; elsewhere it is printed at the
// start, every 20 seconds, and at the end. Knows nothing of the steps.
const terminal = process.stdout.isTTY && !process.env.CI;
const every = terminal ? 1_000 : 20_000;

export const seconds = (since) => {
  const total = Math.round((Date.now() - since) / 1000);
  return total < 120 ? `${total} s` : `${Math.floor(total / 60)} min ${total % 60} s`;
};

/** Shows `title` until `end(text)`; `note(text)` says how far it is. */
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
    end(text) {
      clearInterval(timer);
      if (terminal) process.stdout.write("\r\x1b[2K");
      console.log(`${title}  ${text}`);
    },
    seconds: () => seconds(since),
  };
}

/** How far a program is, from a line of its output; undefined where the line does not tell. */
export function howFar(line) {
  const crates = /(\d+)\/(\d+)(?:: |$)/.exec(line);
  if (/^\s*Building\s/.test(line) && crates) return `${crates[1]} of ${crates[2]} crates`;
  const test = /^test (\S+) ?\.\.\. |^(?:ok|not ok) \d+ - (.+)$|^\s+(?:ok|not ok) \d+ - (.+)$/.exec(line);
  if (test) return test[1] ?? test[2] ?? test[3];
  if (/^\s*(Compiling|Checking|Downloading|Fetching)\s/.test(line)) return line.trim();
  return undefined;
}
