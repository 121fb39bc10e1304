//! Databases are copied and put back: at most one copy sends, and no ratchet position is used for two texts
//! (T7, T9). What an honest browser goes through never counts against it.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a play that goes wrong stops at once"
)]

use std::collections::BTreeMap;

use engine::output::{ClientState, MessageStatus, Unlinked};
use engine::store::memory::{Crash, Snapshot};
use engine::{Command, Event, Refusal, Reply, Role};
use libsignal_protocol::{PreKeySignalMessage, SignalMessage};
use sim::{Cast, ClientId, World};
use wire::EnvelopeKind;
use wire::bundle::DeviceMessage;

/// They have sessions with each other.
fn cast(world: &mut World) -> Cast {
    let cast = Cast::new(world);
    for (from, to) in [
        (cast.alice, "bob"),
        (cast.bob, "alice"),
        (cast.second, "bob"),
        (cast.alice, "bob"),
    ] {
        world.send(from, to, "hello");
    }
    cast
}

fn why(world: &mut World, of: ClientId) -> Option<Unlinked> {
    match world.ask(of, Command::Account) {
        Ok(Reply::Account(account)) => account.unlinked,
        other => panic!("no account: {other:?}"),
    }
}

fn try_send(world: &mut World, from: ClientId, text: &str) -> Result<Reply, Refusal> {
    let (to, text) = ("bob".to_owned(), text.to_owned());
    world.ask(from, Command::text(to, text))
}

/// The page ends, the database is put back, the page is opened again.
fn restore(world: &mut World, id: ClientId, snapshot: &Snapshot) {
    world.kill(id);
    world.client(id).store.restore(snapshot);
    world.open(id);
    world.pass_ms(120_000);
}

/// No two ciphertexts of these browsers stand at one position of one chain.
fn assert_positions_are_used_once(world: &World, browsers: &[ClientId]) {
    let mut used = BTreeMap::new();
    for browser in browsers {
        for bundle in world.client(*browser).bundles() {
            for part in bundle.recipients.iter().flat_map(|r| &r.messages) {
                let (position, ciphertext) = position(part);
                let first = used.entry(position).or_insert_with(|| ciphertext.clone());
                assert_eq!(*first, ciphertext, "a position was used twice");
            }
        }
    }
}

fn position(part: &DeviceMessage) -> ((Vec<u8>, u32), Vec<u8>) {
    let of = |inner: &SignalMessage| {
        let key = inner.sender_ratchet_key().serialize().into_vec();
        ((key, inner.counter()), inner.serialized().to_vec())
    };
    if part.kind == EnvelopeKind::PreKey {
        let outer = PreKeySignalMessage::try_from(part.content.as_slice()).unwrap();
        of(outer.message())
    } else {
        of(&SignalMessage::try_from(part.content.as_slice()).unwrap())
    }
}

/// It may not send, says so, and may be linked again; then all is well.
fn assert_fenced_and_comes_back(world: &mut World, cast: &Cast, texts: &[&str]) {
    let id = cast.alice;
    let bundles = world.client(id).bundles().len();
    assert_eq!(world.client(id).state(), ClientState::Unlinked);
    assert_eq!(why(world, id), Some(Unlinked::RolledBack));
    let told = Event::Failure(Refusal::RolledBack);
    assert!(world.client(id).events.contains(&told));
    assert_eq!(try_send(world, id, "no"), Err(Refusal::RolledBack));
    world.kill(id);
    world.open(id);
    assert_eq!(try_send(world, id, "no"), Err(Refusal::RolledBack));
    assert_eq!(
        world.client(id).bundles().len(),
        bundles,
        "nothing was sealed"
    );
    let offer = world.offer(id);
    let linked = world.ask(
        cast.second,
        Command::ApproveLink {
            uri: offer.uri,
            role: Role::Owner,
        },
    );
    assert!(linked.is_ok(), "{linked:?}");
    world.send(id, "bob", "back");
    world.send(cast.bob, "alice", "welcome");
    let shown = world.texts(id, "bob");
    assert_eq!(shown[shown.len() - 2..], ["back", "welcome"]);
    let at_bob = world.texts(cast.bob, "alice");
    for text in texts.iter().chain(&["back", "welcome"]) {
        let times = at_bob.iter().filter(|shown| shown == text).count();
        assert_eq!(times, 1, "{text:?} in {at_bob:?}");
    }
    assert_positions_are_used_once(world, &[id]);
}

