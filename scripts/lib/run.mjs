// Runs one program: its output goes to a log file and, line by line, to whoever watches. Knows nothing of what it means.
// Each program leads its own process group, so that stopping it stops what it started; a signal to us stops them all.
import { spawn } from "node:child_process";
import { createWriteStream, mkdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { root } from "./env.mjs";

const running = new Set();

/** Ends every program still running, and what they started. */
export function stopAll(signal = "SIGTERM") {
  for (const child of running) stop(child, signal);
}

export function stop(child, signal = "SIGTERM") {
  try {
    process.kill(-child.pid, signal);
  } catch {
    // It has ended already.
  }
}

/** Starts a program in its own group, remembered until it ends. */
export function start(command, args, options = {}) {
  const child = spawn(command, args, { cwd: root, detached: true, stdio: ["ignore", "pipe", "pipe"], ...options });
  running.add(child);
  child.once("close", () => running.delete(child));
  return child;
}

/**
 * Runs a program to its end. `log` is appended to; `onLine` sees every line, also those that a progress bar overwrites.
 * Resolves to { code, output, timedOut }; a program that could not be started has code 127.
 */
export function run(command, args, { env, log, onLine, minutes = 30 } = {}) {
  return new Promise((resolve) => {
    const file = log ? openLog(log) : undefined;
    file?.write(`$ ${[command, ...args].join(" ")}\n`);
    const child = start(command, args, { env });
    const streams = [child.stdout, child.stderr].map((stream) => lineReader(stream, file, onLine));
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      stop(child, "SIGKILL");
    }, minutes * 60_000);
    const end = (code, note) => {
      clearTimeout(timer);
      if (note) file?.write(`${note}\n`);
      const output = streams.map((stream) => stream.finish()).join("");
      const done = () => resolve({ code, output, timedOut });
      if (file) file.end(done);
      else done();
    };
    child.once("error", (error) => end(127, `${command} could not be started: ${error.message}`));
    child.once("close", (code, signal) => {
      if (timedOut) end(124, `stopped after ${minutes} minutes`);
      else end(code ?? 1, signal ? `ended by ${signal}` : undefined);
    });
  });
}

/** The last lines of a log, without the trails of progress bars. */
export function tail(path, count) {
  const lines = readFileSync(path, "utf8").split("\n").map(visible).filter(Boolean);
  return lines.slice(-count).join("\n");
}

/** What a terminal would show of a line: the last overwrite, without colours. */
export function visible(line) {
  const last = line.split("\r").filter((part) => part.trim()).at(-1) ?? "";
  return last.replace(/\x1b(?:\[[0-9;?]*[A-Za-z]|\([A-Z0-9])/g, "").trimEnd();
}

function openLog(path) {
  mkdirSync(dirname(path), { recursive: true });
  return createWriteStream(path, { flags: "a" });
}

function lineReader(stream, file, onLine) {
  let text = "";
  let rest = "";
  stream.setEncoding("utf8");
  stream.on("data", (chunk) => {
    file?.write(chunk);
    text += chunk;
    const lines = (rest + chunk).split(/[\r\n]/);
    rest = lines.pop() ?? "";
    for (const line of lines) if (line.trim()) onLine?.(visible(line));
  });
  return {
    finish() {
      if (rest.trim()) onLine?.(visible(rest));
      return text;
    },
  };
}
