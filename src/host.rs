//! The one task that owns the engine, and the handle by which the API reaches it.
//!
//! The handle holds a queue, never the engine, so any method may be called at any time. The task takes one input
//! at a time, gives it to the engine and carries out what the engine wants, in order. When the engine fails it
//! is dropped with its sockets, every open call gets the reason, and the store is opened again.
//! Rule HO-1: the only decisions made here are when to open the store again and how much may wait.

mod pieces;
mod session;

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::rc::Rc;

use engine::output::{ClientState, Connection, LinkOffer};
use engine::{Command, Engine, Error, Refusal, Reply, StoreFault, Timestamp};
use futures_channel::oneshot;
use futures_util::future::select;
use wasm_bindgen_futures::spawn_local;

use self::session::{End, Session};
use crate::api::event::Notice;
use crate::api::listeners::Listeners;
use crate::clock::{self, Timer};
use crate::idb::IdbStore;
use crate::network::NetworkWatch;
use crate::signal::Signal;
use crate::socket::RelayAddress;
use crate::tab_lock::TabLock;

/// Calls that may wait for the engine. A page that has more in flight is not waiting for answers.
const QUEUE_MAX: usize = 256;
/// Pause before the store is opened again; doubled with every failure, up to the maximum.
const REOPEN_MS_MIN: u64 = 100;
const REOPEN_MS_MAX: u64 = 30_000;
/// A failure this long after the last one starts over with the shortest pause.
const REOPEN_FORGIVEN_MS: u64 = 120_000;

type Answer = oneshot::Sender<Result<Reply, Refusal>>;

/// Whether there is an engine to ask.
#[derive(Clone, Copy, Debug)]
enum Phase {
    /// There is one, or there will be one soon.
    Up,
    /// There will be none; every call gets this.
    Down(Refusal),
    /// The application does not want one any more.
    Closing,
    /// It is gone, and the store is free for others.
    Closed,
}

/// The handle: what the API and the task share.
pub struct Host {
    queue: RefCell<VecDeque<(Command, Answer)>>,
    relay: RelayAddress,
    signal: Rc<Signal>,
    phase: Cell<Phase>,
    state: Cell<ClientState>,
    connection: Cell<Connection>,
    /// What the running link attempt shows; one cell for each attempt.
    offer: RefCell<Rc<RefCell<Option<LinkOffer>>>>,
    closing: RefCell<Vec<oneshot::Sender<()>>>,
    listeners: Listeners,
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Host")
    }
}

impl Host {
    /// Takes the lock, opens store and engine, and starts the task.
    pub async fn start(relay: RelayAddress, store: String) -> Result<Rc<Self>, Refusal> {
        let lock = TabLock::take(&store).await?;
        let (state, connection, opened) = match open(&store).await {
            Ok(engine) => (engine.state(), engine.connection(), Ok(engine)),
            Err(error) if is_full(&error) => {
                let reader = (open_to_read(&store).await).map_err(|_| Refusal::from(&error))?;
                (reader.state(), reader.connection(), Err(error))
            }
            Err(error) => return Err(Refusal::from(&error)),
        };
        let host = Rc::new(Self {
            queue: RefCell::default(),
            relay: relay.clone(),
            signal: Rc::default(),
            phase: Cell::new(Phase::Up),
            state: Cell::new(state),
            connection: Cell::new(connection),
            offer: RefCell::default(),
            closing: RefCell::default(),
            listeners: Listeners::default(),
        });
        spawn_local(run(Rc::clone(&host), relay, store, lock, opened));
        Ok(host)
    }

    /// Asks the engine. The answer comes in any case: from the engine, or as the reason why not.
    pub fn ask(&self, command: Command) -> impl Future<Output = Result<Reply, Refusal>> + use<> {
        let answer = self.enqueue(command);
        async move { answer?.await.unwrap_or(Err(Refusal::Closed)) }
    }

    fn enqueue(
        &self,
        command: Command,
    ) -> Result<oneshot::Receiver<Result<Reply, Refusal>>, Refusal> {
        match self.phase.get() {
            Phase::Up => {}
            Phase::Down(refusal) => return Err(refusal),
            Phase::Closing | Phase::Closed => return Err(Refusal::Closed),
        }
        let mut queue = self.queue.borrow_mut();
        if queue.len() >= QUEUE_MAX {
            return Err(Refusal::QueueFull);
        }
        let (sender, receiver) = oneshot::channel();
        queue.push_back((command, sender));
        self.signal.raise();
        Ok(receiver)
    }

    /// Whether this client belongs to an account.
    pub fn state(&self) -> ClientState {
        self.state.get()
    }

    /// The connection to the relay.
    pub fn connection(&self) -> Connection {
        self.connection.get()
    }

    /// Where the relay is.
    pub const fn relay(&self) -> &RelayAddress {
        &self.relay
    }

    /// Who listens to events.
    pub const fn listeners(&self) -> &Listeners {
        &self.listeners
    }

    /// What the newest link attempt shows, kept current.
    pub(crate) fn offer(&self) -> Rc<RefCell<Option<LinkOffer>>> {
        Rc::clone(&self.offer.borrow())
    }

    /// Ends the task; resolves when the store is free for others.
    pub fn close(&self) -> impl Future<Output = ()> + use<> {
        let (sender, closed) = oneshot::channel();
        match self.phase.get() {
            Phase::Closed => drop(sender),
            Phase::Up | Phase::Down(_) | Phase::Closing => {
                self.phase.set(Phase::Closing);
                self.closing.borrow_mut().push(sender);
                self.signal.raise();
            }
        }
        async move {
            // Cancelled means closed long ago.
            let _ = closed.await;
        }
    }

