// How long messages stay, in words. Does not know where that is set or shown.

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const WEEK = 7 * DAY;

/** What is offered, in seconds; 0: they stay. */
export const TIMERS = [0, HOUR, DAY, WEEK, 4 * WEEK];

/** "1 day", "5 minutes": in the largest unit that fits. */
export function duration(seconds) {
  const [unit, length] = [["week", WEEK], ["day", DAY], ["hour", HOUR], ["minute", MINUTE], ["second", 1]].find(([, length]) => seconds % length === 0);
  const count = seconds / length;
  return `${count} ${unit}${count === 1 ? "" : "s"}`;
}

/** What was set, as a sentence. */
export function timerSentence(who, seconds) {
  const subject = who === "You" ? "You" : who;
  if (!seconds) return `${subject} turned disappearing messages off.`;
  return `${subject} set messages to disappear ${duration(seconds)} after they are read.`;
}
