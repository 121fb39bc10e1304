//! Events: what the engine emits, as JavaScript gets it.
//! Who listens is in `listeners`.

mod alarm;
mod concern;
mod link;
mod progress;
mod told;

use engine::output::Connection;
use engine::{Event, Refusal};
use serde::Serialize;
use tsify::Tsify;
use wasm_bindgen::prelude::wasm_bindgen;

use super::app::OnApp;
use super::person::{Contact, OnConversation, OnSettings};
use super::recovery::OnRecovered;
pub use alarm::{AlarmKind, OnAlarm};
pub use link::OnLink;
pub use progress::OnProgress;
pub use told::{OnNotify, OnTyping};

use super::types::{ClientState, ConnectionState, Message, MessageStatus, milliseconds};

#[wasm_bindgen(typescript_custom_section)]
const TYPESCRIPT: &str = r#"
export interface Client {
    /** Calls the listener with each such event until the returned function is called. */
    on<K extends keyof EventMap>(event: K, listener: (event: EventMap[K]) => void): () => void;
}
"#;

/// Every event and what its listeners get. Events are hints: the store is the truth, also after a missed one.
#[derive(Debug, Tsify)]
pub struct EventMap {
    /// There is a new message, in either direction, of any own device.
    pub message: OnMessage,
    /// A message has another status.
    pub status: OnStatus,
    /// A message says something else now: it was edited, or deleted for everyone.
    pub edit: OnEdit,
    /// Somebody has reacted to a message, or taken that back.
    pub reaction: OnReaction,
    /// A message is no longer there: removed on an own device, or a placeholder whose message has come.
    pub remove: OnRemove,
    /// A conversation has been read up to a message, here or on another own device.
    pub read: OnRead,
    /// The other person is writing, or is not any more.
    pub typing: OnTyping,
    /// The person is to be told of a conversation, in place of what they were told of it before; or need not be any more.
    pub notify: OnNotify,
    /// A contact is new or has changed.
    pub contact: OnContact,
    /// What the person has set of a conversation has changed, here or on another own device.
    pub conversation: OnConversation,
    /// The settings or the profile have changed, here or on another own device.
    pub settings: OnSettings,
    /// Application data has changed, or the application on another own device says something.
    pub app: OnApp,
    /// The list of own devices has changed; call `devices()`.
    pub device: OnDevice,
    /// A device of this account, perhaps this one, came by a recovery code. If the person does not know of it, somebody else has the code.
    pub recovered: OnRecovered,
    /// What the running link attempt shows has changed.
    pub link: OnLink,
    /// A contact's identity key is not the one we know.
    pub identity: OnIdentity,
    /// What the relay shows of somebody's devices can't all be true; nothing is sent to what is in doubt.
    pub alarm: OnAlarm,
    /// The connection to the relay has another state.
    pub connection: OnConnection,
    /// This client has another state.
    pub state: OnState,
    /// History goes on, to another own device or from one.
    pub progress: OnProgress,
    /// Something failed that no call is waiting for.
    pub error: OnError,
}

/// The names of [`EventMap`].
pub(super) const NAMES: [&str; 21] = [
    "message",
    "status",
    "edit",
    "reaction",
    "remove",
    "read",
    "typing",
    "notify",
    "contact",
    "conversation",
    "settings",
    "app",
    "device",
    "recovered",
    "link",
    "identity",
    "alarm",
    "connection",
    "state",
    "progress",
    "error",
];

/// There is a new message.
#[derive(Debug, Serialize, Tsify)]
pub struct OnMessage {
    /// The message.
    pub message: Message,
}

/// A message has another status.
#[derive(Debug, Serialize, Tsify)]
pub struct OnStatus {
    /// Which message.
    #[tsify(type = "MessageId")]
    pub id: String,
    /// Where it is.
    #[tsify(type = "AccountId")]
    pub conversation: String,
    /// Its status now.
    pub status: MessageStatus,
    /// Error code when failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<&'static str>,
}

/// A message says something else now.
#[derive(Debug, Serialize, Tsify)]
pub struct OnEdit {
    /// As it is now.
    pub message: Message,
}

/// Somebody has reacted to a message, or taken that back.
#[derive(Debug, Serialize, Tsify)]
pub struct OnReaction {
    /// As it is now.
    pub message: Message,
}

/// A message is no longer there.
#[derive(Debug, Serialize, Tsify)]
pub struct OnRemove {
    /// Which message.
    #[tsify(type = "MessageId")]
    pub id: String,
    /// Where it was.
    #[tsify(type = "AccountId")]
    pub conversation: String,
}

/// A conversation has been read up to a message.
#[derive(Debug, Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct OnRead {
    /// Which conversation.
    #[tsify(type = "AccountId")]
    pub conversation: String,
    /// The last message read.
    #[tsify(type = "MessageId")]
    pub message_id: String,
}

/// A contact is new or has changed.
#[derive(Debug, Serialize, Tsify)]
pub struct OnContact {
    /// As it is now.
    pub contact: Contact,
}

/// The list of own devices has changed.
#[derive(Debug, Serialize, Tsify)]
pub struct OnDevice {
    /// Their numbers.
    pub devices: Vec<u32>,
}

/// A contact's identity key is not the one we know.
#[derive(Debug, Serialize, Tsify)]
pub struct OnIdentity {
    /// Whose.
    #[tsify(type = "AccountId")]
    pub account: String,
}

