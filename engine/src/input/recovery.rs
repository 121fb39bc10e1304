//! What is asked about coming back to an account when its devices are gone.
//! How long words are kept is the person's business: here they are gone with the answer.

/// What an application wants of recovery.
#[derive(Clone, PartialEq, Eq)]
pub enum RecoveryCommand {
    /// Make a recovery code, which ends the one before. Answer: `RecoveryReply::Words`, once the relay has what they open.
    Make,
    /// Whether there is one. Answer: `RecoveryReply::Status`.
    Status,
    /// Become a device of an account by its recovery code. Answer: `Reply::Account`.
    Recover {
        /// As typed.
        handle: String,
        /// The platform's token, if it wants one.
        credential: Option<String>,
        /// As typed.
        words: String,
        /// As typed.
        device_name: String,
    },
    /// Begin the account of a handle anew, with another key that everybody sees. Answer: `Reply::Account`.
    Anew {
        /// As typed.
        handle: String,
        /// The platform's token: without one it is refused.
        credential: Option<String>,
        /// As typed.
        device_name: String,
    },
}

/// Words and tokens are not for logs.
impl std::fmt::Debug for RecoveryCommand {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Make => "Make",
            Self::Status => "Status",
            Self::Recover { .. } => "Recover",
            Self::Anew { .. } => "Anew",
        })
    }
}
