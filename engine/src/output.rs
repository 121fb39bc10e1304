//! Everything the engine wants of its host, in one closed list.
//! Outputs are released only after the commit that makes them true.

mod account;
mod app;
mod link;
mod message;
mod person;
mod recovery;
mod safety;
mod staff;
mod transfer;

use wire::{AccountId, DeviceId, Handle, MessageId};

use crate::attachment::{Plan, Pointer};
use crate::error::Refusal;
use crate::input::{BlobTask, ConversationId, SocketId, Ticket, Timestamp};
pub use account::{Account, Device, Unlinked};
pub use app::{AppEvent, AppKind, AppReply, AppValue};
pub use link::{Digits, LinkClaim, LinkOffer, LinkWay};
pub use message::{Attachment, Message, MessageKind, MessageStatus, Quote, Reaction, Version};
pub use person::{Notifications, Profile, Request, Settings};
pub use recovery::{Recovered, RecoveryReply, RecoveryState, RecoveryStatus};
pub use safety::{Comparison, SafetyNumber, SafetyReply};
pub use staff::{Granted, OwnGrant, Staff};
pub use transfer::{Place, TransferReply};

/// What the host has to do.
pub enum Output {
    /// Connect a socket to this path of the relay; answer with `SocketOpened` or `SocketClosed`.
    OpenSocket {
        /// The name of the new socket.
        socket: SocketId,
        /// Path below the relay's address.
        path: &'static str,
    },
    /// Close a socket with this code. `SocketClosed` is not wanted for it any more, but harmless.
    CloseSocket {
        /// Which socket.
        socket: SocketId,
        /// 1000, or 3000 and above.
        code: u16,
    },
    /// Encrypt this by its plan and put it at the relay, all of it in memory; answer with `BlobEnd::Put`.
    PutBlob {
        /// For the answer.
        task: BlobTask,
        /// Where it goes, and with which key.
        plan: Plan,
        /// At most 1 MiB.
        content: Vec<u8>,
        /// The `authorization` header. It is a secret.
        authorization: String,
    },
    /// Fetch and decrypt this; answer with `BlobEnd::Got`.
    GetBlob {
        /// For the answer.
        task: BlobTask,
        /// Where it is, and with which key.
        pointer: Box<Pointer>,
    },
    /// Send one binary message.
    Send {
        /// On which socket. If it is closed: drop the message.
        socket: SocketId,
        /// The message.
        frame: Vec<u8>,
    },
    /// The answer to a command.
    Resolve {
        /// Which command.
        ticket: Ticket,
        /// What it answers.
        result: Result<Reply, Refusal>,
    },
    /// Something the application may want to know.
    Emit(Box<Event>),
}

/// Names it; frames, contents and keys are not for logs.
impl std::fmt::Debug for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::OpenSocket { socket, path } => write!(f, "OpenSocket({socket:?}, {path})"),
            Self::CloseSocket { socket, code } => write!(f, "CloseSocket({socket:?}, {code})"),
            Self::PutBlob { task, .. } => write!(f, "PutBlob({task:?})"),
            Self::GetBlob { task, .. } => write!(f, "GetBlob({task:?})"),
            Self::Send { socket, .. } => write!(f, "Send({socket:?})"),
            Self::Resolve { ticket, result } => write!(f, "Resolve({ticket:?}, {result:?})"),
            Self::Emit(event) => write!(f, "Emit({event:?})"),
        }
    }
}

/// The answer to a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// Nothing more to say.
    Done,
    /// The account of this device.
    Account(Account),
    /// A URI to show.
    LinkOffer(LinkOffer),
    /// What a link URI claims.
    LinkClaim(LinkClaim),
    /// What the person types on the new browser.
    Digits(Digits),
    /// A device of this account.
    Device(Device),
    /// The id of a stored message.
    MessageId(MessageId),
    /// Newest first.
    Conversations(Vec<Conversation>),
    /// Oldest first.
    Messages(Vec<Message>),
    /// What a part of a search has found.
    Found(Found),
    /// By name.
    Contacts(Vec<Contact>),
    /// By id.
    Devices(Vec<Device>),
    /// How this person's devices behave.
    Settings(Settings),
    /// What this person says of themself.
    Profile(Profile),
    /// Keys that people compare.
    Safety(SafetyReply),
    /// Who reads or answers for this person, or did.
    Staff(Vec<Granted>),
    /// Coming back when all devices are gone.
    Recovery(RecoveryReply),
    /// Application data.
    App(AppReply),
    /// Files on their way.
    Transfer(TransferReply),
}

/// What a part of a search has found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Newest first.
    pub messages: Vec<Message>,
    /// Where to go on, in older messages; `None`: there are none.
    pub next: Option<u64>,
}

