//! The end of a run: all faults end, everybody comes back and writes once more; then everything is judged that
//! needs peace to be true. What must hold meanwhile is looked at after each step.

use engine::store::Table;
use engine::store::memory::{Crash, Snapshot};
use engine::{Command, Held, Reply, Timestamp, held, history_from};
use wire::{AccountId, DeviceAddress};

use super::Run;
use crate::ClientId;
use crate::check::record::Shown;
use crate::check::{Check, Violation, digests, given, marks, registers, staff, threads, timers};
use crate::world::Meanwhile;

const HOUR_MS: u64 = 3_600_000;
const DAY_MS: u64 = 24 * HOUR_MS;

impl Run {
    /// The end of all faults, and what must be so then.
    pub(super) fn settle(&mut self) {
        self.at += 1;
        self.heal();
        self.watch();
        self.write("all faults end, and everybody comes back");
        if self.record.away {
            self.world.pass_ms(HOUR_MS); // who was away a moment ago is asked for new keys once an hour
        }
        if self.record.lied_about_keys {
            // What a stranger's device sends and nobody can read is not asked for again, since anybody can send
            // garbage in anybody's name; such a first contact heals when the other side writes.
            self.everybody_writes();
            self.write("everybody has written to everybody");
            self.at += 1;
            self.record.healed_at = Some(self.at);
        }
        self.everybody_writes();
        self.write("everybody has written to everybody");
        self.everybody_reads();
        self.judge_devices(); // as long as the pages are those of the faults
        self.two_days();
        self.write("own devices have compared what they hold");
        self.judge_devices();
        self.judge_queues();
        self.note_misled();
        self.violations
            .extend(registers::violations(&self.record, &self.all_held()));
        let now = Timestamp(self.world.now);
        self.violations
            .extend(digests::violations(&self.record, &self.all_stores(), now));
        self.note_floors();
        let shown = self.all_shown();
        self.judge_files(&shown);
        self.violations
            .extend(timers::violations(&self.record, &shown));
        self.violations
            .extend(given::violations(&self.record, &shown));
        self.violations
            .extend(threads::violations(&self.record, &shown));
        self.violations
            .extend(marks::violations(&self.record, &shown));
        self.note_ends();
        let to_staff = self.all_shown_to_staff();
        self.violations
            .extend(staff::violations(&self.record, &shown, &to_staff));
    }

    pub(super) fn judge_devices(&mut self) {
        for n in 0..self.watched.len() {
            let (id, client) = (ClientId(n), self.world.client(ClientId(n)));
            let unanswered = client.unanswered();
            if unanswered > 0 {
                let what = format!("{} owes {unanswered} answers", self.record.name(id));
                self.violations.push(Violation {
                    check: Check::Answered,
                    what,
                });
            }
            let is_device = self.record.ready_since.contains_key(&id);
            if is_device && client.connection() != engine::output::Connection::Online {
                let what = format!(
                    "{} is not online: {:?}",
                    self.record.name(id),
                    client.connection()
                );
                self.violations.push(Violation {
                    check: Check::Back,
                    what,
                });
            }
        }
    }

    /// Nothing is left over: what the relay delivered is acked, what was to be sent is sent.
    pub(super) fn judge_queues(&mut self) {
        let browsers: Vec<ClientId> = self.record.ready_since.keys().copied().collect();
        for id in browsers
            .into_iter()
            .filter(|id| !self.record.is_restored(*id))
        {
            let Some(Ok(Reply::Account(account))) = self.world.try_ask(id, Command::Account) else {
                continue;
            };
            let address = DeviceAddress {
                account: account.id,
                device: account.device,
            };
            let mail = self.world.relay.mail(address);
            let stored = self.world.client(id).store.snapshot();
            // What a lie has made fail is told again with the next connection, or the next day.
            let untold = if self.record.lied {
                0
            } else {
                stored.count(Table::Untold)
            };
            let unsent = stored.count(Table::Outbox) + untold;
            if mail > 0 || unsent > 0 {
                let what = format!(
                    "{} has {mail} envelopes at the relay and {unsent} things to send",
                    self.record.name(id)
                );
                self.violations.push(Violation {
                    check: Check::Drained,
                    what,
                });
            }
        }
    }

