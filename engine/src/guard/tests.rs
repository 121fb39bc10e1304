//! Each guard beside what libsignal does without it, so that a test falls when a guard does,
//! and tells when a newer libsignal no longer needs one.

pub(crate) mod pair;

use std::panic::{AssertUnwindSafe, catch_unwind};

use libsignal_protocol::{CiphertextMessage, KeyPair};
use rand::{Rng as _, RngCore as _, SeedableRng as _};
use rand_chacha::ChaCha20Rng;

use pair::{pair, rebuilt, whisper, with_header, with_ratchet_key};

use super::*;

/// Little-endian u coordinates whose agreements are all zero: 0, 1, both of order 8, p − 1, p, p + 1.
const LOW_ORDER: [&str; 7] = [
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
];
/// The rest of the usual list, which are low-order only where the top bit counts; never canonical.
const TOP_BIT_SET: [&str; 5] = [
    "cdeb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b880",
    "4c9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f11d7",
    "d9ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "daffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "dbffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
];

#[test]
fn twelve_bad_curve_points_are_refused() {
    let own = KeyPair::generate(&mut rng(1));
    for (at, text) in LOW_ORDER.iter().chain(&TOP_BIT_SET).enumerate() {
        let key = with_type(&unhex(text));
        let taken = PublicKey::deserialize(&key).expect("libsignal takes it");
        let shared = own
            .private_key
            .calculate_agreement(&taken)
            .expect("libsignal agrees with it");
        assert_eq!(
            shared.iter().all(|byte| *byte == 0),
            at < LOW_ORDER.len(),
            "{text}"
        );
        assert_eq!(
            public_key(&key),
            Err(Unacceptable::KeyNotCanonical),
            "{text}"
        );
        assert_eq!(
            identity_key(&key).err(),
            Some(Unacceptable::KeyNotCanonical),
            "{text}"
        );
        assert_eq!(
            contributory(&taken),
            Err(Unacceptable::KeyNotCanonical),
            "{text}"
        );
    }
}

#[test]
fn a_second_encoding_of_a_key_is_refused() {
    let (own, their) = (
        KeyPair::generate(&mut rng(2)),
        KeyPair::generate(&mut rng(3)),
    );
    let mut twin = their.public_key.serialize();
    twin[32] |= 0x80;
    let twin_key = PublicKey::deserialize(&twin).unwrap();
    let agree = |key| own.private_key.calculate_agreement(key).unwrap();
    assert_eq!(agree(&their.public_key), agree(&twin_key));
    assert_ne!(their.public_key, twin_key);
    assert_eq!(public_key(&twin), Err(Unacceptable::KeyNotCanonical));
}

#[test]
fn a_ratchet_key_that_passes_contributes() {
    let (mut random, own) = (rng(20), KeyPair::generate(&mut rng(21)));
    let mut passed = 0;
    for _ in 0..500 {
        // Any bytes: half of them are on the twist, most of the rest have a small-order part.
        let key = PublicKey::from_djb_public_key_bytes(&random.random::<[u8; 32]>()).unwrap();
        if contributory(&key).is_ok() {
            let shared = own.private_key.calculate_agreement(&key).unwrap();
            assert!(shared.iter().any(|byte| *byte != 0));
            passed += 1;
        }
        let honest = KeyPair::generate(&mut random).public_key;
        assert_eq!(
            (contributory(&honest), canonical(&honest)),
            (Ok(()), Ok(()))
        );
    }
    assert!(passed > 100, "{passed}");
}

#[test]
fn a_key_has_exactly_its_length() {
    let key = KeyPair::generate(&mut rng(4)).public_key;
    let bytes = key.serialize();
    assert_eq!(public_key(&bytes), Ok(key));
    let longer = [&bytes[..], &[0]].concat();
    assert!(
        PublicKey::deserialize(&longer).is_ok(),
        "libsignal ignores what follows"
    );
    for wrong in [&longer[..], &bytes[..32], &bytes[1..], &[]] {
        assert_eq!(public_key(wrong), Err(Unacceptable::KeyLength));
    }
}

#[test]
fn a_key_of_another_type_is_refused() {
    let mut bytes = KeyPair::generate(&mut rng(5)).public_key.serialize();
    bytes[0] = 6;
    assert_eq!(public_key(&bytes), Err(Unacceptable::KeyType));
}