    fn is_closing(&self) -> bool {
        matches!(self.phase.get(), Phase::Closing | Phase::Closed)
    }

    /// Answers everything that waits.
    fn refuse_all(&self, refusal: Refusal) {
        let queue = std::mem::take(&mut *self.queue.borrow_mut());
        for (_, answer) in queue {
            // Who asked may be gone.
            let _ = answer.send(Err(refusal));
        }
    }

    fn note_connection(&self, connection: Connection) {
        if self.connection.replace(connection) != connection {
            self.listeners
                .tell(&Notice::from(engine::Event::Connection(connection)));
        }
    }

    fn finish(&self) {
        self.phase.set(Phase::Closed);
        self.connection.set(Connection::Offline { retry_at: None });
        self.refuse_all(Refusal::Closed);
        let waiting = std::mem::take(&mut *self.closing.borrow_mut());
        for closed in waiting {
            let _ = closed.send(());
        }
    }
}

async fn open(store: &str) -> Result<Engine<IdbStore>, Error> {
    let seed = clock::random().map_err(|_| Error::Bug("the browser has no randomness"))?;
    Engine::open(IdbStore::open(store).await?, seed, clock::now()).await
}

async fn open_to_read(store: &str) -> Result<Engine<IdbStore>, Error> {
    let seed = clock::random().map_err(|_| Error::Bug("the browser has no randomness"))?;
    Engine::open(IdbStore::open_to_read(store).await?, seed, clock::now()).await
}

/// The task. It ends when the application closes the client.
async fn run(
    host: Rc<Host>,
    relay: RelayAddress,
    store: String,
    lock: TabLock,
    mut opened: Result<Engine<IdbStore>, Error>,
) {
    let watch = NetworkWatch::new(&host.signal);
    let mut pause = Pause::default();
    let session = || Session::new(&host, &relay, &watch);
    loop {
        let error = match opened {
            Ok(engine) => match session().serve(engine).await {
                End::Closed => break,
                End::Failed(error) => error,
            },
            Err(error) => error,
        };
        let retry_at = note_failure(&host, &error, &mut pause);
        if let Some(until) = retry_at.filter(|_| is_full(&error)) {
            read_until(&host, &store, &session, until).await;
        }
        wait_until(&host, retry_at).await;
        if host.is_closing() {
            break;
        }
        opened = open(&store).await;
        if let Ok(engine) = &opened {
            host.state.set(engine.state());
        }
    }
    // The store is closed by now. Whoever waits for the lock finds it free when `close` resolves.
    drop(lock);
    host.finish();
}

/// Tells everybody that there is no engine, and says when the store is to be opened again, if it is. While the disk is full,
/// those who wait in the queue are served.
fn note_failure(host: &Host, error: &Error, pause: &mut Pause) -> Option<Timestamp> {
    let refusal = Refusal::from(error);
    let retry_at = (!is_final(error)).then(|| pause.next(clock::now()));
    if retry_at.is_none() && !host.is_closing() {
        host.phase.set(Phase::Down(refusal));
    }
    if !is_full(error) {
        host.refuse_all(refusal);
    }
    host.note_connection(Connection::Offline { retry_at });
    host.listeners
        .tell(&Notice::from(engine::Event::Failure(refusal)));
    retry_at
}

/// While the disk is full, what is stored can still be read: calls are answered until it is time to try again. One that
/// wants to write is told that the disk is full, and ends its engine as always.
async fn read_until<'a>(
    host: &Host,
    store: &str,
    session: &impl Fn() -> Session<'a>,
    until: Timestamp,
) {
    while !host.is_closing() && clock::now() < until {
        let engine = match open_to_read(store).await {
            Ok(engine) => engine,
            Err(error) => return host.refuse_all(Refusal::from(&error)),
        };
        match session().serve_reads(engine, until).await {
            End::Failed(error) if is_full(&error) => {}
            End::Closed | End::Failed(_) => return,
        }
    }
}

/// Waits for the time, if there is one, or until the client is closed.
async fn wait_until(host: &Host, time: Option<Timestamp>) {
    while !host.is_closing() {
        let Some(Timestamp(time)) = time else {
            host.signal.raised().await;
            continue;
        };
        let left = time.saturating_sub(clock::now().0);
        if left == 0 {
            return;
        }
        let (signal, timer) = (std::pin::pin!(host.signal.raised()), Timer::after_ms(left));
        select(signal, timer).await;
    }
}

/// Another owner, or a newer version: opening again would only take the store away from them.
const fn is_final(error: &Error) -> bool {
    matches!(
        error,
        Error::Store(StoreFault::Fenced | StoreFault::InUse | StoreFault::TooNew { .. })
    )
}

const fn is_full(error: &Error) -> bool {
    matches!(error, Error::Store(StoreFault::Full))
}

/// How long to wait before the store is opened again.
#[derive(Debug, Default)]
struct Pause {
    ms: u64,
    last: Timestamp,
}

impl Pause {
    fn next(&mut self, now: Timestamp) -> Timestamp {
        if now > self.last.plus_ms(REOPEN_FORGIVEN_MS) {
            self.ms = 0;
        }
        self.ms = (self.ms * 2).clamp(REOPEN_MS_MIN, REOPEN_MS_MAX);
        self.last = now;
        now.plus_ms(self.ms)
    }
}
