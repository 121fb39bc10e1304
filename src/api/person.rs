//! People, conversations and what a person has set, as JavaScript has them.
//! They are taken apart field by field from the engine's, so a new field there is a compile error here.

mod argument;

use engine::output;
use serde::Serialize;
use tsify::Tsify;

use super::staff::Staff;
use super::types::{Message, as_bytes, milliseconds};

/// Whether somebody may go on writing. "pending": a stranger has written, and there was no answer of any kind.
#[derive(Clone, Copy, Debug, Serialize, Tsify)]
#[serde(rename_all = "lowercase")]
pub enum RequestState {
    /// Nobody has written.
    None,
    /// To be answered.
    Pending,
    /// Yes: `acceptRequest()`, or the person has written to them.
    Accepted,
    /// No: `declineRequest()`.
    Declined,
}

/// A conversation.
#[derive(Clone, Debug, Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct Conversation {
    /// The account of the other person.
    #[tsify(type = "AccountId")]
    pub id: String,
    /// Their handle, once known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handle: Option<String>,
    /// How to call them.
    pub name: String,
    /// The newest message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_message: Option<Message>,
    /// How many of theirs are newer than the read mark.
    pub unread: u32,
    /// When something last happened in it.
    pub updated_at: f64,
    /// Nobody is to be told of its messages before this time; `Infinity`: until it is taken back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub muted_until: Option<f64>,
    /// It was put away.
    pub archived: bool,
    /// It stands above the others since then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pinned: Option<f64>,
    /// What was written and not sent, for 7 days.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub draft: Option<String>,
    /// The person wants it to count as unread.
    pub marked_unread: bool,
    /// Nothing of the other person is wanted.
    pub blocked: bool,
    /// Whether the other person may go on writing.
    pub request: RequestState,
    /// New messages disappear so many seconds after they were read; without it they stay.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timer: Option<u32>,
}

/// A person.
#[derive(Clone, Debug, Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct Contact {
    /// Their account.
    #[tsify(type = "AccountId")]
    pub id: String,
    /// Their handle, once known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handle: Option<String>,
    /// How to call them: the name given to them, or else their own, or else their handle, or else the beginning of their id.
    pub name: String,
    /// How they call themself, if they have said so: anybody may choose any name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub own_name: Option<String>,
    /// The name given to them by `setContact()`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub petname: Option<String>,
    /// Nothing of them is wanted.
    pub blocked: bool,
    /// Whether they may go on writing.
    pub request: RequestState,
    /// Their identity key, once known.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "as_bytes")]
    #[tsify(type = "Uint8Array")]
    pub identity_key: Option<Vec<u8>>,
    /// The person compared that key.
    pub verified: bool,
    /// They have come with another key. Until `acceptIdentity()` nothing is sent to them or shown of them.
    pub key_changed: bool,
    /// Who else reads what is written to them: those who do now, then those who did until lately. Empty: nobody.
    pub staff: Vec<Staff>,
    /// What this person writes to them goes past their staff: `setWithoutStaff()`.
    pub without_staff: bool,
    /// They have what they write to this person go past its staff.
    pub without_staff_by_them: bool,
}

/// What a notification shows: who has written what, who has written, that somebody has, or there is none.
#[derive(Clone, Copy, Debug, Serialize, Tsify)]
#[serde(rename_all = "lowercase")]
pub enum Notifications {
    /// Who has written what.
    Content,
    /// Who has written.
    Name,
    /// That somebody has written.
    Bare,
    /// There is none.
    Off,
}

/// How this person's devices behave.
#[derive(Clone, Debug, Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct Settings {
    /// Others are told what was read. At first they are.
    pub read_receipts: bool,
    /// Others are told what has arrived. At first they are.
    pub delivery_receipts: bool,
    /// Others are told that something is being written. At first they are.
    pub typing: bool,
    /// At first "content".
    pub notifications: Notifications,
}

/// For `Client.setSettings`: what is not there stays.
#[derive(Debug, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct SettingsChange {
    /// Tell others what was read.
    #[tsify(optional)]
    pub read_receipts: Option<bool>,
    /// Tell others what has arrived.
    #[tsify(optional)]
    pub delivery_receipts: Option<bool>,
    /// Tell others that something is being written.
    #[tsify(optional)]
    pub typing: Option<bool>,
    /// What a notification shows.
    #[tsify(optional, type = "Notifications")]
    pub notifications: Option<Notifications>,
}

