//! Rows of blobs: whose, how large, until when. The bytes themselves are in `crate::blobs`.
//! It knows no rule: a row that has ended is still a row until it is deleted.

use wire::{AccountId, BlobId};

use super::StoreError;

/// A blob, or the upload that becomes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlobRow {
    /// Who may go on with the upload and delete it; nobody once the account is gone.
    pub owner: Option<AccountId>,
    /// In bytes, as declared.
    pub size: u64,
    /// Of all bytes, once they are there, checked and durable.
    pub sha256: Option<[u8; 32]>,
    /// ms; no use after this, and then deleted.
    pub ends: u64,
}

/// How much an account has begun to upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlobUse {
    /// ms; since when it is counted.
    pub since: u64,
    /// Bytes.
    pub bytes: u64,
}

/// What can be asked of a store about blobs.
pub trait BlobRead {
    /// A blob.
    fn blob(&mut self, id: BlobId) -> Result<Option<BlobRow>, StoreError>;
    /// Blobs whose time is over at `now`.
    fn ended_blobs(&mut self, now: u64, rows_max: usize) -> Result<Vec<BlobId>, StoreError>;
    /// How much an account has uploaded, if anything.
    fn blob_use(&mut self, account: AccountId) -> Result<Option<BlobUse>, StoreError>;
}

/// What can be changed about blobs.
pub trait BlobTx: BlobRead {
    /// Adds or replaces a blob.
    fn put_blob(&mut self, id: BlobId, row: &BlobRow) -> Result<(), StoreError>;
    /// Removes a blob.
    fn delete_blob(&mut self, id: BlobId) -> Result<(), StoreError>;
    /// Sets how much an account has uploaded.
    fn put_blob_use(&mut self, account: AccountId, row: BlobUse) -> Result<(), StoreError>;
    /// Forgets whose the blobs of an account are and how much it has uploaded. Its uploads have ended.
    fn disown_blobs(&mut self, account: AccountId) -> Result<(), StoreError>;
}
