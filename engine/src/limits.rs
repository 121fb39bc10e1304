//! Every limit of the client, each with its reason. Times are in milliseconds.
//! What both sides must agree on is in `wire::limits`.

/// Other people whose codes a scanned one is compared with that does not fit: to say "that is somebody else's" instead of
/// raising an alarm. Each costs a few milliseconds.
pub(crate) const COMPARED_PEOPLE_MAX: usize = 50;
/// Characters of a fingerprint that are looked at: its digits, and more between them than anybody puts there.
pub(crate) const FINGERPRINT_TEXT_MAX: usize = 200;
/// Archived libsignal states kept in a session: a forged message is tried on each (guard V3).
pub(crate) const ARCHIVED_STATES_MAX: usize = 5;
/// Furthest a message may be ahead of what has come of its chain (V2, V3): a peer renews a session before it has
/// sent so many without an answer, and stepping so far costs some 50 ms.
pub(crate) const JUMP_MAX: u32 = 2_000;
/// Counters so low that they cost next to nothing on any state.
pub(crate) const JUMP_FREE: u32 = 128;
/// A session that has sent so many messages without an answer is renewed (MAXSEND, S-50): the receiver's limit
/// is [`JUMP_MAX`].
pub(crate) const UNANSWERED_MAX: u32 = 1_900;
/// Age at which a session is renewed before the next send (MAXSEND, S-50): bounds the use of a stolen one.
pub(crate) const SESSION_SEND_MS: u64 = 90 * DAY_MS;
/// Age at which a session is deleted (MAXRECV, S-50): more than the age for sending and the mailbox's 30 days together.
pub(crate) const SESSION_RECEIVE_MS: u64 = 180 * DAY_MS;
/// Incarnations of a device that are gone are kept so long for late messages (S-8): the mailbox's 30 days and a half more.
pub(crate) const STALE_MS: u64 = 45 * DAY_MS;
/// Such incarnations of an account at once; the oldest go first.
pub(crate) const STALE_MAX: usize = 16;
/// Signed and last-resort prekeys are replaced at this age, as Signal's clients do.
pub(crate) const KEYS_ROTATE_MS: u64 = 2 * DAY_MS;
/// Replaced ones are kept so long, for first messages that are still on their way (the mailbox's 30 days and
/// a half more), then deleted: from then on those messages are safe from a thief.
pub(crate) const KEYS_KEPT_MS: u64 = 45 * DAY_MS;
/// No session is begun with keys older than this, in days: seven rotations, so a device that was online has newer ones.
pub(crate) const KEYS_FRESH_DAYS: u64 = 14;
/// Days that another device's clock may be ahead of ours before the day in its keys' ids is not believed.
pub(crate) const KEYS_FUTURE_DAYS: u64 = 1;
/// A device whose keys were too old is asked for newer ones at most so often: it has to come online first, and asking uses
/// up one-time keys and the relay's patience.
pub(crate) const KEYS_AGAIN_MS: u64 = HOUR_MS;
/// A message is sent again to a device that could not read it so often (S-44): if it fails twice, it is not by chance.
pub(crate) const RESENDS_MAX: u32 = 1;
/// And so often to one device in an hour, whatever the messages: each costs a session or a ratchet step.
pub(crate) const RESENDS_PER_HOUR_MAX: u32 = 5;
/// Messages of one device asked for again in an hour: more would only be refused there.
pub(crate) const RETRY_ASKS_MAX: usize = 5;
/// What was sent is kept so long for a device that asks for it again (S-44).
pub(crate) const SENT_MS: u64 = 7 * DAY_MS;
/// What was asked for is waited for so long; a device that was away until then has forgotten it.
pub(crate) const WAITING_MS: u64 = 14 * DAY_MS;
/// Messages waited for at once; memory holds their names.
pub(crate) const WAITING_MAX: usize = 1_000;
/// How long after a message its author may edit it or delete it for everyone, by their own clocks: a day, as Signal's clients
/// accept; later it would be a change of the record.
pub(crate) const ACT_WINDOW_MS: u64 = DAY_MS;
/// Edits of a message by its author, as Signal has it.
pub(crate) const EDITS_MAX: usize = 10;
/// Earlier texts kept of a message: those of all edits.
pub(crate) const EDITS_KEPT: usize = EDITS_MAX;
/// Bytes of an emoji: the longest sequences have some 40.
pub(crate) const EMOJI_MAX: usize = 64;
/// Bytes of text in a quote: enough to know what is meant.
pub(crate) const QUOTE_TEXT_MAX: usize = 512;
/// Acts that wait for their messages; memory holds their names.
pub(crate) const EARLY_MAX: usize = 2_000;
/// And those of one conversation, so that nobody can fill the room of all.
pub(crate) const EARLY_OF_CONVERSATION_MAX: usize = 200;
/// They wait as long as a mailbox keeps the message they wait for.
pub(crate) const EARLY_MS: u64 = 30 * DAY_MS;
/// The author of a message is told that it has come after a wait of some length between these: it says nothing of when
/// a device woke, and what comes together is told together.
pub(crate) const RECEIPT_WAIT_MIN_MS: u64 = 2_000;
pub(crate) const RECEIPT_WAIT_MAX_MS: u64 = 10_000;
/// Messages in one receipt, the newest: some 5 KB, and more than anybody reads in ten seconds.
pub(crate) const RECEIPT_MESSAGES_MAX: usize = 200;
/// Things done at once that are due.
pub(crate) const DUE_AT_ONCE: usize = 100;
/// Messages that disappear do so after four weeks at the latest, as Signal's clients have it.
pub(crate) const TIMER_MAX_S: u32 = 4 * 7 * 24 * 60 * 60;
/// Messages looked at, the newest, where a device reads again what another has read: both times are minutes apart, not months.
pub(crate) const READ_STARTED_MAX: usize = 100;
/// A text that is searched for, in bytes: a sentence.
pub(crate) const SEARCH_TEXT_MAX: usize = 256;
/// Folded text in one row that a search reads: some thousand messages. Reading a row costs as much as 5 KB in it.
pub(crate) const SEARCH_BLOCK_BYTES: usize = 256 * 1024;
/// Such rows read at once: 16 MB at the very most.
pub(crate) const SEARCH_BLOCKS: usize = 64;
/// Messages read in one step of a search, or of making it fast: some 100 ms, so that others get their turn.
pub(crate) const SEARCH_STEP: usize = 2_000;
/// Rows made in one commit.
pub(crate) const SEARCH_MADE_AT_ONCE: usize = 32;
/// That somebody is writing is told so often, and shown so long.
pub(crate) const TYPING_EVERY_MS: u64 = 4_000;
pub(crate) const TYPING_SHOWN_MS: u64 = 10_000;
/// Another own device is in use for so long after what a person did there, and a notification is held so long then: both
/// as Signal's clients have it.
pub(crate) const OTHERS_ACTIVE_MS: u64 = 60_000;
pub(crate) const NOTIFY_HOLD_MS: u64 = 5_000;
/// Envelopes of one account held until its new key is accepted; what comes after is lost, since a flood
/// under a key of nobody's choosing must not fill the disk.
pub(crate) const HELD_MAX: usize = 1_000;
/// They are held so long.
pub(crate) const HELD_MS: u64 = 30 * DAY_MS;
/// An envelope that takes the client down is decrypted so often before it is put aside.
pub(crate) const ATTEMPTS_MAX: u32 = 2;
/// Envelopes named before they are dealt with after a bad end: about as many as come at once.
pub(crate) const SUSPECTS_MAX: usize = 128;
/// Failed decryptions of one device in a batch after which only cheap ones are tried.
pub(crate) const FAILURES_MAX: u32 = 3;
/// One-time prekeys of each kind kept: what the relay has lost would otherwise stay for ever.
pub(crate) const ONE_TIME_KEYS_KEPT: usize = 1_000;
/// Records looked at, and rows deleted, in one upkeep: what is left is for the next.
pub(crate) const UPKEEP_ROWS: usize = 2_000;
/// Upkeep is due so often.
pub(crate) const UPKEEP_MS: u64 = DAY_MS;
/// One-time prekeys of each kind in an upload.
pub(crate) const ONE_TIME_KEYS_BATCH: u32 = 100;
/// New one-time prekeys are made when the relay has fewer than this left.
pub(crate) const ONE_TIME_KEYS_REFILL: u32 = 20;
/// Tries of one send, repairs included: a relay that lies about devices must not loop us (S-24).
pub(crate) const SEND_TRIES_MAX: u32 = 4;
/// Bundles without an answer at once, one a conversation: more would only wait at the relay.
pub(crate) const IN_FLIGHT_MAX: usize = 64;
/// Envelopes that wait in memory while this device comes in: what a relay sends unanswered, and as much again.
pub(crate) const ENTRANCE_MAX: usize = 512;
/// Rows of a table read at once where all of it is gone through.
pub(crate) const TABLE_PAGE: usize = 500;
/// Messages that may wait to be sent: months of typing, and far from filling a disk.
pub(crate) const OUTBOX_MAX: usize = 10_000;
/// Messages in one page of a thread.
pub(crate) const PAGE_MAX: usize = 500;
/// Conversations and contacts listed at once.
pub(crate) const LIST_MAX: usize = 10_000;
/// Unread messages are counted up to this.
pub(crate) const UNREAD_MAX: usize = 9_999;
/// Accounts whose handle is asked for at once after connecting.
pub(crate) const LOOKUPS_MAX: usize = 50;
/// Envelopes marked in one record: a record that is rewritten for each message stays small.
pub(crate) const SEEN_PAGE: usize = 128;
/// Marks of one generation that memory holds: months of one connection. A ratchet refuses repeats too, at a higher price.
pub(crate) const SEEN_MAX: usize = 65_536;
/// Pages of old marks deleted at once: keeps that commit as small as a batch.
pub(crate) const SEEN_DELETED_MAX: usize = 500;
/// Uploads that have begun and are not done: of more, nobody remembers.
pub(crate) const UPLOADS_MAX: usize = 200;
/// A relay ends an upload after so long.
pub(crate) const UPLOAD_MS: u64 = DAY_MS;
/// A piece of history is full at this size: small enough that a step with it takes a fraction of a second.
pub(crate) const PIECE_BYTES: usize = 256 * 1024;
/// Largest piece that is read: a full one, and one more message with all its texts.
pub(crate) const PIECE_MAX: usize = 1024 * 1024;
/// Pieces that were told of and are not fetched yet: gigabytes.
pub(crate) const PIECES_MAX: usize = 10_000;
/// Messages of each conversation that come first.
pub(crate) const HISTORY_NEWEST: u32 = 50;
/// What is cut of one conversation before another one has its turn: so far pieces are from newest first.
pub(crate) const HISTORY_PAGE: usize = 100;
/// Pages of messages counted in one step before the first piece: 2,000 messages, so that others get their turn.
pub(crate) const HISTORY_COUNTED_PAGES: usize = 4;
/// What is known of a transfer that was taken in part is kept so long: its pieces wait in a mailbox no longer.
pub(crate) const HISTORY_TAKEN_MS: u64 = 30 * DAY_MS;
/// Messages merged in one commit.
pub(crate) const MERGED_AT_ONCE: usize = 200;
/// A choice that was made with an approval is good for so long, if the device comes late.
pub(crate) const HISTORY_CHOICE_MS: u64 = HOUR_MS;
/// Wait before a piece is moved again that could not be moved.
pub(crate) const HISTORY_RETRY_MS: u64 = 30_000;

