//! The code by which a new browser can be linked in place of typing digits (ours): shown as a QR code and as text.
//!
//! `lockstep://link1?c=<base64url of 81 bytes>`: version 1, rendezvous (16), commitment (32), secret (32). The secret never
//! goes through the relay; whoever has seen the code can answer the run, so it is shown to the person alone.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::limits::LINK_URI_MAX;
use crate::link_uri::LinkUriError;

/// What is before the value.
const PREFIX: &str = "lockstep://link1?c=";
const VERSION: u8 = 1;

/// What the new browser shows.
#[derive(Clone, PartialEq, Eq)]
pub struct LinkCode {
    /// Where it waits.
    pub rendezvous: [u8; 16],
    /// To what it is bound.
    pub commitment: [u8; 32],
    /// Known to those who see the code.
    pub secret: [u8; 32],
}

impl fmt::Debug for LinkCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkCode")
    }
}

impl LinkCode {
    /// Whether a text wants to be one; if it is none, it may be a [`crate::link_uri::LinkUri`].
    #[must_use]
    pub fn is_meant(text: &str) -> bool {
        let text = text.trim();
        let start = text.get(..PREFIX.len() - 2).unwrap_or(text);
        start.eq_ignore_ascii_case("lockstep://link1?")
    }

    /// Parses what was scanned or pasted; surrounding white space is ignored.
    ///
    /// # Errors
    /// It is not one, or not whole.
    pub fn parse(text: &str) -> Result<Self, LinkUriError> {
        let text = text.trim();
        if !Self::is_meant(text) {
            return Err(LinkUriError::Foreign);
        }
        let value = text.split_once("?c=").ok_or(LinkUriError::Malformed)?.1;
        if text.len() > LINK_URI_MAX {
            return Err(LinkUriError::Malformed);
        }
        let bytes = URL_SAFE_NO_PAD.decode(value);
        let bytes = bytes.map_err(|_| LinkUriError::Malformed)?;
        let (version, rest) = bytes.split_first().ok_or(LinkUriError::Malformed)?;
        if *version != VERSION {
            return Err(LinkUriError::Foreign);
        }
        let (rendezvous, rest) = rest.split_first_chunk().ok_or(LinkUriError::Malformed)?;
        let (commitment, secret) = rest.split_first_chunk().ok_or(LinkUriError::Malformed)?;
        Ok(Self {
            rendezvous: *rendezvous,
            commitment: *commitment,
            secret: secret.try_into().map_err(|_| LinkUriError::Malformed)?,
        })
    }
}

/// Shown to the person, never logged: it holds the secret.
impl fmt::Display for LinkCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            rendezvous,
            commitment,
            secret,
        } = self;
        let bytes = [&[VERSION], &rendezvous[..], commitment, secret].concat();
        write!(f, "{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes))
    }
}
