//! Mailboxes: append, page, ack, expire.
//!
//! Invariants: the row of a mailbox counts exactly what is in it; server timestamps in one mailbox grow with
//! every send, whatever the clock does, so that they are an order; only an ack, the end of 30 days or the removal of the device
//! takes an envelope out.

use wire::{DeviceAddress, Envelope};

use super::{Caller, Effect, Failure, Moment, device_of, refused, too_many};
use crate::limits::{
    MAILBOX_BYTES_MAX, MAILBOX_ENVELOPES_MAX, MAILBOX_FULL_RETRY_S, PAGE_BYTES_MAX,
    PAGE_ENVELOPES_MAX, SWEEP_ROWS_MAX,
};
use crate::store::{Mail, PageLimit, Read, StoreError, Tx};

/// An envelope on its way into a mailbox; timestamp and guid are given on the way.
pub(super) struct Posting {
    pub(super) to: DeviceAddress,
    pub(super) envelope: Envelope,
}

/// Appends all of them with one server timestamp, and gives it with the mailboxes to wake.
pub(super) fn post_all(
    moment: &mut Moment<'_>,
    postings: Vec<Posting>,
    kept_ms: u64,
) -> Result<(u64, Vec<Effect>), Failure> {
    let mut server_timestamp = moment.now;
    for posting in &postings {
        let last = moment.tx.mailbox(posting.to)?.clock;
        server_timestamp = server_timestamp.max(last.saturating_add(1));
    }
    let mut effects = Vec::with_capacity(postings.len());
    for Posting { to, mut envelope } in postings {
        envelope.server_timestamp = server_timestamp;
        envelope.guid = Some(moment.random());
        let bytes = envelope.encode();
        let mut row = moment.tx.mailbox(to)?;
        row.clock = server_timestamp;
        row.envelopes += 1;
        row.bytes += bytes.len() as u64;
        if row.envelopes > MAILBOX_ENVELOPES_MAX || row.bytes > MAILBOX_BYTES_MAX {
            return Err(too_many(MAILBOX_FULL_RETRY_S));
        }
        moment.tx.put_mailbox(to, row)?;
        let expires = moment.now.saturating_add(kept_ms);
        moment.tx.insert_mail(to, expires, &bytes)?;
        effects.push(Effect::Wake(to));
    }
    Ok((server_timestamp, effects))
}

/// Some envelopes of a mailbox.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// In order. Fewer than asked for does not mean that there are no more.
    pub mail: Vec<Mail>,
    /// The highest number in the mailbox, as of before it was looked into: what came since is behind it.
    pub newest: u64,
}

/// The envelopes behind `after` of a device that is still there.
///
/// # Errors
/// 401 if it is not, or the store's failure.
pub fn page(tx: &mut dyn Read, caller: Caller, after: u64, now: u64) -> Result<Page, Failure> {
    device_of(tx, caller)?.ok_or_else(|| refused(401))?;
    let limit = PageLimit {
        envelopes: PAGE_ENVELOPES_MAX,
        bytes: PAGE_BYTES_MAX,
    };
    // First this: each read sees what was committed last, and a number that was not read must not count as passed.
    let newest = tx.newest_mail(caller.address)?;
    let mail = tx.mail_after(caller.address, after, limit, now)?;
    Ok(Page { mail, newest })
}

/// Takes an envelope out that its device has dealt with. Twice is once.
///
/// # Errors
/// The store's.
pub fn ack(tx: &mut dyn Tx, mailbox: DeviceAddress, seq: u64) -> Result<(), StoreError> {
    take_out(tx, mailbox, seq, 1)
}

fn take_out(
    tx: &mut dyn Tx,
    mailbox: DeviceAddress,
    seq: u64,
    acked: u64,
) -> Result<(), StoreError> {
    let Some(size) = tx.delete_mail(mailbox, seq)? else {
        return Ok(());
    };
    let mut row = tx.mailbox(mailbox)?;
    row.taken += acked;
    row.envelopes = row.envelopes.saturating_sub(1);
    row.bytes = row.bytes.saturating_sub(size);
    tx.put_mailbox(mailbox, row)
}

/// Removes some of what has had its time. Gives whether there may be more.
///
/// # Errors
/// The store's.
pub fn sweep(tx: &mut dyn Tx, now: u64) -> Result<bool, StoreError> {
    let expired = tx.expired_mail(now, SWEEP_ROWS_MAX)?;
    for mail in &expired {
        take_out(tx, mail.mailbox, mail.seq, 0)?;
    }
    let bundles = tx.forget_accepted(now, SWEEP_ROWS_MAX)?;
    let tokens = tx.forget_tokens(now, SWEEP_ROWS_MAX)?;
    Ok([expired.len(), bundles, tokens].contains(&SWEEP_ROWS_MAX))
}
