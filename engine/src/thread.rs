//! Conversations and their messages: where a message stands, what is unread, what a page shows.
//!
//! Order is the author's clock, then the id, the same on every device whatever came first.
//! It does not know how messages travel.

pub(crate) mod acts;
mod ahead;
mod gone;
mod pages;
mod placeholder;
mod row;
pub(crate) mod timer;
pub(crate) mod union;
pub(crate) mod view;

use wire::proto::service::AttachmentPointer;
use wire::{AccountId, DeviceAddress, MessageId};

use crate::error::Error;
use crate::input::ConversationId;
use crate::limits::{RECEIPT_MESSAGES_MAX, UNREAD_MAX};
use crate::output::{Event, Message, MessageKind, MessageStatus};
use crate::receipts::Receipted;
use crate::record::{ConversationRecord, IndexRecord, MessageRecord, QuoteRecord, Record, key};
use crate::registers;
use crate::store::{Direction, Scan, Table};
use crate::tx::Tx;
use acts::Act;
pub(crate) use ahead::{mark_read_ahead, move_mark};
pub(crate) use gone::remove;
pub(crate) use pages::{list, page, show};
pub(crate) use placeholder::{Kept, end_placeholder, kept_at, kept_order, remove_placeholder};
use timer::Timer;
use view::{
    KIND_DELETED, KIND_TIMER, STATUS_DELIVERED, STATUS_RECEIVED, rank, stored_kind, view,
    with_status,
};
pub(crate) use view::{is_incoming, said, view as shown};

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
    pub(crate) quote: Option<QuoteRecord>,
    /// How long it stays, and what it says of the conversation's timer.
    pub(crate) timer: Timer,
    /// When its time began to run, if it does.
    pub(crate) started: Option<u64>,
    pub(crate) attachments: Vec<AttachmentPointer>,
    /// Somebody else wrote it for the author, and is called so.
    pub(crate) staff: Option<String>,
}

impl NewMessage {
    /// One that says nothing yet, and stays.
    pub(crate) fn new(
        (id, conversation, author): (MessageId, ConversationId, DeviceAddress),
        kind: MessageKind,
        sent_at: u64,
        status: MessageStatus,
    ) -> Self {
        Self {
            id,
            conversation,
            author,
            kind,
            text: String::new(),
            sent_at,
            order: sent_at,
            status,
            quote: None,
            timer: Timer::default(),
            started: None,
            attachments: Vec::new(),
            staff: None,
        }
    }
}

/// Stores a message, once: a second one with its id changes nothing, nor does one that was removed here. What was done
/// to it before it came is done first. Gives the message if it is new.
pub(crate) async fn insert(
    tx: &mut Tx<'_>,
    message: NewMessage,
    early: &[Act],
) -> Result<Option<Message>, Error> {
    let NewMessage {
        id,
        conversation,
        author,
        kind,
        text,
        sent_at,
        order,
        status,
        quote,
        timer,
        started,
        attachments,
        staff,
    } = message;
    if tx.get::<IndexRecord>(id.as_bytes()).await?.is_some() {
        return Ok(None);
    }
    let record = MessageRecord {
        author: author.account.as_bytes().to_vec(),
        author_device: author.device.into(),
        kind: stored_kind(kind),
        text,
        sent_at,
        quote,
        timer_s: timer.seconds,
        attachments,
        staff,
        ..MessageRecord::default()
    };
    let of_staff = record.staff.is_some();
    let mut record = with_status(record, status);
    if let Some(started) = started {
        timer::run(&mut record, started.min(tx.now.0));
    }
    for act in early.iter().filter(|act| act.conversation == conversation) {
        acts::merge(&mut record, act);
    }
    let place = Place {
        conversation,
        order,
    };
    let view = store(tx, &place, id, record).await?;
    let mut thread = conversation_record(tx, conversation).await?;
    // How long messages stay is for the two people to say.
    if !of_staff && timer::take(&mut thread, timer) {
        tx.put(conversation.as_bytes(), &thread);
        show(tx, conversation).await?;
    }
    Ok(view)
}

/// Stores a message that is not here: the conversation counts and ends with it. Gives it.
async fn store(
    tx: &mut Tx<'_>,
    place: &Place,
    id: MessageId,
    mut record: MessageRecord,
) -> Result<Option<Message>, Error> {
    let Place {
        conversation,
        order,
    } = *place;
    let incoming = is_incoming(&record);
    let mut thread = conversation_record(tx, conversation).await?;
    let at = (order, id.as_bytes().to_vec());
    let is_after_mark = at > (thread.read_order, thread.read_id.clone());
    if incoming && !is_after_mark {
        timer::run(&mut record, tx.now.0); // it comes late
    }
    row::put_new(tx, place, id, &record);
    if at > (thread.last_order, thread.last_id.clone()) {
        (thread.last_order, thread.last_id) = at;
        thread.updated_at = thread.updated_at.max(order);
    }
    if is_unread(&record) && is_after_mark {
        thread.unread = thread.unread.saturating_add(1);
    }
    tx.put(conversation.as_bytes(), &thread);
    let sent_at = record.sent_at;
    let view = view(conversation, id, record);
    if let Some(view) = &view {
        tx.emit(Event::Message(view.clone()));
    }
    registers::note_message(tx, conversation, incoming, sent_at).await?;
    Ok(view)
}

