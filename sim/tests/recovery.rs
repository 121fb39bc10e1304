//! Coming back with words on paper: the same account for everybody, told to all own devices; nothing but the right words of the
//! right account opens it, and a page may die at any moment.

#![expect(clippy::panic, reason = "a play that goes wrong stops at once")]

use engine::error::KeyRefusal;
use engine::input::{RecoveryCommand, SafetyCommand, Setting};
use engine::output::{
    ClientState, Recovered, RecoveryReply, RecoveryState, RecoveryStatus, SafetyReply,
};
use engine::store::Table;
use engine::store::memory::Crash;
use engine::{Command, Event, Refusal, Reply, Role};
use sim::{ClientId, World};
use wire::AccountId;

fn ask(world: &mut World, id: ClientId, command: RecoveryCommand) -> Result<Reply, Refusal> {
    world.ask(id, Command::Recovery(command))
}

fn make(world: &mut World, id: ClientId) -> String {
    match ask(world, id, RecoveryCommand::Make) {
        Ok(Reply::Recovery(RecoveryReply::Words(words))) => words,
        other => panic!("no words: {other:?}"),
    }
}

fn status(world: &mut World, id: ClientId) -> RecoveryStatus {
    match ask(world, id, RecoveryCommand::Status) {
        Ok(Reply::Recovery(RecoveryReply::Status(status))) => status,
        other => panic!("no status: {other:?}"),
    }
}

fn with_words(words: &str) -> RecoveryCommand {
    RecoveryCommand::Recover {
        handle: "alice".to_owned(),
        credential: None,
        words: words.to_owned(),
        device_name: "New tablet".to_owned(),
    }
}

fn recover(world: &mut World, id: ClientId, words: &str) -> Result<Reply, Refusal> {
    ask(world, id, with_words(words))
}

fn account(world: &mut World, id: ClientId) -> AccountId {
    match world.ask(id, Command::Account) {
        Ok(Reply::Account(account)) => account.id,
        other => panic!("no account: {other:?}"),
    }
}

fn devices(world: &mut World, id: ClientId) -> usize {
    match world.ask(id, Command::Devices) {
        Ok(Reply::Devices(devices)) => devices.len(),
        other => panic!("no devices: {other:?}"),
    }
}

fn digits(world: &mut World, id: ClientId, with: &str) -> String {
    let account = with.to_owned();
    match world.ask(id, Command::Safety(SafetyCommand::Number { account })) {
        Ok(Reply::Safety(SafetyReply::Number(number))) => number.digits,
        other => panic!("no safety number: {other:?}"),
    }
}

fn told(world: &World, id: ClientId) -> Vec<Recovered> {
    let events = world.client(id).events.iter();
    let recovered = |event: &Event| {
        if let Event::Recovered(recovered) = event {
            Some(recovered.clone())
        } else {
            None
        }
    };
    events.filter_map(recovered).collect()
}

fn talking(seed: u64) -> (World, ClientId, ClientId) {
    let mut world = World::new(seed);
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    world.send(alice, "bob", "hello");
    world.send(bob, "alice", "hi");
    (world, alice, bob)
}

#[test]
fn who_has_lost_all_devices_is_the_same_person_for_everybody_again() {
    let (mut world, alice, bob) = talking(400);
    let verify = Setting::Verify {
        account: "alice".to_owned(),
        verified: true,
        digits: None,
    };
    assert_eq!(world.ask(bob, Command::Set(verify)), Ok(Reply::Done));
    let (id, number) = (account(&mut world, alice), digits(&mut world, bob, "alice"));
    let words = make(&mut world, alice);
    world.kill(alice);
    let new = world.browser();
    let recovered = recover(&mut world, new, &words);
    assert!(
        matches!(recovered, Ok(Reply::Account(ref found)) if found.id == id && found.role == Role::Owner)
    );
    assert_eq!(world.client(new).state(), ClientState::Ready);
    world.send(bob, "alice", "are you there?");
    assert_eq!(
        world.texts(new, "bob"),
        ["are you there?"],
        "history stays what it is"
    );
    world.send(new, "bob", "again");
    assert_eq!(
        world.texts(bob, "alice"),
        ["hello", "hi", "are you there?", "again"]
    );
    assert_eq!(digits(&mut world, new, "bob"), number);
    let seen = world.contact(bob, "alice");
    assert!(seen.verified && !seen.key_changed);
    assert_eq!(
        status(&mut world, new).state,
        RecoveryState::Ready,
        "the same words work again"
    );
}

