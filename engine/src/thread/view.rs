//! Messages as they are stored, and as applications see them.
//! It knows the numbers of kinds and statuses, which are promises, and nothing of conversations.

use wire::{AccountId, MessageId};

use crate::error::Refusal;
use crate::input::{ConversationId, Timestamp};
use crate::output::{Message, MessageKind, MessageStatus};
use crate::record::MessageRecord;

pub(super) const KIND_TEXT: u32 = 0;
pub(super) const KIND_UNREADABLE: u32 = 1;
pub(super) const KIND_WAITING: u32 = 2;

pub(super) const fn stored_kind(kind: MessageKind) -> u32 {
    match kind {
        MessageKind::Text => KIND_TEXT,
        MessageKind::Unreadable => KIND_UNREADABLE,
        MessageKind::Waiting => KIND_WAITING,
    }
}

pub(super) const STATUS_QUEUED: u32 = 0;
pub(super) const STATUS_SENT: u32 = 1;
pub(super) const STATUS_FAILED: u32 = 2;
pub(super) const STATUS_RECEIVED: u32 = 3;

/// Whether a stored message came in.
pub(crate) const fn is_incoming(record: &MessageRecord) -> bool {
    record.status == STATUS_RECEIVED
}

pub(super) fn with_status(mut record: MessageRecord, status: MessageStatus) -> MessageRecord {
    record.error.clear();
    record.status = match status {
        MessageStatus::Queued => STATUS_QUEUED,
        MessageStatus::Sent => STATUS_SENT,
        MessageStatus::Failed(refusal) => {
            refusal.code().clone_into(&mut record.error);
            STATUS_FAILED
        }
        MessageStatus::Received => STATUS_RECEIVED,
    };
    record
}

/// A record as applications see it; `None` if its author does not parse.
pub(super) fn view(
    conversation: ConversationId,
    id: MessageId,
    record: MessageRecord,
) -> Option<Message> {
    let MessageRecord {
        author,
        author_device,
        kind,
        text,
        sent_at,
        status,
        error,
    } = record;
    Some(Message {
        id,
        conversation,
        author: AccountId::from_slice(&author).ok()?,
        author_device: author_device.try_into().ok()?,
        kind: match kind {
            KIND_TEXT => MessageKind::Text,
            KIND_WAITING => MessageKind::Waiting,
            _ => MessageKind::Unreadable,
        },
        text,
        sent_at: Timestamp(sent_at),
        status: match status {
            STATUS_QUEUED => MessageStatus::Queued,
            STATUS_SENT => MessageStatus::Sent,
            STATUS_FAILED => {
                MessageStatus::Failed(Refusal::from_code(&error).unwrap_or(Refusal::Internal))
            }
            _ => MessageStatus::Received,
        },
    })
}
