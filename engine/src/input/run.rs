//! What is asked of a run: linking a browser by digits, or by a code in their place.
//! Which device it is asked of, each says.

use wire::certificate::Role;

use super::HistoryChoice;

/// A step of a run that a person takes.
#[derive(Clone, PartialEq, Eq)]
pub enum RunCommand {
    /// On the new browser: the digits that the existing device shows. Answer: `Reply::Done`, if they are right.
    Confirm {
        /// As typed.
        digits: String,
    },
    /// On an existing device: waits until a browser asks. Answer: `Reply::LinkClaim`.
    Wait,
    /// On an existing device: the digits that the new browser shows. Answer: `Reply::Done`, if they are right.
    Enter {
        /// As typed.
        digits: String,
    },
    /// On an existing device: links it. Answer: `Reply::Device`, once it is linked.
    Approve {
        /// `Owner`: it gets the account's key. `Device`: it gets a certificate for the key that it has committed to.
        role: Role,
        /// What it gets of earlier messages.
        history: HistoryChoice,
    },
    /// On an existing device: waits for the digits that the person tells the new browser. Answer: `Reply::Digits`, empty
    /// if it needs none.
    Answer,
    /// On an existing device: ends it, or the waiting. Answer: `Reply::Done`.
    Reject,
}

impl RunCommand {
    /// Whether it is asked on the browser that is to be linked.
    pub(crate) const fn is_of_new_device(&self) -> bool {
        match self {
            Self::Confirm { .. } => true,
            Self::Wait
            | Self::Enter { .. }
            | Self::Approve { .. }
            | Self::Answer
            | Self::Reject => false,
        }
    }

    /// Whether it waits for a connection.
    pub(crate) const fn needs_relay(&self) -> bool {
        match self {
            Self::Wait | Self::Approve { .. } => true,
            Self::Confirm { .. } | Self::Enter { .. } | Self::Answer | Self::Reject => false,
        }
    }
}

/// Names the step; digits are not for logs.
impl std::fmt::Debug for RunCommand {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Confirm { .. } => "Confirm",
            Self::Wait => "Wait",
            Self::Enter { .. } => "Enter",
            Self::Approve { .. } => "Approve",
            Self::Answer => "Answer",
            Self::Reject => "Reject",
        })
    }
}
