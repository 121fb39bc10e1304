//! Linking by URI, both sides (design section 7a). `offer` is the new device, which shows a URI and
//! waits; `approve` is the existing one, which hands the account over after the person said yes.
//! Rule L-1: nothing secret is made before approval. Rule L-2: what a URI claims is shown as a claim.

mod approve;
mod given;
mod offer;

use wire::link_uri::{LinkUri, LinkUriError};

use crate::error::Refusal;
use crate::guard;
use crate::output::LinkClaim;
pub(crate) use offer::Offers;

/// What a URI claims of the device that shows it.
pub(crate) fn claim(uri: &str) -> Result<LinkClaim, Refusal> {
    parse(uri).map(|uri| LinkClaim {
        device_name: uri.name,
    })
}

pub(crate) fn parse(uri: &str) -> Result<LinkUri, Refusal> {
    let parsed = LinkUri::parse(uri).map_err(|error| match error {
        LinkUriError::Malformed => Refusal::LinkUriMalformed,
        LinkUriError::Foreign => Refusal::LinkUriForeign,
    })?;
    match guard::public_key(&parsed.public_key) {
        Ok(_) => Ok(parsed),
        Err(_) => Err(Refusal::LinkUriMalformed),
    }
}
