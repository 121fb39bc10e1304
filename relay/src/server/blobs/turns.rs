//! One writer for each blob, and the newest comes first.
//!
//! A client that lost its connection comes back while its older request still hangs: the older one must stop, and not
//! write behind the back of the newer. It does not know what is written.
//! Invariant: a [`Turn`] is the only one for its blob, and what is kept for a blob goes with its last turn.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedMutexGuard, watch};
use wire::BlobId;

type Slots = Arc<Mutex<BTreeMap<BlobId, Arc<Slot>>>>;

/// Who writes to which blob.
#[derive(Debug, Default)]
pub(super) struct Turns {
    slots: Slots,
}

#[derive(Debug)]
struct Slot {
    /// Number of the newest request.
    newest: watch::Sender<u64>,
    busy: Arc<tokio::sync::Mutex<()>>,
}

/// The right to write to a blob, until it is dropped.
#[derive(Debug)]
pub(super) struct Turn {
    newest: watch::Receiver<u64>,
    _busy: OwnedMutexGuard<()>,
    // After the lock: what waits for it keeps the slot.
    _place: Place,
}

/// A place in the line for a blob.
#[derive(Debug)]
struct Place {
    slots: Slots,
    id: BlobId,
    slot: Arc<Slot>,
}

impl Turns {
    /// Waits until the older ones have stopped. None if a newer one has come meanwhile.
    pub(super) async fn take(&self, id: BlobId) -> Option<Turn> {
        let place = self.place(id);
        let mut number = 0;
        place.slot.newest.send_modify(|newest| {
            *newest += 1;
            number = *newest;
        });
        let busy = Arc::clone(&place.slot.busy).lock_owned().await;
        let mut newest = place.slot.newest.subscribe();
        let is_newest = *newest.borrow_and_update() == number;
        is_newest.then_some(Turn {
            newest,
            _busy: busy,
            _place: place,
        })
    }

    fn place(&self, id: BlobId) -> Place {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let slot = slots.entry(id).or_insert_with(|| {
            Arc::new(Slot {
                newest: watch::Sender::new(0),
                busy: Arc::default(),
            })
        });
        Place {
            slots: Arc::clone(&self.slots),
            id,
            slot: Arc::clone(slot),
        }
    }
}

impl Turn {
    /// Resolves once a newer one waits.
    pub(super) async fn passed(&mut self) {
        if self.newest.changed().await.is_err() {
            // The sender is in the slot that this turn holds.
            std::future::pending::<()>().await;
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        // The map's and this one: nobody else is in the line, and nobody can come while the map is locked.
        if Arc::strong_count(&self.slot) == 2 {
            slots.remove(&self.id);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    const ID: BlobId = BlobId::from_bytes([1; 16]);

    #[tokio::test]
    async fn a_newer_one_waits_until_the_older_has_stopped() {
        let turns = Arc::new(Turns::default());
        let mut first = turns.take(ID).await.unwrap();
        let soon = Duration::from_millis(20);
        timeout(soon, first.passed()).await.unwrap_err();
        let waiting = tokio::spawn({
            let turns = Arc::clone(&turns);
            async move { turns.take(ID).await.is_some() }
        });
        first.passed().await;
        assert!(!waiting.is_finished());
        drop(first);
        assert!(waiting.await.unwrap());
    }

    #[tokio::test]
    async fn of_two_that_wait_the_newer_gets_the_turn() {
        let turns = Arc::new(Turns::default());
        let mut first = turns.take(ID).await.unwrap();
        let take = || {
            let turns = Arc::clone(&turns);
            tokio::spawn(async move { turns.take(ID).await.is_some() })
        };
        let second = take();
        first.passed().await;
        let third = take();
        first.passed().await;
        drop(first);
        assert!(!second.await.unwrap());
        assert!(third.await.unwrap());
    }

    #[tokio::test]
    async fn blobs_do_not_wait_for_each_other_and_leave_nothing() {
        let turns = Turns::default();
        let first = turns.take(ID).await.unwrap();
        let other = turns.take(BlobId::from_bytes([2; 16])).await.unwrap();
        assert_eq!(turns.slots.lock().unwrap().len(), 2);
        drop((first, other));
        assert!(turns.slots.lock().unwrap().is_empty());
    }
}
