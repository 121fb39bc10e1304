//! What keeps the place of a message that could not be read: taken out when the message comes, or kept
//! for good when it will not. It never touches what somebody wrote.

use wire::MessageId;

use super::view::{KIND_TEXT, KIND_UNREADABLE, KIND_WAITING, view};
use super::{conversation_record, locate, range};
use crate::error::Error;
use crate::output::Event;
use crate::record::{MessageRecord, key};
use crate::store::{Direction, Table};
use crate::tx::Tx;

/// Takes a placeholder out: its message has come.
pub(crate) async fn remove_placeholder(tx: &mut Tx<'_>, id: MessageId) -> Result<(), Error> {
    let Some((conversation, order)) = locate(tx, id).await? else {
        return Ok(());
    };
    let at = key::message(conversation, order, id);
    let Some(record) = tx.get::<MessageRecord>(&at).await? else {
        return Ok(());
    };
    if record.kind == KIND_TEXT {
        return Ok(()); // never what somebody wrote
    }
    tx.delete(Table::Messages, &at);
    tx.delete(Table::MessageIndex, id.as_bytes());
    let mut thread = conversation_record(tx, conversation).await?;
    if (order, id.as_bytes().as_slice()) > (thread.read_order, thread.read_id.as_slice()) {
        thread.unread = thread.unread.saturating_sub(1);
    }
    if thread.last_id == id.as_bytes() {
        let from = conversation.as_bytes().to_vec();
        let newest = range(conversation, from, None, Direction::Backward, 1);
        let newest = tx.scan(newest).await?;
        let last = newest.first().and_then(|(at, _)| key::split_message(at));
        (thread.last_order, thread.last_id) = last
            .map(|(_, order, id)| (order, id.as_bytes().to_vec()))
            .unwrap_or_default();
    }
    tx.put(conversation.as_bytes(), &thread);
    tx.emit(Event::Removed { id, conversation });
    Ok(())
}

/// A placeholder's message will not come any more.
pub(crate) async fn end_placeholder(tx: &mut Tx<'_>, id: MessageId) -> Result<(), Error> {
    let Some((conversation, order)) = locate(tx, id).await? else {
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
