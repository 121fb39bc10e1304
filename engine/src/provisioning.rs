//! Signal's provisioning cipher: what an existing device tells a new one, sealed to the key that the
//! new one showed. It knows nothing of sockets, accounts or of what the message means.
//!
//! ```text
//! envelope = { public key of the approving device's throw-away pair, body }
//! body     = version 1 | IV (16) | AES-256-CBC | HMAC-SHA256 (32) over all before it
//! keys     = HKDF-SHA256(X25519, no salt, "TextSecure Provisioning Message"): 32 cipher, 32 MAC
//! ```
//!
//! Rule L-4: the MAC is checked before anything is decrypted. The envelope proves only that its maker
//! has seen the link URI; who that was, only the person knows who showed it.

use std::fmt;

use hkdf::Hkdf;
use hmac::{Hmac, Mac as _};
use libsignal_protocol::{KeyPair, PublicKey};
use prost::Message as _;
use sha2::Sha256;
use signal_crypto::{aes_256_cbc_decrypt, aes_256_cbc_encrypt};
use wire::proto::provisioning::{ProvisionEnvelope, ProvisionMessage};
use zeroize::Zeroizing;

use crate::guard::{self, Unacceptable};

/// Why an envelope was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProvisioningFault {
    /// Not a `ProvisionEnvelope`, or too short for one.
    Malformed,
    /// Made by another version of the cipher.
    Version,
    /// Its key is not one to agree with.
    Key(Unacceptable),
    /// Made for another key, or changed on the way.
    Mac,
    /// Genuine, but what is inside is not a `ProvisionMessage`.
    Content,
}

impl fmt::Display for ProvisioningFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "not a provisioning envelope",
            Self::Version => "provisioning envelope of another version",
            Self::Key(reason) => return write!(f, "provisioning envelope with a {reason}"),
            Self::Mac => "provisioning envelope for another key, or damaged",
            Self::Content => "provisioning envelope without a provisioning message",
        })
    }
}

impl std::error::Error for ProvisioningFault {}

/// Seals `message` to the key of a waiting device: a serialized `ProvisionEnvelope`.
/// `to` has come through [`guard::public_key`].
pub(crate) fn encrypt(
    message: &ProvisionMessage,
    to: &PublicKey,
    rng: &mut (impl rand::Rng + rand::CryptoRng),
) -> Vec<u8> {
    let own = KeyPair::generate(rng);
    let mut iv = [0; IV_LENGTH];
    rng.fill_bytes(&mut iv);
    seal(message, to, &own, iv)
}

/// Opens a `ProvisionEnvelope` that was made for `own`.
pub(crate) fn decrypt(
    own: &KeyPair,
    envelope: &[u8],
) -> Result<ProvisionMessage, ProvisioningFault> {
    let ProvisionEnvelope { public_key, body } =
        ProvisionEnvelope::decode(envelope).map_err(|_| ProvisioningFault::Malformed)?;
    let (public_key, body) = public_key.zip(body).ok_or(ProvisioningFault::Malformed)?;
    let public_key = guard::public_key(&public_key).map_err(ProvisioningFault::Key)?;

    let (version, _) = body.split_first().ok_or(ProvisioningFault::Malformed)?;
    if *version != VERSION {
        return Err(ProvisioningFault::Version);
    }
    let (authentic, tag) = body
        .split_last_chunk::<MAC_LENGTH>()
        .ok_or(ProvisioningFault::Malformed)?;
    let iv_and_ciphertext = authentic.get(1..).ok_or(ProvisioningFault::Malformed)?;
    let (iv, ciphertext) = iv_and_ciphertext
        .split_first_chunk::<IV_LENGTH>()
        .ok_or(ProvisioningFault::Malformed)?;
    if ciphertext.is_empty() {
        return Err(ProvisioningFault::Malformed);
    }

    let keys = Keys::agree(own, &public_key);
    keys.mac(authentic)
        .verify_slice(tag)
        .map_err(|_| ProvisioningFault::Mac)?;
    let plaintext = aes_256_cbc_decrypt(ciphertext, &keys.cipher[..], iv)
        .map(Zeroizing::new)
        .map_err(|_| ProvisioningFault::Content)?;
    ProvisionMessage::decode(plaintext.as_slice()).map_err(|_| ProvisioningFault::Content)
}

/// [`encrypt`], with its randomness chosen.
#[expect(
    clippy::expect_used,
    reason = "AES-256-CBC fails only on lengths, which the types fix"
)]
fn seal(message: &ProvisionMessage, to: &PublicKey, own: &KeyPair, iv: [u8; IV_LENGTH]) -> Vec<u8> {
    let keys = Keys::agree(own, to);
    let plaintext = Zeroizing::new(message.encode_to_vec());
    let ciphertext =
        aes_256_cbc_encrypt(&plaintext, &keys.cipher[..], &iv).expect("32 and 16 bytes");

    let mut body = Vec::with_capacity(1 + IV_LENGTH + ciphertext.len() + MAC_LENGTH);
    body.push(VERSION);
    body.extend_from_slice(&iv);
    body.extend_from_slice(&ciphertext);
    let tag = keys.mac(&body).finalize().into_bytes();
    body.extend_from_slice(&tag);

    let public_key = Some(own.public_key.serialize().into_vec());
    ProvisionEnvelope {
        public_key,
        body: Some(body),
    }
    .encode_to_vec()
}

/// What both sides derive from the agreement.
struct Keys {
    cipher: Zeroizing<[u8; 32]>,
    mac: Zeroizing<[u8; 32]>,
}

impl Keys {
    #[expect(
        clippy::expect_used,
        reason = "X25519 and HKDF fail only on lengths, which the types fix"
    )]
    fn agree(own: &KeyPair, their: &PublicKey) -> Self {
        let shared = own
            .private_key
            .calculate_agreement(their)
            .expect("both are X25519 keys");
        let shared = Zeroizing::new(shared);
        let mut derived = Zeroizing::new([[0; 32]; 2]);
        Hkdf::<Sha256>::new(None, &shared)
            .expand(INFO, derived.as_flattened_mut())
            .expect("64 bytes are within what SHA-256 expands to");
        let [cipher, mac] = *derived;
        Self {
            cipher: Zeroizing::new(cipher),
            mac: Zeroizing::new(mac),
        }
    }

    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
    fn mac(&self, authentic: &[u8]) -> Hmac<Sha256> {
        let mac = <Hmac<Sha256> as hmac::Mac>::new_from_slice(&self.mac[..]);
        mac.expect("a key of 32 bytes").chain_update(authentic)
    }
}

const VERSION: u8 = 1;
const IV_LENGTH: usize = 16;
const MAC_LENGTH: usize = 32;
const INFO: &[u8] = b"TextSecure Provisioning Message";

#[cfg(test)]
mod tests;
