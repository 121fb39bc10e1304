//! Messages that disappear: both people agree on how long they stay, and they go on all devices in step.
//! Time is the world's, so that weeks pass at once.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a play that goes wrong stops at once"
)]

use engine::input::Setting;
use engine::output::MessageKind;
use engine::{Command, Event, Refusal, Reply};
use sim::{Cast, ClientId, World};
use wire::MessageId;

const MINUTE: u64 = 60_000;

fn friends(seed: u64) -> (World, Cast) {
    let mut world = World::new(seed);
    let cast = Cast::new(&mut world);
    world.send(cast.alice, "bob", "hello");
    world.send(cast.bob, "alice", "hi");
    world.pass_ms(MINUTE);
    (world, cast)
}

fn set_timer(world: &mut World, id: ClientId, with: &str, seconds: u32) -> Result<Reply, Refusal> {
    let conversation = with.to_owned();
    let answer = world.ask(
        id,
        Command::Set(Setting::Timer {
            conversation,
            seconds,
        }),
    );
    world.pass_ms(1_000);
    answer
}

fn timer(world: &mut World, id: ClientId) -> Option<u32> {
    match world.ask(id, Command::Conversations) {
        Ok(Reply::Conversations(list)) => list[0].timer_s,
        other => panic!("conversations: {other:?}"),
    }
}

fn read(world: &mut World, id: ClientId, with: &str, message: MessageId) {
    let conversation = with.to_owned();
    let command = Command::MarkRead {
        conversation,
        message,
    };
    assert_eq!(world.ask(id, command), Ok(Reply::Done));
}

fn has(world: &mut World, id: ClientId, with: &str, text: &str) -> bool {
    world.texts(id, with).iter().any(|known| known == text)
}

#[test]
fn both_people_see_the_timer_and_who_has_changed_it() {
    let (mut world, cast) = friends(1);
    assert_eq!(
        set_timer(&mut world, cast.alice, "bob", 300),
        Ok(Reply::Done)
    );
    for (id, with) in [
        (cast.alice, "bob"),
        (cast.second, "bob"),
        (cast.bob, "alice"),
    ] {
        assert_eq!(timer(&mut world, id), Some(300));
        let thread = world.thread(id, with);
        let last = &thread[thread.len() - 1];
        assert_eq!((last.kind, last.timer_s), (MessageKind::Timer, Some(300)));
        assert_eq!(last.disappears_at, None);
    }
    let unread = |event: &Event| matches!(event, Event::Notify(_));
    world.pass_ms(MINUTE);
    let notified = world
        .client(cast.bob)
        .events
        .iter()
        .filter(|event| unread(event));
    assert_eq!(notified.count(), 1); // of "hello", and not of the change

    assert_eq!(set_timer(&mut world, cast.bob, "alice", 0), Ok(Reply::Done));
    assert_eq!(timer(&mut world, cast.second), None);
    let refused = set_timer(&mut world, cast.bob, "alice", 4 * 7 * 24 * 3600 + 1);
    assert_eq!(refused, Err(Refusal::InvalidArgument("seconds")));
}

#[test]
fn a_message_goes_on_the_authors_devices_after_it_was_sent_and_on_the_others_after_it_was_read() {
    let (mut world, cast) = friends(2);
    set_timer(&mut world, cast.alice, "bob", 300).unwrap();
    let id = world.send(cast.alice, "bob", "for five minutes");
    world.pass_ms(4 * MINUTE);
    assert!(has(&mut world, cast.second, "bob", "for five minutes"));
    world.pass_ms(2 * MINUTE);
    for device in [cast.alice, cast.second] {
        assert!(!has(&mut world, device, "bob", "for five minutes"));
        assert!(
            has(&mut world, device, "bob", "hello"),
            "what was there before stays"
        );
    }
    // Not read yet.
    assert!(has(&mut world, cast.bob, "alice", "for five minutes"));
    read(&mut world, cast.bob, "alice", id);
    world.pass_ms(4 * MINUTE);
    assert!(has(&mut world, cast.bob, "alice", "for five minutes"));
    world.pass_ms(2 * MINUTE);
    assert!(!has(&mut world, cast.bob, "alice", "for five minutes"));
    let gone = |event: &Event| matches!(event, Event::Removed { id: gone, .. } if *gone == id);
    assert!(world.client(cast.bob).events.iter().any(gone));
}