    /// Looks whose key anybody has wrong, or has been shown a wrong one for, which blocks until they decide. Without lies nobody may.
    fn note_misled(&mut self) {
        let browsers: Vec<ClientId> = self.record.ready_since.keys().copied().collect();
        for id in browsers {
            let Some(Ok(Reply::Contacts(contacts))) = self.world.try_ask(id, Command::Contacts)
            else {
                continue;
            };
            for contact in contacts
                .iter()
                .filter(|contact| contact.identity_key.is_some())
            {
                let is = |account: &AccountId| *account == contact.id;
                let Some(person) = self.record.accounts.iter().position(is) else {
                    continue;
                };
                let key = self.world.relay.identity_key(contact.id);
                if contact.identity_key != key || contact.key_changed {
                    self.record.misled.insert((id, person));
                }
            }
            if !self.record.lied_about_keys && self.record.misled.iter().any(|(who, _)| *who == id)
            {
                let what = format!("{} has a false key of somebody", self.record.name(id));
                self.violations.push(Violation {
                    check: Check::Stranger,
                    what,
                });
            }
        }
    }

    /// Since when every browser has history.
    pub(super) fn note_floors(&mut self) {
        let floors = self.all_stores().into_iter();
        let floor = |(id, store)| Some((id, history_from(&store)?));
        self.record.floors = floors.filter_map(floor).collect();
    }

    /// The registers of every browser that belongs to an account.
    pub(super) fn all_held(&self) -> Vec<(ClientId, Vec<Held>)> {
        let held = |id: &ClientId| (*id, held(&self.world.client(*id).store.snapshot()));
        self.record.ready_since.keys().map(held).collect()
    }

    /// The stores of every browser that belongs to an account.
    pub(super) fn all_stores(&self) -> Vec<(ClientId, Snapshot)> {
        let store = |id: &ClientId| (*id, self.world.client(*id).store.snapshot());
        self.record.ready_since.keys().map(store).collect()
    }

    pub(super) fn all_shown(&mut self) -> Vec<Shown> {
        let browsers = self.record.ever_ready.clone();
        browsers.into_iter().map(|id| self.shown(id)).collect()
    }

    pub(super) fn heal(&mut self) {
        self.world.relay.refuse.clear();
        self.world.relay.be_honest();
        self.world.relay_up = true;
        self.world.batch_max = 128;
        for n in 0..self.watched.len() {
            let id = ClientId(n);
            self.free(id);
            self.world.crash_at(id, u64::MAX, Crash::BeforeWrite);
            self.world.client_mut(id).die_after(None);
            if self.world.is_muted(id) {
                self.world.mute(id, false);
                self.world.drop_sockets(id);
            }
            if !self.world.client(id).is_open() {
                self.world.wake(id);
            }
            if self.world.is_cut(id) {
                self.world.reconnect(id); // the others are told nothing, and come back by themselves
            }
        }
        self.world.pass_ms(10 * 60 * 1000);
        for n in 0..self.watched.len() {
            let id = ClientId(n);
            self.world.client_mut(id).offer = None;
            self.world.try_ask(id, Command::CancelLink);
        }
        self.record.lied = self.world.relay.lies_told() > 0;
        self.at += 1;
        self.record.healed_at = Some(self.at);
        self.watch();
    }

    fn everybody_writes(&mut self) {
        self.at += 1;
        let devices: Vec<ClientId> = self.record.ready_since.keys().copied().collect();
        for from in devices {
            for to in 0..self.record.accounts.len() {
                self.say(from, to);
                self.world.run();
            }
        }
        self.world.pass_ms(2 * 60 * 1000);
        self.watch();
    }

    /// Every page is closed and opened the next day, as people do, so own devices compare what they hold: each has begun once
    /// after all have heard of all.
    fn two_days(&mut self) {
        for _ in 0..2 {
            let all = (0..self.watched.len()).map(ClientId);
            for id in all.clone() {
                self.world.end(id);
            }
            self.world.pass(DAY_MS, Meanwhile::Stalls);
            for id in all {
                self.world.wake(id);
            }
            self.world.pass_ms(10 * 60 * 1000);
        }
        self.watch();
    }

    pub(super) fn shown(&mut self, browser: ClientId) -> Shown {
        let mut threads = Vec::new();
        let list = match self.world.try_ask(browser, Command::Conversations) {
            Some(Ok(Reply::Conversations(list))) => list,
            _ => Vec::new(),
        };
        for person in 0..self.record.accounts.len() {
            let account = self.record.accounts[person];
            threads.push((account, self.world.thread(browser, &account.to_string())));
        }
        Shown {
            browser,
            threads,
            unread: list.iter().map(|c| (c.id, c.unread)).collect(),
            timers: list.iter().map(|c| (c.id, c.timer_s)).collect(),
        }
    }
}
