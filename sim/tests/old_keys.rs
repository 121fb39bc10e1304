//! Devices that have been away so long that their published keys are too old for a new session: they are left out, the
//! others are not, and somebody all of whose devices are away can't be written to for the first time.

#![expect(clippy::panic, reason = "a play that goes wrong stops at once")]

use engine::output::MessageStatus;
use engine::store::Table;
use engine::{Command, Refusal, Reply};
use sim::{ClientId, Deceit, World};
use wire::DeviceId;

const HOUR: u64 = 60 * 60 * 1000;
const DAY: u64 = 24 * HOUR;
const AWAY: MessageStatus = MessageStatus::Failed(Refusal::PeerAway);

/// Devices that the last bundle of a browser reaches and leaves out, of the first account in it.
fn last(world: &World, id: ClientId) -> (Vec<DeviceId>, Vec<DeviceId>) {
    let bundles = world.client(id).bundles();
    let Some(part) = bundles.last().and_then(|bundle| bundle.recipients.first()) else {
        panic!("nothing was sent");
    };
    let to = part.messages.iter().map(|part| part.device);
    let without = part.without.iter().map(|left_out| left_out.device);
    (to.collect(), without.collect())
}

fn devices(of: &[u32]) -> Vec<DeviceId> {
    of.iter()
        .map(|id| DeviceId::try_from(*id).unwrap_or_else(|_| panic!("{id} is no device")))
        .collect()
}

fn fetches(world: &World, id: ClientId) -> usize {
    let is_fetch = |frame: &&Vec<u8>| {
        matches!(wire::Frame::decode(frame), Ok(wire::Frame::Request(request))
            if request.verb == "GET" && request.path.starts_with("/v2/keys/"))
    };
    world.client(id).sent.iter().filter(is_fetch).count()
}

/// Everybody but these is offline for some days and then comes back, one day after the other, as pages do.
fn pass_days(world: &mut World, online: &[ClientId], days: u64) {
    for _ in 0..days {
        for id in online {
            world.kill(*id);
        }
        world.now += DAY;
        for id in online {
            world.open(*id);
        }
    }
}

#[test]
fn a_device_that_was_away_for_two_weeks_is_left_out_and_the_others_are_not() {
    let mut world = World::new(90);
    let bob = world.register("bob");
    let (phone, _) = world.link(bob);
    let alice = world.register("alice");
    world.kill(phone);
    pass_days(&mut world, &[alice, bob], 16);
    world.send(alice, "bob", "one");
    assert_eq!(last(&world, alice), (devices(&[1]), devices(&[2])));
    assert_eq!(world.statuses(alice, "bob"), [MessageStatus::Sent]);
    assert_eq!(world.texts(bob, "alice"), ["one"]);
    let asked = fetches(&world, alice);
    world.send(alice, "bob", "two");
    assert_eq!(fetches(&world, alice), asked, "not at every message");
    world.pass_ms(HOUR);
    world.send(alice, "bob", "three");
    assert_eq!(fetches(&world, alice), asked + 1, "but once an hour");
    assert_eq!(last(&world, alice), (devices(&[1]), devices(&[2])));
    // It comes back with new keys, and the relay says so.
    world.open(phone);
    assert_eq!(world.texts(phone, "alice").len(), 0);
    world.send(alice, "bob", "four");
    assert_eq!(last(&world, alice), (devices(&[1, 2]), devices(&[])));
    assert_eq!(world.texts(phone, "alice"), ["four"]);
    assert_eq!(world.texts(bob, "alice"), ["one", "two", "three", "four"]);
}

#[test]
fn a_device_that_is_back_and_writes_is_answered_at_once() {
    let mut world = World::new(91);
    let bob = world.register("bob");
    let (phone, _) = world.link(bob);
    let alice = world.register("alice");
    world.kill(phone);
    pass_days(&mut world, &[alice, bob], 16);
    world.send(alice, "bob", "one");
    world.open(phone);
    world.send(phone, "alice", "here");
    world.send(alice, "bob", "two");
    assert_eq!(last(&world, alice), (devices(&[1, 2]), devices(&[])));
    assert_eq!(world.texts(phone, "alice"), ["here", "two"]);
}

#[test]
fn somebody_all_of_whose_devices_are_away_is_written_to_when_they_are_back() {
    let mut world = World::new(92);
    let [alice, bob] = ["alice", "bob"].map(|handle| world.register(handle));
    world.kill(bob);
    pass_days(&mut world, &[alice], 16);
    let id = world.send(alice, "bob", "one");
    assert_eq!(world.statuses(alice, "bob"), [AWAY]);
    assert!(Refusal::PeerAway.retry());
    assert_eq!(world.client(alice).bundles(), [], "nothing was sealed");
    let resend = Command::Resend { message: id };
    assert_eq!(world.ask(alice, resend.clone()), Ok(Reply::Done));
    assert_eq!(world.statuses(alice, "bob"), [AWAY], "not back yet");
    world.open(bob);
    assert_eq!(world.ask(alice, resend), Ok(Reply::Done));
    assert_eq!(world.statuses(alice, "bob"), [MessageStatus::Sent]);
    assert_eq!(world.texts(bob, "alice"), ["one"]);
}

