//! Blobs in the database: their rows, not their bytes.
//! It has no rules and begins no transaction.

use rusqlite::Row;
use wire::{AccountId, BlobId};

use super::SqliteStore;
use crate::store::{BlobRead, BlobRow, BlobTx, BlobUse, StoreError};

impl BlobRead for SqliteStore {
    fn blob(&mut self, id: BlobId) -> Result<Option<BlobRow>, StoreError> {
        self.one(
            "SELECT owner, size, sha256, ends FROM blobs WHERE blob = ?",
            [id.as_bytes()],
            blob_row,
        )
    }

    fn ended_blobs(&mut self, now: u64, rows_max: usize) -> Result<Vec<BlobId>, StoreError> {
        self.all(
            "SELECT blob FROM blobs WHERE ends <= ? ORDER BY ends LIMIT ?",
            (now, rows_max),
            |row| row.get(0).map(BlobId::from_bytes),
        )
    }

    fn blob_use(&mut self, account: AccountId) -> Result<Option<BlobUse>, StoreError> {
        self.one(
            "SELECT since, bytes FROM blob_use WHERE account = ?",
            [account.as_bytes()],
            |row| {
                Ok(BlobUse {
                    since: row.get(0)?,
                    bytes: row.get(1)?,
                })
            },
        )
    }
}

impl BlobTx for SqliteStore {
    fn put_blob(&mut self, id: BlobId, row: &BlobRow) -> Result<(), StoreError> {
        let BlobRow {
            owner,
            size,
            sha256,
            ends,
        } = row;
        let owner = owner.as_ref().map(AccountId::as_bytes);
        self.execute(
            "INSERT OR REPLACE INTO blobs (blob, owner, size, sha256, ends) VALUES (?, ?, ?, ?, ?)",
            (id.as_bytes(), owner, size, sha256, ends),
        )
        .map(drop)
    }

    fn delete_blob(&mut self, id: BlobId) -> Result<(), StoreError> {
        self.execute("DELETE FROM blobs WHERE blob = ?", [id.as_bytes()])
            .map(drop)
    }

    fn put_blob_use(&mut self, account: AccountId, row: BlobUse) -> Result<(), StoreError> {
        self.execute(
            "INSERT OR REPLACE INTO blob_use (account, since, bytes) VALUES (?, ?, ?)",
            (account.as_bytes(), row.since, row.bytes),
        )
        .map(drop)
    }

    fn disown_blobs(&mut self, account: AccountId) -> Result<(), StoreError> {
        let account = [account.as_bytes()];
        self.execute(
            "UPDATE blobs SET owner = NULL, ends = iif(sha256 IS NULL, 0, ends) WHERE owner = ?",
            account,
        )?;
        self.execute("DELETE FROM blob_use WHERE account = ?", account)
            .map(drop)
    }
}

fn blob_row(row: &Row<'_>) -> rusqlite::Result<BlobRow> {
    Ok(BlobRow {
        owner: row
            .get::<_, Option<[u8; 16]>>(0)?
            .map(AccountId::from_bytes),
        size: row.get(1)?,
        sha256: row.get(2)?,
        ends: row.get(3)?,
    })
}
