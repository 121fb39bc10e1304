//! Devices with keys of their own: what they can do, what they never get, and what others make of them (T6, T10-T12).

use engine::{Command, Refusal, Reply, Role};
use sim::{ClientId, World};

/// Alice with an owner and a device of its own key, Bob with an owner.
struct Scene {
    world: World,
    alice: ClientId,
    second: ClientId,
    bob: ClientId,
}

fn scene(seed: u64) -> Scene {
    let mut world = World::new(seed);
    let alice = world.register("alice");
    let bob = world.register("bob");
    let (second, device) = world.link_as(alice, Role::Device);
    assert_eq!(
        (device.role, device.name.as_str()),
        (Role::Device, "Second")
    );
    Scene {
        world,
        alice,
        second,
        bob,
    }
}

#[test]
fn a_device_with_a_key_of_its_own_sends_and_receives_like_any_other() {
    let Scene {
        mut world,
        alice,
        second,
        bob,
    } = scene(1);
    world.send(bob, "alice", "to both");
    world.send(second, "bob", "from the second");
    world.send(alice, "bob", "from the first");
    world.send(bob, "alice", "to both again");
    let all = [
        "to both",
        "from the second",
        "from the first",
        "to both again",
    ];
    for (of, with) in [(alice, "bob"), (second, "bob"), (bob, "alice")] {
        assert_eq!(world.texts(of, with), all);
    }
}

#[test]
fn the_first_message_of_a_stranger_may_come_from_a_device_with_a_key_of_its_own() {
    let Scene {
        mut world,
        alice,
        second,
        bob,
    } = scene(2);
    world.send(second, "bob", "hello");
    assert_eq!(world.texts(bob, "alice"), ["hello"]);
    assert_eq!(world.texts(alice, "bob"), ["hello"]);
    world.send(bob, "alice", "who is there?");
    assert_eq!(world.texts(second, "bob"), ["hello", "who is there?"]);
    assert_eq!(world.texts(alice, "bob"), ["hello", "who is there?"]);
}

#[test]
fn only_an_owner_links_and_removes() {
    let Scene {
        mut world,
        alice,
        second,
        ..
    } = scene(3);
    let third = world.browser();
    let offer = world.offer(third);
    let role = Role::Device;
    let link = Command::ApproveLink {
        uri: offer.uri.clone(),
        role,
    };
    assert_eq!(world.ask(second, link), Err(Refusal::NotOwner));
    let remove = |number: u32, lost| Command::Unlink {
        device: number.try_into().unwrap(),
        lost,
    };
    assert_eq!(world.ask(second, remove(1, false)), Err(Refusal::NotOwner));
    assert_eq!(
        world.ask(second, Command::DeleteAccount),
        Err(Refusal::NotOwner)
    );
    let link = Command::ApproveLink {
        uri: offer.uri,
        role,
    };
    assert!(matches!(world.ask(alice, link), Ok(Reply::Device(_))));
    assert_eq!(world.ask(alice, remove(2, true)), Ok(Reply::Done));
}