const _: () =
    assert!(PIECE_BYTES + (EDITS_KEPT + 1) * (wire::limits::TEXT_MAX + 64) + 40 * 1024 < PIECE_MAX);

/// Commands that may wait for a connection.
pub(crate) const PARKED_MAX: usize = 64;
/// Contacts in one sync message: some 200 bytes each, so well below one envelope.
pub(crate) const CONTACTS_CHUNK: usize = 200;
/// Messages looked at that stand at the same time: of so many devices two people have.
pub(crate) const SAME_PLACE_MAX: usize = 2 * wire::limits::DEVICES_MAX;
/// How far ahead of the present a message of an archive may stand: a day's wrong clock on either device; further ahead it would stand
/// below all others for ever.
pub(crate) const ARCHIVE_AHEAD_MS: u64 = DAY_MS;
/// How far ahead of the relay's clock a sender's clock may be before its order is not believed.
pub(crate) const CLOCK_SKEW_MS: u64 = 5 * 60 * 1000;

/// Value of a register: a draft is as long as a message, and alone in an envelope it fits.
pub(crate) const REGISTER_VALUE_MAX: usize = 64 * 1024;
/// Its name: the longest key with the longest element of a set, and room for newer versions.
pub(crate) const REGISTER_NAME_MAX: usize = 2048;
/// Its space: the longest namespace, and room for newer versions.
pub(crate) const REGISTER_SPACE_MAX: usize = 128;
/// Registers in one message to own devices, in bytes: half an envelope, so that one long one more still fits.
pub(crate) const REGISTERS_TOLD_BYTES: usize = 48 * 1024;
/// Such messages made at once, and marks looked at: what is left waits for these to go out, in the store.
pub(crate) const REGISTERS_TOLD_MESSAGES: usize = 16;
pub(crate) const REGISTERS_TOLD_ROWS: usize = 2_000;
/// What was removed is remembered so long: twice what a device may be away.
pub(crate) const REMOVED_MS: u64 = 90 * DAY_MS;
/// A device that was away for so long asks the others for everything: mailboxes lose what is 30 days old, and clocks may be off.
pub(crate) const AWAY_MS: u64 = 25 * DAY_MS;
/// Drafts are kept so long.
pub(crate) const DRAFT_MS: u64 = 7 * DAY_MS;
/// Messages looked at to see whether the person has ever written to somebody, in a store from before that was kept.
pub(crate) const REQUEST_LOOK_BACK: usize = 50;
/// Names that a person gives, in bytes: longer ones fit no list.
pub(crate) const NAME_MAX: usize = 256;
/// One item of application data, name included, as large as a message: larger things are attachments.
pub(crate) const APP_ITEM_MAX: usize = 64 * 1024;
/// All of a namespace, what was removed included: a new device gets all of it in some 25 messages.
pub(crate) const APP_NAMESPACE_MAX: u64 = 1024 * 1024;
/// Registers of a namespace, each some 100 bytes in the store beside its value.
pub(crate) const APP_ITEMS_MAX: u64 = 10_000;
/// Namespaces: with all of them full, a new device gets as much as a long history.
pub(crate) const APP_NAMESPACES_MAX: usize = 64;
/// Items read at once: what devices that were apart may have written together.
pub(crate) const APP_LIST_MAX: usize = 100_000;
/// Characters of a namespace.
pub(crate) const APP_NAMESPACE_CHARS_MAX: usize = 64;
/// The rest of a key, and an element of a set, in bytes: both stand in keys of the store.
pub(crate) const APP_KEY_MAX: usize = 512;
pub(crate) const APP_ELEMENT_MAX: usize = 1024;
/// A message of the application to itself: as large as what is sent at once without a wait for anybody.
pub(crate) const APP_MESSAGE_MAX: usize = 32 * 1024;
/// Furthest a counter of one device may go: JavaScript counts exactly up to here.
pub(crate) const APP_COUNT_MAX: i64 = (1 << 53) - 1;

