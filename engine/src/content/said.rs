//! What a message says: a text, or something done to an earlier one. Read from what Signal's messages carry,
//! and written so.
//!
//! A message is named by its id, and on a plain Signal service, which has none, by author and time (rule PS-9). What is
//! malformed or too large is told apart from what is not for us.

use wire::limits::TEXT_MAX;
use wire::proto::service::data_message::{Delete, Flags, Quote, Reaction};
use wire::proto::service::{AttachmentPointer, Content, DataMessage, EditMessage};
use wire::{AccountId, MessageId};

use super::unbound::{both_forms, is_direct, service_id};
use crate::attachment;
use crate::limits::{EMOJI_MAX, QUOTE_TEXT_MAX, TIMER_MAX_S};
use crate::output::Message;
use crate::record::QuoteRecord;
use crate::service;
use crate::thread::acts::Deed;
use crate::thread::timer::Timer;

/// What a message says.
#[derive(Debug, PartialEq)]
pub(crate) enum Said {
    /// A text, which may be empty beside attachments. One that is too long is told by its length alone.
    Text {
        text: Option<String>,
        quote: Option<QuoteRecord>,
        timer: Timer,
        attachments: Vec<AttachmentPointer>,
        /// So many attachments were malformed, or too many.
        left_out: usize,
    },
    /// Messages stay so long from now on.
    Timer(Timer),
    /// Something is done to a message.
    Act {
        target: MessageId,
        clock: u64,
        deed: Deed,
    },
    /// Nothing that is for us.
    Nothing,
    /// What nobody may say.
    Malformed,
}

impl Said {
    /// Whether it takes a place of its own in the conversation.
    pub(crate) const fn is_message(&self) -> bool {
        matches!(self, Self::Text { .. } | Self::Timer(_))
    }
}

/// Who writes, and how messages are named where it is written.
#[derive(Clone, Copy)]
pub(crate) struct Context {
    pub(crate) author: AccountId,
    pub(crate) is_plain: bool,
}

impl Context {
    /// What the content of an envelope says in a conversation.
    pub(crate) fn content(self, content: Content) -> Said {
        match (content.edit_message, content.data_message) {
            (Some(edit), _) => self.edit(edit),
            (None, Some(message)) => self.data(message),
            (None, None) => Said::Nothing,
        }
    }

    /// What a data message says.
    pub(crate) fn data(self, message: DataMessage) -> Said {
        if !is_direct(&message) {
            return Said::Nothing;
        }
        let clock = clock_of(&message);
        if let Some(reaction) = message.reaction {
            return self.reaction(reaction, clock);
        }
        if let Some(Delete {
            target_sent_timestamp,
            target_message_id,
        }) = message.delete
        {
            let target = self.name(target_message_id, Some(self.author), target_sent_timestamp);
            return act(target, clock, Deed::Delete);
        }
        let timer = timer_of(&message);
        if message.flags() & Flags::ExpirationTimerUpdate as u32 != 0 {
            return Said::Timer(timer);
        }
        let (attachments, left_out) = attachment::kept(message.attachments, self.is_plain);
        let text = match message.body {
            Some(text) => text,
            None if !attachments.is_empty() => String::new(),
            None if left_out > 0 => return Said::Malformed,
            None => return Said::Nothing,
        };
        Said::Text {
            text: (text.len() <= TEXT_MAX).then_some(text),
            quote: message.quote.and_then(|quote| self.quote(quote)),
            timer,
            attachments,
            left_out,
        }
    }

    /// What an edit says.
    pub(crate) fn edit(self, edit: EditMessage) -> Said {
        let EditMessage {
            target_sent_timestamp,
            data_message,
            target_message_id,
        } = edit;
        let Some(message) = data_message.filter(is_direct) else {
            return Said::Nothing;
        };
        let clock = clock_of(&message);
        let target = self.name(target_message_id, Some(self.author), target_sent_timestamp);
        match message.body {
            Some(text) if !text.is_empty() && text.len() <= TEXT_MAX => {
                act(target, clock, Deed::Edit(text))
            }
            Some(_) | None => Said::Malformed,
        }
    }

    fn reaction(self, reaction: Reaction, clock: Option<u64>) -> Said {
        let author = service_id(
            reaction.target_author_aci_binary.as_deref(),
            reaction.target_author_aci.as_deref(),
        );
        let target = self.name(
            reaction.target_message_id,
            author,
            reaction.target_sent_timestamp,
        );
        let removed = reaction.remove.unwrap_or(false);
        let emoji = reaction.emoji.unwrap_or_default();
        if removed {
            return act(target, clock, Deed::React(String::new()));
        }
        if !is_emoji(&emoji) {
            return Said::Malformed;
        }
        act(target, clock, Deed::React(emoji))
    }

    fn quote(self, quote: Quote) -> Option<QuoteRecord> {
        let author = service_id(
            quote.author_aci_binary.as_deref(),
            quote.author_aci.as_deref(),
        )?;
        let id = self.name(quote.message_id, Some(author), quote.id)?;
        let text = quote.text.unwrap_or_default();
        Some(QuoteRecord {
            id: id.as_bytes().to_vec(),
            author: author.as_bytes().to_vec(),
            text: beginning(&text).to_owned(),
            sent_at: quote.id.unwrap_or_default(),
        })
    }

