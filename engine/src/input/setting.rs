//! What a person sets, on one device for all of theirs.
//! It does not know how the others hear of it.

use super::Timestamp;
use crate::output::Notifications;

/// Something a person sets. Answer: `Reply::Done`, once it is stored.
#[derive(Clone, PartialEq, Eq)]
pub enum Setting {
    /// How their devices behave.
    Settings(SettingsChange),
    /// How they call themself; empty: not at all.
    Profile {
        /// At most 256 bytes.
        name: String,
    },
    /// How they call somebody; empty: as their handle says.
    Name {
        /// A handle or an account id.
        account: String,
        /// At most 256 bytes.
        name: String,
    },
    /// Nothing of somebody is wanted any more, or again.
    Block {
        /// A handle or an account id.
        account: String,
        /// Whether.
        blocked: bool,
    },
    /// A stranger may go on writing, or may not.
    Answer {
        /// A handle or an account id.
        account: String,
        /// Whether.
        accept: bool,
    },
    /// The person has compared somebody's identity key, or takes that back.
    Verify {
        /// A handle or an account id.
        account: String,
        /// Whether.
        verified: bool,
        /// The digits that were compared, if they were: they have to be those of the key that is verified.
        digits: Option<String>,
    },
    /// Nobody is told of messages in a conversation until then.
    Mute {
        /// A handle or an account id.
        conversation: String,
        /// Until when; `None`: not muted.
        until: Option<Timestamp>,
    },
    /// A conversation is put away, or not.
    Archive {
        /// A handle or an account id.
        conversation: String,
        /// Whether.
        archived: bool,
    },
    /// A conversation stands above the others, or not.
    Pin {
        /// A handle or an account id.
        conversation: String,
        /// Whether.
        pinned: bool,
    },
    /// Messages of a conversation disappear so long after they were read, for both people.
    Timer {
        /// A handle or an account id.
        conversation: String,
        /// At most four weeks; 0: they stay.
        seconds: u32,
    },
    /// Nobody's staff is to read a conversation, from now on, or may again.
    WithoutStaff {
        /// A handle or an account id.
        conversation: String,
        /// Whether.
        without: bool,
    },
    /// The person has taken note of who reads what they write there.
    StaffSeen {
        /// A handle or an account id.
        conversation: String,
    },
    /// What was written and not sent; empty: nothing.
    Draft {
        /// A handle or an account id.
        conversation: String,
        /// At most 64 KiB.
        text: String,
    },
    /// A conversation counts as unread until it is read again.
    MarkUnread {
        /// A handle or an account id.
        conversation: String,
    },
}

/// What is set of the settings; the rest stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SettingsChange {
    /// Tell others what was read.
    pub read_receipts: Option<bool>,
    /// Tell others what has arrived.
    pub delivery_receipts: Option<bool>,
    /// Tell others that something is being written.
    pub typing: Option<bool>,
    /// What a notification shows.
    pub notifications: Option<Notifications>,
}

/// Who is set what is not for logs.
impl std::fmt::Debug for Setting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Setting")
    }
}

impl Setting {
    /// Whom it is about, as named by the application.
    pub(crate) fn account(&self) -> Option<&str> {
        match self {
            Self::Settings(_) | Self::Profile { .. } => None,
            Self::Name { account, .. }
            | Self::Block { account, .. }
            | Self::Answer { account, .. }
            | Self::Verify { account, .. } => Some(account),
            Self::Mute { conversation, .. }
            | Self::Archive { conversation, .. }
            | Self::Pin { conversation, .. }
            | Self::Timer { conversation, .. }
            | Self::Draft { conversation, .. }
            | Self::WithoutStaff { conversation, .. }
            | Self::StaffSeen { conversation }
            | Self::MarkUnread { conversation } => Some(conversation),
        }
    }
}