#[test]
fn kyber_keys_have_their_type_and_length() {
    let key = kem::KeyPair::generate(kem::KeyType::Kyber1024, &mut rng(6)).public_key;
    let mut bytes = key.serialize().into_vec();
    assert!(kyber_key(&bytes).is_ok_and(|read| read == key));
    bytes.push(0);
    assert_eq!(kyber_key(&bytes).err(), Some(Unacceptable::KeyLength));
    bytes.pop();
    bytes[0] = 5;
    assert_eq!(kyber_key(&bytes).err(), Some(Unacceptable::KeyType));
}

#[test]
fn messages_of_honest_sessions_pass() {
    let (mut alice, mut bob) = pair(7);
    for round in 0..60 {
        let first = alice.encrypt(b"to bob");
        let second = alice.encrypt(b"to bob again");
        for message in [&first, &second] {
            assert_eq!(check(message), Ok(()), "round {round}");
            assert!(
                !whisper(message).pq_ratchet().is_empty(),
                "the post-quantum ratchet is on"
            );
        }
        bob.decrypt(&second).unwrap();
        bob.decrypt(&first).unwrap();
        let answer = bob.encrypt(b"to alice");
        assert_eq!(check(&answer), Ok(()), "round {round}");
        alice.decrypt(&answer).unwrap();
    }
}

#[test]
fn a_truncated_header_never_reaches_libsignal() {
    let (mut alice, mut bob) = pair(8);
    let first = alice.encrypt(b"hello");
    bob.decrypt(&first).unwrap();
    let message = alice.encrypt(b"poisoned");
    for header in [&[1, 1, 1][..], &[1, 1, 0], &[1, 0x81, 0, 5]] {
        let poisoned = with_header(whisper(&message), header);
        assert_eq!(
            signal_message(&poisoned),
            Err(Unacceptable::PostQuantumHeader)
        );
        let wrapped = CiphertextMessage::SignalMessage(poisoned);
        let outcome = catch_unwind(AssertUnwindSafe(|| bob.decrypt(&wrapped)));
        assert!(
            outcome.is_err(),
            "libsignal no longer panics: this guard may go"
        );
    }
}

#[test]
fn headers_that_pass_never_make_libsignal_panic() {
    let (mut alice, mut bob) = pair(9);
    let first = alice.encrypt(b"hello");
    bob.decrypt(&first).unwrap();
    let mut random = rng(10);
    let (mut passed, mut refused) = (0, 0);
    for case in 0..10_000 {
        if case % 100 == 0 {
            // another state of the post-quantum ratchet
            let (there, back) = (alice.encrypt(b"there"), bob.encrypt(b"back"));
            bob.decrypt(&there).unwrap();
            alice.decrypt(&back).unwrap();
        }
        let to_bob = case % 2 == 0;
        let message = if to_bob {
            alice.encrypt(b"x")
        } else {
            bob.encrypt(b"x")
        };
        let honest = whisper(&message);
        let tampered = with_header(honest, &damage(honest.pq_ratchet(), &mut random));
        if tampered.pq_ratchet() == honest.pq_ratchet() {
            continue;
        }
        if signal_message(&tampered).is_err() {
            refused += 1;
            continue;
        }
        passed += 1;
        let receiver = if to_bob { &mut bob } else { &mut alice };
        let outcome = receiver.decrypt(&CiphertextMessage::SignalMessage(tampered));
        assert!(outcome.is_err(), "a forged header was taken");
        receiver
            .decrypt(&message)
            .expect("the honest message still decrypts");
    }
    assert!(
        passed > 1000 && refused > 1000,
        "{passed} passed, {refused} refused"
    );
}

