//! All that an upload is determined by, but the content: kept until it is done, it is what the upload goes on with after
//! a page was closed. It does not know how far the upload is; the relay says that.

use wire::BlobId;

use super::{AttachmentKey, Details, Pointer};

/// What an upload goes on with. With other content it must not be used again: then another one is drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Where it goes.
    pub blob: BlobId,
    /// What it is encrypted with.
    pub key: AttachmentKey,
    /// Beginning of the blob.
    pub iv: [u8; 16],
    /// Of the content, in bytes.
    pub size: u64,
}

impl Plan {
    /// Random bytes that a plan is made of.
    pub const RANDOM: usize = 96;

    /// For content of this size, from bytes that randomness made.
    #[must_use]
    pub fn from_random(random: &[u8; Self::RANDOM], size: u64) -> Self {
        let mut bytes = random.iter().copied();
        Self {
            blob: BlobId::from_bytes(next(&mut bytes)),
            key: AttachmentKey::from_bytes(next(&mut bytes)),
            iv: next(&mut bytes),
            size,
        }
    }

    /// For a record. It holds the key.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let Self {
            blob,
            key,
            iv,
            size,
        } = self;
        let size = size.to_be_bytes();
        [&blob.as_bytes()[..], &key.as_bytes()[..], iv, &size].concat()
    }

    /// Of a record.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (random, size) = bytes.split_first_chunk()?;
        let size = u64::from_be_bytes(size.try_into().ok()?);
        Some(Self::from_random(random, size))
    }

    /// What goes into the message once the upload is done.
    #[must_use]
    pub fn pointer(&self, digest: [u8; 32], details: Details) -> Pointer {
        let Self {
            blob,
            key,
            iv: _,
            size,
        } = self.clone();
        Pointer {
            blob,
            key,
            digest,
            size,
            details,
        }
    }
}

fn next<const N: usize>(bytes: &mut impl Iterator<Item = u8>) -> [u8; N] {
    let mut part = [0; N];
    part.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
    part
}
