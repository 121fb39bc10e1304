//! Names of devices, readable by the devices of their own account alone: Signal's scheme.
//! The relay keeps the bytes; it knows neither this nor who calls what a laptop.
//!
//! ```text
//! master = X25519(throw-away private key, the account's identity key)
//! iv     = HMAC-SHA256(HMAC-SHA256(master, "auth"), name), its first 16 bytes
//! key    = HMAC-SHA256(HMAC-SHA256(master, "cipher"), iv)
//! name   = AES-256-CTR(key, counter 0)
//! ```
//!
//! The iv is made of the name, so it is checked again after decryption. Anybody who knows the
//! identity key can make a name: one is shown as a claim, never used to tell devices apart.

use hmac::{Hmac, Mac as _};
use libsignal_protocol::{IdentityKey, IdentityKeyPair, KeyPair, PrivateKey, PublicKey};
use prost::Message as _;
use sha2::Sha256;
use signal_crypto::Aes256Ctr32;
use wire::limits::DEVICE_NAME_MAX;
use wire::proto::provisioning::DeviceName;
use zeroize::Zeroizing;

use crate::guard;

/// Encrypts a name: a serialized `DeviceName` of at most [`DEVICE_NAME_MAX`] bytes. A longer name is cut.
pub(crate) fn encrypt(
    name: &str,
    identity: &IdentityKey,
    rng: &mut (impl rand::Rng + rand::CryptoRng),
) -> Vec<u8> {
    seal(name, identity, &KeyPair::generate(rng))
}

/// Decrypts a name, if it is one for this identity key.
pub(crate) fn decrypt(bytes: &[u8], identity: &IdentityKeyPair) -> Option<String> {
    let DeviceName {
        ephemeral_public,
        synthetic_iv,
        ciphertext,
    } = DeviceName::decode(bytes).ok()?;
    let ephemeral = guard::public_key(&ephemeral_public?).ok()?;
    let iv: [u8; IV_LENGTH] = synthetic_iv?.try_into().ok()?;
    let mut name = ciphertext?;

    let master = Master::agree(identity.private_key(), &ephemeral);
    master.apply_cipher(&iv, &mut name);
    master
        .synthetic_mac(&name)
        .verify_truncated_left(&iv)
        .ok()?;
    String::from_utf8(name).ok()
}

/// [`encrypt`], with its randomness chosen.
fn seal(name: &str, identity: &IdentityKey, own: &KeyPair) -> Vec<u8> {
    let (name, _) = name.split_at(name.floor_char_boundary(NAME_MAX));
    let master = Master::agree(&own.private_key, identity.public_key());
    let iv = master.synthetic_iv(name.as_bytes());
    let mut ciphertext = name.as_bytes().to_vec();
    master.apply_cipher(&iv, &mut ciphertext);
    DeviceName {
        ephemeral_public: Some(own.public_key.serialize().into_vec()),
        synthetic_iv: Some(iv.to_vec()),
        ciphertext: Some(ciphertext),
    }
    .encode_to_vec()
}

/// The shared secret that iv and key come from.
struct Master(Zeroizing<Box<[u8]>>);

impl Master {
    #[expect(
        clippy::expect_used,
        reason = "X25519 fails only on lengths, which the types fix"
    )]
    fn agree(own: &PrivateKey, their: &PublicKey) -> Self {
        let shared = own
            .calculate_agreement(their)
            .expect("both are X25519 keys");
        Self(Zeroizing::new(shared))
    }

    fn synthetic_mac(&self, name: &[u8]) -> Hmac<Sha256> {
        let key = finish(hmac(&self.0, b"auth"));
        hmac(&key[..], name)
    }

    fn synthetic_iv(&self, name: &[u8]) -> [u8; IV_LENGTH] {
        let mut iv = [0; IV_LENGTH];
        let mac = finish(self.synthetic_mac(name));
        iv.iter_mut()
            .zip(mac.iter())
            .for_each(|(to, from)| *to = *from);
        iv
    }

    /// Encrypts or decrypts in place.
    #[expect(
        clippy::expect_used,
        reason = "AES-256-CTR fails only on lengths, which the types fix"
    )]
    fn apply_cipher(&self, iv: &[u8; IV_LENGTH], bytes: &mut [u8]) {
        let key = finish(hmac(&self.0, b"cipher"));
        let key = finish(hmac(&key[..], iv));
        let cipher = Aes256Ctr32::from_key(&key[..], &[0; Aes256Ctr32::NONCE_SIZE], 0);
        cipher.expect("a key of 32 bytes").process(bytes);
    }
}

#[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
fn hmac(key: &[u8], bytes: &[u8]) -> Hmac<Sha256> {
    let mac = <Hmac<Sha256> as hmac::Mac>::new_from_slice(key);
    mac.expect("any key will do").chain_update(bytes)
}

fn finish(mac: Hmac<Sha256>) -> Zeroizing<[u8; 32]> {
    Zeroizing::new(mac.finalize().into_bytes().into())
}

const IV_LENGTH: usize = 16;
/// What is left for the name after the tags and lengths of three fields, a key and the iv.
const NAME_MAX: usize = DEVICE_NAME_MAX - (2 + 33) - (2 + IV_LENGTH) - 3;

#[cfg(test)]
mod tests;
