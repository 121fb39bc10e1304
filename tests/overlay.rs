//! The store's overlay by itself, without a browser: what is written while older writes are on their way into the tables.
//! The module is pure, so it is compiled here a second time; `tests/store/journal.rs` shows it in a database.
#![cfg(not(target_arch = "wasm32"))]

use std::collections::BTreeMap;

use engine::store::{Changes, Direction, Loaded, Scan, Table, Wants};

#[path = "../src/idb/overlay.rs"]
mod overlay;

use overlay::Overlay;

const KEY: &[u8] = b"key";

fn written(record: Option<&[u8]>) -> Changes {
    let place = (Table::Meta, KEY.to_vec());
    Changes {
        writes: BTreeMap::from([(place, record.map(<[u8]>::to_vec))]),
    }
}

/// What a load finds when the table holds this.
fn load(overlay: &Overlay, table: Option<&[u8]>) -> Loaded {
    let all = Scan {
        table: Table::Meta,
        from: Vec::new(),
        to: None,
        direction: Direction::Forward,
        limit: 10,
    };
    let wants = Wants {
        keys: vec![(Table::Meta, KEY.to_vec())],
        scans: vec![all],
    };
    let (found, left) = overlay.look(&wants);
    let table = table.map(<[u8]>::to_vec);
    let stored = Loaded {
        values: left.keys.iter().map(|_| table.clone()).collect(),
        scans: vec![
            table
                .into_iter()
                .map(|record| (KEY.to_vec(), record))
                .collect(),
        ],
    };
    found.complete(&wants, stored)
}

fn is(loaded: &Loaded, record: Option<&[u8]>) -> bool {
    let record = record.map(<[u8]>::to_vec);
    let rows: Vec<_> = record.iter().map(|r| (KEY.to_vec(), r.clone())).collect();
    loaded.values == [record] && loaded.scans == [rows]
}

#[test]
fn a_write_that_lands_while_an_older_one_is_carried_over_is_the_one_that_counts() {
    for newer in [Some(&b"new"[..]), None] {
        let mut overlay = Overlay::default();
        overlay.append(1, written(Some(b"old")));
        let portion = overlay.oldest(10);
        overlay.append(2, written(newer)); // its row is on disk before the portion is
        overlay.carried(&portion);
        assert!(
            is(&load(&overlay, Some(b"old")), newer),
            "the table has the old one"
        );
        assert!(!overlay.is_empty());
        let rest = overlay.oldest(10);
        assert!(rest.changes == written(newer));
        overlay.carried(&rest);
        assert!(overlay.is_empty());
        assert!(is(&load(&overlay, newer), newer));
    }
}

#[test]
fn a_row_that_is_too_large_for_one_portion_is_done_with_its_last_write() {
    let mut overlay = Overlay::default();
    let writes = (0..5_u8).map(|n| ((Table::Seen, vec![n]), Some(vec![n])));
    overlay.append(
        1,
        Changes {
            writes: writes.collect(),
        },
    );
    let mut carried = Vec::new();
    while !overlay.is_empty() {
        let portion = overlay.oldest(2);
        assert!(portion.changes.writes.len() <= 2);
        assert_eq!(portion.done.is_empty(), carried.len() < 4);
        carried.extend(portion.changes.writes.keys().map(|(_, key)| key[0]));
        overlay.carried(&portion);
    }
    assert_eq!(carried, [0, 1, 2, 3, 4]);
    assert_eq!(overlay.next_number(), 2);
}

#[test]
fn an_empty_journal_takes_any_commit_and_a_full_one_none() {
    let mut overlay = Overlay::default();
    let writes = (0..9_000_u32).map(|n| ((Table::Seen, n.to_be_bytes().to_vec()), None));
    let large = Changes {
        writes: writes.collect(),
    };
    assert!(overlay.has_room(&large));
    overlay.append(1, large);
    assert!(!overlay.has_room(&written(None)));
}
