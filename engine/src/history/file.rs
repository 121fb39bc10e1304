//! A file of history: pieces one behind the other, each encrypted under the file's one key, which is shown to the person once.
//!
//! ```text
//!   file   = "LOCKSTEP-ARCHIVE" | version (4) | pieces (4) | each: size of the piece (4) | size of its blob (4) | blob
//!   blob   = as of an attachment (`attachment`), under 64 bytes that HKDF-SHA256 makes of the key's 32
//! ```
//!
//! Numbers are big-endian. That pieces are whole, in order and all there is known when each was read: they say their place.
//! Pure; it does not know where the file lies, nor what is in a piece.

use std::fmt;
use std::fmt::Write as _;

use hkdf::Hkdf;
use sha2::{Digest as _, Sha256};

use crate::attachment::{AttachmentKey, Decryptor, Encryptor, Rest, blob_size};
use crate::limits::PIECE_MAX;

/// Begins every such file.
pub const MAGIC: &[u8; 16] = b"LOCKSTEP-ARCHIVE";
/// The version that is written, and the only one that is read.
pub const VERSION: u32 = 1;
/// Bytes before the first piece.
pub const HEADER: usize = 24;
/// Bytes before each blob.
pub const FRAME: usize = 8;
/// Pieces of one file: hundreds of gigabytes.
pub const PIECES_MAX: u32 = 1_000_000;

/// What a file is read with.
pub struct FileKey([u8; 32]);

impl fmt::Debug for FileKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FileKey")
    }
}

impl FileKey {
    /// From 32 bytes that randomness made, for one file.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// As a person keeps it: eight groups of eight digits.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        for (at, byte) in self.0.iter().enumerate() {
            let dash = if at > 0 && at % 4 == 0 { "-" } else { "" };
            // Writing into a string does not fail.
            let _ = write!(text, "{dash}{byte:02x}");
        }
        text
    }

    /// Of a text as a person types or pastes it.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        let is_between = |c: &char| c.is_whitespace() || *c == '-';
        let digits = text.chars().filter(|c| !is_between(c));
        let digits: Vec<u32> = digits.map(|c| c.to_digit(16)).collect::<Option<_>>()?;
        let byte = |pair: &[u32]| match pair {
            [high, low] => u8::try_from(high * 16 + low).ok(),
            _ => None,
        };
        let bytes: Vec<u8> = digits.chunks(2).map(byte).collect::<Option<_>>()?;
        Some(Self(bytes.try_into().ok()?))
    }

    /// A piece as it stands in the file, its frame included. The iv is drawn at random for each.
    #[must_use]
    pub fn seal(&self, iv: [u8; 16], piece: &[u8]) -> Option<Vec<u8>> {
        let size = u32::try_from(piece.len()).ok()?;
        let blob = u32::try_from(blob_size(size.into())).ok()?;
        let mut out = [size.to_be_bytes(), blob.to_be_bytes()].concat();
        let mut encryptor = Box::new(Encryptor::new(&self.key()?, iv, size.into()).ok()?);
        encryptor.add(piece, &mut out).ok()?;
        loop {
            match encryptor.rest(&mut out).ok()? {
                Rest::More(more) => encryptor = more,
                Rest::Done(_) => return Some(out),
            }
        }
    }

    /// The piece of a blob; `None` if it is damaged or has another key.
    #[must_use]
    pub fn open(&self, size: u32, blob: &[u8]) -> Option<Vec<u8>> {
        let digest = Sha256::digest(blob).into();
        let mut decryptor = Decryptor::new(&self.key()?, digest, size.into());
        let mut piece = decryptor.add(blob).ok()?.put_aside();
        piece.extend(decryptor.finish().ok()?);
        Some(piece)
    }

    fn key(&self) -> Option<AttachmentKey> {
        let mut key = [0; 64];
        let hkdf = Hkdf::<Sha256>::new(None, &self.0);
        hkdf.expand(MAGIC, &mut key).ok()?;
        Some(AttachmentKey::from_bytes(key))
    }
}

/// The beginning of a file of so many pieces.
#[must_use]
pub fn header(pieces: u32) -> Vec<u8> {
    [
        MAGIC.as_slice(),
        &VERSION.to_be_bytes(),
        &pieces.to_be_bytes(),
    ]
    .concat()
}

/// Version and number of pieces of a file that begins so.
#[must_use]
pub fn read_header(bytes: &[u8]) -> Option<(u32, u32)> {
    let rest = bytes.strip_prefix(MAGIC.as_slice())?;
    let (version, rest) = rest.split_first_chunk()?;
    let pieces = u32::from_be_bytes(rest.try_into().ok()?);
    (pieces <= PIECES_MAX).then_some((u32::from_be_bytes(*version), pieces))
}

/// Sizes of the piece and the blob that follows, if they fit each other.
#[must_use]
pub fn read_frame(bytes: &[u8]) -> Option<(u32, u32)> {
    let (size, blob) = bytes.split_first_chunk()?;
    let (size, blob) = (
        u32::from_be_bytes(*size),
        u32::from_be_bytes(blob.try_into().ok()?),
    );
    let fits = u64::from(size) <= PIECE_MAX as u64 && blob_size(size.into()) == u64::from(blob);
    fits.then_some((size, blob))
}
