//! Conversations and their messages: where a message stands, what is unread, what a page shows.
//!
//! Order is the author's clock, then the id, the same on every device whatever came first.
//! It does not know how messages travel.

mod ahead;

use wire::{AccountId, DeviceAddress, MessageId};

use crate::contacts;
use crate::error::{Error, Refusal};
use crate::input::{ConversationId, Timestamp};
use crate::limits::{LIST_MAX, PAGE_MAX, UNREAD_MAX};
use crate::output::{Conversation, Event, Message, MessageKind, MessageStatus};
use crate::record::{ConversationRecord, IndexRecord, MessageRecord, Record, key};
use crate::store::{Direction, Row, Scan, Table};
use crate::tx::Tx;
pub(crate) use ahead::mark_read_ahead;

/// A message that is not stored yet.
pub(crate) struct NewMessage {
    pub(crate) id: MessageId,
    pub(crate) conversation: ConversationId,
    pub(crate) author: DeviceAddress,
    pub(crate) kind: MessageKind,
    pub(crate) text: String,
    pub(crate) sent_at: u64,
    /// Where it stands in the conversation: `sent_at`, unless that is not believed.
    pub(crate) order: u64,
    pub(crate) status: MessageStatus,
}

/// Stores a message, once: a second one with its id changes nothing.
pub(crate) async fn insert(tx: &mut Tx<'_>, message: NewMessage) -> Result<bool, Error> {
    let NewMessage {
        id,
        conversation,
        author,
        kind,
        text,
        sent_at,
        order,
        status,
    } = message;
    if tx.get::<IndexRecord>(id.as_bytes()).await?.is_some() {
        return Ok(false);
    }
    let record = MessageRecord {
        author: author.account.as_bytes().to_vec(),
        author_device: author.device.into(),
        kind: stored_kind(kind),
        text,
        sent_at,
        status: 0,
        error: String::new(),
    };
    let record = with_status(record, status);
    tx.put(&key::message(conversation, order, id), &record);
    let index = IndexRecord {
        conversation: conversation.as_bytes().to_vec(),
        order,
    };
    tx.put(id.as_bytes(), &index);

    let mut thread = conversation_record(tx, conversation).await?;
    let at = (order, id.as_bytes().to_vec());
    if at > (thread.last_order, thread.last_id.clone()) {
        (thread.last_order, thread.last_id) = at.clone();
        thread.updated_at = thread.updated_at.max(order);
    }
    let incoming = status == MessageStatus::Received;
    if incoming && at > (thread.read_order, thread.read_id.clone()) {
        thread.unread = thread.unread.saturating_add(1);
    }
    tx.put(conversation.as_bytes(), &thread);
    if let Some(view) = view(conversation, id, record) {
        tx.emit(Event::Message(view));
    }
    Ok(true)
}

/// Gives an outgoing message its new status.
pub(crate) async fn update_status(
    tx: &mut Tx<'_>,
    id: MessageId,
    status: MessageStatus,
) -> Result<(), Error> {
    let Some((conversation, order)) = locate(tx, id).await? else {
        return Ok(());
    };
    let at = key::message(conversation, order, id);
    if let Some(record) = tx.get::<MessageRecord>(&at).await? {
        tx.put(&at, &with_status(record, status));
        tx.emit(Event::Status {
            id,
            conversation,
            status,
        });
    }
    Ok(())
}

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

/// Everything up to this message has been read. Marks only move forward.
pub(crate) async fn mark_read(
    tx: &mut Tx<'_>,
    conversation: ConversationId,
    message: MessageId,
) -> Result<bool, Error> {
    let found = locate(tx, message).await?;
    let Some((_, order)) = found.filter(|(of, _)| *of == conversation) else {
        return Ok(false);
    };
    let mut thread = conversation_record(tx, conversation).await?;
    let mark = (order, message.as_bytes().to_vec());
    if mark <= (thread.read_order, thread.read_id.clone()) {
        return Ok(false);
    }
    (thread.read_order, thread.read_id) = mark;
    thread.unread = count_unread(tx, conversation, order, message).await?;
    tx.put(conversation.as_bytes(), &thread);
    tx.emit(Event::Read {
        conversation,
        message,
    });
    Ok(true)
}

async fn count_unread(
    tx: &mut Tx<'_>,
    conversation: ConversationId,
    order: u64,
    id: MessageId,
) -> Result<u32, Error> {
    let mut from = key::message(conversation, order, id);
    from.push(0); // the first key after the mark
    let rows = tx
        .scan(range(
            conversation,
            from,
            None,
            Direction::Forward,
            UNREAD_MAX,
        ))
        .await?;
    let mut unread = 0;
    for (_, bytes) in rows {
        unread += u32::from(MessageRecord::read(&bytes)?.status == STATUS_RECEIVED);
    }
    Ok(unread)
}

