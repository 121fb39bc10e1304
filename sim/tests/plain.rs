//! A relay that passes for a plain Signal service: no capabilities, no handles. Alice's and Bob's first devices have known it
//! as one of ours; what they link now knows it as plain only, and all of them talk to each other.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a play that goes wrong stops at once"
)]

use engine::input::Setting;
use engine::output::{ClientState, MessageStatus};
use engine::store::Table;
use engine::store::memory::{Crash, Keep};
use engine::{Command, Event, Refusal, Reply, Role};
use sim::{ClientId, World};
use wire::body::{AccountInfo, PreKeyResponse, SendMessages, WhoAmI, from_json, to_json};
use wire::{AccountId, DeviceId, Frame};

const ALWAYS: u32 = u32::MAX;

/// The two people: their first devices, and a plain one of each.
struct Cast {
    alice_first: ClientId,
    bob_first: ClientId,
    alice: ClientId,
    bob: ClientId,
    alice_id: String,
    bob_id: String,
}

fn plain_world(seed: u64) -> (World, Cast) {
    let mut world = World::new(seed);
    let alice_first = world.register("alice");
    let bob_first = world.register("bob");
    world.relay.refuse = vec![("/v1/capabilities", 404, ALWAYS)];
    world.relay.lie = Some(("/v1/accounts/whoami", without_handle));
    let (alice, _) = world.link(alice_first);
    let (bob, _) = world.link(bob_first);
    let cast = Cast {
        alice_id: account(&mut world, alice),
        bob_id: account(&mut world, bob),
        alice_first,
        bob_first,
        alice,
        bob,
    };
    (world, cast)
}

fn without_handle(body: &mut Vec<u8>) {
    let info: AccountInfo = from_json(body).unwrap();
    *body = to_json(&WhoAmI {
        uuid: info.uuid,
        handle: None,
        list_version: None,
    });
}

fn account(world: &mut World, id: ClientId) -> String {
    match world.ask(id, Command::Account) {
        Ok(Reply::Account(account)) => account.id.to_string(),
        other => panic!("no account: {other:?}"),
    }
}

/// What a client has sent to `PUT /v1/messages/…`: to whom, for which devices.
fn parts(world: &World, id: ClientId) -> Vec<(String, Vec<DeviceId>)> {
    let part = |frame: &Vec<u8>| match Frame::decode(frame) {
        Ok(Frame::Request(request)) => {
            let to = request.path.strip_prefix("/v1/messages/")?.to_owned();
            let body: SendMessages = from_json(&request.body).unwrap();
            let device = |message: &wire::body::IncomingMessage| message.destination_device_id;
            let mut devices: Vec<_> = body.messages.iter().map(device).collect();
            devices.sort_unstable();
            Some((to, devices))
        }
        _ => None,
    };
    world.client(id).sent.iter().filter_map(part).collect()
}

fn device(number: u8) -> DeviceId {
    DeviceId::try_from(u32::from(number)).unwrap()
}

fn leak(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}

#[test]
fn a_linked_device_is_ready_without_a_handle_and_shows_a_uri_of_signals_scheme() {
    let (mut world, cast) = plain_world(1);
    assert_eq!(world.client(cast.alice).state(), ClientState::Ready);
    let shown = world.ask(cast.alice, Command::Account).unwrap();
    assert!(matches!(shown, Reply::Account(account) if account.handle.is_none()));
    assert_eq!(world.client(cast.alice).authorization(), None, "no blobs");
    let new = world.browser();
    let offer = world.offer(new);
    assert!(offer.uri.starts_with("sgnl://linkdevice?uuid="));
    let command = Command::ApproveLink {
        uri: offer.uri,
        role: Role::Owner,
    };
    assert!(world.ask(cast.alice_first, command).is_ok());
    world.kill(cast.alice);
    world.open(cast.alice);
    assert_eq!(world.client(cast.alice).state(), ClientState::Ready);
}

