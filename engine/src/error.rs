//! Errors by blame and remedy, with the stable codes that applications see.
//!
//! [`Error`] is ours: the store failed, or there is a bug; the engine is then dropped and opened again.
//! [`Refusal`] answers one command and changes nothing. What a peer did wrong is neither: it becomes a
//! record or an event. `docs/errors.md` lists every code (checked by `tests/tidy.rs`).

mod keys;
mod run;
mod sentences;

pub use keys::KeyRefusal;
pub use run::RunRefusal;

/// Why the engine can't go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// The store failed.
    Store(StoreFault),
    /// A promise of our own code did not hold.
    Bug(&'static str),
}

/// What is wrong with the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreFault {
    /// The browser gives no storage to this page.
    Refused,
    /// No space left.
    Full,
    /// Made by a newer version of this library.
    TooNew {
        /// Version of the stored data.
        found: u32,
        /// Newest version this build reads.
        supported: u32,
    },
    /// A record does not decode.
    Damaged {
        /// In which table.
        table: &'static str,
    },
    /// Another tab or process opened the store since.
    Fenced,
    /// Another tab has it open now.
    InUse,
    /// The browser reported something else.
    Failed,
}

/// Why a command was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// An argument has the wrong type or range.
    InvalidArgument(&'static str),
    /// No account yet: register or link first.
    NotReady,
    /// There is an account already.
    AlreadyRegistered,
    /// The client was closed.
    Closed,
    /// This device was removed from its account.
    Unlinked,
    /// What is stored here was copied, or restored from an older state.
    RolledBack,
    /// The account does not exist any more.
    AccountGone,
    /// The account has no other device.
    LastDevice,
    /// This device does not hold the account's key.
    NotOwner,
    /// This device is another person's, and its certificate does not give it that.
    NotAllowed,
    /// This browser was linked to another account.
    OtherAccount,
    /// Nobody has this handle.
    UnknownHandle,
    /// Somebody else has this handle.
    HandleTaken,
    /// Not a handle.
    HandleInvalid,
    /// The platform's token is missing, wrong, expired or for another handle.
    CredentialRefused,
    /// Not a link URI.
    LinkUriMalformed,
    /// A URI of something else.
    LinkUriForeign,
    /// The new device is no longer waiting.
    LinkExpired,
    /// The person declined on the existing device.
    LinkDeclined,
    /// The link attempt was ended on this device.
    LinkCancelled,
    /// A link attempt is already running, or its result is awaited elsewhere.
    LinkBusy,
    /// The account has as many devices as it may have.
    DeviceLimit,
    /// The text is empty.
    MessageEmpty,
    /// The text is over 64 KiB in UTF-8.
    MessageTooLong,
    /// No such conversation.
    UnknownConversation,
    /// No such message.
    UnknownMessage,
    /// The account's identity key is not the one we know.
    IdentityChanged,
    /// None of their devices has published fresh keys.
    PeerAway,
    /// The relay can't be reached.
    Offline,
    /// The relay answered something that makes no sense.
    RelayProtocol,
    /// The relay refused and says no more.
    RelayRefused,
    /// Too many requests.
    RateLimited,
    /// The service wants proof that a person is sending.
    ChallengeRequired,
    /// Too many messages wait to be sent.
    QueueFull,
    /// There is no identity key of this person yet.
    KeyUnknown,
    /// About keys that people compare.
    Key(KeyRefusal),
    /// Not a key of application data.
    AppKeyInvalid,
    /// An item of application data, or a message to own devices, is too large.
    AppItemTooLarge,
    /// A namespace of application data is full, or there are too many.
    AppFull,
    /// Only its author may do that to a message.
    NotAuthor,
    /// The message is too old for that.
    TooLate,
    /// The message has been edited as often as one may.
    TooManyEdits,
    /// What was to stand at a message is no emoji.
    NoEmoji,
    /// The message has no such attachment.
    UnknownAttachment,
    /// This service has no place for attachments, or has them elsewhere.
    AttachmentsUnsupported,
    /// The file is larger than may be attached.
    AttachmentTooLarge,
    /// The file is not what it was, or can't be read any more.
    AttachmentChanged,
    /// The attachment has had its time at the relay.
    AttachmentGone,
    /// What came is not what was sent.
    AttachmentDamaged,
    /// The account has uploaded enough for now.
    AttachmentQuota,
    /// The page wanted it to end.
    Aborted,
    /// A piece of history, or a file of it, is not whole, or not with this key.
    ArchiveDamaged,
    /// It was made by a newer version.
    ArchiveTooNew,
    /// It is another account's.
    ArchiveForeign,
    /// The store failed; see [`StoreFault`].
    Store(StoreFault),
    /// Linking by digits did not go on.
    Run(RunRefusal),
    /// A bug of ours.
    Internal,
}

