//! Whatever peers send, in whatever order: no panic, no key twice, and both stores say the same.
//! Random requests and random bytes, on the memory store and on SQLite side by side.

use std::collections::BTreeSet;

use proptest::prelude::*;
use wire::Recovery;
use wire::body::{PreKeyResponse, from_json, to_json};
use wire::{AccountId, DeviceId, Endpoint, Frame};

use super::Answer;
use super::testing::person::Person;
use super::testing::{Bench, Device, bench, bundle};
use crate::store::Store;
use crate::store::memory::MemoryStore;
use crate::store::sqlite::SqliteStore;

/// What one of two people with up to three devices does.
#[derive(Clone, Debug)]
enum Step {
    Link {
        person: usize,
    },
    Remove {
        person: usize,
        device: u32,
    },
    PutKeys {
        person: usize,
        device: usize,
        count: usize,
    },
    FetchKeys {
        by: usize,
        of: usize,
    },
    Send {
        by: usize,
        device: usize,
        id: u8,
        forget: bool,
    },
    AckFirst {
        person: usize,
        device: usize,
    },
    Later {
        ms: u64,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let (person, device) = (0..2_usize, 0..3_usize);
    prop_oneof![
        person.clone().prop_map(|person| Step::Link { person }),
        (person.clone(), 1..4_u32).prop_map(|(person, device)| Step::Remove { person, device }),
        (person.clone(), device.clone(), 0..4_usize).prop_map(|(person, device, count)| {
            Step::PutKeys {
                person,
                device,
                count,
            }
        }),
        (person.clone(), person.clone()).prop_map(|(by, of)| Step::FetchKeys { by, of }),
        (person.clone(), device.clone(), 0..8_u8, any::<bool>()).prop_map(
            |(by, device, id, forget)| Step::Send {
                by,
                device,
                id,
                forget
            }
        ),
        (person, device).prop_map(|(person, device)| Step::AckFirst { person, device }),
        (0..100_000_u64).prop_map(|ms| Step::Later { ms }),
    ]
}

struct World<S> {
    bench: Bench<S>,
    people: [Person; 2],
    devices: [Vec<Device>; 2],
    handed_out: BTreeSet<(AccountId, DeviceId, Vec<u8>)>,
}

impl<S: Store> World<S> {
    fn new(store: S) -> Self {
        let mut bench = Bench::on(store);
        let mut people = [Person::new("alice", 1), Person::new("bob", 2)];
        let [alice, bob] = &mut people;
        let devices = [(alice, 1), (bob, 2)].map(|(person, n)| vec![bench.register(person, n)]);
        Self {
            bench,
            people,
            devices,
            handed_out: BTreeSet::new(),
        }
    }

    fn device(&self, person: usize, device: usize) -> Device {
        let all = &self.devices[person];
        all[device % all.len()]
    }

    fn take(&mut self, step: &Step) -> Option<Answer> {
        match *step {
            Step::Link { person } if self.devices[person].len() < 3 => {
                let primary = self.device(person, 0);
                let registration_id = u32::try_from(self.bench.now % 0x3FFF).unwrap() + 1;
                let people = &mut self.people[person];
                let new = self.bench.link(people, &primary, registration_id);
                self.devices[person].push(new);
                None
            }
            Step::Link { .. } => None,
            Step::Remove { person, device } => {
                let by = self.device(person, 0);
                let id = device.try_into().unwrap();
                let answer = self.bench.ask(&by, Endpoint::RemoveDevice(id), &[]);
                if answer.status == 204 {
                    self.devices[person].retain(|d| d.caller.address.device != id);
                }
                Some(answer)
            }
            Step::PutKeys {
                person,
                device,
                count,
            } => {
                let by = self.device(person, device);
                let keys = to_json(&self.people[person].one_time_keys(count));
                Some(self.bench.ask(&by, Endpoint::PutKeys, &keys))
            }
            Step::FetchKeys { by, of } => Some(self.fetch(by, of)),
            Step::Send {
                by,
                device,
                id,
                forget,
            } => {
                let sender = self.device(by, device);
                let all: Vec<_> = self.devices.iter().flatten().copied().collect();
                let others = all.iter().filter(|other| **other != sender);
                let to: Vec<_> = others.skip(usize::from(forget)).collect();
                let bundle = bundle(id, &to, &[id]).encode();
                Some(self.bench.ask(&sender, Endpoint::Bundles, &bundle))
            }
            Step::AckFirst { person, device } => {
                let of = self.device(person, device);
                let first = self.bench.page(&of).mail.first()?.seq;
                let mailbox = of.caller.address;
                self.bench
                    .in_transaction(|tx| super::mailbox::ack(tx, mailbox, first));
                None
            }
            Step::Later { ms } => {
                self.bench.now += ms;
                None
            }
        }
    }

