//! A run: steps done to a world, watched by the checks. After the last step all faults end, everybody stays
//! online for a while, everybody writes to everybody once more, and then the threads are compared.

mod act;
mod deed;
mod file;
mod give;
mod set;
mod settle;
mod staff;
#[cfg(test)]
mod tests;
mod timer;

use std::any::Any;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use engine::output::{ClientState, MessageKind};
use engine::store::memory::Snapshot;
use engine::{Command, Event, Reply};
use wire::MessageId;

use crate::check::record::{Mark, Outcome, Record, Said};
use crate::check::wire_use::WireUse;
use crate::check::{Check, Violation};
use crate::step::{Play, Step};
use crate::{ClientId, World};
pub(crate) use give::is_given;

/// People of a run.
const PEOPLE: [&str; 4] = ["alice", "bob", "carol", "dave"];

/// What a run came to.
#[derive(Debug)]
pub struct Verdict {
    /// Empty if all is well.
    pub violations: Vec<Violation>,
    /// What happened, a line each.
    pub trace: Vec<String>,
    /// What there was to check.
    pub counts: Counts,
}

/// How much a run has tested.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Texts that were accepted.
    pub accepted: usize,
    /// Texts that were refused, or nobody knows.
    pub others: usize,
    /// Devices at the end.
    pub devices: usize,
    /// Other people's devices that were let in.
    pub staff: usize,
    /// Steps done.
    pub steps: usize,
    /// Of them those that did harm, or planned it.
    pub faults: usize,
    /// Crashes.
    pub crashes: usize,
    /// Lies told.
    pub lies: usize,
}

impl Counts {
    /// Adds those of another run.
    pub fn add(&mut self, other: Self) {
        let Self {
            accepted,
            others,
            devices,
            staff,
            steps,
            faults,
            crashes,
            lies,
        } = other;
        self.accepted += accepted;
        self.others += others;
        self.devices += devices;
        self.staff += staff;
        self.steps += steps;
        self.faults += faults;
        self.crashes += crashes;
        self.lies += lies;
    }
}

/// How much is written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// Steps.
    Steps,
    /// Steps, and every frame.
    Frames,
}

/// Plays it.
#[must_use]
pub fn play(play: &Play, detail: Detail) -> Verdict {
    let trace = Rc::new(RefCell::new(Vec::new()));
    let mut counts = Counts::default();
    let whole = AssertUnwindSafe(|| {
        let mut run = Run::new(play, detail, Rc::clone(&trace));
        for step in &play.steps {
            run.step(*step);
            if !run.violations.is_empty() {
                break;
            }
        }
        if run.violations.is_empty() {
            run.settle();
        }
        counts = run.counts();
        run.violations
    });
    let violations = caught(whole);
    let trace = trace.take();
    Verdict {
        violations,
        trace,
        counts,
    }
}

/// A panic, whoever it is of, is a broken promise too.
fn caught(whole: AssertUnwindSafe<impl FnOnce() -> Vec<Violation>>) -> Vec<Violation> {
    catch_unwind(whole).unwrap_or_else(|panic| {
        vec![Violation {
            check: Check::Alive,
            what: words(panic.as_ref()),
        }]
    })
}

fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
        .unwrap_or_else(|| "a panic without words".to_owned())
}

/// A run on its way.
struct Run {
    world: World,
    record: Record,
    /// Of what was sent.
    wire_use: WireUse,
    /// Of what the relay has taken.
    taken: WireUse,
    violations: Vec<Violation>,
    trace: Rc<RefCell<Vec<String>>>,
    /// How many steps have begun.
    at: usize,
    faults: usize,
    watched: Vec<Watched>,
    approvals: Vec<give::Approval>,
    began: u64,
    slept_days: u64,
}

/// How far a browser has been looked at.
#[derive(Default)]
struct Watched {
    events: usize,
    sent: usize,
    answered: usize,
    /// And whether it was still waited for: what does not come in the end is told of as such.
    told: BTreeSet<(MessageId, bool)>,
    snapshot: Option<Snapshot>,
}

impl Run {
    fn new(play: &Play, detail: Detail, trace: Rc<RefCell<Vec<String>>>) -> Self {
        let mut world = World::new(play.seed);
        world.log = (detail == Detail::Frames).then(Vec::new);
        let mut run = Self {
            began: world.now,
            world,
            record: Record::default(),
            wire_use: WireUse::default(),
            taken: WireUse::default(),
            violations: Vec::new(),
            trace,
            at: 0,
            faults: 0,
            watched: Vec::new(),
            approvals: Vec::new(),
            slept_days: 0,
        };
        for handle in PEOPLE.iter().take(usize::from(play.people.clamp(1, 4))) {
            let browser = run.world.register(handle);
            let account = match run.world.ask(browser, Command::Account) {
                Ok(Reply::Account(account)) => account.id,
                other => panic!("no account: {other:?}"),
            };
            run.record.handles.push((*handle).to_owned());
            run.record.accounts.push(account);
            run.adopt(run.record.accounts.len() - 1);
        }
        run.watch();
        run
    }

    /// Takes note of a new browser.
    fn adopt(&mut self, person: usize) {
        self.record.owners.push(person);
        self.watched.push(Watched::default());
    }

