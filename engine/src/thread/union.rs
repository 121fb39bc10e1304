//! One message as two stores have it: what both know of it together, by the rules of acts. Whichever comes to which,
//! however often and in whatever order, the end is the same.
//!
//! What people did to a message is united as in `acts`. What its author wrote is the same everywhere, unless the author
//! told devices different things; then one of them is chosen, so that own devices agree after all.
//! It does not know where the other record comes from.

use prost::Message as _;
use wire::MessageId;

use super::acts::{self, Act};
use super::view::{KIND_DELETED, KIND_TEXT, KIND_TIMER, view};
use super::{
    Place, conversation_record, count_unread, is_unread, last_of, locate, read_one, row, store,
    timer,
};
use crate::error::Error;
use crate::input::ConversationId;
use crate::output::{Event, Message};
use crate::record::{IndexRecord, MessageRecord, ReactionRecord};
use crate::tx::Tx;

/// A message with its place.
#[derive(Clone)]
pub(crate) struct Placed {
    pub(crate) id: MessageId,
    pub(crate) conversation: ConversationId,
    pub(crate) order: u64,
    pub(crate) record: MessageRecord,
}

/// What became of a message of another store.
#[derive(Debug)]
pub(crate) enum Union {
    /// It was not here.
    New(Option<Box<Message>>),
    /// It says more than before, and disappears then; 0: never.
    Changed { ends_at: u64 },
    /// All of it was known, or it is gone for good.
    Known,
    /// It can't be the message that is known by this id.
    Refused,
}

/// Unites a message with what is known of it here. What was done to it before it came is done first.
pub(crate) async fn unite(tx: &mut Tx<'_>, message: Placed, early: &[Act]) -> Result<Union, Error> {
    let Placed {
        id,
        conversation,
        order,
        record: mut other,
    } = message;
    let Some(index) = tx.get::<IndexRecord>(id.as_bytes()).await? else {
        for act in early.iter().filter(|act| act.conversation == conversation) {
            acts::merge(&mut other, act);
        }
        let place = Place {
            conversation,
            order,
        };
        let new = store(tx, &place, id, other).await?;
        return Ok(Union::New(new.map(Box::new)));
    };
    if index.gone {
        return Ok(Union::Known);
    }
    let Some(place) = locate(tx, id).await? else {
        return Ok(Union::Refused);
    };
    let Some(known) = row::at(tx, &place, id).await? else {
        return Ok(Union::Known);
    };
    if place.conversation != conversation || known.author != other.author {
        return Ok(Union::Refused);
    }
    let (order, united) = join((place.order, &known), (order, other));
    if order == place.order && united == known {
        return Ok(Union::Known);
    }
    replace(tx, &place, id, order, (&known, &united)).await?;
    let ends_at = united.ends_at;
    tell(tx, conversation, id, &known, united);
    Ok(Union::Changed { ends_at })
}

/// Puts what both know in the place of what was known.
async fn replace(
    tx: &mut Tx<'_>,
    place: &Place,
    id: MessageId,
    order: u64,
    (known, united): (&MessageRecord, &MessageRecord),
) -> Result<(), Error> {
    let conversation = place.conversation;
    if order != place.order {
        row::delete(tx, place, id);
        let place = Place {
            conversation,
            order,
        };
        row::put_new(tx, &place, id, united);
        let mut thread = conversation_record(tx, conversation).await?;
        (thread.last_order, thread.last_id) = last_of(tx, conversation).await?;
        thread.unread = count_unread(tx, conversation, thread.read_order, &thread.read_id).await?;
        tx.put(conversation.as_bytes(), &thread);
        return Ok(());
    }
    row::put(tx, place, id, united);
    if is_unread(known) && !is_unread(united) {
        read_one(tx, place, id).await?;
    }
    Ok(())
}

fn tell(
    tx: &mut Tx<'_>,
    conversation: ConversationId,
    id: MessageId,
    before: &MessageRecord,
    after: MessageRecord,
) {
    let says = |record: &MessageRecord| {
        let (kind, text) = (record.kind, record.text.clone());
        (kind, text, record.earlier.clone(), record.quote.clone())
    };
    let edited = says(before) != says(&after);
    let reacted = before.reactions != after.reactions;
    let risen = before.status != after.status;
    let Some(view) = view(conversation, id, after) else {
        return;
    };
    if risen {
        let status = view.status;
        tx.emit(Event::Status {
            id,
            conversation,
            status,
        });
    }
    if edited {
        tx.emit(Event::Edited(view));
    } else if reacted {
        tx.emit(Event::Reacted(view));
    }
}

/// What two stores know of one message, each with its order there. Commutative, associative and idempotent, but for what a sending device
/// alone knows of its own message: that it waits or has failed.
pub(crate) fn join(
    (known_order, known): (u64, &MessageRecord),
    (other_order, mut other): (u64, MessageRecord),
) -> (u64, MessageRecord) {
    let known = known.clone();
    if !is_readable(&known) || !is_readable(&other) {
        // One that could not be read says nothing.
        return if is_readable(&known) || !is_readable(&other) {
            (known_order, known)
        } else {
            (other_order, other)
        };
    }
    let texts = acts::take_versions(&mut other);
    let MessageRecord {
        author,
        author_device,
        kind,
        text: _, // with when and by which act, and what it was before: the texts
        edit_clock: _,
        edit_id: _,
        earlier: _,
        sent_at,
        status,
        error: _,
        quote,
        reactions,
        timer_s,
        ends_at,
        attachments,
        staff,
    } = other;
    let mut united = known;
    let first = (known_order, united.sent_at, united.author_device);
    let (order, sent_at, author_device) = first.min((other_order, sent_at, author_device));
    (united.sent_at, united.author_device) = (sent_at, author_device);
    united.author = author;
    united.staff = united.staff.max(staff); // who knows the name has learned it from the account
    acts::rise(&mut united, status);
    united.timer_s = timer::shorter(united.timer_s, timer_s);
    united.ends_at = timer::earlier(united.ends_at, ends_at);
    if united.kind == KIND_DELETED || kind == KIND_DELETED {
        acts::delete(&mut united);
        return (order, united);
    }
    for reaction in reactions {
        acts::add_reaction(&mut united, reaction);
    }
    if united.kind != KIND_TEXT || kind != KIND_TEXT {
        united.kind = KIND_TIMER; // which says nothing
        acts::blank(&mut united);
        return (order, united);
    }
    united.quote = greater(united.quote, quote);
    united.attachments = greater(united.attachments, attachments);
    acts::add_versions(&mut united, texts);
    (order, united)
}

const fn is_readable(record: &MessageRecord) -> bool {
    matches!(record.kind, KIND_TEXT | KIND_DELETED | KIND_TIMER)
}

/// One of two things that an author has said of the same: the greater bytes.
fn greater<T: IntoIterator<Item: prost::Message> + Clone>(one: T, other: T) -> T {
    let bytes = |of: &T| -> Vec<Vec<u8>> {
        let parts = of.clone().into_iter();
        parts.map(|part| part.encode_to_vec()).collect()
    };
    std::cmp::max_by_key(one, other, bytes)
}

/// Which of two reactions of a person holds.
pub(super) fn is_later(one: &ReactionRecord, other: &ReactionRecord) -> bool {
    (one.clock, &one.id, &one.emoji) > (other.clock, &other.id, &other.emoji)
}
