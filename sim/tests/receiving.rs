//! Receiving: in order, once, from whom it says; and what a forgery changes, which is nothing.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a play that goes wrong stops at once"
)]

use engine::output::{Device, MessageKind};
use engine::store::Table;
use engine::{Command, Input, Reply};
use sim::{ClientId, World};
use wire::bundle::DeviceMessage;
use wire::{AccountId, DeviceAddress, DeviceId, Envelope, Frame, RelayRequest, Request};

fn account(world: &mut World, id: ClientId) -> AccountId {
    match world.ask(id, Command::Account) {
        Ok(Reply::Account(account)) => account.id,
        other => panic!("no account: {other:?}"),
    }
}

fn device(number: u32) -> DeviceId {
    DeviceId::try_from(number).unwrap()
}

/// The last ciphertext that `from` sealed for device 1 of `to`, while `to` is not listening.
fn intercept(world: &mut World, from: ClientId, to: ClientId, name: &str) -> DeviceMessage {
    world.set_network(to, false);
    world.send(from, name, "intercepted");
    let bundles = world.client(from).bundles();
    bundles.last().unwrap().recipients[0].messages[0].clone()
}

fn envelope(part: &DeviceMessage, source: DeviceAddress, guid: Option<[u8; 16]>) -> Envelope {
    Envelope {
        certified: false,
        kind: part.kind,
        source,
        destination: None,
        client_timestamp: 1_800_000_000_000,
        server_timestamp: 1_800_000_000_000,
        guid,
        urgent: true,
        content: part.content.clone(),
    }
}

#[test]
fn fifty_messages_to_a_closed_browser_arrive_in_order() {
    let mut world = World::new(50);
    let alice = world.register("alice");
    let bob = world.register("bob");
    let (second, _) = world.link(alice);
    world.kill(second);
    let expected: Vec<String> = (0..50).map(|n| format!("message {n}")).collect();
    for text in &expected {
        world.send(bob, "alice", text);
    }
    world.open(second);
    assert_eq!(world.texts(second, "bob"), expected);
    assert_eq!(world.texts(alice, "bob"), expected);
    let told: Vec<_> = world
        .client(second)
        .told()
        .map(|m| m.text.clone())
        .collect();
    assert_eq!(told, expected, "each was told of once");
}

#[test]
fn a_strangers_handle_is_asked_for_once() {
    let mut world = World::new(60);
    let alice = world.register("alice");
    let bob = world.register("bob");
    world.set_network(alice, false);
    for n in 0..50 {
        world.send(bob, "alice", &n.to_string());
    }
    world.batch_max = 1; // signed in first, then messages that overtake the answer
    world.set_network(alice, true);
    world.pass_ms(60_000);
    assert_eq!(world.texts(alice, "bob").len(), 50);
    let lookups = world.client(alice).sent.iter().filter(|frame| {
        let path = |r: &Request| r.path.starts_with("/v1/accounts/") && !r.path.ends_with("whoami");
        matches!(Frame::decode(frame), Ok(Frame::Request(r)) if path(&r))
    });
    assert_eq!(lookups.count(), 1);
}

#[test]
fn a_night_offline_is_a_few_commits() {
    let mut world = World::new(51);
    let alice = world.register("alice");
    let bob = world.register("bob");
    world.send(bob, "alice", "settled");
    world.send(alice, "bob", "settled");
    world.kill(alice);
    for n in 0..300 {
        world.send(bob, "alice", &n.to_string());
    }
    let before = world.client(alice).store.commits();
    world.open(alice);
    assert_eq!(world.texts(alice, "bob").len(), 302);
    assert!(world.client(alice).store.commits() - before < 20);
}

