// What a message, its state and its place are called, wherever they are shown.
// Does not know how they are shown.

import { gistOfFiles } from "./files.js";
import { duration } from "./timers.js";

export const STATUS_WORDS = { queued: "Queued, not sent yet", sent: "Sent", delivered: "Delivered", read: "Read", failed: "Not sent" };

const INSTEAD = {
  waiting: "Waiting for this message. It was asked for again and may take a while.",
  unreadable: "This message could not be decrypted.",
  deleted: "This message was deleted.",
};

/** What stands in the place of a text that is not there. */
export const insteadOf = (kind) => INSTEAD[kind] ?? "";

/** A message in one line of a list. */
export function inOneLine(message, most = 160) {
  if (message.kind === "waiting") return "Waiting for a message";
  if (message.kind === "unreadable") return "Message could not be decrypted";
  if (message.kind === "deleted") return "Message deleted";
  if (message.kind === "timer") return message.timer ? `Disappearing messages: ${duration(message.timer)}` : "Disappearing messages: off";
  return message.text.slice(0, most) || gistOfFiles(message.attachments ?? []);
}