/// The connection to the relay has another state.
#[derive(Debug, Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct OnConnection {
    /// The state now.
    pub state: ConnectionState,
    /// When the next try is, while offline and if one is planned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_at: Option<f64>,
}

/// This client has another state.
#[derive(Debug, Serialize, Tsify)]
pub struct OnState {
    /// The state now.
    pub state: ClientState,
}

/// Something failed that no call is waiting for.
#[derive(Debug, Serialize, Tsify)]
pub struct OnError {
    /// As in `LockstepError`.
    pub code: &'static str,
    /// As in `LockstepError`.
    pub message: String,
    /// As in `LockstepError`.
    pub retry: bool,
}

/// An event as JavaScript gets it.
#[derive(Debug, Serialize)]
#[serde(untagged)]
#[expect(
    missing_docs,
    reason = "each variant is a field of `EventMap`, documented there"
)]
pub enum Notice {
    Message(OnMessage),
    Status(OnStatus),
    Edit(OnEdit),
    Reaction(OnReaction),
    Remove(OnRemove),
    Read(OnRead),
    Typing(OnTyping),
    Notify(OnNotify),
    Contact(OnContact),
    Conversation(OnConversation),
    Settings(OnSettings),
    App(OnApp),
    Device(OnDevice),
    Recovered(OnRecovered),
    Link(OnLink),
    Identity(OnIdentity),
    Alarm(OnAlarm),
    Connection(OnConnection),
    State(OnState),
    Progress(OnProgress),
    Error(OnError),
}

impl Notice {
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Message(_) => "message",
            Self::Status(_) => "status",
            Self::Edit(_) => "edit",
            Self::Reaction(_) => "reaction",
            Self::Remove(_) => "remove",
            Self::Read(_) => "read",
            Self::Typing(_) => "typing",
            Self::Notify(_) => "notify",
            Self::Contact(_) => "contact",
            Self::Conversation(_) => "conversation",
            Self::Settings(_) => "settings",
            Self::App(_) => "app",
            Self::Device(_) => "device",
            Self::Recovered(_) => "recovered",
            Self::Link(_) => "link",
            Self::Identity(_) => "identity",
            Self::Alarm(_) => "alarm",
            Self::Connection(_) => "connection",
            Self::State(_) => "state",
            Self::Progress(_) => "progress",
            Self::Error(_) => "error",
        }
    }
}

impl From<Refusal> for OnError {
    fn from(refusal: Refusal) -> Self {
        Self {
            code: refusal.code(),
            message: refusal.to_string(),
            retry: refusal.retry(),
        }
    }
}

impl From<Connection> for OnConnection {
    fn from(connection: Connection) -> Self {
        let retry_at = match connection {
            Connection::Offline { retry_at } => retry_at.map(milliseconds),
            Connection::Connecting | Connection::Online => None,
        };
        let state = connection.into();
        Self { state, retry_at }
    }
}

impl From<Event> for Notice {
    fn from(event: Event) -> Self {
        match event {
            Event::Message(message) => Self::Message(OnMessage {
                message: message.into(),
            }),
            Event::Status {
                id,
                conversation,
                status,
            } => {
                let (status, error) = MessageStatus::split(status);
                let (id, conversation) = (id.to_string(), conversation.to_string());
                Self::Status(OnStatus {
                    id,
                    conversation,
                    status,
                    error,
                })
            }
            Event::Edited(message) => Self::Edit(OnEdit {
                message: message.into(),
            }),
            Event::Reacted(message) => Self::Reaction(OnReaction {
                message: message.into(),
            }),
            Event::Removed { id, conversation } => Self::Remove(OnRemove {
                id: id.to_string(),
                conversation: conversation.to_string(),
            }),
            Event::Read {
                conversation,
                message,
            } => Self::Read(OnRead {
                conversation: conversation.to_string(),
                message_id: message.to_string(),
            }),
            Event::Typing {
                conversation,
                is_typing,
                until,
            } => Self::Typing(OnTyping {
                conversation: conversation.to_string(),
                is_typing,
                until: milliseconds(until),
            }),
            Event::Notify(notice) => Self::Notify(notice.into()),
            Event::NotifyEnd(conversation) => Self::Notify(OnNotify::end(conversation)),
            Event::Contact(contact) => Self::Contact(OnContact {
                contact: contact.into(),
            }),
            Event::Conversation(conversation) => Self::Conversation((*conversation).into()),
            Event::Settings(settings, profile) => Self::Settings(OnSettings {
                settings: settings.into(),
                profile: profile.into(),
            }),
            Event::App(event) => Self::App(event.into()),
            Event::Devices(devices) => Self::Device(OnDevice {
                devices: devices.into_iter().map(u32::from).collect(),
            }),
            Event::Recovered(recovered) => Self::Recovered(recovered.into()),
            Event::LinkOffer(offer) => Self::Link(offer.into()),
            Event::IdentityChanged(account) => Self::Identity(OnIdentity::new(account)),
            Event::ListAlarm(account, alarm) => Self::Alarm(OnAlarm::new(account, alarm)),
            Event::Connection(connection) => Self::Connection(connection.into()),
            Event::State(state) => Self::State(OnState {
                state: state.into(),
            }),
            Event::Progress(progress) => Self::Progress(progress.into()),
            Event::Failure(refusal) => Self::Error(refusal.into()),
        }
    }
}
