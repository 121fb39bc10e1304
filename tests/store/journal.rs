//! Commits on their way into the tables: what is found meanwhile, and what every kind of interruption leaves behind.
//! A store carries its journal over when nobody asked it anything for some time, so a test that asks at once is first.

use std::collections::BTreeMap;

use engine::StoreFault;
use engine::store::conformance::{self, Checked};
use engine::store::{Changes, Direction, Row, Scan, Store as _, Table, Wants};
use futures_util::future::join;
use lockstep::clock::Timer;
use lockstep::idb::IdbStore;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::{all, changes, raw, value};

/// Longer than a store waits before it carries over.
const IDLE_MS: u64 = 300;

macro_rules! claim_of_tables {
    ($name:ident) => {
        #[wasm_bindgen_test]
        async fn $name() -> Checked {
            let open = async || carried_over(concat!("tables_", stringify!($name))).await;
            conformance::$name(&open).await
        }
    };
}

/// The suite again, where every store that is opened finds its records in the tables.
mod when_carried_over {
    use super::*;

    engine::store_claims!(claim_of_tables);
}

async fn carried_over(name: &str) -> IdbStore {
    let store = IdbStore::open(name).await.unwrap();
    let database = raw::open(name, None).await.unwrap();
    raw::settled(&database).await;
    database.close();
    store
}

/// A place, and what is written there.
type Write = ((Table, Vec<u8>), Option<Vec<u8>>);

fn row(table: Table, n: u32, record: &[u8]) -> Write {
    ((table, n.to_be_bytes().to_vec()), Some(record.to_vec()))
}

fn deleted(table: Table, n: u32) -> Write {
    ((table, n.to_be_bytes().to_vec()), None)
}

fn many(table: Table, numbers: std::ops::Range<u32>, record: &[u8]) -> Changes {
    Changes {
        writes: numbers.map(|n| row(table, n, record)).collect(),
    }
}

#[wasm_bindgen_test]
async fn a_commit_is_one_row_until_the_store_is_idle() {
    let mut store = IdbStore::open("one_row").await.unwrap();
    let database = raw::open("one_row", None).await.unwrap();
    store
        .commit(&many(Table::Messages, 0..40, b"text"))
        .await
        .unwrap();
    assert_eq!(raw::count(&database, "journal").await, 1);
    assert_eq!(raw::count(&database, "messages").await, 0);
    assert_eq!(all(&store, Table::Messages).await.unwrap().len(), 40);
    raw::settled(&database).await;
    assert_eq!(raw::count(&database, "messages").await, 40);
    assert_eq!(all(&store, Table::Messages).await.unwrap().len(), 40);
}

#[wasm_bindgen_test]
async fn what_a_crash_leaves_in_the_journal_is_there_again() {
    let mut store = carried_over("crash").await;
    let first = [row(Table::Meta, 1, b"old"), row(Table::Meta, 2, b"gone")];
    let second = [row(Table::Meta, 1, b"new"), deleted(Table::Meta, 2)];
    let third = [row(Table::Seen, 3, b"other"), row(Table::Meta, 4, b"last")];
    for writes in [first, second, third] {
        let writes = writes.into_iter().collect();
        store.commit(&Changes { writes }).await.unwrap();
    }
    drop(store);
    let database = raw::open("crash", None).await.unwrap();
    assert_eq!(raw::count(&database, "journal").await, 3);
    let meta: [Row; 2] = [
        (1_u32.to_be_bytes().to_vec(), b"new".to_vec()),
        (4_u32.to_be_bytes().to_vec(), b"last".to_vec()),
    ];
    for carried in [false, false, true] {
        let store = IdbStore::open("crash").await.unwrap();
        if carried {
            raw::settled(&database).await;
            assert_eq!(raw::count(&database, "meta").await, 2);
        }
        assert_eq!(all(&store, Table::Meta).await.unwrap(), meta);
        assert_eq!(all(&store, Table::Seen).await.unwrap().len(), 1);
    }
}

