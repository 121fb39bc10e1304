//! The form in which messages and conversations are kept outside a store or handed to another device, and the strict reading
//! of it: what is not whole and within its limits is refused.
//!
//! It has all that own devices mirror, and nothing that is one device's alone: that a message waits, has failed or could
//! not be read. An archive is merged (see `merge`). Who may hand one over is for others to know.

mod merge;

use wire::limits::{STAFF_LABEL_BYTES_MAX, TEXT_MAX};
use wire::proto::archive::archived_message::{Quote, Reaction, Version};
use wire::proto::archive::{ArchivedConversation, ArchivedMessage};
use wire::proto::service::AttachmentPointer;
use wire::{AccountId, DeviceId, MessageId};

use crate::attachment;
use crate::content::said::is_emoji;
use crate::input::{ConversationId, Timestamp};
use crate::limits::{ARCHIVE_AHEAD_MS, EDITS_KEPT, QUOTE_TEXT_MAX, TIMER_MAX_S};
use crate::record::{
    ConversationRecord, MessageRecord, QuoteRecord, ReactionRecord, VersionRecord,
};
use crate::registers::CLOCK_MAX;
use crate::thread::acts::take_versions;
use crate::thread::timer::Timer;
use crate::thread::union::Placed;
use crate::thread::view::{
    KIND_DELETED, KIND_TEXT, KIND_TIMER, STATUS_DELIVERED, STATUS_READ, STATUS_RECEIVED,
    STATUS_SENT,
};

/// What an archive may say of whom, and up to when.
#[derive(Clone, Copy)]
pub(crate) struct Reader {
    /// Whose archive it is.
    pub(crate) own: AccountId,
    /// The present.
    pub(crate) now: Timestamp,
}

/// A conversation, without its messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) conversation: ConversationId,
    /// Order and id of the last message that was read.
    pub(crate) read: Option<(u64, MessageId)>,
    pub(crate) read_clock: u64,
    pub(crate) updated_at: u64,
    pub(crate) timer: Timer,
}

/// A message as it is archived; `None` if it is this device's alone.
pub(crate) fn message(message: Placed) -> Option<ArchivedMessage> {
    let Placed {
        id,
        conversation,
        order,
        mut record,
    } = message;
    if !is_mirrored(&record) {
        return None;
    }
    let texts = take_versions(&mut record);
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
        error: _, // of a message that failed
        quote,
        reactions,
        timer_s,
        ends_at,
        attachments,
        staff,
    } = record;
    let texts = texts.into_iter().filter(|_| kind == KIND_TEXT);
    Some(ArchivedMessage {
        id: id.as_bytes().to_vec(),
        conversation: conversation.as_bytes().to_vec(),
        author,
        author_device,
        kind,
        status,
        sent_at,
        order,
        texts: texts.map(version).collect(),
        quote: quote.map(quoted),
        reactions: reactions.into_iter().map(reaction).collect(),
        timer_s,
        ends_at,
        attachments,
        staff,
    })
}

/// Whether own devices have it alike.
pub(crate) fn is_mirrored(record: &MessageRecord) -> bool {
    matches!(record.kind, KIND_TEXT | KIND_DELETED | KIND_TIMER) && is_status(record.status)
}

/// A conversation as it is archived.
pub(crate) fn head(
    conversation: ConversationId,
    record: ConversationRecord,
) -> ArchivedConversation {
    let ConversationRecord {
        last_order: _, // follows from the messages
        last_id: _,
        read_order,
        read_id,
        unread: _,
        updated_at,
        read_clock,
        owed: _, // by this device
        timer_s,
        timer_version,
        without_staff: _, // the next message says it again
        without_staff_at: _,
    } = record;
    ArchivedConversation {
        account: conversation.as_bytes().to_vec(),
        read_order,
        read_id,
        read_clock,
        updated_at,
        timer_s,
        timer_version,
    }
}

impl Reader {
    /// A message, if all of it is as it may be.
    pub(crate) fn message(self, archived: ArchivedMessage) -> Option<Placed> {
        let ArchivedMessage {
            id,
            conversation,
            author,
            author_device,
            kind,
            status,
            sent_at,
            order,
            texts,
            quote,
            reactions,
            timer_s,
            ends_at,
            attachments,
            staff,
        } = archived;
        let conversation = AccountId::from_slice(&conversation).ok()?;
        let author = AccountId::from_slice(&author).ok()?;
        DeviceId::try_from(author_device).ok()?;
        let is_own = author == self.own;
        let of_two = is_own || author == conversation;
        let status_fits = is_status(status) && is_own == (status != STATUS_RECEIVED);
        if !of_two || !status_fits || order > sent_at || !self.believes(order) {
            return None;
        }
        let record = MessageRecord {
            author: author.as_bytes().to_vec(),
            author_device,
            kind,
            sent_at,
            status,
            reactions: read_reactions(reactions, [self.own, conversation])?,
            timer_s: (timer_s <= TIMER_MAX_S).then_some(timer_s)?,
            ends_at,
            staff: match staff {
                Some(label) if label.len() > STAFF_LABEL_BYTES_MAX => return None,
                staff => staff,
            },
            ..MessageRecord::default()
        };
        let is_blank = texts.is_empty() && quote.is_none() && attachments.is_empty();
        let record = match kind {
            KIND_DELETED if is_blank && record.reactions.is_empty() => record,
            KIND_TIMER if is_blank => record,
            KIND_TEXT => {
                let mut texts = read_texts(texts)?.into_iter();
                let VersionRecord { clock, id, text } = texts.next()?;
                MessageRecord {
                    text,
                    edit_clock: clock,
                    edit_id: id,
                    earlier: texts.collect(),
                    quote: quote.map(read_quote).transpose().ok()?,
                    attachments: read_attachments(&attachments)?,
                    ..record
                }
            }
            _ => return None,
        };
        let id = MessageId::from_slice(&id).ok()?;
        Some(Placed {
            id,
            conversation,
            order,
            record,
        })
    }

