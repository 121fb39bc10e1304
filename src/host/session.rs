//! One opened engine, from its opening to its failure or the end of the client.
//!
//! Inputs are taken in turn from calls, sockets and the clock, so that none can starve the others. What the engine
//! wants is carried out even when it failed afterwards: the commit behind it is done.

use std::collections::BTreeMap;
use std::pin::pin;
use std::rc::Rc;

use engine::output::{ClientState, LinkOffer};
use engine::{
    Engine, Error, Event, Input, Output, Refusal, Reply, SocketId, StoreFault, Ticket, Timestamp,
};
use futures_util::future::{join, select};

use super::pieces::Pieces;
use super::{Answer, Host};
use crate::api::event::Notice;
use crate::clock::{self, Timer};
use crate::idb::{self, IdbStore};
use crate::network::NetworkWatch;
use crate::socket::{Happened, RelayAddress, Socket};

/// Ticks are at least this far apart, so that a deadline that stays in the past can't freeze the page.
const TICK_PAUSE_MS: u64 = 5;

/// Why a session ended.
#[derive(Debug)]
pub(super) enum End {
    /// The application closed the client.
    Closed,
    /// The engine can't go on.
    Failed(Error),
}

/// What inputs are taken from.
#[derive(Clone, Copy)]
enum Source {
    Calls,
    Sockets,
    Clock,
}

pub(super) struct Session<'a> {
    host: &'a Host,
    relay: &'a RelayAddress,
    watch: &'a NetworkWatch,
    sockets: BTreeMap<SocketId, Socket>,
    tickets: BTreeMap<Ticket, Answer>,
    next_ticket: u64,
    /// When the engine wants a tick.
    deadline: Option<Timestamp>,
    turn: Source,
    /// No tick before this.
    rested: Timestamp,
    /// What the clock last showed.
    latest: Timestamp,
    asked_to_persist: bool,
    pieces: Pieces,
}

impl<'a> Session<'a> {
    pub(super) fn new(host: &'a Host, relay: &'a RelayAddress, watch: &'a NetworkWatch) -> Self {
        Self {
            host,
            relay,
            watch,
            deadline: None,
            sockets: BTreeMap::new(),
            tickets: BTreeMap::new(),
            next_ticket: 0,
            turn: Source::Calls,
            rested: Timestamp(0),
            latest: Timestamp(0),
            asked_to_persist: false,
            pieces: Pieces::new(relay, &host.signal),
        }
    }

    /// Runs until the end. Every call that is still open then has its answer.
    pub(super) async fn serve(mut self, engine: Engine<IdbStore>) -> End {
        let end = self.work(engine).await;
        self.refuse_open_calls(end)
    }

    /// Answers calls and does nothing else, until this time or until one of them wants to write: for a store
    /// that was opened to read, since the disk is full.
    pub(super) async fn serve_reads(mut self, engine: Engine<IdbStore>, until: Timestamp) -> End {
        let end = self.read(engine, until).await;
        self.refuse_open_calls(end)
    }

    fn refuse_open_calls(&mut self, end: End) -> End {
        let refusal = match &end {
            End::Closed => Refusal::Closed,
            End::Failed(error) => Refusal::from(error),
        };
        for (_, answer) in std::mem::take(&mut self.tickets) {
            // Who asked may be gone.
            let _ = answer.send(Err(refusal));
        }
        end
    }

    async fn work(&mut self, mut engine: Engine<IdbStore>) -> End {
        let mut outputs = Vec::new();
        loop {
            self.note(&engine);
            if outputs.iter().any(changes_sockets) {
                self.carry_out(&mut outputs);
            }
            let input = if self.host.is_closing() {
                None
            } else {
                self.take_input()
            };
            let Some(input) = input else {
                self.carry_out(&mut outputs);
                if self.host.is_closing() {
                    return End::Closed;
                }
                self.wait().await;
                continue;
            };
            // What the last step said is carried out while this one waits for its load: acks and events of a
            // batch take as long as the load does.
            let mut last = std::mem::take(&mut outputs);
            let step = engine.handle(clock::now(), input, &mut outputs);
            let (result, ()) = join(step, async { self.carry_out(&mut last) }).await;
            if let Err(error) = result {
                self.note(&engine);
                self.carry_out(&mut outputs);
                return End::Failed(error);
            }
        }
    }

    async fn read(&mut self, mut engine: Engine<IdbStore>, until: Timestamp) -> End {
        let mut outputs = Vec::new();
        self.deadline = Some(until);
        loop {
            if self.host.is_closing() {
                return End::Closed;
            }
            if clock::now() >= until {
                return End::Failed(Error::Store(StoreFault::Full));
            }
            let Some(input) = self.take_call() else {
                self.wait().await;
                continue;
            };
            let result = engine.handle(clock::now(), input, &mut outputs).await;
            self.carry_out(&mut outputs);
            if let Err(error) = result {
                return End::Failed(error);
            }
        }
    }

