//! What an event is about: which lists it can make another.
//! It looks at no list (see `live`).

use super::{Notice, OnConversation, OnMessage, OnRemove, OnStatus};

impl Notice {
    /// The conversation whose messages are others now. One that came by a transfer or a file is told of as a whole.
    pub(in crate::api) fn of_messages(&self) -> Option<&str> {
        match self {
            Self::Message(OnMessage { message }) => Some(&message.conversation),
            Self::Edit(edit) => Some(&edit.message.conversation),
            Self::Reaction(reaction) => Some(&reaction.message.conversation),
            Self::Status(OnStatus { conversation, .. })
            | Self::Remove(OnRemove { conversation, .. }) => Some(conversation),
            Self::Conversation(OnConversation { conversation }) => Some(&conversation.id),
            Self::Read(_)
            | Self::Typing(_)
            | Self::Notify(_)
            | Self::Contact(_)
            | Self::Settings(_)
            | Self::App(_)
            | Self::Device(_)
            | Self::Recovered(_)
            | Self::Link(_)
            | Self::Identity(_)
            | Self::Alarm(_)
            | Self::Connection(_)
            | Self::State(_)
            | Self::Progress(_)
            | Self::Error(_) => None,
        }
    }

    /// Beside what is about messages: the list of conversations may be another.
    pub(in crate::api) const fn is_of_conversations(&self) -> bool {
        matches!(self, Self::Read(_) | Self::Contact(_))
    }

    /// The list of contacts may be another.
    pub(in crate::api) const fn is_of_contacts(&self) -> bool {
        matches!(self, Self::Contact(_) | Self::Identity(_))
    }
}
