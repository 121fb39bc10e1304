//! Both halves of a run against each other, and against whoever is between them. Names of claims: K-2 to K-6 of the
//! protocol's linking section. What goes over a relay is played in `sim/tests/link_run.rs`.

mod middle;

use libsignal_protocol::{IdentityKeyPair, KeyPair};
use proptest::prelude::*;
use prost::Message as _;
use rand::SeedableRng as _;
use rand_chacha::ChaCha20Rng;
use wire::AccountId;
use wire::proto::linking::{LinkAnswer, LinkCommit, LinkPayload, LinkReveal};
use wire::rendezvous::Waiting;

use super::existing_side::{AboutAccount, ExistingSide};
use super::keys::{Committed, Keys, transcript};
use super::new_side::{About, NewSide};
use super::{Fault, Tried};

fn rng(seed: u8) -> ChaCha20Rng {
    ChaCha20Rng::from_seed([seed; 32])
}

fn new_side(seed: u8) -> NewSide {
    let about = About {
        handle: "alice".to_owned(),
        device_name: "Phone".to_owned(),
        registration_id: 77,
    };
    NewSide::new(about, &mut rng(seed))
}

fn account() -> AboutAccount {
    let identity = IdentityKeyPair::generate(&mut rng(200));
    AboutAccount {
        account: AccountId::from_bytes([3; 16]),
        handle: "alice".parse().unwrap(),
        account_key: identity.identity_key().serialize().into_vec(),
        list_version: 4,
        list_hash: vec![6; 32],
    }
}

fn waiting(new: &NewSide) -> Waiting {
    Waiting {
        rendezvous: *new.rendezvous(),
        claimed: None,
        message: new.commit().to_vec(),
    }
}

fn existing_side(new: &NewSide, seed: u8) -> ExistingSide {
    ExistingSide::new(&waiting(new), None, account(), &mut rng(seed)).unwrap()
}

fn payload() -> LinkPayload {
    LinkPayload {
        provision_message: b"everything".to_vec(),
    }
}

/// A run up to where both have digits.
fn typed_run() -> (NewSide, ExistingSide) {
    let mut new = new_side(1);
    let mut existing = existing_side(&new, 2);
    let reveal = new.answered(existing.answer()).unwrap();
    existing.revealed(&reveal).unwrap();
    (new, existing)
}

fn other(digits: &str) -> String {
    let last = if digits.ends_with('0') { "1" } else { "0" };
    format!("{}{last}", &digits[..digits.len() - 1])
}

#[test]
fn digits_typed_here_and_answered_there_hand_over_what_was_approved() {
    let (mut new, mut existing) = typed_run();
    let digits = new.digits().unwrap();
    assert_eq!(digits.len(), 8);
    assert_eq!(existing.device().unwrap().name, "Phone");
    assert_eq!(
        existing.device().unwrap().key,
        *new.device().identity_key().public_key()
    );
    assert_eq!(u32::from(existing.device().unwrap().registration_id), 77);
    assert_eq!(existing.give(&payload()), Err(Fault::OutOfTurn));
    let spaced = format!(" {} {}", &digits[..4], &digits[4..]);
    assert_eq!(existing.enter(&spaced), Tried::Right);
    assert_eq!(existing.told(), None);
    let sealed = existing.give(&payload()).unwrap();
    new.given(&sealed).unwrap();
    assert!(new.taken().is_none());
    assert_eq!(new.confirm(&existing.told().unwrap()), Tried::Right);
    assert_eq!(
        new.taken().unwrap().unwrap().provision_message,
        b"everything"
    );
}

#[test]
fn a_code_needs_no_digits_and_ends_in_the_same_k6() {
    let mut new = new_side(1);
    let code = new.code();
    let mut existing =
        ExistingSide::new(&waiting(&new), Some(&code), account(), &mut rng(2)).unwrap();
    let reveal = new.answered(existing.answer()).unwrap();
    existing.revealed(&reveal).unwrap();
    assert_eq!(new.digits(), None);
    let sealed = existing.give(&payload()).unwrap();
    assert_eq!(existing.told().unwrap(), "");
    new.given(&sealed).unwrap();
    let by_code = new.taken().unwrap().unwrap();

    let (mut new, mut existing) = typed_run();
    existing.enter(&new.digits().unwrap());
    new.given(&existing.give(&payload()).unwrap()).unwrap();
    new.confirm(&existing.told().unwrap());
    assert_eq!(new.taken().unwrap().unwrap(), by_code);
}

