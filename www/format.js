// Times, sizes and names as a person reads them. Pure functions of their arguments.
// Does not know the page or the client.

const DAY = 86_400_000;
const clockFormat = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" });
const weekday = new Intl.DateTimeFormat(undefined, { weekday: "short" });
const longDay = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
const longDayYear = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "long", year: "numeric" });
const shortDay = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const shortDayYear = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", year: "numeric" });
const utcDay = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "long", year: "numeric", timeZone: "UTC" });

const midnight = (ms) => new Date(ms).setHours(0, 0, 0, 0);
const daysBetween = (earlier, later) => Math.round((midnight(later) - midnight(earlier)) / DAY);

export const clock = (ms) => clockFormat.format(ms);
export const iso = (ms) => new Date(ms).toISOString();
export const sameDay = (a, b) => midnight(a) === midnight(b);
export const longDate = (ms) => longDayYear.format(ms);
/** A day without its year where that is plain. */
export const nearDate = (ms, now) => (Math.abs(daysBetween(ms, now)) < 300 ? shortDay : shortDayYear).format(ms);

/** For the list: a time today, then "Yesterday", a weekday, a date. */
export function listTime(ms, now) {
  const days = daysBetween(ms, now);
  if (days <= 0) return clock(ms);
  if (days === 1) return "Yesterday";
  if (days < 7) return weekday.format(ms);
  return days < 300 ? shortDay.format(ms) : shortDayYear.format(ms);
}

/** For the separators between the days of a chat. */
export function dayLabel(ms, now) {
  const days = daysBetween(ms, now);
  if (days === 0) return "Today";
  if (days === 1) return "Yesterday";
  return Math.abs(days) < 300 ? longDay.format(ms) : longDayYear.format(ms);
}

/** The relay keeps "last seen" as a UTC day, so it is compared and shown as one. */
export function lastActive(ms, now) {
  if (!ms) return "Not active yet";
  const days = Math.floor(now / DAY) - Math.floor(ms / DAY);
  if (days <= 0) return "Active today";
  if (days === 1) return "Active yesterday";
  return `Last active ${utcDay.format(ms)}`;
}

export function seconds(ms) {
  const left = Math.max(0, Math.ceil(ms / 1000));
  return left >= 60 ? `${Math.floor(left / 60)} min ${left % 60} s` : `${left} s`;
}

export function kib(bytes) {
  return bytes >= 1024 ? `${(bytes / 1024).toFixed(1)} KiB` : `${bytes} bytes`;
}

export const utf8Length = (text) => new TextEncoder().encode(text).length;

/** First character of a name, whole even when it is an emoji or has combining marks. */
export function initial(name) {
  const bare = name.replace(/^@/, "").trim();
  const first = Intl.Segmenter ? [...new Intl.Segmenter().segment(bare)][0]?.segment : [...bare][0];
  return (first ?? "?").toLocaleUpperCase();
}

/** A stable number from 0 to 5 for an id, to give each person a colour. */
export function hue(id) {
  let sum = 0;
  for (const char of id) sum = (sum * 31 + char.codePointAt(0)) >>> 0;
  return sum % 6;
}

/** "@Bob " as typed in a field -> "Bob". What a valid handle is, the client decides. */
export const bareHandle = (typed) => typed.trim().replace(/^@+/, "");

/** What a person's own account is called here: on a plain Signal service accounts have no handle. */
export const accountName = ({ handle }) => (handle ? `@${handle}` : "Your account");

/** A first guess for this browser's name among a person's devices. */
export function browserName(agent, brands = []) {
  const known = [["Edg/", "Edge"], ["OPR/", "Opera"], ["Firefox/", "Firefox"], ["Chrome/", "Chrome"], ["Safari/", "Safari"]];
  const systems = [["iPhone", "iPhone"], ["iPad", "iPad"], ["Android", "Android"], ["Windows", "Windows"], ["Mac OS", "Mac"],
    ["CrOS", "ChromeOS"], ["Linux", "Linux"]];
  const chromiumOnly = brands.some((b) => b.brand === "Chromium") && !brands.some((b) => b.brand === "Google Chrome");
  const name = known.find(([mark]) => agent.includes(mark))?.[1] ?? "Browser";
  const system = systems.find(([mark]) => agent.includes(mark))?.[1];
  const browser = name === "Chrome" && chromiumOnly ? "Chromium" : name;
  return system ? `${browser} on ${system}` : browser;
}
