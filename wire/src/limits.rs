//! Every limit of the protocol, each with its reason. Sizes are in bytes.
//! What only one side enforces (timeouts, queues) is in that side's own `limits.rs`.

/// One inner frame. Signal's servers take 512 KiB; a bundle to two accounts of 16 devices with a
/// 64 KiB text needs more, so ours is the next step that fits it (see the assertion below).
pub const FRAME_MAX: usize = 4 * 1024 * 1024;
/// Ciphertext for one device, as Signal's server has it (96 KiB).
pub const DEVICE_MESSAGE_MAX: usize = 96 * 1024;
/// Text of one message in UTF-8.
pub const TEXT_MAX: usize = 64 * 1024;
/// Devices of one account.
pub const DEVICES_MAX: usize = 16;
/// Accounts in one bundle: the peer, and our own.
pub const BUNDLE_ACCOUNTS_MAX: usize = 8;
/// One-time keys of each kind in one upload, and per device on the relay.
pub const ONE_TIME_KEYS_MAX: usize = 100;
/// Encrypted device name, decoded.
pub const DEVICE_NAME_MAX: usize = 225;
/// A provisioning envelope as base64 text.
pub const PROVISION_BODY_MAX: usize = 256 * 1024;
/// One message of a rendezvous: a list of 16 devices with their certificates is 5 KiB.
pub const RENDEZVOUS_MESSAGE_MAX: usize = 16 * 1024;
/// A platform credential (a JWT): generous for claims, small against abuse.
pub const CREDENTIAL_MAX: usize = 8 * 1024;
/// Link URIs as scanned or pasted.
pub const LINK_URI_MAX: usize = 2048;
/// Device ids are 1..=127.
pub const DEVICE_ID_MAX: u8 = 127;
/// Registration ids are 14 bits and not 0.
pub const REGISTRATION_ID_MAX: u16 = 0x3FFF;
/// How a person who reads or answers for another one is called, in bytes: 64 characters of any script.
pub const STAFF_LABEL_BYTES_MAX: usize = 256;
/// Key ids are 24 bits and not 0.
pub const KEY_ID_MAX: u32 = 0x00FF_FFFF;
/// Attachments of one message, as Signal's clients have it.
pub const ATTACHMENTS_MAX: usize = 32;
/// Name of an attached file: the longest that file systems take.
pub const FILE_NAME_MAX: usize = 255;
/// Media type of an attached file, and its blurred picture: longer ones are nobody's.
pub const CONTENT_TYPE_MAX: usize = 127;
/// A sealed account key: ours has some hundred bytes, and others may put more beside it.
pub const RECOVERY_MAX: usize = 4096;
/// One attachment before encryption, as Signal's clients have it.
pub const ATTACHMENT_MAX: u64 = 100 * 1024 * 1024;
/// One blob: the largest attachment, padded to the next step of 5 %, and its cipher (`engine` checks that it fits).
pub const BLOB_MAX: u64 = 106 * 1024 * 1024;
/// One `PATCH` of a blob: what is lost at most when a connection breaks, and a bound on how long one request may take.
pub const BLOB_SLICE_MAX: u64 = 8 * 1024 * 1024;

const _: () = assert!(ATTACHMENT_MAX < BLOB_MAX);
const _: () = assert!(TEXT_MAX < DEVICE_MESSAGE_MAX);
const _: () = assert!(2 * DEVICES_MAX * DEVICE_MESSAGE_MAX < FRAME_MAX);
