//! The stored form of everything: a version byte, then protobuf.
//!
//! Field numbers and the version are promises: a record written by a released version loads for ever.
//! Unknown fields of a newer minor version are lost on rewrite, so such a version raises the version byte.
//! What the fields mean is the business of the module that owns the record.

pub(crate) mod key;

use prost::Message;
use wire::proto::service::AttachmentPointer;
use wire::{AccountId, DeviceId, MessageId};

use crate::error::StoreFault;
use crate::store::Table;

/// The version byte of every record so far.
const VERSION: u8 = 1;

/// Something with a stored form.
pub(crate) trait Record: Message + Default {
    /// Where it is stored.
    const TABLE: Table;

    /// The stored bytes.
    fn write(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(1 + self.encoded_len());
        bytes.push(VERSION);
        bytes.extend(self.encode_to_vec());
        bytes
    }

    /// From stored bytes.
    fn read(bytes: &[u8]) -> Result<Self, StoreFault> {
        let damaged = StoreFault::Damaged {
            table: Self::TABLE.name(),
        };
        match bytes.split_first() {
            Some((&VERSION, rest)) => Self::decode(rest).map_err(|_| damaged),
            Some((version, _)) if *version > VERSION => Err(StoreFault::TooNew {
                found: u32::from(*version),
                supported: VERSION.into(),
            }),
            _ => Err(damaged),
        }
    }
}

macro_rules! records {
    ($($(#[$doc:meta])* $name:ident in $table:ident { $($fields:tt)* })+) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Message)]
        #[prost(skip_debug)]
        pub(crate) struct $name { $($fields)* }

        impl Record for $name {
            const TABLE: Table = Table::$table;
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(stringify!($name))
            }
        }
    )+};
}

mod account;
mod compared;
pub(crate) use account::{AccountRecord, ClockRecord, PhoneRecord};
pub(crate) use compared::{DigestRecord, RepairRecord};
mod transfers;

pub(crate) use transfers::{
    ChosenRecord, CutConversation, CutRecord, PieceRecord, TakenRecord, UploadRecord,
};

