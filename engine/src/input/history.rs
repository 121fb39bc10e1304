//! History between a person's devices: what is wanted of it, and what the host says of the blobs that it moves.
//! What is in them it does not know.

use wire::DeviceId;

/// What an application wants with history.
#[derive(Clone, PartialEq, Eq)]
pub enum HistoryCommand {
    /// Before the device that shows this URI is approved: what it will get. Answer: `Reply::Done`, once it is stored.
    Choose {
        /// As scanned or pasted.
        uri: String,
        /// What.
        choice: HistoryChoice,
    },
    /// The next piece of a file of history. Answer: `TransferReply::Piece`.
    Cut {
        /// What the piece before came with; none for the first.
        from: Option<Vec<u8>>,
    },
    /// Look whether all of a piece may be taken over. Changes nothing. Answer: `TransferReply::Place`.
    Check {
        /// The piece.
        content: Vec<u8>,
    },
    /// Take a piece over. Answer: `Reply::Done`, once all of it is stored.
    Take {
        /// The piece.
        content: Vec<u8>,
    },
    /// Send history to another own device, from its beginning. Answer: `Reply::Done`, once it is stored.
    Send {
        /// Which.
        device: DeviceId,
        /// What.
        choice: HistoryChoice,
    },
}

/// How much of the messages from before.
#[derive(Clone, PartialEq, Eq)]
pub enum HistoryChoice {
    /// Nothing.
    None,
    /// Some, or all.
    Some {
        /// Of so many days; without it, all.
        days: Option<u32>,
        /// Of these conversations, by handle or account id; without it, all.
        conversations: Option<Vec<String>>,
    },
}

impl HistoryChoice {
    /// Whether nothing is to be sent. A list without any conversation is not all of them.
    pub(crate) fn is_nothing(&self) -> bool {
        match self {
            Self::None => true,
            Self::Some { conversations, .. } => conversations.as_ref().is_some_and(Vec::is_empty),
        }
    }
}

/// Names a `PutBlob` or `GetBlob`. Chosen by the engine; never used twice by one engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BlobTask(pub u32);

/// How moving a blob ended.
#[derive(Clone, PartialEq, Eq)]
pub enum BlobEnd {
    /// It is at the relay, durable, with this digest; or why not.
    Put(Result<[u8; 32], BlobFault>),
    /// Its content, proven right; or why not.
    Got(Result<Vec<u8>, BlobFault>),
}

/// Why a blob was not moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlobFault {
    /// Not now: no network, or enough for today.
    Later {
        /// Seconds until it may be tried again, if the relay named a time.
        after_s: u64,
    },
    /// The relay does not have it.
    Gone,
    /// It is not what it should be.
    Damaged,
    /// Something that nobody expects of a relay.
    Refused,
}

/// Whom a person writes with is not for logs.
impl std::fmt::Debug for HistoryCommand {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Choose { .. } => "Choose",
            Self::Cut { .. } => "Cut",
            Self::Check { .. } => "Check",
            Self::Take { .. } => "Take",
            Self::Send { .. } => "Send",
        })
    }
}

impl std::fmt::Debug for HistoryChoice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("HistoryChoice")
    }
}

impl std::fmt::Debug for BlobEnd {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (name, fault) = match self {
            Self::Put(result) => ("Put", result.as_ref().err()),
            Self::Got(result) => ("Got", result.as_ref().err()),
        };
        write!(f, "{name}({fault:?})")
    }
}