#[wasm_bindgen_test]
async fn scans_see_journal_and_tables_as_one() {
    let mut store = IdbStore::open("scans").await.unwrap();
    let database = raw::open("scans", None).await.unwrap();
    let mut map = BTreeMap::new();
    let mut write = |writes: Vec<Write>| {
        for ((_, key), record) in &writes {
            match record {
                Some(record) => map.insert(key.clone(), record.clone()),
                None => map.remove(key),
            };
        }
        let writes = writes.into_iter().collect();
        (Changes { writes }, map.clone())
    };
    let table = Table::Messages;
    let (stored, _) = write((0..30).step_by(2).map(|n| row(table, n, b"1")).collect());
    store.commit(&stored).await.unwrap();
    raw::settled(&database).await;
    let (replaced, _) = write((0..30).step_by(3).map(|n| row(table, n, b"2")).collect());
    store.commit(&replaced).await.unwrap();
    let (removed, map) = write((0..30).step_by(4).map(|n| deleted(table, n)).collect());
    store.commit(&removed).await.unwrap();
    assert_eq!(raw::count(&database, "journal").await, 2);

    let mut scans = Vec::new();
    for direction in [Direction::Forward, Direction::Backward] {
        for limit in 0..30 {
            for (from, to) in [
                (0, None),
                (4, Some(21)),
                (8, Some(9)),
                (9, Some(8)),
                (25, None),
            ] {
                scans.push(Scan {
                    table,
                    from: u32::to_be_bytes(from).to_vec(),
                    to: to.map(|to| u32::to_be_bytes(to).to_vec()),
                    direction,
                    limit,
                });
            }
        }
    }
    let wants = Wants {
        keys: (0..30).map(|n| row(table, n, b"").0).collect(),
        scans,
    };
    for turn in ["the journal", "the tables"] {
        let found = store.load(&wants).await.unwrap();
        for ((_, key), value) in wants.keys.iter().zip(found.values) {
            assert_eq!(value, map.get(key).cloned(), "{key:?} in {turn}");
        }
        for (scan, rows) in wants.scans.iter().zip(found.scans) {
            assert_eq!(rows, expected(&map, scan), "{scan:?} in {turn}");
        }
        raw::settled(&database).await;
    }
}

fn expected(map: &BTreeMap<Vec<u8>, Vec<u8>>, scan: &Scan) -> Vec<Row> {
    let inside = |(key, _): &(&Vec<u8>, &Vec<u8>)| {
        **key >= scan.from && scan.to.as_ref().is_none_or(|to| *key < to)
    };
    let mut rows: Vec<Row> = (map.iter().filter(inside))
        .map(|(key, record)| (key.clone(), record.clone()))
        .collect();
    if scan.direction == Direction::Backward {
        rows.reverse();
    }
    rows.truncate(scan.limit);
    rows
}

#[wasm_bindgen_test]
async fn carrying_over_that_is_cut_short_loses_nothing() {
    let mut store = IdbStore::open("cut_short").await.unwrap();
    let database = raw::open("cut_short", None).await.unwrap();
    for part in [0..1500, 1000..2000] {
        let record = format!("{part:?}").into_bytes();
        let part = many(Table::Messages, part, &record);
        store.commit(&part).await.unwrap();
    }
    let mut carried = 0;
    while carried == 0 {
        Timer::after_ms(1).await;
        carried = raw::count(&database, "messages").await;
    }
    drop(store);
    assert!(carried < 1000, "not even the first row was done: {carried}");
    assert_eq!(raw::count(&database, "journal").await, 2);
    let store = IdbStore::open("cut_short").await.unwrap();
    for _ in 0..2 {
        for (n, record) in [(999, "0..1500"), (1000, "1000..2000")] {
            let found = value(&store, Table::Messages, &u32::to_be_bytes(n)).await;
            assert_eq!(found, Ok(Some(record.into())));
        }
        let scan = Scan {
            table: Table::Messages,
            from: Vec::new(),
            to: None,
            direction: Direction::Forward,
            limit: 5000,
        };
        let wants = Wants {
            keys: Vec::new(),
            scans: vec![scan],
        };
        let found = store.load(&wants).await.unwrap();
        assert_eq!(found.scans[0].len(), 2000);
        raw::settled(&database).await;
        assert_eq!(raw::count(&database, "messages").await, 2000);
    }
}

