//! Pages of a conversation, and the list of all of them.
//! It reads; nothing here changes anything.

use wire::{AccountId, MessageId};

use super::view::view;
use super::{locate, range};
use crate::contacts;
use crate::error::{Error, Refusal};
use crate::input::{ConversationId, Timestamp};
use crate::limits::{LIST_MAX, PAGE_MAX};
use crate::output::{Conversation, Event, Message};
use crate::record::{ConversationRecord, MessageRecord, Record, key};
use crate::registers;
use crate::store::{Direction, Row, Table};
use crate::tx::Tx;

/// A page of a conversation, oldest first: the newest messages, or the oldest after a certain one.
pub(crate) async fn page(
    tx: &mut Tx<'_>,
    conversation: ConversationId,
    before: Option<MessageId>,
    after: Option<MessageId>,
    limit: usize,
) -> Result<Result<Vec<Message>, Refusal>, Error> {
    let mut ends = [None, None];
    for (end, id) in ends.iter_mut().zip([before, after]) {
        let Some(id) = id else { continue };
        match locate(tx, id).await? {
            Some(place) if place.conversation == conversation => *end = Some((place.order, id)),
            _ => return Ok(Err(Refusal::UnknownMessage)),
        }
    }
    let [before, after] = ends;
    let to = before.map(|(order, id)| key::message(conversation, order, id));
    let from = after.map(|(order, id)| key::after_message(conversation, order, id.as_bytes()));
    let direction = if after.is_some() {
        Direction::Forward
    } else {
        Direction::Backward
    };
    let from = from.unwrap_or_else(|| conversation.as_bytes().to_vec());
    let limit = limit.clamp(1, PAGE_MAX);
    let rows = tx
        .scan(range(conversation, from, to, direction, limit))
        .await?;
    let mut messages = rows
        .into_iter()
        .map(read_row)
        .collect::<Result<Vec<_>, Error>>()?;
    if direction == Direction::Backward {
        messages.reverse();
    }
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
    registers::prefetch_conversations(tx).await?;
    let mut list = Vec::with_capacity(found.len());
    for (id, thread) in found {
        list.push(conversation_view(tx, id, thread).await?);
    }
    list.sort_by_key(|conversation| std::cmp::Reverse(conversation.updated_at));
    Ok(list)
}

/// Tells of a conversation, if there is one.
pub(crate) async fn show(tx: &mut Tx<'_>, id: ConversationId) -> Result<(), Error> {
    if let Some(thread) = tx.get::<ConversationRecord>(id.as_bytes()).await? {
        let conversation = conversation_view(tx, id, thread).await?;
        tx.emit(Event::Conversation(Box::new(conversation)));
    }
    Ok(())
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
    let person = registers::person(tx, id).await?;
    let fields = registers::conversation(tx, id, thread.read_clock).await?;
    Ok(Conversation {
        id,
        handle,
        name,
        last_message,
        unread: thread.unread,
        updated_at: Timestamp(thread.updated_at),
        muted_until: fields.muted_until,
        archived: fields.archived,
        pinned: fields.pinned,
        draft: fields.draft,
        marked_unread: fields.marked_unread,
        blocked: person.blocked,
        request: person.request,
        timer_s: Some(thread.timer_s).filter(|seconds| *seconds > 0),
    })
}

fn read_row((at, bytes): Row) -> Result<Option<Message>, Error> {
    let Some((conversation, _, id)) = key::split_message(&at) else {
        return Ok(None);
    };
    Ok(view(conversation, id, MessageRecord::read(&bytes)?))
}
