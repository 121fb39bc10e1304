// What may be done to a message, as the page offers it. The client decides; this only keeps back what it would refuse.
// Does not know how it is offered.

const DAY_MS = 86_400_000;
const MOST_EDITS = 10;

const isText = (message) => message.kind === "text";
const isFresh = (message, now) => now - message.sentAt < DAY_MS;

export const canReply = isText;
export const canReact = isText;
export const canCopy = (message) => isText(message) && message.text !== "";

export const canEdit = (message, now) =>
  message.outgoing && isText(message) && isFresh(message, now) && message.earlier.length < MOST_EDITS;

/** "yes", or why not: "foreign", "late", "nothing" (there is nothing left to delete for others). */
export function deletableForEveryone(message, now) {
  if (!isText(message)) return "nothing";
  if (!message.outgoing) return "foreign";
  return isFresh(message, now) ? "yes" : "late";
}

/** Reactions by emoji, in the order of the first of each: [{ emoji, authors }]. */
export function grouped(reactions) {
  const groups = new Map();
  for (const { emoji, author } of reactions) groups.set(emoji, [...(groups.get(emoji) ?? []), author]);
  return [...groups].map(([emoji, authors]) => ({ emoji, authors }));
}

/** Which emoji this account has at a message, if any. */
export const reactionOf = (message, account) => message.reactions.find(({ author }) => author === account)?.emoji;
