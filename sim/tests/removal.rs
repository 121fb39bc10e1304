//! Devices are removed, come back, and accounts end: what stays, what is refused, what others see.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a play that goes wrong stops at once"
)]

use engine::output::{ClientState, MessageStatus, Unlinked};
use engine::store::memory::Crash;
use engine::{Command, Event, Refusal, Reply, Role};
use sim::{ClientId, World};
use wire::DeviceId;
use wire::basic::Basic;

fn device(number: u32) -> DeviceId {
    number.try_into().unwrap()
}

fn unlink(world: &mut World, by: ClientId, number: u32) -> Result<Reply, Refusal> {
    let device = device(number);
    world.ask(
        by,
        Command::Unlink {
            device,
            lost: false,
        },
    )
}

fn try_send(world: &mut World, from: ClientId, to: &str, text: &str) -> Result<Reply, Refusal> {
    let (to, text) = (to.to_owned(), text.to_owned());
    world.ask(from, Command::text(to, text))
}

fn link_again(world: &mut World, gone: ClientId, by: ClientId) -> Result<Reply, Refusal> {
    let offer = world.offer(gone);
    world.ask(
        by,
        Command::ApproveLink {
            uri: offer.uri,
            role: Role::Owner,
        },
    )
}

/// Why a browser is no device any more, and which one it was or is.
fn account(world: &mut World, of: ClientId) -> (u32, Option<Unlinked>) {
    match world.ask(of, Command::Account) {
        Ok(Reply::Account(account)) => (account.device.into(), account.unlinked),
        other => panic!("no account: {other:?}"),
    }
}

fn count_bundles_for(world: &World, by: ClientId, number: u32) -> usize {
    let bundles = world.client(by).bundles();
    let parts = bundles.iter().flat_map(|bundle| &bundle.recipients);
    let devices = parts.flat_map(|part| &part.messages);
    devices.filter(|m| u32::from(m.device) == number).count()
}

#[test]
fn only_a_device_of_an_account_can_say_who_it_is_to_upload() {
    let mut world = World::new(49);
    let alice = world.register("alice");
    let (second, _) = world.link(alice);
    for (client, number) in [(alice, 1), (second, 2)] {
        let header = world.client(client).authorization().unwrap();
        let address = Basic::parse(&header).unwrap().address().unwrap();
        assert_eq!(u32::from(address.device), number);
    }
    assert_eq!(unlink(&mut world, alice, 2), Ok(Reply::Done));
    world.pass_ms(2_000);
    assert_eq!(world.client(second).authorization(), None);
    assert!(world.client(alice).authorization().is_some());
    let nobody = world.browser();
    assert_eq!(world.client(nobody).authorization(), None);
}

#[test]
fn any_device_removes_another_which_keeps_what_it_has() {
    let mut world = World::new(50);
    let alice = world.register("alice");
    let bob = world.register("bob");
    let (second, _) = world.link(alice);
    world.send(bob, "alice", "before");
    assert_eq!(unlink(&mut world, second, 1), Ok(Reply::Done));
    world.pass_ms(2_000);
    assert_eq!(world.client(alice).state(), ClientState::Unlinked);
    assert_eq!(account(&mut world, alice), (1, Some(Unlinked::Removed)));
    assert_eq!(world.texts(alice, "bob"), ["before"]);
    assert_eq!(
        try_send(&mut world, alice, "bob", "no"),
        Err(Refusal::Unlinked)
    );
    world.send(bob, "alice", "after");
    assert_eq!(world.texts(alice, "bob"), ["before"]);
    assert_eq!(world.texts(second, "bob"), ["before", "after"]);
    world.kill(alice);
    world.open(alice);
    assert_eq!(account(&mut world, alice), (1, Some(Unlinked::Removed)));
}

#[test]
fn a_device_removes_itself() {
    let mut world = World::new(51);
    let alice = world.register("alice");
    let (second, _) = world.link(alice);
    assert_eq!(unlink(&mut world, second, 2), Ok(Reply::Done));
    assert_eq!(world.client(second).state(), ClientState::Unlinked);
    assert_eq!(unlink(&mut world, alice, 1), Err(Refusal::LastDevice));
    assert_eq!(world.client(alice).state(), ClientState::Ready);
}

#[test]
fn a_removal_whose_answer_the_close_overtakes_is_done() {
    let mut world = World::new(52);
    let alice = world.register("alice");
    let (second, _) = world.link(alice);
    // The socket ends before anything else.
    let asked = world.start(
        second,
        Command::Unlink {
            device: device(2),
            lost: false,
        },
    );
    let socket = world.client(second).socket();
    world.give(second, engine::Input::SocketClosed { socket, code: 4401 });
    assert_eq!(world.client(second).answer(asked), Some(&Ok(Reply::Done)));
    assert_eq!(account(&mut world, second), (2, Some(Unlinked::Removed)));
}

