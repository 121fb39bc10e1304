//! Sending: one bundle for everybody, repair in order, what a refusal and a lost connection do.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a play that goes wrong stops at once"
)]

use engine::output::{Connection, MessageStatus};
use engine::store::Table;
use engine::{Command, Event, Input, Refusal, Reply, StoreFault};
use sim::{ClientId, World};
use wire::Frame;
use wire::body::{PreKeyResponse, from_json, to_json};

fn numbers(range: std::ops::Range<u32>) -> Vec<String> {
    range.map(|n| n.to_string()).collect()
}

fn start_send(world: &mut World, from: ClientId, to: &str, text: &str) {
    world.start(from, Command::text(to, text));
}

#[test]
fn three_peer_devices_and_two_own_others_are_one_bundle() {
    let mut world = World::new(10);
    let alice = world.register("alice");
    let bob = world.register("bob");
    world.link(bob);
    world.link(bob);
    world.link(alice);
    world.link(alice);
    world.send(alice, "bob", "first"); // lists and sessions settle
    let before = world.client(alice).bundles().len();
    world.send(alice, "bob", "second");
    let bundles = world.client(alice).bundles();
    assert_eq!(bundles.len(), before + 1);
    let parts: Vec<usize> = bundles[before]
        .recipients
        .iter()
        .map(|r| r.messages.len())
        .collect();
    assert_eq!(parts, [3, 2]);
}

#[test]
fn ids_of_later_messages_are_greater() {
    let mut world = World::new(27);
    let alice = world.register("alice");
    world.register("bob");
    let texts = numbers(0..8);
    let ids: Vec<_> = (texts.iter())
        .map(|text| world.send(alice, "bob", text))
        .collect();
    assert!(ids.is_sorted_by(|a, b| a < b));
}

#[test]
fn a_device_linked_meanwhile_gets_the_next_message() {
    let mut world = World::new(11);
    let alice = world.register("alice");
    let bob = world.register("bob");
    world.send(alice, "bob", "one");
    let (phone, _) = world.link(bob);
    world.send(alice, "bob", "two");
    assert_eq!(world.texts(phone, "alice"), ["two"]);
    assert_eq!(world.texts(bob, "alice"), ["one", "two"]);
    let statuses = world.statuses(alice, "bob");
    assert_eq!(statuses, [MessageStatus::Sent, MessageStatus::Sent]);
}

#[test]
fn a_repair_for_many_devices_asks_for_each_once() {
    let mut world = World::new(26);
    let alice = world.register("alice");
    let bob = world.register("bob");
    world.send(alice, "bob", "one");
    let new: Vec<_> = (0..10).map(|_| world.link(bob).0).collect();
    world.batch_max = 1; // the answers come one by one
    let before = world.client(alice).sent.len();
    world.send(alice, "bob", "two");
    let statuses = world.statuses(alice, "bob");
    assert_eq!(statuses, [MessageStatus::Sent, MessageStatus::Sent]);
    for device in new {
        assert_eq!(world.texts(device, "alice"), ["two"]);
    }
    let sent = world.client(alice).sent.iter().skip(before);
    let asked = sent.filter(|frame| {
        matches!(Frame::decode(frame), Ok(Frame::Request(r)) if r.path.starts_with("/v2/keys/"))
    });
    assert_eq!(asked.count(), 10);
}

#[test]
fn a_repair_keeps_the_order_of_what_waits_behind_it() {
    let mut world = World::new(12);
    let alice = world.register("alice");
    let bob = world.register("bob");
    world.send(alice, "bob", "0");
    let (phone, _) = world.link(bob); // alice does not know
    for text in numbers(1..20) {
        start_send(&mut world, alice, "bob", &text);
    }
    world.run();
    assert_eq!(world.texts(bob, "alice"), numbers(0..20));
    assert_eq!(world.texts(phone, "alice"), numbers(1..20));
}

#[test]
fn an_own_device_linked_elsewhere_is_found_by_repair() {
    let mut world = World::new(13);
    let alice = world.register("alice");
    world.register("bob");
    let (second, _) = world.link(alice);
    let (third, _) = world.link(alice); // the second is not told by anybody
    world.send(second, "bob", "from the second");
    assert_eq!(world.texts(third, "bob"), ["from the second"]);
    assert_eq!(world.texts(alice, "bob"), ["from the second"]);
}