#[test]
fn a_message_in_another_senders_name_is_refused() {
    let mut world = World::new(52);
    let alice = world.register("alice");
    let bob = world.register("bob");
    let carol = world.register("carol");
    world.link(alice);
    for from in [alice, carol] {
        world.send(from, "bob", "settled");
    }
    world.send(bob, "alice", "settled");
    let real = DeviceAddress {
        account: account(&mut world, alice),
        device: device(1),
    };
    let carol = DeviceAddress {
        account: account(&mut world, carol),
        device: device(1),
    };
    let part = intercept(&mut world, alice, bob, "bob");
    let false_names = [
        DeviceAddress {
            device: device(2),
            ..real
        },
        DeviceAddress {
            device: device(7),
            ..real
        },
        carol,
    ];
    let tables = [Table::Sessions, Table::PreKeys, Table::Peers];
    // Bob signs in again; the false copies reach him before the real one does.
    world.set_network(bob, true);
    world.pass_ms(60_000);
    let before = world.client(bob).store.snapshot();
    for name in false_names {
        world.inject(bob, &[envelope(&part, name, None)]);
        let after = world.client(bob).store.snapshot();
        assert!(
            before.only(&tables) == after.only(&tables),
            "{name} changed the keys"
        );
    }
    let texts = world.texts(bob, "alice");
    assert_eq!(
        texts.iter().filter(|text| *text == "intercepted").count(),
        1
    );
    assert!(
        !world
            .texts(bob, "carol")
            .contains(&"intercepted".to_owned())
    );
}

#[test]
fn a_strangers_garbage_changes_nothing() {
    let mut world = World::new(53);
    let alice = world.register("alice");
    world.register("bob");
    world.send(alice, "bob", "settled");
    // But the count of what came, which the relay knows as well.
    let tables: Vec<Table> = Table::ALL
        .into_iter()
        .filter(|t| *t != Table::Meta)
        .collect();
    let before = world.client(alice).store.snapshot().only(&tables);
    let stranger = DeviceAddress {
        account: AccountId::from_bytes([9; 16]),
        device: device(1),
    };
    for kind in [1, 3, 5, 6, 8] {
        for content in [vec![], vec![0x44; 3], vec![0x44; 300], vec![0xFF; 90_000]] {
            let mut garbage = envelope(
                &DeviceMessage {
                    device: device(1),
                    registration_id: 1u32.try_into().unwrap(),
                    kind: kind.try_into().unwrap(),
                    content,
                },
                stranger,
                None,
            );
            garbage.client_timestamp = u64::MAX;
            world.inject(alice, &[garbage]);
        }
    }
    assert!(before == world.client(alice).store.snapshot().only(&tables));
}

#[test]
fn a_damaged_message_leaves_a_placeholder_and_no_other_trace() {
    let mut world = World::new(54);
    let alice = world.register("alice");
    let bob = world.register("bob");
    world.send(alice, "bob", "settled");
    world.send(bob, "alice", "settled");
    let source = DeviceAddress {
        account: account(&mut world, alice),
        device: device(1),
    };
    world.relay.refuse.push(("/v1/bundles", 500, 1)); // sealed, but not delivered yet
    world.send(alice, "bob", "real");
    let mut part = world.client(alice).bundles().last().unwrap().recipients[0].messages[0].clone();
    let middle = part.content.len() / 2;
    part.content[middle] ^= 1;
    let tables = [
        Table::Sessions,
        Table::PreKeys,
        Table::Peers,
        Table::Contacts,
    ];
    let before = world.client(bob).store.snapshot();
    let damaged = envelope(&part, source, Some([7; 16]));
    world.inject(bob, &[damaged.clone(), damaged.clone()]);
    world.inject(bob, &[damaged]);
    let after = world.client(bob).store.snapshot();
    assert!(before.only(&tables) == after.only(&tables));
    let kinds: Vec<_> = world
        .thread(bob, "alice")
        .into_iter()
        .map(|m| m.kind)
        .collect();
    let waiting = kinds
        .iter()
        .filter(|kind| **kind == MessageKind::Waiting)
        .count();
    assert_eq!((kinds.len(), waiting), (3, 1));
    world.pass_ms(10_000);
    assert!(world.texts(bob, "alice").contains(&"real".to_owned()));
}