const _: () =
    assert!(REGISTER_VALUE_MAX + REGISTER_NAME_MAX + 4096 < wire::limits::DEVICE_MESSAGE_MAX);
const _: () = assert!(APP_NAMESPACE_CHARS_MAX + 4 <= REGISTER_SPACE_MAX);
const _: () = assert!(APP_KEY_MAX + APP_ELEMENT_MAX + 2 <= REGISTER_NAME_MAX);
const _: () = assert!(wire::limits::TEXT_MAX <= REGISTER_VALUE_MAX);

/// Own devices compare what they hold once a day: so long after the last time, and by chance up to so much later, so that they do not all begin
/// at once. Together at most a day, so that a page that is opened once a day does too.
pub(crate) const REPAIR_MS: u64 = 20 * HOUR_MS;
pub(crate) const REPAIR_JITTER_MS: u64 = 4 * HOUR_MS;
/// A device that comes back compares as soon as its mailbox is empty, if it has not done so for some hours: what is planned within so
/// long is done at once.
pub(crate) const REPAIR_BACK_MS: u64 = 16 * HOUR_MS;
/// A device that has never compared does so after so long at the earliest: by then it has been told what the others know.
pub(crate) const REPAIR_FIRST_MS: u64 = 5 * 60 * 1000;
/// What was not all told is gone on with after so long, and so often in a day: devices that cannot agree stop then.
pub(crate) const REPAIR_AGAIN_MS: u64 = 60 * 1000;
pub(crate) const REPAIR_AGAIN_MAX: u32 = 24;
/// In one message, in bytes, as much as of registers; one message of a person alone may be more, and fits.
pub(crate) const REPAIR_BYTES: usize = 48 * 1024;
/// Messages that answer one.
pub(crate) const REPAIR_MESSAGES: usize = 16;
/// Such messages that wait to be answered, in memory: what has no room is compared again the next day.
pub(crate) const REPAIR_WAITING: usize = 64;
/// Groups whose digest is made in one step.
pub(crate) const REPAIR_GROUPS_AT_ONCE: usize = 32;
/// A group of messages is some 6.2 days of a conversation: 2^29 ms.
pub(crate) const REPAIR_GROUP_BITS: u32 = 29;
/// What was removed is compared for so long: half of the time that it is remembered, so that no device brings back to another what that one
/// has just forgotten.
pub(crate) const REPAIR_REMOVED_MS: u64 = REMOVED_MS / 2;