#[test]
fn wrong_digits_are_tries_and_five_of_them_end_it() {
    let (new, mut existing) = typed_run();
    let digits = new.digits().unwrap();
    let wrong = other(&digits);
    for text in ["", "1234567", "123456789", "1234567a", "１２３４５６７８"] {
        assert_eq!(existing.enter(text), Tried::NoDigits);
    }
    for left in (1..5).rev() {
        assert_eq!(existing.enter(&wrong), Tried::Wrong { left });
        assert!(!existing.is_matched());
    }
    assert_eq!(existing.enter(&wrong), Tried::Over);
    assert_eq!(existing.enter(&digits), Tried::Over);
    assert_eq!(existing.give(&payload()), Err(Fault::OutOfTurn));

    let (_, mut existing) = typed_run();
    assert_eq!(existing.enter(&wrong), Tried::Wrong { left: 4 });
    assert_eq!(existing.enter(&digits), Tried::Right);
}

#[test]
fn who_plays_the_device_towards_the_browser_gives_it_nothing_k3() {
    let mut new = new_side(1);
    let mut false_device = existing_side(&new, 50);
    let reveal = new.answered(false_device.answer()).unwrap();
    false_device.revealed(&reveal).unwrap();
    false_device.enter(&new.digits().unwrap());
    new.given(&false_device.give(&payload()).unwrap()).unwrap();
    assert!(new.taken().is_none());
    let wrong = other(&false_device.told().unwrap());
    assert_eq!(new.confirm("12"), Tried::NoDigits);
    assert_eq!(new.confirm(&wrong), Tried::Wrong { left: 2 });
    assert_eq!(new.confirm(&wrong), Tried::Wrong { left: 1 });
    assert_eq!(new.confirm(&wrong), Tried::Over);
    assert_eq!(new.confirm(&false_device.told().unwrap()), Tried::Over);
    assert!(new.taken().is_none());
}

#[test]
fn who_has_not_seen_the_code_can_not_answer_as_if_they_had_k3() {
    let mut new = new_side(1);
    let mut guessed = new.code();
    guessed.secret = [0; 32];
    let side = ExistingSide::new(&waiting(&new), Some(&guessed), account(), &mut rng(2));
    let mut false_device = side.unwrap();
    let reveal = new.answered(false_device.answer()).unwrap();
    false_device.revealed(&reveal).unwrap();
    let sealed = false_device.give(&payload()).unwrap();
    assert_eq!(new.given(&sealed), Err(Fault::Payload));
    assert_eq!(new.digits(), None);
    assert!(new.taken().is_none());
}

#[test]
fn a_code_of_another_run_is_refused() {
    let (new, other) = (new_side(1), new_side(4));
    let mut mixed = new.code();
    mixed.commitment = other.code().commitment;
    for code in [other.code(), mixed] {
        let side = ExistingSide::new(&waiting(&new), Some(&code), account(), &mut rng(2));
        assert_eq!(side.err(), Some(Fault::Commitment));
    }
}

#[test]
fn each_message_is_taken_once_in_its_turn_and_in_its_own_run_k4() {
    let (mut new, mut existing) = typed_run();
    let answer = existing.answer().to_vec();
    assert_eq!(new.answered(&answer), Err(Fault::OutOfTurn));
    let second = existing_side(&new, 9).answer().to_vec();
    assert_eq!(
        new.answered(&second),
        Err(Fault::OutOfTurn),
        "answered twice"
    );
    let reveal = new.revealed().unwrap().to_vec();
    assert_eq!(existing.revealed(&reveal), Err(Fault::OutOfTurn));
    existing.enter(&new.digits().unwrap());
    let sealed = existing.give(&payload()).unwrap();
    assert_eq!(existing.give(&payload()), Err(Fault::OutOfTurn));
    assert_eq!(new_side(1).given(&sealed), Err(Fault::OutOfTurn));
    new.given(&sealed).unwrap();
    assert_eq!(new.given(&sealed), Err(Fault::OutOfTurn));

    // All of it again, to browsers and devices of another run.
    let mut later = new_side(5);
    let mut later_device = existing_side(&later, 6);
    assert_eq!(later_device.revealed(&reveal), Err(Fault::Commitment));
    later.answered(&answer).unwrap();
    assert_eq!(later.given(&sealed), Err(Fault::Payload));
    assert_ne!(later.digits(), existing.digits());
}

