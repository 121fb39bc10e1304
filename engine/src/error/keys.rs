//! Refusals about keys that people compare, with their codes and sentences.
//! Whether a key is the right one is no error, but what comparing has shown.

use std::fmt;

/// Why something about keys was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyRefusal {
    /// What was scanned is no safety number, or one of another version.
    SafetyCodeMalformed,
    /// What was typed is no fingerprint.
    FingerprintMalformed,
    /// A word of a recovery code is none of the list.
    RecoveryWordUnknown {
        /// Which, from 1.
        position: u8,
    },
    /// A recovery code has another number of words.
    RecoveryWordCount {
        /// So many were typed.
        found: usize,
    },
    /// The words are of the list, but at least one is not the right one, or they are not in order.
    RecoveryChecksum,
    /// The words are a recovery code, but not this account's present one.
    RecoveryRefused,
    /// The account has no recovery code.
    RecoveryNone,
    /// An account is not begun anew while its devices may still be in use.
    DevicesActive,
}

impl KeyRefusal {
    /// The code an application may rely on.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::SafetyCodeMalformed => "safety_code_malformed",
            Self::FingerprintMalformed => "fingerprint_malformed",
            Self::RecoveryWordUnknown { .. } => "recovery_word_unknown",
            Self::RecoveryWordCount { .. } => "recovery_words_incomplete",
            Self::RecoveryChecksum => "recovery_checksum",
            Self::RecoveryRefused => "recovery_refused",
            Self::RecoveryNone => "recovery_none",
            Self::DevicesActive => "devices_active",
        }
    }
}

/// A sentence a person can act on.
impl fmt::Display for KeyRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SafetyCodeMalformed => {
                "This is not a safety number. Scan the code beside the digits."
            }
            Self::FingerprintMalformed => "A fingerprint has 30 digits. Copy all of it.",
            Self::RecoveryWordUnknown { position } => {
                return write!(f, "Word {position} is not in the list. Check its spelling.");
            }
            Self::RecoveryWordCount { found } => {
                return write!(f, "A recovery code has 12 words. These are {found}.");
            }
            Self::RecoveryChecksum => {
                "These words do not belong together. Check each of them, and their order."
            }
            Self::RecoveryRefused => {
                "This is not the recovery code of this account. If a newer one was made, use that."
            }
            Self::RecoveryNone => "There is no recovery code for this account.",
            Self::DevicesActive => {
                "A device of this account was in use lately. Try again two days after the last use."
            }
        })
    }
}
