//! A search finds the same whether blocks are made or not, and what was deleted nowhere.
//! Blocks are compared with a plain look through all messages.

use futures_util::FutureExt;
use wire::{AccountId, DeviceAddress, DeviceId, MessageId};

use super::blocks::{Block, searchable};
use super::*;
use crate::input::Timestamp;
use crate::output::{MessageKind, MessageStatus};
use crate::store::memory::MemoryStore;
use crate::store::{Changes, Store};
use crate::thread::{NewMessage, insert, remove};

const DAY: u64 = 24 * 60 * 60 * 1000;

fn account(n: u8) -> AccountId {
    AccountId::from_bytes([n; 16])
}

fn id(n: u64) -> MessageId {
    MessageId::from_bytes(u128::from(n).to_be_bytes())
}

fn commit(store: &mut MemoryStore, (changes, _): (Changes, Vec<crate::output::Output>)) {
    store.commit(&changes).now_or_never().unwrap().unwrap();
}

/// Somebody has written this, at that time.
fn wrote(store: &mut MemoryStore, from: AccountId, time: u64, text: &str) {
    let author = DeviceAddress {
        account: from,
        device: DeviceId::try_from(1_u32).unwrap(),
    };
    let (kind, status) = (MessageKind::Text, MessageStatus::Received);
    let message = NewMessage {
        text: text.to_owned(),
        ..NewMessage::new((id(time), from, author), kind, time, status)
    };
    let mut tx = Tx::new(store, Timestamp(time));
    insert(&mut tx, message, &[])
        .now_or_never()
        .unwrap()
        .unwrap();
    let done = tx.finish();
    commit(store, done);
}

fn removed(store: &mut MemoryStore, from: AccountId, time: u64) {
    let mut tx = Tx::new(store, Timestamp(time));
    remove(&mut tx, from, id(time))
        .now_or_never()
        .unwrap()
        .unwrap();
    let done = tx.finish();
    commit(store, done);
}

fn state(store: &MemoryStore) -> State {
    let mut tx = Tx::new(store, Timestamp(0));
    State::read(&mut tx, [0; 32])
        .now_or_never()
        .unwrap()
        .unwrap()
}

/// Makes all blocks; gives in how many commits.
fn index(store: &mut MemoryStore) -> usize {
    let mut state = state(store);
    state.index_due = true;
    let mut commits = 0;
    while state.index_due {
        let mut tx = Tx::new(store, Timestamp(0));
        state.make_blocks(&mut tx).now_or_never().unwrap().unwrap();
        let done = tx.finish();
        commit(store, done);
        commits += 1;
    }
    commits
}

fn query(text: &str, limit: usize) -> Search {
    Search {
        text: text.to_owned(),
        conversation: None,
        before: None,
        below: None,
        limit,
    }
}

/// All steps of a search, and whether it has met blocks that are not made.
fn search(store: &MemoryStore, query: &Search) -> (Vec<Message>, bool) {
    let mut state = state(store);
    let (mut found, mut query) = (Vec::new(), query.clone());
    loop {
        let mut tx = Tx::new(store, Timestamp(0));
        let answer = state.search(&mut tx, query.clone()).now_or_never().unwrap();
        let Ok(Reply::Found(Found { messages, next })) = answer.unwrap() else {
            panic!("no answer");
        };
        assert!(tx.finish().0.writes.is_empty(), "a search only reads");
        found.extend(messages);
        if next.is_none() || found.len() >= query.limit {
            found.truncate(query.limit);
            return (found, state.index_due);
        }
        query.below = next;
    }
}

fn times(messages: &[Message]) -> Vec<u64> {
    messages.iter().map(|message| message.sent_at.0).collect()
}

