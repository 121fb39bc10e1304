//! Messages that go: what a person removes for themselves goes on all their devices and stays away, also if
//! it comes only later. It does not know why a message goes.

use wire::MessageId;

use super::{Place, conversation_record, is_unread, last_of, locate, row};
use crate::error::Error;
use crate::input::ConversationId;
use crate::output::Event;
use crate::record::{IndexRecord, MessageRecord};
use crate::tx::Tx;

/// Takes a message away for good. What is left is that it was there, so that it does not come back.
pub(crate) async fn remove(
    tx: &mut Tx<'_>,
    conversation: ConversationId,
    id: MessageId,
) -> Result<(), Error> {
    let place = locate(tx, id).await?;
    let mut order = 0;
    if let Some(place) = place {
        if place.conversation != conversation {
            return Ok(());
        }
        order = place.order;
        if let Some(record) = row::at(tx, &place, id).await? {
            take_out(tx, &place, id, &record).await?;
        }
    }
    let index = IndexRecord {
        conversation: conversation.as_bytes().to_vec(),
        order,
        gone: true,
    };
    tx.put(id.as_bytes(), &index);
    Ok(())
}

/// Takes a message out of its conversation, which then counts and ends without it.
pub(super) async fn take_out(
    tx: &mut Tx<'_>,
    place: &Place,
    id: MessageId,
    record: &MessageRecord,
) -> Result<(), Error> {
    let Place {
        conversation,
        order,
    } = *place;
    row::delete(tx, place, id);
    let mut thread = conversation_record(tx, conversation).await?;
    let mark = (thread.read_order, thread.read_id.as_slice());
    if is_unread(record) && (order, id.as_bytes().as_slice()) > mark {
        thread.unread = thread.unread.saturating_sub(1);
    }
    if thread.last_id == id.as_bytes() {
        (thread.last_order, thread.last_id) = last_of(tx, conversation).await?;
    }
    tx.put(conversation.as_bytes(), &thread);
    tx.emit(Event::Removed { id, conversation });
    Ok(())
}