#[test]
fn the_right_person_of_another_account_is_another_account() {
    let mut new = new_side(1);
    let bob = AboutAccount {
        handle: "bob".parse().unwrap(),
        ..account()
    };
    let mut existing = ExistingSide::new(&waiting(&new), None, bob, &mut rng(2)).unwrap();
    assert_eq!(new.answered(existing.answer()), Err(Fault::OtherAccount));
    let mut forced = new_side(1);
    let reveal = forced.answered(existing_side(&new, 2).answer()).unwrap();
    assert_eq!(existing.revealed(&reveal), Err(Fault::OtherAccount));
}

#[test]
fn keys_that_agree_with_everybody_are_refused() {
    let (new, existing) = typed_run();
    let mut low = vec![5];
    low.extend([0; 32]);
    let mut answer = LinkAnswer::decode(existing.answer()).unwrap();
    answer.ephemeral.clone_from(&low);
    let refused = new_side(1).answered(&answer.encode_to_vec());
    assert_eq!(refused, Err(Fault::Key));
    let mut reveal = LinkReveal::decode(new.revealed().unwrap()).unwrap();
    reveal.ephemeral = low;
    let mut fresh = existing_side(&new, 2);
    let refused = fresh.revealed_without_commitment(&reveal.encode_to_vec());
    assert_eq!(refused, Err(Fault::Key));
}

/// Rule LR-6, in the text: the one function that touches the account's private key is called in one place, which only an
/// approval leads to. That it does so is played in `sim/tests/link_run.rs`.
#[test]
fn the_existing_device_has_one_place_where_the_private_key_is_used_k1() {
    let giving = include_str!("giving.rs");
    let (before, behind) = giving.split_once("provision_message(").unwrap();
    assert!(!behind.contains("provision_message("));
    let (_, give) = before.split_once("fn give(").unwrap();
    assert!(give.contains(".filter(|_| run.approved.is_some())"));
    for code in [
        giving,
        include_str!("deciding.rs"),
        include_str!("existing_side.rs"),
    ] {
        let touches = [
            "private_key",
            "identity.private",
            "IdentityKeyPair",
            "calculate_signature",
        ];
        assert!(!touches.iter().any(|touch| code.contains(touch)));
    }
}

/// For other implementations: docs/protocol.md has it too.
#[test]
fn a_known_run_has_known_digits() {
    let [one, two] = [[1; 32], [2; 32]].map(|seed| {
        let private = libsignal_protocol::PrivateKey::deserialize(&seed).unwrap();
        KeyPair::from_public_and_private(
            &private.public_key().unwrap().serialize(),
            &private.serialize(),
        )
        .unwrap()
    });
    let commitment = Committed {
        rendezvous: &[3; 16],
        handle: "alice",
        ephemeral: &one.public_key.serialize(),
        device_key: &two.public_key.serialize(),
        registration_id: 77,
        device_name: "Phone",
        nonce: &[4; 32],
    };
    let transcript = transcript(&[3; 16], [b"commit", b"answer", b"reveal"]);
    let keys = Keys::agree(&one, &two.public_key, &[], transcript).unwrap();
    let hex = |bytes: &[u8]| -> String { bytes.iter().map(|b| format!("{b:02x}")).collect() };
    assert_eq!(
        hex(&commitment.commitment()),
        "bde9f1a5b8536f90b9ab1e4892ed79333f57496a435c9f84cba73920d316ed57"
    );
    assert_eq!(
        hex(&transcript),
        "cdf610f0508410f26076afc055f23dde81f8b728073f0ff6237ac99b801b6253"
    );
    assert_eq!(keys.digits(), "99066230");
    assert_eq!(keys.answer(), "1464");
    assert_eq!(
        hex(&keys.seal(b"x").unwrap()),
        "953a0b338824aaa23864221f0ee9b78929"
    );
}
