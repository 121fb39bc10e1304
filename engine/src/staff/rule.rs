//! What another person's device may do, and what is believed of what it says. One place for both: the first is for its own page,
//! the second is what everybody else holds it to, whatever its page does.
//!
//! Rule ST-1: content counts only from who may send; what own devices agree on, receipts, reactions and timers never come from a
//! delegate. Rule ST-2: that a device is a delegate follows from its certificate.

use wire::certificate::Role;
use wire::proto::service::sync_message::{Request, request};
use wire::proto::service::{Content, SyncMessage};

use crate::input::{AppCommand, Command, Setting, TransferCommand};

/// Whether a delegate's own page may be asked this (D-2). Owners and devices may be asked all; who may change what, others decide.
pub(crate) fn allows(role: Role, command: &Command) -> bool {
    let answers = match role {
        Role::Owner | Role::Device => return true,
        Role::DelegateRead => false,
        Role::DelegateAnswer => true,
    };
    match command {
        Command::Account
        | Command::Conversations
        | Command::Messages { .. }
        | Command::Search(_)
        | Command::Contacts
        | Command::Settings
        | Command::Profile
        | Command::Safety(_)
        // It stays on this device.
        | Command::MarkRead { .. }
        | Command::AcceptIdentity { .. }
        | Command::RejectIdentity { .. }
        // Joining, and leaving.
        | Command::Register { .. }
        | Command::Link { .. }
        | Command::AwaitLink
        | Command::CancelLink
        | Command::Unlink { .. } => true,
        Command::Set(setting) => is_local(setting),
        Command::App(command) => match command {
            AppCommand::Get { .. }
            | AppCommand::List { .. }
            | AppCommand::Count { .. }
            | AppCommand::Members { .. } => true,
            AppCommand::Set { .. }
            | AppCommand::Delete { .. }
            | AppCommand::Add { .. }
            | AppCommand::Include { .. }
            | AppCommand::Send { .. } => false,
        },
        Command::Transfer(command) => answers || matches!(command, TransferCommand::Attachment { .. }),
        Command::Send { .. } | Command::Act(_) | Command::Resend { .. } => answers,
        Command::Run(command) => command.is_of_new_device(),
        Command::Typing { .. }
        | Command::OpenLink { .. }
        | Command::ApproveLink { .. }
        | Command::RejectLink { .. }
        | Command::Staff(_)
        | Command::Recovery(_)
        | Command::History(_)
        | Command::Devices
        | Command::DeleteAccount => false,
    }
}

/// What is set for this page alone: nothing that people or their keys depend on.
const fn is_local(setting: &Setting) -> bool {
    match setting {
        Setting::Settings(_)
        | Setting::Name { .. }
        | Setting::Mute { .. }
        | Setting::Archive { .. }
        | Setting::Pin { .. }
        | Setting::Draft { .. }
        | Setting::StaffSeen { .. }
        | Setting::MarkUnread { .. } => true,
        Setting::Profile { .. }
        | Setting::Block { .. }
        | Setting::Answer { .. }
        | Setting::Verify { .. }
        | Setting::WithoutStaff { .. }
        | Setting::Timer { .. } => false,
    }
}

/// What counts of something that a device of this role has said, to us or to own other devices; nothing if nobody may say it.
pub(crate) fn believed(role: Role, is_own: bool, content: Content) -> Option<Content> {
    let answers = match role {
        Role::Owner | Role::Device => return Some(content),
        Role::DelegateRead => false,
        Role::DelegateAnswer => true,
    };
    let Content {
        data_message,
        edit_message,
        sync_message,
        binding,
        staff,
        ..
    } = content;
    let said = Content {
        binding,
        staff,
        ..Content::default()
    };
    if is_own {
        let message = sync_message?;
        return Some(Content {
            sync_message: Some(SyncMessage {
                sent: message.sent.filter(|_| answers),
                request: message.request.filter(asks_for_contacts),
                certificate_consent: message.certificate_consent,
                ..SyncMessage::default()
            }),
            ..said
        });
    }
    answers.then_some(Content {
        data_message,
        edit_message,
        ..said
    })
}

/// What a delegate's own device has to say to the account's others.
pub(crate) fn may_tell(message: &SyncMessage) -> bool {
    message.certificate_consent.is_some() || message.request.as_ref().is_some_and(asks_for_contacts)
}

fn asks_for_contacts(request: &Request) -> bool {
    request.r#type() == request::Type::Contacts
}
