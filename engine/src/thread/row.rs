//! Messages' rows: where each is, and the only writer of them.
//! It does not know what a message says.

use wire::MessageId;

use super::{Place, locate};
use crate::error::Error;
use crate::input::ConversationId;
use crate::record::{IndexRecord, MessageRecord, key};
use crate::store::Table;
use crate::tx::Tx;

/// The message with this id, if it is here, and its place.
pub(super) async fn get(
    tx: &mut Tx<'_>,
    id: MessageId,
) -> Result<Option<(Place, MessageRecord)>, Error> {
    let Some(place) = locate(tx, id).await? else {
        return Ok(None);
    };
    let record = at(tx, &place, id).await?;
    Ok(record.map(|record| (place, record)))
}

/// What is at the place of a message; nothing if it was removed.
pub(super) async fn at(
    tx: &mut Tx<'_>,
    place: &Place,
    id: MessageId,
) -> Result<Option<MessageRecord>, Error> {
    tx.get(&key::message(place.conversation, place.order, id))
        .await
}

/// Writes a message that has its place.
pub(super) fn put(tx: &mut Tx<'_>, place: &Place, id: MessageId, record: &MessageRecord) {
    tx.put(&key::message(place.conversation, place.order, id), record);
}

/// Gives a message its place.
pub(super) fn put_new(tx: &mut Tx<'_>, place: &Place, id: MessageId, record: &MessageRecord) {
    put(tx, place, id, record);
    tx.put(id.as_bytes(), &index(place.conversation, place.order));
}

/// Takes a message out of its place.
pub(super) fn delete(tx: &mut Tx<'_>, place: &Place, id: MessageId) {
    let at = key::message(place.conversation, place.order, id);
    tx.delete(Table::Messages, &at);
}

/// Where a message is that is there.
fn index(conversation: ConversationId, order: u64) -> IndexRecord {
    IndexRecord {
        conversation: conversation.as_bytes().to_vec(),
        order,
        gone: false,
    }
}
