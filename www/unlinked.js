// What to say when this browser is no device of its account any more, and whether it may come back.
// Does not know how it is shown.

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

/** { title, help, again }: `again` says whether it may be linked again. */
export function whyUnlinked({ handle, unlinked }) {
  const { title, help, again } = WHY[unlinked] ?? WHY.removed;
  return { title: title(handle ? `@${handle}` : "your account"), help, again };
}
