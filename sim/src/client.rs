//! One browser: an engine on a memory store, with its sockets, events and answers.
//! It knows the network only as two lists: frames to send, sockets to open or close.

use std::collections::{BTreeMap, BTreeSet};

use engine::attachment::{Plan, Pointer};
use engine::input::BlobTask;
use engine::output::{ClientState, Connection, LinkOffer, Message};
use engine::store::memory::MemoryStore;
use engine::{
    Command, Engine, Error, Event, Input, Output, Refusal, Reply, SocketId, Ticket, Timestamp,
};
use futures_util::FutureExt;
use wire::Frame;
use wire::bundle::Bundle;

use crate::check::release::{self, Received};
use crate::check::{Check, Violation};
use crate::disk::Disk;

/// Which browser of a world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClientId(pub usize);

/// What a client wants of the network.
#[derive(Debug)]
pub(crate) enum Wish {
    Open {
        socket: SocketId,
        path: &'static str,
    },
    Close {
        socket: SocketId,
    },
    Send {
        socket: SocketId,
        frame: Vec<u8>,
    },
    Put {
        task: BlobTask,
        plan: Plan,
        content: Vec<u8>,
        authorization: String,
    },
    Get {
        task: BlobTask,
        pointer: Box<Pointer>,
    },
}

/// One browser.
pub struct Client {
    /// Its database.
    pub store: MemoryStore,
    /// Everything it was told.
    pub events: Vec<Event>,
    /// Every frame it sent on any socket.
    pub sent: Vec<Vec<u8>>,
    /// What it has answered, in order.
    pub answered: Vec<Ticket>,
    /// The newest link URI it shows.
    pub offer: Option<LinkOffer>,
    /// How far its clock is ahead of the world's, ms.
    pub clock_ahead_ms: i64,
    pub(crate) violations: Vec<Violation>,
    disk: Disk,
    engine: Option<Engine<Disk>>,
    answers: BTreeMap<Ticket, Result<Reply, Refusal>>,
    unanswered: BTreeSet<Ticket>,
    sockets: BTreeSet<SocketId>,
    received: Received,
    next_ticket: u64,
    seed: [u8; 32],
    opened: u32,
    number: u8,
    crashes: u32,
    /// The page dies when it has carried out so many more outputs.
    dies_after: Option<u32>,
    timer: Option<u64>,
}

/// The longest timer of the host.
const TIMER_MS_MAX: u64 = 60 * 60 * 1000;

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Client {}", self.number)
    }
}

impl Client {
    pub(crate) fn new(number: u8, world_seed: u64, store: MemoryStore) -> Self {
        let mut seed = [number; 32];
        seed[8..16].copy_from_slice(&world_seed.to_be_bytes());
        Self {
            disk: Disk::new(store.clone()),
            store,
            events: Vec::new(),
            sent: Vec::new(),
            answered: Vec::new(),
            offer: None,
            clock_ahead_ms: 0,
            violations: Vec::new(),
            engine: None,
            answers: BTreeMap::new(),
            unanswered: BTreeSet::new(),
            sockets: BTreeSet::new(),
            received: Received::default(),
            next_ticket: 0,
            seed,
            opened: 0,
            number,
            crashes: 0,
            dies_after: None,
            timer: None,
        }
    }

    /// A closed browser that has all that this one has stored.
    pub(crate) fn twin(&self) -> Self {
        let store = MemoryStore::new();
        store.restore(&self.store.snapshot());
        Self {
            seed: self.seed,
            opened: self.opened,
            clock_ahead_ms: self.clock_ahead_ms,
            ..Self::new(self.number, 0, store)
        }
    }

    /// Opens the database, as a page that loads does. A database that can't be read leaves it closed.
    pub(crate) fn open(&mut self, now: u64) {
        self.opened += 1;
        let mut seed = self.seed;
        seed[..4].copy_from_slice(&self.opened.to_be_bytes());
        let now = self.clock(now);
        let engine = Engine::open(self.disk.clone(), seed, now).now_or_never();
        self.engine = match engine.expect("memory never waits") {
            Ok(engine) => Some(engine),
            Err(Error::Store(_)) => None,
            Err(Error::Bug(bug)) => panic!("{self:?}: {bug}"),
        };
    }

