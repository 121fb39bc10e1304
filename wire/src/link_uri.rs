//! The URI by which a new device asks to be linked: shown as a QR code and as text.
//!
//! `lockstep://linkdevice?uuid=<address>&pub_key=<base64 of 33 bytes>&name=<claimed name>`; Signal's
//! `sgnl://linkdevice` is the same without `name`. Only host and query count. Everything in it
//! is a claim; that it asks for *our* approval only the person can know.

use std::fmt;

use base64::Engine as _;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::DecodeError;
use crate::body::BASE64;
use crate::limits::LINK_URI_MAX;

/// Longest claimed name we show, in characters.
const NAME_MAX: usize = 64;

/// What the new device says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkUri {
    /// Where it waits: opaque, from the relay.
    pub address: String,
    /// Its ephemeral public key, 33 bytes; whether it is a good key is not checked here.
    pub public_key: [u8; 33],
    /// What it calls itself; empty if it says nothing.
    pub name: String,
}

/// Why a text is not a link URI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkUriError {
    /// Not a URI, or one with a damaged query.
    Malformed,
    /// A URI of something else.
    Foreign,
}

impl From<DecodeError> for LinkUriError {
    fn from(_: DecodeError) -> Self {
        Self::Malformed
    }
}

impl LinkUri {
    /// Parses what was scanned or pasted; surrounding white space is ignored.
    ///
    /// # Errors
    /// See [`LinkUriError`].
    pub fn parse(text: &str) -> Result<Self, LinkUriError> {
        let text = text.trim();
        if text.len() > LINK_URI_MAX {
            return Err(LinkUriError::Malformed);
        }
        let (scheme, rest) = text.split_once(':').ok_or(LinkUriError::Malformed)?;
        let of_scheme = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
        if scheme.is_empty() || !scheme.chars().all(of_scheme) {
            return Err(LinkUriError::Malformed);
        }
        if !["lockstep", "sgnl"].contains(&scheme.to_ascii_lowercase().as_str()) {
            return Err(LinkUriError::Foreign);
        }
        let (host, query) = rest.split_once('?').ok_or(LinkUriError::Foreign)?;
        if host.trim_matches('/') != "linkdevice" {
            return Err(LinkUriError::Foreign);
        }
        let address = value(query, "uuid")?.ok_or(LinkUriError::Malformed)?;
        let valid = (1..=128).contains(&address.len())
            && address
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-_=".contains(&b));
        let key = value(query, "pub_key")?.ok_or(LinkUriError::Malformed)?;
        let key = BASE64.decode(key).map_err(|_| LinkUriError::Malformed)?;
        let name = value(query, "name")?.unwrap_or_default();
        Ok(Self {
            address: if valid {
                address
            } else {
                return Err(LinkUriError::Malformed);
            },
            public_key: key.try_into().map_err(|_| LinkUriError::Malformed)?,
            name: shown_name(&name),
        })
    }
}

impl LinkUri {
    /// As the apps of a Signal-compatible service want it: their scheme, and no claimed name.
    #[must_use]
    pub fn for_signal(&self) -> String {
        format!("sgnl://linkdevice?{}", self.required())
    }

    /// Address and key: what both schemes have.
    fn required(&self) -> String {
        let key = encode(&BASE64.encode(self.public_key));
        format!("uuid={}&pub_key={key}", encode(&self.address))
    }
}

fn encode(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

impl fmt::Display for LinkUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "lockstep://linkdevice?{}", self.required())?;
        if !self.name.is_empty() {
            let name: String = self.name.chars().take(NAME_MAX).collect();
            write!(f, "&name={}", encode(&name))?;
        }
        Ok(())
    }
}

/// A claimed name, as far as it may be shown.
#[must_use]
pub fn shown_name(name: &str) -> String {
    name.chars().filter(shown).take(NAME_MAX).collect()
}

/// Whether a character of a claimed name may be shown: not if it is invisible or turns the text
/// around it, since the person decides by what this name looks like.
fn shown(c: &char) -> bool {
    let turns_text =
        matches!(c, '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    let invisible = matches!(
        c,
        '\u{061C}' | '\u{200B}' | '\u{2028}' | '\u{2029}' | '\u{2060}' | '\u{FEFF}'
    );
    !c.is_control() && !turns_text && !invisible
}

fn value(query: &str, name: &str) -> Result<Option<String>, LinkUriError> {
    let found = query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .find(|(n, _)| *n == name);
    let Some((_, raw)) = found else {
        return Ok(None);
    };
    let text = percent_decode_str(raw)
        .decode_utf8()
        .map_err(|_| LinkUriError::Malformed)?;
    Ok(Some(text.into_owned()))
}
