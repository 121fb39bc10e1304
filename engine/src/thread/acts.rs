//! What is done to a message after it was written: edits, deletion for everyone, reactions, receipts.
//!
//! [`merge`] is one rule for each, chosen so that the order in which acts come does not matter: of texts and of a
//! person's reactions the latest counts, a deletion is final, a status only rises. An act that comes before its message
//! waits for it (see `early`). It does not know how acts travel.

use wire::{AccountId, DeviceId, MessageId};

use super::union::is_later;
use super::view::{
    KIND_DELETED, KIND_TEXT, STATUS_DELIVERED, STATUS_READ, STATUS_RECEIVED, rank, view,
};
use super::{is_unread, locate, read_one, row};
use crate::error::{Error, Refusal};
use crate::flat::Set;
use crate::input::ConversationId;
use crate::limits::{ACT_WINDOW_MS, EDITS_KEPT};
use crate::output::Event;
use crate::record::{MessageRecord, ReactionRecord, VersionRecord};
use crate::tx::Tx;

/// Something done to a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Act {
    /// Of the message that carried it.
    pub(crate) id: MessageId,
    pub(crate) conversation: ConversationId,
    pub(crate) target: MessageId,
    pub(crate) by: AccountId,
    /// With which device, if it is another person's: that one may do this to its own messages only.
    pub(crate) only_of: Option<DeviceId>,
    /// When, by the clock of who did it.
    pub(crate) clock: u64,
    pub(crate) deed: Deed,
}

/// What is done.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Deed {
    /// The message says this from now on.
    Edit(String),
    /// It says nothing any more, to nobody.
    Delete,
    /// This emoji stands at it; none if empty.
    React(String),
    /// A device of the other person has it.
    Delivered,
    /// The other person has read it.
    Read,
}

/// Names it; what was written is not for logs.
impl std::fmt::Debug for Deed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Edit(_) => "Edit",
            Self::Delete => "Delete",
            Self::React(_) => "React",
            Self::Delivered => "Delivered",
            Self::Read => "Read",
        })
    }
}

/// What became of an act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The message is another now.
    Changed,
    /// It was known, or something later is.
    Nothing,
    /// There is no such message yet.
    Early,
    /// Whoever did it may not.
    Refused(Refusal),
}

/// Does something to a message that is here.
pub(crate) async fn apply(tx: &mut Tx<'_>, act: &Act) -> Result<Outcome, Error> {
    let Some(place) = locate(tx, act.target).await? else {
        return Ok(Outcome::Early);
    };
    if place.conversation != act.conversation {
        return Ok(Outcome::Refused(Refusal::UnknownMessage));
    }
    let Some(mut record) = row::at(tx, &place, act.target).await? else {
        return Ok(Outcome::Nothing); // it was here and is gone
    };
    let was_unread = is_unread(&record);
    let outcome = merge(&mut record, act);
    if outcome != Outcome::Changed {
        return Ok(outcome);
    }
    row::put(tx, &place, act.target, &record);
    if was_unread && !is_unread(&record) {
        read_one(tx, &place, act.target).await?;
    }
    if let Some(view) = view(act.conversation, act.target, record) {
        tx.emit(match act.deed {
            Deed::Edit(_) | Deed::Delete => Event::Edited(view),
            Deed::React(_) => Event::Reacted(view),
            Deed::Delivered | Deed::Read => Event::Status {
                id: view.id,
                conversation: view.conversation,
                status: view.status,
            },
        });
    }
    Ok(Outcome::Changed)
}

/// The clock of the latest act on a message that is known.
pub(crate) async fn latest(tx: &mut Tx<'_>, id: MessageId) -> Result<u64, Error> {
    let Some((_, record)) = row::get(tx, id).await? else {
        return Ok(0);
    };
    let reactions = record.reactions.iter().map(|reaction| reaction.clock);
    Ok(reactions.max().unwrap_or(0).max(record.edit_clock))
}