/// Gives an outgoing message its new status. What its receiver has said of it stays.
pub(crate) async fn update_status(
    tx: &mut Tx<'_>,
    id: MessageId,
    status: MessageStatus,
) -> Result<(), Error> {
    if let Some((place, record)) = row::get(tx, id).await?
        && rank(record.status) < rank(STATUS_DELIVERED)
    {
        row::put(tx, &place, id, &with_status(record, status));
        tx.emit(Event::Status {
            id,
            conversation: place.conversation,
            status,
        });
    }
    Ok(())
}

/// Theirs, and there is something to read.
fn is_unread(record: &MessageRecord) -> bool {
    record.status == STATUS_RECEIVED && record.kind != KIND_DELETED && record.kind != KIND_TIMER
}

/// A message that may have counted as unread does not any more.
async fn read_one(tx: &mut Tx<'_>, place: &Place, id: MessageId) -> Result<(), Error> {
    let mut thread = conversation_record(tx, place.conversation).await?;
    let mark = (thread.read_order, thread.read_id.as_slice());
    if (place.order, id.as_bytes().as_slice()) > mark {
        thread.unread = thread.unread.saturating_sub(1);
        tx.put(place.conversation.as_bytes(), &thread);
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
    let Some(Place { order, .. }) = found.filter(|place| place.conversation == conversation) else {
        return Ok(false);
    };
    let mut thread = conversation_record(tx, conversation).await?;
    let mark = (order, message.as_bytes().to_vec());
    if mark <= (thread.read_order, thread.read_id.clone()) {
        return Ok(false);
    }
    (thread.read_order, thread.read_id) = mark;
    thread.unread = count_unread(tx, conversation, order, message.as_bytes()).await?;
    tx.put(conversation.as_bytes(), &thread);
    tx.emit(Event::Read {
        conversation,
        message,
    });
    Ok(true)
}

/// The last message that was read: its order and id.
pub(crate) async fn read_mark(
    tx: &mut Tx<'_>,
    conversation: ConversationId,
) -> Result<(u64, Vec<u8>), Error> {
    let thread = conversation_record(tx, conversation).await?;
    Ok((thread.read_order, thread.read_id))
}

/// What is read for the first time when everything up to this message is: the newest of it, of the other person.
pub(crate) async fn newly_read(
    tx: &mut Tx<'_>,
    conversation: ConversationId,
    message: MessageId,
) -> Result<Vec<Receipted>, Error> {
    let Some(place) = locate(tx, message).await? else {
        return Ok(Vec::new());
    };
    let thread = conversation_record(tx, conversation).await?;
    let from = key::after_message(conversation, thread.read_order, &thread.read_id);
    let to = key::after_message(conversation, place.order, message.as_bytes());
    let rows = tx
        .scan(range(
            conversation,
            from,
            Some(to),
            Direction::Backward,
            RECEIPT_MESSAGES_MAX,
        ))
        .await?;
    let mut read = Vec::new();
    for (at, bytes) in rows {
        let record = MessageRecord::read(&bytes)?;
        if let Some((_, _, id)) = key::split_message(&at)
            && is_unread(&record)
        {
            let sent_at = record.sent_at;
            read.push(Receipted { id, sent_at });
        }
    }
    Ok(read)
}

/// Order and id of the newest message.
async fn last_of(tx: &mut Tx<'_>, conversation: ConversationId) -> Result<(u64, Vec<u8>), Error> {
    let from = conversation.as_bytes().to_vec();
    let newest = range(conversation, from, None, Direction::Backward, 1);
    let newest = tx.scan(newest).await?;
    let last = newest.first().and_then(|(at, _)| key::split_message(at));
    Ok(last
        .map(|(_, order, id)| (order, id.as_bytes().to_vec()))
        .unwrap_or_default())
}

async fn count_unread(
    tx: &mut Tx<'_>,
    conversation: ConversationId,
    order: u64,
    id: &[u8],
) -> Result<u32, Error> {
    let from = key::after_message(conversation, order, id);
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
        unread += u32::from(is_unread(&MessageRecord::read(&bytes)?));
    }
    Ok(unread)
}

/// The message with this id.
pub(crate) async fn find(tx: &mut Tx<'_>, id: MessageId) -> Result<Option<Message>, Error> {
    let found = row::get(tx, id).await?;
    Ok(found.and_then(|(place, record)| view(place.conversation, id, record)))
}

/// Where the message with this id stands, or stood.
pub(crate) async fn order(tx: &mut Tx<'_>, id: MessageId) -> Result<Option<u64>, Error> {
    Ok(locate(tx, id).await?.map(|place| place.order))
}

/// What the message with this id carries beside its text, as stored: what it answers, and its attachments.
pub(crate) async fn carried(
    tx: &mut Tx<'_>,
    id: MessageId,
) -> Result<(Option<QuoteRecord>, Vec<AttachmentPointer>), Error> {
    let found = row::get(tx, id).await?;
    Ok(found
        .map(|(_, record)| (record.quote, record.attachments))
        .unwrap_or_default())
}

/// The conversation's record, or that of an empty one.
pub(crate) async fn conversation_record(
    tx: &mut Tx<'_>,
    conversation: ConversationId,
) -> Result<ConversationRecord, Error> {
    Ok(tx.get(conversation.as_bytes()).await?.unwrap_or_default())
}

/// Where a message is, or was.
struct Place {
    conversation: ConversationId,
    order: u64,
}

async fn locate(tx: &mut Tx<'_>, id: MessageId) -> Result<Option<Place>, Error> {
    let index = tx.get::<IndexRecord>(id.as_bytes()).await?;
    Ok(index.and_then(|index| {
        Some(Place {
            conversation: AccountId::from_slice(&index.conversation).ok()?,
            order: index.order,
        })
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
