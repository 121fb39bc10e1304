//! Attachments between a file in the browser and a blob at the relay.
//!
//! ```text
//!   upload:    File -- slices --> Encryptor -- slices --> PUT, PATCH..., POST        (docs/protocol.md, section 20)
//!   download:  GET ranges -- slices --> Decryptor --> parts of a Blob, given out only when all of it is right
//! ```
//!
//! Both hold a slice or two in memory, whatever the size, and outlive a lost network: they ask how far they are and go on. What
//! an upload needs to go on after the page was closed is a [`Plan`], plain data that the caller stores before it begins. It
//! knows no message and no store: the digest of an upload belongs into a `Pointer`, which a download starts from.

mod download;
mod http;
mod upload;

use std::fmt;

use js_sys::{ArrayBuffer, Promise, Uint8Array};
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::AbortSignal;

use crate::socket::RelayAddress;

pub use self::download::download;
pub use self::upload::upload;
pub use engine::attachment::Plan;

/// Of a file or a blob, at once in memory; a copy or two of it may be there, too. A little less than 1 MiB, which is
/// the largest body that some proxies let through unless they are told otherwise.
const SLICE: u64 = 1000 * 1024;

/// Where blobs are, and who asks.
#[derive(Clone)]
pub struct Access {
    /// The relay.
    pub relay: RelayAddress,
    /// The `authorization` header of this device; only uploads need it.
    pub authorization: Option<String>,
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Access")
    }
}

/// How far it is, in bytes of the blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// There.
    pub done: u64,
    /// In all.
    pub total: u64,
}

/// Who looks on, and may end it.
pub struct Watch<'a> {
    /// Called after each slice.
    pub progress: &'a dyn Fn(Progress),
    /// The page's.
    pub abort: Option<AbortSignal>,
}

impl fmt::Debug for Watch<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Watch")
    }
}

/// Why it ended without what was wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The page wanted it so.
    Aborted,
    /// The relay could not be reached for a while. The same plan goes on later.
    Lost,
    /// The relay does not know this device any more.
    SignedOut,
    /// The file is not what it was, or can't be read any more.
    Changed,
    /// More than may be attached.
    TooLarge,
    /// The account has uploaded enough for now. The same plan goes on later.
    Quota {
        /// Seconds until it may again.
        retry_after_s: u64,
    },
    /// The blob or the upload has had its time, or never was.
    Gone,
    /// What came is not what was sent: nothing of it is given out.
    Damaged,
    /// The relay says what nobody expects of it.
    Refused {
        /// HTTP status.
        status: u16,
    },
    /// The browser can't: no randomness, no memory, no storage for the parts.
    Browser,
}

impl Fault {
    /// Whether the same may succeed later without the person changing anything.
    #[must_use]
    pub const fn retry(self) -> bool {
        match self {
            Self::Lost | Self::Quota { .. } => true,
            Self::Aborted
            | Self::SignedOut
            | Self::Changed
            | Self::TooLarge
            | Self::Gone
            | Self::Damaged
            | Self::Refused { .. }
            | Self::Browser => false,
        }
    }
}

/// What a promise of an `ArrayBuffer` comes to: all of a file, or of an answer.
pub(crate) async fn bytes(buffer: Promise) -> Result<Vec<u8>, JsValue> {
    let buffer: ArrayBuffer = JsFuture::from(buffer).await?.dyn_into()?;
    Ok(Uint8Array::new(&buffer).to_vec())
}

fn browser(_: JsValue) -> Fault {
    Fault::Browser
}
