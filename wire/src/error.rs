//! Why bytes or text were refused.
//! One enum for all decoders here: a caller never does more than refuse and count.

use std::fmt;

/// What was wrong with the input. Never carries the input itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DecodeError {
    /// Not a protobuf message of the expected type.
    Protobuf,
    /// Not JSON of the expected shape.
    Json,
    /// A field that must be there is not.
    Missing {
        /// Its name in the protocol.
        field: &'static str,
    },
    /// A field holds a value outside its range, length or alphabet.
    Invalid {
        /// Its name in the protocol.
        field: &'static str,
    },
    /// More than the limit for this kind of input.
    TooLarge {
        /// What was too large.
        what: &'static str,
        /// The limit: bytes, or entries of a list.
        limit: usize,
    },
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Protobuf => f.write_str("not the expected protobuf message"),
            Self::Json => f.write_str("not the expected JSON"),
            Self::Missing { field } => write!(f, "{field} is missing"),
            Self::Invalid { field } => write!(f, "{field} is invalid"),
            Self::TooLarge { what, limit } => write!(f, "{what} is over the limit of {limit}"),
        }
    }
}

impl std::error::Error for DecodeError {}

impl From<prost::DecodeError> for DecodeError {
    fn from(_: prost::DecodeError) -> Self {
        Self::Protobuf
    }
}

impl From<serde_json::Error> for DecodeError {
    fn from(_: serde_json::Error) -> Self {
        Self::Json
    }
}