/// What this person says of themself.
#[derive(Clone, Debug, Serialize, Tsify)]
pub struct Profile {
    /// How they call themself, if they do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// A name, for `Client.setProfile` and `Client.setContact`.
#[derive(Debug, Tsify)]
pub struct NameChange {
    /// At most 256 bytes in UTF-8; empty: none.
    pub name: String,
}

/// Something the person has set of a conversation has changed.
#[derive(Debug, Serialize, Tsify)]
pub struct OnConversation {
    /// As it is now.
    pub conversation: Conversation,
}

/// The settings or the profile have changed.
#[derive(Debug, Serialize, Tsify)]
pub struct OnSettings {
    /// As they are now.
    pub settings: Settings,
    /// As it is now.
    pub profile: Profile,
}

/// The last of all times is no time.
const fn until(time: engine::Timestamp) -> f64 {
    if time.0 == u64::MAX {
        f64::INFINITY
    } else {
        milliseconds(time)
    }
}

impl From<output::Request> for RequestState {
    fn from(request: output::Request) -> Self {
        match request {
            output::Request::None => Self::None,
            output::Request::Pending => Self::Pending,
            output::Request::Accepted => Self::Accepted,
            output::Request::Declined => Self::Declined,
        }
    }
}

impl From<output::Conversation> for Conversation {
    fn from(conversation: output::Conversation) -> Self {
        let output::Conversation {
            id,
            handle,
            name,
            last_message,
            unread,
            updated_at,
            muted_until,
            archived,
            pinned,
            draft,
            marked_unread,
            blocked,
            request,
            timer_s: timer,
        } = conversation;
        Self {
            id: id.to_string(),
            handle: handle.map(String::from),
            name,
            last_message: last_message.map(Message::from),
            unread,
            updated_at: milliseconds(updated_at),
            muted_until: muted_until.map(until),
            archived,
            pinned: pinned.map(milliseconds),
            draft,
            marked_unread,
            blocked,
            request: request.into(),
            timer,
        }
    }
}

impl From<output::Conversation> for OnConversation {
    fn from(conversation: output::Conversation) -> Self {
        let conversation = conversation.into();
        Self { conversation }
    }
}

impl From<output::Contact> for Contact {
    fn from(contact: output::Contact) -> Self {
        let output::Contact {
            id,
            handle,
            name,
            petname,
            own_name,
            blocked,
            request,
            identity_key,
            verified,
            key_changed,
            staff,
            without_staff,
            without_staff_by_them,
        } = contact;
        let (id, handle) = (id.to_string(), handle.map(String::from));
        Self {
            id,
            handle,
            name,
            petname,
            own_name,
            blocked,
            request: request.into(),
            identity_key,
            verified,
            key_changed,
            staff: staff.into_iter().map(Staff::from).collect(),
            without_staff,
            without_staff_by_them,
        }
    }
}

impl From<output::Notifications> for Notifications {
    fn from(shown: output::Notifications) -> Self {
        match shown {
            output::Notifications::Content => Self::Content,
            output::Notifications::Name => Self::Name,
            output::Notifications::Bare => Self::Bare,
            output::Notifications::Off => Self::Off,
        }
    }
}

impl From<Notifications> for output::Notifications {
    fn from(shown: Notifications) -> Self {
        match shown {
            Notifications::Content => Self::Content,
            Notifications::Name => Self::Name,
            Notifications::Bare => Self::Bare,
            Notifications::Off => Self::Off,
        }
    }
}

impl From<output::Settings> for Settings {
    fn from(settings: output::Settings) -> Self {
        let output::Settings {
            read_receipts,
            delivery_receipts,
            typing,
            notifications,
        } = settings;
        Self {
            read_receipts,
            delivery_receipts,
            typing,
            notifications: notifications.into(),
        }
    }
}

impl From<output::Profile> for Profile {
    fn from(profile: output::Profile) -> Self {
        let output::Profile { name } = profile;
        Self { name }
    }
}
