// Staff: people whom an account lets read, or read and answer, with browsers of their own. What they are called, what a browser of
// theirs may do, and what others are told of them. Does not know how it is shown.

import { accountName, longDate, sameDay } from "./format.js";

/** This browser is one of staff: it reads for the account, and is none of its person's own. */
export const isStaff = (account) => account?.role === "delegate";

/** Whether this browser may write in the account's conversations, now. */
export const mayWrite = (account) => !isStaff(account) || Boolean(account.staff?.answers && account.staff.expires > Date.now());

/** Whether a message is this browser's to edit or delete for everyone: of what the account wrote, staff may touch only their own. */
export const isOwnHere = (message, account) => message.outgoing && (!isStaff(account) || message.authorDevice === account.deviceId);

export const here = (staff = []) => staff.filter(({ endedAt }) => endedAt === undefined);
export const gone = (staff = []) => staff.filter(({ endedAt }) => endedAt !== undefined);
export const newcomers = (staff = []) => here(staff).filter(({ isNew }) => isNew);

/** A label as others see it; the name of new staff may not be here yet. */
export const labelOf = ({ label }) => label || "A member of staff";

export const whatMay = ({ answers }) => (answers ? "reads and answers" : "reads");

/** "Read by Ada and 2 staff", for the head of a conversation; empty where there is nothing to say. */
export function readBy(name, contact) {
  if (contact?.withoutStaff) return `Read by ${name}, without staff`;
  const count = here(contact?.staff).length;
  return count ? `Read by ${name} and ${count} staff` : "";
}

/** "answered by staff (Jane, office)"; empty if no staff wrote it. */
export function answeredBy({ staff, authorDevice, outgoing }, account) {
  if (staff === undefined) return "";
  if (outgoing && isStaff(account) && authorDevice === account.deviceId) return "Answered by you, as staff";
  return staff ? `Answered by staff (${staff})` : "Answered by staff";
}

/** Who wrote a message of this account, before its words in a list: "You: ". Nothing for the other person's. */
export function writerOf(message, account) {
  if (!message.outgoing) return "";
  if (message.staff !== undefined && message.authorDevice !== account.deviceId) return `${message.staff || "Staff"}: `;
  return isStaff(account) && message.authorDevice !== account.deviceId ? `${accountName(account)}: ` : "You: ";
}

/** What happened in a conversation: [{ key, at, text }] for everybody who came or went. */
export function comingsAndGoings(name, contact) {
  const lines = [];
  for (const one of contact?.staff ?? []) {
    const who = one.label ? `“${one.label}”` : "staff";
    lines.push({ key: `came ${one.label} ${one.since}`, at: one.since, text: `${name} lets ${who} read this${one.answers ? ", and answer" : ""}.` });
    if (one.endedAt !== undefined) lines.push({ key: `left ${one.label} ${one.since}`, at: one.endedAt, text: `${one.label ? `“${one.label}”` : "Staff"} can no longer read what is written to ${name}.` });
  }
  return lines.sort((a, b) => a.at - b.at);
}

/** "since today", "since 3 May 2026". */
export const sinceWords = (since, now) => `since ${sameDay(since, now) ? "today" : longDate(since)}`;

/** How long access is wanted. */
export const untilWords = (until) => (until === undefined ? "until you end it" : `until ${longDate(until)}`);
