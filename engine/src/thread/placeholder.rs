//! What keeps the place of a message that could not be read: taken out when the message comes, or kept
//! for good when it will not. It never touches what somebody wrote.

use wire::MessageId;

use super::gone::take_out;
use super::union::Placed;
use super::view::{KIND_UNREADABLE, KIND_WAITING, view};
use super::{locate, row};
use crate::error::Error;
use crate::limits::SAME_PLACE_MAX;
use crate::output::Event;
use crate::record::{MessageRecord, Record, key};
use crate::store::{Scan, Table};
use crate::tx::Tx;

/// Takes a placeholder out: its message has come.
pub(crate) async fn remove_placeholder(tx: &mut Tx<'_>, id: MessageId) -> Result<(), Error> {
    let Some(place) = locate(tx, id).await? else {
        return Ok(());
    };
    let at = key::message(place.conversation, place.order, id);
    let Some(record) = tx.get::<MessageRecord>(&at).await? else {
        return Ok(());
    };
    if !matches!(record.kind, KIND_WAITING | KIND_UNREADABLE) {
        return Ok(()); // never what somebody wrote
    }
    take_out(tx, &place, id, &record).await?;
    tx.delete(Table::MessageIndex, id.as_bytes());
    Ok(())
}

/// Takes out what keeps the place of a message that nobody waits for any more, and that has come after all: it stands where the message
/// stands, of the same device and time, which it gives to one message only.
pub(crate) async fn remove_ended_placeholder(
    tx: &mut Tx<'_>,
    message: &Placed,
) -> Result<(), Error> {
    let Placed {
        conversation,
        order,
        record,
        ..
    } = message;
    let place = key::messages_at(*conversation, *order);
    let there = Scan::prefix(Table::Messages, &place, SAME_PLACE_MAX);
    for (at, bytes) in tx.scan(there).await? {
        let other = MessageRecord::read(&bytes)?;
        let same = other.kind == KIND_UNREADABLE
            && other.author == record.author
            && other.author_device == record.author_device
            && other.sent_at == record.sent_at;
        if let Some((_, _, id)) = key::split_message(&at).filter(|_| same) {
            remove_placeholder(tx, id).await?;
        }
    }
    Ok(())
}

/// A placeholder's message will not come any more.
pub(crate) async fn end_placeholder(tx: &mut Tx<'_>, id: MessageId) -> Result<(), Error> {
    let Some(place) = locate(tx, id).await? else {
        return Ok(());
    };
    let at = key::message(place.conversation, place.order, id);
    let waiting = tx.get::<MessageRecord>(&at).await?;
    if let Some(mut record) = waiting.filter(|record| record.kind == KIND_WAITING) {
        record.kind = KIND_UNREADABLE;
        row::put(tx, &place, id, &record);
        if let Some(view) = view(place.conversation, id, record) {
            tx.emit(Event::Message(view));
        }
    }
    Ok(())
}