#[test]
fn what_is_sealed_goes_out_again_byte_for_byte() {
    let mut world = World::new(14);
    let alice = world.register("alice");
    let bob = world.register("bob");
    world.send(alice, "bob", "settled");
    let before = world.client(alice).bundles().len();
    start_send(&mut world, alice, "bob", "again");
    world.restart_relay(); // the request is lost
    world.pass_ms(60_000);
    let bundles = world.client(alice).bundles();
    assert_eq!(bundles.len(), before + 2);
    assert_eq!(bundles[before], bundles[before + 1]);
    assert_eq!(world.texts(bob, "alice"), ["settled", "again"]);
}

#[test]
fn an_accepted_bundle_with_a_lost_answer_is_shown_once() {
    let mut world = World::new(15);
    let alice = world.register("alice");
    let bob = world.register("bob");
    world.send(alice, "bob", "settled");
    start_send(&mut world, alice, "bob", "once");
    assert!(world.step(), "the relay takes the bundle");
    world.restart_relay(); // its answer is lost
    world.pass_ms(60_000);
    assert_eq!(world.texts(bob, "alice"), ["settled", "once"]);
    let sent = MessageStatus::Sent;
    assert_eq!(world.statuses(alice, "bob"), [sent, sent]);
}

#[test]
fn what_is_written_offline_goes_out_in_order() {
    let mut world = World::new(16);
    let alice = world.register("alice");
    let bob = world.register("bob");
    world.send(alice, "bob", "0");
    world.set_network(alice, false);
    for text in numbers(1..30) {
        world.send(alice, "bob", &text);
    }
    assert_eq!(world.statuses(alice, "bob")[1], MessageStatus::Queued);
    let stranger = Command::text("carol", "hi");
    assert_eq!(world.ask(alice, stranger), Err(Refusal::Offline));
    world.set_network(alice, true);
    world.pass_ms(60_000);
    assert_eq!(world.texts(bob, "alice"), numbers(0..30));
    assert_eq!(world.statuses(alice, "bob"), vec![MessageStatus::Sent; 30]);
}

#[test]
fn a_busy_relay_is_asked_again_when_it_says() {
    let mut world = World::new(17);
    let alice = world.register("alice");
    let bob = world.register("bob");
    world.send(alice, "bob", "0");
    world.relay.refuse.push(("/v1/bundles", 429, 2));
    world.send(alice, "bob", "1");
    world.send(alice, "bob", "2");
    assert_eq!(world.texts(bob, "alice"), ["0"]);
    world.pass_ms(10_000);
    assert_eq!(world.texts(bob, "alice"), numbers(0..3));
}

#[test]
fn a_relay_too_busy_for_keys_is_asked_until_it_has_time() {
    let mut world = World::new(27);
    let alice = world.register("alice");
    let bob = world.register("bob");
    world.relay.refuse.push(("/v2/keys/", 429, 30));
    world.send(alice, "bob", "1");
    world.pass_ms(60_000);
    assert_eq!(world.texts(bob, "alice"), ["1"]);
}

/// Alice writes with both; the next that she sends is refused for now.
fn one_full_mailbox(seed: u64) -> (World, [ClientId; 3]) {
    let mut world = World::new(seed);
    let people = ["alice", "bob", "carol"].map(|handle| world.register(handle));
    let [alice, ..] = people;
    world.send(alice, "bob", "0");
    world.send(alice, "carol", "0");
    world.relay.refuse.push(("/v1/bundles", 429, 1));
    (world, people)
}

#[test]
fn one_full_mailbox_does_not_hold_up_other_conversations() {
    let (mut world, [alice, bob, carol]) = one_full_mailbox(25);
    world.send(alice, "bob", "1");
    world.send(alice, "carol", "1");
    assert_eq!(world.texts(carol, "alice"), ["0", "1"]);
    assert_eq!(world.texts(bob, "alice"), ["0"]);
    world.pass_ms(10_000);
    assert_eq!(world.texts(bob, "alice"), ["0", "1"]);
}

#[test]
fn a_hundred_messages_that_wait_do_not_hold_up_another_conversation() {
    let (mut world, [alice, bob, carol]) = one_full_mailbox(27);
    for n in 1..=100 {
        world.send(alice, "bob", &n.to_string());
    }
    world.send(alice, "carol", "1");
    assert_eq!(world.texts(carol, "alice"), ["0", "1"]);
    assert_eq!(world.texts(bob, "alice"), ["0"]);
    world.kill(alice); // what waits is found again
    world.open(alice);
    world.pass_ms(10_000);
    assert_eq!(world.texts(bob, "alice"), numbers(0..101));
}

