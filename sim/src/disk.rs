//! A browser's database, as the simulator needs it: the engine's memory store, which can be looked into,
//! and which can be made to lie about its commits, so that the checks have something to find.
//! It does not know what records mean.

use std::cell::Cell;
use std::rc::Rc;

use engine::StoreFault;
use engine::store::memory::MemoryStore;
use engine::store::{Changes, Direction, Loaded, Row, Scan, Store, Table, Wants};
use futures_util::FutureExt;

/// A memory store behind a window. Clones share everything.
#[derive(Clone, Debug, Default)]
pub(crate) struct Disk {
    pub(crate) store: MemoryStore,
    /// After so many more commits, they are said to be written and are not.
    forgets_after: Rc<Cell<Option<u64>>>,
}

impl Disk {
    pub(crate) fn new(store: MemoryStore) -> Self {
        Self {
            store,
            forgets_after: Rc::default(),
        }
    }

    /// Makes it say "written" without writing, once it has written so many more commits.
    #[cfg(test)]
    pub(crate) fn forget_after(&self, commits: u64) {
        self.forgets_after.set(Some(commits));
    }

    /// Whether a table has such a record.
    pub(crate) fn any(&self, table: Table, is: impl Fn(&Row) -> bool) -> bool {
        let wants = Wants {
            keys: Vec::new(),
            scans: vec![Scan {
                table,
                from: Vec::new(),
                to: None,
                direction: Direction::Forward,
                limit: usize::MAX,
            }],
        };
        let loaded = self.store.load(&wants).now_or_never();
        let Some(Ok(Loaded { scans, .. })) = loaded else {
            return true; // a disk that can't be read proves nothing
        };
        scans.iter().flatten().any(is)
    }
}

impl Store for Disk {
    async fn load(&self, wants: &Wants) -> Result<Loaded, StoreFault> {
        self.store.load(wants).await
    }

    async fn commit(&mut self, changes: &Changes) -> Result<(), StoreFault> {
        match self.forgets_after.get() {
            Some(0) => return Ok(()),
            Some(left) => self.forgets_after.set(Some(left - 1)),
            None => {}
        }
        self.store.commit(changes).await
    }
}
