//! The stored form of everything: a version byte, then protobuf.
//!
//! Field numbers and the version are promises: a record written by a released version loads for ever.
//! Unknown fields of a newer minor version are lost on rewrite, so such a version raises the version byte.
//! What the fields mean is the business of the module that owns the record.

use prost::Message;
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

records! {
    /// Who this device is. One record, at [`key::ACCOUNT`]; before the relay has agreed to it, at
    /// [`key::PENDING`].
    AccountRecord in Meta {
        #[prost(bytes = "vec", tag = "1")] pub account: Vec<u8>,
        #[prost(uint32, tag = "2")] pub device: u32,
        #[prost(uint32, tag = "3")] pub registration_id: u32,
        #[prost(string, tag = "4")] pub password: String,
        #[prost(bytes = "vec", tag = "5")] pub identity: Vec<u8>,
        #[prost(string, tag = "6")] pub handle: String,
        #[prost(string, tag = "7")] pub device_name: String,
        #[prost(bytes = "vec", tag = "8")] pub profile_key: Vec<u8>,
        #[prost(bool, tag = "9")] pub unlinked: bool,
        #[prost(string, optional, tag = "10")] pub link_token: Option<String>,
        #[prost(string, optional, tag = "11")] pub credential: Option<String>,
        #[prost(uint32, tag = "12")] pub signed_pre_key: u32,
        #[prost(uint32, tag = "13")] pub last_resort_key: u32,
        #[prost(bool, tag = "14")] pub wants_contacts: bool,
        /// When the published signed and last-resort keys were made.
        #[prost(uint64, tag = "15")] pub keys_at: u64,
        /// Their successors, made and perhaps uploaded, but not confirmed; 0: none.
        #[prost(uint32, tag = "16")] pub next_signed_pre_key: u32,
        #[prost(uint32, tag = "17")] pub next_last_resort_key: u32,
        #[prost(uint64, tag = "18")] pub next_keys_at: u64,
        #[prost(uint32, tag = "40")] pub service: u32,
        #[prost(message, optional, tag = "41")] pub phone: Option<PhoneRecord>,
    }

    /// The phone-number identity in an [`AccountRecord`] of a plain Signal service.
    PhoneRecord in Meta {
        #[prost(bytes = "vec", tag = "1")] pub identity: Vec<u8>,
        #[prost(uint32, tag = "2")] pub registration_id: u32,
        #[prost(uint32, tag = "3")] pub signed_pre_key: u32,
        #[prost(uint32, tag = "4")] pub last_resort_key: u32,
        #[prost(bool, tag = "5")] pub published: bool,
    }

    /// Counters. One record, at [`key::CLOCK`].
    ClockRecord in Meta {
        #[prost(uint64, tag = "1")] pub last_sent: u64,
        #[prost(uint64, tag = "2")] pub highest_seen: u64,
        #[prost(uint64, tag = "3")] pub next_outbox: u64,
        #[prost(uint32, tag = "4")] pub next_key: u32,
        #[prost(uint32, tag = "5")] pub drains: u32,
        /// When the daily upkeep was last done.
        #[prost(uint64, tag = "6")] pub upkeep_at: u64,
        /// Envelopes are coming, and not all that waited have been dealt with.
        #[prost(bool, tag = "7")] pub draining: bool,
    }

    /// The envelope that is being tried with care, at [`key::ATTEMPT`].
    AttemptRecord in Meta {
        #[prost(bytes = "vec", tag = "1")] pub guid: Vec<u8>,
        #[prost(uint32, tag = "2")] pub attempts: u32,
    }

    /// What libsignal needs to know of an account, and its devices.
    PeerRecord in Peers {
        #[prost(bytes = "vec", tag = "1")] pub identity: Vec<u8>,
        #[prost(message, repeated, tag = "2")] pub devices: Vec<PeerDevice>,
        #[prost(bool, tag = "3")] pub listed: bool,
        /// Another identity key that the account has come with, and that the person has not accepted.
        #[prost(bytes = "vec", tag = "4")] pub new_identity: Vec<u8>,
    }

    /// One incarnation of a device in a [`PeerRecord`]; its registration id is its epoch, 0 while that is not
    /// known. At most one of a device number is current; stale ones (`stale_since` is not 0) are gone, kept
    /// for late messages.
    PeerDevice in Peers {
        #[prost(uint32, tag = "1")] pub device: u32,
        #[prost(uint32, tag = "2")] pub registration_id: u32,
        #[prost(uint64, tag = "3")] pub stale_since: u64,
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
    }

    /// A conversation: its newest message, its read mark.
    ConversationRecord in Conversations {
        #[prost(uint64, tag = "1")] pub last_order: u64,
        #[prost(bytes = "vec", tag = "2")] pub last_id: Vec<u8>,
        #[prost(uint64, tag = "3")] pub read_order: u64,
        #[prost(bytes = "vec", tag = "4")] pub read_id: Vec<u8>,
        #[prost(uint32, tag = "5")] pub unread: u32,
        #[prost(uint64, tag = "6")] pub updated_at: u64,
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
    }

    /// Where a message is, by its id.
    IndexRecord in MessageIndex {
        #[prost(bytes = "vec", tag = "1")] pub conversation: Vec<u8>,
        #[prost(uint64, tag = "2")] pub order: u64,
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
        /// Accounts whose part a plain Signal service has taken.
        #[prost(bytes = "vec", repeated, tag = "40")] pub accepted: Vec<Vec<u8>>,
    }

    /// What was sent and to which devices, for those that ask for it again.
    SentRecord in Sent {
        #[prost(bytes = "vec", tag = "1")] pub message_id: Vec<u8>,
        #[prost(bytes = "vec", tag = "2")] pub conversation: Vec<u8>,
        #[prost(bytes = "vec", tag = "3")] pub content: Vec<u8>,
        #[prost(bytes = "vec", tag = "4")] pub transcript: Vec<u8>,
        #[prost(message, repeated, tag = "5")] pub to: Vec<SentTo>,
        #[prost(uint64, tag = "6")] pub sent_at: u64,
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
        #[prost(uint64, tag = "3")] pub order: u64,
    }

    /// An envelope under an identity key that has not been accepted.
    HeldRecord in Held {
        #[prost(bytes = "vec", tag = "1")] pub envelope: Vec<u8>,
        #[prost(uint64, tag = "2")] pub held_at: u64,
    }
}

