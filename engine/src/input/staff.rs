//! Other people who read, or read and answer, for the person whose account it is.
//! What they may do is in their certificates; see `staff`.

use wire::DeviceId;

use super::Timestamp;

/// What is asked about other people's devices.
#[derive(Clone, PartialEq, Eq)]
pub enum StaffCommand {
    /// Link another person's browser. Answer: `Reply::Device`, once it is linked.
    Approve {
        /// Which shows this URI; none: the one of the present run.
        uri: Option<String>,
        /// What that person may do.
        grant: Grant,
    },
    /// Change what a person gets from now on. Answer: `Reply::Done`, once it is stored.
    Change {
        /// Their device.
        device: DeviceId,
        /// Only these; none: all. Whether it is all is in the certificate: one can't be made the other.
        conversations: Option<Vec<String>>,
        /// Until when; none: until it is removed.
        until: Option<Timestamp>,
    },
    /// Who has access to this account, or had. Answer: `Reply::Staff`, newest first.
    List,
}

/// What another person may do with an account.
#[derive(Clone, PartialEq, Eq)]
pub struct Grant {
    /// How the people who are written to will see that person called; at most 64 characters.
    pub label: String,
    /// Not only read, but answer.
    pub answers: bool,
    /// Also read what the person's own devices send.
    pub reads_sent: bool,
    /// Handles or account ids: only these conversations; none: all.
    pub conversations: Option<Vec<String>>,
    /// Until when; none: until it is removed.
    pub until: Option<Timestamp>,
}

/// Who that is, is not for logs.
impl std::fmt::Debug for StaffCommand {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Approve { .. } => "Approve",
            Self::Change { .. } => "Change",
            Self::List => "List",
        })
    }
}

impl std::fmt::Debug for Grant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Grant")
    }
}