    /// The page is gone, with everything that was only in memory.
    pub(crate) fn kill(&mut self) -> Vec<SocketId> {
        self.engine = None;
        self.offer = None;
        self.unanswered.clear();
        self.received = Received::default();
        std::mem::take(&mut self.sockets).into_iter().collect()
    }

    /// What its clock shows.
    fn clock(&self, now: u64) -> Timestamp {
        Timestamp(now.saturating_add_signed(self.clock_ahead_ms))
    }

    /// Makes the page die when it has carried out so many more outputs.
    pub fn die_after(&mut self, outputs: Option<u32>) {
        self.dies_after = outputs;
    }

    /// Makes the database say that it has written what it has not, for tests of the checks.
    #[cfg(test)]
    pub(crate) fn forget_commits_after(&self, commits: u64) {
        self.disk.forget_after(commits);
    }

    /// Commands that the open page has not answered.
    #[must_use]
    pub fn unanswered(&self) -> usize {
        self.unanswered.len()
    }

    /// Whether the page is open.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.engine.is_some()
    }

    /// How often a planned crash came true.
    #[must_use]
    pub fn crashes(&self) -> u32 {
        self.crashes
    }

    /// Whether it belongs to an account.
    #[must_use]
    pub fn state(&self) -> ClientState {
        self.engine.as_ref().expect("the page is open").state()
    }

    /// With what it would upload blobs.
    #[must_use]
    pub fn authorization(&self) -> Option<String> {
        let engine = self.engine.as_ref().expect("the page is open");
        engine.authorization()
    }

    /// Its connection.
    #[must_use]
    pub fn connection(&self) -> Connection {
        self.engine.as_ref().expect("the page is open").connection()
    }

    /// When its timer fires, by the world's clock. Timers run on, whatever the browser's clock does.
    pub(crate) fn timer(&self) -> Option<u64> {
        self.timer.filter(|_| self.is_open())
    }

    fn set_timer(&mut self, now: u64) {
        let deadline = self.engine.as_ref().and_then(Engine::deadline);
        let left = deadline.map(|deadline| deadline.0.saturating_sub(self.clock(now).0));
        self.timer = left.map(|left| now + left.min(TIMER_MS_MAX));
    }

    pub(crate) fn has(&self, socket: SocketId) -> bool {
        self.sockets.contains(&socket)
    }

    pub(crate) fn sockets(&self) -> Vec<SocketId> {
        self.sockets.iter().copied().collect()
    }

    /// An engine's name for a socket, told from those of the pages before.
    fn outer(&self, inner: SocketId) -> SocketId {
        SocketId((self.opened << 16) + inner.0)
    }

    /// What the engine is told; `None` if it is about a socket of a page that is gone.
    fn inner(&mut self, input: Input) -> Option<Input> {
        let own = |socket: SocketId, opened: u32| {
            (socket.0 >> 16 == opened).then_some(SocketId(socket.0 & 0xFFFF))
        };
        Some(match input {
            Input::SocketOpened(socket) => Input::SocketOpened(own(socket, self.opened)?),
            Input::SocketFrames { socket, frames } => {
                let socket = own(socket, self.opened)?;
                self.received.note(socket, &frames);
                Input::SocketFrames { socket, frames }
            }
            Input::SocketClosed { socket, code } => {
                self.sockets.remove(&socket);
                let socket = own(socket, self.opened)?;
                Input::SocketClosed { socket, code }
            }
            Input::Blob { task, end } => {
                let is_own = task.0 >> 16 == self.opened;
                let task = is_own.then_some(BlobTask(task.0 & 0xFFFF))?;
                Input::Blob { task, end }
            }
            other @ (Input::Command { .. } | Input::Tick | Input::NetworkChanged) => other,
        })
    }

    /// Gives the engine an input. A store failure kills the page.
    pub(crate) fn give(&mut self, now: u64, input: Input) -> Vec<Wish> {
        let wishes = self.handle(self.clock(now), input);
        self.set_timer(now);
        wishes
    }

    fn handle(&mut self, now: Timestamp, input: Input) -> Vec<Wish> {
        let Some(input) = self.inner(input) else {
            return Vec::new();
        };
        let Some(engine) = &mut self.engine else {
            return Vec::new();
        };
        let mut out = Vec::new();
        let result = engine.handle(now, input, &mut out).now_or_never();
        let result = result.expect("memory never waits");
        let mut wishes = Vec::new();
        for output in out {
            if let Some(what) = release::unfounded(&self.disk, &self.received, &output) {
                let check = Check::Released;
                self.violations.push(Violation { check, what });
            }
            if let Some(left) = &mut self.dies_after {
                if *left == 0 {
                    self.die(&mut wishes);
                    return wishes;
                }
                *left -= 1;
            }
            self.carry_out(output, &mut wishes);
        }
        match result {
            Ok(()) => {}
            Err(Error::Store(_)) => self.die(&mut wishes),
            Err(Error::Bug(bug)) => panic!("{self:?}: {bug}"),
        }
        wishes
    }

    fn die(&mut self, wishes: &mut Vec<Wish>) {
        self.crashes += 1;
        self.dies_after = None;
        wishes.extend(self.kill().into_iter().map(|socket| Wish::Close { socket }));
    }

    fn carry_out(&mut self, output: Output, wishes: &mut Vec<Wish>) {
        match output {
            Output::OpenSocket { socket, path } => {
                let socket = self.outer(socket);
                self.sockets.insert(socket);
                wishes.push(Wish::Open { socket, path });
            }
            Output::CloseSocket { socket, .. } => {
                let socket = self.outer(socket);
                self.sockets.remove(&socket);
                wishes.push(Wish::Close { socket });
            }
            Output::Send { socket, frame } => {
                let socket = self.outer(socket);
                self.sent.push(frame.clone());
                wishes.push(Wish::Send { socket, frame });
            }
            Output::PutBlob {
                task,
                plan,
                content,
                authorization,
            } => wishes.push(Wish::Put {
                task: BlobTask((self.opened << 16) + task.0),
                plan,
                content,
                authorization,
            }),
            Output::GetBlob { task, pointer } => {
                let task = BlobTask((self.opened << 16) + task.0);
                wishes.push(Wish::Get { task, pointer });
            }
            Output::Resolve { ticket, result } => {
                if let Ok(Reply::LinkOffer(offer)) = &result {
                    self.offer = Some(offer.clone());
                }
                self.unanswered.remove(&ticket);
                self.answered.push(ticket);
                let twice = self.answers.insert(ticket, result);
                assert!(twice.is_none(), "a command was answered twice");
            }
            Output::Emit(event) => {
                if let Event::LinkOffer(offer) = &*event {
                    self.offer = Some(offer.clone());
                }
                self.events.push(*event);
            }
        }
    }

    pub(crate) fn command(&mut self, command: Command) -> (Ticket, Input) {
        self.next_ticket += 1;
        let ticket = Ticket(self.next_ticket);
        if self.engine.is_some() {
            self.unanswered.insert(ticket);
        }
        (ticket, Input::Command { ticket, command })
    }

    /// The answer to a command, if it has come.
    #[must_use]
    pub fn answer(&self, ticket: Ticket) -> Option<&Result<Reply, Refusal>> {
        self.answers.get(&ticket)
    }

    /// The bundles it sent, repeats included.
    #[must_use]
    pub fn bundles(&self) -> Vec<Bundle> {
        let bundle = |frame: &Vec<u8>| match Frame::decode(frame) {
            Ok(Frame::Request(request)) if request.path == "/v1/bundles" => {
                Some(Bundle::decode(&request.body).expect("clients send bundles"))
            }
            _ => None,
        };
        self.sent.iter().filter_map(bundle).collect()
    }

    /// The main socket, for frames that no relay sent.
    #[must_use]
    pub fn socket(&self) -> SocketId {
        *self.sockets.last().expect("the client has a socket")
    }

    /// The messages that events have told of.
    pub fn told(&self) -> impl Iterator<Item = &Message> {
        self.events.iter().filter_map(|event| {
            if let Event::Message(message) = event {
                Some(message)
            } else {
                None
            }
        })
    }
}
