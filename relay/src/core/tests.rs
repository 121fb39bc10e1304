//! The rules, one claim a test, on the memory store.
//! What is sent has a file of its own.

use wire::body::{
    AccountInfo, Base64, Devices, KeyCounts, MessagesSent, MismatchedDevices, PreKeyResponse,
    Refusal, StaleDevices, from_json, to_json,
};
use wire::bundle::{AccountMismatch, Bundle, BundleAccepted};
use wire::{AccountId, DeviceId, Endpoint, Recovery};

use super::mailbox::{ack, sweep};
use super::quota::Quota;
use super::testing::person::Person;
use super::testing::{Bench, Device, bench, bundle};
use super::{Answer, Effect};
use crate::limits::{
    BUNDLE_REMEMBERED_MS, LINK_TOKEN_MS, MAIL_KEPT_MS, MAILBOX_ENVELOPES_MAX, ONLINE_MAIL_KEPT_MS,
};
use crate::store::memory::MemoryStore;
use crate::store::{KeyKind, MailboxRow, Read as _};

mod blobs;
mod lists;
mod racing;
mod recovery;
mod removal;
mod rendezvous;
mod sending;

/// Alice with two devices, Bob with two.
struct Scene {
    bench: Bench<MemoryStore>,
    alice: Person,
    bob: Person,
    a1: Device,
    a2: Device,
    b1: Device,
    b2: Device,
}

fn scene() -> Scene {
    let mut bench = bench();
    let (mut alice, mut bob) = (Person::new("alice", 1), Person::new("bob", 2));
    let a1 = bench.register(&mut alice, 11);
    let a2 = bench.link(&mut alice, &a1, 12);
    let b1 = bench.register(&mut bob, 21);
    let b2 = bench.link(&mut bob, &b1, 22);
    Scene {
        bench,
        alice,
        bob,
        a1,
        a2,
        b1,
        b2,
    }
}

impl Scene {
    fn send(&mut self, by: Device, bundle: &Bundle) -> Answer {
        self.bench.ask(&by, Endpoint::Bundles, &bundle.encode())
    }

    fn everything_waiting(&mut self) -> usize {
        let all = [self.a1, self.a2, self.b1, self.b2];
        all.iter().map(|device| self.bench.mail(device).len()).sum()
    }
}

fn code(answer: &Answer) -> String {
    from_json::<Refusal>(&answer.body).unwrap().code
}

fn id(n: u32) -> DeviceId {
    n.try_into().unwrap()
}

mod registration {
    use super::*;

    #[test]
    fn the_same_registration_again_gives_the_same_account() {
        let mut bench = bench();
        let mut alice = Person::new("alice", 1);
        let first = bench.register(&mut alice, 11);
        let again = bench.register(&mut alice, 11);
        assert_eq!(first, again);
    }

    #[test]
    fn a_taken_handle_is_refused_and_stays_with_its_owner() {
        let mut bench = bench();
        let first = bench.register(&mut Person::new("alice", 1), 11);
        let body = to_json(&Person::new("alice", 2).register(12));
        let answer = bench.stranger(Endpoint::Register, &body);
        assert_eq!(
            (answer.status, code(&answer).as_str()),
            (409, "handle_taken")
        );
        let who = bench.ask(&first, Endpoint::WhoAmI, &[]);
        let who: AccountInfo = from_json(&who.body).unwrap();
        assert_eq!(who.uuid, first.account());
    }

