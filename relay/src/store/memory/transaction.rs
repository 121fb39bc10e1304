//! Taking back: every table at once, to the beginning or to the last mark.
//! What a table notes of a write is its own business.

use super::MemoryStore;
use super::table::Undo;
use crate::store::{Store, StoreError};

impl MemoryStore {
    fn tables(&mut self) -> [&mut dyn Undo; 13] {
        let Self {
            accounts,
            handles,
            devices,
            signed_keys,
            one_time_keys,
            tokens,
            mailboxes,
            mail,
            accepted,
            fences,
            blobs,
            blob_use,
            recoveries,
            last_seq: _,
        } = self;
        [
            accounts,
            handles,
            devices,
            signed_keys,
            one_time_keys,
            tokens,
            mailboxes,
            mail,
            accepted,
            fences,
            blobs,
            blob_use,
            recoveries,
        ]
    }
}

impl Store for MemoryStore {
    fn begin(&mut self) -> Result<(), StoreError> {
        Ok(())
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        self.tables().into_iter().for_each(|table| table.forget());
        Ok(())
    }

    fn rollback(&mut self) {
        self.tables().into_iter().for_each(|table| table.to_begin());
    }

    fn savepoint(&mut self) -> Result<(), StoreError> {
        self.tables().into_iter().for_each(|table| table.mark());
        Ok(())
    }

    fn release(&mut self) -> Result<(), StoreError> {
        Ok(())
    }

    fn rollback_to(&mut self) -> Result<(), StoreError> {
        self.tables().into_iter().for_each(|table| table.to_mark());
        Ok(())
    }
}
