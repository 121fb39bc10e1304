//! Records of who this device is, and of how far it is.
//! What they mean is the business of `account`, `phone` and `fence`.

use prost::Message;

use super::{Record, Table};

records! {
    /// Who this device is. One record, at [`super::key::ACCOUNT`]; before the relay has agreed to it, at
    /// [`super::key::PENDING`].
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
        /// Why it is no device any more, as in `output::Unlinked`.
        #[prost(uint32, tag = "20")] pub unlinked_why: u32,
        #[prost(uint32, tag = "40")] pub service: u32,
        /// Messages from before are not this device's to have: it was linked then, without a history. 0: it has all;
        /// none: it was not kept yet.
        #[prost(uint64, optional, tag = "50")] pub history_from: Option<u64>,
        #[prost(message, optional, tag = "41")] pub phone: Option<PhoneRecord>,
        /// The account's identity key, if `identity` is this device's own.
        #[prost(bytes = "vec", tag = "80")] pub account_key: Vec<u8>,
        /// Then also the certificate, with both signatures.
        #[prost(bytes = "vec", tag = "81")] pub certificate: Vec<u8>,
        /// A device of another person: how it is called, and what binds that to the certificate.
        #[prost(string, tag = "82")] pub staff_label: String,
        #[prost(bytes = "vec", tag = "83")] pub staff_salt: Vec<u8>,
        /// A pending device that comes by a recovery code: SHA-256 of the sealed key that it has opened; else empty.
        #[prost(bytes = "vec", tag = "70")] pub recovery: Vec<u8>,
    }

    /// The phone-number identity in an [`AccountRecord`] of a plain Signal service.
    PhoneRecord in Meta {
        #[prost(bytes = "vec", tag = "1")] pub identity: Vec<u8>,
        #[prost(uint32, tag = "2")] pub registration_id: u32,
        #[prost(uint32, tag = "3")] pub signed_pre_key: u32,
        #[prost(uint32, tag = "4")] pub last_resort_key: u32,
        #[prost(bool, tag = "5")] pub published: bool,
    }

    /// Counters. One record, at [`super::key::CLOCK`].
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
        /// The number of the next signed or last-resort key within its day.
        #[prost(uint32, tag = "8")] pub dated_keys: u32,
        /// What the fence compares: sign-ins, sealed bundles, envelopes that came.
        #[prost(uint64, tag = "20")] pub sign_ins: u64,
        #[prost(uint64, tag = "21")] pub seals: u64,
        #[prost(uint64, tag = "22")] pub received: u64,
        /// Acts of others that were refused: malformed, too late, or on a message that is not theirs.
        #[prost(uint64, tag = "30")] pub refused_acts: u64,
        /// When this device was last seen to be online, to the day.
        #[prost(uint64, tag = "31")] pub online_at: u64,
    }
}

impl AccountRecord {
    /// While it is pending: whether it is to be an account's first device, and does not join one.
    pub(crate) const fn is_registration(&self) -> bool {
        self.link_token.is_none() && self.recovery.is_empty()
    }
}