    fn fetch(&mut self, by: usize, of: usize) -> Answer {
        let asking = self.device(by, 0);
        let account = self.device(of, 0).account();
        let endpoint = Endpoint::Keys {
            account,
            device: None,
        };
        let answer = self.bench.ask(&asking, endpoint, &[]);
        if answer.status == 200 {
            let bundles: PreKeyResponse = from_json(&answer.body).unwrap();
            for device in bundles.devices {
                if let Some(key) = device.pre_key {
                    let key = (account, device.device_id, key.public_key.0);
                    assert!(self.handed_out.insert(key), "a key came twice");
                }
            }
        }
        answer
    }

    /// The row of each mailbox counts what is in it.
    fn check(&mut self) {
        for device in self.devices.iter().flatten().copied().collect::<Vec<_>>() {
            let page = self.bench.page(&device);
            let row = self.bench.store.mailbox(device.caller.address).unwrap();
            let bytes: usize = page.mail.iter().map(|mail| mail.envelope.len()).sum();
            assert_eq!(
                (row.envelopes, row.bytes),
                (page.mail.len() as u64, bytes as u64)
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn no_one_time_key_comes_twice_and_both_stores_say_the_same(
        steps in prop::collection::vec(step(), 1..40),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let sqlite = SqliteStore::open(&folder.path().join("relay.db")).unwrap();
        let (mut in_memory, mut on_disk) = (World::new(MemoryStore::new()), World::new(sqlite));
        for step in &steps {
            prop_assert_eq!(in_memory.take(step), on_disk.take(step));
        }
        in_memory.check();
        on_disk.check();
    }
}

proptest! {
    #[test]
    fn no_bytes_make_a_request_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        which in 0..20_usize,
    ) {
        drop(Frame::decode(&bytes));
        let mut bench = bench();
        let device = bench.register(&mut Person::new("alice", 1), 1);
        let account = device.account();
        let endpoints = [
            Endpoint::Register, Endpoint::LinkDevice, Endpoint::PutKeys, Endpoint::Bundles,
            Endpoint::Messages(account), Endpoint::DeviceCapabilities, Endpoint::LinkToken,
            Endpoint::Provision { address: "x".to_owned() }, Endpoint::Devices, Endpoint::KeyCounts,
            Endpoint::Keys { account, device: None }, Endpoint::RemoveDevice(DeviceId::PRIMARY),
            Endpoint::WaitForLinkedDevice { token_identifier: "x".to_owned(), timeout_s: 0 },
            Endpoint::KeepAlive, Endpoint::Fence, Endpoint::DeleteAccount,
            Endpoint::Recovery(Recovery::Status), Endpoint::Recovery(Recovery::Put),
            Endpoint::Recovery(Recovery::Open), Endpoint::Recovery(Recovery::Device),
        ];
        let header = String::from_utf8_lossy(&bytes).into_owned();
        drop(super::auth::authenticate(&mut bench.store, &header));
        bench.ask(&device, endpoints[which].clone(), &bytes);
        bench.ask_with(None, endpoints[which].clone(), &bytes, Some(header));
    }
}
