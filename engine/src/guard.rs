//! What must be true of keys and messages from outside before libsignal 0.85.3 sees them.
//!
//! That version panics on a truncated post-quantum header before it checks the MAC (V1), agrees on
//! an all-zero secret with low-order keys (V4), and ignores bytes after a key (V8). Rule G-1: no key
//! and no message from a socket reaches libsignal but through here. Nothing here is secret, knows a
//! session, or says that a message is genuine. The V numbers are those of `SECURITY.md`.

use std::fmt;

use libsignal_protocol::{IdentityKey, PreKeySignalMessage, PublicKey, SignalMessage, kem};

/// Why a key or message was refused. The sender is broken or hostile; there is nothing to retry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unacceptable {
    /// A key of the wrong length.
    KeyLength,
    /// A key of a kind that has no place here.
    KeyType,
    /// A low-order point, one outside the prime-order group, or a second encoding of one.
    KeyNotCanonical,
    /// A post-quantum header that would take libsignal down.
    PostQuantumHeader,
    /// A first message without the post-quantum part of the handshake.
    KyberMissing,
}

impl fmt::Display for Unacceptable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::KeyLength => "key of the wrong length",
            Self::KeyType => "key of the wrong type",
            Self::KeyNotCanonical => "key that is not canonical",
            Self::PostQuantumHeader => "malformed post-quantum header",
            Self::KyberMissing => "first message without a Kyber ciphertext",
        })
    }
}

impl std::error::Error for Unacceptable {}

/// An X25519 key: type byte 5 and 32 bytes, nothing after them (V8), canonical (V4).
pub(crate) fn public_key(bytes: &[u8]) -> Result<PublicKey, Unacceptable> {
    checked_length(bytes, PUBLIC_KEY_LENGTH, PUBLIC_KEY_TYPE)?;
    let key = PublicKey::deserialize(bytes).map_err(|_| Unacceptable::KeyType)?;
    canonical(&key)?;
    Ok(key)
}

/// An identity key: as [`public_key`]. With u = 0 as identity, forged signatures would verify.
pub(crate) fn identity_key(bytes: &[u8]) -> Result<IdentityKey, Unacceptable> {
    public_key(bytes).map(IdentityKey::new)
}

/// A Kyber1024 key: type byte 8 and 1568 bytes.
pub(crate) fn kyber_key(bytes: &[u8]) -> Result<kem::PublicKey, Unacceptable> {
    checked_length(bytes, KYBER_KEY_LENGTH, KYBER_KEY_TYPE)?;
    kem::PublicKey::deserialize(bytes).map_err(|_| Unacceptable::KeyType)
}

/// A message of a session: its post-quantum header (V1) and its ratchet key (V4).
pub(crate) fn signal_message(message: &SignalMessage) -> Result<(), Unacceptable> {
    post_quantum_header(message.pq_ratchet())?;
    contributory(message.sender_ratchet_key())
}

/// A message that starts a session, and the one inside it.
pub(crate) fn pre_key_message(message: &PreKeySignalMessage) -> Result<(), Unacceptable> {
    if message.kyber_pre_key_id().is_none() || message.kyber_ciphertext().is_none() {
        return Err(Unacceptable::KyberMissing);
    }
    signal_message(message.message())?;
    contributory(message.base_key())?;
    canonical(message.identity_key().public_key())
}

fn checked_length(bytes: &[u8], length: usize, kind: u8) -> Result<(), Unacceptable> {
    if bytes.len() != length {
        Err(Unacceptable::KeyLength)
    } else if bytes.first() != Some(&kind) {
        Err(Unacceptable::KeyType)
    } else {
        Ok(())
    }
}

fn canonical(key: &PublicKey) -> Result<(), Unacceptable> {
    if key.is_canonical() {
        Ok(())
    } else {
        Err(Unacceptable::KeyNotCanonical)
    }
}

/// For keys that are used once and identify nobody: the canonical encoding of a key whose agreements
/// are never all zero, which is what later versions of libsignal ask for. [`canonical`] costs as much
/// as the rest of a decryption, and this is asked of every message.
fn contributory(key: &PublicKey) -> Result<(), Unacceptable> {
    let bytes: &[u8; 32] = key
        .public_key_bytes()
        .try_into()
        .map_err(|_| Unacceptable::KeyLength)?;
    let [first, middle @ .., last] = bytes;
    let zero_or_one = *first <= 1 && *middle == [0; 30] && *last == 0;
    let prime_minus_one_or_more = *first >= 0xEC && *middle == [0xFF; 30] && *last == 0x7F;
    let top_bit = last & 0x80 != 0;
    if zero_or_one || prime_minus_one_or_more || top_bit || ORDER_EIGHT.contains(bytes) {
        Err(Unacceptable::KeyNotCanonical)
    } else {
        Ok(())
    }
}

/// `version 1 | epoch varint | index varint | kind | [chunk index varint | 32 bytes]`, as far as
/// libsignal would stumble over it: an end before the kind is an index out of bounds, epoch 0 and
/// varints of more than ten bytes are arithmetic overflows. What is merely wrong it refuses itself.
fn post_quantum_header(header: &[u8]) -> Result<(), Unacceptable> {
    let malformed = Unacceptable::PostQuantumHeader;
    let Some((version, rest)) = header.split_first() else {
        return Ok(());
    };
    if *version != PQ_VERSION {
        return Err(malformed);
    }
    let (epoch, rest) = varint(rest).ok_or(malformed)?;
    let (index, rest) = varint(rest).ok_or(malformed)?;
    if epoch == 0 || u32::try_from(index).is_err() {
        return Err(malformed);
    }
    let (kind, rest) = rest.split_first().ok_or(malformed)?;
    if PQ_KINDS_WITH_CHUNK.contains(kind) {
        varint(rest).ok_or(malformed)?;
    }
    Ok(())
}

/// The value of a varint of at most ten bytes, and what follows it.
fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0_u64;
    for (at, byte) in bytes.iter().take(VARINT_LENGTH_MAX).enumerate() {
        value |= u64::from(byte & 0x7F) << (7 * at);
        if byte & 0x80 == 0 {
            return Some((value, bytes.get(at + 1..)?));
        }
    }
    None
}

const PUBLIC_KEY_LENGTH: usize = 33;
const PUBLIC_KEY_TYPE: u8 = 5;
const KYBER_KEY_LENGTH: usize = 1569;
const KYBER_KEY_TYPE: u8 = 8;
/// The two u coordinates of points of order 8; those of lower order are 0, 1 and p - 1.
const ORDER_EIGHT: [[u8; 32]; 2] = [
    [
        0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4,
        0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49,
        0xb8, 0x00,
    ],
    [
        0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef,
        0x5b, 0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f,
        0x11, 0x57,
    ],
];
const PQ_VERSION: u8 = 1;
/// Header, encapsulation key (with and without ack), both parts of the ciphertext.
const PQ_KINDS_WITH_CHUNK: [u8; 5] = [1, 2, 3, 5, 6];
const VARINT_LENGTH_MAX: usize = 10;

#[cfg(test)]
pub(crate) mod tests;
