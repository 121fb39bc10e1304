//! Marks, and what a damaged or hostile message of a repair can do, which is nothing.
//! How devices come to agree is for the tests of the simulator.

use std::collections::VecDeque;

use futures_util::FutureExt;
use libsignal_protocol::IdentityKeyPair;
use proptest::prelude::*;
use prost::Message as _;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use wire::proto::archive::repair::{Gone, Group as ToldGroup, Groups, Items, Wanted};
use wire::proto::archive::{ArchivedConversation, ArchivedMessage, Repair as Told};
use wire::proto::service::{Content, Register};
use wire::{AccountId, DeviceId, MessageId};

use super::groups::{Group, list, mark_old, refresh, root};
use super::items::items;
use crate::error::Error;
use crate::input::Timestamp;
use crate::limits::{REPAIR_AGAIN_MAX, REPAIR_MS};
use crate::record::{
    AccountRecord, MessageRecord, OutboxRecord, Record, RegisterRecord, RepairRecord, key,
};
use crate::state::State;
use crate::store::memory::{Keep, MemoryStore, Snapshot};
use crate::store::{Store, Table};
use crate::thread;
use crate::thread::union::{Placed, unite};
use crate::tx::Tx;

const ALICE: AccountId = AccountId::from_bytes([1; 16]);
const BOB: AccountId = AccountId::from_bytes([2; 16]);
const NOW: u64 = 1_800_000_000_000;
const WEEK: u64 = 7 * 24 * 60 * 60 * 1000;

