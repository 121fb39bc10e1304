//! An account that comes with another identity key: noticed, shown, held back, and gone on with once accepted.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a play that goes wrong stops at once"
)]

use engine::input::Setting;
use engine::output::MessageStatus;
use engine::store::Table;
use engine::store::memory::Keep;
use engine::{Command, Event, Refusal, Reply};
use libsignal_protocol::IdentityKeyPair;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use sim::{ClientId, Deceit, World};
use wire::body::{Base64, PreKeyResponse, from_json, to_json};

/// A stored identity key pair: Signal's two protobuf fields.
fn pair(world: &World, id: ClientId, public: &[u8]) -> Vec<u8> {
    let mut found = Vec::new();
    world.client(id).store.edit(Table::Meta, |key, record| {
        let at = record
            .windows(public.len())
            .position(|window| window == public);
        if let (b"account", Some(at)) = (key, at) {
            found = record[at - 2..at + 67].to_vec();
        }
        Keep::Yes
    });
    assert_eq!(found.len(), 69);
    found
}

/// Bob goes on with Carol's identity key and without sessions: to Alice, another person in his name.
fn with_another_key(world: &mut World, alice: ClientId, bob: ClientId, carol: ClientId) -> Vec<u8> {
    let key = |world: &mut World, handle| world.contact(alice, handle).identity_key.unwrap();
    let (old, new) = (key(world, "bob"), key(world, "carol"));
    let (old_pair, new_pair) = (pair(world, bob, &old), pair(world, carol, &new));
    world.kill(bob);
    let store = &world.client(bob).store;
    store.edit(Table::Sessions, |_, _| Keep::No);
    store.edit(Table::Meta, |key, record| {
        if key == b"account" {
            let at = record
                .windows(69)
                .position(|window| window == old_pair)
                .unwrap();
            record[at..at + 69].copy_from_slice(&new_pair);
        }
        Keep::Yes
    });
    world.open(bob);
    new
}

#[test]
fn what_was_verified_of_an_earlier_key_is_the_same_on_a_device_that_comes_later() {
    let (mut world, alice, bob, new) = scene(90);
    let (second, _) = world.link(alice);
    let (account, verified) = ("bob".to_owned(), true);
    let verify = Command::Set(Setting::Verify {
        account,
        verified,
        digits: None,
    });
    assert_eq!(world.ask(alice, verify), Ok(Reply::Done));
    assert!(world.contact(second, "bob").verified);
    world.send(bob, "alice", "with another key");
    let account = "bob".to_owned();
    let accept = Command::AcceptIdentity { account };
    assert_eq!(world.ask(alice, accept), Ok(Reply::Done));
    let (third, _) = world.link(alice);
    let held = |id: ClientId| engine::held(&world.client(id).store.snapshot());
    assert_eq!(held(alice), held(second));
    assert_eq!(held(alice), held(third));
    let shown = world.contact(third, "bob");
    assert_eq!(shown.identity_key, Some(new));
    assert!(!shown.verified && !world.contact(alice, "bob").verified);
}

/// Another key in place of the account's.
fn swap_key(body: &mut Vec<u8>) {
    let mut keys: PreKeyResponse = from_json(body).unwrap();
    let mut rng = ChaCha20Rng::from_seed([9; 32]);
    let other = IdentityKeyPair::generate(&mut rng);
    keys.identity_key = Base64(other.identity_key().serialize().into_vec());
    *body = to_json(&keys);
}

#[test]
fn a_relay_that_names_another_key_for_our_own_account_is_not_believed() {
    let mut world = World::new(91);
    let alice = world.register("alice");
    let bob = world.register("bob");
    world.send(alice, "bob", "hello");
    let Ok(Reply::Account(account)) = world.ask(alice, Command::Account) else {
        panic!("no account");
    };
    let path = format!("/v2/keys/{}", account.id);
    world.relay.lie = Some((Box::leak(path.into_boxed_str()), swap_key));
    let (second, _) = world.link(alice);
    world.send(second, "bob", "is this thing on");
    world.relay.lie = None;
    let changed = |event: &Event| matches!(event, Event::IdentityChanged(_));
    assert!(!world.client(second).events.iter().any(changed));
    world.set_network(second, false);
    world.set_network(second, true);
    world.pass_ms(60_000);
    let asked_again = world.contact(second, "bob");
    assert!(asked_again.identity_key.is_some(), "contacts have come");
    world.send(second, "bob", "now it is");
    assert_eq!(world.texts(bob, "alice").last().unwrap(), "now it is");
    assert_eq!(world.texts(alice, "bob").last().unwrap(), "now it is");
}

fn scene(seed: u64) -> (World, ClientId, ClientId, Vec<u8>) {
    let mut world = World::new(seed);
    let [alice, bob, carol] = ["alice", "bob", "carol"].map(|handle| world.register(handle));
    world.send(alice, "bob", "hello");
    world.send(bob, "alice", "hi");
    world.send(alice, "carol", "hello");
    let new = with_another_key(&mut world, alice, bob, carol);
    (world, alice, bob, new)
}

fn changes_seen(world: &World, id: ClientId) -> usize {
    let changed = |event: &&Event| matches!(event, Event::IdentityChanged(_));
    world.client(id).events.iter().filter(changed).count()
}

