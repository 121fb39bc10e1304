//! What people are told: that a message has come, was read, is being written; and what they are notified of.

#![expect(
    clippy::indexing_slicing,
    reason = "a play that goes wrong stops at once"
)]

use engine::input::{Setting, SettingsChange};
use engine::output::{MessageStatus, Notice, Notifications};
use engine::{Command, Event, Reply};
use sim::{Cast, ClientId, World};
use wire::MessageId;

const DAY: u64 = 24 * 60 * 60 * 1000;

/// Alice with two browsers and Bob, who have answered each other.
fn friends(seed: u64) -> (World, Cast) {
    let mut world = World::new(seed);
    let cast = Cast::new(&mut world);
    world.send(cast.alice, "bob", "hello");
    world.send(cast.bob, "alice", "hi");
    world.pass_ms(60_000);
    (world, cast)
}

fn done(world: &mut World, id: ClientId, command: Command) {
    assert_eq!(world.ask(id, command), Ok(Reply::Done));
}

fn status(world: &mut World, id: ClientId, with: &str) -> MessageStatus {
    let statuses = world.statuses(id, with);
    statuses[statuses.len() - 1]
}

fn mark_read(world: &mut World, id: ClientId, with: &str, message: MessageId) {
    let command = Command::MarkRead {
        conversation: with.to_owned(),
        message,
    };
    done(world, id, command);
}

fn typing(world: &mut World, id: ClientId, with: &str, is_typing: bool) {
    let conversation = with.to_owned();
    let command = Command::Typing {
        conversation,
        is_typing,
    };
    done(world, id, command);
}

fn set(world: &mut World, id: ClientId, change: SettingsChange) {
    done(world, id, Command::Set(Setting::Settings(change)));
}

/// How many bundles a browser has sent that tell others than its own account of something.
fn told(world: &World, id: ClientId) -> usize {
    let bundles = world.client(id).bundles();
    let is_told = |bundle: &&wire::bundle::Bundle| !bundle.urgent && bundle.recipients.len() > 1;
    bundles.iter().filter(is_told).count()
}

/// What a browser was told by events of one kind.
fn events<T>(world: &World, id: ClientId, pick: impl Fn(&Event) -> Option<T>) -> Vec<T> {
    world.client(id).events.iter().filter_map(pick).collect()
}

fn notice(event: &Event) -> Option<&Notice> {
    let Event::Notify(notice) = event else {
        return None;
    };
    Some(notice)
}

fn notices(world: &World, id: ClientId) -> Vec<(u32, Option<String>)> {
    let shown = |event: &Event| notice(event).map(|it| (it.unread, it.text.clone()));
    events(world, id, shown)
}

#[test]
fn the_author_learns_that_a_message_has_come_and_was_read_on_all_their_devices() {
    let (mut world, cast) = friends(400);
    let id = world.send(cast.alice, "bob", "news");
    assert_eq!(status(&mut world, cast.alice, "bob"), MessageStatus::Sent);
    world.pass_ms(20_000);
    for own in [cast.alice, cast.second] {
        assert_eq!(status(&mut world, own, "bob"), MessageStatus::Delivered);
    }
    mark_read(&mut world, cast.bob, "alice", id);
    for own in [cast.alice, cast.second] {
        assert_eq!(status(&mut world, own, "bob"), MessageStatus::Read);
    }
}

/// T16: how many devices there are, and when each is on, is nobody's business.
#[test]
fn one_of_several_devices_tells_that_a_message_has_come_and_no_other_later() {
    let (mut world, cast) = friends(401);
    world.set_network(cast.second, false);
    let before = told(&world, cast.alice) + told(&world, cast.second);
    world.send(cast.bob, "alice", "one");
    world.pass_ms(20_000);
    world.set_network(cast.second, true);
    world.pass_ms(60_000);
    let after = told(&world, cast.alice) + told(&world, cast.second);
    assert_eq!(
        status(&mut world, cast.bob, "alice"),
        MessageStatus::Delivered
    );
    assert_eq!(after - before, 1, "one receipt, told to the own device too");
}

#[test]
fn a_stranger_learns_nothing_until_they_are_let_in() {
    let mut world = World::new(402);
    let cast = Cast::new(&mut world);
    let id = world.send(cast.bob, "alice", "you don't know me");
    world.pass_ms(60_000);
    mark_read(&mut world, cast.alice, "bob", id);
    typing(&mut world, cast.alice, "bob", true);
    world.pass_ms(60_000);
    assert_eq!(status(&mut world, cast.bob, "alice"), MessageStatus::Sent);
    let typed = events(&world, cast.bob, |event| {
        matches!(event, Event::Typing { .. }).then_some(())
    });
    assert!(typed.is_empty());
    world.send(cast.alice, "bob", "now I do");
    let id = world.send(cast.bob, "alice", "thanks");
    mark_read(&mut world, cast.second, "bob", id);
    assert_eq!(status(&mut world, cast.bob, "alice"), MessageStatus::Read);
}

#[test]
fn receipts_that_are_switched_off_are_not_sent() {
    let (mut world, cast) = friends(403);
    let change = SettingsChange {
        read_receipts: Some(false),
        delivery_receipts: Some(false),
        typing: Some(false),
        notifications: None,
    };
    set(&mut world, cast.alice, change);
    let id = world.send(cast.bob, "alice", "are you there?");
    world.pass_ms(60_000);
    mark_read(&mut world, cast.second, "bob", id); // on the device that was told of the setting
    typing(&mut world, cast.second, "bob", true);
    world.pass_ms(60_000);
    assert_eq!(status(&mut world, cast.bob, "alice"), MessageStatus::Sent);
}