#[test]
fn bad_keys_inside_messages_are_refused() {
    let (mut alice, _) = pair(11);
    let message = alice.encrypt(b"hello");
    let CiphertextMessage::PreKeySignalMessage(honest) = &message else {
        panic!("a first message")
    };
    assert_eq!(pre_key_message(honest), Ok(()));
    let low_order = PublicKey::deserialize(&with_type(&unhex(LOW_ORDER[2]))).unwrap();

    let ratchet = with_ratchet_key(honest.message(), &low_order);
    assert_eq!(signal_message(&ratchet), Err(Unacceptable::KeyNotCanonical));
    let forged = [
        rebuilt(honest, *honest.base_key(), *honest.identity_key(), ratchet),
        rebuilt(
            honest,
            low_order,
            *honest.identity_key(),
            honest.message().clone(),
        ),
        rebuilt(
            honest,
            *honest.base_key(),
            IdentityKey::new(low_order),
            honest.message().clone(),
        ),
    ];
    for forged in forged {
        assert_eq!(pre_key_message(&forged), Err(Unacceptable::KeyNotCanonical));
    }
}

#[test]
fn a_bad_header_inside_a_first_message_is_refused() {
    let (mut alice, mut bob) = pair(12);
    let message = alice.encrypt(b"hello");
    let CiphertextMessage::PreKeySignalMessage(honest) = &message else {
        panic!("a first message")
    };
    let inner = with_header(honest.message(), &[1, 1, 1]);
    let forged = rebuilt(honest, *honest.base_key(), *honest.identity_key(), inner);
    assert_eq!(
        pre_key_message(&forged),
        Err(Unacceptable::PostQuantumHeader)
    );
    let forged = CiphertextMessage::PreKeySignalMessage(forged);
    assert!(
        catch_unwind(AssertUnwindSafe(|| bob.decrypt(&forged))).is_err(),
        "any stranger could do this"
    );
}

#[test]
fn a_first_message_without_kyber_is_refused() {
    let (mut alice, _) = pair(13);
    let message = alice.encrypt(b"hello");
    let CiphertextMessage::PreKeySignalMessage(honest) = &message else {
        panic!("a first message")
    };
    let classical = PreKeySignalMessage::new(
        3,
        honest.registration_id(),
        honest.pre_key_id(),
        honest.signed_pre_key_id(),
        None,
        *honest.base_key(),
        *honest.identity_key(),
        honest.message().clone(),
    )
    .unwrap();
    let read = PreKeySignalMessage::try_from(classical.serialized()).expect("libsignal reads it");
    assert_eq!(pre_key_message(&read), Err(Unacceptable::KyberMissing));
}

#[test]
fn varints_have_at_most_ten_bytes() {
    let longest = [[0xFF; 9].as_slice(), &[1, 42]].concat();
    assert_eq!(varint(&longest), Some((u64::MAX, &[42][..])));
    assert_eq!(varint(&[0xFF; 11]), None);
    assert_eq!(varint(&[0x80; 9]), None);
    assert_eq!(varint(&[]), None);
}

/// An honest header damaged somewhere, or one made of nothing.
fn damage(header: &[u8], rng: &mut ChaCha20Rng) -> Vec<u8> {
    let mut bytes = header.to_vec();
    match rng.random_range(0..6) {
        0 => bytes.truncate(rng.random_range(0..bytes.len())),
        1 => {
            let at = rng.random_range(0..bytes.len());
            bytes[at] ^= 1 << rng.random_range(0..8);
        }
        2 => {
            bytes = vec![0; rng.random_range(0..60)];
            rng.fill_bytes(&mut bytes);
        }
        3 => {
            // small numbers, so that epoch, index and kind often make sense
            bytes = (0..rng.random_range(0..50))
                .map(|_| rng.random_range(0..8))
                .collect();
            bytes.insert(0, 1);
        }
        4 => {
            let at = rng.random_range(1..=bytes.len());
            let long = std::iter::repeat_n(0x80 | rng.random::<u8>(), rng.random_range(1..14));
            bytes.splice(at..at, long);
        }
        _ => {
            let at = rng.random_range(0..bytes.len());
            rng.fill_bytes(&mut bytes[at..]);
        }
    }
    bytes
}

fn check(message: &CiphertextMessage) -> Result<(), Unacceptable> {
    match message {
        CiphertextMessage::SignalMessage(message) => signal_message(message),
        CiphertextMessage::PreKeySignalMessage(message) => pre_key_message(message),
        CiphertextMessage::SenderKeyMessage(_) | CiphertextMessage::PlaintextContent(_) => {
            panic!("not made here")
        }
    }
}

fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

fn with_type(key: &[u8]) -> Vec<u8> {
    [&[5], key].concat()
}

fn unhex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks(2);
    digits
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}
