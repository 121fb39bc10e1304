//! Which envelopes have been dealt with and may come again, since their acks may have been lost.
//!
//! Memory holds all marks, the store holds them in pages, so that a batch costs no look-up and one or two writes.
//! A mark is for one *generation*: the time from one "queue empty" of the relay to the next. After two of them its
//! envelope can't come again, since its ack has arrived. It does not know what is in an envelope.

use std::collections::BTreeSet;

use crate::error::Error;
use crate::limits::{SEEN_DELETED_MAX, SEEN_MAX, SEEN_PAGE};
use crate::record::{Record, SeenRecord, key};
use crate::store::{Direction, Scan, Table};
use crate::tx::Tx;

/// The relay's name for an envelope.
type Guid = [u8; 16];

/// The marks of this generation and the one before.
pub(crate) struct Seen {
    generation: u32,
    before: BTreeSet<Guid>,
    current: BTreeSet<Guid>,
    /// The newest page of this generation, not yet full, and its number.
    page: Vec<Guid>,
    number: u32,
    /// Full pages that are not in the store yet.
    full: Vec<(u32, Vec<Guid>)>,
    changed: bool,
}

impl Seen {
    /// Reads what the store holds.
    pub(crate) async fn read(tx: &mut Tx<'_>, generation: u32) -> Result<Self, Error> {
        let mut seen = Self::empty(generation);
        let scan = Scan {
            table: Table::Seen,
            from: key::seen(generation.saturating_sub(1), 0),
            to: None,
            direction: Direction::Backward,
            limit: SEEN_MAX / SEEN_PAGE,
        };
        for (at, bytes) in tx.scan(scan).await?.into_iter().rev() {
            let Some((of, number)) = key::split_seen(&at) else {
                continue;
            };
            let record = SeenRecord::read(&bytes)?;
            let (guids, _) = record.guids.as_chunks::<16>();
            let page = guids.to_vec();
            if of == generation {
                seen.current.extend(&page);
                (seen.number, seen.page) = (number, page);
            } else {
                seen.before.extend(&page);
            }
        }
        seen.turn_page();
        seen.full.clear(); // that one is in the store
        Ok(seen)
    }

    fn empty(generation: u32) -> Self {
        Self {
            generation,
            before: BTreeSet::new(),
            current: BTreeSet::new(),
            page: Vec::new(),
            number: 0,
            full: Vec::new(),
            changed: false,
        }
    }

    /// Marks an envelope; gives false if it was marked before.
    pub(crate) fn mark(&mut self, guid: Guid) -> bool {
        if self.before.contains(&guid) || !self.current.insert(guid) {
            return false;
        }
        self.page.push(guid);
        self.changed = true;
        self.turn_page();
        if self.current.len() > SEEN_MAX {
            self.before = std::mem::take(&mut self.current);
        }
        true
    }

    fn turn_page(&mut self) {
        if self.page.len() >= SEEN_PAGE {
            let page = std::mem::take(&mut self.page);
            self.full.push((self.number, page));
            self.number = self.number.saturating_add(1);
        }
    }

    /// Hands the marks that are new to the transaction.
    pub(crate) fn store(&mut self, tx: &mut Tx<'_>) {
        if !std::mem::take(&mut self.changed) {
            return;
        }
        let open = (!self.page.is_empty()).then(|| (self.number, self.page.clone()));
        for (number, page) in self.full.drain(..).chain(open) {
            let record = SeenRecord {
                guids: page.concat(),
            };
            tx.put(&key::seen(self.generation, number), &record);
        }
    }

    /// The mailbox was empty: the next generation, and what is older than this one is forgotten.
    pub(crate) async fn next_generation(
        &mut self,
        tx: &mut Tx<'_>,
        generation: u32,
    ) -> Result<(), Error> {
        let old = Scan {
            to: Some(key::seen(self.generation, 0)),
            ..Scan::all(Table::Seen, SEEN_DELETED_MAX)
        };
        for (at, _) in tx.scan(old).await? {
            tx.delete(Table::Seen, &at);
        }
        *self = Self {
            before: std::mem::take(&mut self.current),
            ..Self::empty(generation)
        };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;
    use crate::input::Timestamp;
    use crate::store::Store;
    use crate::store::memory::MemoryStore;

    fn guid(n: u32) -> Guid {
        u128::from(n).to_be_bytes()
    }

    /// Opened from the store, changed, written back.
    fn opened<T>(
        store: &mut MemoryStore,
        generation: u32,
        change: impl AsyncFnOnce(&mut Seen, &mut Tx<'_>) -> T,
    ) -> T {
        let reader = store.clone();
        let mut tx = Tx::new(&reader, Timestamp(0));
        let done = async {
            let mut seen = Seen::read(&mut tx, generation).await.unwrap();
            let result = change(&mut seen, &mut tx).await;
            seen.store(&mut tx);
            store.commit(&tx.finish().0).await.unwrap();
            result
        };
        done.now_or_never().unwrap()
    }

    fn fresh(store: &mut MemoryStore, generation: u32, guids: std::ops::Range<u32>) -> usize {
        opened(store, generation, async |seen, _| {
            guids.filter(|n| seen.mark(guid(*n))).count()
        })
    }

    fn pages(store: &MemoryStore) -> usize {
        store.snapshot().count(Table::Seen)
    }

    #[test]
    fn an_envelope_is_fresh_once_whatever_page_its_mark_is_on() {
        let mut store = MemoryStore::new();
        for from in [0, 1, 100, 127, 128, 300] {
            fresh(&mut store, 0, 0..from);
            assert_eq!(fresh(&mut store, 0, 0..from), 0, "{from} marks");
            assert_eq!(pages(&store), (from as usize).div_ceil(SEEN_PAGE));
        }
        assert_eq!(fresh(&mut store, 0, 250..350), 50);
    }

    #[test]
    fn marks_live_for_two_generations() {
        let mut store = MemoryStore::new();
        fresh(&mut store, 0, 0..200);
        for generation in 0..2 {
            opened(&mut store, generation, async |seen, tx| {
                let again = (0..200).filter(|n| !seen.mark(guid(*n))).count();
                assert_eq!(again, 200, "generation {generation}");
                seen.next_generation(tx, generation + 1).await.unwrap();
            });
        }
        assert_eq!(pages(&store), 0);
        assert_eq!(fresh(&mut store, 2, 0..200), 200);
    }

    #[test]
    fn a_generation_without_end_is_held_in_bounds() {
        let mut store = MemoryStore::new();
        let most = u32::try_from(SEEN_MAX).unwrap();
        opened(&mut store, 0, async |seen, _| {
            for n in 0..3 * most {
                seen.mark(guid(n));
            }
            assert!(seen.before.len() + seen.current.len() <= 2 * SEEN_MAX + 2);
        });
    }
}