#[wasm_bindgen_test]
async fn what_is_written_while_it_is_carried_over_counts() {
    let mut store = IdbStore::open("meanwhile").await.unwrap();
    let database = raw::open("meanwhile", None).await.unwrap();
    store
        .commit(&many(Table::Messages, 0..1000, b"old"))
        .await
        .unwrap();
    while raw::count(&database, "messages").await == 0 {
        Timer::after_ms(1).await;
    }
    assert_eq!(raw::count(&database, "journal").await, 1);
    store
        .commit(&many(Table::Messages, 0..1000, b"new"))
        .await
        .unwrap();
    for _ in 0..2 {
        let rows = all(&store, Table::Messages).await.unwrap();
        assert_eq!(rows.len(), 1000);
        assert!(rows.iter().all(|(_, record)| record == b"new"));
        raw::settled(&database).await;
    }
}

#[wasm_bindgen_test]
async fn a_fenced_store_carries_nothing_over() {
    let mut store = IdbStore::open("fenced_carrying").await.unwrap();
    let database = raw::open("fenced_carrying", None).await.unwrap();
    let change = many(Table::Messages, 0..10, b"text");
    // The other owner's transaction is next in line, long before this store is idle.
    let (committed, ()) = join(store.commit(&change), raw::raise_fence(&database)).await;
    assert_eq!(committed, Ok(()));
    Timer::after_ms(IDLE_MS).await;
    assert_eq!(raw::count(&database, "journal").await, 1);
    assert_eq!(raw::count(&database, "messages").await, 0);
    let late = value(&store, Table::Messages, b"a").await;
    assert_eq!(late, Err(StoreFault::Fenced), "the next to ask hears of it");
    let again = IdbStore::open("fenced_carrying").await.unwrap();
    assert_eq!(all(&again, Table::Messages).await.unwrap().len(), 10);
}

#[wasm_bindgen_test]
async fn a_store_opened_to_read_finds_all_and_writes_nothing() {
    let mut owner = IdbStore::open("to_read").await.unwrap();
    let database = raw::open("to_read", None).await.unwrap();
    for n in [1, 2] {
        let part = many(Table::Messages, n..n + 1, b"text");
        owner.commit(&part).await.unwrap();
        if n == 1 {
            raw::settled(&database).await;
        }
    }
    drop(owner);
    let before = raw::dump(&database).await;
    let mut reader = IdbStore::open_to_read("to_read").await.unwrap();
    assert_eq!(all(&reader, Table::Messages).await.unwrap().len(), 2);
    let late = many(Table::Messages, 3..4, b"late");
    assert_eq!(reader.commit(&late).await, Err(StoreFault::Full));
    Timer::after_ms(IDLE_MS).await;
    assert_eq!(raw::dump(&database).await, before);
    assert_eq!(all(&reader, Table::Messages).await.unwrap().len(), 2);

    let mut owner = IdbStore::open("to_read").await.unwrap();
    let reader = IdbStore::open_to_read("to_read").await.unwrap();
    owner.commit(&late).await.unwrap(); // nobody was shut out
    assert_eq!(all(&owner, Table::Messages).await.unwrap().len(), 3);
    drop(reader);
}

#[wasm_bindgen_test]
async fn the_journal_keeps_to_its_limit() {
    const ROWS: u32 = 2000;
    let mut store = IdbStore::open("limit").await.unwrap();
    let database = raw::open("limit", None).await.unwrap();
    let mut most = 0;
    for n in 0..12 {
        let part = many(Table::Messages, n * ROWS..(n + 1) * ROWS, b"");
        store.commit(&part).await.unwrap();
        most = most.max(raw::count(&database, "journal").await);
    }
    assert!(
        (4..=8).contains(&most),
        "at most 16,384 writes: {most} rows"
    );
    assert!(raw::count(&database, "messages").await >= 4 * ROWS);
    let long = vec![7; 3 << 20];
    for n in 0..4 {
        let change = many(Table::Meta, n..n + 1, &long);
        store.commit(&change).await.unwrap();
        let journal = raw::dump(&database).await;
        let bytes = journal.iter().filter(|(store, ..)| store == "journal");
        let bytes: usize = bytes.map(|(_, _, row)| row.len()).sum();
        assert!(bytes < 8 << 20, "at most 4 MiB and one commit: {bytes}");
    }
    assert_eq!(all(&store, Table::Meta).await.unwrap().len(), 4);
}

