// Turns a burst of "something changed" into few runs of one asynchronous job: never two at once, never one missed.
// Does not know what the job does.

const PAUSE_MS = 40;

/** Calling the result asks for a run that starts after the call; many calls during a run become one more run. */
export function coalesce(job) {
  let running = false;
  let again = false;
  let stopped = false;
  const run = async () => {
    if (running) {
      again = true;
      return;
    }
    running = true;
    do {
      again = false;
      if (!stopped) await job();
      if (again) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    } while (again && !stopped);
    running = false;
  };
  run.stop = () => {
    stopped = true;
  };
  return run;
}
