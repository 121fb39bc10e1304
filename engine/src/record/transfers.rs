//! Records of what is on its way between this device, the relay and other own devices.
//! What they mean is the business of `transfers` and `history`.

use prost::Message;
use wire::proto::service::AttachmentPointer;

use super::{Record, Table};

records! {
    /// An upload that has begun: of which file, and the plan that it goes on with.
    UploadRecord in Transfers {
        #[prost(string, tag = "1")] pub name: String,
        #[prost(uint64, tag = "2")] pub size: u64,
        #[prost(uint64, tag = "3")] pub modified: u64,
        #[prost(bytes = "vec", tag = "4")] pub plan: Vec<u8>,
        #[prost(uint64, tag = "5")] pub begun_at: u64,
    }

    /// What a person lets a device have that was approved: of which days (0: all) and conversations (none: all).
    ChosenRecord in Transfers {
        #[prost(bool, tag = "1")] pub is_none: bool,
        #[prost(uint32, tag = "2")] pub days: u32,
        #[prost(bytes = "vec", repeated, tag = "3")] pub conversations: Vec<Vec<u8>>,
        /// Own devices that were known then.
        #[prost(bytes = "vec", tag = "4")] pub known: Vec<u8>,
        #[prost(uint64, tag = "5")] pub at: u64,
    }

    /// History on its way to a device: how far it has been cut.
    CutRecord in Transfers {
        #[prost(bytes = "vec", tag = "1")] pub transfer: Vec<u8>,
        #[prost(uint64, tag = "2")] pub since: u64,
        #[prost(message, repeated, tag = "3")] pub conversations: Vec<CutConversation>,
        #[prost(bool, tag = "4")] pub is_second_round: bool,
        #[prost(uint32, tag = "5")] pub at: u32,
        #[prost(uint32, tag = "6")] pub index: u32,
        #[prost(uint64, tag = "7")] pub done: u64,
        #[prost(uint64, tag = "8")] pub total: u64,
        #[prost(bool, tag = "9")] pub is_over: bool,
        /// It is of all conversations from then on (0: all there is); none: of some alone.
        #[prost(uint64, optional, tag = "10")] pub whole_from: Option<u64>,
        /// Its messages are still being counted: in which conversation, before which message.
        #[prost(bool, tag = "11")] pub is_counting: bool,
        #[prost(uint32, tag = "12")] pub counting_at: u32,
        #[prost(bytes = "vec", tag = "13")] pub counting_before: Vec<u8>,
    }

    /// In a [`CutRecord`]: before which message of a conversation it goes on.
    CutConversation in Transfers {
        #[prost(bytes = "vec", tag = "1")] pub account: Vec<u8>,
        #[prost(bytes = "vec", tag = "2")] pub before: Vec<u8>,
        #[prost(uint32, tag = "3")] pub cut: u32,
        #[prost(bool, tag = "4")] pub has_head: bool,
        #[prost(bool, tag = "5")] pub is_over: bool,
    }

    /// A piece of history that another own device has told of.
    PieceRecord in Transfers {
        #[prost(uint32, tag = "1")] pub from: u32,
        #[prost(message, optional, tag = "2")] pub pointer: Option<AttachmentPointer>,
        #[prost(uint64, tag = "3")] pub done: u64,
        #[prost(uint64, tag = "4")] pub total: u64,
        #[prost(bool, tag = "5")] pub last: bool,
        /// As in a [`CutRecord`].
        #[prost(uint64, optional, tag = "6")] pub whole_from: Option<u64>,
    }

    /// Which pieces of a transfer have been merged.
    TakenRecord in Transfers {
        /// A bit for each.
        #[prost(bytes = "vec", tag = "1")] pub pieces: Vec<u8>,
        /// How many there are in all; 0: that is not known yet.
        #[prost(uint32, tag = "2")] pub count: u32,
        /// When one was last merged.
        #[prost(uint64, tag = "3")] pub at: u64,
    }
}
