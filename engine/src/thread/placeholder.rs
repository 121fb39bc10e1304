//! What keeps the place of a message that could not be read: taken out when the message comes, or kept
//! for good when it will not. It never touches what somebody wrote.

use wire::MessageId;

use super::gone::take_out;
use super::row;
use super::view::{KIND_UNREADABLE, KIND_WAITING, view};
use crate::error::Error;
use crate::input::ConversationId;
use crate::limits::SAME_PLACE_MAX;
use crate::output::Event;
use crate::record::{MessageRecord, Record, key};
use crate::store::{Scan, Table};
use crate::tx::Tx;

/// Takes a placeholder out: its message has come.
pub(crate) async fn remove_placeholder(tx: &mut Tx<'_>, id: MessageId) -> Result<(), Error> {
    let Some((place, record)) = row::get(tx, id).await? else {
        return Ok(());
    };
    if !matches!(record.kind, KIND_WAITING | KIND_UNREADABLE) {
        return Ok(()); // never what somebody wrote
    }
    take_out(tx, &place, id, &record).await?;
    tx.delete(Table::MessageIndex, id.as_bytes());
    Ok(())
}

/// Where a placeholder stands.
pub(crate) async fn kept_order(tx: &mut Tx<'_>, id: MessageId) -> Result<Option<u64>, Error> {
    let found = row::get(tx, id).await?;
    let kept = found.filter(|(_, record)| matches!(record.kind, KIND_WAITING | KIND_UNREADABLE));
    Ok(kept.map(|(place, _)| place.order))
}

/// A place that is kept for something of a device.
pub(crate) struct Kept {
    pub(crate) id: MessageId,
    pub(crate) device: u32,
}

/// The places at this order that are kept for what somebody has sent at this time.
pub(crate) async fn kept_at(
    tx: &mut Tx<'_>,
    (conversation, order): (ConversationId, u64),
    author: &[u8],
    sent_at: u64,
) -> Result<Vec<Kept>, Error> {
    let place = key::messages_at(conversation, order);
    let there = Scan::prefix(Table::Messages, &place, SAME_PLACE_MAX);
    let mut kept = Vec::new();
    for (at, bytes) in tx.scan(there).await? {
        let record = MessageRecord::read(&bytes)?;
        let is_kept = matches!(record.kind, KIND_WAITING | KIND_UNREADABLE)
            && record.author == author
            && record.sent_at == sent_at;
        if let Some((_, _, id)) = key::split_message(&at).filter(|_| is_kept) {
            let device = record.author_device;
            kept.push(Kept { id, device });
        }
    }
    Ok(kept)
}

/// A placeholder's message will not come any more.
pub(crate) async fn end_placeholder(tx: &mut Tx<'_>, id: MessageId) -> Result<(), Error> {
    let found = row::get(tx, id).await?;
    if let Some((place, mut record)) = found.filter(|(_, record)| record.kind == KIND_WAITING) {
        record.kind = KIND_UNREADABLE;
        row::put(tx, &place, id, &record);
        if let Some(view) = view(place.conversation, id, record) {
            tx.emit(Event::Message(view));
        }
    }
    Ok(())
}
