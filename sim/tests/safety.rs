//! Safety numbers and fingerprints: both people see the same, each reads the other's, and a changed key shows.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a play that goes wrong stops at once"
)]

use engine::error::KeyRefusal;
use engine::input::{SafetyCommand, Setting};
use engine::output::{Comparison, SafetyNumber, SafetyReply};
use engine::store::Table;
use engine::store::memory::Keep;
use engine::{Command, Refusal, Reply};
use libsignal_protocol::IdentityKeyPair;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use sim::{ClientId, World};

fn safety(world: &mut World, id: ClientId, command: SafetyCommand) -> Result<SafetyReply, Refusal> {
    match world.ask(id, Command::Safety(command)) {
        Ok(Reply::Safety(reply)) => Ok(reply),
        Err(refusal) => Err(refusal),
        other => panic!("no answer about keys: {other:?}"),
    }
}

fn number(world: &mut World, id: ClientId, with: &str) -> SafetyNumber {
    let account = with.to_owned();
    match safety(world, id, SafetyCommand::Number { account }) {
        Ok(SafetyReply::Number(number)) => number,
        other => panic!("no safety number: {other:?}"),
    }
}

fn compare(world: &mut World, id: ClientId, with: &str, scanned: &[u8]) -> Comparison {
    let (account, scanned) = (with.to_owned(), scanned.to_vec());
    match safety(world, id, SafetyCommand::Compare { account, scanned }) {
        Ok(SafetyReply::Compared(found)) => found,
        other => panic!("not compared: {other:?}"),
    }
}

fn fingerprint(world: &mut World, id: ClientId) -> String {
    match safety(world, id, SafetyCommand::Fingerprint) {
        Ok(SafetyReply::Fingerprint(text)) => text,
        other => panic!("no fingerprint: {other:?}"),
    }
}

fn compare_text(
    world: &mut World,
    id: ClientId,
    with: &str,
    text: &str,
) -> Result<Comparison, Refusal> {
    let (account, text) = (with.to_owned(), text.to_owned());
    match safety(
        world,
        id,
        SafetyCommand::CompareFingerprint { account, text },
    ) {
        Ok(SafetyReply::Compared(found)) => Ok(found),
        Err(refusal) => Err(refusal),
        other => panic!("not compared: {other:?}"),
    }
}

fn verify(
    world: &mut World,
    id: ClientId,
    with: &str,
    digits: Option<String>,
) -> Result<Reply, Refusal> {
    let (account, verified) = (with.to_owned(), true);
    let setting = Setting::Verify {
        account,
        verified,
        digits,
    };
    world.ask(id, Command::Set(setting))
}

/// A browser's account goes on with another identity key and without sessions: to others, another person in its name.
fn with_another_key(world: &mut World, id: ClientId) {
    let mut rng = ChaCha20Rng::from_seed([7; 32]);
    let new = IdentityKeyPair::generate(&mut rng).serialize();
    world.kill(id);
    let store = &world.client(id).store;
    store.edit(Table::Sessions, |_, _| Keep::No);
    store.edit(Table::Meta, |key, record| {
        // The field of the pair in the account's record, and the first of the pair's own two.
        let starts = [&[0x2a, 69, 0x0a, 33, 5][..]].concat();
        let found = record.windows(5).position(|window| window == starts);
        if let (b"account", Some(at)) = (key, found) {
            record[at + 2..at + 71].copy_from_slice(&new);
        }
        Keep::Yes
    });
    world.open(id);
}

/// Alice and Bob, and Carol whom both know.
fn three(seed: u64) -> (World, [ClientId; 3]) {
    let mut world = World::new(seed);
    let people = ["alice", "bob", "carol"].map(|handle| world.register(handle));
    let [alice, bob, carol] = people;
    world.send(alice, "bob", "hello");
    world.send(bob, "alice", "hi");
    world.send(carol, "alice", "good morning");
    world.send(alice, "carol", "good morning");
    world.send(carol, "bob", "hello");
    world.send(bob, "carol", "hello");
    (world, people)
}

