//! Messages that disappear: their time runs from when they were sent, or read on any own device, and then they go,
//! with or without a connection. How long they stay is not decided here (see `thread::timer`).

use wire::MessageId;

use crate::content;
use crate::content::said;
use crate::error::{Error, Refusal};
use crate::input::{ConversationId, Timestamp};
use crate::limits::{DUE_AT_ONCE, TIMER_MAX_S};
use crate::output::{MessageKind, MessageStatus};
use crate::record::key;
use crate::state::State;
use crate::store::{Scan, Table};
use crate::thread::{self, NewMessage, timer};
use crate::tx::Tx;

impl State {
    /// Messages that both people write from now on stay so long.
    pub(crate) async fn set_timer(
        &mut self,
        tx: &mut Tx<'_>,
        conversation: ConversationId,
        seconds: u32,
    ) -> Result<Result<(), Refusal>, Error> {
        if seconds > TIMER_MAX_S {
            return Ok(Err(Refusal::InvalidArgument("seconds")));
        }
        let Some(account) = self.account.clone() else {
            return Ok(Err(Refusal::NotReady));
        };
        let known = timer::timer(tx, conversation).await?;
        if known.seconds == seconds {
            return Ok(Ok(()));
        }
        if let Some(refusal) = self.send_refusal(tx, conversation).await? {
            return Ok(Err(refusal));
        }
        let timer = known.changed_to(seconds);
        let timestamp = self.next_timestamp(tx);
        let id = self.id_of_message(account.id(), timestamp);
        let content = content::data(said::timer(timestamp, timer));
        self.enqueue_message(tx, conversation, id, &content, timestamp)
            .await?;
        let place = (id, conversation, account.address);
        let (kind, status) = (MessageKind::Timer, MessageStatus::Queued);
        let message = NewMessage {
            timer,
            ..NewMessage::new(place, kind, timestamp, status)
        };
        self.insert(tx, message).await?;
        Ok(Ok(()))
    }

    /// A message of ours is out: its time runs.
    pub(crate) async fn start_sent(&mut self, tx: &mut Tx<'_>, id: MessageId) -> Result<(), Error> {
        if let Some(end) = timer::start(tx, id, tx.now.0).await? {
            self.ends_at(tx, id, Timestamp(end));
        }
        Ok(())
    }

    /// The person has read a conversation up to its mark, on some own device at that time; before, the mark was there.
    pub(crate) async fn start_read(
        &mut self,
        tx: &mut Tx<'_>,
        conversation: ConversationId,
        before: (u64, Vec<u8>),
        at: u64,
    ) -> Result<(), Error> {
        let at = at.min(tx.now.0); // another device's clock may be ahead
        for (id, end) in timer::start_read(tx, conversation, before, at).await? {
            self.ends_at(tx, id, Timestamp(end));
        }
        Ok(())
    }

    /// A message goes at that time.
    pub(crate) fn ends_at(&mut self, tx: &mut Tx<'_>, id: MessageId, at: Timestamp) {
        tx.put_bytes(Table::Due, &key::ending(at, id), Vec::new());
        self.due.note_ending(at);
    }

    /// Takes away whose time has run out.
    pub(crate) async fn end_messages(&mut self, tx: &mut Tx<'_>) -> Result<(), Error> {
        if self.due.first_ending().is_none_or(|at| at > tx.now) {
            return Ok(());
        }
        let range = Scan {
            to: Some(key::endings_until(tx.now)),
            ..Scan::prefix(Table::Due, &[key::ENDING], DUE_AT_ONCE)
        };
        for (at, _) in tx.scan(range).await? {
            tx.delete(Table::Due, &at);
            let Some((_, id)) = key::split_ending(&at) else {
                continue;
            };
            // Where its time was found to have begun earlier, an earlier row has done it.
            if let Some((conversation, record)) = timer::ended(tx, id).await? {
                thread::remove(tx, conversation, id).await?;
                tx.delete(Table::Sent, &key::sent(record.sent_at));
                self.read_notifications(tx, conversation).await?;
            }
        }
        self.due.read_endings(tx).await
    }
}
