//! A relay and some browsers. Plays call it as a person would: sign up, link, send, close the page.
//! Everything runs until nobody has anything more to say; time moves only when a play says so.

use std::collections::VecDeque;

use engine::output::{Device, LinkOffer, Message, MessageStatus};
use engine::store::memory::{Crash, MemoryStore};
use engine::{Command, Input, Refusal, Reply, SocketId, Ticket, Timestamp};
use wire::MessageId;

use crate::client::{Client, ClientId, Wish};
use crate::relay_node::{Down, RelayNode};

/// Something on the network.
#[derive(Debug)]
enum Packet {
    Open(ClientId, SocketId, &'static str),
    Up(ClientId, SocketId, Vec<u8>),
    Hangup(ClientId, SocketId),
    Down(Down),
}

/// A relay and some browsers.
#[derive(Debug)]
pub struct World {
    /// Virtual time, ms.
    pub now: u64,
    /// The relay.
    pub relay: RelayNode,
    clients: Vec<Client>,
    packets: VecDeque<Packet>,
    /// Clients without network.
    cut: Vec<ClientId>,
    /// Clients whose packets vanish, and nobody is told.
    muted: Vec<ClientId>,
    /// Whether the relay can be reached at all.
    pub relay_up: bool,
    /// How many waiting frames of a socket come as one batch, at most.
    pub batch_max: usize,
}

impl World {
    /// An empty world.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            now: 1_800_000_000_000,
            relay: RelayNode::new(seed),
            clients: Vec::new(),
            muted: Vec::new(),
            packets: VecDeque::new(),
            cut: Vec::new(),
            relay_up: true,
            batch_max: 128,
        }
    }

    /// A browser, opened.
    pub fn browser(&mut self) -> ClientId {
        self.browser_with(MemoryStore::new())
    }

    /// A browser on this database, opened.
    pub fn browser_with(&mut self, store: MemoryStore) -> ClientId {
        let id = ClientId(self.clients.len());
        let number = u8::try_from(id.0 + 1).expect("few browsers");
        self.clients.push(Client::new(number, store));
        self.open(id);
        id
    }

    /// A browser.
    #[must_use]
    pub fn client(&self, id: ClientId) -> &Client {
        &self.clients[id.0]
    }

    /// Opens the page (again).
    pub fn open(&mut self, id: ClientId) {
        let now = Timestamp(self.now);
        self.clients[id.0].open(now);
        self.give(id, Input::Tick);
        self.run();
    }

    /// Closes the page without a word, as a crash does.
    pub fn kill(&mut self, id: ClientId) {
        let sockets = self.clients[id.0].kill();
        self.packets
            .extend(sockets.into_iter().map(|socket| Packet::Hangup(id, socket)));
        self.run();
    }

    /// Makes the page die at its `n`th commit from now.
    pub fn crash_at(&mut self, id: ClientId, n: u64, crash: Crash) {
        self.clients[id.0].store.crash_at(n, crash);
    }

    /// Takes a browser off the network, or puts it back.
    pub fn set_network(&mut self, id: ClientId, up: bool) {
        self.cut.retain(|cut| *cut != id);
        if !up {
            self.cut.push(id);
            self.drop_sockets(id);
        } else {
            self.give(id, Input::NetworkChanged);
        }
        self.run();
    }

    /// Sockets stay open and nothing comes through them, as in a tunnel. Nobody is told, either way.
    pub fn mute(&mut self, id: ClientId, yes: bool) {
        self.muted.retain(|muted| *muted != id);
        if yes {
            self.muted.push(id);
        }
    }

    fn drop_sockets(&mut self, id: ClientId) {
        self.packets.retain(|packet| match packet {
            Packet::Open(of, ..) | Packet::Up(of, ..) => *of != id,
            Packet::Down(Down::Frame((of, _), _) | Down::Close((of, _), _)) => *of != id,
            Packet::Hangup(..) => true,
        });
        for n in 1..10_000 {
            let socket = SocketId(n);
            if self.clients[id.0].has(socket) {
                self.relay.close((id, socket));
                self.give(id, Input::SocketClosed { socket, code: 1006 });
            }
        }
    }

    /// Stops the relay and starts it again: sockets are gone, what was accepted is not. Frames on their
    /// way are lost.
    pub fn restart_relay(&mut self) {
        self.packets.clear();
        let closed = self.relay.restart();
        self.packets.extend(closed.into_iter().map(Packet::Down));
        self.run();
    }

    /// Lets time pass, with everything that is due in it.
    pub fn pass_ms(&mut self, ms: u64) {
        let end = self.now + ms;
        loop {
            self.run();
            let due = self
                .clients
                .iter()
                .filter_map(Client::deadline)
                .map(|t| t.0)
                .min();
            let Some(due) = due.filter(|due| *due <= end) else {
                break;
            };
            self.now = self.now.max(due);
            for n in 0..self.clients.len() {
                self.give(ClientId(n), Input::Tick);
            }
            let over = self.relay.tick(self.now);
            self.packets.extend(over.into_iter().map(Packet::Down));
        }
        self.now = end;
        let over = self.relay.tick(self.now);
        self.packets.extend(over.into_iter().map(Packet::Down));
        self.run();
    }

    /// Runs until nobody has anything more to say.
    pub fn run(&mut self) {
        for _ in 0..1_000_000 {
            if !self.step() {
                return;
            }
        }
        panic!("the world does not come to rest");
    }

    /// Delivers one packet. Gives whether there was one.
    pub fn step(&mut self) -> bool {
        let Some(packet) = self.packets.pop_front() else {
            return false;
        };
        match packet {
            Packet::Open(id, ..) | Packet::Up(id, ..) if self.muted.contains(&id) => {}
            Packet::Down(Down::Frame((id, _), _) | Down::Close((id, _), _))
                if self.muted.contains(&id) => {}
            Packet::Open(id, socket, path) => {
                if self.cut.contains(&id) || !self.relay_up {
                    self.give(id, Input::SocketClosed { socket, code: 1006 });
                } else {
                    let down = self.relay.open((id, socket), path);
                    self.give(id, Input::SocketOpened(socket));
                    self.packets.extend(down.into_iter().map(Packet::Down));
                }
            }
            Packet::Up(id, socket, frame) => {
                let down = self.relay.frame(self.now, (id, socket), &frame);
                self.packets.extend(down.into_iter().map(Packet::Down));
            }
            Packet::Hangup(id, socket) => self.relay.close((id, socket)),
            Packet::Down(Down::Frame((id, socket), frame)) => {
                let mut frames = vec![frame];
                // What waits on a socket comes as one batch, as it does from a browser's host.
                while let Some(Packet::Down(Down::Frame(key, _))) = self.packets.front()
                    && *key == (id, socket)
                    && frames.len() < self.batch_max
                    && let Some(Packet::Down(Down::Frame(_, frame))) = self.packets.pop_front()
                {
                    frames.push(frame);
                }
                if self.clients[id.0].has(socket) {
                    self.give(id, Input::SocketFrames { socket, frames });
                }
            }
            Packet::Down(Down::Close((id, socket), code)) => {
                self.relay.close((id, socket));
                if self.clients[id.0].has(socket) {
                    self.give(id, Input::SocketClosed { socket, code });
                }
            }
        }
        true
    }

    /// Gives a browser any input.
    pub fn give(&mut self, id: ClientId, input: Input) {
        let wishes = self.clients[id.0].give(Timestamp(self.now), input);
        self.packets
            .extend(wishes.into_iter().map(|wish| match wish {
                Wish::Open { socket, path } => Packet::Open(id, socket, path),
                Wish::Close { socket } => Packet::Hangup(id, socket),
                Wish::Send { socket, frame } => Packet::Up(id, socket, frame),
            }));
    }

    /// Starts a command without waiting for anything.
    pub fn start(&mut self, id: ClientId, command: Command) -> Ticket {
        let (ticket, input) = self.clients[id.0].command(command);
        self.give(id, input);
        ticket
    }

    /// A command and its answer; `None` if the page died before it came.
    pub fn try_ask(&mut self, id: ClientId, command: Command) -> Option<Result<Reply, Refusal>> {
        let ticket = self.start(id, command);
        self.run();
        self.clients[id.0].answer(ticket).cloned()
    }

    /// A command and its answer.
    pub fn ask(&mut self, id: ClientId, command: Command) -> Result<Reply, Refusal> {
        self.try_ask(id, command).expect("the command was answered")
    }

    /// Signs up.
    pub fn register(&mut self, handle: &str) -> ClientId {
        let id = self.browser();
        let command = Command::Register {
            handle: handle.to_owned(),
            credential: None,
            device_name: format!("{handle}'s first"),
        };
        assert!(matches!(self.ask(id, command), Ok(Reply::Account(_))));
        id
    }

    /// Shows a link URI on a new browser.
    pub fn offer(&mut self, id: ClientId) -> LinkOffer {
        let command = Command::Link {
            credential: None,
            device_name: "Second".to_owned(),
        };
        match self.ask(id, command) {
            Ok(Reply::LinkOffer(offer)) => offer,
            other => panic!("no offer: {other:?}"),
        }
    }

    /// Links a new browser to the account of an existing one.
    pub fn link(&mut self, existing: ClientId) -> (ClientId, Device) {
        let new = self.browser();
        let offer = self.offer(new);
        match self.ask(existing, Command::ApproveLink { uri: offer.uri }) {
            Ok(Reply::Device(device)) => (new, device),
            other => panic!("not linked: {other:?}"),
        }
    }

    /// Sends a text and runs the world.
    pub fn send(&mut self, from: ClientId, to: &str, text: &str) -> MessageId {
        let command = Command::Send {
            to: to.to_owned(),
            text: text.to_owned(),
        };
        match self.ask(from, command) {
            Ok(Reply::MessageId(id)) => id,
            other => panic!("not sent: {other:?}"),
        }
    }

    /// The texts of a conversation with their state, oldest first.
    pub fn thread(&mut self, id: ClientId, with: &str) -> Vec<Message> {
        let command = Command::Messages {
            conversation: with.to_owned(),
            before: None,
            limit: 500,
        };
        match self.ask(id, command) {
            Ok(Reply::Messages(messages)) => messages,
            Err(Refusal::UnknownConversation) => Vec::new(),
            other => panic!("no thread: {other:?}"),
        }
    }

    /// The texts of a conversation, oldest first.
    pub fn texts(&mut self, id: ClientId, with: &str) -> Vec<String> {
        self.thread(id, with)
            .into_iter()
            .map(|message| message.text)
            .collect()
    }

    /// The status of the messages of a conversation, oldest first.
    pub fn statuses(&mut self, id: ClientId, with: &str) -> Vec<MessageStatus> {
        self.thread(id, with)
            .into_iter()
            .map(|message| message.status)
            .collect()
    }
}