#[test]
fn all_words_are_in_what_is_found_newest_first_with_or_without_blocks() {
    let mut store = MemoryStore::new();
    wrote(
        &mut store,
        account(1),
        10 * DAY,
        "Der Haushalt, erster Entwurf",
    );
    wrote(
        &mut store,
        account(2),
        40 * DAY,
        "HAUSHALT: zweiter Entwurf",
    );
    wrote(&mut store, account(1), 70 * DAY, "entwurf eines Briefs");
    wrote(&mut store, account(1), 71 * DAY, "議会の予算");
    for _ in 0..2 {
        let find = |text: &str| times(&search(&store, &query(text, 10)).0);
        assert_eq!(find("entwurf haushalt"), [40 * DAY, 10 * DAY]);
        assert_eq!(find("ENTW"), [70 * DAY, 40 * DAY, 10 * DAY]);
        assert_eq!(find("予算"), [71 * DAY]);
        assert!(find("brief steuer").is_empty());
        let there = Search {
            conversation: Some(account(1).to_string()),
            ..query("entwurf", 10)
        };
        assert_eq!(times(&search(&store, &there).0), [70 * DAY, 10 * DAY]);
        let older = Search {
            before: Some(id(70 * DAY)),
            ..query("entwurf", 1)
        };
        assert_eq!(times(&search(&store, &older).0), [40 * DAY]);
        index(&mut store);
    }
    assert!(
        !search(&store, &query("entwurf", 10)).1,
        "all blocks are made"
    );
}

#[test]
fn what_was_deleted_stands_in_no_block_and_what_is_new_is_found_at_once() {
    let mut store = MemoryStore::new();
    wrote(&mut store, account(1), 10 * DAY, "a secret");
    index(&mut store);
    let holds = |store: &MemoryStore| {
        let range = Scan::all(Table::Search, 10);
        let mut tx = Tx::new(store, Timestamp(0));
        let rows = tx.scan(range).now_or_never().unwrap().unwrap();
        let of = |row: &Row| row.1.windows(6).any(|part| part == b"secret");
        rows.iter().any(of)
    };
    assert!(holds(&store));
    removed(&mut store, account(1), 10 * DAY);
    assert!(!holds(&store));
    wrote(&mut store, account(1), 10 * DAY + 1, "another secret");
    assert_eq!(
        times(&search(&store, &query("secret", 10)).0),
        [10 * DAY + 1]
    );
}

#[test]
fn a_search_through_many_messages_is_many_steps_and_misses_none() {
    let mut store = MemoryStore::new();
    let mut expected = Vec::new();
    for n in 0..6_000_u64 {
        let time = 1_000 * DAY + n * DAY / 40;
        let hit = n % 97 == 0;
        let from = account(u8::try_from(n % 7).unwrap() + 1);
        wrote(
            &mut store,
            from,
            time,
            if hit { "the needle" } else { "hay" },
        );
        if hit {
            expected.push(time);
        }
    }
    expected.reverse();
    assert_eq!(times(&search(&store, &query("needle", 10_000)).0), expected);
    assert!(index(&mut store) > 1);
    assert_eq!(times(&search(&store, &query("needle", 10_000)).0), expected);
    let (first, _) = search(&store, &query("needle", 5));
    assert_eq!(times(&first), expected[..5]);
    let next = Search {
        before: Some(first[4].id),
        ..query("needle", 5)
    };
    assert_eq!(times(&search(&store, &next).0), expected[5..10]);
}

#[test]
fn a_block_with_too_much_in_it_is_searched_message_by_message() {
    let mut store = MemoryStore::new();
    let long = "x".repeat(140_000);
    wrote(&mut store, account(1), 10 * DAY, &format!("{long} first"));
    wrote(
        &mut store,
        account(1),
        10 * DAY + 1,
        &format!("{long} second"),
    );
    index(&mut store);
    assert_eq!(times(&search(&store, &query("first", 10)).0), [10 * DAY]);
    let block = Block::from_key(&key::block(0, Block::bucket(10 * DAY), account(1))).unwrap();
    let at = key::block(key::BLOCK_MADE, block.bucket, block.conversation);
    let mut tx = Tx::new(&store, Timestamp(0));
    let made = tx.get::<SearchRecord>(&at).now_or_never().unwrap().unwrap();
    assert!(made.is_some_and(|made| made.too_large && made.said.is_empty()));
}

#[test]
fn only_texts_are_found() {
    let waiting = MessageRecord {
        kind: 2,
        text: "waiting".to_owned(),
        ..MessageRecord::default()
    };
    assert_eq!(searchable(&waiting), None);
    assert_eq!(searchable(&MessageRecord::default()), None);
}