/// First wait after a lost connection; doubles with each failure.
pub(crate) const BACKOFF_MIN_MS: u64 = 500;
/// Longest wait between two tries to connect.
pub(crate) const BACKOFF_MAX_MS: u64 = 30_000;
/// Wait after another connection of this device has taken over (4409): not a race to win.
pub(crate) const BACKOFF_REPLACED_MS: u64 = 60_000;
/// A silent connection is asked for a sign of life this often, as Signal's clients do.
pub(crate) const KEEPALIVE_MS: u64 = 30_000;
/// Without an answer for this long the connection counts as lost.
pub(crate) const ANSWER_MS: u64 = 30_000;
/// The same when the network has just changed: a socket that died unnoticed is not waited for.
pub(crate) const PROBE_MS: u64 = 5_000;
/// Wait before a refused send is tried again, if the relay names no time.
pub(crate) const SEND_RETRY_MS: u64 = 5_000;

/// Shortest and longest such wait, whatever the relay names.
pub(crate) const SEND_RETRY_MIN_MS: u64 = 500;
pub(crate) const SEND_RETRY_MAX_MS: u64 = 60 * 60 * 1000;

/// Wait before a send is tried again that the service wants proof of a person for.
pub(crate) const CHALLENGE_RETRY_MS: u64 = 5 * 60 * 1000;

