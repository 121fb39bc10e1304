//! Linking, both sides: `run` by digits or code (LINK-1), the rest by URI (design section 7a). `offer` is the new device, which shows a URI and
//! waits; `approve` is the existing one, which hands the account over after the person said yes.
//! Rule L-1: nothing secret is made before approval. Rule L-2: what a URI claims is shown as a claim.

mod approve;
mod given;
mod offer;
pub(crate) mod run;

use wire::link_code::LinkCode;
use wire::link_uri::{LinkUri, LinkUriError};

use crate::error::Refusal;
use crate::guard;
use crate::input::Ticket;
use crate::output::{LinkClaim, LinkWay, Reply};
use crate::state::State;
use crate::tx::Tx;
pub(crate) use offer::Offers;
pub(crate) use run::Runs;

/// What a URI claims of the device that shows it.
pub(crate) fn claim(uri: &str) -> Result<LinkClaim, Refusal> {
    parse(uri).map(|uri| LinkClaim {
        device_name: uri.name,
        claimed_handle: None,
        way: LinkWay::Uri,
        expires_at: None,
    })
}

/// Whether a text that was scanned or pasted is a code, which begins a run, in place of a URI.
pub(crate) fn begins_run(text: &str) -> bool {
    LinkCode::is_meant(text)
}

impl State {
    /// Says what a URI claims; begins the run of a code.
    pub(crate) fn open_link(&mut self, tx: &mut Tx<'_>, ticket: Ticket, text: &str) {
        if !begins_run(text) {
            tx.resolve(ticket, claim(text).map(Reply::LinkClaim));
            return;
        }
        match LinkCode::parse(text) {
            Ok(code) => self.start_deciding(tx, ticket, Some(code)),
            Err(error) => tx.resolve(ticket, Err(refusal(error))),
        }
    }
}

const fn refusal(error: LinkUriError) -> Refusal {
    match error {
        LinkUriError::Malformed => Refusal::LinkUriMalformed,
        LinkUriError::Foreign => Refusal::LinkUriForeign,
    }
}

pub(crate) fn parse(uri: &str) -> Result<LinkUri, Refusal> {
    let parsed = LinkUri::parse(uri).map_err(refusal)?;
    match guard::public_key(&parsed.public_key) {
        Ok(_) => Ok(parsed),
        Err(_) => Err(Refusal::LinkUriMalformed),
    }
}
