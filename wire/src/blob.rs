//! Blobs (ours): files that were encrypted before they came here, on the relay's HTTP port, apart from the sockets.
//! What is in them, and who may know of one, is not known here: whoever has the id may fetch.
//!
//! ```text
//!   PUT    /v1/blobs/{id}   {size}           begins an upload, or asks how far it is
//!   PATCH  /v1/blobs/{id}   upload-offset    the next bytes
//!   POST   /v1/blobs/{id}   {sha256}         all is there: checked and made durable
//!   DELETE /v1/blobs/{id}                    ends it
//!   GET    /v1/blobs/{id}   range            fetches, without saying who asks
//! ```

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::DecodeError;
use crate::body::Base64;

/// The path below which all blobs are.
pub const BLOBS_PATH: &str = "/v1/blobs/";
/// Header of a `PATCH`: where its bytes begin.
pub const UPLOAD_OFFSET: &str = "upload-offset";

/// Names a blob: 16 random bytes, drawn by whoever uploads, so that an upload can be begun twice and still be one.
/// Written as 32 lower-case hexadecimal digits. It is all that is needed to fetch, so `Debug` does not show it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BlobId([u8; 16]);

impl BlobId {
    /// From 16 bytes, which only randomness should have made.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The 16 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// The path of this blob.
    #[must_use]
    pub fn path(&self) -> String {
        format!("{BLOBS_PATH}{self}")
    }
}

impl FromStr for BlobId {
    type Err = DecodeError;

    /// Exactly what [`fmt::Display`] writes: one blob has one name.
    fn from_str(text: &str) -> Result<Self, DecodeError> {
        let invalid = DecodeError::Invalid { field: "blob id" };
        let digits = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if text.len() != 32 || !text.bytes().all(digits) {
            return Err(invalid);
        }
        let number = u128::from_str_radix(text, 16).map_err(|_| invalid)?;
        Ok(Self(number.to_be_bytes()))
    }
}

impl TryFrom<String> for BlobId {
    type Error = DecodeError;

    fn try_from(text: String) -> Result<Self, DecodeError> {
        text.parse()
    }
}

impl From<BlobId> for String {
    fn from(id: BlobId) -> Self {
        id.to_string()
    }
}

impl fmt::Display for BlobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl fmt::Debug for BlobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BlobId")
    }
}

/// Body of `PUT /v1/blobs/{id}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BeginBlob {
    /// How large the blob will be, in bytes.
    pub size: u64,
}

/// Answer of `PUT` and `PATCH`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlobProgress {
    /// How many bytes are there.
    pub offset: u64,
    /// Whether the blob was completed, so that it can be fetched.
    pub complete: bool,
}

/// Body of `POST /v1/blobs/{id}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompleteBlob {
    /// SHA-256 of the whole blob, 32 bytes.
    pub sha256: Base64,
}
