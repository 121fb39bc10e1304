//! Somebody between the two halves of a run, who exchanges what they say: the digits differ, and nothing is handed over (K-2).
//! Without the commitment they would win, which shows that these tests bite.

use super::*;

/// The values of both sides, as somebody between them could exchange each of them.
#[derive(Clone, Debug)]
struct Swaps {
    answer: [bool; 7],
    reveal: [bool; 6],
    rendezvous: bool,
}

fn swaps() -> impl Strategy<Value = Swaps> {
    any::<([bool; 7], [bool; 6], bool)>().prop_map(|(answer, reveal, rendezvous)| Swaps {
        answer,
        reveal,
        rendezvous,
    })
}

fn swapped_answer(answer: &[u8], which: [bool; 7]) -> Vec<u8> {
    let mut answer = LinkAnswer::decode(answer).unwrap();
    let key = |seed| KeyPair::generate(&mut rng(seed)).public_key.serialize();
    let [ephemeral, nonce, account, account_key, version, hash, _] = which;
    if ephemeral {
        answer.ephemeral = key(90).into_vec();
    }
    if nonce {
        answer.nonce = vec![9; 32];
    }
    if account {
        answer.account = vec![9; 16];
    }
    if account_key {
        answer.account_key = key(91).into_vec();
    }
    if version {
        answer.list_version = 99;
    }
    if hash {
        answer.list_hash = vec![9; 32];
    }
    answer.encode_to_vec()
}

/// Somebody who knew all of the new side's values beforehand, which nobody does, and commits to others in time.
fn swapped_reveal(new: &NewSide, which: [bool; 6], rendezvous: [u8; 16]) -> (Vec<u8>, Vec<u8>) {
    let mut clone = new_side(1);
    let answer = existing_side(new, 2).answer().to_vec();
    let mut reveal = LinkReveal::decode(clone.answered(&answer).unwrap().as_slice()).unwrap();
    let key = |seed| KeyPair::generate(&mut rng(seed)).public_key.serialize();
    let [ephemeral, device_key, registration_id, nonce, handle, name] = which;
    if ephemeral {
        reveal.ephemeral = key(92).into_vec();
    }
    if device_key {
        reveal.device_key = key(93).into_vec();
    }
    if registration_id {
        reveal.registration_id = 78;
    }
    if nonce {
        reveal.nonce = vec![8; 32];
    }
    if handle {
        reveal.handle = String::new();
    }
    if name {
        reveal.device_name = "Other".to_owned();
    }
    let commitment = Committed {
        rendezvous: &rendezvous,
        handle: &reveal.handle,
        ephemeral: &reveal.ephemeral,
        device_key: &reveal.device_key,
        registration_id: reveal.registration_id,
        device_name: &reveal.device_name,
        nonce: &reveal.nonce,
    };
    let commit = LinkCommit {
        version: 1,
        commitment: commitment.commitment().to_vec(),
    };
    (commit.encode_to_vec(), reveal.encode_to_vec())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whoever_swaps_any_of_what_is_said_makes_the_digits_differ_k2(swaps in swaps()) {
        let mut new = new_side(1);
        let rendezvous = if swaps.rendezvous { [7; 16] } else { *new.rendezvous() };
        let (message, reveal) = swapped_reveal(&new, swaps.reveal, rendezvous);
        let waiting = Waiting { rendezvous, claimed: None, message };
        let mut existing = ExistingSide::new(&waiting, None, account(), &mut rng(2)).unwrap();
        let answer = swapped_answer(existing.answer(), swaps.answer);
        new.answered(&answer).unwrap();
        existing.revealed(&reveal).unwrap();
        let swapped_answer = swaps.answer[..6].contains(&true);
        let is_honest = !swapped_answer && !swaps.reveal.contains(&true) && !swaps.rendezvous;
        prop_assert_eq!(existing.digits() == new.digits(), is_honest);
        prop_assert_eq!(existing.enter(&new.digits().unwrap()) == Tried::Right, is_honest);
    }

    #[test]
    fn a_byte_that_is_changed_on_its_way_ends_the_run_or_changes_the_digits_k2(
        at in any::<u16>(), bit in 0..8_u8, which in 0..4_u8
    ) {
        let mut new = new_side(1);
        let change = |message: &[u8]| {
            let mut message = message.to_vec();
            let at = usize::from(at) % message.len();
            message[at] ^= 1 << bit;
            message
        };
        let mut waits = waiting(&new);
        if which == 0 {
            waits.message = change(&waits.message);
        }
        let Ok(mut existing) = ExistingSide::new(&waits, None, account(), &mut rng(2)) else {
            return Ok(());
        };
        let answer = existing.answer().to_vec();
        let answer = if which == 1 { change(&answer) } else { answer };
        let Ok(reveal) = new.answered(&answer) else { return Ok(()) };
        let reveal = if which == 2 { change(&reveal) } else { reveal };
        if existing.revealed(&reveal).is_err() {
            return Ok(());
        }
        prop_assert_eq!(existing.digits() == new.digits(), which == 3);
        existing.enter(&existing.digits().unwrap());
        let sealed = existing.give(&payload()).unwrap();
        let sealed = if which == 3 { change(&sealed) } else { sealed };
        prop_assert!(new.given(&sealed).is_err());
    }

    #[test]
    fn bytes_of_anybody_are_refused_and_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let (mut new, mut existing) = typed_run();
        let _ = (new.answered(&bytes), new.given(&bytes), existing.revealed(&bytes));
        let _ = new_side(1).answered(&bytes);
        let mut fresh = existing_side(&new, 2);
        prop_assert!(fresh.revealed(&bytes).is_err());
        let text = String::from_utf8_lossy(&bytes);
        prop_assert_eq!(fresh.enter(&text), Tried::NoDigits);
    }
}

