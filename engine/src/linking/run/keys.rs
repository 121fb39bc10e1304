//! What both sides of a run compute: the commitment, the transcript, the digits, and the one sealed message.
//! It knows neither who sends what nor what is sealed.
//!
//! ```text
//! C    = SHA-256("lockstep/link/commit/v1", rendezvous, handle, ephemeral, device key, registration id, device name, nonce)
//! T    = SHA-256("lockstep/link/transcript/v1", rendezvous, message 0, message 1, message 2)
//! keys = HKDF-SHA256(salt T, X25519(ephemerals) | secret of the code, "lockstep/link/v1"): 32 key, 8 digits, 8 answer
//! ```
//!
//! Each part of a hash goes in with its length before it. Digits are the 8 bytes, big-endian, modulo 10^8; of the answer modulo
//! 10^4. The sealed message is ChaCha20-Poly1305 under the key, which is used once, with nonce 0 and T as associated data.

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Key, Nonce};
use hkdf::Hkdf;
use libsignal_protocol::{KeyPair, PublicKey};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::Fault;

const COMMIT: &[u8] = b"lockstep/link/commit/v1";
const TRANSCRIPT: &[u8] = b"lockstep/link/transcript/v1";
const INFO: &[u8] = b"lockstep/link/v1";

/// How many digits the new browser shows.
pub(crate) const DIGITS: usize = 8;
/// How many it is told.
pub(crate) const ANSWER_DIGITS: usize = 4;

/// What the new browser binds itself to.
pub(crate) struct Committed<'a> {
    pub(crate) rendezvous: &'a [u8; 16],
    pub(crate) handle: &'a str,
    pub(crate) ephemeral: &'a [u8],
    pub(crate) device_key: &'a [u8],
    pub(crate) registration_id: u32,
    pub(crate) device_name: &'a str,
    pub(crate) nonce: &'a [u8],
}

impl Committed<'_> {
    pub(crate) fn commitment(&self) -> [u8; 32] {
        let Self {
            rendezvous,
            handle,
            ephemeral,
            device_key,
            registration_id,
            device_name,
            nonce,
        } = self;
        hash(&[
            COMMIT,
            &rendezvous[..],
            handle.as_bytes(),
            ephemeral,
            device_key,
            &registration_id.to_be_bytes(),
            device_name.as_bytes(),
            nonce,
        ])
    }
}

/// What was said so far, in order.
pub(crate) fn transcript(rendezvous: &[u8; 16], messages: [&[u8]; 3]) -> [u8; 32] {
    let [commit, answer, reveal] = messages;
    hash(&[TRANSCRIPT, rendezvous, commit, answer, reveal])
}

fn hash(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

/// What both sides have once all is said, if nobody is between them.
pub(crate) struct Keys {
    transcript: [u8; 32],
    key: Zeroizing<[u8; 32]>,
    digits: Zeroizing<u64>,
    answer: Zeroizing<u64>,
}

impl Keys {
    /// `secret` is that of the code, or empty.
    pub(crate) fn agree(
        own: &KeyPair,
        their: &PublicKey,
        secret: &[u8],
        transcript: [u8; 32],
    ) -> Result<Self, Fault> {
        let agreement = own.private_key.calculate_agreement(their);
        let agreement = Zeroizing::new(agreement.map_err(|_| Fault::Key)?);
        if agreement.iter().all(|byte| *byte == 0) {
            return Err(Fault::Key);
        }
        let input = Zeroizing::new([&agreement, secret].concat());
        let mut out = Zeroizing::new([0; 48]);
        Hkdf::<Sha256>::new(Some(&transcript), &input)
            .expand(INFO, &mut out[..])
            .map_err(|_| Fault::Key)?;
        let (key, numbers) = out.split_first_chunk().ok_or(Fault::Key)?;
        let (digits, rest) = numbers.split_first_chunk().ok_or(Fault::Key)?;
        let answer = rest.first_chunk().ok_or(Fault::Key)?;
        Ok(Self {
            transcript,
            key: Zeroizing::new(*key),
            digits: Zeroizing::new(u64::from_be_bytes(*digits)),
            answer: Zeroizing::new(u64::from_be_bytes(*answer)),
        })
    }

    /// What the new browser shows, and the existing device is told.
    pub(crate) fn digits(&self) -> String {
        shown(*self.digits, DIGITS)
    }

    /// What the existing device shows, and the new browser is told.
    pub(crate) fn answer(&self) -> String {
        shown(*self.answer, ANSWER_DIGITS)
    }

    pub(crate) fn seal(&self, payload: &[u8]) -> Result<Vec<u8>, Fault> {
        let Self {
            transcript, key, ..
        } = self;
        let payload = Payload {
            msg: payload,
            aad: transcript,
        };
        let cipher = ChaCha20Poly1305::new(Key::from_slice(&key[..]));
        let sealed = cipher.encrypt(&Nonce::default(), payload);
        sealed.map_err(|_| Fault::Payload)
    }

    pub(crate) fn open(&self, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Fault> {
        let Self {
            transcript, key, ..
        } = self;
        let payload = Payload {
            msg: sealed,
            aad: transcript,
        };
        let cipher = ChaCha20Poly1305::new(Key::from_slice(&key[..]));
        let opened = cipher.decrypt(&Nonce::default(), payload);
        opened.map(Zeroizing::new).map_err(|_| Fault::Payload)
    }
}

/// The last so many digits of a number.
fn shown(number: u64, digits: usize) -> String {
    let text = format!("{number:020}");
    text.get(text.len() - digits..)
        .unwrap_or_default()
        .to_owned()
}

/// What a person typed, without what stands between groups; `None` if it is not so many digits.
pub(crate) fn typed(text: &str, digits: usize) -> Option<String> {
    let text: String = text.chars().filter(|c| !" -\u{a0}".contains(*c)).collect();
    let is_number = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then_some(text)
}

/// In a time that says nothing of where they differ.
pub(crate) fn is_same(one: &str, other: &str) -> bool {
    one.as_bytes().ct_eq(other.as_bytes()).into()
}
