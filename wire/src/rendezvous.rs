//! Where a browser that is to be linked and a device of the account meet (ours): five requests under `/v1/rendezvous`.
//!
//! The browser opens a rendezvous of an account; a device of that account looks for one when its person wants it to. Both
//! put numbered messages and get those of the other side. What the messages mean is not known here.

use std::fmt;

use prost::Message;

use crate::limits::{CREDENTIAL_MAX, RENDEZVOUS_MESSAGE_MAX};
use crate::proto::linking as proto;
use crate::{DecodeError, Handle};

/// What may be asked of a rendezvous.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rendezvous {
    /// `PUT /v1/rendezvous`: a browser opens one.
    Open,
    /// `GET /v1/rendezvous?at=&timeout=`: a device looks for one. 200 or 204.
    Look {
        /// Only the one with this id, which a code has told.
        at: Option<String>,
        /// Seconds to hold the request.
        timeout_s: u32,
    },
    /// `PUT /v1/rendezvous/{at}/{index}`: the next own message. The same one again is taken again.
    Put {
        /// The browser's address, or the id of the rendezvous.
        at: String,
        /// How many own ones were before it.
        index: u8,
    },
    /// `GET /v1/rendezvous/{at}/{index}?timeout=`: a message of the other side. 200 or 204.
    Get {
        /// The browser's address, or the id of the rendezvous.
        at: String,
        /// How many of theirs were before it.
        index: u8,
        /// Seconds to hold the request.
        timeout_s: u32,
    },
    /// `DELETE /v1/rendezvous/{at}`: it is over.
    End {
        /// The browser's address, or the id of the rendezvous.
        at: String,
    },
}

impl Rendezvous {
    /// From what follows `/v1/rendezvous`; `value` finds a value of the query.
    pub(crate) fn parse<'a>(
        verb: &str,
        rest: &[&str],
        value: impl Fn(&str) -> Option<&'a str>,
    ) -> Option<Self> {
        let timeout_s = || value("timeout").map_or(Some(0), |t| t.parse().ok());
        Some(match (verb, rest) {
            ("PUT", []) => Self::Open,
            ("GET", []) => Self::Look {
                at: match value("at") {
                    Some(at) => Some(id(at)?),
                    None => None,
                },
                timeout_s: timeout_s()?,
            },
            ("PUT", [at, index]) => Self::Put {
                at: id(at)?,
                index: number(index)?,
            },
            ("GET", [at, index]) => Self::Get {
                at: id(at)?,
                index: number(index)?,
                timeout_s: timeout_s()?,
            },
            ("DELETE", [at]) => Self::End { at: id(at)? },
            _ => return None,
        })
    }

    /// The verb of this request.
    #[must_use]
    pub const fn verb(&self) -> &'static str {
        match self {
            Self::Open | Self::Put { .. } => "PUT",
            Self::Look { .. } | Self::Get { .. } => "GET",
            Self::End { .. } => "DELETE",
        }
    }

    /// How long the request may be held, in seconds; `None` if it is answered at once.
    #[must_use]
    pub const fn timeout_s(&self) -> Option<u32> {
        match self {
            Self::Look { timeout_s, .. } | Self::Get { timeout_s, .. } => Some(*timeout_s),
            Self::Open | Self::Put { .. } | Self::End { .. } => None,
        }
    }
}

impl fmt::Display for Rendezvous {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("/v1/rendezvous")?;
        match self {
            Self::Open => Ok(()),
            Self::Look {
                at: None,
                timeout_s,
            } => write!(f, "?timeout={timeout_s}"),
            Self::Look {
                at: Some(at),
                timeout_s,
            } => write!(f, "?at={at}&timeout={timeout_s}"),
            Self::Put { at, index } => write!(f, "/{at}/{index}"),
            Self::Get {
                at,
                index,
                timeout_s,
            } => write!(f, "/{at}/{index}?timeout={timeout_s}"),
            Self::End { at } => write!(f, "/{at}"),
        }
    }
}

/// 32 hex digits, in lower case.
fn id(text: &str) -> Option<String> {
    let of_hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    (text.len() == 32 && text.bytes().all(of_hex)).then(|| text.to_owned())
}