fn step<T>(store: &mut MemoryStore, step: impl AsyncFnOnce(&mut Tx<'_>) -> T) -> T {
    let mut tx = Tx::new(&*store, Timestamp(NOW));
    let result = step(&mut tx).now_or_never().unwrap();
    let (changes, _) = tx.finish();
    store.commit(&changes).now_or_never().unwrap().unwrap();
    result
}

fn write_message(tx: &mut Tx<'_>, n: u8, order: u64, text: &str) {
    let record = MessageRecord {
        author: BOB.as_bytes().to_vec(),
        author_device: 1,
        text: text.to_owned(),
        sent_at: order,
        status: 3, // received
        ..MessageRecord::default()
    };
    let id = MessageId::from_bytes([n; 16]);
    tx.put(&key::message(BOB, order, id), &record);
}

fn write_register(tx: &mut Tx<'_>, name: u8, value: u8) {
    let record = RegisterRecord {
        clock: NOW,
        value: vec![value],
        ..RegisterRecord::default()
    };
    tx.put(&[b"settings".as_slice(), &[0, name]].concat(), &record);
}

/// The root of a store, with all digests up to date.
fn root_of(store: &mut MemoryStore) -> [u8; 16] {
    for _ in 0..100 {
        if step(store, async |tx| refresh(tx).await.unwrap()) {
            return step(store, async |tx| {
                root(&list(tx, 0, &[], &[]).await.unwrap())
            });
        }
    }
    panic!("it takes for ever");
}

#[test]
fn stores_have_one_root_exactly_if_they_hold_the_same() {
    let (mut one, mut other) = (MemoryStore::new(), MemoryStore::new());
    assert_eq!(root_of(&mut one), root_of(&mut other));
    for n in 0..100 {
        step(&mut one, async |tx| {
            write_message(tx, n, NOW - u64::from(n) * WEEK, "hello");
            write_register(tx, n, 1);
        });
    }
    step(&mut other, async |tx| {
        for n in (0..100).rev() {
            write_message(tx, n, NOW - u64::from(n) * WEEK, "hello");
            write_register(tx, n, 1);
        }
    });
    let same = root_of(&mut one);
    assert_eq!(same, root_of(&mut other));
    step(&mut one, async |tx| {
        write_message(tx, 9, NOW - 9 * WEEK, "other")
    });
    assert_ne!(same, root_of(&mut one));
    step(&mut one, async |tx| {
        write_message(tx, 9, NOW - 9 * WEEK, "hello")
    });
    assert_eq!(same, root_of(&mut one));
    step(&mut one, async |tx| write_register(tx, 9, 2));
    assert_ne!(same, root_of(&mut one));
    step(&mut one, async |tx| write_register(tx, 9, 1));
    step(&mut one, async |tx| {
        let place = key::message(BOB, NOW, MessageId::from_bytes([0; 16]));
        tx.delete(Table::Messages, &place);
    });
    assert_ne!(same, root_of(&mut one));
}

#[test]
fn a_store_without_digests_gets_the_same_ones_from_what_it_holds() {
    let mut store = MemoryStore::new();
    step(&mut store, async |tx| {
        for n in 0..100 {
            write_message(tx, n, NOW - u64::from(n) * WEEK, "hello");
            write_register(tx, n, 1);
        }
    });
    let before = root_of(&mut store);
    store.edit(Table::Digests, |_, _| Keep::No);
    let mut from = Vec::new();
    for steps in 0.. {
        let ended = step(&mut store, async |tx| mark_old(tx, &from).await.unwrap());
        match ended {
            Some(ended) => from = ended,
            None if steps > 1 => break,
            None => panic!("all in {steps} steps"),
        }
    }
    assert_eq!(before, root_of(&mut store));
}

#[test]
fn messages_from_before_the_floor_are_in_no_digest() {
    let mut store = MemoryStore::new();
    let floor = NOW - WEEK / 2;
    step(&mut store, async |tx| {
        write_message(tx, 1, floor - 1, "before");
        write_message(tx, 2, floor, "after");
    });
    root_of(&mut store);
    let mut other = MemoryStore::new();
    step(&mut other, async |tx| write_message(tx, 2, floor, "after"));
    root_of(&mut other);
    let above = |store: &mut MemoryStore| {
        step(store, async |tx| {
            root(&list(tx, floor, &[], &[]).await.unwrap())
        })
    };
    assert_eq!(above(&mut store), above(&mut other));
    let group = Group::Messages(BOB, floor >> 29);
    let (all, _) = step(&mut store, async |tx| {
        items(tx, &group, floor).await.unwrap()
    });
    assert!(all.iter().all(|item| item.id == [2; 16]));
}

#[test]
fn every_key_of_a_group_is_read_back_and_nothing_else_is_one() {
    let groups = [
        Group::Messages(BOB, NOW >> 29),
        Group::Registers(b"settings".to_vec()),
        Group::Conversations,
    ];
    for group in groups {
        assert_eq!(Group::from_key(&group.key()), Some(group));
    }
    let endless = Group::Messages(BOB, u64::MAX).key();
    for key in [&b""[..], b"x", b"m", b"cc", &endless] {
        assert_eq!(Group::from_key(key), None);
    }
}

/// A device of Alice's, as much of it as compares.
struct Device {
    store: MemoryStore,
    state: State,
}

impl Device {
    fn new(number: u32) -> Self {
        let mut store = MemoryStore::new();
        let mut rng = ChaCha20Rng::from_seed([7; 32]);
        let account = AccountRecord {
            account: ALICE.as_bytes().to_vec(),
            device: number,
            registration_id: number,
            identity: IdentityKeyPair::generate(&mut rng).serialize().to_vec(),
            handle: "alice".to_owned(),
            history_from: Some(0),
            ..AccountRecord::default()
        };
        step(&mut store, async |tx| tx.put(key::ACCOUNT, &account));
        let mut tx = Tx::new(&store, Timestamp(NOW));
        let state = State::read(&mut tx, [1; 32]);
        let state = state.now_or_never().unwrap().unwrap();
        Self { store, state }
    }

    fn number(&self) -> DeviceId {
        self.state.account.as_ref().unwrap().address.device
    }

    /// A step, and what it tells others.
    fn step(
        &mut self,
        act: impl AsyncFnOnce(&mut State, &mut Tx<'_>) -> Result<(), Error>,
    ) -> Vec<Told> {
        root_of(&mut self.store); // digests are up to date before anything is compared
        let Self { store, state } = self;
        step(store, async |tx| act(state, tx).await.unwrap());
        let told = store.snapshot();
        let told = told.rows(Table::Outbox).map(|(_, bytes)| {
            let entry = OutboxRecord::read(bytes).unwrap();
            let content = Content::decode(entry.transcript.as_slice()).unwrap();
            let bytes = content.sync_message.unwrap().repair.unwrap();
            assert!(bytes.len() < 80 * 1024, "{} bytes", bytes.len());
            Told::decode(bytes.as_slice()).unwrap()
        });
        let told = told.collect();
        store.edit(Table::Outbox, |_, _| Keep::No);
        told
    }

    fn hear(&mut self, from: DeviceId, told: Told) -> Vec<Told> {
        self.step(async |state, tx| state.answer_repair(tx, from, told).await)
    }

    /// All that devices agree on.
    fn holds(&self) -> Snapshot {
        self.store.snapshot().only(&[
            Table::Messages,
            Table::MessageIndex,
            Table::Conversations,
            Table::Registers,
        ])
    }

    fn root(&mut self) -> [u8; 16] {
        root_of(&mut self.store)
    }

    fn write(&mut self, act: impl AsyncFnOnce(&mut Tx<'_>)) {
        step(&mut self.store, act);
    }
}

/// One device begins; both say what they have to say. Gives how many messages that took.
fn compare(one: &mut Device, other: &mut Device) -> usize {
    let begun = one.step(async |state, tx| state.begin_repair(tx).await);
    let mut told: VecDeque<(bool, Told)> = begun.into_iter().map(|told| (true, told)).collect();
    let mut count = 0;
    while let Some((is_of_one, message)) = told.pop_front() {
        count += 1;
        assert!(count < 500, "they talk for ever");
        let (from, to) = if is_of_one {
            (one.number(), &mut *other)
        } else {
            (other.number(), &mut *one)
        };
        let answers = to.hear(from, message);
        told.extend(answers.into_iter().map(|told| (!is_of_one, told)));
    }
    count
}

/// What a device knows of message `n`: nothing, that it has gone, or one of its texts.
fn know(device: &mut Device, n: u8, what: u8) {
    let order = NOW - u64::from(n / 3) * WEEK - u64::from(n);
    let id = MessageId::from_bytes([n; 16]);
    device.write(async |tx| match what {
        0 => {}
        1 => thread::remove(tx, BOB, id).await.unwrap(),
        text => {
            let record = MessageRecord {
                author: BOB.as_bytes().to_vec(),
                author_device: 1,
                text: format!("text {text}"),
                sent_at: order,
                status: 3,
                ..MessageRecord::default()
            };
            let placed = Placed {
                id,
                conversation: BOB,
                order,
                record,
            };
            unite(tx, placed, &[]).await.unwrap();
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn two_devices_that_differ_in_anything_end_alike_whoever_begins(
        messages in prop::collection::vec((0..4_u8, 0..4_u8), 0..24),
        registers in prop::collection::vec((0..3_u8, 0..3_u8), 0..6),
        first_begins in any::<bool>(),
    ) {
        let (mut one, mut other) = (Device::new(1), Device::new(2));
        for (n, (here, there)) in (0..).zip(messages) {
            know(&mut one, n, here);
            know(&mut other, n, there);
        }
        for (name, (here, there)) in (0..).zip(registers) {
            if here > 0 {
                one.write(async |tx| write_register(tx, name, here));
            }
            if there > 0 {
                other.write(async |tx| write_register(tx, name, there));
            }
        }
        if first_begins {
            compare(&mut one, &mut other);
        } else {
            compare(&mut other, &mut one);
        }
        prop_assert_eq!(one.root(), other.root());
        prop_assert_eq!(compare(&mut one, &mut other), 1);
        prop_assert_eq!(compare(&mut other, &mut one), 1);
    }
}

#[test]
fn much_that_is_missing_comes_in_turns_of_bounded_size() {
    let (mut one, mut other) = (Device::new(1), Device::new(2));
    let long = "long ".repeat(1000);
    one.write(async |tx| {
        for n in 0..500_u64 {
            let record = MessageRecord {
                author: BOB.as_bytes().to_vec(),
                author_device: 1,
                text: long.clone(),
                sent_at: NOW - n,
                status: 3,
                ..MessageRecord::default()
            };
            let id = MessageId::from_bytes(u128::from(n).to_be_bytes());
            tx.put(&key::message(BOB, NOW - n, id), &record);
        }
    });
    let mut turns = 0;
    loop {
        turns += 1;
        compare(&mut other, &mut one);
        let RepairRecord {
            again, again_at, ..
        } = other.state.repair.record;
        assert_eq!(again_at != 0, one.root() != other.root(), "turn {turns}");
        assert!(again <= REPAIR_AGAIN_MAX);
        if again_at == 0 {
            break;
        }
    }
    assert!((3..10).contains(&turns), "{turns} turns");
}

#[test]
fn devices_that_cannot_agree_stop_until_the_next_day() {
    let (mut one, mut other) = (Device::new(1), Device::new(2));
    // Nobody takes a message from so far ahead.
    let ahead = NOW + WEEK;
    one.write(async |tx| write_message(tx, 1, ahead, "from the future"));
    let messages = compare(&mut one, &mut other);
    assert!(messages < 10, "{messages} messages");
    assert_ne!(one.root(), other.root());
    assert_eq!(one.state.repair.record.again_at, 0);
    assert!(one.state.repair.record.daily_at >= NOW + REPAIR_MS);
    compare(&mut other, &mut one);
    assert_eq!(other.state.repair.record.again_at, 0);
}

/// What nobody honest sends.
fn hostile() -> Vec<Told> {
    let endless = Group::Messages(BOB, u64::MAX >> 29).key();
    let group = Group::Messages(BOB, NOW >> 29).key();
    let all = |group: &[u8]| Items {
        group: group.to_vec(),
        from: vec![0; 16],
        to: vec![0xFF; 16],
        entries: vec![7; 33],
    };
    let backwards = Groups {
        from: vec![0xFF],
        to: vec![1],
        groups: vec![
            ToldGroup::default(),
            ToldGroup {
                key: vec![0xFF, 0xFF],
                digest: Vec::new(),
            },
        ],
    };
    vec![
        Told {
            root: vec![1],
            floor: u64::MAX,
            ..Told::default()
        },
        Told {
            groups: Some(backwards),
            items: vec![all(&endless), all(&group), all(b"?"), Items::default()],
            wanted: vec![
                Wanted::default(),
                Wanted {
                    group: endless,
                    ids: vec![1; 17],
                },
            ],
            gone: vec![
                Gone::default(),
                Gone {
                    conversation: BOB.as_bytes().to_vec(),
                    ids: vec![1; 15],
                },
            ],
            messages: vec![ArchivedMessage::default()],
            conversations: vec![ArchivedConversation::default()],
            registers: vec![Register::default()],
            more: true,
            ..Told::default()
        },
    ]
}

#[test]
fn a_hostile_or_damaged_message_changes_nothing() {
    let (mut one, mut other) = (Device::new(1), Device::new(2));
    for n in 1..5 {
        know(&mut one, n, 2);
        one.write(async |tx| write_register(tx, n, 1));
    }
    let before = one.holds();
    let from = other.number();
    for told in hostile() {
        one.hear(from, told);
        assert!(one.holds() == before);
    }
    // What is cut short brings a part of what the whole brings, or nothing.
    know(&mut other, 9, 2);
    other.write(async |tx| write_register(tx, 9, 1));
    let groups = one.step(async |state, tx| state.begin_repair(tx).await);
    let groups = groups
        .into_iter()
        .flat_map(|told| other.hear(DeviceId::PRIMARY, told));
    let groups: Vec<Told> = groups.collect();
    let items = groups.into_iter().flat_map(|told| one.hear(from, told));
    let items: Vec<Told> = items.collect();
    let pieces = items
        .into_iter()
        .flat_map(|told| other.hear(DeviceId::PRIMARY, told));
    let pieces: Vec<Told> = pieces.collect();
    assert_eq!(pieces.len(), 1);
    let whole = pieces[0].encode_to_vec();
    let after = |bytes: &[u8]| -> Option<Snapshot> {
        let told = Told::decode(bytes).ok()?;
        let mut one = Device::new(1);
        one.store.restore(&before);
        one.hear(from, told);
        Some(one.holds())
    };
    let all = after(&whole).unwrap();
    assert!(all != before);
    for len in 0..whole.len() {
        let Some(cut) = after(&whole[..len]) else {
            continue;
        };
        for table in [Table::Messages, Table::Registers] {
            for row in cut.rows(table) {
                assert!(all.rows(table).any(|known| known == row), "cut at {len}");
            }
        }
    }
}
