//! Archives between stores: in whatever parts and order, and however often, what stores know they end up knowing alike;
//! and what is not as it may be is refused.

use futures_util::FutureExt;
use proptest::prelude::*;
use prost::Message as _;
use wire::limits::ATTACHMENTS_MAX;
use wire::proto::archive::ArchivedMessage;
use wire::proto::archive::archived_message::{Quote, Reaction, Version};
use wire::{AccountId, MessageId};

use super::*;
use crate::limits::UNREAD_MAX;
use crate::record::{IndexRecord, Record, key};
use crate::store::memory::MemoryStore;
use crate::store::{Scan, Store, Table};
use crate::thread;
use crate::thread::union::{Union, unite};
use crate::thread::view::{KIND_UNREADABLE, STATUS_FAILED, STATUS_QUEUED};
use crate::tx::Tx;

const ALICE: AccountId = AccountId::from_bytes([1; 16]);
const BOB: AccountId = AccountId::from_bytes([2; 16]);
const CAROL: AccountId = AccountId::from_bytes([3; 16]);
const NOW: u64 = 1_000_000_000;

/// What Alice's devices take.
const READER: Reader = Reader {
    own: ALICE,
    now: Timestamp(NOW),
};

fn id(n: u8) -> Vec<u8> {
    vec![n; 16]
}

/// Message `n`; Bob wrote the odd ones.
fn plain(n: u8) -> ArchivedMessage {
    let incoming = n % 2 == 1;
    let author = if incoming { BOB } else { ALICE };
    ArchivedMessage {
        id: id(n),
        conversation: BOB.as_bytes().to_vec(),
        author: author.as_bytes().to_vec(),
        author_device: 1,
        kind: KIND_TEXT,
        status: if incoming {
            STATUS_RECEIVED
        } else {
            STATUS_SENT
        },
        sent_at: 1_000 + u64::from(n),
        order: 1_000 + u64::from(n),
        texts: vec![text(0, 0, "hello")],
        quote: None,
        reactions: Vec::new(),
        timer_s: 0,
        ends_at: 0,
        attachments: Vec::new(),
        staff: (n == 4).then(|| "Jane".to_owned()),
    }
}

fn attachment() -> AttachmentPointer {
    AttachmentPointer {
        key: Some(vec![1; 64]),
        size: Some(5),
        digest: Some(vec![2; 32]),
        cdn_key: Some("0123456789abcdef0123456789abcdef".to_owned()),
        ..AttachmentPointer::default()
    }
}

fn text(clock: u64, act: u8, text: &str) -> Version {
    Version {
        clock,
        id: if act == 0 { Vec::new() } else { id(act) },
        text: text.to_owned(),
    }
}

fn reaction(account: AccountId, clock: u64, act: u8, emoji: &str) -> Reaction {
    Reaction {
        account: account.as_bytes().to_vec(),
        clock,
        id: id(act),
        emoji: emoji.to_owned(),
    }
}

fn deleted(n: u8) -> ArchivedMessage {
    ArchivedMessage {
        kind: KIND_DELETED,
        texts: Vec::new(),
        ..plain(n)
    }
}

/// A store's archive, through bytes.
fn archived(store: &MemoryStore) -> Vec<ArchivedMessage> {
    let mut tx = Tx::new(store, Timestamp(NOW));
    let rows = tx.scan(Scan::all(Table::Messages, UNREAD_MAX));
    let rows = rows.now_or_never().unwrap().unwrap();
    let archived = rows.into_iter().filter_map(|(at, bytes)| {
        let (conversation, order, id) = key::split_message(&at).unwrap();
        message(Placed {
            id,
            conversation,
            order,
            record: MessageRecord::read(&bytes).unwrap(),
        })
    });
    archived
        .map(|message| ArchivedMessage::decode(message.encode_to_vec().as_slice()).unwrap())
        .collect()
}

/// Merges messages, each in a step of its own.
fn merge(store: &mut MemoryStore, messages: &[ArchivedMessage]) -> Vec<Union> {
    let mut unions = Vec::new();
    for message in messages {
        let placed = READER.message(message.clone()).expect("it is valid");
        let mut tx = Tx::new(&*store, Timestamp(NOW));
        unions.push(unite(&mut tx, placed, &[]).now_or_never().unwrap().unwrap());
        let (changes, _) = tx.finish();
        store.commit(&changes).now_or_never().unwrap().unwrap();
    }
    unions
}

/// All that own devices agree on of messages, and what follows from it.
fn state(store: &MemoryStore) -> impl PartialEq + use<> {
    let messages = store
        .snapshot()
        .only(&[Table::Messages, Table::MessageIndex]);
    let mut tx = Tx::new(store, Timestamp(NOW));
    let head = thread::conversation_record(&mut tx, BOB);
    let head = head.now_or_never().unwrap().unwrap();
    (messages, head.last_order, head.last_id, head.unread)
}

