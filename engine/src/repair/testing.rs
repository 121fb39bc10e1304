//! What tests compare of two stores: the digests by which devices themselves find out whether they differ.
//! It changes nothing.

use futures_util::FutureExt;

use super::groups::{list, mark_old, refresh};
use crate::input::Timestamp;
use crate::record::{AccountRecord, Record, key};
use crate::store::memory::{MemoryStore, Snapshot};
use crate::store::{Store, Table};
use crate::tx::Tx;

/// Since when a device has history; 0: all of it. `None` if the store is of none.
#[must_use]
pub fn history_from(snapshot: &Snapshot) -> Option<u64> {
    let mut meta = snapshot.rows(Table::Meta);
    let (_, account) = meta.find(|(at, _)| *at == key::ACCOUNT)?;
    AccountRecord::read(account).ok()?.history_from
}

/// The digests of all that a store holds above a floor, made anew, each with the name of its group.
#[must_use]
pub fn digests(snapshot: &Snapshot, floor: u64, now: Timestamp) -> Vec<(Vec<u8>, [u8; 16])> {
    let mut store = MemoryStore::new();
    store.restore(snapshot);
    store.edit(Table::Digests, |_, _| crate::store::memory::Keep::No);
    let mut from = Some(Vec::new());
    while let Some(begin) = from {
        let mut tx = Tx::new(&store, now);
        from = rest(mark_old(&mut tx, &begin)).flatten();
        let (changes, _) = tx.finish();
        commit(&mut store, &changes);
    }
    loop {
        let mut tx = Tx::new(&store, now);
        let done = rest(refresh(&mut tx)).unwrap_or(true);
        let (changes, _) = tx.finish();
        commit(&mut store, &changes);
        if done {
            break;
        }
    }
    let mut tx = Tx::new(&store, now);
    let list = rest(list(&mut tx, floor, &[], &[])).unwrap_or_default();
    list.into_iter().collect()
}

fn rest<T>(step: impl Future<Output = Result<T, crate::Error>>) -> Option<T> {
    step.now_or_never()?.ok()
}

fn commit(store: &mut MemoryStore, changes: &crate::store::Changes) {
    let _ = store.commit(changes).now_or_never();
}
