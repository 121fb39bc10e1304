//! The main socket as the engine sees it: down, opening, signing in, up; and what was asked on it.
//!
//! This is the one state that memory has and the store has not: it ends with the process. What
//! requests and answers mean is not known here.

use rand::Rng;
use rand_chacha::ChaCha20Rng;
use wire::endpoint::SOCKET_PATH;
use wire::{AccountId, Endpoint, Frame, Request, Response};

use crate::flat::Map;
use crate::input::{SocketId, Timestamp};
use crate::limits::{
    ANSWER_MS, BACKOFF_MAX_MS, BACKOFF_MIN_MS, BACKOFF_REPLACED_MS, KEEPALIVE_MS, PROBE_MS,
};
use crate::output::{Connection as View, Event, Output};
use crate::request::Pending;
use crate::tx::Tx;

/// Close code for a relay that doesn't follow the protocol.
const CLOSE_PROTOCOL: u16 = 3002;
/// Close code for a socket that has gone silent.
const CLOSE_SILENT: u16 = 3001;
/// The relay's close code when another socket of this device has taken over.
const REPLACED: u16 = 4409;

/// How far the main socket is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Not connected until this time; `None`: until it is asked for.
    Down(Option<Timestamp>),
    Opening(SocketId),
    SigningIn(SocketId),
    Up(SocketId),
}

/// The main socket, and the requests open on it.
pub(crate) struct Connection {
    phase: Phase,
    failures: u32,
    next_socket: u32,
    next_request: u64,
    open: Map<u64, Pending>,
    last_heard: Timestamp,
    /// The relay was asked for a sign of life, which must be here by then.
    sign_due: Option<Timestamp>,
    reported: View,
}

impl Connection {
    /// To be opened at once.
    pub(crate) fn new(now: Timestamp) -> Self {
        Self {
            phase: Phase::Down(Some(now)),
            failures: 0,
            next_socket: 0,
            next_request: 1,
            open: Map::new(),
            last_heard: now,
            sign_due: None,
            reported: View::Offline { retry_at: None },
        }
    }

    /// A name for a new socket.
    pub(crate) fn new_socket(&mut self) -> SocketId {
        self.next_socket += 1;
        SocketId(self.next_socket)
    }

    pub(crate) fn is_main(&self, socket: SocketId) -> bool {
        self.socket() == Some(socket)
    }

    pub(crate) fn is_up(&self) -> bool {
        matches!(self.phase, Phase::Up(_))
    }

    pub(crate) fn is_coming(&self) -> bool {
        matches!(self.phase, Phase::Opening(_) | Phase::SigningIn(_))
    }

    pub(crate) fn socket(&self) -> Option<SocketId> {
        match self.phase {
            Phase::Down(_) => None,
            Phase::Opening(s) | Phase::SigningIn(s) | Phase::Up(s) => Some(s),
        }
    }

    /// When [`Connection::tick`] has something to do.
    pub(crate) fn deadline(&self) -> Option<Timestamp> {
        match self.phase {
            Phase::Down(retry_at) => retry_at,
            Phase::Opening(_) | Phase::SigningIn(_) => Some(self.last_heard.plus_ms(ANSWER_MS)),
            Phase::Up(_) => Some(
                self.sign_due
                    .unwrap_or_else(|| self.last_heard.plus_ms(KEEPALIVE_MS)),
            ),
        }
    }

    /// What applications are told.
    pub(crate) fn view(&self) -> View {
        match self.phase {
            Phase::Down(retry_at) => View::Offline { retry_at },
            Phase::Opening(_) | Phase::SigningIn(_) => View::Connecting,
            Phase::Up(_) => View::Online,
        }
    }

    /// Tells the application, if there is something new.
    pub(crate) fn report(&mut self, tx: &mut Tx<'_>) {
        let view = self.view();
        if view != self.reported {
            self.reported = view;
            tx.emit(Event::Connection(view));
        }
    }

    /// Opens the socket now, unless it is there.
    pub(crate) fn connect(&mut self, tx: &mut Tx<'_>) {
        if let Phase::Down(_) = self.phase {
            let socket = self.new_socket();
            self.phase = Phase::Opening(socket);
            self.last_heard = tx.now;
            tx.push(Output::OpenSocket {
                socket,
                path: SOCKET_PATH,
            });
        }
    }

    /// The socket is open, and the device has to sign in first.
    pub(crate) fn signing_in(&mut self, now: Timestamp) {
        self.advance(now, Phase::SigningIn);
    }

    /// Requests can be made.
    pub(crate) fn up(&mut self, now: Timestamp) {
        self.failures = 0;
        self.advance(now, Phase::Up);
    }

    fn advance(&mut self, now: Timestamp, phase: impl FnOnce(SocketId) -> Phase) {
        self.last_heard = now;
        self.sign_due = None;
        if let Some(socket) = self.socket() {
            self.phase = phase(socket);
        }
    }

    /// Something came in: the relay is alive.
    pub(crate) fn heard(&mut self, now: Timestamp) {
        self.last_heard = now;
        self.sign_due = None;
    }

