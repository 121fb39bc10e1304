//! What a person is told of an error: sentences that say what to do.
//! Codes, which applications rely on, are not here.

use std::fmt;

use super::{Error, Refusal, StoreFault};

/// A sentence a person can act on.
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InvalidArgument(what) => return write!(f, "The argument {what} is not valid."),
            Self::NotReady => "Sign up or link this browser first.",
            Self::AlreadyRegistered => "This browser already belongs to an account.",
            Self::Closed => "This client was closed; open it again.",
            Self::Unlinked => "This device was removed from its account. Link it again to go on.",
            Self::RolledBack => {
                "This browser's data was copied or restored from an older state. Link it again to go on."
            }
            Self::AccountGone => "This account does not exist any more.",
            Self::LastDevice => "Link another owner first, or delete the account.",
            Self::NotOwner => "Only a device that holds the account's key can do that.",
            Self::NotAllowed => "Whoever this browser works for has not allowed it to do that.",
            Self::OtherAccount => {
                "This browser holds messages of another account. Link it to the same one as before."
            }
            Self::UnknownHandle => "Nobody here has that handle. Check the spelling.",
            Self::HandleTaken => "Somebody else has that handle. Choose another one.",
            Self::HandleInvalid => "Use 1 to 64 letters, digits, dots, dashes or underscores.",
            Self::CredentialRefused => "The sign-in was refused or has expired. Sign in again.",
            Self::LinkUriMalformed => "This is not a complete link code. Copy it again.",
            Self::LinkUriForeign => "This code is not for linking a device.",
            Self::LinkExpired => "The link code has expired. Show a new one on the new device.",
            Self::LinkDeclined => "The request was declined on the other device.",
            Self::LinkCancelled => "Linking was stopped on this device.",
            Self::LinkBusy => "A link attempt is already running in this browser.",
            Self::DeviceLimit => "The account has no room for another device. Remove one first.",
            Self::MessageEmpty => "There is nothing to send.",
            Self::MessageTooLong => "The text is longer than 64 KiB. Send it in parts.",
            Self::UnknownConversation => "There is no such conversation.",
            Self::UnknownMessage => "There is no such message.",
            Self::IdentityChanged => {
                "This person's security key is not the one you know. Ask them before you go on."
            }
            Self::PeerAway => {
                "None of this person's devices has been online for two weeks. Send it again later."
            }
            Self::Offline => "The server can't be reached. Check the connection and try again.",
            Self::RelayProtocol => "The server sent something this app doesn't understand.",
            Self::RelayRefused => "The server refused the request. Try again later.",
            Self::RateLimited => "That was too often. Wait a little and try again.",
            Self::ChallengeRequired => {
                "The service wants proof that you are a person. Open the app on your phone."
            }
            Self::QueueFull => "Too many messages are waiting to be sent. Try again when online.",
            Self::KeyUnknown => "There is no security key of this person yet. Write to them first.",
            Self::Key(refusal) => return refusal.fmt(f),
            Self::AppKeyInvalid => "Data of the app needs a key such as \"drafts/bob\".",
            Self::AppItemTooLarge => "This is too large to be kept in step between devices.",
            Self::AppFull => "There is no room for more data of this app. Delete some.",
            Self::NotAuthor => "Only the person who wrote a message can do that.",
            Self::TooLate => "A message can be changed for everyone for a day.",
            Self::TooManyEdits => "This message was edited too often. Write a new one.",
            Self::NoEmoji => "React with one emoji.",
            Self::UnknownAttachment => "This message has no such file.",
            Self::AttachmentsUnsupported => "Files can't be sent or fetched on this service.",
            Self::AttachmentTooLarge => "The file is larger than 100 MiB.",
            Self::AttachmentChanged => "The file was changed meanwhile. Choose it again.",
            Self::AttachmentGone => "This file is no longer on the server.",
            Self::AttachmentDamaged => "This file is not what was sent. Ask for it again.",
            Self::AttachmentQuota => "You have sent enough files for today. Try again tomorrow.",
            Self::Aborted => "It was stopped.",
            Self::ArchiveDamaged => "This history can't be read: it is damaged, or has another key.",
            Self::ArchiveTooNew => "This history is of a newer version. Reload to get that.",
            Self::ArchiveForeign => "This history is of another account.",
            Self::Store(fault) => return fault.fmt(f),
            Self::Run(refusal) => return refusal.fmt(f),
            Self::Internal => "Something went wrong inside the app. Reload the page.",
        })
    }
}

impl fmt::Display for StoreFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Refused => "The browser lets this page store nothing. Leave private mode.",
            Self::Full => "There is no space left on this device. Free some and try again.",
            Self::TooNew { found, supported } => {
                return write!(
                    f,
                    "The stored data is of a newer version ({found}; this app reads {supported}). \
                     Reload to get the newest app."
                );
            }
            Self::Damaged { table } => {
                return write!(f, "Stored data is damaged ({table}). Nothing was deleted.");
            }
            Self::Fenced => "Another tab has taken over. Go on there, or reload this one.",
            Self::InUse => "The app is open in another tab. Go on there, or close it first.",
            Self::Failed => "The browser could not read or write its storage. Reload the page.",
        })
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(fault) => fault.fmt(f),
            Self::Bug(what) => write!(f, "bug: {what}"),
        }
    }
}