#[test]
fn all_own_devices_are_told_who_came_by_a_code_and_those_that_come_later_know() {
    let (mut world, alice, _) = talking(401);
    let (second, _) = world.link_as(alice, Role::Device);
    let words = make(&mut world, alice);
    let new = world.browser();
    let Ok(Reply::Account(came)) = recover(&mut world, new, &words) else {
        panic!("not recovered");
    };
    world.pass_ms(1_000);
    for id in [alice, second] {
        let told = told(&world, id);
        assert_eq!(told.len(), 1);
        let first = told.first().unwrap();
        assert_eq!(
            (first.device, first.name.as_str()),
            (came.device, "New tablet")
        );
    }
    let (later, _) = world.link(alice);
    assert_eq!(
        status(&mut world, later).recovered,
        told(&world, alice).first().cloned()
    );
    world.send(new, "bob", "from the new one");
    assert_eq!(
        world.texts(second, "bob").last().unwrap(),
        "from the new one"
    );
}

#[test]
fn wrong_words_say_what_is_wrong_and_change_nothing() {
    let (mut world, alice, bob) = talking(402);
    let words = make(&mut world, alice);
    let others = make(&mut world, bob);
    let new = world.browser();
    let before = world.client(new).store.snapshot();
    let list: Vec<_> = words.split(' ').collect();
    let mut unknown = list.clone();
    *unknown.get_mut(4).unwrap() = "lockstep";
    let refusals = [
        (
            unknown.join(" "),
            KeyRefusal::RecoveryWordUnknown { position: 5 },
        ),
        (
            list.get(..11).unwrap().join(" "),
            KeyRefusal::RecoveryWordCount { found: 11 },
        ),
        (others, KeyRefusal::RecoveryRefused),
        ("abandon ".repeat(12), KeyRefusal::RecoveryChecksum),
    ];
    for (typed, refusal) in refusals {
        assert_eq!(recover(&mut world, new, &typed), Err(refusal.into()));
    }
    assert!(
        world
            .client(new)
            .store
            .snapshot()
            .only(&[Table::Meta, Table::PreKeys])
            == before.only(&[Table::Meta, Table::PreKeys])
    );
    assert_eq!(world.client(new).state(), ClientState::New);
    assert_eq!(devices(&mut world, alice), 1);
    let shouted = words.to_uppercase().replace(' ', "\n  ");
    assert!(recover(&mut world, new, &shouted).is_ok());
}

#[test]
fn a_new_code_makes_the_old_one_useless_and_the_account_tells_whether_there_is_one() {
    let (mut world, alice, bob) = talking(403);
    let (second, _) = world.link(alice);
    assert_eq!(status(&mut world, alice).state, RecoveryState::None);
    let new = world.browser();
    let bobs = make(&mut world, bob);
    let none = recover(&mut world, new, &bobs);
    assert_eq!(none, Err(KeyRefusal::RecoveryNone.into()));
    let old = make(&mut world, alice);
    let since = status(&mut world, second).since.unwrap();
    world.pass_ms(5_000);
    let words = make(&mut world, second);
    assert_ne!(old, words);
    for id in [alice, second] {
        let now = status(&mut world, id);
        assert!(now.state == RecoveryState::Ready && now.since.unwrap() > since);
    }
    assert_eq!(
        recover(&mut world, new, &old),
        Err(KeyRefusal::RecoveryRefused.into())
    );
    assert!(recover(&mut world, new, &words).is_ok());
}

/// What the relay may do with what it keeps. An older one is noticed twice: the words that count do not open it, and own devices
/// see that it is not theirs. It opens with the words it was made with, which is why paper that was replaced is to be destroyed.
#[test]
fn a_relay_that_mauls_cuts_exchanges_or_rolls_back_a_sealed_key_is_refused_and_changes_nothing() {
    let (mut world, alice, bob) = talking(404);
    make(&mut world, alice);
    let id = account(&mut world, alice);
    let older = world.relay.sealed_key(id).unwrap();
    let words = make(&mut world, alice);
    let sealed = world.relay.sealed_key(id).unwrap();
    make(&mut world, bob);
    let bobs = account(&mut world, bob);
    let foreign = world.relay.sealed_key(bobs).unwrap();
    let mut mauled = sealed.clone();
    *mauled.last_mut().unwrap() ^= 1;
    let cut = sealed.get(..sealed.len() - 1).unwrap().to_vec();
    let new = world.browser();
    let before = world.client(new).store.snapshot();
    for lie in [mauled, cut, foreign, older, vec![0]] {
        world.relay.replace_sealed_key(id, &lie);
        let refused = recover(&mut world, new, &words);
        assert_eq!(refused, Err(KeyRefusal::RecoveryRefused.into()));
        assert_eq!(status(&mut world, alice).state, RecoveryState::Lost);
        assert_eq!(devices(&mut world, alice), 1);
    }
    assert!(
        world
            .client(new)
            .store
            .snapshot()
            .only(&[Table::Meta, Table::PreKeys])
            == before.only(&[Table::Meta, Table::PreKeys])
    );
    world.relay.replace_sealed_key(id, &sealed);
    assert!(recover(&mut world, new, &words).is_ok());
}