/// Somebody in the middle, who plays a device towards the browser and a browser towards the device. With the
/// browser's digits known, they look for values of their own that make the device's end alike.
fn ground_reveal(existing: &ExistingSide, commit: &[u8], wanted: &str) -> Vec<u8> {
    let own = KeyPair::generate(&mut rng(60));
    let device = KeyPair::generate(&mut rng(61));
    let answer = LinkAnswer::decode(existing.answer()).unwrap();
    let their = crate::guard::public_key(&answer.ephemeral).unwrap();
    for number in 0_u32..100_000 {
        let mut nonce = vec![0; 32];
        nonce[..4].copy_from_slice(&number.to_be_bytes());
        let reveal = LinkReveal {
            ephemeral: own.public_key.serialize().into_vec(),
            device_key: device.public_key.serialize().into_vec(),
            registration_id: 5,
            nonce,
            handle: String::new(),
            device_name: "Phone".to_owned(),
        }
        .encode_to_vec();
        let said = [commit, existing.answer(), &reveal];
        let transcript = transcript(existing.rendezvous(), said);
        let keys = Keys::agree(&own, &their, &[], transcript).unwrap();
        if keys.digits().ends_with(wanted) {
            return reveal;
        }
    }
    panic!("three digits are found in far fewer tries");
}

/// With eight digits this takes 10^8 tries, an hour or so of one computer; with three it shows what holds them off.
#[test]
fn only_the_commitment_keeps_a_man_in_the_middle_from_making_digits_alike_k2() {
    let mut new = new_side(1);
    // Towards the browser: answered as the account would.
    let mut false_device = existing_side(&new, 50);
    let reveal = new.answered(false_device.answer()).unwrap();
    false_device.revealed(&reveal).unwrap();
    let shown = new.digits().unwrap();
    assert_eq!(false_device.digits().unwrap(), shown, "they know them");
    // Towards the device: committed to something before anything of it was known.
    let commit = LinkCommit {
        version: 1,
        commitment: vec![0; 32],
    }
    .encode_to_vec();
    let waits = Waiting {
        rendezvous: [70; 16],
        claimed: None,
        message: commit.clone(),
    };
    let fresh = || ExistingSide::new(&waits, None, account(), &mut rng(2)).unwrap();
    let found = ground_reveal(&fresh(), &commit, &shown[5..]);
    let mut without = fresh();
    without.revealed_without_commitment(&found).unwrap();
    assert_eq!(without.digits().unwrap()[5..], shown[5..], "alike");
    assert_eq!(fresh().revealed(&found), Err(Fault::Commitment));
}
