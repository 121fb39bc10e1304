//! Sealed account keys in SQLite.
//! It knows no rule of the protocol.

use wire::AccountId;

use super::SqliteStore;
use crate::store::{RecoveryRead, RecoveryRow, RecoveryTx, StoreError};

impl RecoveryRead for SqliteStore {
    fn recovery(&mut self, account: AccountId) -> Result<Option<RecoveryRow>, StoreError> {
        self.one(
            "SELECT sealed, made FROM recoveries WHERE account = ?",
            [account.as_bytes()],
            |row| {
                Ok(RecoveryRow {
                    sealed: row.get(0)?,
                    made: row.get(1)?,
                })
            },
        )
    }
}

impl RecoveryTx for SqliteStore {
    fn put_recovery(&mut self, account: AccountId, row: &RecoveryRow) -> Result<(), StoreError> {
        let RecoveryRow { sealed, made } = row;
        self.execute(
            "INSERT OR REPLACE INTO recoveries (account, sealed, made) VALUES (?, ?, ?)",
            (account.as_bytes(), sealed, made),
        )
        .map(drop)
    }
}