    /// Keeps what can be asked without waiting in step with the engine.
    fn note(&mut self, engine: &Engine<IdbStore>) {
        let state = engine.state();
        self.host.state.set(state);
        self.host.connection.set(engine.connection());
        self.deadline = engine.deadline();
        if state == ClientState::Ready && !self.asked_to_persist {
            self.asked_to_persist = true;
            idb::ask_to_persist();
        }
    }

    /// The next input, if there is one now.
    fn take_input(&mut self) -> Option<Input> {
        if self.watch.take() {
            return Some(Input::NetworkChanged);
        }
        let order = match self.turn {
            Source::Calls => [Source::Calls, Source::Sockets, Source::Clock],
            Source::Sockets => [Source::Sockets, Source::Clock, Source::Calls],
            Source::Clock => [Source::Clock, Source::Calls, Source::Sockets],
        };
        let [_, after, _] = order;
        self.turn = after;
        order.into_iter().find_map(|source| match source {
            Source::Calls => self.take_call(),
            Source::Sockets => self.pieces.next().or_else(|| self.take_happened()),
            Source::Clock => self.take_tick(),
        })
    }

    fn take_call(&mut self) -> Option<Input> {
        let (command, answer) = self.host.queue.borrow_mut().pop_front()?;
        let ticket = Ticket(self.next_ticket);
        self.next_ticket += 1;
        self.tickets.insert(ticket, answer);
        Some(Input::Command { ticket, command })
    }

    fn take_happened(&mut self) -> Option<Input> {
        let happened = |(id, socket): (&SocketId, &Socket)| socket.next().map(|what| (*id, what));
        let (socket, what) = self.sockets.iter().find_map(happened)?;
        Some(match what {
            Happened::Opened => Input::SocketOpened(socket),
            Happened::Frames(frames) => Input::SocketFrames { socket, frames },
            Happened::Closed(code) => {
                self.sockets.remove(&socket);
                Input::SocketClosed { socket, code }
            }
        })
    }

    fn take_tick(&mut self) -> Option<Input> {
        let now = clock::now();
        // A clock that was set back shows itself here at the latest, when a timer fires: timers know no clock.
        let went_back = now < std::mem::replace(&mut self.latest, now);
        if went_back {
            self.rested = now;
        }
        let due = went_back || self.deadline()? <= now;
        due.then(|| {
            self.rested = now.plus_ms(TICK_PAUSE_MS);
            Input::Tick
        })
    }

    fn deadline(&self) -> Option<Timestamp> {
        self.deadline.map(|deadline| deadline.max(self.rested))
    }

    /// Sleeps until something happens or the deadline comes.
    async fn wait(&self) {
        let signal = pin!(self.host.signal.raised());
        match self.deadline() {
            None => signal.await,
            Some(Timestamp(deadline)) => {
                let left = deadline.saturating_sub(clock::now().0);
                select(signal, Timer::after_ms(left)).await;
            }
        }
    }

    fn carry_out(&mut self, outputs: &mut Vec<Output>) {
        for output in outputs.drain(..) {
            self.carry_out_one(output);
        }
    }

    fn carry_out_one(&mut self, output: Output) {
        match output {
            Output::OpenSocket { socket, path } => {
                let opened = Socket::open(self.relay, path, &self.host.signal);
                self.sockets.insert(socket, opened);
            }
            Output::CloseSocket { socket, code } => {
                if let Some(socket) = self.sockets.remove(&socket) {
                    socket.close(code);
                }
            }
            Output::Send { socket, frame } => {
                if let Some(socket) = self.sockets.get(&socket) {
                    socket.send(frame);
                }
            }
            Output::PutBlob {
                task,
                plan,
                content,
                authorization,
            } => self.pieces.put(task, plan, content, authorization),
            Output::GetBlob { task, pointer } => self.pieces.get(task, *pointer),
            Output::Resolve { ticket, result } => self.resolve(ticket, result),
            Output::Emit(event) => self.emit(*event),
        }
    }

    fn resolve(&mut self, ticket: Ticket, result: Result<Reply, Refusal>) {
        if let Ok(Reply::LinkOffer(offer)) = &result {
            // A new attempt: earlier ones keep showing what they showed last.
            *self.host.offer.borrow_mut() = Rc::default();
            self.show(offer);
        }
        if let Some(answer) = self.tickets.remove(&ticket) {
            // Who asked may be gone.
            let _ = answer.send(result);
        }
    }

    fn emit(&mut self, event: Event) {
        if let Event::LinkOffer(offer) = &event {
            self.show(offer);
        }
        self.host.listeners.tell(&Notice::from(event));
    }

    fn show(&self, offer: &LinkOffer) {
        *self.host.offer().borrow_mut() = Some(offer.clone());
    }
}

/// Whether inputs may come from other sockets after this than before.
const fn changes_sockets(output: &Output) -> bool {
    match output {
        Output::OpenSocket { .. } | Output::CloseSocket { .. } => true,
        Output::Send { .. }
        | Output::PutBlob { .. }
        | Output::GetBlob { .. }
        | Output::Resolve { .. }
        | Output::Emit(_) => false,
    }
}
