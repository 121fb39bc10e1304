//! The reference store: tables in memory, with crashes and snapshots for tests.
//!
//! Clones share their tables, as two openings of one database do. A planned crash makes a commit fail
//! either before it is written or after: the two things a dying process can leave behind.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::Bound;
use std::rc::Rc;

use super::{Changes, Direction, Loaded, Row, Scan, Store, Table, Wants};
use crate::error::StoreFault;

type Tables = BTreeMap<(Table, Vec<u8>), Vec<u8>>;

/// Which side of the write a planned crash falls on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crash {
    /// Nothing was written.
    BeforeWrite,
    /// Everything was written, but nobody was told.
    AfterWrite,
}

/// Whether an edited record stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// It stays, as edited.
    Yes,
    /// It is gone.
    No,
}

#[derive(Default)]
struct Inner {
    tables: Tables,
    commits: u64,
    crash: Option<(u64, Crash)>,
    crash_on: Option<Table>,
    fault: Option<StoreFault>,
}

/// Records in memory.
#[derive(Clone, Default)]
pub struct MemoryStore(Rc<RefCell<Inner>>);

/// All records at one moment.
#[derive(Clone, PartialEq, Eq)]
pub struct Snapshot(Tables);

impl std::fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "MemoryStore({} records)", self.0.borrow().tables.len())
    }
}

impl std::fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Snapshot({} records)", self.0.len())
    }
}

impl Snapshot {
    /// Only these tables.
    #[must_use]
    pub fn only(&self, tables: &[Table]) -> Self {
        let inside = |((table, _), _): &(&(Table, Vec<u8>), &Vec<u8>)| tables.contains(table);
        let records = self.0.iter().filter(inside);
        Self(
            records
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect(),
        )
    }

    /// The keys of a table's records.
    pub fn keys(&self, table: Table) -> impl Iterator<Item = &[u8]> {
        let inside = self.0.keys().filter(move |(of, _)| *of == table);
        inside.map(|(_, key)| key.as_slice())
    }

    /// The records of a table with their keys.
    pub fn rows(&self, table: Table) -> impl Iterator<Item = (&[u8], &[u8])> {
        let inside = self.0.iter().filter(move |((of, _), _)| *of == table);
        inside.map(|((_, key), value)| (key.as_slice(), value.as_slice()))
    }

    /// How many records a table holds.
    #[must_use]
    pub fn count(&self, table: Table) -> usize {
        self.only(&[table]).0.len()
    }
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many commits have been written so far.
    #[must_use]
    pub fn commits(&self) -> u64 {
        self.0.borrow().commits
    }

    /// Makes the `n`th commit from now (0 is the next) fail once, on this side of the write.
    pub fn crash_at(&self, n: u64, crash: Crash) {
        self.0.borrow_mut().crash = Some((n, crash));
    }

    /// Fails every commit that writes to this table, as code would that dies of what it reads.
    pub fn crash_on(&self, table: Option<Table>) {
        self.0.borrow_mut().crash_on = table;
    }

    /// Makes every operation fail from now on, until called with `None`.
    pub fn fail_with(&self, fault: Option<StoreFault>) {
        self.0.borrow_mut().fault = fault;
    }

    /// All records now.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        Snapshot(self.0.borrow().tables.clone())
    }

    /// Puts all records back to how they were.
    pub fn restore(&self, snapshot: &Snapshot) {
        self.0.borrow_mut().tables = snapshot.0.clone();
    }

    /// Changes records of a table behind the engine's back.
    pub fn edit(&self, table: Table, mut edit: impl FnMut(&[u8], &mut Vec<u8>) -> Keep) {
        let tables = &mut self.0.borrow_mut().tables;
        tables.retain(|(of, key), value| *of != table || edit(key, value) == Keep::Yes);
    }

    /// A store of its own with the same records.
    #[must_use]
    pub fn copy(&self) -> Self {
        let copy = Self::new();
        copy.restore(&self.snapshot());
        copy
    }
}

impl Store for MemoryStore {
    async fn load(&self, wants: &Wants) -> Result<Loaded, StoreFault> {
        let inner = self.0.borrow();
        if let Some(fault) = inner.fault {
            return Err(fault);
        }
        let Wants { keys, scans } = wants;
        Ok(Loaded {
            values: keys
                .iter()
                .map(|key| inner.tables.get(key).cloned())
                .collect(),
            scans: scans.iter().map(|scan| rows(&inner.tables, scan)).collect(),
        })
    }

    async fn commit(&mut self, changes: &Changes) -> Result<(), StoreFault> {
        let mut inner = self.0.borrow_mut();
        if let Some(fault) = inner.fault {
            return Err(fault);
        }
        let touches = |table| changes.writes.keys().any(|(of, _)| *of == table);
        if inner.crash_on.is_some_and(touches) {
            return Err(StoreFault::Failed);
        }
        let crash = match &mut inner.crash {
            Some((0, crash)) => Some(*crash),
            Some((n, _)) => {
                *n -= 1;
                None
            }
            None => None,
        };
        if crash.is_some() {
            inner.crash = None;
        }
        if crash == Some(Crash::BeforeWrite) {
            return Err(StoreFault::Failed);
        }
        let Changes { writes } = changes;
        for (key, value) in writes {
            match value {
                Some(value) => inner.tables.insert(key.clone(), value.clone()),
                None => inner.tables.remove(key),
            };
        }
        inner.commits += 1;
        if crash == Some(Crash::AfterWrite) {
            Err(StoreFault::Failed)
        } else {
            Ok(())
        }
    }
}

fn rows(tables: &Tables, scan: &Scan) -> Vec<Row> {
    let Scan {
        table,
        from,
        to,
        direction,
        limit,
    } = scan;
    let inside = |((t, key), value): (&(Table, Vec<u8>), &Vec<u8>)| {
        let before_end = to.as_ref().is_none_or(|to| key < to);
        (t == table && key >= from && before_end).then(|| (key.clone(), value.clone()))
    };
    let start = Bound::Included((*table, from.clone()));
    match (direction, to) {
        (Direction::Forward, _) => tables
            .range((start, Bound::Unbounded))
            .map_while(inside)
            .take(*limit)
            .collect(),
        (Direction::Backward, Some(to)) if to <= from => Vec::new(),
        (Direction::Backward, Some(to)) => {
            let end = Bound::Excluded((*table, to.clone()));
            tables
                .range((start, end))
                .rev()
                .map_while(inside)
                .take(*limit)
                .collect()
        }
        (Direction::Backward, None) => {
            let all: Vec<Row> = tables
                .range((start, Bound::Unbounded))
                .map_while(inside)
                .collect();
            all.into_iter().rev().take(*limit).collect()
        }
    }
}