#[wasm_bindgen_test]
async fn a_damaged_row_of_the_journal_is_named_and_kept() {
    let mut store = IdbStore::open("damaged_journal").await.unwrap();
    let database = raw::open("damaged_journal", None).await.unwrap();
    let rows: [(Table, &[u8], &[u8]); 1] = [(Table::Peers, b"a", b"one")];
    store.commit(&changes(&rows)).await.unwrap();
    drop(store);
    let key = 1_u64.to_be_bytes();
    let sealed = raw::get(&database, "journal", &key).await.unwrap();
    let damaged = Err(StoreFault::Damaged { table: "journal" });
    for at in [0, 1, 30, sealed.len() - 1] {
        let mut broken = sealed.clone();
        broken[at] ^= 1;
        raw::put(&database, "journal", &key, &broken).await;
        assert_eq!(IdbStore::open("damaged_journal").await.map(drop), damaged);
        let left = raw::get(&database, "journal", &key).await;
        assert_eq!(left, Some(broken), "byte {at}");
    }
    raw::put(&database, "journal", &2_u64.to_be_bytes(), &sealed).await;
    raw::put(&database, "journal", &key, &sealed).await;
    assert_eq!(IdbStore::open("damaged_journal").await.map(drop), damaged);
    raw::delete(&database, "journal", &2_u64.to_be_bytes()).await;
    let store = IdbStore::open("damaged_journal").await.unwrap();
    let found = value(&store, Table::Peers, b"a").await;
    assert_eq!(found, Ok(Some(b"one".to_vec())));
}

const VERSION_ONE: [&str; 12] = [
    "keys",
    "fence",
    "meta",
    "prekeys",
    "sessions",
    "peers",
    "contacts",
    "conversations",
    "messages",
    "message_index",
    "outbox",
    "seen",
];
const VERSION_TWO: [&str; 16] = [
    "keys",
    "fence",
    "journal",
    "meta",
    "prekeys",
    "sessions",
    "peers",
    "contacts",
    "conversations",
    "messages",
    "message_index",
    "outbox",
    "seen",
    "sent",
    "waiting",
    "held",
];

const VERSION_THREE: [&str; 22] = [
    "keys",
    "fence",
    "journal",
    "meta",
    "prekeys",
    "sessions",
    "peers",
    "contacts",
    "conversations",
    "messages",
    "message_index",
    "outbox",
    "seen",
    "sent",
    "waiting",
    "held",
    "registers",
    "untold",
    "early",
    "due",
    "transfers",
    "search",
];

#[wasm_bindgen_test]
async fn a_database_of_version_one_is_upgraded_and_keeps_all() {
    an_old_database_is_upgraded("version_one", 1, &VERSION_ONE).await;
}

#[wasm_bindgen_test]
async fn a_database_of_version_two_is_upgraded_and_keeps_all() {
    an_old_database_is_upgraded("version_two", 2, &VERSION_TWO).await;
}

#[wasm_bindgen_test]
async fn a_database_of_version_three_is_upgraded_and_keeps_all() {
    an_old_database_is_upgraded("version_three", 3, &VERSION_THREE).await;
}

async fn an_old_database_is_upgraded(name: &str, version: u32, stores: &'static [&'static str]) {
    let source = format!("made_for_{name}");
    let mut made = IdbStore::open(&source).await.unwrap();
    let old_tables = (Table::ALL.into_iter()).filter(|table| stores.contains(&table.name()));
    let rows: Vec<_> = old_tables
        .map(|table| (table, &b"key"[..], table.name().as_bytes()))
        .collect();
    made.commit(&changes(&rows)).await.unwrap();
    let source = raw::open(&source, None).await.unwrap();
    raw::settled(&source).await;
    let old = raw::create(name, version, stores).await;
    for store in stores {
        raw::copy(&source, &old, store).await;
    }
    let before = raw::dump(&old).await;
    old.close();

    let mut store = IdbStore::open(name).await.unwrap();
    for (table, key, record) in rows {
        assert_eq!(value(&store, table, key).await, Ok(Some(record.to_vec())));
    }
    store
        .commit(&many(Table::Messages, 0..5, b"text"))
        .await
        .unwrap();
    let database = raw::open(name, None).await.unwrap();
    raw::settled(&database).await;
    let after = raw::dump(&database).await;
    let kept = |row: &&raw::Entry| row.0 == "fence" || after.contains(row);
    assert_eq!(before.iter().filter(kept).count(), before.len());
    assert_eq!(raw::count(&database, "messages").await, 6);
}
