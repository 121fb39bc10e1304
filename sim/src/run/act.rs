//! What each step does. A step that makes no sense now does nothing, and says so.
//! It does not judge; the run looks at what has changed after each step.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "each function deals with its steps and leaves the rest to the next"
)]

use engine::store::memory::Crash;
use engine::{Command, Role, StoreFault};

use super::{Run, Watched};
use crate::check::record::Mark;
use crate::relay_node::Deceit;
use crate::step::Step;
use crate::world::Meanwhile;
use crate::{ClientId, World};

/// How long time passes.
const LENGTHS_MS: [u64; 10] = [
    1, 20, 250, 1_000, 5_000, 15_000, 31_000, 60_000, 300_000, 3_600_000,
];
/// Browsers of one person, and of all.
const BROWSERS_MAX: usize = 4;
const ALL_BROWSERS_MAX: usize = 8;
/// A day, and how many everybody sleeps in one run.
const DAY_MS: u64 = 24 * 3_600_000;
const SLEPT_DAYS_MAX: u64 = 24;
/// So long is nobody away without being left out of new sessions.
const AWAY_DAYS: u64 = 14;
/// Furthest jump of a clock.
const JUMP_MAX_MS: i64 = 3 * 3_600_000;
/// What a relay in trouble refuses, and how.
const REFUSALS: [(&str, u16); 8] = [
    ("/v1/bundles", 429),
    ("/v1/bundles", 500),
    ("/v2/keys/", 429),
    ("/v2/keys", 503),
    ("/v1/accounts", 500),
    ("/v1/devices", 500),
    ("/v1/", 503),
    ("/v1/blobs", 503),
];

pub(super) const NOTHING: &str = "nothing to do";

impl Run {
    pub(super) fn act(&mut self, step: Step) -> String {
        match step {
            Step::Send { from, to } => {
                let to = usize::from(to) % self.record.accounts.len();
                match self.used(from) {
                    Some(from) => self.say(from, to),
                    None => NOTHING.to_owned(),
                }
            }
            Step::Attach { from, to } => {
                let to = usize::from(to) % self.record.accounts.len();
                match self.used(from) {
                    Some(from) => self.attach(from, to),
                    None => NOTHING.to_owned(),
                }
            }
            Step::Timer { by, with, length } => match self.used(by) {
                Some(by) => self.set_timer(by, usize::from(with), length),
                None => NOTHING.to_owned(),
            },
            Step::Read { by, of } => match self.used(by) {
                Some(by) => self.read(by, usize::from(of)),
                None => NOTHING.to_owned(),
            },
            Step::Do { by, of, what } => match self.used(by) {
                Some(by) => self.deed(by, usize::from(of), what),
                None => NOTHING.to_owned(),
            },
            Step::Set { by, what, value } => match self.used(by) {
                Some(by) => self.set(by, what, value),
                None => NOTHING.to_owned(),
            },
            Step::Look { by } => self.look(self.browser(by)),
            Step::Link { of } => self.link(self.browser(of)),
            Step::Approve { by } => self.approve(self.browser(by)),
            Step::Give { by, what } => self.give(self.browser(by), what),
            Step::SendHistory { by, to, what } => match self.used(by) {
                Some(by) => self.send_history(by, usize::from(to), what),
                None => NOTHING.to_owned(),
            },
            Step::Deliver { pick } => done(self.world.deliver(pick.into())),
            Step::Flow { packets } => {
                let some = (0..=packets % 32).filter(|_| self.world.step()).count();
                format!("{some} packets")
            }
            Step::Run {} => {
                self.world.run();
                String::new()
            }
            Step::Pass { how_long } => self.pass(how_long, Meanwhile::Delivers),
            Step::Wait { how_long } => self.pass(how_long, Meanwhile::Stalls),
            Step::Unlink { by, which } => match self.used(by) {
                Some(by) => self.unlink(by, usize::from(which)),
                None => NOTHING.to_owned(),
            },
            Step::Sleep { days } => self.sleep(1 + u64::from(days % 3)),
            Step::Away { browser, days } => {
                self.away(self.browser(browser), 1 + u64::from(days % 3))
            }
            Step::Double { pick } => done(self.world.double(pick.into())),
            Step::Batch { frames } => {
                self.world.batch_max = if frames == 0 { 128 } else { frames.into() };
                String::new()
            }
            other => self.act_with_staff(other),
        }
    }

