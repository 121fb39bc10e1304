//! Messages as they are stored, and as applications see them.
//! It knows the numbers of kinds and statuses, which are promises, and nothing of conversations.

use wire::{AccountId, MessageId};

use crate::attachment;
use crate::error::Refusal;
use crate::input::{ConversationId, Timestamp};
use crate::output::{Message, MessageKind, MessageStatus, Quote, Reaction, Version};
use crate::record::{MessageRecord, QuoteRecord, ReactionRecord, VersionRecord};

pub(crate) const KIND_TEXT: u32 = 0;
pub(crate) const KIND_UNREADABLE: u32 = 1;
pub(crate) const KIND_WAITING: u32 = 2;
pub(crate) const KIND_DELETED: u32 = 3;
pub(crate) const KIND_TIMER: u32 = 4;

pub(crate) const fn stored_kind(kind: MessageKind) -> u32 {
    match kind {
        MessageKind::Text => KIND_TEXT,
        MessageKind::Unreadable => KIND_UNREADABLE,
        MessageKind::Waiting => KIND_WAITING,
        MessageKind::Deleted => KIND_DELETED,
        MessageKind::Timer => KIND_TIMER,
    }
}

pub(crate) const STATUS_QUEUED: u32 = 0;
pub(crate) const STATUS_SENT: u32 = 1;
pub(crate) const STATUS_FAILED: u32 = 2;
pub(crate) const STATUS_RECEIVED: u32 = 3;
pub(crate) const STATUS_DELIVERED: u32 = 4;
pub(crate) const STATUS_READ: u32 = 5;

/// How far a message of ours has come: this never falls, save that one which failed is tried again.
pub(crate) const fn rank(status: u32) -> u32 {
    match status {
        STATUS_SENT => 1,
        STATUS_DELIVERED => 2,
        STATUS_READ => 3,
        _ => 0,
    }
}

/// Whether a stored message came in.
pub(crate) const fn is_incoming(record: &MessageRecord) -> bool {
    record.status == STATUS_RECEIVED
}

pub(super) fn with_status(mut record: MessageRecord, status: MessageStatus) -> MessageRecord {
    record.error.clear();
    record.status = match status {
        MessageStatus::Queued => STATUS_QUEUED,
        MessageStatus::Sent => STATUS_SENT,
        MessageStatus::Delivered => STATUS_DELIVERED,
        MessageStatus::Read => STATUS_READ,
        MessageStatus::Failed(refusal) => {
            refusal.code().clone_into(&mut record.error);
            STATUS_FAILED
        }
        MessageStatus::Received => STATUS_RECEIVED,
    };
    record
}

/// The text of a message, if that is what it is.
pub(crate) fn said(record: &MessageRecord) -> Option<&str> {
    (record.kind == KIND_TEXT).then_some(record.text.as_str())
}

/// A record as applications see it; `None` if its author does not parse.
pub(crate) fn view(
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
        quote,
        edit_clock: _,
        edit_id: _,
        earlier,
        reactions,
        timer_s,
        ends_at,
        attachments,
        staff,
    } = record;
    Some(Message {
        id,
        conversation,
        author: AccountId::from_slice(&author).ok()?,
        author_device: author_device.try_into().ok()?,
        kind: match kind {
            KIND_TEXT => MessageKind::Text,
            KIND_WAITING => MessageKind::Waiting,
            KIND_DELETED => MessageKind::Deleted,
            KIND_TIMER => MessageKind::Timer,
            _ => MessageKind::Unreadable,
        },
        text,
        sent_at: Timestamp(sent_at),
        status: match status {
            STATUS_QUEUED => MessageStatus::Queued,
            STATUS_SENT => MessageStatus::Sent,
            STATUS_DELIVERED => MessageStatus::Delivered,
            STATUS_READ => MessageStatus::Read,
            STATUS_FAILED => {
                MessageStatus::Failed(Refusal::from_code(&error).unwrap_or(Refusal::Internal))
            }
            _ => MessageStatus::Received,
        },
        quote: quote.and_then(quoted),
        earlier: earlier
            .into_iter()
            .map(|version| version_view(version, sent_at))
            .collect(),
        reactions: reactions.into_iter().filter_map(reaction).collect(),
        timer_s: Some(timer_s).filter(|seconds| *seconds > 0),
        disappears_at: (ends_at > 0).then_some(Timestamp(ends_at)),
        attachments: attachments.iter().map(attachment::shown).collect(),
        staff,
    })
}

fn quoted(record: QuoteRecord) -> Option<Quote> {
    let QuoteRecord {
        id,
        author,
        text,
        sent_at: _,
    } = record;
    Some(Quote {
        id: MessageId::from_slice(&id).ok()?,
        author: AccountId::from_slice(&author).ok()?,
        text,
    })
}

/// The first text has no clock of its own: it is as old as the message.
fn version_view(VersionRecord { clock, id: _, text }: VersionRecord, sent_at: u64) -> Version {
    Version {
        text,
        at: Timestamp(if clock == 0 { sent_at } else { clock }),
    }
}

fn reaction(record: ReactionRecord) -> Option<Reaction> {
    let ReactionRecord {
        account,
        clock,
        id: _,
        emoji,
    } = record;
    (!emoji.is_empty()).then_some(())?;
    Some(Reaction {
        author: AccountId::from_slice(&account).ok()?,
        emoji,
        at: Timestamp(clock),
    })
}
