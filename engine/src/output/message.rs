//! A message as applications see it. Everything in it is the same on all devices of a person once they
//! have heard the same; how that comes about is the business of `thread`.

use wire::{AccountId, DeviceId, MessageId};

use crate::attachment::Details;
use crate::error::Refusal;
use crate::input::{ConversationId, Timestamp};

/// Where a message stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageStatus {
    /// Ours, stored, on its way out.
    Queued,
    /// Ours, taken by the relay for every device.
    Sent,
    /// Ours, and a device of the other person has it.
    Delivered,
    /// Ours, and the other person has read it.
    Read,
    /// Ours, and it will not be sent.
    Failed(Refusal),
    /// Theirs.
    Received,
}

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageKind {
    /// Text.
    Text,
    /// A message came that could not be read; this keeps its place.
    Unreadable,
    /// The same, and its sender was asked for it: it may still come.
    Waiting,
    /// Its author has deleted it for everyone.
    Deleted,
    /// Its author has changed how long messages stay.
    Timer,
}

/// A message.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// Made by the sending device.
    pub id: MessageId,
    /// Where it is.
    pub conversation: ConversationId,
    /// Who wrote it.
    pub author: AccountId,
    /// With which device.
    pub author_device: DeviceId,
    /// What it is.
    pub kind: MessageKind,
    /// Its text, as last edited; empty if there is none to read.
    pub text: String,
    /// When it was written, by the author's clock.
    pub sent_at: Timestamp,
    /// Where it stands.
    pub status: MessageStatus,
    /// What it answers.
    pub quote: Option<Quote>,
    /// What it said before, newest first; empty if it was never edited.
    pub earlier: Vec<Version>,
    /// At most one of each person.
    pub reactions: Vec<Reaction>,
    /// It disappears so many seconds after it was read, or sent if it is ours. Of a change of the conversation's timer: what
    /// it was changed to.
    pub timer_s: Option<u32>,
    /// When it disappears, if its time runs.
    pub disappears_at: Option<Timestamp>,
    /// Files that belong to it.
    pub attachments: Vec<Attachment>,
    /// Somebody else wrote it for its author: how that person is called, as the author's account says; empty if that is not
    /// known. It follows from the certificate that it came under, never from what it says.
    pub staff: Option<String>,
}

/// A file that belongs to a message, as its author describes it. What it is fetched and read with is not shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// In bytes.
    pub size: u64,
    /// What it claims to be.
    pub details: Details,
}

/// What a message answers, as its author quotes it. The quoted message itself may say something else, or be gone.
#[derive(Clone, PartialEq, Eq)]
pub struct Quote {
    /// The quoted message.
    pub id: MessageId,
    /// Who wrote that.
    pub author: AccountId,
    /// The beginning of what it said.
    pub text: String,
}

/// What a message said before it was edited.
#[derive(Clone, PartialEq, Eq)]
pub struct Version {
    /// Its text then.
    pub text: String,
    /// Since when, by the author's clock.
    pub at: Timestamp,
}

/// A person's reaction to a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reaction {
    /// Who reacts.
    pub author: AccountId,
    /// An emoji, as sent.
    pub emoji: String,
    /// When, by their clock.
    pub at: Timestamp,
}

impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Message({} {:?}, {} bytes)",
            self.id,
            self.status,
            self.text.len()
        )
    }
}

impl std::fmt::Debug for Quote {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Quote({}, {} bytes)", self.id, self.text.len())
    }
}

impl std::fmt::Debug for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Version({} bytes)", self.text.len())
    }
}