/// Something the application may want to know. Events are hints; the store is the truth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// There is a new message, in either direction, of any own device.
    Message(Message),
    /// A message has another status.
    Status {
        /// Which message.
        id: MessageId,
        /// Where it is.
        conversation: ConversationId,
        /// Its status now.
        status: MessageStatus,
    },
    /// A message says something else now: its author has edited it, or deleted it for everyone.
    Edited(Message),
    /// Somebody has reacted to a message, or taken that back.
    Reacted(Message),
    /// A message is no longer there: removed on an own device, disappeared, or a placeholder whose message has come.
    Removed {
        /// Which message.
        id: MessageId,
        /// Where it was.
        conversation: ConversationId,
    },
    /// The other person is writing, or is not any more.
    Typing {
        /// Which conversation.
        conversation: ConversationId,
        /// Whether.
        is_typing: bool,
        /// Until when that is to be believed, unless more is heard.
        until: Timestamp,
    },
    /// The person is to be told of a conversation, in place of what they were told of it before.
    Notify(Notice),
    /// They need not be told of a conversation any more: it was read.
    NotifyEnd(ConversationId),
    /// A conversation has been read up to a message, here or on another own device.
    Read {
        /// Which conversation.
        conversation: ConversationId,
        /// The last message read.
        message: MessageId,
    },
    /// A contact is new or has changed.
    Contact(Contact),
    /// Something the person has set of a conversation has changed, here or on another own device.
    Conversation(Box<Conversation>),
    /// The settings or the profile have changed, here or on another own device.
    Settings(Settings, Profile),
    /// Application data.
    App(AppEvent),
    /// A device of this account, perhaps this one, came by a recovery code.
    Recovered(Recovered),
    /// The list of own devices has changed.
    Devices(Vec<DeviceId>),
    /// The running link attempt shows another URI.
    LinkOffer(LinkOffer),
    /// An account came with an identity key that is not the known one.
    IdentityChanged(AccountId),
    /// What the relay or a message says of an account's signed device list can't be true of one list.
    ListAlarm(AccountId, ListAlarm),
    /// The state of the connection to the relay.
    Connection(Connection),
    /// The state of this client.
    State(ClientState),
    /// History goes on, from this device or to it.
    Progress(Progress),
    /// Something failed that no call is waiting for.
    Failure(Refusal),
}

/// What is wrong with an account's signed device list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListAlarm {
    /// There are two of the same version: different people are shown different ones.
    Forked,
    /// The relay shows an older one than it has shown before, or none.
    RolledBack,
    /// The relay claims a device that nobody has certified.
    Ghost,
}

/// How far history is, in messages that the receiving device has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The other device.
    pub device: DeviceId,
    /// From this device to it; if not, from it to this one.
    pub is_sending: bool,
    /// There.
    pub done: u64,
    /// In all.
    pub total: u64,
}

/// What a person is told while they look elsewhere: as much as they want to be shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Notice {
    /// Where there is something new.
    pub conversation: ConversationId,
    /// How many messages are unread there.
    pub unread: u32,
    /// Who has written.
    pub name: Option<String>,
    /// What, the newest of it.
    pub text: Option<String>,
}

impl std::fmt::Debug for Notice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Notice({}, {} unread)", self.conversation, self.unread)
    }
}

/// Whether this client belongs to an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientState {
    /// Not yet.
    New,
    /// Yes.
    Ready,
    /// No more: the device was removed. What is stored can still be read.
    Unlinked,
}

/// The connection to the relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connection {
    /// There is none; the next try is at this time, if one is planned.
    Offline {
        /// When the next try is.
        retry_at: Option<Timestamp>,
    },
    /// A socket is being opened or the device is signing in.
    Connecting,
    /// Signed in.
    Online,
}

/// A conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conversation {
    /// The other person.
    pub id: ConversationId,
    /// Their handle, once known.
    pub handle: Option<Handle>,
    /// How to call them.
    pub name: String,
    /// The newest message.
    pub last_message: Option<Message>,
    /// How many of theirs are newer than the read mark.
    pub unread: u32,
    /// When something last happened in it.
    pub updated_at: Timestamp,
    /// Nobody is to be told of its messages before this time.
    pub muted_until: Option<Timestamp>,
    /// It was put away.
    pub archived: bool,
    /// It stands above the others since then.
    pub pinned: Option<Timestamp>,
    /// What was written and not sent.
    pub draft: Option<String>,
    /// The person wants it to count as unread.
    pub marked_unread: bool,
    /// Nothing of the other person is wanted.
    pub blocked: bool,
    /// Whether the other person may go on writing.
    pub request: Request,
    /// New messages disappear so many seconds after they were read.
    pub timer_s: Option<u32>,
}

/// A person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    /// Their account.
    pub id: AccountId,
    /// Their handle, once known.
    pub handle: Option<Handle>,
    /// How to call them.
    pub name: String,
    /// The name that the person has given them, if any.
    pub petname: Option<String>,
    /// How they call themself, if they have said so.
    pub own_name: Option<String>,
    /// Nothing of them is wanted.
    pub blocked: bool,
    /// Whether they may go on writing.
    pub request: Request,
    /// Their identity key, 33 bytes, once known.
    pub identity_key: Option<Vec<u8>>,
    /// The person compared that key.
    pub verified: bool,
    /// They have come with another key, which has to be accepted before anything is sent to them or shown of them.
    pub key_changed: bool,
    /// Who else may read what is written to them, and who might until lately.
    pub staff: Vec<Staff>,
    /// This person wants nobody's staff to read what is written there.
    pub without_staff: bool,
    /// The other person wants that.
    pub without_staff_by_them: bool,
}
