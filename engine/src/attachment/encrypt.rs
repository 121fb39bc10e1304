//! Content to blob. The same key, iv and content give the same blob, so an upload that stopped goes on by encrypting
//! again from the beginning and leaving out what was sent. With other content the iv must be another, too.
//! It does not know what has been sent.

use std::fmt;

use aes::Aes256;
use aes::cipher::inout::InOutBuf;
use aes::cipher::{BlockEncryptMut as _, KeyIvInit as _};
use hmac::{Hmac, Mac as _};
use sha2::{Digest as _, Sha256};
use wire::limits::ATTACHMENT_MAX;

use super::{AttachmentKey, BLOCK, IV, padded_size};

/// The content is not as large as was declared, or larger than any may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAsDeclared;

impl fmt::Display for NotAsDeclared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the content is not as large as was declared, or too large")
    }
}

impl std::error::Error for NotAsDeclared {}

/// Encrypts one attachment: [`Encryptor::add`] all of its content, then [`Encryptor::rest`] until it is done.
pub struct Encryptor {
    cipher: cbc::Encryptor<Aes256>,
    mac: Hmac<Sha256>,
    hash: Sha256,
    iv: Option<[u8; IV]>,
    /// Less than a block.
    pending: Vec<u8>,
    content_left: u64,
    zeros_left: u64,
}

impl fmt::Debug for Encryptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Encryptor({} bytes to come)", self.content_left)
    }
}

/// What is behind the content comes in pieces, too: of large content it is megabytes of padding.
#[derive(Debug)]
#[must_use]
pub enum Rest {
    /// There is more.
    More(Box<Encryptor>),
    /// That was the end; the SHA-256 of the whole blob.
    Done([u8; 32]),
}

impl Encryptor {
    /// For content of this size. The iv is drawn at random, as the key is.
    ///
    /// # Errors
    /// More than may be attached.
    pub fn new(key: &AttachmentKey, iv: [u8; IV], size: u64) -> Result<Self, NotAsDeclared> {
        if size > ATTACHMENT_MAX {
            return Err(NotAsDeclared);
        }
        Ok(Self {
            cipher: cbc::Encryptor::new(&key.cipher().into(), &iv.into()),
            mac: key.mac(),
            hash: Sha256::new(),
            iv: Some(iv),
            pending: Vec::new(),
            content_left: size,
            zeros_left: padded_size(size) - size,
        })
    }

    /// Takes the next piece of content, of any size, and puts what becomes of it behind `blob`.
    ///
    /// # Errors
    /// More content than was declared.
    pub fn add(&mut self, content: &[u8], blob: &mut Vec<u8>) -> Result<(), NotAsDeclared> {
        let left = self.content_left.checked_sub(content.len() as u64);
        self.content_left = left.ok_or(NotAsDeclared)?;
        self.encrypt(content, blob);
        Ok(())
    }

    /// Once all content is in: puts the next piece of what follows behind `blob`.
    ///
    /// # Errors
    /// Less content than was declared.
    pub fn rest(mut self: Box<Self>, blob: &mut Vec<u8>) -> Result<Rest, NotAsDeclared> {
        if self.content_left > 0 {
            return Err(NotAsDeclared);
        }
        let count = self.zeros_left.min(PIECE);
        self.zeros_left -= count;
        let zeros = vec![0; usize::try_from(count).map_err(|_| NotAsDeclared)?];
        self.encrypt(&zeros, blob);
        if self.zeros_left > 0 {
            return Ok(Rest::More(self));
        }
        // PKCS#7: as many bytes as are missing, each saying how many; a whole block if none is.
        let missing = BLOCK - self.pending.len() % BLOCK;
        let ending = vec![u8::try_from(missing).map_err(|_| NotAsDeclared)?; missing];
        self.encrypt(&ending, blob);
        let mac = self.mac.finalize().into_bytes();
        self.hash.update(mac);
        blob.extend_from_slice(&mac);
        Ok(Rest::Done(self.hash.finalize().into()))
    }

    fn encrypt(&mut self, plain: &[u8], blob: &mut Vec<u8>) {
        let start = blob.len();
        blob.extend(self.iv.take().iter().flatten());
        self.pending.extend_from_slice(plain);
        let part = self.pending.len() % BLOCK;
        let after = self.pending.split_off(self.pending.len() - part);
        let mut whole = std::mem::replace(&mut self.pending, after);
        let (blocks, _) = InOutBuf::from(whole.as_mut_slice()).into_chunks();
        self.cipher.encrypt_blocks_inout_mut(blocks);
        blob.append(&mut whole);
        let new = blob.get(start..).unwrap_or_default();
        self.mac.update(new);
        self.hash.update(new);
    }
}

/// Of padding at once.
const PIECE: u64 = 256 * 1024;
