//! Every limit that the relay alone enforces, each with its reason. Sizes are in bytes, times in ms
//! unless the name says otherwise. What both sides must agree on is in `wire::limits`.

use wire::limits::{BLOB_MAX, FRAME_MAX};

/// Unanswered requests of one socket. A client that pipelines more is not read from until an answer is out.
pub const REQUESTS_OPEN_MAX: usize = 16;
/// Bodies of the unanswered requests of one socket together: one frame of the largest size, and some.
/// What a peer can make the relay hold in memory is this plus one frame.
pub const REQUEST_BYTES_OPEN_MAX: usize = FRAME_MAX;
/// Long polls among the unanswered requests: the rest stays free for work.
pub const LONG_POLLS_OPEN_MAX: usize = 4;
/// One inner frame of a socket that has not said who it is: registration and linking need some 10 KiB.
pub const FRAME_UNAUTHENTICATED_MAX: usize = 64 * 1024;
/// Authenticated sockets of one device. The newer closes the older with 4409, so that a device that
/// lost its connection unnoticed can come back at once.
pub const SOCKETS_PER_DEVICE_MAX: usize = 1;
/// Sockets of all kinds: with 5.6 KB each a quarter of a gigabyte.
pub const SOCKETS_MAX: usize = 50_000;
/// New devices that wait to be linked.
pub const PROVISIONING_SOCKETS_MAX: usize = 10_000;

/// Unanswered deliveries of one socket, as Signal's server has it.
pub const DELIVERIES_OPEN_MAX: usize = 256;
/// Their bytes: bounds what a device that does not answer makes the relay hold.
pub const DELIVERY_BYTES_OPEN_MAX: usize = 4 * 1024 * 1024;
/// Envelopes of one fetch from a mailbox, as Signal's server has it.
pub const PAGE_ENVELOPES_MAX: usize = 100;
/// Bytes of one fetch; one envelope more than fits is still taken, so that no size can block a mailbox.
pub const PAGE_BYTES_MAX: usize = 1024 * 1024;

/// Envelopes in one mailbox. A full mailbox refuses a send with 429: dropping the oldest would break
/// "accepted means durable", and the account can remove a device that never comes back.
pub const MAILBOX_ENVELOPES_MAX: u64 = 10_000;
/// Bytes in one mailbox: a month of a lively account.
pub const MAILBOX_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// What a sender to a full mailbox is told to wait.
pub const MAILBOX_FULL_RETRY_S: u64 = 3600;
/// What a socket is told to wait whose device has signed in anew on another one: it is about to be closed.
pub const FENCE_RETRY_S: u64 = 1;
/// How long an envelope waits: Signal's and our 30 days.
pub const MAIL_KEPT_MS: u64 = 30 * DAY_MS;
/// How long an `online` envelope waits: it is of no use later.
pub const ONLINE_MAIL_KEPT_MS: u64 = 10_000;
/// How long the id of an accepted bundle is remembered: as long as anything may still be on its way.
pub const BUNDLE_REMEMBERED_MS: u64 = 30 * DAY_MS;
/// How long a link token is good.
pub const LINK_TOKEN_MS: u64 = 10 * 60 * 1000;
/// How long a rendezvous is open: typing digits and choosing what to share takes a minute or two.
pub const RENDEZVOUS_KEPT_MS: u64 = 5 * 60 * 1000;
/// Rendezvous that are open, of all accounts.
pub const RENDEZVOUS_MAX: usize = 10_000;
/// Messages of one side of a rendezvous: two are needed.
pub const RENDEZVOUS_MESSAGES_MAX: usize = 4;
/// How long it is known which device a link token made.
pub const LINK_RESULT_KEPT_MS: u64 = 3600 * 1000;
/// Longest `wait_for_linked_device`, in seconds.
pub const WAIT_S_MAX: u32 = 3600;
/// Rows that one sweep removes in one transaction, so that no sender waits behind a sweep.
pub const SWEEP_ROWS_MAX: usize = 500;
/// Between sweeps of expired rows.
pub const SWEEP_EVERY_S: u64 = 600;
/// Between looks into a mailbox without a wake-up: what a lost wake-up costs at most.
pub const MAILBOX_LOOK_EVERY_S: u64 = 60;

