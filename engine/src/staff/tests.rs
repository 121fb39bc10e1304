//! What delegates may be asked and what is believed of them, kind by kind (D-2). How it plays out between browsers and a relay is
//! in `sim/tests/staff.rs`.

use wire::certificate::Role;
use wire::proto::service::data_message::Reaction;
use wire::proto::service::sync_message::{Read, Request, Sent, request};
use wire::proto::service::{
    ContactSnapshot, Content, DataMessage, EditMessage, Register, SyncMessage, TypingMessage,
};
use wire::proto::service::{ReceiptMessage, Staff};

use super::grant::{GrantRecord, bytes_of, certificate_end, commitment};
use super::rule::{allows, believed};
use crate::input::{
    Action, AppCommand, Command, HistoryCommand, RecoveryCommand, RunCommand, SafetyCommand,
    Search, Setting, SettingsChange, StaffCommand, Timestamp,
};
use wire::{AccountId, MessageId};

const BOB: AccountId = AccountId::from_bytes([2; 16]);
const ID: MessageId = MessageId::from_bytes([3; 16]);

fn name() -> String {
    "bob".to_owned()
}

/// What stays on a delegate's own page, or is read from it.
fn harmless() -> Vec<Command> {
    vec![
        Command::Account,
        Command::Conversations,
        Command::Contacts,
        Command::Settings,
        Command::Profile,
        Command::Messages {
            conversation: name(),
            before: None,
            after: None,
            limit: 1,
        },
        Command::Search(Search {
            text: name(),
            conversation: None,
            before: None,
            below: None,
            limit: 1,
        }),
        Command::MarkRead {
            conversation: name(),
            message: ID,
        },
        Command::Safety(SafetyCommand::Number { account: name() }),
        Command::App(AppCommand::Get { key: name() }),
        Command::Set(Setting::Settings(SettingsChange::default())),
        Command::Set(Setting::Draft {
            conversation: name(),
            text: name(),
        }),
        Command::AcceptIdentity { account: name() },
        Command::Unlink {
            device: wire::DeviceId::PRIMARY,
            lost: false,
        },
    ]
}

/// What goes to the people who are written to.
fn sending() -> Vec<Command> {
    vec![
        Command::text("bob", "hello"),
        Command::Act(Action::Edit {
            message: ID,
            text: name(),
        }),
        Command::Resend { message: ID },
    ]
}

/// What is the person's own.
fn forbidden() -> Vec<Command> {
    let account = name;
    vec![
        Command::Set(Setting::Profile { name: name() }),
        Command::Set(Setting::Block {
            account: account(),
            blocked: true,
        }),
        Command::Set(Setting::Answer {
            account: account(),
            accept: true,
        }),
        Command::Set(Setting::Verify {
            account: account(),
            verified: true,
            digits: None,
        }),
        Command::Set(Setting::Timer {
            conversation: account(),
            seconds: 5,
        }),
        Command::Set(Setting::WithoutStaff {
            conversation: account(),
            without: true,
        }),
        Command::Typing {
            conversation: account(),
            is_typing: true,
        },
        Command::OpenLink { uri: name() },
        Command::ApproveLink {
            uri: name(),
            role: Role::Device,
        },
        Command::RejectLink { uri: name() },
        Command::Run(RunCommand::Wait),
        Command::Staff(StaffCommand::List),
        Command::Recovery(RecoveryCommand::Make),
        Command::App(AppCommand::Delete { key: name() }),
        Command::History(HistoryCommand::Choose {
            uri: name(),
            choice: crate::input::HistoryChoice::None,
        }),
        Command::Devices,
        Command::DeleteAccount,
    ]
}

#[test]
fn a_delegates_page_is_asked_what_its_certificate_gives_it_and_nothing_else_d2() {
    let rows = [
        (harmless(), true, true),
        (sending(), false, true),
        (forbidden(), false, false),
    ];
    for (commands, reader, answerer) in rows {
        for command in commands {
            assert_eq!(allows(Role::DelegateRead, &command), reader, "{command:?}");
            assert_eq!(
                allows(Role::DelegateAnswer, &command),
                answerer,
                "{command:?}"
            );
            assert!(allows(Role::Owner, &command) && allows(Role::Device, &command));
        }
    }
}

