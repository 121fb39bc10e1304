//! What every store must do, as one suite: run on the memory store natively and on IndexedDB in browsers.
//!
//! A claim gets a way to open one place, empty at first, and reads back only through a store opened anew,
//! so that no cache can answer for it. It does not know what kind of store it looks at.
//! `store_claims!` names every claim once; each kind of store makes its tests from that list.

mod scans;

use std::collections::BTreeMap;
use std::fmt;

pub use scans::{
    a_backward_scan_begins_at_the_end, a_scan_keeps_to_its_limit, a_scan_keeps_to_its_range,
    keys_are_ordered_as_bytes,
};

use super::{Changes, Direction, Loaded, Row, Scan, Store, Table, Wants};
use crate::error::StoreFault;

/// The verdict on a claim.
pub type Checked = Result<(), Broken>;

/// What a store did that it must not do.
pub enum Broken {
    /// It failed.
    Fault(StoreFault),
    /// It said something else.
    Claim(&'static str),
}

impl fmt::Debug for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fault(fault) => write!(f, "the store failed: {fault:?}"),
            Self::Claim(claim) => write!(f, "not kept: {claim}"),
        }
    }
}

impl From<StoreFault> for Broken {
    fn from(fault: StoreFault) -> Self {
        Self::Fault(fault)
    }
}

/// Calls a macro with the name of every claim.
#[macro_export]
macro_rules! store_claims {
    ($claim:ident) => {
        $claim!(an_empty_store_holds_nothing);
        $claim!(what_is_committed_is_loaded);
        $claim!(any_bytes_are_a_key_and_a_record);
        $claim!(a_write_replaces_and_a_delete_removes);
        $claim!(values_come_in_the_order_they_were_asked_for);
        $claim!(keys_are_ordered_as_bytes);
        $claim!(a_scan_keeps_to_its_range);
        $claim!(a_backward_scan_begins_at_the_end);
        $claim!(a_scan_keeps_to_its_limit);
        $claim!(a_large_batch_is_one_commit);
        $claim!(a_store_agrees_with_a_map);
    };
}

/// A claim about an empty place.
pub async fn an_empty_store_holds_nothing<S: Store>(open: &impl AsyncFn() -> S) -> Checked {
    for table in Table::ALL {
        let found = load(
            open,
            &[(table, b"key")],
            vec![all_of(table, Direction::Forward)],
        )
        .await?;
        ensure(found.values == [None], "a key nobody wrote has no record")?;
        ensure(
            found.scans == [Vec::new()],
            "a table nobody wrote to has no rows",
        )?;
    }
    let nothing = open().await.load(&Wants::default()).await?;
    ensure(
        nothing == Loaded::default(),
        "who asks for nothing gets nothing",
    )?;
    open().await.commit(&Changes::default()).await?;
    Ok(())
}

/// Every table keeps its own record under the same key.
pub async fn what_is_committed_is_loaded<S: Store>(open: &impl AsyncFn() -> S) -> Checked {
    let rows = Table::ALL.map(|table| (table, b"key".to_vec(), Some(table.name().into())));
    commit(open, rows).await?;
    for table in Table::ALL {
        let found = load(
            open,
            &[(table, b"key")],
            vec![all_of(table, Direction::Forward)],
        )
        .await?;
        let record = table.name().as_bytes().to_vec();
        ensure(
            found.values == [Some(record.clone())],
            "a table keeps its own record",
        )?;
        ensure(
            found.scans == [vec![(b"key".to_vec(), record)]],
            "a scan sees what a key sees",
        )?;
    }
    Ok(())
}

/// Keys and records may be empty, long, and of any bytes.
pub async fn any_bytes_are_a_key_and_a_record<S: Store>(open: &impl AsyncFn() -> S) -> Checked {
    let every_byte: Vec<u8> = (0..=255).collect();
    let long: Vec<u8> = every_byte.iter().copied().cycle().take(200_000).collect();
    let rows: [Row; 4] = [
        (Vec::new(), Vec::new()),
        (vec![0], vec![0]),
        (vec![0xff; 300], every_byte.clone()),
        (every_byte, long),
    ];
    commit(
        open,
        rows.clone()
            .map(|(key, record)| (Table::Messages, key, Some(record))),
    )
    .await?;
    for (key, record) in rows {
        let found = load(open, &[(Table::Messages, &key)], Vec::new()).await?;
        ensure(
            found.values == [Some(record)],
            "a record comes back byte for byte",
        )?;
    }
    Ok(())
}

/// The last write counts; deleting what is not there is no error.
pub async fn a_write_replaces_and_a_delete_removes<S: Store>(
    open: &impl AsyncFn() -> S,
) -> Checked {
    let key = || b"key".to_vec();
    commit(
        open,
        [(Table::Meta, key(), Some(b"old and longer".to_vec()))],
    )
    .await?;
    commit(open, [(Table::Meta, key(), Some(b"new".to_vec()))]).await?;
    let found = load(open, &[(Table::Meta, b"key")], Vec::new()).await?;
    ensure(
        found.values == [Some(b"new".to_vec())],
        "the last write counts",
    )?;
    commit(
        open,
        [(Table::Meta, key(), None), (Table::Seen, key(), None)],
    )
    .await?;
    let found = load(open, &[(Table::Meta, b"key")], Vec::new()).await?;
    ensure(found.values == [None], "a deleted record is gone")
}