/// A link URI is shown for this long, then replaced.
pub(crate) const LINK_ROTATE_MS: u64 = 45_000;
/// So many URIs are shown in one attempt.
pub(crate) const LINK_OFFERS_MAX: u32 = 6;
/// An approved device has this long to come.
pub(crate) const LINK_WAIT_S: u32 = 60;
/// A run of linking by digits, as long as the relay keeps its rendezvous.
pub(crate) const LINK_RUN_MS: u64 = 5 * 60 * 1000;
/// An approved device has this long to come in a run: the person types four digits first.
pub(crate) const LINK_RUN_WAIT_S: u32 = 300;
/// How long the relay holds a question of a run back, and the pause before it is asked again that was answered at once.
pub(crate) const LINK_POLL_S: u32 = 25;
pub(crate) const LINK_POLL_PAUSE_MS: u64 = 1000;
/// Wrong digits that end a run. Inside one run another try gives nobody a chance that they had not: the digits of both sides are fixed.
pub(crate) const LINK_DIGITS_TRIES: u32 = 5;
/// The same of the four digits that the new browser is told.
pub(crate) const LINK_ANSWER_TRIES: u32 = 3;
/// Device names as shown, in characters.
pub(crate) const DEVICE_NAME_CHARS_MAX: usize = 64;

/// The span in which repeats and renewals are counted.
pub(crate) const HOUR_MS: u64 = 60 * 60 * 1000;
pub(crate) const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// A signed device list is good for so long: as long as a peer would go on writing to a device that was revoked behind their back.
pub(crate) const LIST_MS: u64 = 35 * DAY_MS;
/// It is made anew this often: one owner who is seen once in a month keeps it good.
pub(crate) const LIST_RENEW_MS: u64 = 7 * DAY_MS;
/// So long after hearing of a newer list that the relay does not show, nothing is sent on the word of the older one (T12).
pub(crate) const NEWER_LIST_MS: u64 = 48 * HOUR_MS;
/// A certificate is good from so long before it was made, since clocks differ.
pub(crate) const CERTIFICATE_EARLY_MS: u64 = DAY_MS;

/// The same while other people's devices are in it: who was told nothing goes on writing to one that was revoked for so long.
pub(crate) const STAFF_LIST_MS: u64 = 7 * DAY_MS;
/// And such a list is made anew every day.
pub(crate) const STAFF_LIST_RENEW_MS: u64 = DAY_MS;
/// A certificate of another person's device; it is renewed while wanted, once less than half of that is left.
pub(crate) const STAFF_CERTIFICATE_MS: u64 = 35 * DAY_MS;
/// How such a person is called, in characters.
pub(crate) const STAFF_LABEL_CHARS_MAX: usize = 64;
/// Conversations that are named one by one.
pub(crate) const STAFF_CONVERSATIONS_MAX: usize = 256;
/// So many grants are kept for "who had access": more than an account gives in years.
pub(crate) const STAFF_GRANTS_MAX: usize = 512;
/// So many people are told at once who reads now: those who were written with last.
pub(crate) const STAFF_TOLD_MAX: usize = 128;