#[test]
fn a_receipt_is_owed_over_a_restart() {
    let (mut world, cast) = friends(404);
    world.kill(cast.second);
    world.send(cast.alice, "bob", "news");
    world.kill(cast.bob);
    world.open(cast.bob);
    world.pass_ms(30_000);
    assert_eq!(
        status(&mut world, cast.alice, "bob"),
        MessageStatus::Delivered
    );
}

#[test]
fn typing_is_seen_at_once_or_never() {
    let (mut world, cast) = friends(405);
    let seen = |world: &World| {
        events(world, cast.bob, |event| {
            let Event::Typing { is_typing, .. } = event else {
                return None;
            };
            Some(*is_typing)
        })
    };
    typing(&mut world, cast.alice, "bob", true);
    typing(&mut world, cast.alice, "bob", true); // not with every letter
    typing(&mut world, cast.alice, "bob", false);
    assert_eq!(seen(&world), [true, false]);
    world.set_network(cast.bob, false);
    typing(&mut world, cast.second, "bob", true);
    world.pass_ms(60_000);
    world.set_network(cast.alice, false);
    typing(&mut world, cast.alice, "bob", true);
    world.pass_ms(60_000);
    world.set_network(cast.alice, true);
    world.set_network(cast.bob, true);
    world.pass_ms(60_000);
    assert_eq!(seen(&world), [true, false]);
}

/// M-7.
#[test]
fn after_a_night_a_conversation_is_notified_once() {
    let (mut world, cast) = friends(406);
    world.kill(cast.second);
    let before = notices(&world, cast.second).len();
    for n in 0..30 {
        world.send(cast.bob, "alice", &n.to_string());
    }
    world.now += DAY;
    world.open(cast.second);
    world.pass_ms(1_000);
    let shown = notices(&world, cast.second);
    assert_eq!(shown[before..], [(31, Some("29".to_owned()))]);
}

/// M-7.
#[test]
fn what_was_read_elsewhere_before_the_mailbox_is_empty_is_not_notified() {
    let (mut world, cast) = friends(407);
    world.kill(cast.second);
    let before = notices(&world, cast.second).len();
    let id = world.send(cast.bob, "alice", "read on the other");
    mark_read(&mut world, cast.alice, "bob", id);
    world.now += DAY;
    world.open(cast.second);
    world.pass_ms(60_000);
    assert_eq!(notices(&world, cast.second).len(), before);
}

#[test]
fn while_another_own_device_is_in_use_a_notification_is_held_and_reading_there_ends_it() {
    let (mut world, cast) = friends(408);
    let shown = |world: &World| notices(world, cast.second).len();
    world.send(cast.alice, "bob", "I am here"); // by the first browser
    let before = shown(&world);
    let id = world.send(cast.bob, "alice", "good");
    world.pass_ms(2_000);
    assert_eq!(shown(&world), before, "it is held");
    mark_read(&mut world, cast.alice, "bob", id);
    world.pass_ms(10_000);
    assert_eq!(shown(&world), before, "and was read meanwhile");
    let id = world.send(cast.bob, "alice", "still there?");
    world.pass_ms(10_000);
    assert_eq!(shown(&world), before + 1, "it is held for seconds only");
    let ended = |world: &World| {
        let end = |event: &Event| matches!(event, Event::NotifyEnd(_)).then_some(());
        events(world, cast.second, end).len()
    };
    let before = ended(&world);
    mark_read(&mut world, cast.alice, "bob", id);
    assert_eq!(ended(&world), before + 1);
}

#[test]
fn a_notification_shows_as_much_as_the_person_wants() {
    let (mut world, cast) = friends(409);
    let last = |world: &mut World, notifications| {
        let change = SettingsChange {
            notifications: Some(notifications),
            ..SettingsChange::default()
        };
        set(world, cast.alice, change);
        world.pass_ms(120_000);
        let before = world.client(cast.alice).events.len();
        world.send(cast.bob, "alice", "secret");
        world.pass_ms(20_000);
        let events = &world.client(cast.alice).events[before..];
        let shown = |event| notice(event).map(|it| (it.name.clone(), it.text.clone()));
        events.iter().find_map(shown)
    };
    let (bob, secret) = (Some("bob".to_owned()), Some("secret".to_owned()));
    assert_eq!(
        last(&mut world, Notifications::Content),
        Some((bob.clone(), secret))
    );
    assert_eq!(last(&mut world, Notifications::Name), Some((bob, None)));
    assert_eq!(last(&mut world, Notifications::Bare), Some((None, None)));
    assert_eq!(last(&mut world, Notifications::Off), None);
}

#[test]
fn a_blocked_person_is_not_heard_on_any_device() {
    let (mut world, cast) = friends(410);
    let block = |blocked| {
        let account = "bob".to_owned();
        Command::Set(Setting::Block { account, blocked })
    };
    done(&mut world, cast.second, block(true));
    world.pass_ms(10_000);
    world.send(cast.bob, "alice", "hear me");
    world.pass_ms(60_000);
    for own in [cast.alice, cast.second] {
        assert_eq!(world.texts(own, "bob"), ["hello", "hi"]);
    }
    assert_eq!(status(&mut world, cast.bob, "alice"), MessageStatus::Sent);
    done(&mut world, cast.alice, block(false));
    world.pass_ms(10_000);
    world.send(cast.bob, "alice", "again");
    let heard = ["hello", "hi", "again"];
    assert_eq!(world.texts(cast.second, "bob"), heard);
    let Ok(Reply::Conversations(list)) = world.ask(cast.alice, Command::Conversations) else {
        panic!("no conversations")
    };
    assert_eq!(list[0].unread, 2);
}
