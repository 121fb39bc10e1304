//! What is asked about the keys that two people compare.
//! Whether a key counts as verified is a [`super::Setting`].

/// What an application wants to know of keys.
#[derive(Clone, PartialEq, Eq)]
pub enum SafetyCommand {
    /// Answer: `SafetyReply::Number`.
    Number {
        /// A handle or an account id.
        account: String,
    },
    /// Answer: `SafetyReply::Compared`.
    Compare {
        /// A handle or an account id.
        account: String,
        /// What was read from the other person's screen.
        scanned: Vec<u8>,
    },
    /// Answer: `SafetyReply::Fingerprint`, of one's own account key.
    Fingerprint,
    /// Answer: `SafetyReply::Compared`.
    CompareFingerprint {
        /// A handle or an account id.
        account: String,
        /// As typed or pasted.
        text: String,
    },
}

/// Who is compared is not for logs.
impl std::fmt::Debug for SafetyCommand {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Number { .. } => "Number",
            Self::Compare { .. } => "Compare",
            Self::Fingerprint => "Fingerprint",
            Self::CompareFingerprint { .. } => "CompareFingerprint",
        })
    }
}
