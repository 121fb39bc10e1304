//! One browser: an engine on a memory store, with its sockets, events and answers.
//! It knows the network only as two lists: frames to send, sockets to open or close.

use std::collections::{BTreeMap, BTreeSet};

use engine::output::{ClientState, Connection, Message};
use engine::store::memory::MemoryStore;
use engine::{
    Command, Engine, Error, Event, Input, Output, Refusal, Reply, SocketId, Ticket, Timestamp,
};
use futures_util::FutureExt;
use wire::Frame;
use wire::bundle::Bundle;

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
}

/// One browser.
pub struct Client {
    /// Its database.
    pub store: MemoryStore,
    /// Everything it was told.
    pub events: Vec<Event>,
    /// Every frame it sent on any socket.
    pub sent: Vec<Vec<u8>>,
    engine: Option<Engine<MemoryStore>>,
    answers: BTreeMap<Ticket, Result<Reply, Refusal>>,
    sockets: BTreeSet<SocketId>,
    next_ticket: u64,
    opened: u8,
    number: u8,
    crashes: u32,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Client {}", self.number)
    }
}

impl Client {
    pub(crate) fn new(number: u8, store: MemoryStore) -> Self {
        Self {
            store,
            events: Vec::new(),
            sent: Vec::new(),
            engine: None,
            answers: BTreeMap::new(),
            sockets: BTreeSet::new(),
            next_ticket: 0,
            opened: 0,
            number,
            crashes: 0,
        }
    }

    /// Opens the database, as a page that loads does.
    pub(crate) fn open(&mut self, now: Timestamp) {
        self.opened = self.opened.wrapping_add(1);
        let mut seed = [self.number; 32];
        seed[0] = self.opened;
        let engine = Engine::open(self.store.clone(), seed, now).now_or_never();
        self.engine = Some(
            engine
                .expect("memory never waits")
                .expect("the store opens"),
        );
    }

    /// The page is gone, with everything that was only in memory.
    pub(crate) fn kill(&mut self) -> Vec<SocketId> {
        self.engine = None;
        std::mem::take(&mut self.sockets).into_iter().collect()
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

    /// Its connection.
    #[must_use]
    pub fn connection(&self) -> Connection {
        self.engine.as_ref().expect("the page is open").connection()
    }

    pub(crate) fn deadline(&self) -> Option<Timestamp> {
        self.engine.as_ref()?.deadline()
    }

    pub(crate) fn has(&self, socket: SocketId) -> bool {
        self.sockets.contains(&socket)
    }

    /// Gives the engine an input. A store failure kills the page.
    pub(crate) fn give(&mut self, now: Timestamp, input: Input) -> Vec<Wish> {
        let Some(engine) = &mut self.engine else {
            return Vec::new();
        };
        if let Input::SocketClosed { socket, .. } = &input {
            self.sockets.remove(socket);
        }
        let mut out = Vec::new();
        let result = engine.handle(now, input, &mut out).now_or_never();
        let result = result.expect("memory never waits");
        let mut wishes = Vec::new();
        for output in out {
            self.carry_out(output, &mut wishes);
        }
        match result {
            Ok(()) => {}
            Err(Error::Store(_)) => {
                self.crashes += 1;
                wishes.extend(self.kill().into_iter().map(|socket| Wish::Close { socket }));
            }
            Err(Error::Bug(bug)) => panic!("{self:?}: {bug}"),
        }
        wishes
    }

    fn carry_out(&mut self, output: Output, wishes: &mut Vec<Wish>) {
        match output {
            Output::OpenSocket { socket, path } => {
                self.sockets.insert(socket);
                wishes.push(Wish::Open { socket, path });
            }
            Output::CloseSocket { socket, .. } => {
                self.sockets.remove(&socket);
                wishes.push(Wish::Close { socket });
            }
            Output::Send { socket, frame } => {
                self.sent.push(frame.clone());
                wishes.push(Wish::Send { socket, frame });
            }
            Output::Resolve { ticket, result } => {
                let twice = self.answers.insert(ticket, result);
                assert!(twice.is_none(), "a command was answered twice");
            }
            Output::Emit(event) => self.events.push(event),
        }
    }

    pub(crate) fn command(&mut self, command: Command) -> (Ticket, Input) {
        self.next_ticket += 1;
        let ticket = Ticket(self.next_ticket);
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
