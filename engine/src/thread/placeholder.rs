//! What keeps the place of a message that could not be read: taken out when the message comes, or kept
//! for good when it will not. It never touches what somebody wrote.

use wire::MessageId;

use super::gone::take_out;
use super::view::{KIND_UNREADABLE, KIND_WAITING, view};
use super::{Place, locate};
use crate::error::Error;
use crate::output::Event;
use crate::record::{MessageRecord, key};
use crate::store::Table;
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

/// A placeholder's message will not come any more.
pub(crate) async fn end_placeholder(tx: &mut Tx<'_>, id: MessageId) -> Result<(), Error> {
    let Some(Place {
        conversation,
        order,
    }) = locate(tx, id).await?
    else {
        return Ok(());
    };
    let at = key::message(conversation, order, id);
    let waiting = tx.get::<MessageRecord>(&at).await?;
    if let Some(mut record) = waiting.filter(|record| record.kind == KIND_WAITING) {
        record.kind = KIND_UNREADABLE;
        tx.put(&at, &record);
        if let Some(view) = view(conversation, id, record) {
            tx.emit(Event::Message(view));
        }
    }
    Ok(())
}
