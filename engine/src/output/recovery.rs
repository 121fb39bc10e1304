//! Coming back to an account when its devices are gone, as applications see it.
//! It does not know what a recovery code opens.

use wire::DeviceId;

use crate::input::Timestamp;

/// An answer about recovery.
#[derive(Clone, PartialEq, Eq)]
pub enum RecoveryReply {
    /// Twelve words, with a space between two: shown once, kept nowhere.
    Words(String),
    /// Whether there is a code.
    Status(RecoveryStatus),
}

/// Words are not for logs.
impl std::fmt::Debug for RecoveryReply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Words(_) => f.write_str("Words"),
            Self::Status(status) => write!(f, "{status:?}"),
        }
    }
}

/// Whether there is a recovery code, and who used one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecoveryStatus {
    /// Whether it would work.
    pub state: RecoveryState,
    /// When it was made.
    pub since: Option<Timestamp>,
    /// The device that came by a code last.
    pub recovered: Option<Recovered>,
}

/// Whether a recovery code would work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecoveryState {
    /// There is none.
    None,
    /// The relay has what it opens.
    Ready,
    /// One was made, and the relay has not got what it opens: a new one is to be made.
    Lost,
}

/// A device that came by a recovery code.
#[derive(Clone, PartialEq, Eq)]
pub struct Recovered {
    /// Which.
    pub device: DeviceId,
    /// What the person called it.
    pub name: String,
    /// When.
    pub at: Timestamp,
}

impl std::fmt::Debug for Recovered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Recovered({})", self.device)
    }
}
