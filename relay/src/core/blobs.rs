//! Blobs: who may upload how much, what counts as complete, and when it ends.
//!
//! The bytes are somewhere else; what is asked here is about rows. A blob is fetched by its id alone: whoever was
//! given it in a message may have the ciphertext, and the relay does not learn who that is.
//! Invariants: a blob is fetched only if its row says that all bytes are durable; every row ends, and bytes are
//! deleted before their row is, so that none is left behind.

use wire::limits::BLOB_MAX;
use wire::{AccountId, BlobId};

use super::{Answer, Caller, Failure, Moment, device_of, refused, refused_as, too_many_as};
use crate::limits::{
    BLOB_DAY_BYTES_MAX, BLOB_KEPT_MS, BLOB_MIN_CHARGE, DAY_MS, SWEEP_ROWS_MAX, UPLOAD_KEPT_MS,
};
use crate::store::{BlobRow, BlobUse, Read, StoreError, Tx};

/// Begins an upload of so many bytes, or finds the one that was begun.
///
/// # Errors
/// 401, 409 `blob_taken`, 413 `blob_too_large`, 429 `blob_quota`; or the store's failure.
pub fn begin(
    moment: &mut Moment<'_>,
    caller: Caller,
    id: BlobId,
    size: u64,
) -> Result<BlobRow, Failure> {
    let account = account_of(moment.tx, caller)?;
    if let Some(row) = moment.tx.blob(id)? {
        let same = row.owner == Some(account) && row.size == size && row.ends > moment.now;
        return same
            .then_some(row)
            .ok_or_else(|| refused_as(409, "blob_taken"));
    }
    if size == 0 {
        return Err(refused(422));
    }
    if size > BLOB_MAX {
        return Err(refused_as(413, "blob_too_large"));
    }
    charge(moment, account, size.max(BLOB_MIN_CHARGE))?;
    let row = BlobRow {
        owner: Some(account),
        size,
        sha256: None,
        ends: moment.now.saturating_add(UPLOAD_KEPT_MS),
    };
    moment.tx.put_blob(id, &row)?;
    Ok(row)
}

/// Counts what an account begins to upload. Nothing is given back: what was deleted has been written, too.
fn charge(moment: &mut Moment<'_>, account: AccountId, bytes: u64) -> Result<(), Failure> {
    let fresh = BlobUse {
        since: moment.now,
        bytes: 0,
    };
    let row = moment.tx.blob_use(account)?.unwrap_or(fresh);
    let day_is_over = moment.now >= row.since.saturating_add(DAY_MS);
    let row = if day_is_over { fresh } else { row };
    let total = row.bytes.saturating_add(bytes);
    if total > BLOB_DAY_BYTES_MAX {
        let wait_ms = row.since.saturating_add(DAY_MS) - moment.now;
        return Err(too_many_as("blob_quota", wait_ms.div_ceil(1000)));
    }
    let row = BlobUse {
        bytes: total,
        ..row
    };
    Ok(moment.tx.put_blob_use(account, row)?)
}

/// A blob of the caller's account: an upload that goes on, or what it has become.
///
/// # Errors
/// 401, 404 `blob_unknown`; or the store's failure.
pub fn own(tx: &mut dyn Read, caller: Caller, id: BlobId, now: u64) -> Result<BlobRow, Failure> {
    let account = account_of(tx, caller)?;
    let row = tx.blob(id)?;
    let own = row.filter(|row| row.owner == Some(account) && row.ends > now);
    own.ok_or_else(unknown)
}

/// All bytes are there and durable, and this is their hash: from now on the blob is fetched.
///
/// # Errors
/// 401, 404 `blob_unknown`, 409 `blob_complete` if it was completed with another hash; or the store's failure.
pub fn complete(
    moment: &mut Moment<'_>,
    caller: Caller,
    id: BlobId,
    sha256: [u8; 32],
) -> Result<Answer, Failure> {
    let row = own(moment.tx, caller, id, moment.now)?;
    match row.sha256 {
        Some(known) if known == sha256 => {}
        Some(_) => return Err(refused_as(409, "blob_complete")),
        None => {
            let whole = BlobRow {
                sha256: Some(sha256),
                ends: moment.now.saturating_add(BLOB_KEPT_MS),
                ..row
            };
            moment.tx.put_blob(id, &whole)?;
        }
    }
    Ok(Answer::empty(204))
}

/// Ends an upload or a blob. What is not there has ended already.
///
/// # Errors
/// 401; or the store's failure.
pub fn end(moment: &mut Moment<'_>, caller: Caller, id: BlobId) -> Result<Answer, Failure> {
    match own(moment.tx, caller, id, moment.now) {
        Ok(row) => moment.tx.put_blob(id, &BlobRow { ends: 0, ..row })?,
        Err(Failure::Refused(answer)) if answer.status == 404 => {}
        Err(failure) => return Err(failure),
    }
    Ok(Answer::empty(204))
}

/// How large a complete blob is, for whoever knows its id.
///
/// # Errors
/// 404 `blob_unknown`; or the store's failure.
pub fn fetched(tx: &mut dyn Read, id: BlobId, now: u64) -> Result<u64, Failure> {
    let row = tx.blob(id)?;
    let whole = row.filter(|row| row.sha256.is_some() && row.ends > now);
    Ok(whole.ok_or_else(unknown)?.size)
}

/// Some of those that have ended: their bytes are to be deleted, then their rows.
///
/// # Errors
/// The store's.
pub fn ended(tx: &mut dyn Read, now: u64) -> Result<Vec<BlobId>, StoreError> {
    tx.ended_blobs(now, SWEEP_ROWS_MAX)
}

/// Forgets blobs whose bytes are no more.
///
/// # Errors
/// The store's.
pub fn forget(tx: &mut dyn Tx, ids: &[BlobId]) -> Result<(), StoreError> {
    ids.iter().try_for_each(|id| tx.delete_blob(*id))
}

fn account_of(tx: &mut (impl Read + ?Sized), caller: Caller) -> Result<AccountId, Failure> {
    let device = device_of(tx, caller)?.ok_or_else(|| refused(401))?;
    Ok(device.address.account)
}

/// The same for what never was, is somebody else's, or has ended.
fn unknown() -> Failure {
    refused_as(404, "blob_unknown")
}