/// A message as some device may have it, also one whose author tells devices different things.
fn some_message() -> impl Strategy<Value = ArchivedMessage> {
    let texts = prop::collection::btree_map(1..14_u8, 0..2_u8, 0..11);
    let reactions = prop::collection::btree_map(0..2_u8, (1..4_u64, 1..4_u8, 0..3_usize), 0..3);
    let parts = (0..5_u8, 0..8_u8, texts, reactions, 0..4_u64, 0..3_u32);
    parts.prop_map(|(n, kind, texts, reactions, moved, status)| {
        if kind == 0 {
            return deleted(n);
        }
        let mut message = plain(n);
        message.order += moved / 3;
        message.sent_at = message.order;
        let written = |(act, variant): (u8, u8)| {
            text(
                u64::from(act / 2) + 1,
                act,
                &format!("text {act} {variant}"),
            )
        };
        let mut written: Vec<Version> = texts.into_iter().map(written).collect();
        written.push(text(0, 0, "hello"));
        written.sort_by(|a, b| (b.clock, &b.id).cmp(&(a.clock, &a.id)));
        written.truncate(EDITS_KEPT + 1);
        message.texts = written;
        let emoji = ["", "👍", "🎉"];
        let people = [ALICE, BOB];
        let reacted = |(by, (clock, act, which)): (u8, (u64, u8, usize))| {
            reaction(people[usize::from(by)], clock, act, emoji[which])
        };
        message.reactions = reactions.into_iter().map(reacted).collect();
        if message.status != STATUS_RECEIVED {
            message.status = [STATUS_SENT, STATUS_DELIVERED, STATUS_READ][status as usize];
        }
        if kind == 1 {
            message.quote = Some(quote("what was said"));
            message.attachments = vec![attachment()];
        }
        if kind == 2 {
            (message.kind, message.texts) = (KIND_TIMER, Vec::new());
        }
        message.timer_s = status;
        if kind > 4 {
            message.ends_at = NOW + moved;
        }
        message
    })
}