#[test]
fn what_the_relay_keeps_holds_neither_the_key_nor_the_words() {
    let (mut world, alice, _) = talking(405);
    let words = make(&mut world, alice);
    let id = account(&mut world, alice);
    let sealed = world.relay.sealed_key(id).unwrap();
    let mut secrets = Vec::new();
    world.client(alice).store.edit(Table::Meta, |key, record| {
        // The private half of the identity key pair: 32 bytes behind this tag and length.
        let tag = [0x12, 32];
        if key == b"account" {
            let at = record.windows(2).position(|window| window == tag).unwrap();
            secrets.push(record.get(at + 2..at + 34).unwrap().to_vec());
        }
        engine::store::memory::Keep::Yes
    });
    assert_eq!(secrets.len(), 1);
    secrets.extend(words.split(' ').map(|word| word.as_bytes().to_vec()));
    for secret in secrets {
        let part = secret.get(..secret.len().min(6)).unwrap();
        assert!(!sealed.windows(part.len()).any(|window| window == part));
    }
    assert!(sealed.len() < 128);
}

#[test]
fn a_page_that_dies_at_any_commit_of_recovering_becomes_one_device_in_the_end() {
    for crash in [Crash::BeforeWrite, Crash::AfterWrite] {
        for n in 1.. {
            let (mut world, alice, bob) = talking(406);
            let words = make(&mut world, alice);
            let new = world.browser();
            world.crash_at(new, n, crash);
            for _ in 0..4 {
                if !world.client(new).is_open() {
                    world.open(new);
                    world.pass_ms(60_000);
                }
                if world.client(new).is_open() && world.client(new).state() == ClientState::New {
                    drop(world.try_ask(new, Command::Recovery(with_words(&words))));
                }
            }
            world.pass_ms(60_000);
            let died = world.client(new).crashes() > 0;
            assert_eq!(devices(&mut world, alice), 2, "crash at {n}, {crash:?}");
            assert_eq!(told(&world, alice).len(), 1, "crash at {n}, {crash:?}");
            world.send(bob, "alice", "there?");
            if !world.client(new).is_open() {
                world.open(new); // it died of what was sent
            }
            assert_eq!(world.texts(new, "bob").last().unwrap(), "there?");
            if !died {
                break;
            }
        }
    }
}

#[test]
fn too_many_tries_and_a_lost_connection_are_said_and_change_nothing() {
    let (mut world, alice, _) = talking(407);
    let words = make(&mut world, alice);
    let new = world.browser();
    world.relay.refuse.push(("/v1/recovery", 429, 1));
    assert_eq!(recover(&mut world, new, &words), Err(Refusal::RateLimited));
    assert_eq!(world.client(new).state(), ClientState::New);
    world.relay.refuse.push(("/v1/recovery/device", 503, 1));
    assert_eq!(recover(&mut world, new, &words), Err(Refusal::RelayRefused));
    world.pass_ms(600_000);
    assert_eq!(devices(&mut world, alice), 1);
    assert!(recover(&mut world, new, &words).is_ok());
}

#[test]
fn a_device_without_the_account_key_makes_no_code() {
    let (mut world, alice, _) = talking(408);
    let (second, _) = world.link_as(alice, Role::Device);
    let refused = ask(&mut world, second, RecoveryCommand::Make);
    assert_eq!(refused, Err(Refusal::NotOwner));
    assert_eq!(status(&mut world, second).state, RecoveryState::None);
}

#[test]
fn a_browser_that_was_removed_comes_back_with_its_history_and_only_to_its_own_account() {
    let (mut world, alice, bob) = talking(409);
    let (second, device) = world.link(alice);
    world.pass_ms(10_000);
    let words = make(&mut world, alice);
    let unlink = Command::Unlink {
        device: device.id,
        lost: false,
    };
    assert_eq!(world.ask(alice, unlink), Ok(Reply::Done));
    world.pass_ms(2_000);
    assert_eq!(world.client(second).state(), ClientState::Unlinked);
    let command = RecoveryCommand::Recover {
        handle: "bob".to_owned(),
        credential: None,
        words: make(&mut world, bob),
        device_name: "x".to_owned(),
    };
    assert_eq!(ask(&mut world, second, command), Err(Refusal::OtherAccount));
    assert!(recover(&mut world, second, &words).is_ok());
    let kept = world.texts(second, "bob");
    world.send(bob, "alice", "back?");
    let all = world.texts(second, "bob");
    assert_eq!(all, [kept, vec!["back?".to_owned()]].concat());
}

