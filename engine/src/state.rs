//! What memory holds, and the one `match` on what happens.
//!
//! Everything here but the connection (with its requests, offers and parked commands) is a copy of what
//! the store holds; after a store failure it is dropped and read again.

mod answers;

use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use wire::{AccountId, Endpoint, Frame, RelayRequest, Request};

use crate::account::Account;
use crate::connection::{Connection, GiveUp};
use crate::contacts;
use crate::due::Due;
use crate::early::Early;
use crate::error::{Error, Refusal};
use crate::fence::Entrance;
use crate::history::History;
use crate::input::{Command, Input, SocketId, Ticket, Timestamp};
use crate::limits::LOOKUPS_MAX;
use crate::linking::{Offers, Runs};
use crate::notify::Notifier;
use crate::outbox::Outbox;
use crate::output::{ClientState, Event};
use crate::record::{AccountRecord, ClockRecord, key};
use crate::repair::Repair;
use crate::request::Pending;
use crate::retry::Waiting;
use crate::seen::Seen;
use crate::service::Service;
use crate::store::Table;
use crate::suspect::Suspect;
use crate::take_in::Batch;
use crate::trust::Lists;
use crate::tx::Tx;
use crate::typing;

/// What memory holds.
pub(crate) struct State {
    pub(crate) rng: ChaCha20Rng,
    pub(crate) account: Option<Account>,
    /// A registration or link that the relay has not agreed to yet.
    pub(crate) pending: Option<AccountRecord>,
    pub(crate) clock: ClockRecord,
    pub(crate) connection: Connection,
    /// What is at the other end, once known.
    pub(crate) service: Option<Service>,
    pub(crate) outbox: Outbox,
    pub(crate) seen: Seen,
    pub(crate) waiting: Waiting,
    pub(crate) early: Early,
    pub(crate) due: Due,
    pub(crate) notifier: Notifier,
    pub(crate) history: History,
    pub(crate) batch: Batch,
    /// What the other person was last told of typing.
    pub(crate) typing: Option<typing::Told>,
    pub(crate) suspect: Suspect,
    /// How far coming in is on a new socket.
    pub(crate) entrance: Entrance,
    /// When joining is tried again that the relay has put off.
    pub(crate) join_at: Option<Timestamp>,
    /// The running attempt to be linked.
    pub(crate) offers: Option<Offers>,
    /// Linking by digits, on either side.
    pub(crate) runs: Runs,
    /// Commands that wait for a connection.
    pub(crate) parked: Vec<(Ticket, Command)>,
    /// There may be registers that own other devices have not been told of.
    pub(crate) untold: bool,
    /// There may be blocks to be made that make searching fast.
    pub(crate) index_due: bool,
    pub(crate) repair: Repair,
    pub(crate) lists: Lists,
}

impl State {
    /// Reads what the store holds.
    pub(crate) async fn read(tx: &mut Tx<'_>, seed: [u8; 32]) -> Result<Self, Error> {
        let single = [key::ACCOUNT, key::PENDING, key::CLOCK, key::REPAIR];
        tx.prefetch(single.map(|at| (Table::Meta, at.to_vec())).into())
            .await?;
        let account = tx.get::<AccountRecord>(key::ACCOUNT).await?;
        let pending = tx.get::<AccountRecord>(key::PENDING).await?;
        let clock = tx.get::<ClockRecord>(key::CLOCK).await?.unwrap_or_default();
        Ok(Self {
            rng: ChaCha20Rng::from_seed(seed),
            service: known_service(account.as_ref(), pending.as_ref()),
            account: account.map(Account::read).transpose()?,
            pending,
            seen: Seen::read(tx, clock.drains).await?,
            waiting: Waiting::read(tx).await?,
            early: Early::read(tx).await?,
            due: Due::read(tx).await?,
            notifier: Notifier::default(),
            history: History::read(tx).await?,
            batch: Batch::default(),
            typing: None,
            suspect: Suspect::new(clock.draining),
            clock,
            connection: Connection::new(tx.now),
            outbox: Outbox::read(tx).await?,
            entrance: Entrance::default(),
            join_at: None,
            offers: None,
            runs: Runs::default(),
            parked: Vec::new(),
            untold: true,
            index_due: false,
            repair: Repair::read(tx).await?,
            lists: Lists::default(),
        })
    }