/// Written in one way only.
fn number(text: &str) -> Option<u8> {
    text.parse().ok().filter(|n: &u8| n.to_string() == text)
}

/// The id of a rendezvous, as it stands in a path.
#[must_use]
pub fn name(rendezvous: &[u8; 16]) -> String {
    rendezvous
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// The body of `PUT /v1/rendezvous`.
#[derive(Clone, PartialEq, Eq)]
pub struct Open {
    /// Drawn by the browser.
    pub rendezvous: [u8; 16],
    /// Whose device it is to be, if the credential does not say it.
    pub handle: Option<Handle>,
    /// The platform's token, if it wants one.
    pub credential: Option<String>,
    /// Opaque.
    pub message: Vec<u8>,
}

impl fmt::Debug for Open {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Open")
    }
}

impl Open {
    /// As sent.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let Self {
            rendezvous,
            handle,
            credential,
            message,
        } = self.clone();
        proto::RendezvousOpen {
            rendezvous: rendezvous.to_vec(),
            handle: handle.map(|handle| handle.to_string()).unwrap_or_default(),
            credential: credential.unwrap_or_default(),
            message,
        }
        .encode_to_vec()
    }

    /// As received.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let proto::RendezvousOpen {
            rendezvous,
            handle,
            credential,
            message,
        } = proto::RendezvousOpen::decode(bytes).map_err(|_| DecodeError::Protobuf)?;
        let invalid = |field| DecodeError::Invalid { field };
        if message.is_empty() || message.len() > RENDEZVOUS_MESSAGE_MAX {
            return Err(invalid("message"));
        }
        if credential.len() > CREDENTIAL_MAX {
            return Err(invalid("credential"));
        }
        let some = |text: String| Some(text).filter(|text| !text.is_empty());
        let handle = some(handle).map(|handle| handle.parse());
        Ok(Self {
            rendezvous: rendezvous.try_into().map_err(|_| invalid("rendezvous"))?,
            handle: handle.transpose().map_err(|_| invalid("handle"))?,
            credential: some(credential),
            message,
        })
    }
}

/// What a device finds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Drawn by the browser.
    pub rendezvous: [u8; 16],
    /// Whom the browser's credential names, if that is another account.
    pub claimed: Option<Handle>,
    /// Opaque.
    pub message: Vec<u8>,
}

impl Waiting {
    /// As sent.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let claimed = self.claimed.as_ref();
        proto::RendezvousWaiting {
            rendezvous: self.rendezvous.to_vec(),
            claimed_handle: claimed.map(Handle::to_string).unwrap_or_default(),
            message: self.message.clone(),
        }
        .encode_to_vec()
    }

    /// As received.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let proto::RendezvousWaiting {
            rendezvous,
            claimed_handle,
            message,
        } = proto::RendezvousWaiting::decode(bytes).map_err(|_| DecodeError::Protobuf)?;
        let invalid = |field| DecodeError::Invalid { field };
        let claimed = Some(claimed_handle).filter(|handle| !handle.is_empty());
        let claimed = claimed.map(|handle| handle.parse()).transpose();
        Ok(Self {
            rendezvous: rendezvous.try_into().map_err(|_| invalid("rendezvous"))?,
            claimed: claimed.map_err(|_| invalid("claimed_handle"))?,
            message,
        })
    }
}

/// What a browser that has opened one is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// Where it puts and gets messages.
    pub address: String,
    /// Of the account.
    pub handle: Handle,
}

impl Opened {
    /// As sent.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        proto::RendezvousOpened {
            address: self.address.clone(),
            handle: self.handle.to_string(),
        }
        .encode_to_vec()
    }

    /// As received.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let proto::RendezvousOpened { address, handle } =
            proto::RendezvousOpened::decode(bytes).map_err(|_| DecodeError::Protobuf)?;
        let invalid = |field| DecodeError::Invalid { field };
        Ok(Self {
            address: id(&address).ok_or(invalid("address"))?,
            handle: handle.parse().map_err(|_| invalid("handle"))?,
        })
    }
}