/// Signed with 32 bytes of 7, for "alice", until 2096.
const TOKEN: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJleHAiOjQwMDAwMDAwMDAsImhhbmRsZSI6ImFsaWNlIn0.TsUnz8iDhyy-iihXR0doPlwLWgAUIfrke9wxx86NJFA";

/// T13: without words there is another key, and everybody sees it.
#[test]
fn an_account_that_begins_anew_is_the_same_one_with_a_key_that_has_changed() {
    let (mut world, alice, bob) = talking(410);
    let id = account(&mut world, alice);
    world.relay.ask_for_tokens([7; 32]);
    let new = world.browser();
    let anew = |credential: Option<&str>| RecoveryCommand::Anew {
        handle: "alice".to_owned(),
        credential: credential.map(str::to_owned),
        device_name: "New".to_owned(),
    };
    assert_eq!(
        ask(&mut world, new, anew(None)),
        Err(Refusal::CredentialRefused)
    );
    let active = ask(&mut world, new, anew(Some(TOKEN)));
    assert_eq!(active, Err(KeyRefusal::DevicesActive.into()));
    world.kill(alice);
    world.pass_ms(49 * 3_600_000);
    let begun = ask(&mut world, new, anew(Some(TOKEN)));
    assert!(matches!(begun, Ok(Reply::Account(ref found)) if found.id == id));
    world.send(new, "bob", "it is me");
    assert!(world.contact(bob, "alice").key_changed);
    assert_eq!(
        world.texts(bob, "alice"),
        ["hello", "hi"],
        "nothing is shown before it is accepted"
    );
    let refused = world.ask(bob, Command::text("alice", "secret"));
    assert_eq!(refused, Err(Refusal::IdentityChanged));
    world.open(alice);
    assert_eq!(world.client(alice).state(), ClientState::Unlinked);
    let account = "alice".to_owned();
    assert_eq!(
        world.ask(bob, Command::AcceptIdentity { account }),
        Ok(Reply::Done)
    );
    assert_eq!(world.texts(bob, "alice").last().unwrap(), "it is me");
    world.send(bob, "alice", "so it is");
    assert_eq!(world.texts(new, "bob"), ["it is me", "so it is"]);
}

#[test]
fn the_devices_of_an_account_that_began_anew_are_those_that_its_new_key_vouches_for() {
    let (mut world, alice, bob) = talking(411);
    let (old, _) = world.link_as(alice, Role::Device);
    world.link_as(alice, Role::Device);
    world.send(bob, "alice", "to the old ones");
    assert_eq!(world.texts(old, "bob").last().unwrap(), "to the old ones");
    world.relay.ask_for_tokens([7; 32]);
    let credential = Some(TOKEN.to_owned());
    world.pass_ms(49 * 3_600_000);
    let new = world.browser();
    let anew = RecoveryCommand::Anew {
        handle: "alice".to_owned(),
        credential: credential.clone(),
        device_name: "New".to_owned(),
    };
    assert!(matches!(ask(&mut world, new, anew), Ok(Reply::Account(_))));
    // Its first list has a version that the old key's lists had long gone beyond.
    let second = world.browser();
    let link = Command::Link {
        credential,
        device_name: "Second".to_owned(),
        handle: None,
    };
    let Ok(Reply::LinkOffer(offer)) = world.ask(second, link) else {
        panic!("no offer");
    };
    let approve = Command::ApproveLink {
        uri: offer.uri,
        role: Role::Device,
    };
    assert!(matches!(world.ask(new, approve), Ok(Reply::Device(_))));
    world.send(new, "bob", "it is me");
    let account = "alice".to_owned();
    let accept = Command::AcceptIdentity { account };
    assert_eq!(world.ask(bob, accept), Ok(Reply::Done));
    world.send(bob, "alice", "to both");
    for of in [new, second] {
        assert_eq!(world.texts(of, "bob").last().unwrap(), "to both");
    }
    let alarmed = |event: &Event| matches!(event, Event::ListAlarm(..));
    assert!(!world.client(bob).events.iter().any(alarmed));
}