    fn write(&mut self, what: &str) {
        let since = self.world.now - self.began;
        let line = format!("{:>4} {:>10} s  {what}", self.at, Seconds(since));
        self.trace.borrow_mut().push(line);
        for frame in self.world.log.iter_mut().flat_map(|log| log.drain(..)) {
            self.trace.borrow_mut().push(format!("{:19}{frame}", ""));
        }
    }

    fn step(&mut self, step: Step) {
        self.at += 1;
        self.faults += usize::from(step.is_fault());
        let outcome = self.act(step);
        self.watch();
        self.write(&format!("{step}: {outcome}"));
    }

    /// Looks at what is new everywhere.
    fn watch(&mut self) {
        for n in 0..self.watched.len() {
            let id = ClientId(n);
            self.watch_answers(id);
            self.watch_events(id);
            for frame in self
                .world
                .client(id)
                .sent
                .get(self.watched[n].sent..)
                .unwrap_or_default()
            {
                let found = self.wire_use.note(id, frame);
                // What the relay had not taken before a browser was put back, only the browser knew: the fence is at
                // the relay (decision 9), so what that has taken is looked at below.
                if !self.record.restored.contains_key(&id) {
                    self.violations.extend(found);
                }
            }
            self.watched[n].sent = self.world.client(id).sent.len();
            let client = self.world.client_mut(id);
            self.violations.append(&mut client.violations);
        }
        for (id, frame) in std::mem::take(&mut self.world.relay.taken) {
            let found = self.taken.note(id, &frame);
            self.violations.extend(found);
        }
        self.watch_states();
    }

    fn watch_states(&mut self) {
        self.watch_staff();
        for n in 0..self.watched.len() {
            let (id, client) = (ClientId(n), self.world.client(ClientId(n)));
            if !client.is_open() || self.record.is_staff(id) {
                continue;
            }
            match client.state() {
                ClientState::New => {}
                ClientState::Ready => {
                    self.record.ready_since.entry(id).or_insert(self.at);
                    self.record.ever_ready.insert(id);
                }
                ClientState::Unlinked => {
                    let was_ready = self.record.ready_since.remove(&id).is_some();
                    if was_ready && !self.record.may_be_unlinked(id) {
                        let what = format!("{} was unlinked by nobody", self.record.name(id));
                        self.violations.push(Violation {
                            check: Check::Back,
                            what,
                        });
                    }
                }
            }
        }
    }

    fn watch_answers(&mut self, id: ClientId) {
        let client = self.world.client(id);
        let new = client.answered.iter().skip(self.watched[id.0].answered);
        let mut accepted = Vec::new();
        for ticket in new {
            let is = |mark: &&mut Mark| mark.by == id && mark.ticket == *ticket;
            if let Some(mark) = self.record.marks.iter_mut().find(is) {
                mark.is_stored = matches!(client.answer(*ticket), Some(Ok(_)));
            }
            let Some(said) = self
                .record
                .said
                .iter()
                .position(|s| s.by == id && s.ticket == *ticket)
            else {
                continue;
            };
            let outcome = match client.answer(*ticket) {
                Some(Ok(Reply::MessageId(message))) => {
                    self.record.accepted += 1;
                    let Said { by, to, at, .. } = &self.record.said[said];
                    let people = [self.record.owner(*by), *to];
                    let before = |id: &ClientId| self.record.is_member(*id, *at);
                    let members = people
                        .iter()
                        .flat_map(|person| self.record.members(*person));
                    Outcome::Accepted {
                        id: *message,
                        nth: self.record.accepted,
                        members: members.filter(before).collect(),
                    }
                }
                Some(Err(refusal)) => Outcome::Refused(*refusal),
                _ => Outcome::Unknown,
            };
            self.record.said[said].outcome = outcome;
            accepted.push(said);
        }
        self.watched[id.0].answered = client.answered.len();
        for said in accepted {
            self.note_timer(said);
        }
        self.note_given(id);
    }

    fn watch_events(&mut self, id: ClientId) {
        let client = self.world.client(id);
        let watched = &mut self.watched[id.0];
        for event in client.events.iter().skip(watched.events) {
            if let Event::Message(message) = event
                && !watched
                    .told
                    .insert((message.id, message.kind == MessageKind::Waiting))
            {
                let what = format!("{} told of {} twice", self.record.name(id), message.id);
                self.violations.push(Violation {
                    check: Check::ToldOnce,
                    what,
                });
            }
        }
        watched.events = client.events.len();
    }

    fn counts(&self) -> Counts {
        let crashes = self
            .world
            .clients()
            .iter()
            .map(|client| client.crashes() as usize);
        Counts {
            accepted: self.record.accepted,
            others: self.record.said.len() - self.record.accepted,
            devices: self.record.ready_since.len(),
            staff: self
                .record
                .staff
                .iter()
                .filter(|hired| hired.since.is_some())
                .count(),
            steps: self.at,
            faults: self.faults,
            crashes: crashes.sum(),
            lies: self.world.relay.lies_told() as usize,
        }
    }
}

/// Milliseconds as seconds.
struct Seconds(u64);

impl std::fmt::Display for Seconds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&format!("{}.{:03}", self.0 / 1000, self.0 % 1000))
    }
}