#[test]
fn other_own_devices_are_told_and_seal_nothing_more_for_it() {
    let mut world = World::new(53);
    let alice = world.register("alice");
    world.register("bob");
    let (second, _) = world.link(alice);
    let (third, _) = world.link(alice);
    for from in [alice, second, third] {
        world.send(from, "bob", "hello"); // all know each other
    }
    assert_eq!(unlink(&mut world, alice, 3), Ok(Reply::Done));
    let left = Event::Devices(vec![device(1)]);
    assert!(world.client(second).events.contains(&left));
    let before = count_bundles_for(&world, second, 3);
    world.send(second, "bob", "without the third");
    assert_eq!(count_bundles_for(&world, second, 3), before);
}

#[test]
fn a_peer_learns_by_a_refusal_and_sends_the_rest() {
    let mut world = World::new(54);
    let alice = world.register("alice");
    let bob = world.register("bob");
    let (second, _) = world.link(alice);
    world.send(bob, "alice", "to both");
    unlink(&mut world, alice, 2).unwrap();
    world.send(bob, "alice", "to one");
    world.send(bob, "alice", "to one again");
    assert_eq!(world.texts(alice, "bob").len(), 3);
    assert_eq!(world.texts(second, "bob"), ["to both"]);
    // One try named it, and was refused.
    assert_eq!(count_bundles_for(&world, bob, 2), 2);
}

#[test]
fn a_removed_browser_links_again_and_its_unsent_messages_go_out_once() {
    let mut world = World::new(55);
    let alice = world.register("alice");
    let bob = world.register("bob");
    let (second, _) = world.link(alice);
    world.send(second, "bob", "before");
    world.send(bob, "alice", "answer");
    // One was taken without an answer, one was never sealed: both wait in the outbox.
    let read = world.texts(second, "bob").len();
    assert_eq!(read, 2);
    world.mute(second, true);
    world.send(second, "bob", "unsent one");
    world.send(second, "bob", "unsent two");
    unlink(&mut world, alice, 2).unwrap();
    world.mute(second, false);
    world.kill(second);
    world.open(second);
    assert_eq!(world.client(second).state(), ClientState::Unlinked);
    assert_eq!(world.texts(second, "bob").len(), 4);
    let answer = link_again(&mut world, second, alice);
    let Ok(Reply::Device(again)) = answer else {
        panic!("not linked again: {answer:?}");
    };
    assert_eq!(u32::from(again.id), 3, "another device");
    assert_eq!(world.client(second).state(), ClientState::Ready);
    assert_eq!(account(&mut world, second), (3, None));
    let all = ["before", "answer", "unsent one", "unsent two"];
    for id in [alice, second] {
        assert_eq!(world.texts(id, "bob"), all);
    }
    assert_eq!(world.texts(bob, "alice"), all);
    let statuses = world.statuses(second, "bob");
    assert!(!statuses.contains(&MessageStatus::Queued), "{statuses:?}");
    world.send(bob, "alice", "next");
    world.send(second, "bob", "and back");
    assert_eq!(world.texts(second, "bob")[4..], ["next", "and back"]);
    assert_eq!(world.texts(bob, "alice")[4..], ["next", "and back"]);
}

#[test]
fn what_was_taken_before_the_removal_is_shown_once_after_it() {
    let mut world = World::new(56);
    let alice = world.register("alice");
    let bob = world.register("bob");
    let (second, _) = world.link(alice);
    world.send(second, "bob", "before");
    let stored = world.relay.stored;
    let (to, text) = ("bob".to_owned(), "taken, not answered".to_owned());
    world.start(second, Command::text(to, text));
    while world.relay.stored == stored {
        assert!(world.step(), "the relay takes it");
    }
    world.kill(second); // the answer is not heard
    unlink(&mut world, alice, 2).unwrap();
    world.open(second);
    link_again(&mut world, second, alice).unwrap();
    let expected = ["before", "taken, not answered"];
    for (id, with) in [(alice, "bob"), (second, "bob"), (bob, "alice")] {
        assert_eq!(world.texts(id, with), expected);
    }
}

#[test]
fn a_browser_of_one_account_can_not_be_linked_to_another() {
    let mut world = World::new(57);
    let alice = world.register("alice");
    let bob = world.register("bob");
    let (second, _) = world.link(alice);
    world.send(second, "bob", "mine");
    unlink(&mut world, alice, 2).unwrap();
    world.pass_ms(2_000);
    let before = world.client(second).store.snapshot();
    let offer = world.offer(second);
    let end = world.start(second, Command::AwaitLink);
    world.start(
        bob,
        Command::ApproveLink {
            uri: offer.uri,
            role: Role::Owner,
        },
    );
    world.run();
    let refused = Some(&Err(Refusal::OtherAccount));
    assert_eq!(world.client(second).answer(end), refused);
    assert!(
        before == world.client(second).store.snapshot(),
        "nothing changed"
    );
    assert_eq!(world.client(second).state(), ClientState::Unlinked);
    assert!(
        link_again(&mut world, second, alice).is_ok(),
        "its own still may"
    );
}

