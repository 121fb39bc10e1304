//! A table that can take back what a transaction did to it.
//! Invariant: `replaced` holds, oldest first, what each write of the open transaction put aside.

use std::collections::BTreeMap;

/// Rows by key, and what the open transaction replaced, oldest first.
#[derive(Clone, Debug)]
pub(super) struct Table<K, V> {
    pub(super) rows: BTreeMap<K, V>,
    replaced: Vec<(K, Option<V>)>,
    mark: usize,
}

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Self {
            rows: BTreeMap::new(),
            replaced: Vec::new(),
            mark: 0,
        }
    }
}

impl<K: Ord + Clone, V: Clone> Table<K, V> {
    pub(super) fn put(&mut self, key: K, row: V) {
        let old = self.rows.insert(key.clone(), row);
        self.replaced.push((key, old));
    }

    pub(super) fn remove(&mut self, key: &K) -> Option<V> {
        let old = self.rows.remove(key)?;
        self.replaced.push((key.clone(), Some(old.clone())));
        Some(old)
    }

    /// Removes the first so many rows of which this holds, and gives how many it were.
    pub(super) fn remove_where(
        &mut self,
        holds: impl Fn(&K, &V) -> bool,
        rows_max: usize,
    ) -> usize {
        let found = self.rows.iter().filter(|(key, row)| holds(key, row));
        let keys: Vec<K> = found.take(rows_max).map(|(key, _)| key.clone()).collect();
        keys.iter().filter_map(|key| self.remove(key)).count()
    }

    fn take_back(&mut self, down_to: usize) {
        while self.replaced.len() > down_to {
            match self.replaced.pop() {
                Some((key, Some(old))) => {
                    self.rows.insert(key, old);
                }
                Some((key, None)) => {
                    self.rows.remove(&key);
                }
                None => return,
            }
        }
    }
}

/// The same for every table, whatever it holds.
pub(super) trait Undo {
    fn mark(&mut self);
    fn to_mark(&mut self);
    fn to_begin(&mut self);
    fn forget(&mut self);
}

impl<K: Ord + Clone, V: Clone> Undo for Table<K, V> {
    fn mark(&mut self) {
        self.mark = self.replaced.len();
    }

    fn to_mark(&mut self) {
        self.take_back(self.mark);
    }

    fn to_begin(&mut self) {
        self.take_back(0);
        self.mark = 0;
    }

    fn forget(&mut self) {
        self.replaced.clear();
        self.mark = 0;
    }
}
