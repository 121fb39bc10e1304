//! Events about what the other person does now, and about what this one is to be told.
//! When they come is the engine's business.

use engine::input::ConversationId;
use engine::output;
use serde::Serialize;
use tsify::Tsify;

/// The other person is writing, or is not any more.
#[derive(Debug, Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct OnTyping {
    /// Which conversation.
    #[tsify(type = "AccountId")]
    pub conversation: String,
    /// Whether.
    pub is_typing: bool,
    /// Until when that is to be believed, unless more is heard or a message comes.
    pub until: f64,
}

/// What a person is told while they look elsewhere. Not while the mailbox is being emptied, and seconds later while another
/// own device is in use, so that what was read there is not notified here.
#[derive(Debug, Serialize, Tsify)]
pub struct OnNotify {
    /// Which conversation.
    #[tsify(type = "AccountId")]
    pub conversation: String,
    /// Show it, in place of what was shown of this conversation; if not: take that away, all was read.
    pub show: bool,
    /// How many messages are unread there.
    pub unread: u32,
    /// Who has written, if that is to be shown (see `Settings.notifications`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The newest of it, if that is to be shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

impl From<output::Notice> for OnNotify {
    fn from(notice: output::Notice) -> Self {
        let output::Notice {
            conversation,
            unread,
            name,
            text,
        } = notice;
        Self {
            conversation: conversation.to_string(),
            show: true,
            unread,
            name,
            text,
        }
    }
}

impl OnNotify {
    /// All of a conversation was read.
    pub(super) fn end(conversation: ConversationId) -> Self {
        Self {
            conversation: conversation.to_string(),
            show: false,
            unread: 0,
            name: None,
            text: None,
        }
    }
}