    /// The socket is gone. Gives the requests that will not be answered.
    pub(crate) fn lost(
        &mut self,
        now: Timestamp,
        code: u16,
        rng: &mut ChaCha20Rng,
    ) -> Vec<Pending> {
        let wait = if code == REPLACED {
            BACKOFF_REPLACED_MS
        } else {
            let doubled = BACKOFF_MIN_MS << self.failures.min(10);
            doubled.min(BACKOFF_MAX_MS)
        };
        self.failures = self.failures.saturating_add(1);
        // Half of the wait is jitter: after a relay's restart not everybody comes at once.
        let wait = rng.random_range(wait / 2..=wait);
        self.phase = Phase::Down(Some(now.plus_ms(wait)));
        std::mem::take(&mut self.open).into_values().collect()
    }

    /// Ends the connection, until it is asked for again. Gives the requests that will not be answered.
    pub(crate) fn shut(&mut self, tx: &mut Tx<'_>) -> Vec<Pending> {
        if let Some(socket) = self.socket() {
            tx.push(Output::CloseSocket { socket, code: 1000 });
        }
        self.phase = Phase::Down(None);
        std::mem::take(&mut self.open).into_values().collect()
    }

    /// There is none, and none is planned.
    pub(crate) fn is_shut(&self) -> bool {
        self.phase == Phase::Down(None)
    }

    /// Closes a socket whose other end makes no sense, or is silent.
    pub(crate) fn give_up(
        &mut self,
        tx: &mut Tx<'_>,
        reason: GiveUp,
        rng: &mut ChaCha20Rng,
    ) -> Vec<Pending> {
        if let Some(socket) = self.socket() {
            let code = match reason {
                GiveUp::Protocol => CLOSE_PROTOCOL,
                GiveUp::Silent => CLOSE_SILENT,
            };
            tx.push(Output::CloseSocket { socket, code });
        }
        self.lost(tx.now, 1006, rng)
    }

    /// What is due by now: a try to connect, a keep-alive, or giving up on a silent socket.
    pub(crate) fn tick(&mut self, tx: &mut Tx<'_>, rng: &mut ChaCha20Rng) -> Vec<Pending> {
        if self.deadline().is_none_or(|deadline| tx.now < deadline) {
            return Vec::new();
        }
        match self.phase {
            Phase::Down(_) => self.connect(tx),
            Phase::Up(_) if self.sign_due.is_none() => {
                self.ask_for_sign(tx, tx.now.plus_ms(ANSWER_MS));
            }
            Phase::Up(_) | Phase::Opening(_) | Phase::SigningIn(_) => {
                return self.give_up(tx, GiveUp::Silent, rng);
            }
        }
        Vec::new()
    }

    /// The network has changed: connects, or finds out soon whether the socket is still alive.
    pub(crate) fn network_changed(&mut self, tx: &mut Tx<'_>) {
        let due = tx.now.plus_ms(PROBE_MS);
        match (self.phase, self.sign_due) {
            (Phase::Up(_), None) => self.ask_for_sign(tx, due),
            (Phase::Up(_), Some(already)) => self.sign_due = Some(already.min(due)),
            (Phase::Down(_) | Phase::Opening(_) | Phase::SigningIn(_), _) => self.connect(tx),
        }
    }

    fn ask_for_sign(&mut self, tx: &mut Tx<'_>, due: Timestamp) {
        self.ask(tx, &Endpoint::KeepAlive, Pending::KeepAlive);
        self.sign_due = Some(due);
    }

    /// Asks the relay something that the path alone says.
    pub(crate) fn ask(&mut self, tx: &mut Tx<'_>, endpoint: &Endpoint, pending: Pending) {
        self.request(tx, endpoint, Vec::new(), Vec::new(), pending);
    }

    /// Whether somebody comes back by a recovery code just now.
    pub(crate) fn is_recovering(&self) -> bool {
        let is = |pending: &Pending| matches!(pending, Pending::Recovery(_));
        self.open.values().any(is)
    }

    /// Asks the relay something. Without a socket the request is dropped: callers look first.
    pub(crate) fn request(
        &mut self,
        tx: &mut Tx<'_>,
        endpoint: &Endpoint,
        headers: Vec<(String, String)>,
        body: Vec<u8>,
        pending: Pending,
    ) {
        let Some(socket) = self.socket() else { return };
        let id = self.next_request;
        self.next_request += 1;
        self.open.insert(id, pending);
        let verb = endpoint.verb().to_owned();
        let path = endpoint.to_string();
        let frame = Frame::Request(Request {
            id,
            verb,
            path,
            headers,
            body,
        })
        .encode();
        tx.push(Output::Send { socket, frame });
    }

    /// Answers the relay.
    pub(crate) fn answer(&self, tx: &mut Tx<'_>, id: u64, status: u16) {
        if let Some(socket) = self.socket() {
            let frame = Frame::Response(Response::empty(id, status)).encode();
            tx.push(Output::Send { socket, frame });
        }
    }

    /// Whether the handle of this account is being asked for.
    pub(crate) fn is_looking_up(&self, account: AccountId) -> bool {
        let same = |pending: &Pending| matches!(pending, Pending::Lookup(of) if *of == account);
        self.open.values().any(same)
    }

    /// What a response answers.
    pub(crate) fn take(&mut self, id: u64) -> Option<Pending> {
        self.open.remove(&id)
    }
}

/// Why we close a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GiveUp {
    /// The relay sent something that makes no sense.
    Protocol,
    /// The relay sent nothing for too long.
    Silent,
}
