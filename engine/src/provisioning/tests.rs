//! The cipher against itself, against every kind of damage, and against an envelope that an
//! independent program made (Node's `crypto`: X25519, hkdfSync, aes-256-cbc, createHmac).

use libsignal_protocol::PrivateKey;
use rand::SeedableRng as _;
use rand_chacha::ChaCha20Rng;

use super::*;

const DEVICE: &str = "58eb5d403b2518fa365c20e116546ed4e7ac2aeb6b96aa8fab33b3c04e62bf54";
const APPROVING: &str = "28cc02a14f9613fbc2d621a8b904fb7b5cddc32e0d5b27271c37ac73dbfed57d";
const IV: &str = "0ab306823035661bb8dba21cc2535231";
const IDENTITY: [&str; 2] = [
    "0543ad554837e5121524d821d12990b33a8eb57371a268595046e81cf48e53ae72",
    "689f6a627384c7dcb2dcc1487e540223e77bdf9dcd0d8be8a326eda65b0ce964",
];
const ENVELOPE: &str = "0a2105ae297c5da3d39172e9da5a34bb9ec0d8896aabd0cedec5c79f1a485ac0f8f92312a101010ab30682\
    3035661bb8dba21cc253523194d01db3e0e7b8bbd0c5f33990793edece3c238076bc28a447c5e835fd10fd21bbb7a4bcfee38513632f80\
    59aabc117d529b04a7f7555299c948a18a4a30e586fa5fa8da2a3e6942b6aa9df067adaa154b866bba8174c0c4fed328d10188a8d995cb\
    27075abc6e74c6586e31ec601161d4b701acc5c25f946cd2d36a2c078ac7c31a48d77033f2ecdee7f85608033da5";

#[test]
fn envelopes_are_those_of_another_program() {
    let message = message();
    assert_eq!(
        decrypt(&key_pair(DEVICE), &unhex(ENVELOPE)),
        Ok(message.clone())
    );
    let iv = unhex(IV).try_into().unwrap();
    let own = seal(
        &message,
        &key_pair(DEVICE).public_key,
        &key_pair(APPROVING),
        iv,
    );
    assert_eq!(own, unhex(ENVELOPE));
}

#[test]
fn what_was_sealed_is_opened() {
    let mut rng = rng();
    let device = KeyPair::generate(&mut rng);
    for message in [message(), ProvisionMessage::default()] {
        let envelope = encrypt(&message, &device.public_key, &mut rng);
        assert_eq!(decrypt(&device, &envelope), Ok(message));
    }
}

#[test]
fn no_envelope_is_made_twice() {
    let (mut rng, to) = (rng(), key_pair(DEVICE).public_key);
    assert_ne!(
        encrypt(&message(), &to, &mut rng),
        encrypt(&message(), &to, &mut rng)
    );
}

#[test]
fn an_envelope_with_a_flipped_bit_is_refused() {
    let (device, honest) = (key_pair(DEVICE), unhex(ENVELOPE));
    for at in 0..honest.len() {
        for bit in 0..8 {
            let mut envelope = honest.clone();
            envelope[at] ^= 1 << bit;
            assert!(decrypt(&device, &envelope).is_err(), "byte {at}, bit {bit}");
        }
    }
}

#[test]
fn a_truncated_envelope_is_refused() {
    let (device, honest) = (key_pair(DEVICE), unhex(ENVELOPE));
    for length in 0..honest.len() {
        assert!(
            decrypt(&device, &honest[..length]).is_err(),
            "{length} bytes"
        );
    }
    let ProvisionEnvelope { public_key, body } =
        ProvisionEnvelope::decode(honest.as_slice()).unwrap();
    let body = body.unwrap();
    for length in 0..body.len() {
        let envelope = ProvisionEnvelope {
            public_key: public_key.clone(),
            body: Some(body[..length].to_vec()),
        };
        assert!(
            decrypt(&device, &envelope.encode_to_vec()).is_err(),
            "body of {length} bytes"
        );
    }
}

#[test]
fn an_envelope_for_another_key_is_refused() {
    let other = KeyPair::generate(&mut rng());
    assert_eq!(
        decrypt(&other, &unhex(ENVELOPE)),
        Err(ProvisioningFault::Mac)
    );
}

#[test]
fn another_version_is_refused_before_its_mac() {
    for version in [0, 2, 255] {
        let envelope = altered(|envelope| envelope.body.as_mut().unwrap()[0] = version);
        assert_eq!(
            decrypt(&key_pair(DEVICE), &envelope),
            Err(ProvisioningFault::Version)
        );
    }
}

#[test]
fn an_envelope_without_its_parts_is_malformed() {
    let device = key_pair(DEVICE);
    let broken = [
        altered(|envelope| envelope.public_key = None),
        altered(|envelope| envelope.body = None),
        altered(|envelope| envelope.body = Some(Vec::new())),
        altered(|envelope| envelope.body = Some(vec![1; 1 + IV_LENGTH + MAC_LENGTH])),
        b"not protobuf".to_vec(),
        Vec::new(),
    ];
    for envelope in broken {
        assert_eq!(
            decrypt(&device, &envelope),
            Err(ProvisioningFault::Malformed)
        );
    }
}

#[test]
fn a_low_order_key_is_never_agreed_with() {
    let mut key = vec![0; 33];
    key[0] = 5;
    let envelope = altered(|envelope| envelope.public_key = Some(key));
    let fault = ProvisioningFault::Key(Unacceptable::KeyNotCanonical);
    assert_eq!(decrypt(&key_pair(DEVICE), &envelope), Err(fault));
}

#[test]
fn authentic_bytes_that_are_no_message_are_refused() {
    let device = key_pair(DEVICE);
    let own = key_pair(APPROVING);
    let keys = Keys::agree(&own, &device.public_key);
    for ciphertext in [
        vec![0; 16],
        vec![0; 15],
        aes_256_cbc_encrypt(&[7; 40], &keys.cipher[..], &[0; 16]).unwrap(),
    ] {
        let mut body = [[VERSION].as_slice(), &[0; 16], &ciphertext].concat();
        let tag = keys.mac(&body).finalize().into_bytes();
        body.extend_from_slice(&tag);
        let public_key = Some(own.public_key.serialize().into_vec());
        let envelope = ProvisionEnvelope {
            public_key,
            body: Some(body),
        }
        .encode_to_vec();
        assert_eq!(decrypt(&device, &envelope), Err(ProvisioningFault::Content));
    }
}

fn message() -> ProvisionMessage {
    ProvisionMessage {
        aci_identity_key_public: Some(unhex(IDENTITY[0])),
        aci_identity_key_private: Some(unhex(IDENTITY[1])),
        provisioning_code: Some("token".to_owned()),
        provisioning_version: Some(1),
        aci_binary: Some(unhex("00112233445566778899aabbccddeeff")),
        ..ProvisionMessage::default()
    }
}

fn altered(alter: impl FnOnce(&mut ProvisionEnvelope)) -> Vec<u8> {
    let mut envelope = ProvisionEnvelope::decode(unhex(ENVELOPE).as_slice()).unwrap();
    alter(&mut envelope);
    envelope.encode_to_vec()
}

fn key_pair(private: &str) -> KeyPair {
    KeyPair::try_from(PrivateKey::deserialize(&unhex(private)).unwrap()).unwrap()
}

fn rng() -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(20)
}

fn unhex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks(2);
    digits
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}
