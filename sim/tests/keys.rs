//! The life of published prekeys: replaced by age, confirmed by the relay, kept for what is on its way, deleted.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a play that goes wrong stops at once"
)]

use engine::store::Table;
use engine::store::memory::Crash;
use sim::{ClientId, World};
use wire::Frame;
use wire::body::{SetKeys, from_json};

const DAY: u64 = 24 * 60 * 60 * 1000;

/// The signed prekeys that a browser has uploaded since it was made, by id.
fn rotations(world: &World, id: ClientId) -> Vec<u32> {
    let keys = |frame: &Vec<u8>| match Frame::decode(frame) {
        Ok(Frame::Request(request)) if request.path == "/v2/keys" && request.verb == "PUT" => {
            let keys: SetKeys = from_json(&request.body).unwrap();
            assert_eq!(
                keys.signed_pre_key.is_some(),
                keys.pq_last_resort_pre_key.is_some()
            );
            Some(keys.signed_pre_key?.key_id.into())
        }
        _ => None,
    };
    world.client(id).sent.iter().filter_map(keys).collect()
}

/// Closes the page for some days.
fn away(world: &mut World, id: ClientId, days: u64) {
    world.kill(id);
    world.now += days * DAY;
    world.open(id);
}

fn stored_keys(world: &World, id: ClientId, kind: u8) -> usize {
    let snapshot = world.client(id).store.snapshot();
    snapshot
        .keys(Table::PreKeys)
        .filter(|key| key[0] == kind)
        .count()
}

const SIGNED: u8 = 2;
const LAST_RESORT: u8 = 4;

#[test]
fn published_keys_are_replaced_every_two_days() {
    let mut world = World::new(60);
    let alice = world.register("alice");
    away(&mut world, alice, 1);
    assert_eq!(rotations(&world, alice).len(), 0);
    away(&mut world, alice, 1);
    assert_eq!(rotations(&world, alice).len(), 1);
    away(&mut world, alice, 1);
    assert_eq!(rotations(&world, alice).len(), 1);
    away(&mut world, alice, 1);
    let ids = rotations(&world, alice);
    assert_eq!(ids.len(), 2);
    assert_ne!(ids[0], ids[1]);
}

#[test]
fn a_page_that_stays_open_replaces_its_keys_too() {
    let mut world = World::new(61);
    let alice = world.register("alice");
    world.pass_ms(3 * DAY);
    assert_eq!(rotations(&world, alice).len(), 1);
}

#[test]
fn keys_that_were_not_confirmed_are_uploaded_again_and_not_made_anew() {
    for crash in [Crash::BeforeWrite, Crash::AfterWrite] {
        let mut world = World::new(62);
        let alice = world.register("alice");
        world.relay.refuse.push(("/v2/keys", 503, 2)); // the count, and the upload
        away(&mut world, alice, 2);
        away(&mut world, alice, 0);
        let ids = rotations(&world, alice);
        assert_eq!(ids.len(), 2);
        assert_eq!(ids[0], ids[1], "the relay put it off");
        world.kill(alice);
        world.now += 2 * DAY;
        world.crash_at(alice, 2, crash); // between the upload and its answer, or about
        world.open(alice);
        if !world.client(alice).is_open() {
            world.open(alice);
        }
        away(&mut world, alice, 0);
        let mut ids = rotations(&world, alice);
        ids.dedup();
        assert!(ids.len() <= 3, "{ids:?}");
    }
}

#[test]
fn keys_that_were_not_confirmed_for_two_weeks_are_not_published_as_new() {
    let mut world = World::new(66);
    let alice = world.register("alice");
    let bob = world.register("bob");
    world.relay.refuse.push(("/v2/keys", 503, 2)); // the count, and the upload
    away(&mut world, alice, 2);
    away(&mut world, alice, 15);
    let ids = rotations(&world, alice);
    assert_eq!(ids.len(), 2);
    assert_eq!((ids[1] >> 8) - (ids[0] >> 8), 15, "days between them");
    world.send(bob, "alice", "are you back?");
    assert_eq!(world.texts(alice, "bob"), ["are you back?"]);
}

#[test]
fn a_first_message_to_keys_that_were_replaced_meanwhile_is_read() {
    let mut world = World::new(63);
    let alice = world.register("alice");
    let bob = world.register("bob");
    let before = world.client(bob).bundles().len();
    world.start(bob, engine::Command::text("alice", "late"));
    while world.client(bob).bundles().len() == before {
        assert!(world.step());
    }
    world.kill(bob); // sealed with the old keys; the bundle is lost on the way
    away(&mut world, alice, 30);
    assert_eq!(rotations(&world, alice).len(), 1);
    world.open(bob);
    assert_eq!(world.texts(alice, "bob"), ["late"]);
}

#[test]
fn keys_that_no_message_can_name_any_more_are_deleted() {
    let mut world = World::new(64);
    let alice = world.register("alice");
    for _ in 0..40 {
        away(&mut world, alice, 3);
    }
    assert_eq!(rotations(&world, alice).len(), 40);
    for kind in [SIGNED, LAST_RESORT] {
        let kept = stored_keys(&world, alice, kind);
        assert!((15..=18).contains(&kept), "47 days of them: {kept}");
    }
}

#[test]
fn a_clock_that_jumps_back_and_forth_replaces_no_key_twice() {
    let mut world = World::new(65);
    let alice = world.register("alice");
    away(&mut world, alice, 2);
    for _ in 0..4 {
        world.now -= 3 * 60 * 60 * 1000;
        away(&mut world, alice, 0);
        world.now += 3 * 60 * 60 * 1000;
        away(&mut world, alice, 0);
    }
    assert_eq!(rotations(&world, alice).len(), 1);
}