#[test]
fn a_database_from_before_a_send_sends_no_more() {
    let mut world = World::new(70);
    let cast = cast(&mut world);
    let before = world.client(cast.alice).store.snapshot();
    world.send(cast.alice, "bob", "lost here");
    restore(&mut world, cast.alice, &before);
    assert_fenced_and_comes_back(&mut world, &cast, &["lost here"]);
}

#[test]
fn a_database_from_before_a_message_came_sends_no_more() {
    let mut world = World::new(71);
    let cast = cast(&mut world);
    let before = world.client(cast.alice).store.snapshot();
    world.send(cast.bob, "alice", "read already");
    restore(&mut world, cast.alice, &before);
    assert_fenced_and_comes_back(&mut world, &cast, &["read already"]);
}

#[test]
fn a_database_from_before_the_last_sign_in_sends_no_more() {
    let mut world = World::new(72);
    let cast = cast(&mut world);
    let before = world.client(cast.alice).store.snapshot();
    world.kill(cast.alice);
    world.open(cast.alice);
    restore(&mut world, cast.alice, &before);
    assert_fenced_and_comes_back(&mut world, &cast, &[]);
}

#[test]
fn a_database_with_a_sealed_message_from_before_the_next_sends_it_once() {
    let mut world = World::new(73);
    let cast = cast(&mut world);
    world.relay.refuse.push(("/v1/bundles", 503, 1));
    world.send(cast.alice, "bob", "sealed, not taken");
    let before = world.client(cast.alice).store.snapshot();
    world.pass_ms(10_000); // now it is taken
    world.send(cast.alice, "bob", "and another one");
    restore(&mut world, cast.alice, &before);
    let texts = ["sealed, not taken", "and another one"];
    assert_fenced_and_comes_back(&mut world, &cast, &texts);
}

#[test]
fn a_database_put_back_to_where_it_was_goes_on() {
    let mut world = World::new(74);
    let cast = cast(&mut world);
    world.kill(cast.alice);
    let same = world.client(cast.alice).store.snapshot();
    restore(&mut world, cast.alice, &same);
    world.send(cast.alice, "bob", "nothing was lost");
    assert_eq!(world.client(cast.alice).state(), ClientState::Ready);
    assert_positions_are_used_once(&world, &[cast.alice]);
}

/// A copy beside the original: whoever signs in first after the copying goes on, the other one says what is wrong.
fn copied(seed: u64, copy_first: bool, original_writes: bool) {
    let mut world = World::new(seed);
    let cast = cast(&mut world);
    let copy_of = world.client(cast.alice).store.copy();
    if original_writes {
        world.send(cast.alice, "bob", "by the original");
    }
    if !copy_first {
        world.kill(cast.alice);
        world.open(cast.alice);
    }
    let copy = world.browser_with(copy_of);
    world.pass_ms(300_000);
    let may = |id: ClientId| world.client(id).state() == ClientState::Ready;
    let (original_may, copy_may) = (may(cast.alice), may(copy));
    assert!(!(original_may && copy_may), "at most one may send");
    assert_eq!(copy_may, copy_first && !original_writes);
    assert_ne!(original_may, copy_may, "one of them goes on");
    let (one, other) = if copy_may {
        (copy, cast.alice)
    } else {
        (cast.alice, copy)
    };
    assert_eq!(why(&mut world, other), Some(Unlinked::RolledBack));
    assert_eq!(try_send(&mut world, other, "no"), Err(Refusal::RolledBack));
    world.send(one, "bob", "by the one");
    world.pass_ms(300_000);
    let last = world.statuses(one, "bob").pop();
    assert_eq!(last, Some(MessageStatus::Delivered));
    assert_positions_are_used_once(&world, &[cast.alice, copy]);
}