#[test]
fn a_message_and_its_transcript_are_two_requests_and_one_message_everywhere() {
    let (mut world, cast) = plain_world(2);
    world.send(cast.alice, &cast.bob_id, "hello");
    world.send(cast.bob, &cast.alice_id, "hello yourself");
    for (id, with) in [
        (cast.alice, &cast.bob_id),
        (cast.alice_first, &cast.bob_id),
        (cast.bob, &cast.alice_id),
        (cast.bob_first, &cast.alice_id),
    ] {
        assert_eq!(world.texts(id, with), ["hello", "hello yourself"]);
    }
    let ids = |messages: Vec<engine::output::Message>| -> Vec<_> {
        messages.into_iter().map(|message| message.id).collect()
    };
    let of_alice = ids(world.thread(cast.alice, &cast.bob_id));
    assert_eq!(of_alice, ids(world.thread(cast.bob_first, &cast.alice_id)));
    assert!(world.client(cast.alice).bundles().is_empty());
    let both = [device(1), device(2)];
    let sent = parts(&world, cast.alice);
    let last: Vec<_> = sent.iter().rev().take(2).rev().collect();
    assert_eq!(last[0], &(cast.bob_id.clone(), both.to_vec()));
    assert_eq!(last[1], &(cast.alice_id.clone(), vec![device(1)]));
}

#[test]
fn each_part_is_repaired_by_itself_and_order_holds() {
    let (mut world, cast) = plain_world(3);
    world.send(cast.alice, &cast.bob_id, "one");
    let (bobs_new, _) = world.link(cast.bob_first);
    let (alices_new, _) = world.link(cast.alice_first);
    world.send(cast.alice, &cast.bob_id, "two");
    world.send(cast.alice, &cast.bob_id, "three");
    assert_eq!(world.texts(bobs_new, &cast.alice_id), ["two", "three"]);
    assert_eq!(world.texts(alices_new, &cast.bob_id), ["two", "three"]);
    assert_eq!(
        world.texts(cast.bob, &cast.alice_id),
        ["one", "two", "three"]
    );
    assert_eq!(
        world.statuses(cast.alice, &cast.bob_id),
        [MessageStatus::Sent; 3]
    );
}

#[test]
fn a_read_mark_reaches_own_devices() {
    let (mut world, cast) = plain_world(4);
    let id = world.send(cast.alice, &cast.bob_id, "read me");
    let command = Command::MarkRead {
        conversation: cast.alice_id.clone(),
        message: id,
    };
    assert_eq!(world.ask(cast.bob, command), Ok(Reply::Done));
    let list = world.ask(cast.bob_first, Command::Conversations).unwrap();
    assert!(matches!(list, Reply::Conversations(list) if list[0].unread == 0));
}

#[test]
fn a_page_may_die_at_any_commit_of_a_send() {
    for crash in [Crash::BeforeWrite, Crash::AfterWrite] {
        for n in 1.. {
            let (mut world, cast) = plain_world(5);
            world.send(cast.alice, &cast.bob_id, "first"); // lists and sessions settle
            world.crash_at(cast.alice, n, crash);
            let command = Command::text(cast.bob_id.clone(), "second");
            let answer = world.try_ask(cast.alice, command);
            for _ in 0..2 {
                if !world.client(cast.alice).is_open() {
                    world.open(cast.alice);
                }
                world.pass_ms(60_000);
            }
            let died = world.client(cast.alice).crashes() > 0;
            let expected = world.texts(cast.alice, &cast.bob_id);
            assert!(answer.is_none() || expected.len() == 2);
            let at = format!("crash at {n}, {crash:?}");
            for id in [cast.bob, cast.bob_first] {
                assert_eq!(world.texts(id, &cast.alice_id), expected, "{at}");
            }
            assert_eq!(
                world.texts(cast.alice_first, &cast.bob_id),
                expected,
                "{at}"
            );
            let statuses = world.statuses(cast.alice, &cast.bob_id);
            assert!(statuses.iter().all(|s| *s == MessageStatus::Sent), "{at}");
            if !died {
                assert!(n > 3, "the send has at least three commits");
                break;
            }
        }
    }
}

#[test]
fn a_part_that_was_accepted_is_not_sent_again_after_a_crash_in_the_other() {
    let (mut world, cast) = plain_world(6);
    world.send(cast.alice, &cast.bob_id, "first");
    let to_own = leak(format!("/v1/messages/{}", cast.alice_id));
    world.relay.refuse.push((to_own, 503, 1));
    let before = parts(&world, cast.alice).len();
    world.send(cast.alice, &cast.bob_id, "second");
    world.kill(cast.alice);
    world.open(cast.alice);
    let to: Vec<_> = parts(&world, cast.alice)
        .split_off(before)
        .into_iter()
        .map(|(to, _)| to)
        .collect();
    let expected = [&cast.bob_id, &cast.alice_id, &cast.alice_id];
    assert!(to.iter().eq(expected), "{to:?}");
    assert_eq!(
        world.texts(cast.alice_first, &cast.bob_id),
        ["first", "second"]
    );
}

