//! A relay and some browsers. Plays call it as a person would: sign up, link, send, close the page.
//! Everything runs until nobody has anything more to say; time moves only when a play says so.

mod network;

use std::collections::VecDeque;

use engine::input::{Grant, StaffCommand};
use engine::output::{Contact, Device, LinkOffer, Message, MessageStatus};
use engine::store::Table;
use engine::store::memory::{Crash, MemoryStore};
use engine::{Command, Input, Refusal, Reply, Role, Ticket};
use wire::{Envelope, Frame, MessageId, RelayRequest, Request};

use crate::client::{Client, ClientId};
use crate::relay_node::RelayNode;
pub(crate) use network::Meanwhile;
use network::Packet;

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
    /// What went over the network, for people; only if there is somebody to read it.
    pub(crate) log: Option<Vec<String>>,
    seed: u64,
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
            log: None,
            seed,
        }
    }

    /// Another world with all that is stored in this one, in which no page is open and nothing is on its way. What is done
    /// to one scene in many ways is done to twins of it: playing the scene anew takes longer.
    #[must_use]
    pub fn twin(&self) -> Self {
        Self {
            now: self.now,
            relay: self.relay.twin(),
            clients: self.clients.iter().map(Client::twin).collect(),
            batch_max: self.batch_max,
            ..Self::new(self.seed)
        }
    }

    /// A browser, opened.
    pub fn browser(&mut self) -> ClientId {
        self.browser_with(MemoryStore::new())
    }

    /// A browser on this database, opened.
    pub fn browser_with(&mut self, store: MemoryStore) -> ClientId {
        let id = self.add(store);
        self.run();
        id
    }

    /// A browser, just opened.
    pub(crate) fn new_browser(&mut self) -> ClientId {
        self.add(MemoryStore::new())
    }

    fn add(&mut self, store: MemoryStore) -> ClientId {
        let id = ClientId(self.clients.len());
        let number = u8::try_from(id.0 + 1).expect("few browsers");
        self.clients.push(Client::new(number, self.seed, store));
        self.wake(id);
        id
    }

    /// A browser.
    #[must_use]
    pub fn client(&self, id: ClientId) -> &Client {
        &self.clients[id.0]
    }

    /// Opens the page (again).
    pub fn open(&mut self, id: ClientId) {
        self.wake(id);
        self.run();
    }

    /// Opens the page, and nothing more has happened yet.
    pub fn wake(&mut self, id: ClientId) {
        self.clients[id.0].open(self.now);
        self.give(id, Input::Tick);
    }

    /// Closes the page without a word, as a crash does.
    pub fn kill(&mut self, id: ClientId) {
        self.end(id);
        self.run();
    }

    /// All browsers.
    #[must_use]
    pub fn clients(&self) -> &[Client] {
        &self.clients
    }

    /// A browser, to make it suffer.
    pub fn client_mut(&mut self, id: ClientId) -> &mut Client {
        &mut self.clients[id.0]
    }

    /// Makes the page die at its `n`th commit from now.
    pub fn crash_at(&mut self, id: ClientId, n: u64, crash: Crash) {
        self.clients[id.0].store.crash_at(n, crash);
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
            handle: None,
            credential: None,
            device_name: "Second".to_owned(),
        };
        match self.ask(id, command) {
            Ok(Reply::LinkOffer(offer)) => offer,
            other => panic!("no offer: {other:?}"),
        }
    }

    /// Links a new browser to the account of an existing one, which holds the account's key.
    pub fn link(&mut self, existing: ClientId) -> (ClientId, Device) {
        self.link_as(existing, Role::Owner)
    }

    /// Links a new browser to the account of an existing one.
    pub fn link_as(&mut self, existing: ClientId, role: Role) -> (ClientId, Device) {
        let new = self.browser();
        let offer = self.offer(new);
        match self.ask(
            existing,
            Command::ApproveLink {
                uri: offer.uri,
                role,
            },
        ) {
            Ok(Reply::Device(device)) => (new, device),
            other => panic!("not linked: {other:?}"),
        }
    }

    /// Links a new browser of another person, who is to read or answer for this one.
    pub fn link_staff(&mut self, existing: ClientId, grant: Grant) -> (ClientId, Device) {
        let new = self.browser();
        let uri = Some(self.offer(new).uri);
        match self.ask(
            existing,
            Command::Staff(StaffCommand::Approve { uri, grant }),
        ) {
            Ok(Reply::Device(device)) => (new, device),
            other => panic!("not linked: {other:?}"),
        }
    }

    /// Sends a text and runs the world.
    pub fn send(&mut self, from: ClientId, to: &str, text: &str) -> MessageId {
        let command = Command::text(to, text);
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
            after: None,
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

    /// What is known of the person with this handle.
    pub fn contact(&mut self, id: ClientId, handle: &str) -> Contact {
        let Ok(Reply::Contacts(all)) = self.ask(id, Command::Contacts) else {
            panic!("no contacts");
        };
        let is = |contact: &Contact| {
            contact
                .handle
                .as_ref()
                .is_some_and(|h| h.as_str() == handle)
        };
        all.into_iter().find(is).expect("there is this contact")
    }

    /// All that a browser has stored, as one string of bytes: what is not in it is in no table.
    #[must_use]
    pub fn stored(&self, of: ClientId) -> Vec<u8> {
        let snapshot = self.client(of).store.snapshot();
        let rows = Table::ALL
            .into_iter()
            .flat_map(|table| snapshot.rows(table));
        rows.flat_map(|(_, value)| value.to_vec()).collect()
    }

    /// Hands envelopes to a browser as if its relay had sent them.
    pub fn inject(&mut self, to: ClientId, envelopes: &[Envelope]) {
        let frame = |(n, envelope): (usize, &Envelope)| {
            let request = Request {
                id: 1_000_000 + n as u64,
                verb: "PUT".to_owned(),
                path: RelayRequest::Message.path().to_owned(),
                headers: Vec::new(),
                body: envelope.encode(),
            };
            Frame::Request(request).encode()
        };
        let socket = self.client(to).socket();
        let frames = envelopes.iter().enumerate().map(frame).collect();
        self.give(to, Input::SocketFrames { socket, frames });
    }

    /// The status of the messages of a conversation, oldest first.
    pub fn statuses(&mut self, id: ClientId, with: &str) -> Vec<MessageStatus> {
        self.thread(id, with)
            .into_iter()
            .map(|message| message.status)
            .collect()
    }
}