/// S-16, T13.
#[test]
fn what_comes_under_another_key_is_shown_only_once_the_key_is_accepted() {
    let (mut world, alice, bob, new) = scene(80);
    let sessions = world
        .client(alice)
        .store
        .snapshot()
        .only(&[Table::Sessions]);
    world.send(bob, "alice", "it is me");
    world.send(bob, "alice", "really");
    assert_eq!(world.texts(alice, "bob"), ["hello", "hi"]);
    assert_eq!(
        changes_seen(&world, alice),
        1,
        "shown once, not once a message"
    );
    let untouched = world
        .client(alice)
        .store
        .snapshot()
        .only(&[Table::Sessions]);
    assert!(sessions == untouched, "nothing was decrypted");
    assert_ne!(world.contact(alice, "bob").identity_key.unwrap(), new);

    let account = "bob".to_owned();
    let accepted = world.ask(alice, Command::AcceptIdentity { account });
    assert_eq!(accepted, Ok(Reply::Done));
    assert_eq!(
        world.texts(alice, "bob"),
        ["hello", "hi", "it is me", "really"]
    );
    assert_eq!(world.contact(alice, "bob").identity_key.unwrap(), new);
    assert!(!world.contact(alice, "bob").verified);
    world.send(alice, "bob", "good to know");
    assert_eq!(world.texts(bob, "alice").last().unwrap(), "good to know");
}

/// V2. Found by the simulator: it was shown as a changed key, which blocked the account, and could have been accepted.
#[test]
fn our_own_key_in_anothers_name_is_no_key_of_theirs() {
    let mut world = World::new(86);
    let [alice, bob, carol] = ["alice", "bob", "carol"].map(|handle| world.register(handle));
    world.send(bob, "carol", "hello");
    world.relay.deceive(Deceit::SwappedAccount);
    let id = world.send(carol, "alice", "who is there?");
    assert_eq!(world.relay.lies_told(), 1);
    assert_eq!(
        world.statuses(carol, "alice"),
        [MessageStatus::Failed(Refusal::RelayProtocol)]
    );
    assert_eq!(changes_seen(&world, carol), 0);
    let resent = world.ask(carol, Command::Resend { message: id });
    assert_eq!(resent, Ok(Reply::Done));
    assert_eq!(world.texts(alice, "carol"), ["who is there?"]);
}

/// S-43.
#[test]
fn nothing_is_sent_to_a_changed_key_by_itself() {
    let (mut world, alice, bob, _) = scene(81);
    world.send(bob, "alice", "it is me");
    let before = world.client(alice).bundles().len();
    let send = Command::text("bob", "secret");
    assert_eq!(world.ask(alice, send), Err(Refusal::IdentityChanged));
    world.pass_ms(60_000);
    world.kill(alice);
    world.open(alice);
    world.pass_ms(60_000);
    assert_eq!(world.client(alice).bundles().len(), before);
    assert_eq!(
        world.texts(alice, "bob"),
        ["hello", "hi"],
        "nothing refused is stored"
    );
}

/// S-43, for what was on its way when the key changed.
#[test]
fn what_waits_when_the_key_changes_fails_and_is_sent_when_the_person_says_so() {
    let (mut world, alice, bob, _) = scene(82);
    world.relay.refuse.push(("/v1/bundles", 429, 1));
    let waiting = world.send(alice, "bob", "before");
    let behind = world.send(alice, "bob", "behind");
    world.send(bob, "alice", "it is me");
    world.pass_ms(60_000);
    let failed = MessageStatus::Failed(Refusal::IdentityChanged);
    assert_eq!(
        world.statuses(alice, "bob")[3],
        failed,
        "not sealed yet: it waits for the person"
    );
    let account = "bob".to_owned();
    world
        .ask(alice, Command::AcceptIdentity { account })
        .unwrap();
    world.pass_ms(60_000);
    for message in [waiting, behind] {
        world.ask(alice, Command::Resend { message }).ok();
    }
    world.pass_ms(60_000);
    let texts = world.texts(bob, "alice");
    assert!(texts.contains(&"behind".to_owned()), "{texts:?}");
}

#[test]
fn accepting_what_has_not_changed_changes_nothing() {
    let (mut world, alice, _, _) = scene(83);
    let before = world.client(alice).store.snapshot();
    let account = "carol".to_owned();
    assert_eq!(
        world.ask(alice, Command::AcceptIdentity { account }),
        Ok(Reply::Done)
    );
    assert!(before == world.client(alice).store.snapshot());
}

/// A relay may have made the other key up: the person keeps the one they know.
#[test]
fn a_refused_key_is_forgotten_with_all_that_came_under_it() {
    let (mut world, alice, bob, _) = scene(84);
    let old = world.contact(alice, "bob").identity_key;
    world.send(bob, "alice", "it is me");
    assert!(world.contact(alice, "bob").key_changed);
    let account = "bob".to_owned();
    let refused = world.ask(alice, Command::RejectIdentity { account });
    assert_eq!(refused, Ok(Reply::Done));
    assert!(!world.contact(alice, "bob").key_changed);
    assert_eq!(world.contact(alice, "bob").identity_key, old);
    assert_eq!(world.client(alice).store.snapshot().count(Table::Held), 0);
    world.send(alice, "bob", "are you there?");
    let sent = world.statuses(alice, "bob");
    assert_eq!(
        sent.last(),
        Some(&MessageStatus::Sent),
        "to the key that is known"
    );
}