fn quote(text: &str) -> Quote {
    Quote {
        id: id(9),
        author: BOB.as_bytes().to_vec(),
        text: text.to_owned(),
        sent_at: 7,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn archives_in_any_order_and_number_of_times_come_to_the_same_store(
        (messages, again) in prop::collection::vec(some_message(), 1..12).prop_flat_map(|messages| {
            let twice = [messages.clone(), messages.clone()].concat();
            (Just(messages), Just(twice).prop_shuffle())
        }),
    ) {
        let (mut one, mut other) = (MemoryStore::new(), MemoryStore::new());
        merge(&mut one, &messages);
        merge(&mut other, &again);
        prop_assert!(state(&one) == state(&other));
    }

    #[test]
    fn stores_that_know_parts_of_it_end_as_one_that_knows_all(
        messages in prop::collection::vec((0..3_usize, some_message()), 1..12),
    ) {
        let mut whole = MemoryStore::new();
        let mut parts = [MemoryStore::new(), MemoryStore::new(), MemoryStore::new()];
        for (part, message) in &messages {
            merge(&mut whole, std::slice::from_ref(message));
            merge(&mut parts[*part], std::slice::from_ref(message));
        }
        let [a, b, c] = &mut parts;
        for from in [&*a, &*c] {
            merge(b, &archived(from));
        }
        for to in [&mut *a, &mut *c] {
            merge(to, &archived(b));
        }
        for part in [&*a, &*b, &*c] {
            prop_assert!(state(part) == state(&whole));
        }
        let known = merge(a, &archived(b));
        prop_assert!(known.iter().all(|union| matches!(union, Union::Known)));
    }
}

#[test]
fn an_archive_takes_nothing_back_and_brings_nothing_back() {
    let mut store = MemoryStore::new();
    let new = merge(&mut store, &[plain(1), deleted(3)]);
    assert!(matches!(
        new[..],
        [Union::New(Some(_)), Union::New(Some(_))]
    ));
    assert!(matches!(merge(&mut store, &[plain(3)])[..], [Union::Known]));
    let mut tx = Tx::new(&store, Timestamp(NOW));
    let gone = MessageId::from_bytes([1; 16]);
    thread::remove(&mut tx, BOB, gone)
        .now_or_never()
        .unwrap()
        .unwrap();
    let (changes, _) = tx.finish();
    store.commit(&changes).now_or_never().unwrap().unwrap();
    assert!(matches!(merge(&mut store, &[plain(1)])[..], [Union::Known]));
    assert_eq!(archived(&store), [deleted(3)]);
    let bytes = store.snapshot();
    let (_, index) = bytes.rows(Table::MessageIndex).next().unwrap();
    assert!(IndexRecord::read(index).unwrap().gone);
}

#[test]
fn another_message_by_a_known_id_is_refused() {
    let mut store = MemoryStore::new();
    merge(&mut store, &[plain(1)]);
    let elsewhere = ArchivedMessage {
        conversation: CAROL.as_bytes().to_vec(),
        author: CAROL.as_bytes().to_vec(),
        ..plain(1)
    };
    let of_another = ArchivedMessage {
        author: ALICE.as_bytes().to_vec(),
        status: STATUS_SENT,
        ..plain(1)
    };
    let unions = merge(&mut store, &[elsewhere, of_another]);
    assert!(matches!(unions[..], [Union::Refused, Union::Refused]));
    assert_eq!(archived(&store), [plain(1)]);
}

#[test]
fn what_only_one_device_knows_of_a_message_is_in_no_archive() {
    let placed = |change: fn(&mut MessageRecord)| {
        let mut placed = READER.message(plain(2)).unwrap();
        change(&mut placed.record);
        message(placed)
    };
    assert!(placed(|_| ()).is_some());
    assert!(placed(|record| record.status = STATUS_QUEUED).is_none());
    assert!(placed(|record| record.status = STATUS_FAILED).is_none());
    assert!(placed(|record| record.kind = KIND_UNREADABLE).is_none());
}

#[test]
fn a_message_that_is_not_as_it_may_be_is_refused_as_a_whole() {
    type Damage = fn(&mut ArchivedMessage);
    let damages: [Damage; 25] = [
        |m| m.attachments = vec![AttachmentPointer::default()],
        |m| m.attachments = vec![attachment(); ATTACHMENTS_MAX + 1],
        |m| m.timer_s = TIMER_MAX_S + 1,
        |m| m.kind = KIND_TIMER,
        |m| m.id.truncate(15),
        |m| m.conversation.push(0),
        |m| m.author = CAROL.as_bytes().to_vec(),
        |m| m.author = ALICE.as_bytes().to_vec(), // and yet received
        |m| m.author_device = 0,
        |m| m.author_device = 128,
        |m| m.kind = KIND_UNREADABLE,
        |m| m.kind = KIND_DELETED, // and yet it says something
        |m| m.status = STATUS_SENT,
        |m| m.status = STATUS_FAILED,
        |m| m.order = m.sent_at + 1,
        |m| (m.order, m.sent_at) = (NOW + ARCHIVE_AHEAD_MS + 1, u64::MAX),
        |m| m.texts.clear(),
        |m| m.texts = vec![text(0, 0, &"a".repeat(TEXT_MAX + 1))],
        |m| m.texts = (1..=12).rev().map(|n| text(9, n, "a")).collect(),
        |m| m.texts = vec![text(1, 1, "older"), text(2, 2, "newer")],
        |m| m.texts = vec![text(1, 0, "an edit by no act")],
        |m| m.quote = Some(quote(&"a".repeat(QUOTE_TEXT_MAX + 1))),
        |m| m.reactions = vec![reaction(CAROL, 1, 1, "👍")],
        |m| m.reactions = vec![reaction(BOB, 1, 1, "👍"), reaction(BOB, 2, 2, "👍")],
        |m| m.reactions = vec![reaction(BOB, 1, 1, "two words")],
    ];
    assert!(READER.message(plain(1)).is_some());
    for (n, damage) in damages.into_iter().enumerate() {
        let mut message = plain(1);
        damage(&mut message);
        assert!(READER.message(message).is_none(), "damage {n} was taken");
    }
}

#[test]
fn a_conversation_that_is_not_as_it_may_be_is_refused_as_a_whole() {
    type Damage = fn(&mut ArchivedConversation);
    let whole = ArchivedConversation {
        account: BOB.as_bytes().to_vec(),
        read_order: 5,
        read_id: id(1),
        read_clock: 6,
        updated_at: 7,
        timer_s: 0,
        timer_version: 0,
    };
    let damages: [Damage; 6] = [
        |head| head.timer_s = TIMER_MAX_S + 1,
        |head| head.account.clear(),
        |head| head.read_id.truncate(8),
        |head| head.read_order = NOW + ARCHIVE_AHEAD_MS + 1,
        |head| head.read_clock = CLOCK_MAX + 1,
        |head| head.updated_at = u64::MAX,
    ];
    let read = READER.head(&whole).unwrap();
    assert_eq!(read.read, Some((5, MessageId::from_bytes([1; 16]))));
    for (n, damage) in damages.into_iter().enumerate() {
        let mut head = whole.clone();
        damage(&mut head);
        assert!(READER.head(&head).is_none(), "damage {n} was taken");
    }
}
