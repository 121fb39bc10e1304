//! Refusals about linking by digits, with their codes and sentences.
//! What the digits protect from is not known here.

use std::fmt;

/// Why a run did not go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunRefusal {
    /// Nothing is shared before the digits were typed.
    DigitsMissing,
    /// Other digits than the other device shows.
    DigitsWrong {
        /// So many tries are left.
        left: u32,
    },
    /// It has ended, and nothing was shared.
    Over,
    /// Devices were linked, or tried to be, too often.
    TooMany,
}

impl RunRefusal {
    /// The code an application may rely on.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::DigitsMissing => "link_digits_missing",
            Self::DigitsWrong { .. } => "link_digits_wrong",
            Self::Over => "link_over",
            Self::TooMany => "link_runs_too_many",
        }
    }

    /// Whether the same call may succeed later without the person changing anything.
    #[must_use]
    pub const fn retry(self) -> bool {
        match self {
            Self::TooMany => true,
            Self::DigitsMissing | Self::DigitsWrong { .. } | Self::Over => false,
        }
    }
}

/// A sentence a person can act on.
impl fmt::Display for RunRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::DigitsMissing => "Type the digits that the other device shows first.",
            Self::DigitsWrong { left: 1 } => {
                return f.write_str("The other device shows other digits. You have one try left.");
            }
            Self::DigitsWrong { left } => {
                return write!(
                    f,
                    "The other device shows other digits. You have {left} tries left."
                );
            }
            Self::Over => "Linking has ended. Nothing was shared; start again on the new device.",
            Self::TooMany => "That was tried too often. Wait a quarter of an hour.",
        })
    }
}