#[test]
fn a_challenge_keeps_the_message_and_those_behind_it() {
    let (mut world, cast) = plain_world(7);
    world.send(cast.alice, &cast.bob_id, "before");
    world.relay.refuse.push(("/v1/messages/", 428, 1));
    world.send(cast.alice, &cast.bob_id, "one");
    world.send(cast.alice, &cast.bob_id, "two");
    let told = Event::Failure(Refusal::ChallengeRequired);
    assert!(world.client(cast.alice).events.contains(&told));
    let queued = [MessageStatus::Queued; 2];
    assert_eq!(world.statuses(cast.alice, &cast.bob_id)[1..], queued);
    world.pass_ms(5 * 60_000);
    assert_eq!(
        world.texts(cast.bob, &cast.alice_id),
        ["before", "one", "two"]
    );
}

#[test]
fn refusals_of_the_peers_part_fail_the_message_and_say_why() {
    for (status, refusal) in [
        (404, Refusal::UnknownHandle),
        (413, Refusal::MessageTooLong),
        (508, Refusal::RelayRefused),
        (409, Refusal::RelayProtocol), // without a body
    ] {
        let (mut world, cast) = plain_world(8);
        world.relay.refuse.push(("/v1/messages/", status, 1));
        world.send(cast.alice, &cast.bob_id, "lost");
        world.send(cast.alice, &cast.bob_id, "next");
        assert_eq!(
            world.statuses(cast.alice, &cast.bob_id),
            [MessageStatus::Failed(refusal), MessageStatus::Sent]
        );
    }
}

#[test]
fn a_refused_transcript_does_not_undo_the_message() {
    let (mut world, cast) = plain_world(9);
    world.send(cast.alice, &cast.bob_id, "before");
    let to_own = leak(format!("/v1/messages/{}", cast.alice_id));
    world.relay.refuse.push((to_own, 508, 1));
    world.send(cast.alice, &cast.bob_id, "sent");
    world.send(cast.alice, &cast.bob_id, "next");
    assert_eq!(
        world.statuses(cast.alice, &cast.bob_id),
        [MessageStatus::Sent; 3]
    );
    assert_eq!(
        world.texts(cast.alice_first, &cast.bob_id),
        ["before", "next"]
    );
}

#[test]
fn a_service_that_was_taken_for_plain_is_found_out_and_nothing_is_lost() {
    let (mut world, cast) = plain_world(10);
    world.set_network(cast.alice, false);
    let command = Command::text(cast.bob_id.clone(), "written before");
    world.start(cast.alice, command);
    world.relay.refuse.clear();
    world.relay.lie = None;
    world.set_network(cast.alice, true);
    world.pass_ms(60_000);
    let shown = world.ask(cast.alice, Command::Account).unwrap();
    assert!(matches!(shown, Reply::Account(account) if account.handle.is_some()));
    world.send(cast.alice, "bob", "written after");
    assert!(!world.client(cast.alice).bundles().is_empty());
    for id in [cast.bob, cast.bob_first] {
        let texts = world.texts(id, &cast.alice_id);
        assert_eq!(texts, ["written before", "written after"]);
    }
}

#[test]
fn no_clear_answer_is_no_guess() {
    let mut world = World::new(11);
    let alice = world.register("alice");
    world.relay.refuse = vec![("/v1/capabilities", 503, 2)];
    let new = world.browser();
    assert_eq!(world.client(new).connection(), offline(&world, new));
    world.pass_ms(60_000);
    let offer = world.offer(new);
    assert!(offer.uri.starts_with("lockstep://"));
    let command = Command::ApproveLink {
        uri: offer.uri,
        role: Role::Owner,
    };
    assert!(world.ask(alice, command).is_ok());
}

fn offline(world: &World, id: ClientId) -> engine::output::Connection {
    let view = world.client(id).connection();
    assert!(matches!(
        view,
        engine::output::Connection::Offline { retry_at: Some(_) }
    ));
    view
}

#[test]
fn what_was_one_of_ours_stays_one_of_ours() {
    let mut world = World::new(12);
    let alice = world.register("alice");
    world.register("bob");
    world.relay.refuse = vec![("/v1/capabilities", 404, ALWAYS)];
    world.kill(alice);
    world.open(alice);
    world.send(alice, "bob", "still a bundle");
    assert_eq!(world.client(alice).bundles().len(), 1);
}

