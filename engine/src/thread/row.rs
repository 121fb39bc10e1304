//! The only writer of messages' rows.
//! It does not know what a message says.

use wire::MessageId;

use super::Place;
use crate::input::ConversationId;
use crate::record::{IndexRecord, MessageRecord, key};
use crate::store::Table;
use crate::tx::Tx;

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