/// A socket that says nothing is closed; clients send a keep-alive every 30 s.
pub const SOCKET_IDLE_S: u64 = 90;
/// A socket that takes nothing.
pub const SOCKET_STALLED_S: u64 = 60;
/// A new device that waits to be linked and says nothing.
pub const PROVISIONING_IDLE_S: u64 = 60;
/// A new device that waits to be linked: its code rotates every 45 s.
pub const PROVISIONING_LIFE_S: u64 = 90;
/// How long a close frame may take, and on shutdown all sockets together.
pub const CLOSE_S: u64 = 2;

/// Jobs of one group commit: one disk flush for all of them, and a bound on how long the first waits.
pub const COMMIT_JOBS_MAX: usize = 512;
/// Jobs that wait for the writer or the reader. More than this and the relay says 503.
pub const JOBS_WAITING_MAX: usize = 8192;

/// What an account may begin to upload in a day: ten of the largest files. Kept for 45 days, such an account
/// holds some 48 GB, so an operator can tell how much disk a number of accounts may need.
pub const BLOB_DAY_BYTES_MAX: u64 = 1024 * 1024 * 1024 + 64 * 1024 * 1024;
/// A blob counts as at least so much: a small one costs a file and a row, and this bounds how many there are.
pub const BLOB_MIN_CHARGE: u64 = 64 * 1024;
/// How long a blob is kept, as Signal's: longer than any message that names it waits in a mailbox.
pub const BLOB_KEPT_MS: u64 = 45 * DAY_MS;
/// How long an upload may take; a client that was away for longer begins anew.
pub const UPLOAD_KEPT_MS: u64 = DAY_MS;
/// Uploads that are written to at once: each holds one piece of [`BLOB_PIECE`].
pub const UPLOADS_OPEN_MAX: usize = 256;
/// Of them those of one account: its devices, with a few files each.
pub const UPLOADS_PER_ACCOUNT_MAX: usize = 16;
/// Downloads at once: each holds two pieces and an open connection.
pub const DOWNLOADS_OPEN_MAX: usize = 512;
/// Completions at once: each reads a whole blob to hash it.
pub const COMPLETIONS_OPEN_MAX: usize = 4;
/// What is read or written at once, and all of a blob that is ever in memory for one request.
pub const BLOB_PIECE: usize = 128 * 1024;
/// An upload or download that moves nothing for so long is ended.
pub const BLOB_STALLED_S: u64 = 30;
/// Body of a request about a blob that is no part of it.
pub const BLOB_BODY_MAX: usize = 1024;
/// What is told to wait when too many are at it.
pub const BLOB_BUSY_RETRY_S: u64 = 2;
/// How long a browser may remember that a page may ask for blobs here.
pub const PREFLIGHT_S: u64 = 24 * 3600;

/// Passwords are drawn by devices, 16 random bytes as text: a fast hash is right only for such.
pub const PASSWORD_MIN: usize = 16;
/// Longer ones are not drawn by our clients or Signal's.
pub const PASSWORD_MAX: usize = 128;
/// Names in a device's capabilities.
pub const CAPABILITIES_MAX: usize = 32;
/// One such name.
pub const CAPABILITY_NAME_MAX: usize = 64;
/// Clocks of the platform and of the relay may differ by this when a credential is checked.
pub const CREDENTIAL_LEEWAY_S: u64 = 30;
/// Largest client timestamp: the last moment of JavaScript's `Date`.
pub const TIMESTAMP_MAX: u64 = 8_640_000_000_000_000;
/// Buckets that are remembered; full ones are forgotten first.
pub const BUCKETS_MAX: usize = 100_000;
/// What `--dev` multiplies every bucket with: a test suite signs up and links all day.
pub const DEV_QUOTA_FACTOR: u64 = 1000;

/// How long none of an account's devices was here before its handle may be taken by a new key: a day at least, since the day is
/// all that is known of when a device was here.
pub const ANEW_AFTER_MS: u64 = 2 * DAY_MS;

/// One day.
pub const DAY_MS: u64 = 24 * 3600 * 1000;

const _: () = assert!(MAIL_KEPT_MS < BLOB_KEPT_MS);
const _: () = assert!(10 * BLOB_MAX <= BLOB_DAY_BYTES_MAX);