    fn name(
        self,
        id: Option<Vec<u8>>,
        author: Option<AccountId>,
        sent_at: Option<u64>,
    ) -> Option<MessageId> {
        match id {
            Some(id) => MessageId::from_slice(&id).ok(),
            None if self.is_plain => Some(service::message_id(author?, sent_at?)),
            None => None,
        }
    }
}

fn act(target: Option<MessageId>, clock: Option<u64>, deed: Deed) -> Said {
    match (target, clock) {
        (Some(target), Some(clock)) => Said::Act {
            target,
            clock,
            deed,
        },
        _ => Said::Malformed,
    }
}

fn timer_of(message: &DataMessage) -> Timer {
    Timer {
        seconds: message.expire_timer().min(TIMER_MAX_S),
        version: message.expire_timer_version(),
    }
}

fn clock_of(message: &DataMessage) -> Option<u64> {
    message.clock.or(message.timestamp)
}

/// Something that can stand at a message: short, and nothing that moves other text about.
pub(crate) fn is_emoji(text: &str) -> bool {
    let strange = |c: char| c.is_control() || c.is_whitespace();
    (1..=EMOJI_MAX).contains(&text.len()) && !text.chars().any(strange)
}

/// As much of a text as a quote carries.
pub(crate) fn beginning(text: &str) -> &str {
    let end = text.floor_char_boundary(QUOTE_TEXT_MAX);
    text.get(..end).unwrap_or_default()
}

/// A text, as it is sent. An empty one is left out: there are attachments.
pub(crate) fn text(
    text: String,
    timestamp: u64,
    quoted: Option<&QuoteRecord>,
    timer: Timer,
    attachments: Vec<AttachmentPointer>,
) -> DataMessage {
    DataMessage {
        body: (!text.is_empty()).then_some(text),
        attachments,
        quote: quoted.map(quote),
        ..empty(timestamp, timer)
    }
}

/// Another timer, as it is sent.
pub(crate) fn timer(timestamp: u64, timer: Timer) -> DataMessage {
    DataMessage {
        flags: Some(Flags::ExpirationTimerUpdate as u32),
        ..empty(timestamp, timer)
    }
}

/// Every message repeats the timer, so that who has missed its change hears of it.
fn empty(timestamp: u64, timer: Timer) -> DataMessage {
    let has_timer = timer.seconds > 0;
    DataMessage {
        expire_timer: Some(timer.seconds),
        timestamp: Some(timestamp),
        expire_timer_version: Some(timer.version),
        required_protocol_version: has_timer.then_some(TIMERS),
        ..DataMessage::default()
    }
}

/// A quote, as it is sent.
fn quote(record: &QuoteRecord) -> Quote {
    let author = AccountId::from_slice(&record.author).ok();
    Quote {
        id: Some(record.sent_at),
        text: Some(record.text.clone()),
        author_aci: author.map(|author| author.to_string()),
        author_aci_binary: Some(record.author.clone()),
        message_id: Some(record.id.clone()),
    }
}

/// Something done to a message, as it is sent: for the peer, and the same for own other devices.
pub(crate) fn deed(target: &Message, deed: &Deed, timestamp: u64, clock: u64) -> Option<Content> {
    let message = DataMessage {
        timestamp: Some(timestamp),
        clock: (clock != timestamp).then_some(clock),
        ..DataMessage::default()
    };
    let target_sent_timestamp = Some(target.sent_at.0);
    let target_message_id = Some(target.id.as_bytes().to_vec());
    Some(match deed {
        Deed::Edit(text) => Content {
            edit_message: Some(EditMessage {
                target_sent_timestamp,
                data_message: Some(DataMessage {
                    body: Some(text.clone()),
                    ..message
                }),
                target_message_id,
            }),
            ..Content::default()
        },
        Deed::Delete => super::data(DataMessage {
            delete: Some(Delete {
                target_sent_timestamp,
                target_message_id,
            }),
            ..message
        }),
        Deed::React(emoji) => {
            let (target_author_aci, target_author_aci_binary) = both_forms(target.author);
            super::data(DataMessage {
                reaction: Some(Reaction {
                    emoji: Some(emoji.clone()),
                    remove: Some(emoji.is_empty()),
                    target_author_aci,
                    target_author_aci_binary,
                    target_sent_timestamp,
                    target_message_id,
                }),
                required_protocol_version: Some(REACTIONS),
                ..message
            })
        }
        Deed::Delivered | Deed::Read => return None, // receipts are not said in messages
    })
}

/// Signal's version of the protocol that has timers.
const TIMERS: u32 = 1;
/// Signal's version of the protocol that has reactions.
const REACTIONS: u32 = 4;

/// What a message is quoted as. One without a text is called after its attachments.
pub(crate) fn quoted(message: &Message) -> QuoteRecord {
    let Message {
        id,
        author,
        text,
        sent_at,
        ..
    } = message;
    let said = match text.as_str() {
        "" => attachment::called(&message.attachments),
        text => text,
    };
    QuoteRecord {
        id: id.as_bytes().to_vec(),
        author: author.as_bytes().to_vec(),
        text: beginning(said).to_owned(),
        sent_at: sent_at.0,
    }
}

#[cfg(test)]
mod tests;