impl Refusal {
    /// The code an application may rely on.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::InvalidArgument(_) => "invalid_argument",
            Self::NotReady => "not_ready",
            Self::AlreadyRegistered => "already_registered",
            Self::Closed => "closed",
            Self::Unlinked => "unlinked",
            Self::RolledBack => "rolled_back",
            Self::AccountGone => "account_gone",
            Self::LastDevice => "last_device",
            Self::NotOwner => "not_owner",
            Self::NotAllowed => "not_allowed",
            Self::OtherAccount => "other_account",
            Self::UnknownHandle => "unknown_handle",
            Self::HandleTaken => "handle_taken",
            Self::HandleInvalid => "handle_invalid",
            Self::CredentialRefused => "credential_refused",
            Self::LinkUriMalformed => "link_uri_malformed",
            Self::LinkUriForeign => "link_uri_foreign",
            Self::LinkExpired => "link_expired",
            Self::LinkDeclined => "link_declined",
            Self::LinkCancelled => "link_cancelled",
            Self::LinkBusy => "link_busy",
            Self::DeviceLimit => "device_limit",
            Self::MessageEmpty => "message_empty",
            Self::MessageTooLong => "message_too_long",
            Self::UnknownConversation => "unknown_conversation",
            Self::UnknownMessage => "unknown_message",
            Self::IdentityChanged => "identity_changed",
            Self::PeerAway => "peer_away",
            Self::Offline => "offline",
            Self::RelayProtocol => "relay_protocol",
            Self::RelayRefused => "relay_refused",
            Self::RateLimited => "rate_limited",
            Self::ChallengeRequired => "challenge_required",
            Self::QueueFull => "queue_full",
            Self::KeyUnknown => "key_unknown",
            Self::Key(refusal) => refusal.code(),
            Self::AppKeyInvalid => "app_key_invalid",
            Self::AppItemTooLarge => "app_item_too_large",
            Self::AppFull => "app_full",
            Self::NotAuthor => "not_author",
            Self::TooLate => "too_late",
            Self::TooManyEdits => "too_many_edits",
            Self::NoEmoji => "no_emoji",
            Self::UnknownAttachment => "unknown_attachment",
            Self::AttachmentsUnsupported => "attachments_unsupported",
            Self::AttachmentTooLarge => "attachment_too_large",
            Self::AttachmentChanged => "attachment_changed",
            Self::AttachmentGone => "attachment_gone",
            Self::AttachmentDamaged => "attachment_damaged",
            Self::AttachmentQuota => "attachment_quota",
            Self::Aborted => "aborted",
            Self::ArchiveDamaged => "archive_damaged",
            Self::ArchiveTooNew => "archive_too_new",
            Self::ArchiveForeign => "archive_foreign",
            Self::Store(StoreFault::Refused) => "storage_refused",
            Self::Store(StoreFault::Full) => "storage_full",
            Self::Store(StoreFault::TooNew { .. }) => "storage_too_new",
            Self::Store(StoreFault::Damaged { .. }) => "storage_damaged",
            Self::Store(StoreFault::InUse) => "store_in_use",
            Self::Store(StoreFault::Fenced) => "store_fenced",
            Self::Store(StoreFault::Failed) => "storage_failed",
            Self::Run(refusal) => refusal.code(),
            Self::Internal => "internal",
        }
    }

    /// Whether the same call may succeed later without the person changing anything.
    #[must_use]
    pub const fn retry(self) -> bool {
        if let Self::Run(refusal) = self {
            return refusal.retry();
        }
        matches!(
            self,
            Self::PeerAway
                | Self::Offline
                | Self::RelayRefused
                | Self::RateLimited
                | Self::ChallengeRequired
                | Self::QueueFull
                | Self::LinkBusy
                | Self::AttachmentQuota
                | Self::Store(StoreFault::InUse | StoreFault::Failed)
        )
    }

    /// The refusal with this code, if there is one: outbox entries keep their reason as a code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        [
            Self::UnknownHandle,
            Self::AccountGone,
            Self::MessageTooLong,
            Self::IdentityChanged,
            Self::PeerAway,
            Self::RelayProtocol,
            Self::RelayRefused,
            Self::Internal,
        ]
        .into_iter()
        .find(|refusal| refusal.code() == code)
    }
}

impl std::error::Error for Error {}
impl std::error::Error for StoreFault {}
impl std::error::Error for Refusal {}

impl From<StoreFault> for Error {
    fn from(fault: StoreFault) -> Self {
        Self::Store(fault)
    }
}

impl From<StoreFault> for Refusal {
    fn from(fault: StoreFault) -> Self {
        Self::Store(fault)
    }
}

impl From<&Error> for Refusal {
    fn from(error: &Error) -> Self {
        match error {
            Error::Store(fault) => Self::Store(*fault),
            Error::Bug(_) => Self::Internal,
        }
    }
}

impl From<KeyRefusal> for Refusal {
    fn from(refusal: KeyRefusal) -> Self {
        Self::Key(refusal)
    }
}
