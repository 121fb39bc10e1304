//! Messages that disappear, in a run: people set timers, and in the end read everything that has one, so that its time runs.
//! It does not judge; what is left of such messages is looked at when two more days are over.

use engine::Command;
use engine::input::Setting;

use super::Run;
use super::act::NOTHING;
use crate::ClientId;
use crate::check::record::Outcome;

/// Lengths, in seconds: over within the two days after the last message, or longer than all of a run.
const LENGTHS_S: [u32; 6] = [
    0,
    30,
    600,
    3_600,
    4 * 7 * 24 * 3_600,
    4 * 7 * 24 * 3_600 - 1,
];

impl Run {
    pub(super) fn set_timer(&mut self, by: ClientId, with: usize, length: u8) -> String {
        let with = with % self.record.accounts.len();
        let seconds = LENGTHS_S[usize::from(length) % LENGTHS_S.len()];
        let timer = Setting::Timer {
            conversation: self.record.accounts[with].to_string(),
            seconds,
        };
        self.world.start(by, Command::Set(timer));
        let owner = self.record.owner(by);
        self.record.timed.insert((owner.min(with), owner.max(with)));
        let handle = &self.record.handles[with];
        format!("{} with {handle}: {seconds} s", self.record.name(by))
    }

    /// Looks how long a message stays that was just accepted.
    pub(super) fn note_timer(&mut self, said: usize) {
        let (by, to) = (self.record.said[said].by, self.record.said[said].to);
        let seconds = if self.record.may_have_timer(self.record.owner(by), to) {
            let Outcome::Accepted { id, .. } = self.record.said[said].outcome else {
                return;
            };
            let newest = self.newest(by, to, 20);
            let found = newest.into_iter().find(|message| message.id == id);
            found.map(|message| message.timer_s.unwrap_or_default())
        } else {
            Some(0)
        };
        self.record.said[said].timer_s = seconds;
    }

    /// Everybody reads, on each browser, where there may be a timer.
    pub(super) fn everybody_reads(&mut self) {
        let devices: Vec<ClientId> = self.record.ready_since.keys().copied().collect();
        for by in devices {
            for with in 0..self.record.accounts.len() {
                if self.record.may_have_timer(self.record.owner(by), with) {
                    let what = self.read(by, with);
                    if what != NOTHING {
                        self.world.run();
                    }
                }
            }
        }
        self.world.pass_ms(60_000);
        self.watch();
    }
}
