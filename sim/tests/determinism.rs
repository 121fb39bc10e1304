//! Same seed, same inputs: same bytes, on the wire and in the store.

use sim::run::{self, Detail};
use sim::{World, generate};

fn play(seed: u64) -> World {
    let mut world = World::new(seed);
    let alice = world.register("alice");
    let bob = world.register("bob");
    let (second, _) = world.link(alice);
    world.send(alice, "bob", "one");
    world.send(bob, "alice", "two");
    world.kill(second);
    world.send(bob, "alice", "three");
    world.open(second);
    world.send(second, "bob", "four");
    world
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let (mut first, mut again, other) = (play(7), play(7), play(8));
    let clients: Vec<_> = (0..3).map(sim::ClientId).collect();
    for id in clients {
        assert_eq!(first.client(id).sent, again.client(id).sent);
        assert!(first.client(id).store.snapshot() == again.client(id).store.snapshot());
        assert_ne!(
            first.client(id).sent,
            other.client(id).sent,
            "the seed does matter"
        );
    }
    let alice = sim::ClientId(0);
    assert_eq!(first.thread(alice, "bob"), again.thread(alice, "bob"));
}

#[test]
fn the_same_seed_gives_the_same_trace() {
    let trace = |seed| run::play(&generate::play(seed, 100), Detail::Frames).trace;
    let first = trace(3);
    assert!(first.len() > 200, "{} lines", first.len());
    assert_eq!(first, trace(3));
    assert_ne!(first, trace(4));
}