#[test]
fn both_people_see_the_same_digits_and_read_each_others_code() {
    let (mut world, [alice, bob, _]) = three(300);
    let (hers, his) = (
        number(&mut world, alice, "bob"),
        number(&mut world, bob, "alice"),
    );
    assert_eq!(hers.digits, his.digits);
    let groups: Vec<_> = hers.digits.split(' ').collect();
    assert_eq!(groups.len(), 12);
    assert!(
        groups
            .iter()
            .all(|group| group.len() == 5 && group.parse::<u32>().is_ok())
    );
    assert_ne!(hers.scannable, his.scannable);
    assert_eq!(
        compare(&mut world, alice, "bob", &his.scannable),
        Comparison::Match
    );
    assert_eq!(
        compare(&mut world, bob, "alice", &hers.scannable),
        Comparison::Match
    );
    assert!(!hers.verified && !hers.changed && !hers.was_verified);
}

#[test]
fn linking_and_removing_devices_changes_no_safety_number() {
    let (mut world, [alice, bob, _]) = three(301);
    let before = number(&mut world, alice, "bob").digits;
    let (second, device) = world.link(bob);
    world.send(second, "alice", "from the other one");
    assert_eq!(number(&mut world, second, "alice").digits, before);
    let unlink = Command::Unlink {
        device: device.id,
        lost: false,
    };
    assert_eq!(world.ask(bob, unlink), Ok(Reply::Done));
    world.send(alice, "bob", "still you");
    assert_eq!(number(&mut world, alice, "bob").digits, before);
}

/// What is not positively somebody else's is an alarm.
#[test]
fn a_code_of_somebody_else_is_told_from_one_that_does_not_fit() {
    let (mut world, [alice, bob, carol]) = three(302);
    let own = number(&mut world, alice, "bob").scannable;
    let carols = number(&mut world, carol, "alice").scannable;
    let bobs_for_carol = number(&mut world, bob, "carol").scannable;
    let carols_for_bob = number(&mut world, carol, "bob").scannable;
    for other in [own, carols, bobs_for_carol] {
        assert_eq!(
            compare(&mut world, alice, "bob", &other),
            Comparison::SomebodyElse
        );
    }
    assert_eq!(
        compare(&mut world, alice, "bob", &carols_for_bob),
        Comparison::NoMatch
    );
    let mut right = number(&mut world, bob, "alice").scannable;
    let last = right.len() - 1;
    right[last] ^= 1;
    assert_eq!(
        compare(&mut world, alice, "bob", &right),
        Comparison::NoMatch
    );
}

#[test]
fn what_is_no_code_is_refused_and_says_so() {
    let (mut world, [alice, bob, _]) = three(303);
    let right = number(&mut world, bob, "alice").scannable;
    let mut newer = right.clone();
    newer[1] = 3;
    let cut = right[..right.len() - 1].to_vec();
    let mut short = right.clone();
    short[3] = 31;
    for scanned in [
        newer,
        cut,
        short,
        Vec::new(),
        b"lockstep://linkdevice".to_vec(),
    ] {
        let account = "bob".to_owned();
        let refused = safety(
            &mut world,
            alice,
            SafetyCommand::Compare { account, scanned },
        );
        assert_eq!(refused, Err(KeyRefusal::SafetyCodeMalformed.into()));
    }
}

#[test]
fn there_is_no_number_with_oneself_with_strangers_or_without_a_key() {
    let (mut world, [alice, _, _]) = three(304);
    let mut ask = |account: &str| {
        let account = account.to_owned();
        safety(&mut world, alice, SafetyCommand::Number { account })
    };
    assert_eq!(ask("alice"), Err(Refusal::InvalidArgument("contact")));
    assert_eq!(ask("nobody"), Err(Refusal::UnknownConversation));
    let unknown = wire::AccountId::from_bytes([9; 16]).to_string();
    assert_eq!(ask(&unknown), Err(Refusal::KeyUnknown));
    let new = world.browser();
    let account = "bob".to_owned();
    let refused = safety(&mut world, new, SafetyCommand::Number { account });
    assert_eq!(refused, Err(Refusal::NotReady));
}

