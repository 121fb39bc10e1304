//! The store on IndexedDB: the engine's conformance suite, and what only a browser can do to it.
//! Every test has databases of its own. `raw` looks at them from outside, past the store.
#![cfg(target_arch = "wasm32")]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that can't go on ends there"
)]

#[path = "store/journal.rs"]
mod journal;
#[path = "store/raw.rs"]
mod raw;

use engine::StoreFault;
use engine::store::conformance::{self, Checked};
use engine::store::{Changes, Direction, Row, Scan, Store, Table, Wants};
use lockstep::idb::{IdbStore, STORES, VERSION};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

macro_rules! claim {
    ($name:ident) => {
        #[wasm_bindgen_test]
        async fn $name() -> Checked {
            let open = async || IdbStore::open(stringify!($name)).await.unwrap();
            conformance::$name(&open).await
        }
    };
}

engine::store_claims!(claim);

fn changes(rows: &[(Table, &[u8], &[u8])]) -> Changes {
    let row = |(table, key, record): &(Table, &[u8], &[u8])| {
        ((*table, key.to_vec()), Some(record.to_vec()))
    };
    Changes {
        writes: rows.iter().map(row).collect(),
    }
}

async fn value(store: &IdbStore, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreFault> {
    let wants = Wants {
        keys: vec![(table, key.to_vec())],
        scans: Vec::new(),
    };
    Ok(store.load(&wants).await?.values.pop().flatten())
}

async fn all(store: &IdbStore, table: Table) -> Result<Vec<Row>, StoreFault> {
    let (from, to, direction, limit) = (Vec::new(), None, Direction::Forward, 1000);
    let wants = Wants {
        keys: Vec::new(),
        scans: vec![Scan {
            table,
            from,
            to,
            direction,
            limit,
        }],
    };
    Ok(store.load(&wants).await?.scans.pop().unwrap_or_default())
}

#[wasm_bindgen_test]
async fn the_database_holds_every_table_and_nothing_else() {
    drop(IdbStore::open("every_table").await.unwrap());
    let database = raw::open("every_table", None).await.unwrap();
    let mut found = raw::store_names(&database);
    let mut wanted = STORES.map(String::from).to_vec();
    found.sort();
    wanted.sort();
    assert_eq!(found, wanted);
    assert!(
        Table::ALL
            .iter()
            .all(|table| STORES.contains(&table.name()))
    );
}

#[wasm_bindgen_test]
async fn who_opens_second_shuts_out_the_first() {
    let mut first = IdbStore::open("fence").await.unwrap();
    first
        .commit(&changes(&[(Table::Meta, b"a", b"first")]))
        .await
        .unwrap();
    let mut second = IdbStore::open("fence").await.unwrap();
    let late = changes(&[(Table::Meta, b"a", b"late"), (Table::Seen, b"b", b"late")]);
    assert_eq!(first.commit(&late).await, Err(StoreFault::Fenced));
    assert_eq!(
        value(&second, Table::Meta, b"a").await,
        Ok(Some(b"first".to_vec()))
    );
    assert_eq!(
        value(&second, Table::Seen, b"b").await,
        Ok(None),
        "nothing of it is written"
    );
    second
        .commit(&changes(&[(Table::Meta, b"a", b"second")]))
        .await
        .unwrap();
    assert_eq!(
        first
            .commit(&changes(&[(Table::Meta, b"a", b"late")]))
            .await,
        Err(StoreFault::Fenced)
    );
    assert_eq!(
        value(&second, Table::Meta, b"a").await,
        Ok(Some(b"second".to_vec()))
    );
}

#[wasm_bindgen_test]
async fn commits_that_overlap_are_both_whole() {
    let mut left = IdbStore::open("overlap").await.unwrap();
    let rows: Vec<Vec<u8>> = (0..100_u8).map(|n| vec![n]).collect();
    let record = |tag: u8| {
        rows.iter()
            .map(|key| ((Table::Outbox, key.clone()), Some(vec![tag])))
            .collect()
    };
    let first = Changes { writes: record(1) };
    let commit = left.commit(&first);
    let opening = IdbStore::open("overlap");
    let (committed, opened) = futures_util::future::join(commit, opening).await;
    let records: Vec<Vec<u8>> = all(&opened.unwrap(), Table::Outbox)
        .await
        .unwrap()
        .into_iter()
        .map(|(_, r)| r)
        .collect();
    match committed {
        Ok(()) => assert_eq!(records, vec![vec![1]; 100]),
        Err(fault) => {
            assert_eq!(fault, StoreFault::Fenced);
            assert_eq!(records, Vec::<Vec<u8>>::new());
        }
    }
}

#[wasm_bindgen_test]
async fn a_database_of_a_newer_version_is_refused_and_kept() {
    let mut store = IdbStore::open("newer").await.unwrap();
    store
        .commit(&changes(&[(Table::Meta, b"a", b"kept")]))
        .await
        .unwrap();
    drop(store);
    let database = raw::open("newer", Some(VERSION + 6)).await.unwrap();
    let before = raw::dump(&database).await;
    database.close();
    let refused = IdbStore::open("newer").await.map(drop);
    assert_eq!(
        refused,
        Err(StoreFault::TooNew {
            found: VERSION + 6,
            supported: VERSION
        })
    );
    let database = raw::open("newer", None).await.unwrap();
    assert_eq!(raw::dump(&database).await, before);
    assert!(!before.is_empty());
}

#[wasm_bindgen_test]
async fn an_upgrade_by_a_newer_version_shuts_out_this_one() {
    let mut store = IdbStore::open("upgraded").await.unwrap();
    let database = raw::open("upgraded", Some(VERSION + 1)).await.unwrap();
    let late = store
        .commit(&changes(&[(Table::Meta, b"a", b"late")]))
        .await;
    assert_eq!(late, Err(StoreFault::Fenced));
    assert_eq!(
        value(&store, Table::Meta, b"a").await,
        Err(StoreFault::Fenced)
    );
    assert!(
        !raw::dump(&database)
            .await
            .iter()
            .any(|(store, ..)| store == "meta")
    );
}

#[wasm_bindgen_test]
async fn a_damaged_record_is_named_and_kept() {
    let mut store = IdbStore::open("damaged").await.unwrap();
    let rows: [(Table, &[u8], &[u8]); 2] =
        [(Table::Peers, b"a", b"one"), (Table::Peers, b"b", b"two")];
    store.commit(&changes(&rows)).await.unwrap();
    let database = raw::open("damaged", None).await.unwrap();
    raw::settled(&database).await;
    let sealed = raw::get(&database, "peers", b"a").await.unwrap();
    let damaged = Err(StoreFault::Damaged { table: "peers" });

    for at in [0, 1, 30, sealed.len() - 1] {
        let mut broken = sealed.clone();
        broken[at] ^= 1;
        raw::put(&database, "peers", b"a", &broken).await;
        assert_eq!(
            value(&store, Table::Peers, b"a").await,
            damaged,
            "byte {at}"
        );
        assert_eq!(all(&store, Table::Peers).await.map(|_| None), damaged);
    }
    for broken in [&[][..], &sealed[..10], &sealed[..sealed.len() - 1]] {
        raw::put(&database, "peers", b"a", broken).await;
        assert_eq!(
            value(&store, Table::Peers, b"a").await,
            damaged,
            "{} bytes",
            broken.len()
        );
    }
    assert_eq!(
        value(&store, Table::Peers, b"b").await,
        Ok(Some(b"two".to_vec()))
    );
    assert_eq!(
        raw::get(&database, "peers", b"a")
            .await
            .map(|left| left.len()),
        Some(sealed.len() - 1)
    );
}

#[wasm_bindgen_test]
async fn a_record_in_another_place_does_not_open() {
    let mut store = IdbStore::open("moved").await.unwrap();
    store
        .commit(&changes(&[(Table::Sessions, b"alice", b"secret")]))
        .await
        .unwrap();
    let database = raw::open("moved", None).await.unwrap();
    raw::settled(&database).await;
    let sealed = raw::get(&database, "sessions", b"alice").await.unwrap();
    raw::put(&database, "sessions", b"mallory", &sealed).await;
    raw::put(&database, "peers", b"alice", &sealed).await;
    let damaged = |table| Err(StoreFault::Damaged { table });
    assert_eq!(
        value(&store, Table::Sessions, b"mallory").await,
        damaged("sessions")
    );
    assert_eq!(
        value(&store, Table::Peers, b"alice").await,
        damaged("peers")
    );
    assert_eq!(
        value(&store, Table::Sessions, b"alice").await,
        Ok(Some(b"secret".to_vec()))
    );
}

#[wasm_bindgen_test]
async fn nothing_is_stored_in_the_clear() {
    let canary = b"canary: meet me at the harbour at nine";
    let mut store = IdbStore::open("canary").await.unwrap();
    let rows = Table::ALL.map(|table| (table, &b"key"[..], &canary[..]));
    store.commit(&changes(&rows)).await.unwrap();
    let database = raw::open("canary", None).await.unwrap();
    let journal = raw::dump(&database).await;
    raw::settled(&database).await;
    let dump = raw::dump(&database).await;
    let sealed: Vec<_> = dump
        .iter()
        .filter(|(store, ..)| store != "keys" && store != "fence")
        .collect();
    assert_eq!(sealed.len(), Table::ALL.len());
    for (_, _, record) in journal.iter().chain(&dump) {
        assert!(
            !record
                .windows(8)
                .any(|part| canary.windows(8).any(|secret| secret == part))
        );
    }
    let mut records: Vec<_> = sealed.iter().map(|(_, _, record)| record).collect();
    records.dedup();
    assert_eq!(records.len(), Table::ALL.len(), "no two are sealed alike");
    assert!(!raw::wrapping_key_is_extractable(&database).await);
}

#[wasm_bindgen_test]
async fn a_lost_store_key_is_damage_and_not_a_new_store() {
    let mut store = IdbStore::open("lost_key").await.unwrap();
    store
        .commit(&changes(&[(Table::Meta, b"a", b"kept")]))
        .await
        .unwrap();
    let database = raw::open("lost_key", None).await.unwrap();
    raw::settled(&database).await;
    drop(store);
    raw::delete_row(&database, "keys", "store_key").await;
    let opened = IdbStore::open("lost_key").await.map(drop);
    assert_eq!(opened, Err(StoreFault::Damaged { table: "keys" }));
    assert!(raw::get(&database, "meta", b"a").await.is_some());
}