/// The message with this id.
pub(crate) async fn find(tx: &mut Tx<'_>, id: MessageId) -> Result<Option<Message>, Error> {
    let Some((conversation, order)) = locate(tx, id).await? else {
        return Ok(None);
    };
    let record = tx
        .get::<MessageRecord>(&key::message(conversation, order, id))
        .await?;
    Ok(record.and_then(|record| view(conversation, id, record)))
}

/// A page of a conversation, oldest first.
pub(crate) async fn page(
    tx: &mut Tx<'_>,
    conversation: ConversationId,
    before: Option<MessageId>,
    limit: usize,
) -> Result<Result<Vec<Message>, Refusal>, Error> {
    let to = match before {
        None => None,
        Some(id) => match locate(tx, id).await? {
            Some((of, order)) if of == conversation => Some(key::message(of, order, id)),
            _ => return Ok(Err(Refusal::UnknownMessage)),
        },
    };
    let from = conversation.as_bytes().to_vec();
    let limit = limit.clamp(1, PAGE_MAX);
    let rows = tx
        .scan(range(conversation, from, to, Direction::Backward, limit))
        .await?;
    let mut messages = rows
        .into_iter()
        .map(read_row)
        .collect::<Result<Vec<_>, Error>>()?;
    messages.reverse();
    Ok(Ok(messages.into_iter().flatten().collect()))
}

/// All conversations, newest first.
pub(crate) async fn list(tx: &mut Tx<'_>) -> Result<Vec<Conversation>, Error> {
    let found = tx.by_account::<ConversationRecord>(LIST_MAX).await?;
    let last = |(id, thread): &(AccountId, ConversationRecord)| {
        let last = MessageId::from_slice(&thread.last_id).ok()?;
        Some((Table::Messages, key::message(*id, thread.last_order, last)))
    };
    let keys: Vec<_> = found.iter().filter_map(last).collect();
    let contacts = found
        .iter()
        .map(|(id, _)| (Table::Contacts, id.as_bytes().to_vec()));
    tx.prefetch(keys.into_iter().chain(contacts).collect())
        .await?;
    let mut list = Vec::with_capacity(found.len());
    for (id, thread) in found {
        list.push(conversation_view(tx, id, thread).await?);
    }
    list.sort_by_key(|conversation| std::cmp::Reverse(conversation.updated_at));
    Ok(list)
}

async fn conversation_view(
    tx: &mut Tx<'_>,
    id: ConversationId,
    thread: ConversationRecord,
) -> Result<Conversation, Error> {
    let last_message = match MessageId::from_slice(&thread.last_id) {
        Ok(last) => {
            let at = key::message(id, thread.last_order, last);
            tx.get::<MessageRecord>(&at)
                .await?
                .and_then(|record| view(id, last, record))
        }
        Err(_) => None,
    };
    let (handle, name) = contacts::label(tx, id).await?;
    Ok(Conversation {
        id,
        handle,
        name,
        last_message,
        unread: thread.unread,
        updated_at: Timestamp(thread.updated_at),
    })
}

/// The conversation's record, or that of an empty one.
pub(crate) async fn conversation_record(
    tx: &mut Tx<'_>,
    conversation: ConversationId,
) -> Result<ConversationRecord, Error> {
    Ok(tx.get(conversation.as_bytes()).await?.unwrap_or_default())
}

async fn locate(tx: &mut Tx<'_>, id: MessageId) -> Result<Option<(ConversationId, u64)>, Error> {
    let index = tx.get::<IndexRecord>(id.as_bytes()).await?;
    Ok(index.and_then(|index| {
        Some((
            AccountId::from_slice(&index.conversation).ok()?,
            index.order,
        ))
    }))
}

fn range(
    conversation: ConversationId,
    from: Vec<u8>,
    to: Option<Vec<u8>>,
    direction: Direction,
    limit: usize,
) -> Scan {
    let all = Scan::prefix(Table::Messages, conversation.as_bytes(), limit);
    Scan {
        from,
        to: to.or(all.to),
        direction,
        ..all
    }
}

fn read_row((at, bytes): Row) -> Result<Option<Message>, Error> {
    let Some((conversation, _, id)) = key::split_message(&at) else {
        return Ok(None);
    };
    Ok(view(conversation, id, MessageRecord::read(&bytes)?))
}

const KIND_TEXT: u32 = 0;
const KIND_UNREADABLE: u32 = 1;
const KIND_WAITING: u32 = 2;

const fn stored_kind(kind: MessageKind) -> u32 {
    match kind {
        MessageKind::Text => KIND_TEXT,
        MessageKind::Unreadable => KIND_UNREADABLE,
        MessageKind::Waiting => KIND_WAITING,
    }
}

const STATUS_QUEUED: u32 = 0;
const STATUS_SENT: u32 = 1;
const STATUS_FAILED: u32 = 2;
const STATUS_RECEIVED: u32 = 3;

fn with_status(mut record: MessageRecord, status: MessageStatus) -> MessageRecord {
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
fn view(conversation: ConversationId, id: MessageId, record: MessageRecord) -> Option<Message> {
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