/// What an act makes of a message. Acts may come in any order, and more than once: the end is the same.
pub(crate) fn merge(record: &mut MessageRecord, act: &Act) -> Outcome {
    let is_its = |device| record.staff.is_some() && record.author_device == u32::from(device);
    let by_author = record.author == act.by.as_bytes() && act.only_of.is_none_or(is_its);
    match &act.deed {
        Deed::Edit(_) | Deed::Delete if !by_author => Outcome::Refused(Refusal::NotAuthor),
        Deed::React(_) | Deed::Delivered | Deed::Read if act.only_of.is_some() => {
            Outcome::Refused(Refusal::NotAllowed)
        }
        Deed::Delivered | Deed::Read if by_author => Outcome::Refused(Refusal::NotAuthor),
        Deed::Edit(_) | Deed::Delete if is_late(record, act) => Outcome::Refused(Refusal::TooLate),
        Deed::Delivered => rise(record, STATUS_DELIVERED),
        Deed::Read => rise(record, STATUS_READ),
        // Deletion is final; and what could not be read has no text to change.
        _ if record.kind == KIND_DELETED => Outcome::Nothing,
        Deed::Edit(text) if record.kind == KIND_TEXT => edit(record, act, text),
        Deed::Edit(_) => Outcome::Nothing,
        Deed::Delete => delete(record),
        Deed::React(emoji) => react(record, act, emoji),
    }
}

/// By the author's own clocks, so that every device comes to the same end whenever it hears of the act.
fn is_late(record: &MessageRecord, act: &Act) -> bool {
    act.clock > record.sent_at.saturating_add(ACT_WINDOW_MS)
}

fn edit(record: &mut MessageRecord, act: &Act, text: &str) -> Outcome {
    let new = VersionRecord {
        clock: act.clock,
        id: act.id.as_bytes().to_vec(),
        text: text.to_owned(),
    };
    add_versions(record, vec![new])
}

/// Adds texts to those that a message has had: the newest counts. Of one act there is one text, the greater if its author
/// gave devices different ones.
pub(super) fn add_versions(record: &mut MessageRecord, new: Vec<VersionRecord>) -> Outcome {
    let before = take_versions(record);
    let mut versions = [before.clone(), new].concat();
    versions.sort_by(|a, b| (b.clock, &b.id, &b.text).cmp(&(a.clock, &a.id, &a.text)));
    let mut ids = Set::new();
    versions.retain(|version| ids.insert(version.id.clone()));
    versions.truncate(EDITS_KEPT + 1);
    let outcome = outcome(versions != before);
    let mut versions = versions.into_iter();
    if let Some(newest) = versions.next() {
        (record.edit_clock, record.edit_id, record.text) = (newest.clock, newest.id, newest.text);
    }
    record.earlier = versions.collect();
    outcome
}

/// Takes all texts that a message has had out of it, newest first.
pub(crate) fn take_versions(record: &mut MessageRecord) -> Vec<VersionRecord> {
    let present = VersionRecord {
        clock: std::mem::take(&mut record.edit_clock), // 0, before any edit, if there was none
        id: std::mem::take(&mut record.edit_id),
        text: std::mem::take(&mut record.text),
    };
    [vec![present], std::mem::take(&mut record.earlier)].concat()
}

const fn outcome(has_changed: bool) -> Outcome {
    if has_changed {
        Outcome::Changed
    } else {
        Outcome::Nothing
    }
}

pub(super) fn delete(record: &mut MessageRecord) -> Outcome {
    record.kind = KIND_DELETED;
    record.reactions.clear();
    blank(record);
    Outcome::Changed
}

/// It says nothing, and never did.
pub(super) fn blank(record: &mut MessageRecord) {
    take_versions(record);
    record.quote = None;
    record.attachments.clear();
}

fn react(record: &mut MessageRecord, act: &Act, emoji: &str) -> Outcome {
    let new = ReactionRecord {
        account: act.by.as_bytes().to_vec(),
        clock: act.clock,
        id: act.id.as_bytes().to_vec(),
        emoji: emoji.to_owned(),
    };
    add_reaction(record, new)
}

/// Adds a reaction to those of a message: of a person's the latest counts.
pub(super) fn add_reaction(record: &mut MessageRecord, new: ReactionRecord) -> Outcome {
    let same = |known: &&mut ReactionRecord| known.account == new.account;
    match record.reactions.iter_mut().find(same) {
        Some(known) if !is_later(&new, known) => return Outcome::Nothing,
        Some(known) => *known = new,
        None => {
            record.reactions.push(new);
            record.reactions.sort_by(|a, b| a.account.cmp(&b.account));
        }
    }
    Outcome::Changed
}

pub(super) fn rise(record: &mut MessageRecord, status: u32) -> Outcome {
    if record.status == STATUS_RECEIVED || rank(status) <= rank(record.status) {
        return Outcome::Nothing;
    }
    record.status = status;
    record.error.clear();
    Outcome::Changed
}

#[cfg(test)]
mod tests;