    /// Steps that something goes wrong in, or is put right.
    pub(super) fn disturb(&mut self, step: Step) -> String {
        match step {
            Step::RestartRelay {} => self.world.forget_sockets(),
            Step::StopRelay {} => {
                self.world.forget_sockets();
                self.world.relay_up = false;
            }
            Step::StartRelay {} => self.world.relay_up = true,
            Step::Refuse { what, times } => {
                let (path, status) = REFUSALS[usize::from(what) % REFUSALS.len()];
                let times = 1 + u32::from(times % 4);
                self.world.relay.refuse.push((path, status, times));
                return format!("{path} with {status}, {times} times");
            }
            Step::Deceive { how } => {
                let deceit = Deceit::ALL[usize::from(how) % Deceit::ALL.len()];
                self.record.lied_about_keys |= deceit.is_about_keys();
                self.record.lied = true;
                self.world.relay.deceive(deceit);
                return format!("{deceit:?}");
            }
            other => return self.disturb_browser(other),
        }
        String::new()
    }

    fn disturb_browser(&mut self, step: Step) -> String {
        let id = match step {
            Step::Drop { browser }
            | Step::Cut { browser }
            | Step::Reconnect { browser }
            | Step::Mute { browser }
            | Step::Unmute { browser }
            | Step::Kill { browser }
            | Step::Open { browser }
            | Step::CrashAtCommit { browser, .. }
            | Step::CrashAtOutput { browser, .. }
            | Step::Fill { browser }
            | Step::Free { browser }
            | Step::Jump { browser, .. }
            | Step::Snapshot { browser }
            | Step::Restore { browser } => self.browser(browser),
            _ => return NOTHING.to_owned(),
        };
        let world = &mut self.world;
        match step {
            Step::Drop { .. } => world.drop_sockets(id),
            Step::Cut { .. } => world.cut(id),
            Step::Reconnect { .. } => world.reconnect(id),
            Step::Mute { .. } => world.mute(id, true),
            Step::Unmute { .. } if world.is_muted(id) => {
                world.mute(id, false);
                world.drop_sockets(id);
            }
            Step::Kill { .. } => world.end(id),
            Step::Open { .. } if !world.client(id).is_open() => world.wake(id),
            Step::CrashAtCommit { nth, side, .. } => {
                let sides = [Crash::BeforeWrite, Crash::AfterWrite];
                world.crash_at(id, u64::from(nth % 8), sides[usize::from(side % 2)]);
            }
            Step::CrashAtOutput { nth, .. } => {
                world.client_mut(id).die_after(Some(u32::from(nth % 16)))
            }
            Step::Fill { .. } => world.client(id).store.fail_with(Some(StoreFault::Full)),
            Step::Free { .. } => world.client(id).store.fail_with(None),
            Step::Jump { by, .. } => {
                let by = (i64::from(by) - 128) * JUMP_MAX_MS / 128;
                world.client_mut(id).clock_ahead_ms = by;
                return format!("{}, {by} ms ahead", self.record.name(id));
            }
            Step::Snapshot { .. } => {
                self.watched[id.0].snapshot = Some(self.world.client(id).store.snapshot())
            }
            Step::Restore { .. } => return self.restore(id),
            _ => return format!("{}, {NOTHING}", self.record.name(id)),
        }
        self.record.name(id)
    }

    fn browser(&self, number: u8) -> ClientId {
        ClientId(usize::from(number) % self.watched.len())
    }

    /// One of the browsers that somebody can write with now.
    pub(super) fn used(&self, number: u8) -> Option<ClientId> {
        let all = (0..self.watched.len()).map(ClientId);
        let used: Vec<ClientId> = all.filter(|id| self.is_ready(*id)).collect();
        used.get(usize::from(number) % used.len().max(1)).copied()
    }

    pub(super) fn free(&self, id: ClientId) {
        self.world.client(id).store.fail_with(None);
    }

    fn pass(&mut self, how_long: u8, network: Meanwhile) -> String {
        let ms = LENGTHS_MS[usize::from(how_long) % LENGTHS_MS.len()];
        self.world.pass(ms, network);
        format!("{ms} ms")
    }

    /// All pages are closed, and opened again days later. What waits at the relay waits no longer than it keeps it.
    fn sleep(&mut self, days: u64) -> String {
        if self.slept_days + days > SLEPT_DAYS_MAX {
            return NOTHING.to_owned();
        }
        self.slept_days += days;
        self.record.away |= self.slept_days > AWAY_DAYS;
        let all = (0..self.watched.len()).map(ClientId);
        let open: Vec<ClientId> = all.filter(|id| self.world.client(*id).is_open()).collect();
        for id in &open {
            self.world.end(*id);
        }
        self.world.pass(days * DAY_MS, Meanwhile::Stalls);
        for id in open {
            self.world.wake(id);
        }
        format!("{days} days")
    }

    /// One page stays closed meanwhile, and after that.
    fn away(&mut self, id: ClientId, more: u64) -> String {
        self.world.end(id);
        let days = self.sleep(AWAY_DAYS + more);
        format!("{}, {days}", self.record.name(id))
    }