#[test]
fn a_relay_that_only_refuses_ends_in_a_visible_failure() {
    let mut world = World::new(18);
    let alice = world.register("alice");
    let bob = world.register("bob");
    world.send(alice, "bob", "0");
    world.relay.refuse.push(("/v1/bundles", 409, 1)); // without saying what is wrong
    world.send(alice, "bob", "1");
    world.send(alice, "bob", "2");
    let failed = MessageStatus::Failed(Refusal::RelayProtocol);
    assert_eq!(
        world.statuses(alice, "bob"),
        [MessageStatus::Sent, failed, MessageStatus::Sent]
    );
    assert_eq!(
        world.texts(alice, "bob"),
        numbers(0..3),
        "the message is kept"
    );
    assert_eq!(world.texts(bob, "alice"), ["0", "2"]);
}

#[test]
fn each_final_refusal_of_a_bundle_fails_its_message_and_says_why() {
    for (status, refusal) in [
        (413, Refusal::MessageTooLong),
        (422, Refusal::RelayRefused),
        (404, Refusal::RelayRefused),
        (409, Refusal::RelayProtocol), // without a body
    ] {
        let mut world = World::new(33);
        let alice = world.register("alice");
        let bob = world.register("bob");
        world.send(alice, "bob", "0");
        world.relay.refuse.push(("/v1/bundles", status, 1));
        world.send(alice, "bob", "1");
        world.send(alice, "bob", "2");
        let failed = MessageStatus::Failed(refusal);
        assert_eq!(
            world.statuses(alice, "bob"),
            [MessageStatus::Sent, failed, MessageStatus::Sent],
            "{status}"
        );
        assert_eq!(world.texts(bob, "alice"), ["0", "2"]);
    }
}

#[test]
fn a_message_to_oneself_reaches_own_devices_only() {
    let mut world = World::new(19);
    let alice = world.register("alice");
    let (second, _) = world.link(alice);
    world.send(alice, "alice", "milk");
    assert_eq!(world.texts(alice, "alice"), ["milk"]);
    assert_eq!(world.texts(second, "alice"), ["milk"]);
    assert_eq!(world.statuses(second, "alice"), [MessageStatus::Sent]);
}

#[test]
fn texts_that_cannot_be_sent_are_refused_at_once() {
    let mut world = World::new(20);
    let alice = world.register("alice");
    world.register("bob");
    let mut send = |text: String| world.ask(alice, Command::text("bob", text));
    assert_eq!(send(String::new()), Err(Refusal::MessageEmpty));
    assert_eq!(
        send("x".repeat(64 * 1024 + 1)),
        Err(Refusal::MessageTooLong)
    );
    assert!(matches!(
        send("x".repeat(64 * 1024)),
        Ok(Reply::MessageId(_))
    ));
    assert_eq!(world.texts(alice, "bob").len(), 1);
}

/// Another good key in place of the identity key of a prekey response.
fn swap_identity(body: &mut Vec<u8>) {
    let mut keys: PreKeyResponse = from_json(body).unwrap();
    keys.identity_key = keys.devices[0].signed_pre_key.public_key.clone();
    *body = to_json(&keys);
}

fn spoil_signature(body: &mut Vec<u8>) {
    let mut keys: PreKeyResponse = from_json(body).unwrap();
    keys.devices[0].signed_pre_key.signature.0[10] ^= 1;
    *body = to_json(&keys);
}

#[test]
fn a_changed_identity_key_blocks_sending_and_is_shown() {
    let mut world = World::new(21);
    let alice = world.register("alice");
    let bob = world.register("bob");
    world.send(alice, "bob", "first");
    world.link(bob); // alice will ask for the keys of the new device
    world.relay.lie = Some(("/v2/keys/", swap_identity));
    world.send(alice, "bob", "second");
    let failed = MessageStatus::Failed(Refusal::IdentityChanged);
    assert_eq!(world.statuses(alice, "bob"), [MessageStatus::Sent, failed]);
    let shown = |event: &Event| matches!(event, Event::IdentityChanged(_));
    assert!(world.client(alice).events.iter().any(shown));
    assert_eq!(world.texts(bob, "alice"), ["first"]);
    world.relay.lie = None;
    let account = "bob".to_owned();
    world
        .ask(alice, Command::RejectIdentity { account })
        .unwrap();
    world.send(alice, "bob", "third");
    assert_eq!(world.texts(bob, "alice"), ["first", "third"]);
}

