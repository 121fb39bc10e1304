// What to say when this browser is no device of its account any more, and whether it may come back.
// Does not know how it is shown.

import { isStaff } from "./staff.js";

const WHY = {
  removed: {
    title: (account) => `This browser is no longer linked to ${account}.`,
    help: "Its device was removed. You can still read what is here; nothing new arrives or leaves.",
    again: true,
  },
  deleted: {
    title: (account) => (account.startsWith("@") ? `The account ${account} was deleted.` : "Your account was deleted."),
    help: "You can still read what is here.",
    again: false,
  },
  rolled_back: {
    title: () => "This browser’s data was copied, or restored from an older state.",
    help: "Sending from it would not be safe, so it has stopped. You can still read what is here. Link it again to go on.",
    again: true,
  },
};

const STAFF = {
  ...WHY,
  removed: {
    title: (account) => `Your access to the messages of ${account} has ended.`,
    help: "What you had received by then you can still read. Nothing new arrives or leaves.",
    again: true,
  },
  deleted: { ...WHY.deleted, help: "What you had received by then you can still read." },
};

/** { title, help, again }: `again` says whether it may be linked again. */
export function whyUnlinked(account) {
  const words = isStaff(account) ? STAFF : WHY;
  const { title, help, again } = words[account.unlinked] ?? words.removed;
  return { title: title(account.handle ? `@${account.handle}` : "your account"), help, again };
}