    #[test]
    fn a_registration_without_the_private_key_is_refused() {
        let mut bench = bench();
        let mut alice = Person::new("alice", 1);
        let mut foreign_proof = alice.register(1);
        foreign_proof.password = "another long password".to_owned();
        let mut foreign_key = alice.register(1);
        foreign_key.aci_signed_pre_key = Person::new("bob", 2).signed_ec();
        let mut long_key = alice.register(1);
        long_key.identity_key.0.push(0);
        let mut low_order = alice.register(1);
        low_order.identity_key = Base64([&[5][..], &[0; 32]].concat());
        let mut not_kyber = alice.register(1);
        not_kyber.aci_pq_last_resort_pre_key = alice.signed_ec();
        let mut short = Person::new("alice", 3);
        short.password = "short".to_owned();
        for request in [
            foreign_proof,
            foreign_key,
            long_key,
            low_order,
            not_kyber,
            short.register(1),
        ] {
            let answer = bench.stranger(Endpoint::Register, &to_json(&request));
            assert_eq!(answer.status, 422);
        }
        assert!(
            bench
                .store
                .account_by_handle(&"alice".parse().unwrap())
                .unwrap()
                .is_none()
        );
    }
}

mod linking {
    use super::*;

    #[test]
    fn a_token_makes_one_device_and_answers_it_again() {
        let Scene {
            mut bench,
            mut alice,
            a1,
            ..
        } = scene();
        let token = bench.token(&a1);
        let waiting = Endpoint::WaitForLinkedDevice {
            token_identifier: token.token_identifier.clone(),
            timeout_s: 30,
        };
        assert_eq!(bench.ask(&a1, waiting.clone(), &[]).status, 204);
        let first = bench.link_with(&mut alice, &token, 13, "the password of it");
        assert_eq!(first.status, 200);
        assert_eq!(
            first.effects,
            [Effect::Linked(token.token_identifier.clone())]
        );
        let again = bench.link_with(&mut alice, &token, 13, "the password of it");
        assert_eq!((again.status, &again.body), (200, &first.body));
        let other = bench.link_with(&mut alice, &token, 13, "a password not of it");
        assert_eq!(
            (other.status, code(&other).as_str()),
            (403, "token_expired")
        );
        let other = bench.link_with(&mut alice, &token, 14, "the password of it");
        assert_eq!(other.status, 403);
        assert_eq!(bench.ask(&a1, waiting, &[]).status, 200);
    }

    #[test]
    fn a_token_is_good_for_ten_minutes() {
        let Scene {
            mut bench,
            mut alice,
            a1,
            ..
        } = scene();
        let token = bench.token(&a1);
        bench.now += LINK_TOKEN_MS;
        let answer = bench.link_with(&mut alice, &token, 13, "the password of it");
        assert_eq!(
            (answer.status, code(&answer).as_str()),
            (403, "token_expired")
        );
    }

    #[test]
    fn the_limit_of_devices_is_said_at_token_and_at_link() {
        let Scene {
            mut bench,
            mut alice,
            a1,
            ..
        } = scene();
        let early = bench.token(&a1);
        bench.core.devices_max = 2;
        let limit = br#"{"current":2,"max":2}"#;
        let answer = bench.ask(&a1, Endpoint::LinkToken, &[]);
        assert_eq!((answer.status, answer.body.as_slice()), (411, &limit[..]));
        let answer = bench.link_with(&mut alice, &early, 13, "the password of it");
        assert_eq!((answer.status, answer.body.as_slice()), (411, &limit[..]));
    }

    #[test]
    fn a_device_that_gets_a_free_id_finds_it_empty() {
        let mut scene = scene();
        let keys = to_json(&scene.alice.one_time_keys(3));
        scene.bench.ask(&scene.a2, Endpoint::PutKeys, &keys);
        let to_all = bundle(1, &[&scene.b2, &scene.a1, &scene.a2], b"x");
        assert_eq!(scene.send(scene.b1, &to_all).status, 200);
        let gone = Endpoint::RemoveDevice(id(2));
        let removed = scene.bench.ask(&scene.a1, gone, &[]);
        assert_eq!(removed.effects, [Effect::Removed(scene.a2.caller.address)]);
        let mut new = scene.bench.link(&mut scene.alice, &scene.a1, 19);
        while new.caller.address != scene.a2.caller.address {
            let leaves = Endpoint::RemoveDevice(new.caller.address.device);
            assert_eq!(scene.bench.ask(&new, leaves, &[]).status, 204);
            new = scene.bench.link(&mut scene.alice, &scene.a1, 19);
        }
        assert_eq!(scene.bench.mail(&new), []);
        let counts = scene.bench.ask(&new, Endpoint::KeyCounts, &[]);
        let counts: KeyCounts = from_json(&counts.body).unwrap();
        assert_eq!((counts.count, counts.pq_count), (0, 0));
        let old = scene.bench.ask(&scene.a2, Endpoint::WhoAmI, &[]);
        assert_eq!(old.status, 401, "the earlier holder of the id stays out");
    }

