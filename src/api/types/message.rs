//! Messages, and what can be done to them, as JavaScript has them.
//! Taken apart field by field from the engine's, so a new field there is a compile error here.

use engine::output;
use serde::Serialize;
use tsify::Tsify;

use super::{MessageAttachment, milliseconds};

/// For `Client.send`.
#[derive(Debug, Tsify)]
pub struct Content {
    /// At most 64 KiB in UTF-8. May be left out or empty beside attachments.
    #[tsify(optional)]
    pub text: Option<String>,
    /// The message that it answers, of the same conversation.
    #[tsify(optional, type = "MessageId")]
    pub quote: Option<String>,
    /// What `Client.upload` has made, 32 at most.
    #[tsify(optional, type = "Attachment[]")]
    pub attachments: Vec<String>,
}

/// For `Client.edit`.
#[derive(Debug, Tsify)]
pub struct EditOptions {
    /// At most 64 KiB in UTF-8.
    pub text: String,
}

/// For `Client.remove`.
#[derive(Debug, Tsify)]
pub struct RemoveOptions {
    /// For both people, which only its author may, for a day. Default: on own devices alone.
    #[tsify(optional)]
    pub everyone: Option<bool>,
}

/// The last is of incoming messages, the others are of outgoing ones.
#[derive(Clone, Copy, Debug, Serialize, Tsify)]
#[serde(rename_all = "lowercase")]
pub enum MessageStatus {
    /// Stored, on its way out.
    Queued,
    /// Taken by the relay for every device.
    Sent,
    /// A device of the other person has it.
    Delivered,
    /// The other person has read it.
    Read,
    /// It will not be sent.
    Failed,
    /// Came in.
    Received,
}

/// Two are placeholders for a message that could not be decrypted.
#[derive(Clone, Copy, Debug, Serialize, Tsify)]
#[serde(rename_all = "lowercase")]
pub enum MessageKind {
    /// Text.
    Text,
    /// Keeps the place of a message that could not be read.
    Unreadable,
    /// The same, and its sender was asked for it: it may still come, in the place of this one.
    Waiting,
    /// Its author has deleted it for everyone.
    Deleted,
    /// Its author has changed how long messages of the conversation stay: `timer` says to what.
    Timer,
}

/// A message.
#[derive(Clone, Debug, Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct Message {
    /// Unique everywhere.
    #[tsify(type = "MessageId")]
    pub id: String,
    /// Where it is.
    #[tsify(type = "AccountId")]
    pub conversation: String,
    /// Who wrote it.
    #[tsify(type = "AccountId")]
    pub author: String,
    /// With which device.
    pub author_device: u32,
    /// Written by this account, on whichever device.
    pub outgoing: bool,
    /// What it is.
    pub kind: MessageKind,
    /// As last edited; empty where there is none to read.
    pub text: String,
    /// When it was written, by the author's clock.
    pub sent_at: f64,
    /// Where it stands.
    pub status: MessageStatus,
    /// Error code when failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<&'static str>,
    /// What it answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quote: Option<Quote>,
    /// What it said before, newest first; empty if it was never edited.
    pub earlier: Vec<Version>,
    /// At most one of each person.
    pub reactions: Vec<Reaction>,
    /// It disappears so many seconds after it was read, or sent if it is outgoing. Of kind "timer": so do new messages from then
    /// on, and without it they stay.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timer: Option<u32>,
    /// When it disappears, once its time runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disappears_at: Option<f64>,
    /// Files that belong to it.
    pub attachments: Vec<MessageAttachment>,
    /// Who of its author's staff wrote it, empty while their name is not known. Without it, its author did. It follows from the key of
    /// the device, never from what the message says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub staff: Option<String>,
}

/// What a message answers, as its author quotes it. The message itself may say something else now, or be gone.
#[derive(Clone, Debug, Serialize, Tsify)]
pub struct Quote {
    /// The quoted message.
    #[tsify(type = "MessageId")]
    pub id: String,
    /// Who wrote that.
    #[tsify(type = "AccountId")]
    pub author: String,
    /// The beginning of what it said.
    pub text: String,
}

/// What a message said before it was edited.
#[derive(Clone, Debug, Serialize, Tsify)]
pub struct Version {
    /// Its text then.
    pub text: String,
    /// Since when, by the author's clock.
    pub at: f64,
}

/// A person's reaction to a message.
#[derive(Clone, Debug, Serialize, Tsify)]
pub struct Reaction {
    /// Who reacts.
    #[tsify(type = "AccountId")]
    pub author: String,
    /// An emoji, as sent. Show it as text.
    pub emoji: String,
    /// When, by their clock.
    pub at: f64,
}

impl MessageStatus {
    /// The status, and the code of the reason if it is "failed".
    pub(in crate::api) const fn split(
        status: output::MessageStatus,
    ) -> (Self, Option<&'static str>) {
        match status {
            output::MessageStatus::Queued => (Self::Queued, None),
            output::MessageStatus::Sent => (Self::Sent, None),
            output::MessageStatus::Delivered => (Self::Delivered, None),
            output::MessageStatus::Read => (Self::Read, None),
            output::MessageStatus::Failed(refusal) => (Self::Failed, Some(refusal.code())),
            output::MessageStatus::Received => (Self::Received, None),
        }
    }
}

impl From<output::MessageKind> for MessageKind {
    fn from(kind: output::MessageKind) -> Self {
        match kind {
            output::MessageKind::Text => Self::Text,
            output::MessageKind::Unreadable => Self::Unreadable,
            output::MessageKind::Waiting => Self::Waiting,
            output::MessageKind::Deleted => Self::Deleted,
            output::MessageKind::Timer => Self::Timer,
        }
    }
}

impl From<output::Message> for Message {
    fn from(message: output::Message) -> Self {
        let output::Message {
            id,
            conversation,
            author,
            author_device,
            kind,
            text,
            sent_at,
            status,
            quote,
            earlier,
            reactions,
            timer_s: timer,
            disappears_at,
            attachments,
            staff,
        } = message;
        let (status, error) = MessageStatus::split(status);
        Self {
            id: id.to_string(),
            conversation: conversation.to_string(),
            author: author.to_string(),
            author_device: author_device.into(),
            outgoing: !matches!(status, MessageStatus::Received),
            kind: kind.into(),
            text,
            sent_at: milliseconds(sent_at),
            status,
            error,
            quote: quote.map(Quote::from),
            earlier: earlier.into_iter().map(Version::from).collect(),
            reactions: reactions.into_iter().map(Reaction::from).collect(),
            timer,
            disappears_at: disappears_at.map(milliseconds),
            attachments: attachments
                .into_iter()
                .enumerate()
                .map(|(index, attachment)| MessageAttachment::new(index, attachment))
                .collect(),
            staff,
        }
    }
}

impl From<output::Quote> for Quote {
    fn from(output::Quote { id, author, text }: output::Quote) -> Self {
        Self {
            id: id.to_string(),
            author: author.to_string(),
            text,
        }
    }
}

impl From<output::Version> for Version {
    fn from(output::Version { text, at }: output::Version) -> Self {
        Self {
            text,
            at: milliseconds(at),
        }
    }
}

impl From<output::Reaction> for Reaction {
    fn from(output::Reaction { author, emoji, at }: output::Reaction) -> Self {
        Self {
            author: author.to_string(),
            emoji,
            at: milliseconds(at),
        }
    }
}
