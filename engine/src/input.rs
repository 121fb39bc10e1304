//! Everything that can happen to the engine, in one closed list.
//! Nothing else reaches the engine: no clock, no callback, no shared state.

mod app;
mod history;
mod recovery;
mod run;
mod safety;
mod setting;
mod staff;
mod transfer;

pub use wire::certificate::Role;
use wire::{AccountId, DeviceId, MessageId};

use crate::attachment::Pointer;

pub use app::AppCommand;
pub use history::{BlobEnd, BlobFault, BlobTask, HistoryChoice, HistoryCommand};
pub use recovery::RecoveryCommand;
pub use run::RunCommand;
pub use safety::SafetyCommand;
pub use setting::{Setting, SettingsChange};
pub use staff::{Grant, StaffCommand};
pub use transfer::{FileMark, TransferCommand};

/// Milliseconds since the epoch, by the host's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Timestamp(pub u64);

impl Timestamp {
    /// So many milliseconds later.
    #[must_use]
    pub const fn plus_ms(self, ms: u64) -> Self {
        Self(self.0.saturating_add(ms))
    }
}

/// Names the command that a `Resolve` answers. Chosen by the host, unique while the command runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticket(pub u64);

/// Names a socket. Chosen by the engine; never used twice by one engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SocketId(pub u32);

/// What happened.
#[derive(Debug)]
pub enum Input {
    /// The application wants something.
    Command {
        /// For the answer.
        ticket: Ticket,
        /// What it wants.
        command: Command,
    },
    /// A socket is connected.
    SocketOpened(SocketId),
    /// Messages came in, in order. Give as many at once as there are: they become one commit.
    SocketFrames {
        /// On which socket.
        socket: SocketId,
        /// Binary messages. Text messages are not part of the protocol: close with 1003.
        frames: Vec<Vec<u8>>,
    },
    /// A socket is closed, or could not be opened.
    SocketClosed {
        /// Which socket.
        socket: SocketId,
        /// The close code, 1006 if there is none.
        code: u16,
    },
    /// A blob was moved, or could not be.
    Blob {
        /// Which `PutBlob` or `GetBlob` that answers.
        task: BlobTask,
        /// How it ended.
        end: BlobEnd,
    },
    /// The time of [`crate::Engine::deadline`] has come. Harmless at any time.
    Tick,
    /// The host has reason to believe that the network has changed (the browser's `online` and `offline`
    /// events, the page became visible): reconnect now rather than at the end of the backoff, and find out
    /// now whether an open socket is still alive, since one that died in a tunnel says nothing.
    NetworkChanged,
}

/// What an application may want. Each command is answered by exactly one `Resolve`.
#[derive(Clone, PartialEq, Eq)]
pub enum Command {
    /// Make an account with this as its first device. Answer: `Reply::Account`.
    Register {
        /// As typed.
        handle: String,
        /// The platform's token, if it wants one.
        credential: Option<String>,
        /// As typed.
        device_name: String,
    },
    /// Ask to be linked to an existing account. Answer: `Reply::LinkOffer`, once there is a URI.
    Link {
        /// As typed: whose device it is to be, if the credential does not say it.
        handle: Option<String>,
        /// The platform's token, if it wants one.
        credential: Option<String>,
        /// As typed.
        device_name: String,
    },
    /// Wait for the end of the running link attempt. Answer: `Reply::Account`.
    AwaitLink,
    /// End the running link attempt. Answer: `Reply::Done`.
    CancelLink,
    /// Look at a link URI, or begin the run of a code, that the person scanned or pasted. Answer: `Reply::LinkClaim`.
    /// Shares nothing.
    OpenLink {
        /// As scanned or pasted.
        uri: String,
    },
    /// Link the device that shows this URI. Answer: `Reply::Device`, once it is linked.
    ApproveLink {
        /// As scanned or pasted.
        uri: String,
        /// `Owner`: it gets the account's key. `Device`: it gets a certificate for a key of its own.
        role: Role,
    },
    /// Tell the device that shows this URI that it will not be linked. Answer: `Reply::Done`.
    RejectLink {
        /// As scanned or pasted.
        uri: String,
    },
    /// Linking by digits, or by a code in their place.
    Run(RunCommand),
    /// Send a text. Answer: `Reply::MessageId`, once it is stored.
    Send {
        /// A handle or an account id.
        to: String,
        /// What to send.
        draft: Draft,
    },
    /// Tell the other person that this one is writing, or is not any more: now or not at all. Answer: `Reply::Done`.
    Typing {
        /// A handle or an account id.
        conversation: String,
        /// Whether.
        is_typing: bool,
    },
    /// Do something to a message. Answer: `Reply::Done`, once it is stored.
    Act(Action),
    /// Answer: `Reply::Account`, or `Reply::Done` if there is none.
    Account,
    /// Answer: `Reply::Conversations`, newest first.
    Conversations,
    /// Answer: `Reply::Messages`, oldest first.
    Messages {
        /// A handle or an account id.
        conversation: String,
        /// Only messages before this one.
        before: Option<MessageId>,
        /// Only messages after this one, the oldest of them first; else the newest.
        after: Option<MessageId>,
        /// How many; the limit of a page applies.
        limit: usize,
    },
    /// Find messages. Answer: `Reply::Found`, of a part; asked again from where it ended, the rest.
    Search(Search),
    /// Everything up to this message has been read. Answer: `Reply::Done`.
    MarkRead {
        /// A handle or an account id.
        conversation: String,
        /// The last message read.
        message: MessageId,
    },
    /// Go on with an account that has come with another identity key. Answer: `Reply::Done`.
    AcceptIdentity {
        /// A handle or an account id.
        account: String,
    },
    /// Stay with the key that is known; what came under the other one is forgotten. Answer: `Reply::Done`.
    RejectIdentity {
        /// A handle or an account id.
        account: String,
    },
    /// Try a message again that failed. Answer: `Reply::Done`.
    Resend {
        /// Which message.
        message: MessageId,
    },
    /// Answer: `Reply::Contacts`.
    Contacts,
    /// Set something, for all devices of the person. Answer: `Reply::Done`, once it is stored.
    Set(Setting),
    /// Answer: `Reply::Settings`.
    Settings,
    /// Answer: `Reply::Profile`.
    Profile,
    /// Keys that people compare.
    Safety(SafetyCommand),
    /// Other people who read or answer for this one.
    Staff(StaffCommand),
    /// Coming back when all devices are gone.
    Recovery(RecoveryCommand),
    /// Application data.
    App(AppCommand),
    /// Files on their way.
    Transfer(TransferCommand),
    /// History for other own devices.
    History(HistoryCommand),
    /// Answer: `Reply::Devices`; asks the relay.
    Devices,
    /// Remove a device of this account, also this one. Answer: `Reply::Done`, once it is removed.
    Unlink {
        /// Which.
        device: DeviceId,
        /// It may be in the wrong hands: nothing that comes from it is believed any more, also not what it sent before.
        lost: bool,
    },
    /// Delete this account with all its devices. What is stored here stays. Answer: `Reply::Done`.
    DeleteAccount,
}