/// T14: what is verified is fixed when it is shown.
#[test]
fn digits_that_were_compared_verify_that_key_and_no_other() {
    let (mut world, [alice, bob, _]) = three(305);
    let (second, _) = world.link(alice);
    let old = number(&mut world, alice, "bob").digits;
    let compact = old.replace(' ', "");
    assert_eq!(
        verify(&mut world, alice, "bob", Some(compact)),
        Ok(Reply::Done)
    );
    for id in [alice, second] {
        assert!(number(&mut world, id, "bob").verified);
    }
    with_another_key(&mut world, bob);
    world.send(bob, "alice", "it is me");
    let account = "bob".to_owned();
    let accept = Command::AcceptIdentity { account };
    assert_eq!(world.ask(alice, accept), Ok(Reply::Done));
    let refused = verify(&mut world, alice, "bob", Some(old));
    assert_eq!(refused, Err(Refusal::IdentityChanged));
    assert!(!world.contact(alice, "bob").verified);
    assert!(!world.contact(second, "bob").verified);
    let new = number(&mut world, alice, "bob").digits;
    assert_eq!(verify(&mut world, alice, "bob", Some(new)), Ok(Reply::Done));
    assert!(number(&mut world, alice, "bob").verified);
}

/// T13.
#[test]
fn a_changed_key_is_compared_before_it_is_accepted_and_says_that_the_old_one_was_verified() {
    let (mut world, [alice, bob, _]) = three(306);
    let old = number(&mut world, alice, "bob");
    let old_code = number(&mut world, bob, "alice").scannable;
    let old_text = fingerprint(&mut world, bob);
    assert_eq!(verify(&mut world, alice, "bob", None), Ok(Reply::Done));
    with_another_key(&mut world, bob);
    world.send(bob, "alice", "it is me");
    let new = number(&mut world, alice, "bob");
    assert!(new.changed && new.was_verified && !new.verified);
    assert_ne!(new.digits, old.digits);
    assert_eq!(
        verify(&mut world, alice, "bob", None),
        Err(Refusal::IdentityChanged)
    );

    let theirs = number(&mut world, bob, "alice");
    assert_eq!(theirs.digits, new.digits);
    assert_eq!(
        compare(&mut world, alice, "bob", &theirs.scannable),
        Comparison::Match
    );
    assert_eq!(
        compare(&mut world, alice, "bob", &old_code),
        Comparison::MatchKnown
    );
    assert_eq!(
        compare_text(&mut world, alice, "bob", &old_text),
        Ok(Comparison::MatchKnown)
    );
    let text = fingerprint(&mut world, bob);
    assert_eq!(
        compare_text(&mut world, alice, "bob", &text),
        Ok(Comparison::Match)
    );
}

/// T20.
#[test]
fn a_published_fingerprint_is_compared_whatever_stands_between_its_digits() {
    let (mut world, [alice, bob, carol]) = three(307);
    let text = fingerprint(&mut world, bob);
    assert_eq!(text.split(' ').count(), 6);
    let whole = number(&mut world, alice, "bob").digits.replace(' ', "");
    assert!(
        whole.contains(&text.replace(' ', "")),
        "half of the safety number"
    );
    let forms = [
        text.clone(),
        text.replace(' ', ""),
        text.replace(' ', "\r\n\t"),
        format!("\u{feff} {} \n", text.replace(' ', "\u{a0}-\u{200b}")),
    ];
    for form in forms {
        assert_eq!(
            compare_text(&mut world, alice, "bob", &form),
            Ok(Comparison::Match)
        );
    }
    assert_eq!(
        compare_text(&mut world, alice, "carol", &text),
        Ok(Comparison::NoMatch)
    );
    let own = fingerprint(&mut world, alice);
    assert_eq!(
        compare_text(&mut world, alice, "bob", &own),
        Ok(Comparison::SomebodyElse)
    );
    let carols = fingerprint(&mut world, carol);
    assert_eq!(
        compare_text(&mut world, alice, "bob", &carols),
        Ok(Comparison::NoMatch)
    );
    let broken = Err(KeyRefusal::FingerprintMalformed.into());
    for wrong in [
        &text[1..],
        &whole,
        "",
        &text.replace('1', "l").replace(' ', "x"),
    ] {
        assert_eq!(compare_text(&mut world, alice, "bob", wrong), broken);
    }
}
