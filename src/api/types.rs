//! The types of arguments and answers, as JavaScript has them: ids are strings, times are milliseconds since the
//! epoch, bytes are `Uint8Array`. TypeScript's declarations are generated from these, comments included.
//! They are taken apart field by field from the engine's, so a new field there is a compile error here.

mod attachment;
mod message;

use engine::output;
use engine::{Role, Timestamp};
use serde::{Serialize, Serializer};
use tsify::{Tsify, declare};
use web_sys::AbortSignal;

use super::staff::StaffOptions;
pub use attachment::{
    Archive, ArchiveOptions, Attachment, AttachmentStyle, DownloadOptions, MessageAttachment,
    TransferProgress, UploadOptions,
};
pub use message::{
    Content, EditOptions, Message, MessageKind, MessageStatus, Quote, Reaction, RemoveOptions,
    Version,
};

/// ACI: a lower-case UUID.
#[declare]
pub type AccountId = String;

/// 32 hex digits, random, made by the sending device.
#[declare]
pub type MessageId = String;

/// For `Client.open`.
#[derive(Debug, Tsify)]
pub struct OpenOptions {
    /// Where the relay is: a `ws:`, `wss:`, `http:` or `https:` address.
    pub relay: String,
    /// Name of the database. One name, one device.
    pub store: String,
}

/// For `Client.register`.
#[derive(Debug, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct RegisterOptions {
    /// By which others find this account.
    pub handle: String,
    /// The platform's sign-in token, if the relay wants one.
    #[tsify(optional)]
    pub credential: Option<String>,
    /// How the person calls this device.
    pub device_name: String,
    /// The handle is one's own, and all devices and the recovery code are lost: its account begins anew, with another key that
    /// everybody is shown. The relay wants a credential for it, and that no device was in use for two days.
    #[tsify(optional)]
    pub anew: Option<bool>,
}

/// For `Client.link`.
#[derive(Debug, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct LinkOptions {
    /// Whose device it is to be. Without it, of whom the credential names; without both there are no digits.
    #[tsify(optional)]
    pub handle: Option<String>,
    /// The platform's sign-in token, if the relay wants one.
    #[tsify(optional)]
    pub credential: Option<String>,
    /// How the person calls this device.
    pub device_name: String,
}

/// For `Client.messages`.
#[derive(Debug, Tsify)]
pub struct MessagesOptions {
    /// Only messages before this one; without it, the newest.
    #[tsify(optional, type = "MessageId")]
    pub before: Option<String>,
    /// Only messages after this one, the oldest of them.
    #[tsify(optional, type = "MessageId")]
    pub after: Option<String>,
    /// Default 50, at most 500.
    #[tsify(optional)]
    pub limit: Option<f64>,
}

/// For `Client.search`.
#[derive(Debug, Tsify)]
pub struct SearchOptions {
    /// Only in this one: a handle or an account id.
    #[tsify(optional)]
    pub conversation: Option<String>,
    /// Only older messages than this; for the next page, the last one found.
    #[tsify(optional, type = "MessageId")]
    pub before: Option<String>,
    /// Default 50, at most 500.
    #[tsify(optional)]
    pub limit: Option<f64>,
    /// Ends it: the promise is rejected with "aborted".
    #[tsify(optional, type = "AbortSignal")]
    pub signal: Option<AbortSignal>,
}

/// For `Client.openLink` without a text.
#[derive(Debug, Tsify)]
pub struct WaitOptions {
    /// Ends the waiting: the promise is rejected with "link_cancelled".
    #[tsify(optional, type = "AbortSignal")]
    pub signal: Option<AbortSignal>,
}

/// For `LinkRequest.approve`.
#[derive(Debug, Tsify)]
pub struct ApproveOptions {
    /// "device" (default): it gets a key of its own and can be cut off any time. "owner": it gets the account's key and can do
    /// everything, for good. A plain Signal service has only owners. "delegate": it belongs to somebody else, who reads or answers
    /// for this account, as `staff` says.
    #[tsify(optional, type = "\"owner\" | \"device\" | \"delegate\"")]
    pub role: Option<String>,
    /// What it gets of earlier messages. Default: "all". A delegate gets none.
    #[tsify(optional, type = "\"none\" | \"all\" | { days: number }")]
    pub history: Option<History>,
    /// Only these conversations, by handle or account id. Default: all.
    #[tsify(optional, type = "string[]")]
    pub conversations: Option<Vec<String>>,
    /// With the role "delegate", and only with that.
    #[tsify(optional)]
    pub staff: Option<StaffOptions>,
}