    pub(crate) fn client_state(&self) -> ClientState {
        match &self.account {
            None => ClientState::New,
            Some(account) if account.record.unlinked => ClientState::Unlinked,
            // Linked, but not signed in yet: there is no account to show.
            Some(account) if !account.is_ready() => ClientState::New,
            Some(_) => ClientState::Ready,
        }
    }

    /// When the next `Tick` is wanted.
    pub(crate) fn deadline(&self) -> Option<Timestamp> {
        let offers = self.offers.as_ref().and_then(Offers::deadline);
        let deadlines = [
            self.connection_deadline(),
            self.outbox.deadline(),
            self.join_at,
            self.upkeep_deadline(),
            self.due_deadline(),
            self.notify_deadline(),
            self.history_deadline(),
            self.index_deadline(),
            self.repair_deadline(),
            offers,
            self.runs.deadline(),
        ];
        deadlines.into_iter().flatten().min()
    }

    fn connection_deadline(&self) -> Option<Timestamp> {
        let wanted = self.wants_connection();
        wanted.then(|| self.connection.deadline()).flatten()
    }

    /// A device has a connection whenever it can. A browser that was unlinked has one only to be linked again.
    fn wants_connection(&self) -> bool {
        let linking = self.offers.as_ref().is_some_and(Offers::is_running);
        let is_unlinked = self.client_state() == ClientState::Unlinked;
        let recovering = self.connection.is_recovering();
        !is_unlinked || linking || recovering || self.pending.is_some() || !self.parked.is_empty()
    }

    /// One step: everything that one input causes, but sending (see [`State::pump`]).
    pub(crate) async fn step(&mut self, tx: &mut Tx<'_>, input: Input) -> Result<(), Error> {
        match input {
            Input::Command { ticket, command } => self.command(tx, ticket, command).await?,
            Input::SocketOpened(socket) if self.connection.is_main(socket) => {
                self.ask_service(tx).await?;
            }
            Input::SocketOpened(_) => {}
            Input::SocketFrames { socket, frames } if self.connection.is_main(socket) => {
                self.main_frames(tx, frames).await?;
            }
            Input::SocketFrames { socket, frames } => {
                self.offer_frames(tx, socket, frames).await?;
            }
            Input::SocketClosed { socket, code } if self.connection.is_main(socket) => {
                self.main_closed(tx, code);
            }
            Input::SocketClosed { socket, code: _ } => self.offer_closed(tx, socket),
            Input::Blob { task, end } => self.blob_ended(tx, task, end).await?,
            Input::Tick => self.tick(tx).await?,
            Input::NetworkChanged => self.network_changed(tx),
        }
        if !self.wants_connection() && !self.connection.is_shut() {
            let lost = self.connection.shut(tx);
            self.connection_lost(tx, &lost);
        }
        self.go_on_with_history(tx).await?;
        self.notify(tx).await?;
        self.connection.report(tx);
        Ok(())
    }

    async fn tick(&mut self, tx: &mut Tx<'_>) -> Result<(), Error> {
        if self.wants_connection() {
            let lost = self.connection.tick(tx, &mut self.rng);
            if !lost.is_empty() || !(self.connection.is_up() || self.connection.is_coming()) {
                self.connection_lost(tx, &lost);
            }
        }
        self.outbox.tick(tx.now);
        self.tick_offers(tx);
        self.tick_runs(tx).await?;
        self.upkeep(tx).await?;
        self.do_due(tx).await?;
        self.make_blocks(tx).await?;
        self.do_repair(tx).await?;
        if self.join_at.is_some_and(|at| at <= tx.now) {
            self.join(tx).await?;
        }
        Ok(())
    }

    /// Connects now, unless there is nothing to connect for.
    pub(crate) fn connect(&mut self, tx: &mut Tx<'_>) {
        if self.wants_connection() {
            self.connection.connect(tx);
        }
    }

    fn network_changed(&mut self, tx: &mut Tx<'_>) {
        if self.wants_connection() {
            self.connection.network_changed(tx);
        }
    }

    /// The service is known: signs in, or goes on as a guest.
    pub(crate) async fn greet(&mut self, tx: &mut Tx<'_>) -> Result<(), Error> {
        if self.is_member() {
            self.sign_in(tx);
            return Ok(());
        }
        self.connection.up(tx.now);
        self.online(tx).await
    }

