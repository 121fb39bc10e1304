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
}

/// There are keys in it.
impl std::fmt::Debug for TransferReply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Upload { .. } => "Upload",
            Self::Attachment(_) => "Attachment",
        })
    }
}