#[test]
fn what_is_read_on_one_device_goes_on_all_of_them_even_on_one_without_a_connection() {
    let (mut world, cast) = friends(3);
    set_timer(&mut world, cast.bob, "alice", 300).unwrap();
    let id = world.send(cast.bob, "alice", "soon gone");
    world.pass_ms(MINUTE);
    read(&mut world, cast.alice, "bob", id);
    world.pass_ms(1_000);
    world.set_network(cast.second, false);
    world.pass_ms(4 * MINUTE);
    assert!(has(&mut world, cast.second, "bob", "soon gone"));
    world.pass_ms(MINUTE);
    assert!(!has(&mut world, cast.alice, "bob", "soon gone"));
    assert!(!has(&mut world, cast.second, "bob", "soon gone"));
}

#[test]
fn a_device_that_was_closed_over_the_end_has_nothing_left_of_it_when_it_opens() {
    let (mut world, cast) = friends(4);
    set_timer(&mut world, cast.bob, "alice", 300).unwrap();
    let id = world.send(cast.bob, "alice", "soon gone");
    world.pass_ms(MINUTE);
    read(&mut world, cast.alice, "bob", id);
    world.pass_ms(1_000);
    world.kill(cast.alice);
    world.pass_ms(10 * MINUTE);
    world.open(cast.alice);
    world.pass_ms(1_000);
    assert!(!has(&mut world, cast.alice, "bob", "soon gone"));
    world.pass_ms(MINUTE);
    assert_eq!(
        world.texts(cast.alice, "bob"),
        world.texts(cast.second, "bob")
    );
}

#[test]
fn a_message_that_waits_to_be_sent_does_not_go_before() {
    let (mut world, cast) = friends(5);
    set_timer(&mut world, cast.alice, "bob", 60).unwrap();
    world.set_network(cast.alice, false);
    world.send(cast.alice, "bob", "written in a tunnel");
    world.pass_ms(10 * MINUTE);
    assert!(has(&mut world, cast.alice, "bob", "written in a tunnel"));
    world.set_network(cast.alice, true);
    world.pass_ms(30_000);
    assert!(has(&mut world, cast.second, "bob", "written in a tunnel"));
    assert!(has(&mut world, cast.bob, "alice", "written in a tunnel"));
    world.pass_ms(2 * MINUTE);
    assert!(!has(&mut world, cast.alice, "bob", "written in a tunnel"));
    assert!(!has(&mut world, cast.second, "bob", "written in a tunnel"));
}

#[test]
fn a_device_that_is_linked_later_knows_the_timer_before_its_first_message() {
    let (mut world, cast) = friends(6);
    set_timer(&mut world, cast.alice, "bob", 300).unwrap();
    let (phone, _) = world.link(cast.alice);
    world.pass_ms(MINUTE);
    world.send(phone, "bob", "from the phone");
    world.pass_ms(1_000);
    let thread = world.thread(cast.bob, "alice");
    assert_eq!(thread[thread.len() - 1].timer_s, Some(300));
    assert_eq!(timer(&mut world, cast.bob), Some(300));
}

#[test]
fn two_changes_at_once_end_alike_for_both_people() {
    let (mut world, cast) = friends(7);
    world.set_network(cast.alice, false);
    world.set_network(cast.bob, false);
    set_timer(&mut world, cast.alice, "bob", 300).unwrap();
    set_timer(&mut world, cast.bob, "alice", 60).unwrap();
    world.set_network(cast.alice, true);
    world.set_network(cast.bob, true);
    world.pass_ms(2 * MINUTE);
    for id in [cast.alice, cast.second, cast.bob] {
        assert_eq!(timer(&mut world, id), Some(60));
    }
}
