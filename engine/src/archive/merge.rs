//! Taking over what an archive holds: messages are united with those that are known, marks only move forward, nothing goes.
//! It knows neither how the archive came nor how it is read.

use wire::{AccountId, DeviceAddress, DeviceId};

use super::Head;
use crate::error::Error;
use crate::input::{ConversationId, Timestamp};
use crate::output::Message;
use crate::record::MessageRecord;
use crate::registers;
use crate::state::State;
use crate::thread::union::{Placed, Union, unite};
use crate::thread::{self, Kept, conversation_record, timer};
use crate::tx::Tx;

impl State {
    /// Takes over a message, and gives it if it is new. One that was waited for has come by this.
    pub(crate) async fn take_archived(
        &mut self,
        tx: &mut Tx<'_>,
        message: Placed,
    ) -> Result<Option<Box<Message>>, Error> {
        let Placed {
            id,
            conversation,
            order,
            ref record,
        } = message;
        let own = self.own_id()?;
        let author = record.author.clone();
        let device = Some(record.author_device);
        let sent_at = record.sent_at;
        self.has_come(tx, (conversation, order), (&author, device), sent_at)
            .await?;
        let acts = acts(record);
        if record.ends_at != 0 && record.ends_at <= tx.now.0 {
            thread::remove(tx, conversation, id).await?; // its time has run out
            return Ok(None);
        }
        let early = self.early_acts(tx, id).await?;
        let (new, ends_at) = match unite(tx, message, &early).await? {
            Union::New(new) => {
                if own != conversation {
                    self.note_contact(tx, conversation).await?;
                }
                self.note_time(tx, order);
                let end = new.as_ref().and_then(|new| new.disappears_at);
                (new, end.map_or(0, |end| end.0))
            }
            Union::Changed { ends_at } => (None, ends_at),
            Union::Known | Union::Refused => return Ok(None),
        };
        for (by, clock) in acts {
            self.has_come(tx, (conversation, clock), (&by, None), clock)
                .await?;
        }
        if ends_at != 0 {
            self.ends_at(tx, id, Timestamp(ends_at));
        }
        Ok(new)
    }

    /// What somebody has sent at that time, with this device if that is known, is here: its place is not kept any more, whether it was
    /// still waited for or not. A device gives a time to one thing only.
    async fn has_come(
        &mut self,
        tx: &mut Tx<'_>,
        place: (ConversationId, u64),
        (author, by): (&[u8], Option<u32>),
        sent_at: u64,
    ) -> Result<(), Error> {
        let Ok(account) = AccountId::from_slice(author) else {
            return Ok(());
        };
        if account == self.own_id()? {
            return Ok(()); // of what own devices send no place is kept
        }
        for Kept { id, device } in thread::kept_at(tx, place, author, sent_at).await? {
            if by.is_some_and(|by| by != device) {
                continue;
            }
            if let Ok(device) = DeviceId::try_from(device) {
                let from = DeviceAddress { account, device };
                self.no_longer_waiting(tx, from, sent_at).await?;
            }
            thread::remove_placeholder(tx, id).await?;
        }
        Ok(())
    }

    /// Takes over what was read of a conversation and when it last had news. Says whether that changed anything.
    pub(crate) async fn take_head(&mut self, tx: &mut Tx<'_>, head: Head) -> Result<bool, Error> {
        let Head {
            conversation,
            read,
            read_clock,
            updated_at,
            timer,
        } = head;
        let before = conversation_record(tx, conversation).await?;
        let mut thread = before.clone();
        thread.updated_at = before.updated_at.max(updated_at);
        let has_other_timer = timer::take(&mut thread, timer);
        if thread != before {
            tx.put(conversation.as_bytes(), &thread);
        }
        if has_other_timer {
            thread::show(tx, conversation).await?;
        }
        if let Some((order, id)) = read {
            let mark = thread::read_mark(tx, conversation).await?;
            thread::move_mark(tx, conversation, order, id).await?;
            let read_at = if read_clock == 0 {
                tx.now.0
            } else {
                read_clock
            };
            self.start_read(tx, conversation, mark, read_at).await?;
        }
        registers::take_read_clock(tx, conversation, read_clock).await?;
        self.read_notifications(tx, conversation).await?;
        Ok(conversation_record(tx, conversation).await? != before)
    }
}

/// By whom something was done to a message, and when; each came in a message of its own, usually of that time.
fn acts(record: &MessageRecord) -> Vec<(Vec<u8>, u64)> {
    let author = &record.author;
    let earlier = record.earlier.iter().map(|version| version.clock);
    let edits = earlier.chain([record.edit_clock]).filter(|at| *at != 0);
    let edits = edits.map(|clock| (author.clone(), clock));
    let reactions = record.reactions.iter();
    let reactions = reactions.map(|reaction| (reaction.account.clone(), reaction.clock));
    edits.chain(reactions).collect()
}
