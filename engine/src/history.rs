//! History on its way from one own device to another that was linked: in pieces, each of which lies as an encrypted blob at
//! the relay and is told of in a message to that device alone.
//!
//! ```text
//!   sender:    cut a piece --PutBlob--> at the relay --commit--> tell the device, go on behind it
//!   receiver:  told --commit--> --GetBlob--> read all of it, then merge in commits of bounded size --> say how far it is
//! ```
//!
//! What is on its way is in [`Table::Transfers`], so both sides go on after a crash: a piece that was not told of is cut
//! again, one that was not merged to its end is fetched again, and merging twice is nothing. The host moves the bytes.
//! What a piece holds is the business of `piece`, what merging means that of `archive`.

mod archive;
pub(crate) mod choice;
pub(crate) mod cut;
pub mod file;
pub(crate) mod piece;
mod receive;
mod send;
mod taken;

use wire::DeviceId;

use crate::error::{Error, Refusal};
use crate::flat::{Map, Set};
use crate::input::{BlobEnd, BlobFault, BlobTask, Ticket, Timestamp};
use crate::limits::HISTORY_RETRY_MS;
use crate::output::{Event, Progress};
use crate::record::key;
use crate::state::State;
use crate::store::{Scan, Table};
use crate::tx::Tx;
use receive::Merging;
use send::Putting;

/// What memory knows of it; all but what is in flight is a copy of what the store holds.
#[derive(Debug, Default)]
pub(crate) struct History {
    tasks: u32,
    putting: Option<Putting>,
    getting: Option<(BlobTask, Vec<u8>)>,
    merging: Option<Merging>,
    /// Devices that history is on its way to.
    outgoing: Set<DeviceId>,
    /// There may be a piece to fetch.
    has_incoming: bool,
    put_at: Option<Timestamp>,
    get_at: Option<Timestamp>,
    /// Approvals that the relay is being asked about, and what was chosen with them.
    approving: Map<Ticket, Vec<u8>>,
}

impl History {
    /// Reads what the store holds.
    pub(crate) async fn read(tx: &mut Tx<'_>) -> Result<Self, Error> {
        let mut history = Self {
            has_incoming: true,
            ..Self::default()
        };
        let rows = tx
            .scan(Scan::prefix(Table::Transfers, key::HISTORY_OUT, 256))
            .await?;
        let devices = rows.iter().filter_map(|(at, _)| key::split_history_out(at));
        history.outgoing.extend(devices);
        Ok(history)
    }

    /// There is something to merge.
    pub(crate) const fn is_merging(&self) -> bool {
        self.merging.is_some()
    }

    /// A time that has come is of no use where nothing would be done: a timer for it would be due for ever.
    fn may_put(&self) -> bool {
        self.putting.is_none() && !self.outgoing.is_empty()
    }

    fn may_get(&self) -> bool {
        self.getting.is_none() && self.merging.is_none() && self.has_incoming
    }

    fn next_task(&mut self) -> BlobTask {
        self.tasks = self.tasks.wrapping_add(1);
        BlobTask(self.tasks)
    }
}

impl State {
    /// When something is tried again.
    pub(crate) fn history_deadline(&self) -> Option<Timestamp> {
        let History { put_at, get_at, .. } = &self.history;
        let put_at = put_at.filter(|_| self.history.may_put());
        let get_at = get_at.filter(|_| self.history.may_get());
        let deadline = put_at.into_iter().chain(get_at).min();
        deadline.filter(|_| self.may_move_history())
    }

    fn may_move_history(&self) -> bool {
        self.connection.is_up() && !self.is_plain() && self.is_member()
    }

    /// Begins what can be begun.
    pub(crate) async fn go_on_with_history(&mut self, tx: &mut Tx<'_>) -> Result<(), Error> {
        if !self.may_move_history() {
            return Ok(());
        }
        let due = |at: Option<Timestamp>| at.is_none_or(|at| at <= tx.now);
        let (may_put, may_get) = (due(self.history.put_at), due(self.history.get_at));
        if may_put && self.history.may_put() {
            self.put_next_piece(tx).await?;
        }
        if may_get && self.history.may_get() {
            self.get_next_piece(tx).await?;
        }
        Ok(())
    }

    /// The host has moved a blob, or could not.
    pub(crate) async fn blob_ended(
        &mut self,
        tx: &mut Tx<'_>,
        task: BlobTask,
        end: BlobEnd,
    ) -> Result<(), Error> {
        match end {
            BlobEnd::Put(result) => self.piece_was_put(tx, task, result).await,
            BlobEnd::Got(result) => self.piece_has_come(tx, task, result).await,
        }
    }

    fn tell_progress(
        tx: &mut Tx<'_>,
        (device, is_sending): (DeviceId, bool),
        done: u64,
        total: u64,
    ) {
        tx.emit(Event::Progress(Progress {
            device,
            is_sending,
            done,
            total,
        }));
    }
}

/// When a transfer is tried again that failed for now.
fn again_at(now: Timestamp, fault: BlobFault) -> Timestamp {
    match fault {
        BlobFault::Later { after_s } => now.plus_ms((after_s * 1000).max(HISTORY_RETRY_MS)),
        BlobFault::Gone | BlobFault::Damaged | BlobFault::Refused => now.plus_ms(HISTORY_RETRY_MS),
    }
}

/// What a fault is to the person, if it will not go away.
const fn refusal(fault: BlobFault) -> Option<Refusal> {
    match fault {
        BlobFault::Later { .. } | BlobFault::Refused => None,
        BlobFault::Gone => Some(Refusal::AttachmentGone),
        BlobFault::Damaged => Some(Refusal::ArchiveDamaged),
    }
}