    pub(super) fn is_ready(&self, id: ClientId) -> bool {
        self.world.client(id).is_open() && self.record.ready_since.contains_key(&id)
    }

    pub(super) fn read(&mut self, by: ClientId, of: usize) -> String {
        let with = of % self.record.accounts.len();
        let account = self.record.accounts[with].to_string();
        let Some(last) = self.last(by, with) else {
            return NOTHING.to_owned();
        };
        let mark = Command::MarkRead {
            conversation: account,
            message: last.id,
        };
        let ticket = self.world.start(by, mark);
        self.record.marks.push(Mark {
            by,
            with,
            ticket,
            up_to: last.id,
            at: self.at,
            is_stored: false,
        });
        format!("{} up to {:?}", self.record.name(by), last.text)
    }

    fn look(&mut self, by: ClientId) -> String {
        for command in [Command::Devices, Command::Contacts, Command::Conversations] {
            self.world.start(by, command);
        }
        self.record.name(by)
    }

    fn unlink(&mut self, by: ClientId, which: usize) -> String {
        let person = self.record.owner(by);
        let theirs: Vec<ClientId> = self.record.members(person).collect();
        let which = theirs[which % theirs.len()];
        let Some(device) = self.device(which) else {
            return NOTHING.to_owned();
        };
        self.record.removers.insert(person);
        self.world.start(
            by,
            Command::Unlink {
                device,
                lost: false,
            },
        );
        format!(
            "{} removes {}",
            self.record.name(by),
            self.record.name(which)
        )
    }

    /// Which device a browser is, if its page is open to ask.
    pub(super) fn device(&mut self, id: ClientId) -> Option<wire::DeviceId> {
        match started(&mut self.world, id, Command::Account)? {
            engine::Reply::Account(account) => Some(account.device),
            _ => None,
        }
    }

    pub(super) fn unlinked(&self, person: usize) -> Option<ClientId> {
        let all = (0..self.watched.len()).map(ClientId);
        let is_theirs = |id: &ClientId| !self.record.is_staff(*id);
        let mut new = all.filter(|id| is_theirs(id) && !self.record.ready_since.contains_key(id));
        new.find(|id| self.record.owner(*id) == person && self.world.client(*id).is_open())
    }

    fn link(&mut self, of: ClientId) -> String {
        let person = self.record.owner(of);
        let all = (0..self.watched.len()).map(ClientId);
        let own: Vec<ClientId> = all.filter(|id| !self.record.is_staff(*id)).collect();
        let theirs = own.iter().filter(|id| self.record.owner(**id) == person);
        let has = theirs.count();
        let new = match self.unlinked(person) {
            Some(new) => new,
            None if has < BROWSERS_MAX && own.len() < ALL_BROWSERS_MAX => {
                self.adopt(person);
                self.world.new_browser()
            }
            None => return NOTHING.to_owned(),
        };
        let command = Command::Link {
            handle: None,
            credential: None,
            device_name: format!("browser {}", new.0),
        };
        self.world.start(new, command);
        self.record.name(new)
    }

    fn approve(&mut self, by: ClientId) -> String {
        let new = self.unlinked(self.record.owner(by));
        let offer = new.and_then(|new| Some((new, self.world.client(new).offer.clone()?)));
        match offer {
            Some((new, offer)) if self.is_ready(by) => {
                let approve = Command::ApproveLink {
                    uri: offer.uri,
                    role: role(new),
                };
                self.world.start(by, approve);
                self.record.name(by)
            }
            _ => NOTHING.to_owned(),
        }
    }

    fn restore(&mut self, id: ClientId) -> String {
        let Watched { snapshot, .. } = &self.watched[id.0];
        let Some(snapshot) = snapshot.clone() else {
            return NOTHING.to_owned();
        };
        if !self.record.ready_since.contains_key(&id) {
            return NOTHING.to_owned();
        }
        self.record.restored.insert(id, self.at);
        self.watched[id.0].told.clear();
        self.world.end(id);
        self.world.client(id).store.restore(&snapshot);
        self.world.wake(id);
        self.record.name(id)
    }
}

/// Every other browser gets a key of its own.
pub(super) const fn role(new: ClientId) -> Role {
    if new.0.is_multiple_of(2) {
        Role::Owner
    } else {
        Role::Device
    }
}

fn done(yes: bool) -> String {
    (if yes { "" } else { NOTHING }).to_owned()
}

/// The answer to a command that needs nobody else.
pub(super) fn started(world: &mut World, id: ClientId, command: Command) -> Option<engine::Reply> {
    let ticket = world.start(id, command);
    world.client(id).answer(ticket)?.clone().ok()
}
