//! A page dies at every commit boundary, on either side of the write: nothing is lost, nothing is twice.

#![expect(clippy::panic, reason = "a play that goes wrong stops at once")]

use engine::output::MessageStatus;
use engine::store::memory::Crash;
use engine::{Command, Reply, Role};
use sim::{Cast, ClientId, World};

/// Sends as an app that asks whether its message was stored, after the page has died.
fn send_surely(world: &mut World, from: ClientId, to: &str, text: &str) {
    loop {
        let command = Command::text(to, text);
        match world.try_ask(from, command) {
            Some(Ok(Reply::MessageId(_))) => return,
            Some(other) => panic!("refused: {other:?}"),
            None => {
                world.open(from);
                if world.texts(from, to).contains(&text.to_owned()) {
                    return;
                }
            }
        }
    }
}

fn reopen(world: &mut World, id: ClientId) {
    if !world.client(id).is_open() {
        world.open(id);
    }
}

/// The play: both sides write, one page dies once on the way. Gives whether it did.
fn play(victim: fn(&Cast) -> ClientId, n: u64, crash: Crash) -> bool {
    let mut world = World::new(n);
    let cast = Cast::new(&mut world);
    let victim = victim(&cast);
    world.crash_at(victim, n, crash);
    for round in 0..3 {
        for (from, to) in [
            (cast.alice, "bob"),
            (cast.bob, "alice"),
            (cast.second, "bob"),
        ] {
            reopen(&mut world, from);
            send_surely(&mut world, from, to, &format!("{from:?} {round}"));
        }
    }
    for id in [cast.alice, cast.bob, cast.second] {
        reopen(&mut world, id);
    }
    world.pass_ms(120_000);
    reopen(&mut world, victim); // it may have died of its daily upkeep
    world.pass_ms(60_000);
    let happened = world.client(victim).crashes() > 0;
    let expected = world.texts(cast.alice, "bob");
    assert_eq!(expected.len(), 9, "crash at {n}, {crash:?}: {expected:?}");
    assert_eq!(
        world.texts(cast.second, "bob"),
        expected,
        "crash at {n}, {crash:?}"
    );
    assert_eq!(
        world.texts(cast.bob, "alice"),
        expected,
        "crash at {n}, {crash:?}"
    );
    for id in [cast.alice, cast.second] {
        let settled = |status: &MessageStatus| {
            !matches!(status, MessageStatus::Queued | MessageStatus::Failed(_))
        };
        assert!(
            world.statuses(id, "bob").iter().all(settled),
            "crash at {n}, {crash:?}"
        );
    }
    happened
}

fn every_boundary(victim: fn(&Cast) -> ClientId) {
    for crash in [Crash::BeforeWrite, Crash::AfterWrite] {
        let mut n = 0;
        while play(victim, n, crash) {
            n += 1;
        }
        assert!(n > 10, "only {n} commits were met");
    }
}

#[test]
fn a_sender_may_die_at_any_commit() {
    every_boundary(|cast| cast.alice);
}

#[test]
fn a_receiver_may_die_at_any_commit() {
    every_boundary(|cast| cast.bob);
}

#[test]
fn a_linked_device_may_die_at_any_commit() {
    every_boundary(|cast| cast.second);
}

#[test]
fn a_new_device_may_die_at_any_commit_of_being_linked() {
    for crash in [Crash::BeforeWrite, Crash::AfterWrite] {
        for n in 0.. {
            let mut world = World::new(1000 + n);
            let alice = world.register("alice");
            world.register("bob");
            world.send(alice, "bob", "before");
            let new = world.browser();
            let offer = world.offer(new);
            world.crash_at(new, n, crash);
            world.try_ask(
                alice,
                Command::ApproveLink {
                    uri: offer.uri,
                    role: Role::Owner,
                },
            );
            reopen(&mut world, new);
            world.pass_ms(120_000);
            reopen(&mut world, new);
            let crashed = world.client(new).crashes() > 0;
            world.crash_at(new, u64::MAX, crash); // the rest is undisturbed
            let linked = matches!(world.ask(new, Command::Account), Ok(Reply::Account(_)));
            // Before the account was stored the person starts again; after it, the page goes on alone.
            assert!(
                linked || (n == 0 && crash == Crash::BeforeWrite),
                "crash at {n}, {crash:?}"
            );
            if linked {
                world.send(new, "bob", "after");
                assert_eq!(
                    world.texts(alice, "bob"),
                    ["before", "after"],
                    "{n}, {crash:?}"
                );
            }
            if !crashed {
                assert!(n > 3, "only {n} commits were met");
                break;
            }
        }
    }
}
