// What to say about an error, and which errors take the whole page. Sentences come with the errors themselves;
// here is only what the page adds: a heading, a way forward, and words for a failed message, which carries a code alone.
// Does not know how it is shown.

const PAGES = {
  store_in_use: {
    title: "Lockstep is open in another tab",
    help: "Only one tab at a time can use this account’s keys. Go on in the other tab, or close it and continue here.",
    action: "Continue here",
  },
  storage_refused: {
    title: "This browser will not let Lockstep keep anything",
    help: "Lockstep keeps your keys and messages in this browser. Leave private browsing, or allow this site to store data, then try again.",
    action: "Try again",
  },
  storage_full: {
    title: "There is no room left on this device",
    help: "Nothing is lost. Free some space, on the disk or in the browser’s site data of other sites, then try again.",
    action: "Try again",
  },
  storage_too_new: {
    title: "A newer Lockstep has been here",
    help: "This browser’s data was written by a newer version than this page. Reload to get that version; your data is left as it is.",
    action: "Reload",
  },
  storage_damaged: {
    title: "The data in this browser is damaged",
    help: "It has been left untouched. Try again first. If that does not help, set this browser up afresh and link it from another of your devices.",
    action: "Try again",
    afresh: true,
  },
  store_fenced: {
    title: "Lockstep has moved to another tab",
    help: "Another tab or window took over this account’s keys, so this one has stopped. Nothing is lost. Go on there, or continue here.",
    action: "Continue here",
  },
  storage_failed: {
    title: "The browser’s storage did not answer",
    help: "Nothing is lost: what was stored is stored. Try again; if it keeps happening, restart the browser.",
    action: "Try again",
  },
  closed: {
    title: "Lockstep has stopped in this tab",
    help: "Nothing is lost: everything you sent or received is stored. Open it again to go on.",
    action: "Open again",
  },
  load: {
    title: "Lockstep could not be loaded",
    help: "The page is here, but its encryption module did not arrive. Check your connection, then try again.",
    action: "Try again",
  },
  unexpected: {
    title: "Lockstep could not be opened",
    help: "Your data is left as it is. Try again; if it keeps happening, tell whoever runs this server what it says here.",
    action: "Try again",
  },
};

const FAILED = {
  unknown_handle: "Nobody has this handle.",
  peer_away: "Not sent: this person has not been online for two weeks. Try again later.",
  account_gone: "Not sent: this account does not exist any more.",
  unknown_conversation: "This person is no longer reachable here.",
  identity_changed: "Not sent: this person’s security key has changed. Check with them in another way first.",
  message_too_long: "Too long to send.",
  rate_limited: "Not sent: too many messages in a short time.",
  relay_refused: "The server refused this message.",
  relay_protocol: "The server gave an answer that makes no sense.",
  not_allowed: "Not sent: you may not answer here as staff.",
  queue_full: "Too many messages are waiting already.",
  unlinked: "This browser is no longer linked.",
  rolled_back: "This browser’s data was copied or restored.",
};

/** The whole-page state for an error met while opening, or after which the client cannot go on. */
export function faultPage(error) {
  return PAGES[error?.code] ?? PAGES.unexpected;
}

/** Errors after which this client cannot go on, wherever they surface. */
export const endsTheSession = (code) => ["closed", "storage_damaged", "storage_too_new", "store_fenced", "store_in_use"].includes(code);

export const failedSentence = (code) => FAILED[code] ?? "Not sent.";

/** The sentence of a LockstepError; for anything else, one that does not pretend to know. */
export function sentence(error) {
  if (error?.code && error.message) return error.message;
  return `Something went wrong in this page${error?.message ? `: ${error.message}` : "."}`;
}
