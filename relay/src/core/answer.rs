//! What a request comes to: an answer with effects, or a failure that takes everything back.
//! How it travels is not known here.

use serde::Serialize;
use wire::body::Refusal;
use wire::{DecodeError, DeviceAddress};

use crate::store::StoreError;

/// An answer, and what is to happen once it is durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// What the body is.
    pub kind: BodyKind,
    /// Seconds, for `retry-after`.
    pub retry_after_s: Option<u64>,
    /// Maybe empty.
    pub body: Vec<u8>,
    /// For the server.
    pub effects: Vec<Effect>,
}

/// What the body of an answer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyKind {
    /// There is none.
    Empty,
    /// JSON.
    Json,
    /// Protobuf.
    Protobuf,
}

impl BodyKind {
    /// The value of `content-type`.
    #[must_use]
    pub const fn content_type(self) -> Option<&'static str> {
        match self {
            Self::Empty => None,
            Self::Json => Some("application/json"),
            Self::Protobuf => Some("application/x-protobuf"),
        }
    }
}

/// What the server does after a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Something new is in this mailbox.
    Wake(DeviceAddress),
    /// This device is no more: its socket closes with 4401.
    Removed(DeviceAddress),
    /// The link token of this identifier made a device.
    Linked(String),
    /// Something is new at a rendezvous, or at one of an account: see [`super::rendezvous::watched`].
    Rendezvous(String),
}

/// Why a request failed. What it wrote is taken back.
#[derive(Debug)]
pub enum Failure {
    /// Refused, with this answer.
    Refused(Answer),
    /// The store could not.
    Store(StoreError),
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<DecodeError> for Failure {
    fn from(error: DecodeError) -> Self {
        match error {
            DecodeError::TooLarge { .. } => refused(413),
            DecodeError::Protobuf
            | DecodeError::Json
            | DecodeError::Missing { .. }
            | DecodeError::Invalid { .. } => refused(422),
        }
    }
}

impl Answer {
    /// Without a body.
    #[must_use]
    pub const fn empty(status: u16) -> Self {
        Self {
            status,
            kind: BodyKind::Empty,
            retry_after_s: None,
            body: Vec::new(),
            effects: Vec::new(),
        }
    }

    pub(super) fn json(status: u16, value: &impl Serialize) -> Self {
        Self {
            kind: BodyKind::Json,
            body: wire::body::to_json(value),
            ..Self::empty(status)
        }
    }

    /// With a code, where the status alone leaves doubt.
    pub(crate) fn refusal(status: u16, code: &str) -> Self {
        let refusal = Refusal {
            code: code.to_owned(),
        };
        Self::json(status, &refusal)
    }

    pub(super) const fn protobuf(status: u16, body: Vec<u8>) -> Self {
        Self {
            status,
            kind: BodyKind::Protobuf,
            retry_after_s: None,
            body,
            effects: Vec::new(),
        }
    }

    pub(super) fn with(mut self, effects: impl IntoIterator<Item = Effect>) -> Self {
        self.effects.extend(effects);
        self
    }
}

pub(super) const fn refused(status: u16) -> Failure {
    Failure::Refused(Answer::empty(status))
}

pub(super) fn refused_as(status: u16, code: &str) -> Failure {
    Failure::Refused(Answer::refusal(status, code))
}

/// Refused for so long.
pub(super) fn refused_until(status: u16, code: &str, retry_after_s: u64) -> Failure {
    Failure::Refused(Answer {
        retry_after_s: Some(retry_after_s),
        ..Answer::refusal(status, code)
    })
}

pub(super) fn too_many_as(code: &str, retry_after_s: u64) -> Failure {
    refused_until(429, code, retry_after_s)
}

pub(super) fn too_many(retry_after_s: u64) -> Failure {
    Failure::Refused(Answer {
        retry_after_s: Some(retry_after_s),
        ..Answer::empty(429)
    })
}