#[test]
fn an_account_that_nobody_has_is_found_out_by_its_keys() {
    let (mut world, cast) = plain_world(13);
    let nobody = AccountId::from_bytes([7; 16]).to_string();
    world.send(cast.alice, &nobody, "hello?");
    assert_eq!(
        world.statuses(cast.alice, &nobody),
        [MessageStatus::Failed(Refusal::UnknownHandle)]
    );
}

#[test]
fn what_cannot_be_read_is_asked_for_and_sent_again_and_is_one_message_everywhere() {
    let (mut world, cast) = plain_world(14);
    world.send(cast.alice, &cast.bob_id, "one");
    world.send(cast.bob, &cast.alice_id, "two");
    let store = &world.client(cast.bob).store;
    store.edit(Table::Sessions, |_, _| Keep::No);
    let before = parts(&world, cast.alice).len();
    world.send(cast.alice, &cast.bob_id, "lost");
    for (id, with) in [
        (cast.bob, &cast.alice_id),
        (cast.bob_first, &cast.alice_id),
        (cast.alice_first, &cast.bob_id),
    ] {
        assert_eq!(world.texts(id, with), ["one", "two", "lost"]);
    }
    // The request and the repeat name every device, or the service would refuse them.
    let both = [device(1), device(2)];
    let asked = parts(&world, cast.bob).pop();
    assert_eq!(asked, Some((cast.alice_id.clone(), both.to_vec())));
    let sent = parts(&world, cast.alice).split_off(before);
    let to_bob: Vec<_> = sent.iter().filter(|(to, _)| *to == cast.bob_id).collect();
    assert_eq!(to_bob.len(), 2, "{sent:?}");
    assert!(to_bob.iter().all(|(_, devices)| *devices == both));
}

fn without_devices(body: &mut Vec<u8>) {
    let mut keys: PreKeyResponse = from_json(body).unwrap();
    keys.devices.clear();
    *body = to_json(&keys);
}

#[test]
fn own_devices_that_the_service_did_not_name_are_found_when_it_wants_a_transcript() {
    let mut world = World::new(15);
    let first = world.register("alice");
    let bob = world.register("bob");
    let (alice_id, bob_id) = (account(&mut world, first), account(&mut world, bob));
    world.relay.refuse = vec![("/v1/capabilities", 404, ALWAYS)];
    let own_keys = leak(format!("/v2/keys/{alice_id}/"));
    world.relay.lie = Some((own_keys, without_devices));
    let (alice, _) = world.link(first);
    world.send(alice, &bob_id, "one");
    world.relay.lie = None;
    world.send(alice, &bob_id, "two");
    world.send(alice, &bob_id, "three");
    assert_eq!(world.texts(bob, &alice_id), ["one", "two", "three"]);
    assert_eq!(world.texts(first, &bob_id), ["two", "three"]);
    assert_eq!(world.statuses(alice, &bob_id), [MessageStatus::Sent; 3]);
}

#[test]
fn what_is_set_goes_to_own_devices_and_into_signals_words_at_once() {
    let (mut world, cast) = plain_world(40);
    world.send(cast.alice, &cast.bob_id, "hello");
    let with_bob = |world: &mut World, id: ClientId| match world.ask(id, Command::Conversations) {
        Ok(Reply::Conversations(list)) => list.into_iter().next().unwrap(),
        other => panic!("no conversations: {other:?}"),
    };
    world.set_network(cast.alice, false);
    for blocked in [true, false, true] {
        let account = cast.bob_id.clone();
        let block = Setting::Block { account, blocked };
        assert!(world.ask(cast.alice, Command::Set(block)).is_ok());
    }
    // A phone knows no registers, so each act is a message of its own.
    let stored = world.client(cast.alice).store.snapshot();
    assert_eq!(stored.count(Table::Outbox), 3);
    assert_eq!(stored.count(Table::Untold), 0);
    let conversation = cast.bob_id.clone();
    let (text, archived) = ("half".to_owned(), true);
    for setting in [
        Setting::Draft {
            conversation: conversation.clone(),
            text,
        },
        Setting::Archive {
            conversation,
            archived,
        },
    ] {
        assert!(world.ask(cast.alice, Command::Set(setting)).is_ok());
    }
    world.set_network(cast.alice, true);
    for id in [cast.alice, cast.alice_first] {
        let shown = with_bob(&mut world, id);
        assert!(shown.blocked && shown.archived);
        assert_eq!(shown.draft.as_deref(), Some("half"));
    }
    let held = |id: ClientId| engine::held(&world.client(id).store.snapshot());
    assert_eq!(held(cast.alice), held(cast.alice_first));
}
