//! What is to be done at a certain time, kept on disk, so that it is done after a restart too.
//! What is told to others is told only while there is a connection and the mailbox has been emptied: what waits there may
//! make it needless. Messages that go do so at any time. It does not know how anything is done.

use crate::error::Error;
use crate::input::{ConversationId, Timestamp};
use crate::limits::DUE_AT_ONCE;
use crate::record::key;
use crate::state::State;
use crate::store::{Scan, Table};
use crate::tx::Tx;

/// When the first of it is due.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Due {
    telling: Option<Timestamp>,
    ending: Option<Timestamp>,
}

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
        let mut due = Self::default();
        due.read_tellings(tx).await?;
        due.read_endings(tx).await?;
        Ok(due)
    }

    async fn read_tellings(&mut self, tx: &mut Tx<'_>) -> Result<(), Error> {
        let first = tx.scan(tellings(1)).await?;
        let first = first.first().and_then(|(at, _)| key::split_due(at));
        self.telling = first.map(|(at, ..)| at);
        Ok(())
    }

    pub(crate) async fn read_endings(&mut self, tx: &mut Tx<'_>) -> Result<(), Error> {
        let range = Scan::prefix(Table::Due, &[key::ENDING], 1);
        let first = tx.scan(range).await?;
        let first = first.first().and_then(|(at, _)| key::split_ending(at));
        self.ending = first.map(|(at, _)| at);
        Ok(())
    }

    pub(crate) fn note_ending(&mut self, at: Timestamp) {
        self.ending = Some(self.ending.map_or(at, |first| first.min(at)));
    }

    /// When the first message goes.
    pub(crate) fn first_ending(self) -> Option<Timestamp> {
        self.ending
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
        let first = self.due.telling.map_or(at, |first| first.min(at));
        self.due.telling = Some(first);
    }

    /// When something is to be done.
    pub(crate) fn due_deadline(&self) -> Option<Timestamp> {
        let deadlines = [self.telling_deadline(), self.due.ending];
        deadlines.into_iter().flatten().min()
    }

    fn telling_deadline(&self) -> Option<Timestamp> {
        let may = self.connection.is_up() && self.is_member() && !self.clock.draining;
        self.due.telling.filter(|_| may)
    }

    /// Does what is due.
    pub(crate) async fn do_due(&mut self, tx: &mut Tx<'_>) -> Result<(), Error> {
        self.end_messages(tx).await?;
        if self.telling_deadline().is_none_or(|at| at > tx.now) {
            return Ok(());
        }
        let until = tx.now.0.saturating_add(1).to_be_bytes();
        let range = Scan {
            to: Some(until.to_vec()),
            ..tellings(DUE_AT_ONCE)
        };
        for (at, _) in tx.scan(range).await? {
            tx.delete(Table::Due, &at);
            if let Some((_, task, conversation)) = key::split_due(&at)
                && task == Task::Receipts as u8
            {
                self.send_receipts(tx, conversation).await?;
            }
        }
        self.due.read_tellings(tx).await
    }
}

/// What is told to others, soonest first.
fn tellings(limit: usize) -> Scan {
    Scan::prefix(Table::Due, &[0], limit)
}
