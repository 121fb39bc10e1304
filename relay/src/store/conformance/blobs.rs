//! Rows of blobs, as every store must keep them.
//! What they are for is not known here.

use super::*;
use crate::store::{BlobRow, BlobUse};

fn id(n: u8) -> BlobId {
    BlobId::from_bytes([n; 16])
}

fn row(owner: u8, sha256: Option<[u8; 32]>, ends: u64) -> BlobRow {
    BlobRow {
        owner: Some(AccountId::from_bytes([owner; 16])),
        size: 106 * 1024 * 1024,
        sha256,
        ends,
    }
}

pub(super) fn blobs_come_back_and_are_found_when_they_end(mut store: impl Store) {
    let (upload, whole) = (row(1, None, 10), row(1, Some([7; 32]), 20));
    commit(&mut store, |tx| {
        tx.put_blob(id(1), &upload)?;
        tx.put_blob(id(2), &upload)?;
        tx.put_blob(id(2), &whole)
    });
    assert_eq!(store.blob(id(1)).unwrap(), Some(upload));
    assert_eq!(store.blob(id(2)).unwrap(), Some(whole));
    assert_eq!(store.blob(id(3)).unwrap(), None);
    assert_eq!(store.ended_blobs(9, 5).unwrap(), []);
    assert_eq!(store.ended_blobs(10, 5).unwrap(), [id(1)]);
    assert_eq!(store.ended_blobs(20, 1).unwrap().len(), 1);
    commit(&mut store, |tx| tx.delete_blob(id(1)));
    assert_eq!(store.blob(id(1)).unwrap(), None);
    assert_eq!(store.ended_blobs(20, 5).unwrap(), [id(2)]);
}

pub(super) fn the_blobs_of_an_account_that_goes_are_nobodys(mut store: impl Store) {
    let used = |bytes| BlobUse { since: 4, bytes };
    let accounts = [1, 2].map(|n| AccountId::from_bytes([n; 16]));
    commit(&mut store, |tx| {
        tx.put_blob(id(1), &row(1, None, 10))?;
        tx.put_blob(id(2), &row(1, Some([7; 32]), 20))?;
        tx.put_blob(id(3), &row(2, None, 10))?;
        tx.put_blob_use(accounts[0], used(1))?;
        tx.put_blob_use(accounts[0], used(2))?;
        tx.put_blob_use(accounts[1], used(3))
    });
    assert_eq!(store.blob_use(accounts[0]).unwrap(), Some(used(2)));
    commit(&mut store, |tx| tx.disown_blobs(accounts[0]));
    let nobodys = |row: BlobRow, ends| BlobRow {
        owner: None,
        ends,
        ..row
    };
    let (upload, whole) = (row(1, None, 10), row(1, Some([7; 32]), 20));
    assert_eq!(store.blob(id(1)).unwrap(), Some(nobodys(upload, 0)));
    assert_eq!(store.blob(id(2)).unwrap(), Some(nobodys(whole, 20)));
    assert_eq!(store.blob(id(3)).unwrap(), Some(row(2, None, 10)));
    assert_eq!(store.blob_use(accounts[0]).unwrap(), None);
    assert_eq!(store.blob_use(accounts[1]).unwrap(), Some(used(3)));
}

pub(super) fn what_was_done_to_blobs_is_taken_back(mut store: impl Store) {
    let account = AccountId::from_bytes([1; 16]);
    let before = row(1, None, 10);
    commit(&mut store, |tx| tx.put_blob(id(1), &before));
    let failed = store.transaction(|tx| {
        tx.put_blob(id(2), &before)?;
        tx.put_blob_use(account, BlobUse { since: 4, bytes: 1 })?;
        tx.disown_blobs(account)?;
        tx.delete_blob(id(1))?;
        Err::<(), _>(StoreError::Corrupt { what: "test" })
    });
    assert!(failed.is_err());
    assert_eq!(store.blob(id(1)).unwrap(), Some(before));
    assert_eq!(store.blob(id(2)).unwrap(), None);
    assert_eq!(store.blob_use(account).unwrap(), None);
}