#[test]
fn a_declined_browser_stays_unlinked_and_rests() {
    let mut world = World::new(58);
    let alice = world.register("alice");
    let (second, _) = world.link(alice);
    unlink(&mut world, alice, 2).unwrap();
    world.pass_ms(2_000);
    let offer = world.offer(second);
    world
        .ask(alice, Command::RejectLink { uri: offer.uri })
        .unwrap();
    assert_eq!(world.client(second).state(), ClientState::Unlinked);
    let sent = world.client(second).sent.len();
    world.pass_ms(600_000);
    assert_eq!(
        world.client(second).sent.len(),
        sent,
        "nobody is asked anything"
    );
    assert!(link_again(&mut world, second, alice).is_ok());
}

#[test]
fn a_browser_may_die_at_any_commit_of_being_linked_again() {
    for crash in [Crash::BeforeWrite, Crash::AfterWrite] {
        for n in 0.. {
            let mut world = World::new(2000 + n);
            let alice = world.register("alice");
            let bob = world.register("bob");
            let (second, _) = world.link(alice);
            world.send(second, "bob", "before");
            world.mute(second, true);
            world.send(second, "bob", "unsent");
            unlink(&mut world, alice, 2).unwrap();
            world.mute(second, false);
            world.kill(second);
            world.open(second);
            let offer = world.offer(second);
            world.crash_at(second, n, crash);
            world.try_ask(
                alice,
                Command::ApproveLink {
                    uri: offer.uri,
                    role: Role::Owner,
                },
            );
            world.pass_ms(120_000);
            let crashed = world.client(second).crashes() > 0;
            world.crash_at(second, u64::MAX, crash); // the rest is undisturbed
            if !world.client(second).is_open() {
                world.open(second);
            }
            world.pass_ms(120_000);
            if world.client(second).state() == ClientState::Unlinked {
                // The account was not stored yet: the person starts again.
                assert!(n == 0 && crash == Crash::BeforeWrite, "{n}, {crash:?}");
                link_again(&mut world, second, alice).unwrap();
            }
            world.send(second, "bob", "after");
            let expected = ["before", "unsent", "after"];
            assert_eq!(world.texts(second, "bob"), expected, "{n}, {crash:?}");
            assert_eq!(world.texts(alice, "bob"), expected, "{n}, {crash:?}");
            assert_eq!(world.texts(bob, "alice"), expected, "{n}, {crash:?}");
            if !crashed {
                assert!(n > 5, "only {n} commits were met");
                break;
            }
        }
    }
}

#[test]
fn a_deleted_account_is_gone_for_all_and_its_history_stays() {
    let mut world = World::new(59);
    let alice = world.register("alice");
    let bob = world.register("bob");
    let (second, _) = world.link(alice);
    world.send(alice, "bob", "hello");
    assert_eq!(world.ask(second, Command::DeleteAccount), Ok(Reply::Done));
    world.pass_ms(2_000);
    for id in [alice, second] {
        assert_eq!(account(&mut world, id).1, Some(Unlinked::Deleted));
        assert_eq!(world.texts(id, "bob"), ["hello"]);
        let refused = try_send(&mut world, id, "bob", "no");
        assert_eq!(refused, Err(Refusal::AccountGone));
        let link = Command::Link {
            handle: None,
            credential: None,
            device_name: String::new(),
        };
        assert_eq!(world.ask(id, link), Err(Refusal::AccountGone));
    }
    world.send(bob, "alice", "too late");
    let failed = MessageStatus::Failed(Refusal::AccountGone);
    assert_eq!(
        world.statuses(bob, "alice"),
        [MessageStatus::Received, failed]
    );
    assert_eq!(world.texts(bob, "alice"), ["hello", "too late"]);
    let again = try_send(&mut world, bob, "alice", "nobody there");
    assert_eq!(again, Err(Refusal::AccountGone));
}

#[test]
fn whoever_takes_the_handle_of_a_deleted_account_is_somebody_else() {
    let mut world = World::new(60);
    let alice = world.register("alice");
    let bob = world.register("bob");
    world.send(alice, "bob", "from the first");
    world.ask(alice, Command::DeleteAccount).unwrap();
    world.send(bob, "alice", "too late");
    let other = world.register("alice");
    world.send(bob, "alice", "to the second");
    assert_eq!(world.texts(other, "bob"), ["to the second"]);
    assert_eq!(world.texts(bob, "alice"), ["to the second"]);
    let Ok(Reply::Conversations(all)) = world.ask(bob, Command::Conversations) else {
        panic!("no conversations");
    };
    assert_eq!(all.len(), 2, "the first one's stays beside it");
}
