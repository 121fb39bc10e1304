//! The account key, sealed by what twelve words stand for and bound to the account.
//!
//! `1 ‖ nonce (12) ‖ AES-256-GCM-SIV(account private key (32) ‖ profile key (32))`, under HKDF-SHA-256 of the words with the
//! account's id as salt; the account's id is authenticated, too. All lengths are fixed: one text has one meaning.
//! It does not know where the sealed bytes are kept.

use aes_gcm_siv::aead::{Aead, Payload};
use aes_gcm_siv::{Aes256GcmSiv, KeyInit, Nonce};
use hkdf::Hkdf;
use libsignal_protocol::{IdentityKey, IdentityKeyPair, PrivateKey};
use rand::RngCore;
use rand_chacha::ChaCha20Rng;
use sha2::Sha256;
use wire::AccountId;
use zeroize::Zeroizing;

use super::words::Entropy;

/// What a device needs to become one that holds the account key.
pub(super) struct Contents {
    pub(super) identity: IdentityKeyPair,
    pub(super) profile_key: [u8; PROFILE_KEY],
}

const VERSION: u8 = 1;
const NONCE: usize = 12;
const PRIVATE_KEY: usize = 32;
const PROFILE_KEY: usize = 32;
const KEY_CONTEXT: &[u8] = b"Lockstep recovery key 1";
const SEALED_CONTEXT: &[u8] = b"Lockstep recovery sealed 1\0";

pub(super) fn seal(
    entropy: &Entropy,
    account: AccountId,
    contents: &Contents,
    rng: &mut ChaCha20Rng,
) -> Option<Vec<u8>> {
    let private = Zeroizing::new(contents.identity.private_key().serialize());
    let plain = Zeroizing::new([private.as_slice(), &contents.profile_key].concat());
    let mut nonce = [0; NONCE];
    rng.fill_bytes(&mut nonce);
    let aad = bound_to(account);
    let payload = Payload {
        msg: &plain,
        aad: &aad,
    };
    let sealed = cipher(entropy, account)?
        .encrypt(Nonce::from_slice(&nonce), payload)
        .ok()?;
    Some([&[VERSION], nonce.as_slice(), &sealed].concat())
}

/// What was sealed by these words for this account; nothing else opens.
pub(super) fn open(entropy: &Entropy, account: AccountId, sealed: &[u8]) -> Option<Contents> {
    let (version, rest) = sealed.split_first()?;
    let (nonce, sealed) = rest.split_at_checked(NONCE)?;
    if *version != VERSION {
        return None;
    }
    let aad = bound_to(account);
    let payload = Payload {
        msg: sealed,
        aad: &aad,
    };
    let plain = cipher(entropy, account)?
        .decrypt(Nonce::from_slice(nonce), payload)
        .ok()
        .map(Zeroizing::new)?;
    let (private, profile_key) = plain.split_at_checked(PRIVATE_KEY)?;
    let private = PrivateKey::deserialize(private).ok()?;
    let public = IdentityKey::new(private.public_key().ok()?);
    Some(Contents {
        identity: IdentityKeyPair::new(public, private),
        profile_key: profile_key.try_into().ok()?,
    })
}

fn cipher(entropy: &Entropy, account: AccountId) -> Option<Aes256GcmSiv> {
    let mut key = Zeroizing::new([0; 32]);
    Hkdf::<Sha256>::new(Some(account.as_bytes()), entropy.as_slice())
        .expand(KEY_CONTEXT, key.as_mut_slice())
        .ok()?;
    Aes256GcmSiv::new_from_slice(key.as_slice()).ok()
}

fn bound_to(account: AccountId) -> Vec<u8> {
    [SEALED_CONTEXT, account.as_bytes()].concat()
}

#[cfg(test)]
mod tests;
