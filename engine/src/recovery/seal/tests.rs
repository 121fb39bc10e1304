//! Words and what they open: only the right ones, only for the right account, only whole.

use rand::SeedableRng;

use super::super::words::{read, write};
use super::*;
use crate::error::KeyRefusal;

fn account(n: u8) -> AccountId {
    AccountId::from_bytes([n; 16])
}

fn contents(rng: &mut ChaCha20Rng) -> Contents {
    Contents {
        identity: IdentityKeyPair::generate(rng),
        profile_key: [7; 32],
    }
}

fn entropy(n: u8) -> Entropy {
    Zeroizing::new([n; 16])
}

#[test]
fn what_was_sealed_opens_with_its_words_and_account_alone() {
    let mut rng = ChaCha20Rng::from_seed([1; 32]);
    let inside = contents(&mut rng);
    let sealed = seal(&entropy(1), account(1), &inside, &mut rng).unwrap();
    let opened = open(&entropy(1), account(1), &sealed).unwrap();
    assert_eq!(opened.identity.serialize(), inside.identity.serialize());
    assert_eq!(opened.profile_key, [7; 32]);
    assert!(open(&entropy(2), account(1), &sealed).is_none());
    assert!(open(&entropy(1), account(2), &sealed).is_none());
}

#[test]
fn no_mauled_or_cut_seal_opens_and_none_shows_what_is_in_it() {
    let mut rng = ChaCha20Rng::from_seed([2; 32]);
    let inside = contents(&mut rng);
    let sealed = seal(&entropy(1), account(1), &inside, &mut rng).unwrap();
    for at in 0..sealed.len() {
        let mut mauled = sealed.clone();
        mauled[at] ^= 1;
        assert!(open(&entropy(1), account(1), &mauled).is_none(), "{at}");
        assert!(
            open(&entropy(1), account(1), &sealed[..at]).is_none(),
            "{at}"
        );
    }
    let longer = [sealed.as_slice(), &[0]].concat();
    assert!(open(&entropy(1), account(1), &longer).is_none());
    let private = inside.identity.private_key().serialize();
    assert!(!sealed.windows(8).any(|window| window == &private[..8]));
}

#[test]
fn words_are_read_as_people_write_them() {
    let words = write(&entropy(0x5a)).unwrap();
    assert_eq!(words.split(' ').count(), 12);
    let numbered: Vec<_> = words
        .split(' ')
        .enumerate()
        .map(|(at, word)| format!("{}. {}\n", at + 1, word.to_uppercase()))
        .collect();
    for typed in [
        words.clone(),
        format!("  {} ", words.replace(' ', "\t ")),
        numbered.concat(),
    ] {
        assert_eq!(read(&typed).as_deref(), Ok(&[0x5a; 16]));
    }
}

/// The test vectors of BIP-39.
#[test]
fn the_words_are_those_of_bip_39() {
    let zero = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about";
    assert_eq!(write(&entropy(0)).unwrap(), zero);
    let seven = "legal winner thank year wave sausage worth useful legal winner thank yellow";
    assert_eq!(write(&entropy(0x7f)).unwrap(), seven);
    assert_eq!(read(seven).as_deref(), Ok(&[0x7f; 16]));
}

#[test]
fn a_slip_of_the_pen_says_where_it_is() {
    let right = "legal winner thank year wave sausage worth useful legal winner thank yellow";
    let unknown = |position| Err(KeyRefusal::RecoveryWordUnknown { position });
    let count = |found| Err(KeyRefusal::RecoveryWordCount { found });
    let refused = |typed: &str| read(typed).map(|_| ());
    assert_eq!(refused(&right.replace("thank", "thanx")), unknown(3));
    assert_eq!(refused(&right.replace("yellow", "gelb")), unknown(12));
    assert_eq!(refused(&right.replace("legal winner", "winner")), count(10));
    assert_eq!(refused(""), count(0));
    assert_eq!(refused("1 2 3"), count(0));
    let swapped = right.replace("year wave", "wave year");
    assert_eq!(refused(&swapped), Err(KeyRefusal::RecoveryChecksum));
    assert_eq!(
        refused(&right.replace("yellow", "zoo")),
        Err(KeyRefusal::RecoveryChecksum)
    );
}
