//! When the journal is carried over into the tables: while nobody asks for anything, and when it is too large.
//!
//! Each portion is one transaction of a bounded size, so whoever comes meanwhile waits for one of them at most. Whether
//! and when it happens changes nothing of what a load finds. A fault is kept for the next operation, since nobody waits
//! for this one; but where the disk is full, the journal simply stays: what it holds is durable and found.

use std::cell::Cell;
use std::rc::{Rc, Weak};

use engine::StoreFault;
use engine::store::Changes;
use wasm_bindgen_futures::spawn_local;

use super::{Shared, commit};
use crate::clock::Timer;

/// A store that nobody asked anything for so long is idle: longer than the pauses within a catch-up or a send, and shorter
/// than a person's.
const IDLE_MS: u64 = 50;
/// Writes in one transaction, about 15 ms of the browser's work.
const PORTION_MAX: usize = 128;

/// The state of the background task.
#[derive(Debug, Default)]
pub(super) struct Carrier {
    running: Cell<bool>,
    /// Somebody asked for something since the task last looked.
    touched: Cell<bool>,
    fault: Cell<Option<StoreFault>>,
}

impl Carrier {
    /// Somebody asks for something: this is not the time. A fault from before is theirs to hear.
    pub(super) fn touch(&self) -> Result<(), StoreFault> {
        self.touched.set(true);
        self.fault.get().map_or(Ok(()), Err)
    }
}

/// Starts the background task, unless it runs or has nothing to do.
pub(super) fn start(shared: &Rc<Shared>) {
    if shared.overlay.borrow().is_empty() || shared.carrier.running.replace(true) {
        return;
    }
    spawn_local(run(Rc::downgrade(shared)));
}

/// Carries over until these changes fit into the journal.
pub(super) async fn make_room(shared: &Shared, changes: &Changes) -> Result<(), StoreFault> {
    while !shared.overlay.borrow().has_room(changes) {
        portion(shared).await?;
    }
    Ok(())
}

/// Ends with the store, with its work, or with a fault.
async fn run(store: Weak<Shared>) {
    loop {
        Timer::after_ms(IDLE_MS).await;
        // While the portion is on its way the store stays open, even if its owner drops it.
        let Some(shared) = store.upgrade() else {
            return;
        };
        let carrier = &shared.carrier;
        while !carrier.touched.replace(false) {
            if shared.overlay.borrow().is_empty() {
                carrier.running.set(false);
                return;
            }
            if let Err(fault) = portion(&shared).await {
                carrier.running.set(false);
                carrier
                    .fault
                    .set((fault != StoreFault::Full).then_some(fault));
                return;
            }
        }
    }
}

/// One transaction. Its order among others is settled before anything is waited for, so what is written into a table is
/// never older than what stands there.
async fn portion(shared: &Shared) -> Result<(), StoreFault> {
    let fence = shared.fence.ok_or(StoreFault::Full)?;
    let portion = shared.overlay.borrow().oldest(PORTION_MAX);
    commit::carry(&shared.connection, &shared.sealer, fence, &portion).await?;
    shared.overlay.borrow_mut().carried(&portion);
    Ok(())
}
