//! What is to be done at a certain time, kept on disk, so that it is done after a restart too.
//! It is done only while there is a connection and the mailbox has been emptied: what waits there may make it needless.
//! It does not know how anything is done.

use crate::error::Error;
use crate::input::{ConversationId, Timestamp};
use crate::limits::DUE_AT_ONCE;
use crate::record::key;
use crate::state::State;
use crate::store::{Scan, Table};
use crate::tx::Tx;

/// When the first of it is due.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Due(Option<Timestamp>);

/// What is to be done; as it stands in keys of [`Table::Due`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Task {
    /// Telling the author of messages that they have come.
    Receipts = 1,
}

impl Due {
    /// Reads what the store holds.
    pub(crate) async fn read(tx: &mut Tx<'_>) -> Result<Self, Error> {
        let first = tx.scan(Scan::all(Table::Due, 1)).await?;
        let first = first.first().and_then(|(at, _)| key::split_due(at));
        Ok(Self(first.map(|(at, ..)| at)))
    }
}

impl State {
    /// Has something done about a conversation at that time.
    pub(crate) fn do_at(
        &mut self,
        tx: &mut Tx<'_>,
        at: Timestamp,
        task: Task,
        conversation: ConversationId,
    ) {
        let key = key::due(at, task as u8, conversation);
        tx.put_bytes(Table::Due, &key, Vec::new());
        self.due.0 = Some(self.due.0.map_or(at, |first| first.min(at)));
    }

    /// When something is to be done.
    pub(crate) fn due_deadline(&self) -> Option<Timestamp> {
        let may = self.connection.is_up() && self.is_member() && !self.clock.draining;
        self.due.0.filter(|_| may)
    }

    /// Does what is due.
    pub(crate) async fn do_due(&mut self, tx: &mut Tx<'_>) -> Result<(), Error> {
        if self.due_deadline().is_none_or(|at| at > tx.now) {
            return Ok(());
        }
        let until = tx.now.0.saturating_add(1).to_be_bytes();
        let range = Scan {
            to: Some(until.to_vec()),
            ..Scan::all(Table::Due, DUE_AT_ONCE)
        };
        for (at, _) in tx.scan(range).await? {
            tx.delete(Table::Due, &at);
            if let Some((_, task, conversation)) = key::split_due(&at)
                && task == Task::Receipts as u8
            {
                self.send_receipts(tx, conversation).await?;
            }
        }
        self.due = Due::read(tx).await?;
        Ok(())
    }
}
