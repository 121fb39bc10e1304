//! Devices with keys of their own: what they can do, what they never get, and what others make of them (T6, T10-T12).

#![expect(clippy::unwrap_used, reason = "a play that goes wrong stops at once")]

use engine::output::{ClientState, ListAlarm, MessageStatus};
use engine::store::memory::Crash;
use engine::{Command, Event, Refusal, Reply, Role};
use sim::{ClientId, Deceit, World};
use wire::body::{Base64, DevicePreKeys, PreKeyResponse, from_json, to_json};
use wire::bundle::DeviceMessage;
use wire::{DeviceAddress, Envelope};

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

/// T12: what the relay said of the device was not so, and its keys say which one it is: the one that its account vouches for.
#[test]
fn a_device_with_a_key_of_its_own_that_was_said_to_be_gone_is_written_to_again() {
    for lie in [Deceit::Stale, Deceit::Hidden] {
        for from_peer in [true, false] {
            let Scene {
                mut world,
                alice,
                second,
                bob,
            } = scene(4);
            world.send(bob, "alice", "one");
            world.send(alice, "alice", "a note");
            world.relay.deceive(lie);
            let (from, to, with) = match from_peer {
                true => (bob, "alice", "bob"),
                false => (alice, "alice", "alice"),
            };
            world.send(from, to, "two");
            assert_eq!(world.relay.lies_told(), 1, "{lie:?}");
            world.send(from, to, "three");
            let texts = world.texts(second, with);
            assert_eq!(texts.last().map(String::as_str), Some("three"), "{lie:?}");
            let sent = world.statuses(from, to);
            let all_sent =
                |status| matches!(status, &MessageStatus::Sent | &MessageStatus::Delivered);
            assert!(sent.iter().all(all_sent), "{lie:?}: {sent:?}");
            let blocked = world.ask(from, Command::Contacts);
            assert!(
                matches!(&blocked, Ok(Reply::Contacts(all)) if all.iter().all(|of| !of.key_changed)),
                "nobody has another key"
            );
        }
    }
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

fn alarms(world: &World, of: ClientId) -> Vec<ListAlarm> {
    let alarm = |event: &Event| {
        if let Event::ListAlarm(_, alarm) = event {
            Some(*alarm)
        } else {
            None
        }
    };
    world.client(of).events.iter().filter_map(alarm).collect()
}

fn remove(world: &mut World, by: ClientId, lost: bool) {
    let device = 2.try_into().unwrap();
    assert_eq!(
        world.ask(by, Command::Unlink { device, lost }),
        Ok(Reply::Done)
    );
}

#[test]
fn the_accounts_key_never_comes_to_a_device_with_a_key_of_its_own() {
    let Scene {
        mut world,
        alice,
        second,
        bob,
    } = scene(4);
    world.send(bob, "alice", "hello");
    world.send(alice, "bob", "hello yourself");
    world.send(second, "bob", "and again");
    let private = private_half(&world.stored(alice));
    assert!(
        holds(&world.stored(alice), &private),
        "it is where it should be"
    );
    assert!(!holds(&world.stored(second), &private));
    let (owner, _) = world.link(alice);
    assert!(holds(&world.stored(owner), &private), "an owner has it");
}

/// Of the key pair in an owner's account record: libsignal writes it as two fields of 33 and 32 bytes.
fn private_half(stored: &[u8]) -> Vec<u8> {
    let pair = stored
        .windows(69)
        .find(|bytes| bytes.starts_with(&[0x0A, 33, 5]) && bytes.get(35..37) == Some(&[0x12, 32]));
    pair.and_then(|pair| pair.get(37..69)).unwrap().to_vec()
}

fn holds(stored: &[u8], key: &[u8]) -> bool {
    stored.windows(key.len()).any(|bytes| bytes == key)
}

#[test]
fn what_a_device_sent_before_it_was_removed_in_peace_is_still_shown() {
    let (texts, alarms) = late_message_after_removal(5, false);
    assert_eq!(texts, ["first", "late", "removed it"]);
    assert_eq!(alarms, []);
}

#[test]
fn nothing_of_a_lost_device_is_shown_to_who_has_heard_of_it() {
    let (texts, _) = late_message_after_removal(6, true);
    assert_eq!(texts, ["first", "removed it"]);
}

/// What Bob shows when a message of a removed device reaches him after the list that names it no more.
fn late_message_after_removal(seed: u64, lost: bool) -> (Vec<String>, Vec<ListAlarm>) {
    let Scene {
        mut world,
        alice,
        second,
        bob,
    } = scene(seed);
    world.send(second, "bob", "first");
    world.send(bob, "alice", "noted");
    world.relay.refuse = vec![("/v1/bundles", 503, 1)];
    world.start(second, Command::text("bob", "late"));
    world.run();
    world.set_network(second, false);
    let bundle = world.client(second).bundles().pop().unwrap();
    world.relay.refuse.clear();
    remove(&mut world, alice, lost);
    world.send(alice, "bob", "removed it");
    let (source, bobs) = (address(&mut world, second), address(&mut world, bob));
    let part = bundle.recipient(bobs.account).unwrap();
    inject(&mut world, bob, part.messages.first().unwrap(), source);
    world.pass_ms(1_000);
    let mut texts = world.texts(bob, "alice");
    texts.retain(|text| text != "noted");
    (texts, alarms(&world, bob))
}

fn address(world: &mut World, of: ClientId) -> DeviceAddress {
    let Ok(Reply::Account(account)) = world.ask(of, Command::Account) else {
        unreachable!("it has an account");
    };
    DeviceAddress {
        account: account.id,
        device: account.device,
    }
}

fn inject(world: &mut World, to: ClientId, part: &DeviceMessage, source: DeviceAddress) {
    let envelope = Envelope {
        kind: part.kind,
        source,
        destination: None,
        client_timestamp: world.now,
        server_timestamp: world.now,
        guid: Some([77; 16]),
        urgent: true,
        certified: true,
        content: part.content.clone(),
    };
    world.inject(to, &[envelope]);
    world.run();
}

#[test]
fn a_device_that_the_relay_invents_gets_nothing_and_is_told_of() {
    let Scene {
        mut world,
        alice,
        second,
        bob,
    } = scene(7);
    world.relay.lie = Some(("/v2/keys/", with_a_ghost));
    world.send(bob, "alice", "to the real ones");
    assert_eq!(world.texts(alice, "bob"), ["to the real ones"]);
    assert_eq!(world.texts(second, "bob"), ["to the real ones"]);
    assert!(alarms(&world, bob).contains(&ListAlarm::Ghost));
    let bundles = world.client(bob).bundles();
    let parts = bundles.iter().flat_map(|bundle| &bundle.recipients);
    let devices = parts
        .flat_map(|of| &of.messages)
        .map(|part| u32::from(part.device));
    assert!(devices.into_iter().all(|device| device != 9));
}

/// A further device with the keys and the certificate of a real one.
fn with_a_ghost(body: &mut Vec<u8>) {
    let mut keys: PreKeyResponse = from_json(body).unwrap();
    let real = keys
        .devices
        .iter()
        .find(|device| device.certificate.is_some());
    let ghost = real.cloned().map(|real| DevicePreKeys {
        device_id: 9.try_into().unwrap(),
        ..real
    });
    keys.devices.extend(ghost);
    *body = to_json(&keys);
}

#[test]
fn a_device_whose_keys_the_relay_has_lied_about_is_written_to_again_a_day_later() {
    let Scene {
        mut world,
        alice,
        second,
        bob,
    } = scene(17);
    world.relay.lie = Some(("/v2/keys/", with_bad_certificates));
    world.send(bob, "alice", "one");
    world.relay.lie = None;
    world.send(bob, "alice", "two");
    assert_eq!(world.texts(alice, "bob"), ["one", "two"]);
    assert_eq!(
        world.texts(second, "bob"),
        Vec::<String>::new(),
        "nobody vouched for it"
    );
    for id in [alice, second, bob] {
        world.kill(id);
    }
    world.pass_ms(25 * 60 * 60 * 1000);
    for id in [alice, second, bob] {
        world.open(id);
    }
    world.pass_ms(60_000);
    world.send(bob, "alice", "three");
    assert!(world.texts(second, "bob").contains(&"three".to_owned()));
}

/// The keys of real devices with certificates that are none.
fn with_bad_certificates(body: &mut Vec<u8>) {
    let mut keys: PreKeyResponse = from_json(body).unwrap();
    for device in &mut keys.devices {
        device.certificate = device.certificate.as_ref().map(|_| Base64(vec![1]));
    }
    *body = to_json(&keys);
}

#[test]
fn two_lists_of_one_version_are_found_out_by_the_first_message() {
    let mut world = World::new(8);
    let alice = world.register("alice");
    let bob = world.register("bob");
    let (owner, _) = world.link(alice);
    // The relay says that it has taken Alice's list, and keeps it from everybody.
    world.relay.refuse = vec![("/v1/accounts/me/list", 200, 1)];
    let new = world.browser();
    let offer = world.offer(new);
    let link = Command::ApproveLink {
        uri: offer.uri,
        role: Role::Device,
    };
    world.start(alice, link);
    world.pass_ms(120_000);
    world.link_as(owner, Role::Device);
    world.send(owner, "bob", "hello");
    assert_eq!(world.texts(bob, "alice"), ["hello"]);
    assert!(alarms(&world, alice).contains(&ListAlarm::Forked));
}

#[test]
fn two_owners_who_change_the_list_at_once_lose_no_change() {
    let mut world = World::new(9);
    let alice = world.register("alice");
    let (owner, _) = world.link(alice);
    let (third, _) = world.link_as(alice, Role::Device);
    let new = world.browser();
    let offer = world.offer(new);
    let device = 3.try_into().unwrap();
    world.start(alice, Command::Unlink { device, lost: true });
    world.start(
        owner,
        Command::ApproveLink {
            uri: offer.uri,
            role: Role::Device,
        },
    );
    world.pass_ms(10_000);
    assert_eq!(world.client(third).state(), ClientState::Unlinked);
    assert_eq!(world.client(new).state(), ClientState::Ready);
    let bob = world.register("bob");
    world.send(bob, "alice", "to all");
    for of in [alice, owner, new] {
        assert_eq!(world.texts(of, "bob"), ["to all"]);
    }
}

#[test]
fn a_page_may_die_at_any_commit_of_linking_a_device_with_a_key_of_its_own() {
    for crash_at in 1..12 {
        for dies in [0, 1] {
            let mut world = World::new(100 + crash_at);
            let alice = world.register("alice");
            let bob = world.register("bob");
            let new = world.browser();
            let offer = world.offer(new);
            let victim = [alice, new][dies];
            world.crash_at(victim, crash_at, Crash::AfterWrite);
            let role = Role::Device;
            world.try_ask(
                alice,
                Command::ApproveLink {
                    uri: offer.uri,
                    role,
                },
            );
            world.pass_ms(5_000);
            world.crash_at(victim, u64::MAX, Crash::AfterWrite); // what did not happen by now does not
            for id in [alice, new] {
                world.wake(id);
            }
            world.pass_ms(120_000);
            let linked = match world.client(new).state() {
                ClientState::Ready => new,
                ClientState::New | ClientState::Unlinked => world.link_as(alice, role).0,
            };
            world.send(bob, "alice", "hello");
            world.send(linked, "bob", "hello yourself");
            for of in [alice, linked] {
                let texts = world.texts(of, "bob");
                assert_eq!(
                    texts,
                    ["hello", "hello yourself"],
                    "crash {crash_at} of {dies}"
                );
            }
        }
    }
}

#[test]
fn a_device_that_was_certified_and_never_came_is_in_the_list_no_more() {
    let Scene {
        mut world,
        alice,
        second,
        bob,
    } = scene(10);
    let new = world.browser();
    let offer = world.offer(new);
    world.kill(new);
    let role = Role::Device;
    let link = Command::ApproveLink {
        uri: offer.uri,
        role,
    };
    assert_eq!(world.try_ask(alice, link), Some(Err(Refusal::LinkExpired)));
    world.pass_ms(1_000);
    let of_alice = address(&mut world, alice).account;
    let list = world.relay.device_list(of_alice).unwrap();
    let devices: Vec<u32> = list
        .entries
        .iter()
        .map(|entry| entry.device.into())
        .collect();
    assert_eq!(devices, [2]);
    assert_eq!(list.version, 3, "named and taken back");
    world.send(bob, "alice", "hello");
    assert_eq!(world.texts(second, "bob"), ["hello"]);
}