#[test]
fn a_copy_that_comes_first_is_the_device() {
    copied(75, true, false);
}

#[test]
fn a_copy_that_comes_after_the_original_sends_nothing() {
    copied(76, false, false);
}

#[test]
fn a_copy_sends_nothing_if_the_original_has_sent() {
    copied(77, true, true);
}

#[test]
fn a_refused_copy_takes_nothing_from_the_mailbox() {
    let mut world = World::new(78);
    let cast = cast(&mut world);
    let copy_of = world.client(cast.alice).store.copy();
    world.send(cast.alice, "bob", "the original goes on");
    world.kill(cast.alice);
    world.send(cast.bob, "alice", "for the original");
    let copy = world.browser_with(copy_of);
    assert_eq!(why(&mut world, copy), Some(Unlinked::RolledBack));
    assert!(
        !world
            .texts(copy, "bob")
            .contains(&"for the original".to_owned())
    );
    world.open(cast.alice);
    assert_eq!(world.client(cast.alice).state(), ClientState::Ready);
    let shown = world.texts(cast.alice, "bob");
    assert_eq!(shown.last().map(String::as_str), Some("for the original"));
}

#[test]
fn no_crash_while_signing_in_or_sealing_fences_an_honest_browser() {
    for crash in [Crash::BeforeWrite, Crash::AfterWrite] {
        for n in 0.. {
            let mut world = World::new(3000 + n);
            let cast = cast(&mut world);
            world.kill(cast.alice);
            world.send(cast.bob, "alice", "waits");
            world.crash_at(cast.alice, n, crash);
            world.open(cast.alice);
            if world.client(cast.alice).is_open() {
                let (to, text) = ("bob".to_owned(), "once".to_owned());
                world.try_ask(cast.alice, Command::text(to, text));
            }
            let crashed = world.client(cast.alice).crashes() > 0;
            world.crash_at(cast.alice, u64::MAX, crash); // the rest is undisturbed
            if !world.client(cast.alice).is_open() {
                world.open(cast.alice);
            }
            world.pass_ms(120_000);
            let state = world.client(cast.alice).state();
            assert_eq!(state, ClientState::Ready, "{n}, {crash:?}");
            world.send(cast.alice, "bob", "after");
            assert_eq!(world.texts(cast.bob, "alice").pop().unwrap(), "after");
            assert_positions_are_used_once(&world, &[cast.alice]);
            if !crashed {
                assert!(n > 5, "only {n} commits were met");
                break;
            }
        }
    }
}

#[test]
fn no_lost_frame_fences_an_honest_browser() {
    for steps in 0..40 {
        let mut world = World::new(4000 + steps);
        let cast = cast(&mut world);
        for round in 0..3 {
            world.set_network(cast.alice, false);
            let (to, text) = ("bob".to_owned(), format!("round {round}"));
            world.start(cast.alice, Command::text(to, text));
            world.reconnect(cast.alice);
            for _ in 0..steps {
                world.step();
            }
        }
        world.set_network(cast.alice, false);
        world.set_network(cast.alice, true);
        world.pass_ms(120_000);
        assert_eq!(
            world.client(cast.alice).state(),
            ClientState::Ready,
            "{steps}"
        );
        assert_eq!(world.texts(cast.bob, "alice")[4..].len(), 3, "{steps}");
        assert_positions_are_used_once(&world, &[cast.alice]);
    }
}

#[test]
fn a_relay_that_denies_its_fence_gets_nothing_until_it_agrees() {
    let mut world = World::new(309);
    let alice = world.register("alice");
    let bob = world.register("bob");
    world.send(alice, "bob", "before");
    world.kill(alice);
    world.relay.refuse.push(("/v1/devices/fence", 404, 1));
    let sent = world.client(alice).bundles().len();
    world.open(alice);
    world.start(alice, Command::text("bob", "after"));
    world.run();
    assert_eq!(world.client(alice).bundles().len(), sent);
    world.pass_ms(60_000); // the next connection is agreed to
    assert_eq!(world.texts(bob, "alice"), ["before", "after"]);
}
