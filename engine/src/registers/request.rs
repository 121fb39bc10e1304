//! Who may write: a conversation that a stranger began is pending until the person accepts it or writes there.
//!
//! Every own device gets the messages, so each derives the same registers from them by itself, and nobody is told.
//! "Pending" has the lowest clock, so that whatever the person has ever decided outranks it.

use wire::AccountId;

use super::fields::request_value;
use super::{Effects, Field, Place, Register, merge, read};
use crate::error::Error;
use crate::limits::REQUEST_LOOK_BACK;
use crate::output::Request;
use crate::record::{MessageRecord, Record};
use crate::store::{Direction, Scan, Table};
use crate::thread;
use crate::tx::Tx;

/// A message has come into a conversation, of the person's own writing or not.
pub(crate) async fn note_message(
    tx: &mut Tx<'_>,
    conversation: AccountId,
    incoming: bool,
    sent_at: u64,
) -> Result<(), Error> {
    let place = Place::of(conversation, Field::Request);
    let (request, clock) = if !incoming {
        (Request::Accepted, sent_at)
    } else if read(tx, &place).await?.is_some() {
        return Ok(());
    } else {
        // Before there were requests, the person may have written here.
        match written_at(tx, conversation).await? {
            Some(sent_at) => (Request::Accepted, sent_at),
            None => (Request::Pending, 0),
        }
    };
    let register = Register {
        clock: clock.max(1),
        value: Some(vec![request_value(request)]),
    };
    let merged = merge(tx, &place, &register).await?;
    let mut effects = Effects::default();
    effects.note(tx, &place, &register, merged).await?;
    effects.tell(tx).await
}

/// When the person last wrote in a conversation, if that is not long ago.
async fn written_at(tx: &mut Tx<'_>, conversation: AccountId) -> Result<Option<u64>, Error> {
    let newest = Scan {
        direction: Direction::Backward,
        ..Scan::prefix(Table::Messages, conversation.as_bytes(), REQUEST_LOOK_BACK)
    };
    for (_, bytes) in tx.scan(newest).await? {
        let message = MessageRecord::read(&bytes)?;
        if !thread::is_incoming(&message) {
            return Ok(Some(message.sent_at));
        }
    }
    Ok(None)
}
