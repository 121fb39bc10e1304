//! Blobs in the memory store: their rows, not their bytes.
//! It knows no rule of the protocol.

use wire::{AccountId, BlobId};

use super::MemoryStore;
use crate::store::{BlobRead, BlobRow, BlobTx, BlobUse, StoreError};

impl BlobRead for MemoryStore {
    fn blob(&mut self, id: BlobId) -> Result<Option<BlobRow>, StoreError> {
        Ok(self.blobs.rows.get(&id).cloned())
    }

    fn ended_blobs(&mut self, now: u64, rows_max: usize) -> Result<Vec<BlobId>, StoreError> {
        let rows = self.blobs.rows.iter();
        let ended = rows.filter(|(_, row)| row.ends <= now);
        Ok(ended.take(rows_max).map(|(id, _)| *id).collect())
    }

    fn blob_use(&mut self, account: AccountId) -> Result<Option<BlobUse>, StoreError> {
        Ok(self.blob_use.rows.get(&account).copied())
    }
}

impl BlobTx for MemoryStore {
    fn put_blob(&mut self, id: BlobId, row: &BlobRow) -> Result<(), StoreError> {
        self.blobs.put(id, row.clone());
        Ok(())
    }

    fn delete_blob(&mut self, id: BlobId) -> Result<(), StoreError> {
        self.blobs.remove(&id);
        Ok(())
    }

    fn put_blob_use(&mut self, account: AccountId, row: BlobUse) -> Result<(), StoreError> {
        self.blob_use.put(account, row);
        Ok(())
    }

    fn disown_blobs(&mut self, account: AccountId) -> Result<(), StoreError> {
        let rows = self.blobs.rows.iter();
        let owned = rows.filter(|(_, row)| row.owner == Some(account));
        let owned: Vec<_> = owned.map(|(id, row)| (*id, row.clone())).collect();
        for (id, row) in owned {
            let ends = if row.sha256.is_some() { row.ends } else { 0 };
            let disowned = BlobRow {
                owner: None,
                ends,
                ..row
            };
            self.blobs.put(id, disowned);
        }
        self.blob_use.remove(&account);
        Ok(())
    }
}
