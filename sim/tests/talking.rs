//! Plays with the real engine and the real relay core.

use engine::output::{ClientState, MessageStatus};
use engine::{Command, Refusal, Reply};
use sim::World;

#[test]
fn two_people_talk_both_ways() {
    let mut world = World::new(1);
    let alice = world.register("alice");
    let bob = world.register("bob");
    world.send(alice, "bob", "hello");
    world.send(bob, "alice", "hello yourself");
    world.send(alice, "bob", "how are you");
    let expected = ["hello", "hello yourself", "how are you"];
    assert_eq!(world.texts(alice, "bob"), expected);
    assert_eq!(world.texts(bob, "alice"), expected);
    let sent = MessageStatus::Sent;
    assert_eq!(
        world.statuses(alice, "bob"),
        [sent, MessageStatus::Received, sent]
    );
}

#[test]
fn a_linked_browser_mirrors_what_follows() {
    let mut world = World::new(2);
    let alice = world.register("alice");
    let bob = world.register("bob");
    world.send(alice, "bob", "before");
    let (second, device) = world.link(alice);
    assert_eq!(world.client(second).state(), ClientState::Ready);
    assert_eq!(u32::from(device.id), 2);
    assert_eq!(device.name, "Second");

    let Ok(Reply::Contacts(contacts)) = world.ask(second, Command::Contacts) else {
        panic!()
    };
    assert_eq!(contacts.len(), 1);
    assert_eq!(contacts[0].name, "bob");
    assert!(contacts[0].identity_key.is_some());

    world.send(second, "bob", "from the second");
    world.send(bob, "alice", "to both");
    world.send(alice, "bob", "from the first");
    let expected = ["from the second", "to both", "from the first"];
    assert_eq!(world.texts(second, "bob"), expected);
    assert_eq!(world.texts(alice, "bob")[1..], expected);
    assert_eq!(world.texts(bob, "alice")[1..], expected);
}

#[test]
fn an_unknown_handle_is_refused_and_nothing_is_stored() {
    let mut world = World::new(3);
    let alice = world.register("alice");
    let command = Command::text("nobody", "hi");
    assert_eq!(world.ask(alice, command), Err(Refusal::UnknownHandle));
    let Ok(Reply::Conversations(list)) = world.ask(alice, Command::Conversations) else {
        panic!()
    };
    assert!(list.is_empty());
}