fn text() -> DataMessage {
    DataMessage {
        body: Some("hello".to_owned()),
        ..DataMessage::default()
    }
}

/// One of everything.
fn everything() -> Content {
    let reaction = DataMessage {
        reaction: Some(Reaction::default()),
        ..text()
    };
    Content {
        data_message: Some(reaction),
        edit_message: Some(EditMessage::default()),
        receipt_message: Some(ReceiptMessage::default()),
        typing_message: Some(TypingMessage::default()),
        staff: Some(Staff::default()),
        sync_message: Some(SyncMessage {
            sent: Some(Sent::default()),
            read: vec![Read::default()],
            registers: vec![Register::default()],
            contact_snapshot: Some(ContactSnapshot::default()),
            removed_devices: vec![1],
            repair: Some(vec![1]),
            certificate_offer: Some(vec![1]),
            certificate_consent: Some(vec![1]),
            request: Some(Request {
                r#type: Some(request::Type::Contacts.into()),
            }),
            ..SyncMessage::default()
        }),
        ..Content::default()
    }
}

#[test]
fn of_what_a_delegate_says_only_messages_and_its_own_certificate_count_d2() {
    for role in [Role::Owner, Role::Device] {
        for is_own in [false, true] {
            assert_eq!(believed(role, is_own, everything()), Some(everything()));
        }
    }
    assert_eq!(believed(Role::DelegateRead, false, everything()), None);
    let to_peer = believed(Role::DelegateAnswer, false, everything());
    let said = Content {
        receipt_message: None,
        typing_message: None,
        sync_message: None,
        ..everything()
    };
    assert_eq!(to_peer, Some(said));
    for (role, answers) in [(Role::DelegateRead, false), (Role::DelegateAnswer, true)] {
        let told = believed(role, true, everything());
        let told = told.and_then(|content| content.sync_message);
        let counts = SyncMessage {
            sent: answers.then(Sent::default),
            request: everything()
                .sync_message
                .and_then(|message| message.request),
            certificate_consent: Some(vec![1]),
            ..SyncMessage::default()
        };
        assert_eq!(told, Some(counts), "{role:?}");
    }
}

#[test]
fn a_request_for_anything_but_contacts_is_not_believed_of_a_delegate() {
    let content = super::super::content::sync(SyncMessage {
        request: Some(Request {
            r#type: Some(request::Type::Keys.into()),
        }),
        ..SyncMessage::default()
    });
    let told = believed(Role::DelegateAnswer, true, content);
    assert_eq!(told.and_then(|content| content.sync_message?.request), None);
}

#[test]
fn a_grant_reads_what_was_chosen_and_all_only_by_its_certificate() {
    let carol = AccountId::from_bytes([4; 16]);
    let chosen = GrantRecord {
        conversations: bytes_of(&[BOB]),
        ..GrantRecord::default()
    };
    assert!(chosen.reads(BOB) && !chosen.reads(carol));
    let all = GrantRecord {
        capabilities: 1,
        ..GrantRecord::default()
    };
    assert!(all.reads(BOB) && all.reads(carol));
}

#[test]
fn a_certificate_ends_after_35_days_or_when_the_person_wants_it() {
    let now = Timestamp(1_000);
    let month = 35 * 24 * 60 * 60 * 1000;
    assert_eq!(certificate_end(now, 0), 1_000 + month);
    assert_eq!(certificate_end(now, 2_000), 2_000);
    assert_eq!(certificate_end(now, u64::MAX), 1_000 + month);
}

#[test]
fn a_label_is_bound_with_its_salt() {
    let bound = commitment(&[1; 16], "Jane");
    assert_ne!(bound, commitment(&[2; 16], "Jane"));
    assert_ne!(bound, commitment(&[1; 16], "jane"));
}
