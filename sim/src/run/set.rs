//! What a person or their application sets in a run: each kind of register, of few names and values, so that writes meet.
//! It does not judge; what devices hold is compared when all faults are over.

use engine::input::{AppCommand, Setting, SettingsChange};
use engine::output::AppValue;
use engine::{Command, Timestamp};

use super::Run;
use crate::ClientId;

impl Run {
    pub(super) fn set(&mut self, by: ClientId, what: u8, value: u8) -> String {
        let with = usize::from(value) % self.record.accounts.len();
        let who = self.record.accounts[with].to_string();
        let command = command(what, value, who);
        self.world.start(by, command);
        if what % 12 == 5 {
            let pair = (self.record.owner(by), with);
            self.record.blocked.insert(pair);
        }
        format!("{} sets {} to {value}", self.record.name(by), what % 12)
    }
}

fn command(what: u8, value: u8, who: String) -> Command {
    let yes = value & 4 == 0;
    let key = format!("app/{}", value % 3);
    match what % 12 {
        0 => Command::App(AppCommand::Set {
            key,
            value: AppValue::Bytes(vec![value]),
        }),
        1 => Command::App(AppCommand::Delete { key }),
        2 => Command::App(AppCommand::Add {
            key,
            by: i64::from(value) - 100,
        }),
        3 => Command::App(AppCommand::Include {
            key,
            element: format!("{}", value % 5),
            is_member: yes,
        }),
        4 => Command::Set(Setting::Settings(SettingsChange {
            typing: Some(yes),
            ..SettingsChange::default()
        })),
        5 => Command::Set(Setting::Block {
            account: who,
            blocked: yes,
        }),
        6 => Command::Set(Setting::Answer {
            account: who,
            accept: yes,
        }),
        7 => Command::Set(Setting::Name {
            account: who,
            name: format!("name {value}"),
        }),
        8 => Command::Set(Setting::Verify {
            account: who,
            verified: yes,
            digits: None,
        }),
        9 => Command::Set(Setting::Mute {
            conversation: who,
            until: yes.then_some(Timestamp(u64::from(value))),
        }),
        10 => Command::Set(Setting::Draft {
            conversation: who,
            text: "x".repeat(usize::from(value) * 200),
        }),
        _ => Command::Set(Setting::MarkUnread { conversation: who }),
    }
}