/// Its author's clock is hours ahead, so its place is told by when the relay took it: the first time.
#[test]
fn a_message_that_could_not_be_read_at_first_stands_where_its_place_was_kept() {
    let mut world = World::new(61);
    let alice = world.register("alice");
    let bob = world.register("bob");
    world.send(alice, "bob", "settled");
    world.send(bob, "alice", "settled, too");
    let source = DeviceAddress {
        account: account(&mut world, alice),
        device: device(1),
    };
    world.client_mut(alice).clock_ahead_ms = 3 * 3_600_000;
    world.relay.refuse.push(("/v1/bundles", 500, 1));
    world.send(alice, "bob", "first");
    let bundle = world.client(alice).bundles().last().unwrap().clone();
    let mut part = bundle.recipients[0].messages[0].clone();
    let middle = part.content.len() / 2;
    part.content[middle] ^= 1;
    let damaged = Envelope {
        client_timestamp: bundle.timestamp,
        server_timestamp: world.now,
        ..envelope(&part, source, Some([7; 16]))
    };
    world.mute(alice, true); // what Bob asks for comes later
    world.inject(bob, &[damaged]);
    world.pass_ms(1_000);
    world.client_mut(bob).clock_ahead_ms = 5 * 60_000; // as far as Alice's is believed
    world.send(bob, "alice", "second");
    world.pass_ms(60_000);
    world.mute(alice, false);
    world.pass_ms(120_000);
    let all = ["settled", "settled, too", "first", "second"];
    assert_eq!(world.texts(bob, "alice"), all);
}

#[test]
fn a_redelivered_envelope_is_acked_but_not_shown_twice() {
    let mut world = World::new(55);
    let alice = world.register("alice");
    let bob = world.register("bob");
    world.send(alice, "bob", "settled");
    world.send(bob, "alice", "settled");
    let source = DeviceAddress {
        account: account(&mut world, alice),
        device: device(1),
    };
    let part = intercept(&mut world, alice, bob, "bob");
    world.set_network(bob, true);
    world.pass_ms(60_000);
    let acks = world.client(bob).sent.len();
    // Once with a guid of its own, as after a lost ack of a relay that makes new ones; once without any.
    let (other, none) = (
        envelope(&part, source, Some([8; 16])),
        envelope(&part, source, None),
    );
    world.inject(bob, &[other.clone(), none]);
    world.inject(bob, &[other]);
    assert_eq!(world.client(bob).sent.len() - acks, 3, "each is acked");
    let texts = world.texts(bob, "alice");
    assert_eq!(texts, ["settled", "settled", "intercepted"]);
}

#[test]
fn nonsense_from_the_relay_closes_the_socket_and_loses_nothing() {
    let mut world = World::new(56);
    let alice = world.register("alice");
    let bob = world.register("bob");
    world.send(alice, "bob", "settled");
    let socket = world.client(bob).socket();
    world.give(
        bob,
        Input::SocketFrames {
            socket,
            frames: vec![vec![0xFF; 20], Vec::new()],
        },
    );
    world.send(alice, "bob", "after");
    world.pass_ms(60_000);
    assert_eq!(world.texts(bob, "alice"), ["settled", "after"]);
}

#[test]
fn reading_on_one_device_marks_the_other_read() {
    let mut world = World::new(57);
    let alice = world.register("alice");
    let bob = world.register("bob");
    let (second, _) = world.link(alice);
    world.send(bob, "alice", "one");
    world.send(bob, "alice", "two");
    let unread = |world: &mut World, id| match world.ask(id, Command::Conversations) {
        Ok(Reply::Conversations(list)) => list[0].unread,
        other => panic!("no conversations: {other:?}"),
    };
    assert_eq!(
        (unread(&mut world, alice), unread(&mut world, second)),
        (2, 2)
    );
    let messages = world.thread(alice, "bob");
    for n in [1, 0] {
        let (conversation, message) = ("bob".to_owned(), messages[n].id);
        let answer = world.ask(
            alice,
            Command::MarkRead {
                conversation,
                message,
            },
        );
        assert_eq!(answer, Ok(Reply::Done), "marks never fall");
    }
    assert_eq!(
        (unread(&mut world, alice), unread(&mut world, second)),
        (0, 0)
    );
}

#[test]
fn a_mark_does_not_overtake_the_message_that_it_is_for() {
    let mut world = World::new(56);
    let alice = world.register("alice");
    let bob = world.register("bob");
    let (second, _) = world.link(alice);
    world.send(bob, "alice", "question");
    world.set_network(alice, false);
    let answer = world.send(alice, "bob", "answer");
    let mark = Command::MarkRead {
        conversation: "bob".to_owned(),
        message: answer,
    };
    assert_eq!(world.ask(alice, mark), Ok(Reply::Done));
    world.relay.refuse.push(("/v1/bundles", 429, 1)); // the first of the two
    world.set_network(alice, true);
    world.pass_ms(60_000);
    let Ok(Reply::Conversations(list)) = world.ask(second, Command::Conversations) else {
        panic!()
    };
    assert_eq!(world.texts(second, "bob"), ["question", "answer"]);
    assert_eq!(list[0].unread, 0);
}

