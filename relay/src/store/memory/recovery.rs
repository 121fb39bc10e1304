//! Sealed account keys in the memory store.
//! It knows no rule of the protocol.

use wire::AccountId;

use super::MemoryStore;
use crate::store::{RecoveryRead, RecoveryRow, RecoveryTx, StoreError};

impl RecoveryRead for MemoryStore {
    fn recovery(&mut self, account: AccountId) -> Result<Option<RecoveryRow>, StoreError> {
        Ok(self.recoveries.rows.get(&account).cloned())
    }
}

impl RecoveryTx for MemoryStore {
    fn put_recovery(&mut self, account: AccountId, row: &RecoveryRow) -> Result<(), StoreError> {
        self.recoveries.put(account, row.clone());
        Ok(())
    }
}