/// A message that is to be sent.
#[derive(Clone, PartialEq, Eq)]
pub struct Draft {
    /// At most 64 KiB.
    pub text: String,
    /// The message that it answers, of the same conversation.
    pub quote: Option<MessageId>,
    /// At most 32. With one, the text may be empty.
    pub attachments: Vec<Pointer>,
}

/// What is to be found.
#[derive(Clone, PartialEq, Eq)]
pub struct Search {
    /// Words that all stand in a message, or parts of words; capital letters are like others. At most 256 bytes.
    pub text: String,
    /// A handle or an account id: only there.
    pub conversation: Option<String>,
    /// Only older messages than this.
    pub before: Option<MessageId>,
    /// Where the part before this one has ended.
    pub below: Option<u64>,
    /// At most so many, the newest.
    pub limit: usize,
}

/// What a person does to a message.
#[derive(Clone, PartialEq, Eq)]
pub enum Action {
    /// Give it another text. Only its author may, for a day.
    Edit {
        /// Which message.
        message: MessageId,
        /// At most 64 KiB.
        text: String,
    },
    /// React to it, in place of any earlier reaction.
    React {
        /// Which message.
        message: MessageId,
        /// An emoji; `None` takes the reaction back.
        emoji: Option<String>,
    },
    /// Delete it.
    Remove {
        /// Which message.
        message: MessageId,
        /// For both people, which only its author may, for a day; else on own devices alone.
        everyone: bool,
    },
}

impl Command {
    /// Sends a text and nothing else.
    #[must_use]
    pub fn text(to: impl Into<String>, text: impl Into<String>) -> Self {
        Self::Send {
            to: to.into(),
            draft: Draft {
                text: text.into(),
                quote: None,
                attachments: Vec::new(),
            },
        }
    }
}

impl std::fmt::Debug for Draft {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let attachments = self.attachments.len();
        write!(f, "Draft({} bytes, {attachments} files)", self.text.len())
    }
}

impl std::fmt::Debug for Search {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Search({} bytes)", self.text.len())
    }
}

impl std::fmt::Debug for Action {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Edit { .. } => "Edit",
            Self::React { .. } => "React",
            Self::Remove { .. } => "Remove",
        })
    }
}

/// Names the command; what was typed is not for logs.
impl std::fmt::Debug for Command {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Register { .. } => "Register",
            Self::Link { .. } => "Link",
            Self::AwaitLink => "AwaitLink",
            Self::CancelLink => "CancelLink",
            Self::OpenLink { .. } => "OpenLink",
            Self::ApproveLink { .. } => "ApproveLink",
            Self::RejectLink { .. } => "RejectLink",
            Self::Run(_) => "Run",
            Self::Send { .. } => "Send",
            Self::Act(_) => "Act",
            Self::Typing { .. } => "Typing",
            Self::Account => "Account",
            Self::Conversations => "Conversations",
            Self::Messages { .. } => "Messages",
            Self::Search(_) => "Search",
            Self::MarkRead { .. } => "MarkRead",
            Self::AcceptIdentity { .. } => "AcceptIdentity",
            Self::RejectIdentity { .. } => "RejectIdentity",
            Self::Resend { .. } => "Resend",
            Self::Contacts => "Contacts",
            Self::Set(_) => "Set",
            Self::Settings => "Settings",
            Self::Profile => "Profile",
            Self::Safety(_) => "Safety",
            Self::Staff(_) => "Staff",
            Self::Recovery(_) => "Recovery",
            Self::App(_) => "App",
            Self::Transfer(_) => "Transfer",
            Self::History(_) => "History",
            Self::Devices => "Devices",
            Self::Unlink { .. } => "Unlink",
            Self::DeleteAccount => "DeleteAccount",
        })
    }
}

/// A conversation is named by the account of the other person.
pub type ConversationId = AccountId;
