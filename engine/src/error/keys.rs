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
}

impl KeyRefusal {
    /// The code an application may rely on.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::SafetyCodeMalformed => "safety_code_malformed",
            Self::FingerprintMalformed => "fingerprint_malformed",
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
        })
    }
}