#[test]
fn a_session_that_is_there_goes_on_however_long_the_other_side_is_away() {
    let mut world = World::new(93);
    let [alice, bob] = ["alice", "bob"].map(|handle| world.register(handle));
    world.send(alice, "bob", "hello");
    world.send(bob, "alice", "hi");
    world.kill(bob);
    pass_days(&mut world, &[alice], 20);
    world.send(alice, "bob", "still there?");
    assert_eq!(last(&world, alice), (devices(&[1]), devices(&[])));
    world.open(bob);
    assert_eq!(world.texts(bob, "alice"), ["hello", "hi", "still there?"]);
}

#[test]
fn an_own_device_that_is_away_is_left_out_of_transcripts() {
    let mut world = World::new(94);
    let alice = world.register("alice");
    let (old, _) = world.link(alice);
    let bob = world.register("bob");
    world.kill(old);
    pass_days(&mut world, &[alice, bob], 16);
    let (new, _) = world.link(alice);
    world.send(new, "bob", "from the new one");
    assert_eq!(world.texts(bob, "alice"), ["from the new one"]);
    assert_eq!(world.texts(alice, "bob"), ["from the new one"]);
    let bundles = world.client(new).bundles();
    let own = &bundles[bundles.len() - 1].recipients[1];
    let without: Vec<_> = own.without.iter().map(|left_out| left_out.device).collect();
    assert_eq!(without, devices(&[2]));
}

/// What this is for: the relay hands out keys from long ago, whose private halves somebody may have stolen since.
#[test]
fn a_replayed_bundle_shows_its_age_and_nothing_is_sealed_for_it() {
    let mut world = World::new(95);
    let [alice, bob, carol] = ["alice", "bob", "carol"].map(|handle| world.register(handle));
    world.send(carol, "bob", "the relay keeps what it answers");
    pass_days(&mut world, &[alice, bob, carol], 17);
    world.relay.deceive(Deceit::ReplayedKeys);
    let id = world.send(alice, "bob", "secret");
    assert_eq!(world.relay.lies_told(), 1);
    assert_eq!(world.statuses(alice, "bob"), [AWAY]);
    assert_eq!(world.client(alice).bundles(), []);
    world.ask(alice, Command::Resend { message: id }).ok();
    assert_eq!(world.texts(bob, "alice"), ["secret"]);
}

/// A relay that gives old keys the ids of today makes what is sealed for them unreadable to their owner, which shows.
#[test]
fn old_keys_under_new_ids_are_not_readable_by_their_owner() {
    let mut world = World::new(96);
    let [alice, bob, carol] = ["alice", "bob", "carol"].map(|handle| world.register(handle));
    world.send(carol, "bob", "the relay keeps what it answers");
    pass_days(&mut world, &[alice, bob, carol], 17);
    world.relay.deceive(Deceit::RelabelledKeys);
    world.send(alice, "bob", "secret");
    assert_eq!(world.relay.lies_told(), 1);
    assert_eq!(world.client(alice).bundles().len(), 1);
    assert_eq!(world.texts(bob, "alice").len(), 0);
}

#[test]
fn a_clock_that_is_hours_off_leaves_nobody_out() {
    for ahead in [-3, 3] {
        let mut world = World::new(97);
        let [alice, bob] = ["alice", "bob"].map(|handle| world.register(handle));
        world.kill(bob);
        pass_days(&mut world, &[alice], 13);
        world.client_mut(alice).clock_ahead_ms = ahead * 60 * 60 * 1000;
        world.send(alice, "bob", "hi");
        assert_eq!(world.statuses(alice, "bob"), [MessageStatus::Sent]);
    }
}

/// Ids of versions before this one are counted and carry no day.
#[test]
fn keys_of_unknown_age_are_used() {
    let mut world = World::new(98);
    let [alice, bob] = ["alice", "bob"].map(|handle| world.register(handle));
    world.kill(bob);
    pass_days(&mut world, &[alice], 40);
    world.relay.deceive(Deceit::UndatedKeys);
    world.send(alice, "bob", "hi");
    assert_eq!(world.relay.lies_told(), 1);
    assert_eq!(world.statuses(alice, "bob"), [MessageStatus::Sent]);
    assert!(world.client(bob).store.snapshot().count(Table::PreKeys) > 0);
}