#[test]
fn keys_with_a_false_signature_start_no_session() {
    let mut world = World::new(22);
    let alice = world.register("alice");
    world.register("bob");
    world.relay.lie = Some(("/v2/keys/", spoil_signature));
    world.send(alice, "bob", "hello");
    let failed = MessageStatus::Failed(Refusal::RelayProtocol);
    assert_eq!(world.statuses(alice, "bob"), [failed]);
    assert_eq!(
        world.client(alice).store.snapshot().count(Table::Sessions),
        0
    );
}

#[test]
fn a_relay_that_names_ghosts_for_ever_is_given_up() {
    let mut world = World::new(23);
    let alice = world.register("alice");
    let bob = world.register("bob");
    world.send(alice, "bob", "first");
    let before = world.client(alice).bundles().len();
    world.relay.lie = Some(("/v2/keys/", |body| *body = b"{}".to_vec()));
    world.link(bob);
    world.send(alice, "bob", "second");
    assert!(
        world.client(alice).bundles().len() - before <= 4,
        "four tries at most"
    );
    assert!(matches!(
        world.statuses(alice, "bob")[1],
        MessageStatus::Failed(_)
    ));
    assert_eq!(
        world.texts(alice, "bob"),
        ["first", "second"],
        "the message is kept"
    );
}

#[test]
fn a_full_disk_refuses_and_loses_nothing() {
    let mut world = World::new(24);
    let alice = world.register("alice");
    let bob = world.register("bob");
    world.send(alice, "bob", "before");
    world.client(alice).store.fail_with(Some(StoreFault::Full));
    let command = Command::text("bob", "lost");
    assert_eq!(
        world.try_ask(alice, command),
        None,
        "the engine stops without an answer"
    );
    world.send(bob, "alice", "meanwhile");
    world.client(alice).store.fail_with(None);
    world.open(alice);
    assert_eq!(world.texts(alice, "bob"), ["before", "meanwhile"]);
    world.send(alice, "bob", "after");
    assert_eq!(world.texts(bob, "alice"), ["before", "meanwhile", "after"]);
}

#[test]
fn a_socket_that_died_unnoticed_is_replaced_within_seconds_of_a_network_change() {
    let mut world = World::new(40);
    let alice = world.register("alice");
    let bob = world.register("bob");
    world.send(alice, "bob", "before the tunnel");
    world.mute(alice, true);
    world.send(alice, "bob", "in the tunnel");
    assert_eq!(world.texts(bob, "alice"), ["before the tunnel"]);
    world.give(alice, Input::NetworkChanged);
    world.pass_ms(5_000);
    assert!(matches!(
        world.client(alice).connection(),
        Connection::Connecting | Connection::Offline { .. }
    ));
    world.mute(alice, false);
    world.give(alice, Input::NetworkChanged);
    world.pass_ms(30_000);
    let said = ["before the tunnel", "in the tunnel"];
    assert_eq!(world.texts(bob, "alice"), said);
    assert_eq!(world.texts(alice, "bob"), said);
}

#[test]
fn a_network_change_costs_a_living_socket_one_question() {
    let mut world = World::new(41);
    let alice = world.register("alice");
    let socket = world.client(alice).socket();
    let before = world.client(alice).sent.len();
    world.give(alice, Input::NetworkChanged);
    world.give(alice, Input::NetworkChanged);
    world.pass_ms(10_000);
    assert_eq!(world.client(alice).sent.len(), before + 1);
    assert_eq!(world.client(alice).socket(), socket);
}

#[test]
fn what_a_fast_clock_sends_stays_in_order() {
    let mut world = World::new(42);
    let alice = world.register("alice");
    let bob = world.register("bob");
    world.client_mut(alice).clock_ahead_ms = 4 * 60_000;
    world.send(alice, "bob", "0");
    world.client_mut(alice).clock_ahead_ms = 3 * 3_600_000;
    for text in numbers(1..8) {
        world.send(alice, "bob", &text); // in one millisecond of the relay
    }
    assert_eq!(world.texts(bob, "alice"), numbers(0..8));
}

#[test]
fn a_clock_that_is_set_back_delays_nothing() {
    let mut world = World::new(43);
    let alice = world.register("alice");
    let bob = world.register("bob");
    world.send(alice, "bob", "0");
    world.relay.refuse.push(("/v1/bundles", 429, 2));
    world.send(alice, "bob", "1");
    world.mute(alice, true); // the next try is lost, too
    world.pass_ms(1_500);
    world.client_mut(alice).clock_ahead_ms = -3 * 3_600_000;
    world.pass_ms(60_000);
    world.mute(alice, false);
    world.pass_ms(60_000);
    assert_eq!(world.texts(bob, "alice"), ["0", "1"]);
}