    /// Frames of the main socket: what the relay asks first; answers to our requests don't depend on it.
    async fn main_frames(&mut self, tx: &mut Tx<'_>, frames: Vec<Vec<u8>>) -> Result<(), Error> {
        self.connection.heard(tx.now);
        let mut requests = Vec::new();
        let mut responses = Vec::new();
        let mut nonsense = false;
        for frame in frames {
            match Frame::decode(&frame) {
                Ok(Frame::Request(request)) => requests.push(request),
                Ok(Frame::Response(response)) => responses.push(response),
                Err(_) => nonsense = true,
            }
        }
        self.relay_requests(tx, requests).await?;
        for response in responses {
            self.response(tx, &response).await?;
        }
        if nonsense {
            tx.emit(Event::Failure(Refusal::RelayProtocol));
            let lost = self.connection.give_up(tx, GiveUp::Protocol, &mut self.rng);
            self.connection_lost(tx, &lost);
        }
        Ok(())
    }

    /// Nothing that was asked will be answered; what waits for the connection is told so.
    pub(crate) fn connection_lost(&mut self, tx: &mut Tx<'_>, lost: &[Pending]) {
        self.outbox.reset();
        self.lists.reset();
        self.entrance = Entrance::default();
        self.join_at = None; // coming online joins
        let parked = std::mem::take(&mut self.parked);
        let tickets = lost.iter().filter_map(Pending::ticket);
        for ticket in tickets.chain(parked.iter().map(|(ticket, _)| *ticket)) {
            tx.resolve(ticket, Err(Refusal::Offline));
        }
    }

    /// Signed in, or a guest: goes on with what waited.
    pub(crate) async fn online(&mut self, tx: &mut Tx<'_>) -> Result<(), Error> {
        if self.is_member() {
            self.ask_key_counts(tx);
            self.rotate_keys(tx).await?;
            self.ask_wanted_lists(tx).await?;
            self.look_after_list(tx).await?;
            self.online_at_signal(tx)?;
            for account in contacts::nameless(tx).await?.into_iter().take(LOOKUPS_MAX) {
                self.look_up(tx, account);
            }
            self.outbox.due = true;
            self.untold = true;
        } else if self
            .pending
            .as_ref()
            .is_some_and(|record| !record.is_registration())
        {
            self.join(tx).await?;
        }
        self.resume_runs(tx);
        for (ticket, command) in std::mem::take(&mut self.parked) {
            self.command(tx, ticket, command).await?;
        }
        Ok(())
    }

    /// There is a contact for this account; its handle is asked for if it is not known.
    pub(crate) async fn note_contact(
        &mut self,
        tx: &mut Tx<'_>,
        account: AccountId,
    ) -> Result<(), Error> {
        let own = self.account.as_ref().is_some_and(|own| own.id() == account);
        if !own && !contacts::ensure(tx, account, None).await? {
            self.look_up(tx, account);
        }
        Ok(())
    }

    fn look_up(&mut self, tx: &mut Tx<'_>, account: AccountId) {
        let has_handles = self.service != Some(Service::Signal);
        if has_handles && self.connection.is_up() && !self.connection.is_looking_up(account) {
            let endpoint = Endpoint::Account(account);
            let pending = Pending::Lookup(account);
            self.connection.ask(tx, &endpoint, pending);
        }
    }

    pub(crate) fn own_id(&self) -> Result<AccountId, Error> {
        Ok(self
            .account
            .as_ref()
            .ok_or(Error::Bug("there is no account"))?
            .id())
    }

    /// Whether a socket is one of the running link attempt.
    pub(crate) fn is_offer(&self, socket: SocketId) -> bool {
        self.offers
            .as_ref()
            .is_some_and(|offers| offers.has(socket))
    }
}

/// A registration that was not answered says nothing of the service.
fn known_service(
    account: Option<&AccountRecord>,
    pending: Option<&AccountRecord>,
) -> Option<Service> {
    let linking = pending.filter(|record| record.link_token.is_some());
    account.or(linking).and_then(AccountRecord::service)
}

pub(crate) fn is_envelope(request: &Request) -> bool {
    RelayRequest::parse(&request.verb, &request.path) == Some(RelayRequest::Message)
}
