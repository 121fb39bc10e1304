//! Uploads that have begun, so that the same file picked again goes on where it was, also after the page was killed.
//! A record holds what the upload is determined by, and by what its file is known again; how far it is, the relay knows.

use rand::RngCore as _;
use sha2::{Digest as _, Sha256};
use wire::BlobId;

use crate::attachment::Plan;
use crate::error::Error;
use crate::input::{FileMark, Timestamp};
use crate::limits::{UPLOAD_MS, UPLOADS_MAX};
use crate::record::{Record as _, UploadRecord, key};
use crate::state::State;
use crate::store::{Scan, Table};
use crate::tx::Tx;

impl State {
    /// What an upload of so much goes by.
    pub(crate) fn draw_plan(&mut self, size: u64) -> Plan {
        let mut random = [0; Plan::RANDOM];
        self.rng.fill_bytes(&mut random);
        Plan::from_random(&random, size)
    }
}

/// What an upload of this file goes on with, if one has begun that the relay still knows.
pub(crate) async fn find_upload(tx: &mut Tx<'_>, file: &FileMark) -> Result<Option<Plan>, Error> {
    for (_, bytes) in tx.scan(uploads()).await? {
        let record = UploadRecord::read(&bytes)?;
        let UploadRecord {
            name,
            size,
            modified,
            ..
        } = &record;
        let is_it = (name, *size, *modified) == (&file.name, file.size, file.modified);
        if is_it && !is_over(&record, tx.now) {
            return Ok(Plan::from_bytes(&record.plan));
        }
    }
    Ok(None)
}

/// Keeps what an upload goes on with, unless there are too many.
pub(crate) async fn begin_upload(
    tx: &mut Tx<'_>,
    file: FileMark,
    plan: &Plan,
) -> Result<bool, Error> {
    if tx.scan(uploads()).await?.len() >= UPLOADS_MAX {
        forget_uploads(tx).await?;
        if tx.scan(uploads()).await?.len() >= UPLOADS_MAX {
            return Ok(false);
        }
    }
    let FileMark {
        name,
        size,
        modified,
    } = file;
    let record = UploadRecord {
        name,
        size,
        modified,
        plan: plan.to_bytes(),
        begun_at: tx.now.0,
    };
    tx.put(&place(plan.blob), &record);
    Ok(true)
}

/// An upload is done, or will not be.
pub(crate) async fn end_upload(tx: &mut Tx<'_>, blob: BlobId) -> Result<(), Error> {
    let place = place(blob);
    if tx.get::<UploadRecord>(&place).await?.is_some() {
        tx.delete(Table::Transfers, &place);
    }
    Ok(())
}

/// The relay ends uploads after a day: what they would go on with is of no use then.
pub(crate) async fn forget_uploads(tx: &mut Tx<'_>) -> Result<(), Error> {
    for (at, bytes) in tx.scan(uploads()).await? {
        if is_over(&UploadRecord::read(&bytes)?, tx.now) {
            tx.delete(Table::Transfers, &at);
        }
    }
    Ok(())
}

fn is_over(record: &UploadRecord, now: Timestamp) -> bool {
    Timestamp(record.begun_at).plus_ms(UPLOAD_MS) <= now
}

fn uploads() -> Scan {
    Scan::prefix(Table::Transfers, key::UPLOADS, UPLOADS_MAX)
}

/// Keys of records can be read by whoever copies the database, and whoever knows a blob's id may fetch it.
fn place(blob: BlobId) -> Vec<u8> {
    let name = Sha256::digest(blob.as_bytes());
    [key::UPLOADS, name.as_slice()].concat()
}
