//! Attachments as Signal encrypts them, in a stream: content goes in a piece at a time, the blob comes out, and back.
//!
//! ```text
//!   blob    = iv (16) | AES-256-CBC, PKCS#7, of: content, zeros up to `padded_size` | HMAC-SHA256 of all before (32)
//!   key     = AES key (32) | HMAC key (32)          digest = SHA-256 of the blob
//! ```
//!
//! Pure: no storage, no network, no randomness of its own. It does not know where a blob lies; [`Pointer`] does, and what is
//! in a message about it. Decryption gives [`Unproven`] content until the end has shown that all of it is right.

mod carried;
mod decrypt;
mod encrypt;
mod plan;
mod pointer;
#[cfg(test)]
mod tests;

use std::fmt;

use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use wire::limits::ATTACHMENT_MAX;
use zeroize::Zeroizing;

pub(crate) use self::carried::{called, kept, shown};
pub use self::decrypt::{Damaged, Decryptor, Unproven};
pub use self::encrypt::{Encryptor, NotAsDeclared, Rest};
pub use self::plan::Plan;
pub use self::pointer::{Details, Pointer, Style};

/// The key of one attachment, and of no other: drawn anew for each, also when an upload begins anew.
#[derive(Clone, PartialEq, Eq)]
pub struct AttachmentKey(Zeroizing<[u8; 64]>);

impl AttachmentKey {
    /// From 64 bytes that randomness made.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 64]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The 64 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 64] {
        &self.0
    }

    /// The key of the cipher.
    fn cipher(&self) -> [u8; 32] {
        let mut key = [0; 32];
        key.iter_mut()
            .zip(self.0.iter())
            .for_each(|(to, from)| *to = *from);
        key
    }

    /// A MAC under the other half. Of 32 bytes it is shorter than a block of the hash: zeros follow it, as HMAC says.
    fn mac(&self) -> Hmac<Sha256> {
        let mut block = hmac::digest::Key::<Hmac<Sha256>>::default();
        let half = self.0.iter().skip(32);
        block
            .iter_mut()
            .zip(half)
            .for_each(|(to, from)| *to = *from);
        Hmac::new(&block)
    }
}

impl fmt::Debug for AttachmentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AttachmentKey")
    }
}

/// How large content is made before encryption, so that its size says little: the next step of 5 %, and never less than
/// 541. In integers, since what floating point makes of it is not the same everywhere.
#[must_use]
pub fn padded_size(size: u64) -> u64 {
    // 1.05ⁿ with 64 bits behind the point. It is whole for n = 0 alone, so rounding down and comparing is exact.
    let mut power = 1_u128 << 64;
    while (power >> 64) < u128::from(size.min(ATTACHMENT_MAX)) {
        power = power * 21 / 20;
    }
    u64::try_from(power >> 64).map_or(u64::MAX, |step| step.max(PADDED_MIN))
}

/// How large the blob of such content is.
#[must_use]
pub fn blob_size(size: u64) -> u64 {
    let blocks = padded_size(size) / BLOCK as u64 + 1;
    IV as u64 + blocks * BLOCK as u64 + MAC as u64
}

const PADDED_MIN: u64 = 541;
const BLOCK: usize = 16;
const IV: usize = 16;
const MAC: usize = 32;