    #[test]
    fn a_foreign_signature_links_nothing() {
        let Scene { mut bench, a1, .. } = scene();
        let token = bench.token(&a1);
        let mut mallory = Person::new("mallory", 3);
        let answer = bench.link_with(&mut mallory, &token, 13, "the password of it");
        assert_eq!(answer.status, 422);
        let devices = bench.ask(&a1, Endpoint::Devices, &[]);
        let devices: Devices = from_json(&devices.body).unwrap();
        assert_eq!(devices.devices.len(), 2);
    }
}

mod devices {
    use super::*;

    #[test]
    fn nothing_protected_is_answered_to_a_stranger() {
        let Scene { mut bench, a1, .. } = scene();
        let account = a1.account();
        for endpoint in [
            Endpoint::WhoAmI,
            Endpoint::AccountByHandle("alice".parse().unwrap()),
            Endpoint::Account(account),
            Endpoint::LinkToken,
            Endpoint::Devices,
            Endpoint::RemoveDevice(id(2)),
            Endpoint::DeleteAccount,
            Endpoint::Fence,
            Endpoint::Recovery(Recovery::Status),
            Endpoint::Recovery(Recovery::Put),
            Endpoint::DeviceCapabilities,
            Endpoint::PutKeys,
            Endpoint::KeyCounts,
            Endpoint::Keys {
                account,
                device: None,
            },
            Endpoint::Messages(account),
            Endpoint::Bundles,
            Endpoint::DeclineProvision {
                address: "x".to_owned(),
            },
        ] {
            assert_eq!(bench.stranger(endpoint, &[]).status, 401);
        }
        assert_eq!(bench.stranger(Endpoint::Capabilities, &[]).status, 200);
        assert_eq!(bench.stranger(Endpoint::KeepAlive, &[]).status, 200);
    }

    #[test]
    fn accounts_are_found_by_handle_and_by_id() {
        let Scene {
            mut bench, a1, b1, ..
        } = scene();
        let found = bench.ask(&a1, Endpoint::AccountByHandle("BOB".parse().unwrap()), &[]);
        let found: AccountInfo = from_json(&found.body).unwrap();
        assert_eq!((found.uuid, found.device_id), (b1.account(), None));
        let found = bench.ask(&a1, Endpoint::Account(b1.account()), &[]);
        let found: AccountInfo = from_json(&found.body).unwrap();
        assert_eq!(found.handle.as_str(), "bob");
        let nobody = Endpoint::AccountByHandle("nobody".parse().unwrap());
        assert_eq!(bench.ask(&a1, nobody, &[]).status, 404);
    }

    #[test]
    fn sends_and_handles_asked_for_are_counted_for_each_device() {
        let Scene {
            mut bench, a1, a2, ..
        } = scene();
        bench.quota = Quota::new();
        let find = || Endpoint::AccountByHandle("bob".parse().unwrap());
        for _ in 0..60 {
            assert_eq!(bench.ask(&a1, find(), &[]).status, 200);
        }
        assert_eq!(bench.ask(&a1, find(), &[]).status, 429);
        assert_eq!(bench.ask(&a2, find(), &[]).status, 200);
        let note = bundle(1, &[&a2], b"note").encode();
        for _ in 0..1_000 {
            assert_eq!(bench.ask(&a1, Endpoint::Bundles, &note).status, 200);
        }
        let answer = bench.ask(&a1, Endpoint::Bundles, &note);
        assert_eq!(answer.status, 429);
    }
}

mod keys {
    use super::*;

