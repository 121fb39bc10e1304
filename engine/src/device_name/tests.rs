//! Names against themselves, against damage, and against one that an independent program encrypted
//! (Node's `crypto`: X25519, createHmac, aes-256-ctr).

use rand::SeedableRng as _;
use rand_chacha::ChaCha20Rng;

use super::*;

const IDENTITY: &str = "689f6a627384c7dcb2dcc1487e540223e77bdf9dcd0d8be8a326eda65b0ce964";
const THROW_AWAY: &str = "908684bc4d5d949b881d91f4db0947a4ea2e2ad9c22dc6df70e6b4d10f527162";
const NAME: &str = "Ada’s Laptop 💻";
const ENCRYPTED: &str = "0a21051b139893dc3667649c07fd0d4760a8616173c2eb865a6f66d9919e9f9519ac701210b8c82c05235503d4\
    af9c4cb7d4993d061a13752918fa7c27ca8054667231f916e66029cd85";

#[test]
fn names_are_those_of_another_program() {
    let identity = identity();
    assert_eq!(decrypt(&unhex(ENCRYPTED), &identity).as_deref(), Some(NAME));
    let own = KeyPair::try_from(private(THROW_AWAY)).unwrap();
    assert_eq!(seal(NAME, identity.identity_key(), &own), unhex(ENCRYPTED));
}

#[test]
fn what_was_encrypted_is_decrypted() {
    let (identity, mut rng) = (identity(), rng());
    for name in ["", "a", "Phone", NAME, &"x".repeat(NAME_MAX)] {
        let bytes = encrypt(name, identity.identity_key(), &mut rng);
        assert_eq!(decrypt(&bytes, &identity).as_deref(), Some(name));
    }
}

#[test]
fn the_same_name_twice_is_different_bytes() {
    let (identity, mut rng) = (identity(), rng());
    let mut once = || encrypt(NAME, identity.identity_key(), &mut rng);
    assert_ne!(once(), once());
}

#[test]
fn a_long_name_is_cut_between_characters() {
    let (identity, mut rng) = (identity(), rng());
    for (character, kept) in [("x", 169), ("é", 84), ("’", 56), ("💻", 42)] {
        let bytes = encrypt(&character.repeat(200), identity.identity_key(), &mut rng);
        assert!(bytes.len() <= DEVICE_NAME_MAX);
        assert_eq!(decrypt(&bytes, &identity), Some(character.repeat(kept)));
    }
    let longest = encrypt(&"x".repeat(200), identity.identity_key(), &mut rng);
    assert_eq!(longest.len(), DEVICE_NAME_MAX, "no byte is left unused");
}

#[test]
fn a_name_with_a_flipped_bit_is_refused() {
    let (identity, honest) = (identity(), unhex(ENCRYPTED));
    for at in 0..honest.len() {
        for bit in 0..8 {
            let mut bytes = honest.clone();
            bytes[at] ^= 1 << bit;
            assert_eq!(decrypt(&bytes, &identity), None, "byte {at}, bit {bit}");
        }
    }
}

#[test]
fn a_truncated_name_is_refused() {
    let honest = unhex(ENCRYPTED);
    for length in 0..honest.len() {
        assert_eq!(
            decrypt(&honest[..length], &identity()),
            None,
            "{length} bytes"
        );
    }
}

#[test]
fn a_name_for_another_account_is_refused() {
    let other = IdentityKeyPair::generate(&mut rng());
    assert_eq!(decrypt(&unhex(ENCRYPTED), &other), None);
}

#[test]
fn a_name_to_a_low_order_key_is_refused() {
    // With u = 0 the secret is all zero, so anybody could write a name that decrypts.
    let zero = [[5].as_slice(), &[0; 32]].concat();
    let master = Master(Zeroizing::new(vec![0; 32].into_boxed_slice()));
    let iv = master.synthetic_iv(b"forged");
    let mut ciphertext = b"forged".to_vec();
    master.apply_cipher(&iv, &mut ciphertext);
    let name = DeviceName {
        ephemeral_public: Some(zero),
        synthetic_iv: Some(iv.to_vec()),
        ciphertext: Some(ciphertext),
    };
    assert_eq!(decrypt(&name.encode_to_vec(), &identity()), None);
}

#[test]
fn text_that_is_not_utf8_is_refused() {
    let (identity, own) = (identity(), KeyPair::generate(&mut rng()));
    let master = Master::agree(&own.private_key, identity.public_key());
    let iv = master.synthetic_iv(&[0xFF, 0xFE]);
    let mut ciphertext = vec![0xFF, 0xFE];
    master.apply_cipher(&iv, &mut ciphertext);
    let name = DeviceName {
        ephemeral_public: Some(own.public_key.serialize().into_vec()),
        synthetic_iv: Some(iv.to_vec()),
        ciphertext: Some(ciphertext),
    };
    assert_eq!(decrypt(&name.encode_to_vec(), &identity), None);
}

fn identity() -> IdentityKeyPair {
    IdentityKeyPair::try_from(private(IDENTITY)).unwrap()
}

fn private(text: &str) -> PrivateKey {
    PrivateKey::deserialize(&unhex(text)).unwrap()
}

fn rng() -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(30)
}

fn unhex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks(2);
    digits
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}