    /// A conversation, if all of it is as it may be.
    pub(crate) fn head(self, archived: &ArchivedConversation) -> Option<Head> {
        let ArchivedConversation {
            account,
            read_order,
            read_id,
            read_clock,
            updated_at,
            timer_s,
            timer_version,
        } = archived;
        let conversation = AccountId::from_slice(account).ok()?;
        let read = if read_id.is_empty() && *read_order == 0 {
            None
        } else {
            Some((*read_order, MessageId::from_slice(read_id).ok()?))
        };
        let believed = self.believes(*read_order) && self.believes(*updated_at);
        let fits = *read_clock <= CLOCK_MAX && *timer_s <= TIMER_MAX_S;
        (believed && fits).then_some(Head {
            conversation,
            read,
            read_clock: *read_clock,
            updated_at: *updated_at,
            timer: Timer {
                seconds: *timer_s,
                version: *timer_version,
            },
        })
    }

    fn believes(self, order: u64) -> bool {
        order <= self.now.plus_ms(ARCHIVE_AHEAD_MS).0
    }
}

const fn is_status(status: u32) -> bool {
    matches!(
        status,
        STATUS_SENT | STATUS_DELIVERED | STATUS_READ | STATUS_RECEIVED
    )
}

fn version(VersionRecord { clock, id, text }: VersionRecord) -> Version {
    Version { clock, id, text }
}

/// At least one, newest first, of different acts.
fn read_texts(texts: Vec<Version>) -> Option<Vec<VersionRecord>> {
    if texts.len() > EDITS_KEPT + 1 {
        return None;
    }
    let read = |Version { clock, id, text }| {
        let is_first = clock == 0 && id.is_empty();
        let fits = text.len() <= TEXT_MAX && (is_first || is_id(&id));
        fits.then_some(VersionRecord { clock, id, text })
    };
    let texts: Vec<VersionRecord> = texts.into_iter().map(read).collect::<Option<_>>()?;
    let newer = |[a, b]: &[VersionRecord; 2]| (a.clock, &a.id) > (b.clock, &b.id);
    texts.array_windows().all(newer).then_some(texts)
}

fn quoted(record: QuoteRecord) -> Quote {
    let QuoteRecord {
        id,
        author,
        text,
        sent_at,
    } = record;
    Quote {
        id,
        author,
        text,
        sent_at,
    }
}

fn read_quote(quote: Quote) -> Result<QuoteRecord, ()> {
    let Quote {
        id,
        author,
        text,
        sent_at,
    } = quote;
    if is_id(&id) && is_id(&author) && text.len() <= QUOTE_TEXT_MAX {
        Ok(QuoteRecord {
            id,
            author,
            text,
            sent_at,
        })
    } else {
        Err(())
    }
}

fn reaction(record: ReactionRecord) -> Reaction {
    let ReactionRecord {
        account,
        clock,
        id,
        emoji,
    } = record;
    Reaction {
        account,
        clock,
        id,
        emoji,
    }
}

/// No more than a message carries, and each as one that came in a message was kept.
fn read_attachments(attachments: &[AttachmentPointer]) -> Option<Vec<AttachmentPointer>> {
    let (kept, left_out) = attachment::kept(attachments.to_vec(), true);
    (left_out == 0 && kept == attachments).then_some(kept)
}

/// One of each person at most, in the order of their ids.
fn read_reactions(reactions: Vec<Reaction>, people: [AccountId; 2]) -> Option<Vec<ReactionRecord>> {
    let read = |reaction| {
        let Reaction {
            account,
            clock,
            id,
            emoji,
        } = reaction;
        let of_them = people.iter().any(|person| account == person.as_bytes());
        let fits = of_them && is_id(&id) && (emoji.is_empty() || is_emoji(&emoji));
        fits.then_some(ReactionRecord {
            account,
            clock,
            id,
            emoji,
        })
    };
    if reactions.len() > people.len() {
        return None;
    }
    let read: Vec<ReactionRecord> = reactions.into_iter().map(read).collect::<Option<_>>()?;
    let in_order = |[a, b]: &[ReactionRecord; 2]| a.account < b.account;
    read.array_windows().all(in_order).then_some(read)
}

fn is_id(bytes: &[u8]) -> bool {
    bytes.len() == 16
}

#[cfg(test)]
mod tests;