    fn fetch(scene: &mut Scene, by: Device, of: Device, device: Option<DeviceId>) -> Answer {
        let endpoint = Endpoint::Keys {
            account: of.account(),
            device,
        };
        scene.bench.ask(&by, endpoint, &[])
    }

    #[test]
    fn each_one_time_key_is_handed_out_once_and_then_the_last_resort() {
        let mut scene = scene();
        let keys = scene.bob.one_time_keys(2);
        let answer = scene
            .bench
            .ask(&scene.b1, Endpoint::PutKeys, &to_json(&keys));
        assert_eq!(answer.status, 204);
        let mut seen = Vec::new();
        let (a1, b1) = (scene.a1, scene.b1);
        for _ in 0..3 {
            let answer = fetch(&mut scene, a1, b1, Some(id(1)));
            let answer: PreKeyResponse = from_json(&answer.body).unwrap();
            let [device] = &answer.devices[..] else {
                panic!("one device");
            };
            seen.push((device.pre_key.clone(), device.pq_pre_key.clone()));
        }
        assert_eq!(
            seen[0],
            (Some(keys.pre_keys[0].clone()), keys.pq_pre_keys[0].clone())
        );
        assert_eq!(
            seen[1],
            (Some(keys.pre_keys[1].clone()), keys.pq_pre_keys[1].clone())
        );
        assert_eq!(seen[2].0, None);
        assert!(!keys.pq_pre_keys.contains(&seen[2].1), "the last resort");
    }

    #[test]
    fn one_fetch_brings_all_devices_but_the_asking_one() {
        let mut scene = scene();
        let ids = |answer: Answer| {
            let answer: PreKeyResponse = from_json(&answer.body).unwrap();
            let ids = answer.devices.iter().map(|d| u32::from(d.device_id));
            ids.collect::<Vec<_>>()
        };
        let (a1, a2, b1) = (scene.a1, scene.a2, scene.b1);
        assert_eq!(ids(fetch(&mut scene, a1, b1, None)), [1, 2]);
        assert_eq!(ids(fetch(&mut scene, a1, a1, None)), [2]);
        assert_eq!(ids(fetch(&mut scene, a2, a1, None)), [1]);
        assert_eq!(fetch(&mut scene, a1, b1, Some(id(9))).status, 404);
        let nobody = Endpoint::Keys {
            account: AccountId::from_bytes([9; 16]),
            device: None,
        };
        assert_eq!(scene.bench.ask(&a1, nobody, &[]).status, 404);
    }

    #[test]
    fn an_upload_replaces_what_it_names_and_no_more() {
        let mut scene = scene();
        let by = scene.b1;
        let counts = |scene: &mut Scene| {
            let answer = scene.bench.ask(&by, Endpoint::KeyCounts, &[]);
            let counts: KeyCounts = from_json(&answer.body).unwrap();
            (counts.count, counts.pq_count)
        };
        let keys = to_json(&scene.bob.one_time_keys(5));
        scene.bench.ask(&by, Endpoint::PutKeys, &keys);
        assert_eq!(counts(&mut scene), (5, 5));
        let mut only_ec = scene.bob.one_time_keys(2);
        only_ec.pq_pre_keys.clear();
        scene.bench.ask(&by, Endpoint::PutKeys, &to_json(&only_ec));
        assert_eq!(counts(&mut scene), (2, 5));
        let mut bad = scene.bob.one_time_keys(3);
        bad.pq_pre_keys[2] = Person::new("mallory", 4).kyber();
        let answer = scene.bench.ask(&by, Endpoint::PutKeys, &to_json(&bad));
        assert_eq!((answer.status, counts(&mut scene)), (422, (2, 5)));
        let twice = [only_ec.pre_keys[0].clone(), only_ec.pre_keys[0].clone()];
        only_ec.pre_keys = twice.to_vec();
        let answer = scene.bench.ask(&by, Endpoint::PutKeys, &to_json(&only_ec));
        assert_eq!(answer.status, 422);
    }
}
