//! Seals records at rest and opens them again.
//!
//! XChaCha20-Poly1305 under the store key; a sealed record is `version ‖ nonce ‖ ciphertext ‖ tag`. Its
//! table and key are authenticated with it, so a record moved to another place does not open. Keys of records
//! and the number and size of records stay visible. It does not know where the store key comes from.

use std::fmt;

use chacha20poly1305::aead::{AeadInPlace, KeyInit};
use chacha20poly1305::{Tag, XChaCha20Poly1305, XNonce};
use engine::StoreFault;

use crate::clock;

const VERSION: u8 = 1;
const NONCE: usize = 24;
const TAG: usize = 16;

/// Holds the store key.
pub(super) struct Sealer(XChaCha20Poly1305);

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer")
    }
}

impl Sealer {
    pub(super) fn new(store_key: &[u8; 32]) -> Self {
        Self(XChaCha20Poly1305::new(store_key.into()))
    }

    /// The record as it is stored.
    pub(super) fn seal(
        &self,
        table: &'static str,
        key: &[u8],
        record: &[u8],
    ) -> Result<Vec<u8>, StoreFault> {
        let nonce: [u8; NONCE] = clock::random().map_err(|_| StoreFault::Failed)?;
        let mut sealed = Vec::with_capacity(1 + NONCE + record.len() + TAG);
        sealed.push(VERSION);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(record);
        let (_, body) = sealed.split_at_mut(1 + NONCE);
        let place = place(table, key);
        let tag = self
            .0
            .encrypt_in_place_detached(XNonce::from_slice(&nonce), &place, body);
        sealed.extend_from_slice(&tag.map_err(|_| StoreFault::Failed)?);
        Ok(sealed)
    }

    /// The record as it was given.
    pub(super) fn open(
        &self,
        table: &'static str,
        key: &[u8],
        sealed: &[u8],
    ) -> Result<Vec<u8>, StoreFault> {
        let damaged = StoreFault::Damaged { table };
        let (version, rest) = sealed.split_first().ok_or(damaged)?;
        let (nonce, rest) = rest.split_at_checked(NONCE).ok_or(damaged)?;
        let end = rest.len().checked_sub(TAG).ok_or(damaged)?;
        let (body, tag) = rest.split_at_checked(end).ok_or(damaged)?;
        if *version != VERSION {
            return Err(damaged);
        }
        let (nonce, tag) = (XNonce::from_slice(nonce), Tag::from_slice(tag));
        let mut record = body.to_vec();
        let place = place(table, key);
        (self
            .0
            .decrypt_in_place_detached(nonce, &place, &mut record, tag))
        .map_err(|_| damaged)?;
        Ok(record)
    }
}

/// Names of tables hold no zero byte, so table and key can't be mistaken for another pair.
fn place(table: &str, key: &[u8]) -> Vec<u8> {
    [&[VERSION], table.as_bytes(), &[0], key].concat()
}
