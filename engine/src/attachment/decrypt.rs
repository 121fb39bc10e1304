//! Blob to content, in one pass. What comes out before the end is [`Unproven`]: it may go into storage that is thrown away
//! if the end fails, and nowhere else. Only [`Decryptor::finish`] compares MAC and digest, and then the content may be shown.
//! It does not know where the blob comes from.

use std::fmt;

use aes::Aes256;
use aes::cipher::inout::InOutBuf;
use aes::cipher::{BlockDecryptMut as _, KeyIvInit as _};
use hmac::{Hmac, Mac as _};
use sha2::{Digest as _, Sha256};
use wire::limits::BLOB_MAX;

use super::{AttachmentKey, BLOCK, IV, MAC};

/// The blob is not what the message says. Why is not told: it makes no difference to anybody honest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Damaged;

impl fmt::Display for Damaged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the attachment is damaged")
    }
}

impl std::error::Error for Damaged {}

/// Content that nobody vouches for yet.
#[must_use]
pub struct Unproven(Vec<u8>);

impl Unproven {
    /// For storage that nobody sees before [`Decryptor::finish`] has succeeded.
    #[must_use]
    pub fn put_aside(self) -> Vec<u8> {
        self.0
    }
}

impl fmt::Debug for Unproven {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Unproven({} bytes)", self.0.len())
    }
}

/// Decrypts one attachment: [`Decryptor::add`] the blob, then [`Decryptor::finish`].
pub struct Decryptor {
    key: [u8; 32],
    digest: [u8; 32],
    mac: Hmac<Sha256>,
    hash: Sha256,
    /// Once the iv has come.
    cipher: Option<cbc::Decryptor<Aes256>>,
    /// What may be the last block and the MAC, and parts of blocks.
    pending: Vec<u8>,
    blob_left: u64,
    content_left: u64,
    /// Whether all behind the content was zero.
    is_padded_with_zeros: bool,
}

impl fmt::Debug for Decryptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Decryptor({} bytes to come)", self.content_left)
    }
}

impl Decryptor {
    /// For a blob of this digest, with content of this size, as a message says.
    #[must_use]
    pub fn new(key: &AttachmentKey, digest: [u8; 32], size: u64) -> Self {
        Self {
            key: key.cipher(),
            digest,
            mac: key.mac(),
            hash: Sha256::new(),
            cipher: None,
            pending: Vec::new(),
            blob_left: BLOB_MAX,
            content_left: size,
            is_padded_with_zeros: true,
        }
    }

    /// Takes the next piece of the blob, of any size, and gives the content that can be read so far.
    ///
    /// # Errors
    /// More than any blob has.
    pub fn add(&mut self, blob: &[u8]) -> Result<Unproven, Damaged> {
        let left = self.blob_left.checked_sub(blob.len() as u64);
        self.blob_left = left.ok_or(Damaged)?;
        self.hash.update(blob);
        self.pending.extend_from_slice(blob);
        if self.cipher.is_none() {
            let Some((iv, rest)) = self.pending.split_first_chunk::<IV>() else {
                return Ok(Unproven(Vec::new()));
            };
            self.mac.update(iv);
            self.cipher = Some(cbc::Decryptor::new(&self.key.into(), iv.into()));
            self.pending = rest.to_vec();
        }
        let surplus = self.pending.len().saturating_sub(BLOCK + MAC);
        let after = self.pending.split_off(surplus - surplus % BLOCK);
        let whole = std::mem::replace(&mut self.pending, after);
        let plain = self.decrypt(whole)?;
        Ok(Unproven(self.without_padding(plain)))
    }

    /// Once all of the blob is in: says whether it is right, and if so gives the last of the content.
    ///
    /// # Errors
    /// It is not, or holds less content than the message says: nothing that came of it may be shown.
    pub fn finish(mut self) -> Result<Vec<u8>, Damaged> {
        if self.pending.len() != BLOCK + MAC {
            return Err(Damaged);
        }
        let mac = self.pending.split_off(BLOCK);
        let last = std::mem::take(&mut self.pending);
        let mut plain = self.decrypt(last)?;
        self.mac.clone().verify_slice(&mac).map_err(|_| Damaged)?;
        // The digest comes with the message, so comparing it tells nobody anything new.
        if <[u8; 32]>::from(self.hash.clone().finalize()) != self.digest {
            return Err(Damaged);
        }
        let count = plain.last().copied().map(usize::from).unwrap_or_default();
        let kept = plain.len().checked_sub(count).ok_or(Damaged)?;
        let ending = plain.split_off(kept);
        if ending.is_empty() || ending.iter().any(|byte| usize::from(*byte) != count) {
            return Err(Damaged);
        }
        let content = self.without_padding(plain);
        let is_whole = self.content_left == 0 && self.is_padded_with_zeros;
        is_whole.then_some(content).ok_or(Damaged)
    }

    /// Whole blocks; they go into the MAC first.
    fn decrypt(&mut self, mut blocks: Vec<u8>) -> Result<Vec<u8>, Damaged> {
        self.mac.update(&blocks);
        let cipher = self.cipher.as_mut().ok_or(Damaged)?;
        let (whole, _) = InOutBuf::from(blocks.as_mut_slice()).into_chunks();
        cipher.decrypt_blocks_inout_mut(whole);
        Ok(blocks)
    }

    /// Cuts off what is behind the content. If that is not zero, the message has another size than the sender meant.
    fn without_padding(&mut self, mut plain: Vec<u8>) -> Vec<u8> {
        let content = usize::try_from(self.content_left).unwrap_or(usize::MAX);
        let behind = plain.split_off(content.min(plain.len()));
        self.content_left -= plain.len() as u64;
        self.is_padded_with_zeros &= behind.iter().all(|byte| *byte == 0);
        plain
    }
}