/// Keys of records.
pub(crate) mod key {
    use super::{AccountId, DeviceId, MessageId};
    use wire::DeviceAddress;

    pub(crate) const ACCOUNT: &[u8] = b"account";
    pub(crate) const PENDING: &[u8] = b"pending";
    pub(crate) const CLOCK: &[u8] = b"clock";
    pub(crate) const ATTEMPT: &[u8] = b"attempt";

    /// The account of a handle, in Meta.
    pub(crate) fn handle(handle: &wire::Handle) -> Vec<u8> {
        [b"handle/", handle.as_str().as_bytes()].concat()
    }

    /// Sessions: account, device.
    pub(crate) fn session(address: DeviceAddress) -> Vec<u8> {
        [
            address.account.as_bytes().as_slice(),
            &[address.device.get()],
        ]
        .concat()
    }

    /// The device of a key of sessions.
    pub(crate) fn split_session(bytes: &[u8]) -> Option<DeviceAddress> {
        let (account, number) = bytes.split_first_chunk::<16>()?;
        let [number] = number else { return None };
        Some(DeviceAddress {
            account: AccountId::from_bytes(*account),
            device: device(u32::from(*number))?,
        })
    }

    /// Messages: conversation, order, id. In this order a conversation is read.
    pub(crate) fn message(conversation: AccountId, order: u64, id: MessageId) -> Vec<u8> {
        [
            conversation.as_bytes().as_slice(),
            &order.to_be_bytes(),
            id.as_bytes(),
        ]
        .concat()
    }

    /// Seen envelopes: how often the mailbox had been empty before, number of the page.
    pub(crate) fn seen(generation: u32, page: u32) -> Vec<u8> {
        [generation.to_be_bytes(), page.to_be_bytes()].concat()
    }

    /// Generation and page of a key of seen envelopes.
    pub(crate) fn split_seen(bytes: &[u8]) -> Option<(u32, u32)> {
        let (generation, page) = bytes.split_first_chunk::<4>()?;
        let page = page.try_into().ok()?;
        Some((u32::from_be_bytes(*generation), u32::from_be_bytes(page)))
    }

    /// Where message ids of this time begin.
    pub(crate) const fn index_at(time: u64) -> [u8; 6] {
        let [_, _, time @ ..] = time.to_be_bytes();
        time
    }

    /// Outbox: sequence number.
    pub(crate) fn outbox(seq: u64) -> Vec<u8> {
        seq.to_be_bytes().to_vec()
    }

    /// Sent things: their time, which no two share.
    pub(crate) fn sent(timestamp: u64) -> Vec<u8> {
        timestamp.to_be_bytes().to_vec()
    }

    /// What is waited for: sending device, time.
    pub(crate) fn waiting(from: DeviceAddress, timestamp: u64) -> Vec<u8> {
        [session(from).as_slice(), &timestamp.to_be_bytes()].concat()
    }

    /// Held envelopes: account, the relay's time, its name for the envelope. In this order they came.
    pub(crate) fn held(account: AccountId, timestamp: u64, guid: [u8; 16]) -> Vec<u8> {
        [
            account.as_bytes().as_slice(),
            &timestamp.to_be_bytes(),
            &guid,
        ]
        .concat()
    }

    /// The first key after all that begin with `prefix`.
    pub(crate) fn after(prefix: &[u8]) -> Option<Vec<u8>> {
        let mut key = prefix.to_vec();
        while let Some(last) = key.pop() {
            if last < u8::MAX {
                key.push(last + 1);
                return Some(key);
            }
        }
        None
    }

    /// Conversation, order and id of a message's key.
    pub(crate) fn split_message(bytes: &[u8]) -> Option<(AccountId, u64, MessageId)> {
        let (conversation, rest) = bytes.split_first_chunk::<16>()?;
        let (order, id) = rest.split_first_chunk::<8>()?;
        let id = MessageId::from_slice(id).ok()?;
        Some((
            AccountId::from_bytes(*conversation),
            u64::from_be_bytes(*order),
            id,
        ))
    }

    /// Prekeys: kind, id.
    pub(crate) fn pre_key(kind: super::PreKeyKind, id: u32) -> Vec<u8> {
        [&[kind as u8][..], &id.to_be_bytes()].concat()
    }

    /// A last-resort key that has made a session with this base key: key, base key.
    pub(crate) fn used_base_key(id: u32, base_key: &[u8]) -> Vec<u8> {
        [&pre_key(super::PreKeyKind::UsedBaseKey, id), base_key].concat()
    }

    /// The id in the key of a prekey.
    pub(crate) fn pre_key_id(bytes: &[u8]) -> Option<u32> {
        let id = bytes.get(1..5)?;
        Some(u32::from_be_bytes(id.try_into().ok()?))
    }

    /// The device of a stored number.
    pub(crate) fn device(number: u32) -> Option<DeviceId> {
        DeviceId::try_from(number).ok()
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
