//! What a step reads of the store to know it, and how often: one range where a range will do.
//! The store here counts requests; what it answers is the memory store's.

use std::cell::Cell;

use futures_util::FutureExt as _;

use super::*;
use crate::store::memory::MemoryStore;

/// Counts the keys and the ranges it was asked for.
#[derive(Default)]
struct Counting {
    store: MemoryStore,
    keys: Cell<usize>,
    scans: Cell<usize>,
}

impl Store for Counting {
    async fn load(&self, wants: &Wants) -> Result<Loaded, StoreFault> {
        self.keys.set(self.keys.get() + wants.keys.len());
        self.scans.set(self.scans.get() + wants.scans.len());
        self.store.load(wants).await
    }

    async fn commit(&mut self, changes: &Changes) -> Result<(), StoreFault> {
        self.store.commit(changes).await
    }
}

const TABLE: Table = Table::MessageIndex;

fn now<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().unwrap()
}

/// A store that holds these keys, each with itself as its record.
fn holding(keys: impl IntoIterator<Item = u16>) -> Counting {
    let mut counting = Counting::default();
    let row = |key: u16| ((TABLE, bytes(key)), Some(bytes(key)));
    let writes = keys.into_iter().map(row).collect();
    now(counting.commit(&Changes { writes })).unwrap();
    counting
}

fn bytes(key: u16) -> Vec<u8> {
    key.to_be_bytes().to_vec()
}

/// Prefetches the keys, then reads each of them; gives the keys found, and the requests made.
fn found(counting: &Counting, keys: &[u16]) -> (Vec<u16>, (usize, usize)) {
    let mut tx = Tx::new(counting, Timestamp(0));
    now(tx.prefetch_near(TABLE, keys.iter().copied().map(bytes).collect())).unwrap();
    let requests = (counting.keys.get(), counting.scans.get());
    let mut found = Vec::new();
    for key in keys {
        match now(tx.get_bytes(TABLE, &bytes(*key))).unwrap() {
            Some(record) => found.push(u16::from_be_bytes(record.try_into().unwrap())),
            None => continue,
        }
    }
    let after = (counting.keys.get(), counting.scans.get());
    assert_eq!(after, requests, "what was prefetched is not read again");
    (found, requests)
}

#[test]
fn keys_beyond_all_others_are_one_range() {
    let keys: Vec<u16> = (500..628).collect();
    assert_eq!(found(&holding(0..500), &keys), (vec![], (0, 1)));
}

#[test]
fn a_range_finds_what_is_there() {
    let known = [100, 103, 105];
    let keys: Vec<u16> = (100..106).collect();
    assert_eq!(found(&holding(known), &keys), (known.to_vec(), (0, 1)));
    let other = holding([99, 100, 101, 102, 103, 104, 106]);
    assert_eq!(found(&other, &[105, 100, 103]), (vec![100, 103], (0, 1)));
}

#[test]
fn keys_with_much_between_them_are_looked_up_one_by_one() {
    let counting = holding(0..1000);
    let spread = [999, 0, 2000];
    assert_eq!(found(&counting, &spread), (vec![999, 0], (2, 1)));
    let counting = holding(0..1000);
    let all: Vec<u16> = (0..1000).collect();
    assert_eq!(found(&counting, &all).0, all);
}

#[test]
fn a_single_key_is_a_look_up_and_none_is_nothing() {
    assert_eq!(found(&holding(0..9), &[7]), (vec![7], (1, 0)));
    assert_eq!(found(&holding(0..9), &[]), (vec![], (0, 0)));
}

/// Keys from the first to the last.
fn range(from: u16, to: u16, limit: usize) -> Scan {
    Scan {
        table: TABLE,
        from: bytes(from),
        to: Some(bytes(to)),
        direction: Direction::Forward,
        limit,
    }
}

#[test]
fn a_range_read_with_other_records_answers_for_all_within() {
    let counting = holding([7, 100, 103, 200]);
    let mut tx = Tx::new(&counting, Timestamp(0));
    let keys = vec![(TABLE, bytes(7)), (TABLE, bytes(8)), (TABLE, bytes(7))];
    now(tx.prefetch_with(keys, vec![range(100, 110, 3)])).unwrap();
    assert_eq!((counting.keys.get(), counting.scans.get()), (2, 1));
    now(tx.prefetch_near(TABLE, (100..110).map(bytes).collect())).unwrap();
    let mut read = |key| now(tx.get_bytes(TABLE, &bytes(key))).unwrap();
    assert_eq!((read(7), read(8)), (Some(bytes(7)), None));
    for key in 100..110 {
        let there = [100, 103].contains(&key);
        assert_eq!(read(key), there.then(|| bytes(key)));
    }
    assert_eq!((counting.keys.get(), counting.scans.get()), (2, 1));
    assert_eq!(read(200), Some(bytes(200)), "what is outside is read");
    assert_eq!((counting.keys.get(), counting.scans.get()), (3, 1));
}

#[test]
fn a_range_that_was_cut_at_its_limit_answers_for_nothing_that_is_missing() {
    let counting = holding(0..50);
    let mut tx = Tx::new(&counting, Timestamp(0));
    now(tx.prefetch_with(Vec::new(), vec![range(0, 60, 20)])).unwrap();
    for key in [0, 19, 20, 49, 50] {
        let found = now(tx.get_bytes(TABLE, &bytes(key))).unwrap();
        assert_eq!(found, (key < 50).then(|| bytes(key)));
    }
}

#[test]
fn a_write_of_the_step_counts_more_than_what_was_prefetched() {
    let counting = holding([1, 2, 3]);
    let mut tx = Tx::new(&counting, Timestamp(0));
    tx.put_bytes(TABLE, &bytes(2), b"new".to_vec());
    tx.delete(TABLE, &bytes(3));
    now(tx.prefetch_near(TABLE, vec![bytes(1), bytes(2), bytes(3), bytes(4)])).unwrap();
    let mut read = |key| now(tx.get_bytes(TABLE, &bytes(key))).unwrap();
    assert_eq!(read(1), Some(bytes(1)));
    assert_eq!(read(2), Some(b"new".to_vec()));
    assert_eq!((read(3), read(4)), (None, None));
}
