//! A conversation that the person has marked unread. The mark is a register; reading is none, since what was read is
//! a place in the conversation. So reading has a clock, and a mark counts only if it was made later.

use wire::AccountId;

use super::fields::flag;
use super::rule::{CLOCK_MAX, next_clock};
use super::{Field, Place, read};
use crate::error::Error;
use crate::state::State;
use crate::thread;
use crate::tx::Tx;

/// Whether a conversation that was last read at this clock is marked unread.
pub(super) async fn is_marked(
    tx: &mut Tx<'_>,
    conversation: AccountId,
    read_clock: u64,
) -> Result<bool, Error> {
    let mark = read(tx, &Place::of(conversation, Field::MarkedUnread)).await?;
    Ok(mark.is_some_and(|mark| mark.value == Some(flag(true)) && mark.clock > read_clock))
}

impl State {
    /// The person has read a conversation, which has moved its mark or not. Gives the clock of that, unless it says
    /// nothing new.
    pub(crate) async fn note_read(
        &mut self,
        tx: &mut Tx<'_>,
        conversation: AccountId,
        moved: bool,
    ) -> Result<Option<u64>, Error> {
        let thread = thread::conversation_record(tx, conversation).await?;
        if !moved && !is_marked(tx, conversation, thread.read_clock).await? {
            return Ok(None);
        }
        let mark = read(tx, &Place::of(conversation, Field::MarkedUnread)).await?;
        let clock = next_clock(self.next_timestamp(tx), mark.as_ref());
        take_read_clock(tx, conversation, clock).await?;
        Ok(Some(clock))
    }
}

/// A conversation was read at this clock, here or on another own device. The latest counts.
pub(crate) async fn take_read_clock(
    tx: &mut Tx<'_>,
    conversation: AccountId,
    clock: u64,
) -> Result<(), Error> {
    let mut thread = thread::conversation_record(tx, conversation).await?;
    if clock <= thread.read_clock || clock > CLOCK_MAX {
        return Ok(());
    }
    let was_marked = is_marked(tx, conversation, thread.read_clock).await?;
    thread.read_clock = clock;
    tx.put(conversation.as_bytes(), &thread);
    if was_marked && !is_marked(tx, conversation, clock).await? {
        thread::show(tx, conversation).await?;
    }
    Ok(())
}
