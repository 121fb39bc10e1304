//! What the host needs to carry files between a device and the relay.
//! It says nothing of how far they are.

use crate::attachment::{Plan, Pointer};

/// An answer about files on their way.
#[derive(Clone, PartialEq, Eq)]
pub enum TransferReply {
    /// What an upload is made of, or goes on with.
    Upload {
        /// All that determines it, but the file.
        plan: Plan,
        /// The `authorization` header. It is a secret.
        authorization: String,
        /// It was begun before.
        is_known: bool,
    },
    /// What a file is fetched and read with.
    Attachment(Box<Pointer>),
    /// A piece of a file of history.
    Piece {
        /// It, not encrypted. Nothing, as long as messages are counted.
        content: Vec<u8>,
        /// With what the next one is asked for; none: that was the last.
        next: Option<Vec<u8>>,
        /// Messages in pieces up to and with this one.
        done: u64,
        /// In all.
        total: u64,
    },
    /// Where a piece stands.
    Place(Place),
}

/// Where a piece stands in its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The same in all pieces of a file, and in no other one.
    pub transfer: Vec<u8>,
    /// From 0.
    pub index: u32,
    /// No other one follows.
    pub last: bool,
    /// Messages in pieces up to and with this one.
    pub done: u64,
    /// In all.
    pub total: u64,
}

/// There are keys in it.
impl std::fmt::Debug for TransferReply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Upload { .. } => "Upload",
            Self::Attachment(_) => "Attachment",
            Self::Piece { .. } => "Piece",
            Self::Place(_) => "Place",
        })
    }
}