records! {
    /// The envelope that is being tried with care, at [`key::ATTEMPT`].
    AttemptRecord in Meta {
        #[prost(bytes = "vec", tag = "1")] pub guid: Vec<u8>,
        #[prost(uint32, tag = "2")] pub attempts: u32,
        /// What was dealt with as batches since the last good end, 16 bytes each.
        #[prost(bytes = "vec", tag = "3")] pub batch: Vec<u8>,
    }

    /// What libsignal needs to know of an account, and its devices.
    PeerRecord in Peers {
        #[prost(bytes = "vec", tag = "1")] pub identity: Vec<u8>,
        #[prost(message, repeated, tag = "2")] pub devices: Vec<PeerDevice>,
        #[prost(bool, tag = "3")] pub listed: bool,
        /// Another identity key that the account has come with, and that the person has not accepted.
        #[prost(bytes = "vec", tag = "4")] pub new_identity: Vec<u8>,
        /// The newest signed device list that we have; empty: we know of none.
        #[prost(bytes = "vec", tag = "10")] pub list: Vec<u8>,
        /// A newer version that somebody knows and we don't, and since when we know that.
        #[prost(uint64, tag = "11")] pub newer_list: u64,
        #[prost(uint64, tag = "12")] pub newer_list_at: u64,
        /// There is another list of the same version.
        #[prost(bool, tag = "13")] pub forked_list: bool,
        /// What it has last said of who reads for it: a `lockstep.service.Staff`.
        #[prost(bytes = "vec", tag = "14")] pub staff: Vec<u8>,
    }

    /// One incarnation of a device in a [`PeerRecord`]; its registration id is its epoch, 0 while that is not
    /// known. At most one of a device number is current; stale ones (`stale_since` is not 0) are gone, kept
    /// for late messages.
    PeerDevice in Peers {
        #[prost(uint32, tag = "1")] pub device: u32,
        #[prost(uint32, tag = "2")] pub registration_id: u32,
        #[prost(uint64, tag = "3")] pub stale_since: u64,
        /// When its published keys were last found to be too old for a new session; 0: they were not.
        #[prost(uint64, tag = "4")] pub old_keys_at: u64,
        /// Which signed key that was.
        #[prost(uint32, tag = "5")] pub old_key: u32,
        /// Its own identity key, certified by the account's; empty: it has the account's.
        #[prost(bytes = "vec", tag = "10")] pub key: Vec<u8>,
        /// Of that certificate: its epoch, the role, when it ends.
        #[prost(uint32, tag = "11")] pub certificate_epoch: u32,
        #[prost(uint32, tag = "12")] pub role: u32,
        #[prost(uint64, tag = "13")] pub until: u64,
        /// It was revoked as lost: nothing of it is believed.
        #[prost(bool, tag = "14")] pub refused: bool,
        /// It has published a key that nobody has certified.
        #[prost(bool, tag = "15")] pub uncertified: bool,
        /// Of its certificate: what it may do, what its label is bound to; and since when it is known here.
        #[prost(uint32, tag = "16")] pub capabilities: u32,
        #[prost(bytes = "vec", tag = "17")] pub label_commitment: Vec<u8>,
        #[prost(uint64, tag = "18")] pub since: u64,
        /// Another person's: how it is called, as the certificate binds it; empty: not known yet.
        #[prost(string, tag = "19")] pub label: String,
        /// It may read what we write to its account, which its certificate does not say.
        #[prost(bool, tag = "20")] pub invited: bool,
        /// It was there when the account was first heard of.
        #[prost(bool, tag = "21")] pub from_start: bool,
    }

    /// The sessions with a device, one entry for each incarnation, newest first.
    SessionsRecord in Sessions {
        #[prost(message, repeated, tag = "1")] pub incarnations: Vec<IncarnationRecord>,
    }

    /// In a [`SessionsRecord`]: libsignal's record, when its current state was made, whether a new one has to
    /// be made before anything is sent, and when that was last asked for by the other side.
    IncarnationRecord in Sessions {
        #[prost(uint32, tag = "1")] pub epoch: u32,
        #[prost(bytes = "vec", tag = "2")] pub session: Vec<u8>,
        #[prost(uint64, tag = "3")] pub since: u64,
        #[prost(bool, tag = "4")] pub renew: bool,
        #[prost(uint64, tag = "5")] pub renewed_at: u64,
        /// How often something was sent again, and since when that is counted.
        #[prost(uint32, tag = "6")] pub resends: u32,
        #[prost(uint64, tag = "7")] pub resends_since: u64,
    }

    /// A person, as the user sees them.
    ContactRecord in Contacts {
        #[prost(string, tag = "1")] pub handle: String,
        #[prost(string, tag = "2")] pub name: String,
        #[prost(uint64, tag = "3")] pub name_clock: u64,
        #[prost(bool, tag = "4")] pub verified: bool,
        #[prost(bytes = "vec", tag = "5")] pub verified_key: Vec<u8>,
        #[prost(uint64, tag = "6")] pub verified_clock: u64,
        /// How they call themself, and the time of the message that said so.
        #[prost(string, tag = "7")] pub own_name: String,
        #[prost(uint64, tag = "8")] pub own_name_clock: u64,
        #[prost(bool, tag = "20")] pub gone: bool,
    }

    /// A conversation: its newest message, its read mark.
    ConversationRecord in Conversations {
        #[prost(uint64, tag = "1")] pub last_order: u64,
        #[prost(bytes = "vec", tag = "2")] pub last_id: Vec<u8>,
        #[prost(uint64, tag = "3")] pub read_order: u64,
        #[prost(bytes = "vec", tag = "4")] pub read_id: Vec<u8>,
        #[prost(uint32, tag = "5")] pub unread: u32,
        #[prost(uint64, tag = "6")] pub updated_at: u64,
        /// The clock of the last act of reading, on any own device.
        #[prost(uint64, tag = "20")] pub read_clock: u64,
        /// Messages whose author has not been told that they have come, 24 bytes each: id, time.
        #[prost(bytes = "vec", tag = "23")] pub owed: Vec<u8>,
        /// Messages disappear so many seconds after they were read; 0: they stay. The later version counts.
        #[prost(uint32, tag = "24")] pub timer_s: u32,
        #[prost(uint32, tag = "25")] pub timer_version: u32,
        /// The other person wants no staff to read this, as their newest message says, of that time.
        #[prost(bool, tag = "30")] pub without_staff: bool,
        #[prost(uint64, tag = "31")] pub without_staff_at: u64,
    }

    /// A message; its conversation, order and id are in its key.
    MessageRecord in Messages {
        #[prost(bytes = "vec", tag = "1")] pub author: Vec<u8>,
        #[prost(uint32, tag = "2")] pub author_device: u32,
        #[prost(uint32, tag = "3")] pub kind: u32,
        #[prost(string, tag = "4")] pub text: String,
        #[prost(uint64, tag = "5")] pub sent_at: u64,
        #[prost(uint32, tag = "6")] pub status: u32,
        #[prost(string, tag = "7")] pub error: String,
        #[prost(message, optional, tag = "8")] pub quote: Option<QuoteRecord>,
        /// When and by which act it got its present text; 0: never edited.
        #[prost(uint64, tag = "9")] pub edit_clock: u64,
        #[prost(bytes = "vec", tag = "10")] pub edit_id: Vec<u8>,
        /// What it said before, newest first.
        #[prost(message, repeated, tag = "11")] pub earlier: Vec<VersionRecord>,
        #[prost(message, repeated, tag = "12")] pub reactions: Vec<ReactionRecord>,
        /// It disappears so many seconds after it was sent or read; 0: it stays.
        #[prost(uint32, tag = "14")] pub timer_s: u32,
        /// When that is; 0: the time does not run yet.
        #[prost(uint64, tag = "15")] pub ends_at: u64,
        /// As they stand in the message, with their keys.
        #[prost(message, repeated, tag = "13")] pub attachments: Vec<AttachmentPointer>,
        /// Somebody else wrote it for its author, who is called so; empty if that is not known.
        #[prost(string, optional, tag = "16")] pub staff: Option<String>,
    }

    /// What a [`MessageRecord`] answers.
    QuoteRecord in Messages {
        #[prost(bytes = "vec", tag = "1")] pub id: Vec<u8>,
        #[prost(bytes = "vec", tag = "2")] pub author: Vec<u8>,
        #[prost(string, tag = "3")] pub text: String,
        #[prost(uint64, tag = "4")] pub sent_at: u64,
    }

    /// An earlier text of a [`MessageRecord`], when it was written and by which act.
    VersionRecord in Messages {
        #[prost(uint64, tag = "1")] pub clock: u64,
        #[prost(bytes = "vec", tag = "2")] pub id: Vec<u8>,
        #[prost(string, tag = "3")] pub text: String,
    }

    /// A person's reaction to a [`MessageRecord`]; one that was taken back has no emoji.
    ReactionRecord in Messages {
        #[prost(bytes = "vec", tag = "1")] pub account: Vec<u8>,
        #[prost(uint64, tag = "2")] pub clock: u64,
        #[prost(bytes = "vec", tag = "3")] pub id: Vec<u8>,
        #[prost(string, tag = "4")] pub emoji: String,
    }

    /// What the messages of some days of a conversation say, folded, for searching.
    SearchRecord in Search {
        #[prost(message, repeated, tag = "1")] pub said: Vec<SaidRecord>,
        /// It would be too much for a row: the messages themselves are to be read.
        #[prost(bool, tag = "2")] pub too_large: bool,
    }

    /// A message in a [`SearchRecord`].
    SaidRecord in Search {
        #[prost(uint64, tag = "1")] pub order: u64,
        #[prost(bytes = "vec", tag = "2")] pub id: Vec<u8>,
        #[prost(string, tag = "3")] pub text: String,
    }

    /// Something done to a message that is not here yet.
    EarlyRecord in Early {
        #[prost(bytes = "vec", tag = "1")] pub conversation: Vec<u8>,
        #[prost(bytes = "vec", tag = "2")] pub by: Vec<u8>,
        #[prost(uint64, tag = "3")] pub clock: u64,
        #[prost(uint32, tag = "4")] pub deed: u32,
        #[prost(string, tag = "5")] pub text: String,
        #[prost(uint64, tag = "6")] pub noted_at: u64,
        /// The device that did it, if it may do that to its own messages only; else 0.
        #[prost(uint32, tag = "7")] pub only_of_device: u32,
    }

    /// Where a message is, by its id.
    IndexRecord in MessageIndex {
        #[prost(bytes = "vec", tag = "1")] pub conversation: Vec<u8>,
        #[prost(uint64, tag = "2")] pub order: u64,
        /// It was removed on an own device, or has disappeared, and does not come back.
        #[prost(bool, tag = "3")] pub gone: bool,
    }

    /// A page of envelopes already dealt with: the relay's names for them, 16 bytes each.
    SeenRecord in Seen {
        #[prost(bytes = "vec", tag = "1")] pub guids: Vec<u8>,
    }

    /// Something on its way out: `content` for the peer's devices, `transcript` for own other ones, both
    /// without binding; `bundle` is what has been sealed so far.
    OutboxRecord in Outbox {
        #[prost(bytes = "vec", tag = "1")] pub message_id: Vec<u8>,
        #[prost(bytes = "vec", tag = "2")] pub conversation: Vec<u8>,
        #[prost(bytes = "vec", tag = "3")] pub content: Vec<u8>,
        #[prost(bytes = "vec", tag = "4")] pub transcript: Vec<u8>,
        #[prost(uint64, tag = "5")] pub timestamp: u64,
        #[prost(bytes = "vec", tag = "6")] pub bundle: Vec<u8>,
        #[prost(bool, tag = "7")] pub sealed: bool,
        #[prost(uint32, tag = "8")] pub tries: u32,
        #[prost(uint32, tag = "9")] pub fetches: u32,
        /// Not 0: for this device of the conversation's account alone, a repeat or a retry request.
        #[prost(uint32, tag = "10")] pub only_device: u32,
        /// A retry request, in place of content.
        #[prost(bytes = "vec", tag = "11")] pub plaintext: Vec<u8>,
        /// The bundle's id, if it is not the message's.
        #[prost(bytes = "vec", tag = "12")] pub bundle_id: Vec<u8>,
        /// It is nothing that a person has written: nobody is woken by it.
        #[prost(bool, tag = "13")] pub is_quiet: bool,
        /// Not 0: it is of no use after this time, and only for devices that are connected.
        #[prost(uint64, tag = "14")] pub ends_at: u64,
        /// For one device alone, and yet sent again if that asks for it.
        #[prost(bool, tag = "60")] pub is_kept: bool,
        /// Which of the other person's staff were known to read when it was written: the epochs of their certificates.
        #[prost(uint32, repeated, tag = "61")] pub known_staff: Vec<u32>,
        /// It was written where one of the two wanted no staff.
        #[prost(bool, tag = "62")] pub without_staff: bool,
        /// Accounts whose part a plain Signal service has taken.
        #[prost(bytes = "vec", repeated, tag = "40")] pub accepted: Vec<Vec<u8>>,
    }

    /// What was sent and to which devices, for those that ask for it again.
    SentRecord in Sent {
        #[prost(bytes = "vec", tag = "1")] pub message_id: Vec<u8>,
        #[prost(bytes = "vec", tag = "3")] pub content: Vec<u8>,
        #[prost(bytes = "vec", tag = "4")] pub transcript: Vec<u8>,
        #[prost(message, repeated, tag = "5")] pub to: Vec<SentTo>,
    }

    /// In a [`SentRecord`]: a device, and how often it was sent again.
    SentTo in Sent {
        #[prost(bytes = "vec", tag = "1")] pub account: Vec<u8>,
        #[prost(uint32, tag = "2")] pub device: u32,
        #[prost(uint32, tag = "3")] pub resends: u32,
    }

    /// A message that could not be read and was asked for; its placeholder, if it has one.
    WaitingRecord in Waiting {
        #[prost(uint64, tag = "1")] pub asked_at: u64,
        #[prost(bytes = "vec", tag = "2")] pub placeholder: Vec<u8>,
    }

    /// What own devices agree on; its space and name are in its key.
    RegisterRecord in Registers {
        #[prost(uint64, tag = "1")] pub clock: u64,
        #[prost(bytes = "vec", tag = "2")] pub value: Vec<u8>,
        #[prost(bool, tag = "3")] pub removed: bool,
        /// When it came to be so on this device: what was removed is forgotten some time after that.
        #[prost(uint64, tag = "4")] pub stored_at: u64,
    }

    /// That own other devices have not been told of the register with this key; at [`key::UNTOLD_CONTACTS`],
    /// that one of them waits for the contacts.
    UntoldRecord in Untold {}

    /// How much a namespace of the application holds, removed things included.
    UsageRecord in Meta {
        #[prost(uint64, tag = "1")] pub bytes: u64,
        #[prost(uint64, tag = "2")] pub items: u64,
    }

    /// An envelope under an identity key that has not been accepted.
    HeldRecord in Held {
        #[prost(bytes = "vec", tag = "1")] pub envelope: Vec<u8>,
        #[prost(uint64, tag = "2")] pub held_at: u64,
    }
}

/// The kinds of own prekeys, as they stand in keys of [`Table::PreKeys`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum PreKeyKind {
    /// One-time EC.
    OneTime = 1,
    /// Signed EC.
    Signed = 2,
    /// One-time Kyber.
    KyberOneTime = 3,
    /// Last-resort Kyber.
    KyberLastResort = 4,
    /// Not a key, but that a last-resort one was used with a certain base key.
    UsedBaseKey = 5,
}