#[test]
fn marks_of_old_envelopes_do_not_pile_up() {
    let mut world = World::new(58);
    let alice = world.register("alice");
    let bob = world.register("bob");
    for round in 0..4 {
        for n in 0..20 {
            world.send(alice, "bob", &format!("{round} {n}"));
        }
        world.kill(bob);
        world.open(bob);
    }
    let marks = world.client(bob).store.snapshot().count(Table::Seen);
    assert!((1..=40).contains(&marks), "{marks} marks are left of 80");
    assert_eq!(world.texts(bob, "alice").len(), 80);
}

/// What came behind the first "queue empty" is not yet acked for certain.
#[test]
fn a_second_queue_empty_on_a_connection_forgets_no_marks() {
    let mut world = World::new(68);
    let alice = world.register("alice");
    let bob = world.register("bob");
    world.send(alice, "bob", "hello");
    let marks = |world: &World| world.client(bob).store.snapshot().count(Table::Seen);
    let before = marks(&world);
    assert!(before > 0);
    for id in 0..3 {
        let empty = Request {
            id: 2_000_000 + id,
            verb: "PUT".to_owned(),
            path: RelayRequest::QueueEmpty.path().to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
        };
        let frames = vec![Frame::Request(empty).encode()];
        let socket = world.client(bob).socket();
        world.give(bob, Input::SocketFrames { socket, frames });
    }
    assert_eq!(marks(&world), before);
}

#[test]
fn used_one_time_keys_are_made_up_for_in_time() {
    let mut world = World::new(59);
    let alice = world.register("alice");
    let before = world.client(alice).store.snapshot().count(Table::PreKeys);
    for n in 0..90 {
        let handle = format!("visitor{n}");
        let visitor = world.register(&handle);
        world.send(visitor, "alice", "hello");
    }
    let after = world.client(alice).store.snapshot().count(Table::PreKeys);
    assert!(
        after > before - 180 + 150,
        "{after} keys are left of {before}"
    );
}

/// S-8, S-13, S-63.
#[test]
fn a_stale_device_is_read_and_not_written_to_and_forgotten_in_time() {
    let mut world = World::new(59);
    let alice = world.register("alice");
    let bob = world.register("bob");
    let (phone, Device { id, .. }) = world.link(bob);
    world.send(alice, "bob", "hello");
    world.send(phone, "alice", "from the phone");
    world.relay.refuse.push(("/v1/bundles", 500, 1)); // sealed, and still on its way
    world.send(phone, "alice", "late");
    let source = DeviceAddress {
        account: account(&mut world, bob),
        device: id,
    };
    let bundles = world.client(phone).bundles();
    let parts = |r: &&wire::bundle::Recipient| r.account != source.account;
    let late = bundles
        .last()
        .unwrap()
        .recipients
        .iter()
        .find(parts)
        .unwrap()
        .messages[0]
        .clone();
    assert_eq!(
        world.ask(
            bob,
            Command::Unlink {
                device: id,
                lost: false
            }
        ),
        Ok(Reply::Done)
    );
    world.send(alice, "bob", "who is there?"); // refused and repaired: the phone is gone
    let written_to = |world: &World| {
        let bundles = world.client(alice).bundles();
        let parts = bundles.last().unwrap().recipients.iter();
        let devices = parts
            .filter(|r| r.account == source.account)
            .flat_map(|r| &r.messages);
        devices.map(|part| part.device).collect::<Vec<_>>()
    };
    assert_eq!(written_to(&world), [device(1)]);
    world.inject(alice, &[envelope(&late, source, Some([9; 16]))]);
    assert!(
        world.texts(alice, "bob").contains(&"late".to_owned()),
        "it can still be read"
    );
    world.send(alice, "bob", "and now?");
    assert_eq!(
        written_to(&world),
        [device(1)],
        "its session came alive, and still"
    );
    let sessions = |world: &World| world.client(alice).store.snapshot().count(Table::Sessions);
    let before = sessions(&world);
    world.kill(alice);
    world.now += 46 * 24 * 60 * 60 * 1000;
    world.open(alice);
    world.pass_ms(1_000);
    assert_eq!(sessions(&world), before - 1);
}