/// Also when some are missing, and when one is asked for twice.
pub async fn values_come_in_the_order_they_were_asked_for<S: Store>(
    open: &impl AsyncFn() -> S,
) -> Checked {
    let one = |table, key: &[u8], record: &[u8]| (table, key.to_vec(), Some(record.to_vec()));
    commit(
        open,
        [
            one(Table::Peers, b"a", b"1"),
            one(Table::Outbox, b"b", b"2"),
        ],
    )
    .await?;
    let wants = [
        (Table::Outbox, &b"b"[..]),
        (Table::Outbox, b"a"),
        (Table::Peers, b"a"),
        (Table::Outbox, b"b"),
    ];
    let scans = vec![
        all_of(Table::Outbox, Direction::Backward),
        all_of(Table::Seen, Direction::Forward),
        all_of(Table::Peers, Direction::Forward),
    ];
    let found = load(open, &wants, scans).await?;
    let value = |record: &[u8]| Some(record.to_vec());
    ensure(
        found.values == [value(b"2"), None, value(b"1"), value(b"2")],
        "values keep the order asked for",
    )?;
    let row = |key: &[u8], record: &[u8]| vec![(key.to_vec(), record.to_vec())];
    ensure(
        found.scans == [row(b"b", b"2"), Vec::new(), row(b"a", b"1")],
        "scans keep the order asked for",
    )
}

/// The size of a night's catch-up, over all tables.
pub async fn a_large_batch_is_one_commit<S: Store>(open: &impl AsyncFn() -> S) -> Checked {
    const ROWS: u32 = 200;
    let row = |table, n: u32| (table, n.to_be_bytes().to_vec(), Some(vec![7; 500]));
    let rows = Table::ALL
        .into_iter()
        .flat_map(|table| (0..ROWS).map(move |n| row(table, n)));
    commit(open, rows).await?;
    let scans = Table::ALL
        .map(|table| all_of(table, Direction::Forward))
        .into();
    let found = load(open, &[], scans).await?;
    let whole = found.scans.iter().all(|rows| rows.len() == 200);
    ensure(whole, "every row of a large batch is there")
}

/// A few hundred commits and scans, arbitrary but always the same.
pub async fn a_store_agrees_with_a_map<S: Store>(open: &impl AsyncFn() -> S) -> Checked {
    let mut state: u32 = 0x2545_f491;
    let mut below = |limit: u8| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        let [byte, ..] = state.to_be_bytes();
        byte % limit
    };
    let mut map: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
    let mut store = open().await;
    for round in 0_u32..100 {
        let mut changes = Changes::default();
        for _ in 0..=below(6) {
            let key = vec![0; usize::from(below(3))]
                .into_iter()
                .chain([below(9)])
                .collect::<Vec<u8>>();
            let record = (below(4) > 0).then(|| round.to_be_bytes().to_vec());
            match &record {
                Some(record) => map.insert(key.clone(), record.clone()),
                None => map.remove(&key),
            };
            changes.writes.insert((Table::Sessions, key), record);
        }
        store.commit(&changes).await?;
        if below(10) == 0 {
            store = open().await;
        }
        let from = vec![below(9)];
        let scan = |direction| Scan {
            from: from.clone(),
            ..all_of(Table::Sessions, direction)
        };
        let wants = Wants {
            keys: Vec::new(),
            scans: vec![scan(Direction::Forward), scan(Direction::Backward)],
        };
        let rows: Vec<Row> = map
            .range(from.clone()..)
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect();
        let reversed = rows.iter().rev().cloned().collect();
        ensure(
            store.load(&wants).await?.scans == [rows, reversed],
            "a store agrees with a map",
        )?;
    }
    Ok(())
}

fn ensure(kept: bool, claim: &'static str) -> Checked {
    if kept {
        Ok(())
    } else {
        Err(Broken::Claim(claim))
    }
}

fn all_of(table: Table, direction: Direction) -> Scan {
    Scan {
        table,
        from: Vec::new(),
        to: None,
        direction,
        limit: 1000,
    }
}

async fn commit<S: Store>(
    open: &impl AsyncFn() -> S,
    rows: impl IntoIterator<Item = (Table, Vec<u8>, Option<Vec<u8>>)>,
) -> Checked {
    let writes = rows
        .into_iter()
        .map(|(table, key, record)| ((table, key), record))
        .collect();
    Ok(open().await.commit(&Changes { writes }).await?)
}

async fn load<S: Store>(
    open: &impl AsyncFn() -> S,
    keys: &[(Table, &[u8])],
    scans: Vec<Scan>,
) -> Result<Loaded, Broken> {
    let keys = keys
        .iter()
        .map(|(table, key)| (*table, key.to_vec()))
        .collect();
    Ok(open().await.load(&Wants { keys, scans }).await?)
}
