//! A read mark that may come before its message: it says where the message stands or will stand. On a plain Signal service that
//! is when it was written. It does not know who says so.

use wire::MessageId;

use super::{conversation_record, count_unread};
use crate::error::Error;
use crate::input::ConversationId;
use crate::limits::CLOCK_SKEW_MS;
use crate::output::Event;
use crate::record::ConversationRecord;
use crate::tx::Tx;

/// Everything up to a message that is not here yet has been read. A conversation is not made by this, and a time that is
/// far ahead would make everything to come read.
pub(crate) async fn mark_read_ahead(
    tx: &mut Tx<'_>,
    conversation: ConversationId,
    sent_at: u64,
    message: MessageId,
) -> Result<(), Error> {
    let is_known = tx
        .get::<ConversationRecord>(conversation.as_bytes())
        .await?
        .is_some();
    if is_known && sent_at <= tx.now.plus_ms(CLOCK_SKEW_MS).0 {
        move_mark(tx, conversation, sent_at, message).await?;
    }
    Ok(())
}

/// Everything up to this place has been read, whether a message stands there or not. Marks only move forward.
pub(crate) async fn move_mark(
    tx: &mut Tx<'_>,
    conversation: ConversationId,
    order: u64,
    message: MessageId,
) -> Result<(), Error> {
    let mut thread = conversation_record(tx, conversation).await?;
    let mark = (order, message.as_bytes().to_vec());
    if mark <= (thread.read_order, thread.read_id.clone()) {
        return Ok(());
    }
    (thread.read_order, thread.read_id) = mark;
    let before = thread.unread;
    thread.unread = count_unread(tx, conversation, order, message.as_bytes()).await?;
    let fewer = thread.unread < before;
    tx.put(conversation.as_bytes(), &thread);
    if fewer {
        tx.emit(Event::Read {
            conversation,
            message,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use wire::{AccountId, DeviceAddress, DeviceId};

    use super::*;
    use crate::input::Timestamp;
    use crate::output::{MessageKind, MessageStatus};
    use crate::store::memory::MemoryStore;
    use crate::thread::{NewMessage, insert};

    const BOB: AccountId = AccountId::from_bytes([2; 16]);
    const NOW: u64 = 1_000_000;

    fn id(n: u64) -> MessageId {
        MessageId::from_bytes(u128::from(n).to_be_bytes())
    }

    /// Bob's message of this time has come.
    async fn came(tx: &mut Tx<'_>, time: u64) {
        let author = DeviceAddress {
            account: BOB,
            device: DeviceId::try_from(1_u32).unwrap(),
        };
        let (kind, status) = (MessageKind::Text, MessageStatus::Received);
        let message = NewMessage {
            text: "hello".to_owned(),
            ..NewMessage::new((id(time), BOB, author), kind, time, status)
        };
        insert(tx, message, &[]).await.unwrap();
    }

    async fn marked(tx: &mut Tx<'_>, time: u64) {
        mark_read_ahead(tx, BOB, time, id(time)).await.unwrap();
    }

    async fn unread(tx: &mut Tx<'_>) -> u32 {
        conversation_record(tx, BOB).await.unwrap().unread
    }

    fn played(play: impl AsyncFnOnce(&mut Tx<'_>)) {
        let store = MemoryStore::new();
        let mut tx = Tx::new(&store, Timestamp(NOW));
        play(&mut tx).now_or_never().unwrap();
    }

    #[test]
    fn a_message_that_was_read_before_it_came_is_not_unread_and_the_next_one_is() {
        played(async |tx| {
            came(tx, 10).await;
            assert_eq!(unread(tx).await, 1);
            marked(tx, 20).await;
            assert_eq!(unread(tx).await, 0);
            came(tx, 20).await;
            assert_eq!(unread(tx).await, 0);
            came(tx, 30).await;
            assert_eq!(unread(tx).await, 1);
            marked(tx, 15).await; // marks never go back
            assert_eq!(unread(tx).await, 1);
        });
    }

    #[test]
    fn a_mark_of_the_far_future_and_one_without_a_conversation_change_nothing() {
        played(async |tx| {
            marked(tx, 10).await;
            assert!(
                tx.get::<ConversationRecord>(BOB.as_bytes())
                    .await
                    .unwrap()
                    .is_none()
            );
            came(tx, 10).await;
            marked(tx, NOW + CLOCK_SKEW_MS + 1).await;
            assert_eq!(unread(tx).await, 1);
        });
    }
}