/// How much of the messages from before.
#[derive(Clone, Copy, Debug)]
pub enum History {
    /// Nothing.
    None,
    /// All of it.
    All,
    /// Of so many days.
    Days(u32),
}

/// For `Client.unlink`.
#[derive(Debug, Tsify)]
pub struct UnlinkOptions {
    /// It may be in the wrong hands: nothing that comes from it is believed any more, not even what it sent before. Default: false.
    #[tsify(optional)]
    pub lost: bool,
}

/// For `Client.sendHistory`.
#[derive(Debug, Tsify)]
pub struct HistoryOptions {
    /// Of so many days. Default: all.
    #[tsify(optional)]
    pub days: Option<u32>,
    /// Only these conversations, by handle or account id. Default: all.
    #[tsify(optional, type = "string[]")]
    pub conversations: Option<Vec<String>>,
}

/// Whether this client belongs to an account. "unlinked": no more, see `Account.unlinked`; what is stored can still be read.
#[derive(Clone, Copy, Debug, Serialize, Tsify)]
#[serde(rename_all = "lowercase")]
pub enum ClientState {
    /// Not yet.
    New,
    /// Yes.
    Ready,
    /// No more.
    Unlinked,
}

/// The connection to the relay. "online": signed in, or reachable while there is no account yet.
#[derive(Clone, Copy, Debug, Serialize, Tsify)]
#[serde(rename_all = "lowercase")]
pub enum ConnectionState {
    /// There is none.
    Offline,
    /// On the way.
    Connecting,
    /// There is one.
    Online,
}

/// What a device is to its account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub enum DeviceRole {
    /// It holds the account's key, which people verify: it links devices, removes them, and can't be cut off without a new key.
    Owner,
    /// It has a key of its own, for which the account's key vouches; it can be cut off any time.
    Device,
    /// It is another person's, who reads or answers for the account.
    Delegate,
}

impl From<Role> for DeviceRole {
    fn from(role: Role) -> Self {
        match role {
            Role::Owner => Self::Owner,
            Role::Device => Self::Device,
            Role::DelegateRead | Role::DelegateAnswer => Self::Delegate,
        }
    }
}

/// A device of this account.
#[derive(Clone, Debug, Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct Device {
    /// Its number within the account.
    pub id: u32,
    /// How the person calls it; empty if the name can't be read.
    pub name: String,
    /// It is this one.
    pub current: bool,
    /// What it is to the account.
    pub role: DeviceRole,
    /// When it was added.
    pub created_at: f64,
    /// When it was last connected, to the day.
    pub last_seen: f64,
}

/// Whole milliseconds are exact in a float for the next 280,000 years.
#[expect(clippy::cast_precision_loss, reason = "see above")]
pub(super) const fn milliseconds(Timestamp(ms): Timestamp) -> f64 {
    ms as f64
}

/// Bytes, for JavaScript a `Uint8Array`.
pub(super) fn as_bytes<S: Serializer>(
    bytes: &Option<Vec<u8>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match bytes {
        Some(bytes) => serializer.serialize_bytes(bytes),
        None => serializer.serialize_none(),
    }
}

impl From<output::ClientState> for ClientState {
    fn from(state: output::ClientState) -> Self {
        match state {
            output::ClientState::New => Self::New,
            output::ClientState::Ready => Self::Ready,
            output::ClientState::Unlinked => Self::Unlinked,
        }
    }
}

impl From<output::Connection> for ConnectionState {
    fn from(connection: output::Connection) -> Self {
        match connection {
            output::Connection::Offline { retry_at: _ } => Self::Offline,
            output::Connection::Connecting => Self::Connecting,
            output::Connection::Online => Self::Online,
        }
    }
}

impl From<output::Device> for Device {
    fn from(device: output::Device) -> Self {
        let output::Device {
            id,
            name,
            current,
            role,
            created,
            last_seen,
        } = device;
        Self {
            id: id.into(),
            name,
            current,
            role: role.into(),
            created_at: milliseconds(created),
            last_seen: milliseconds(last_seen),
        }
    }
}
