//! The one door. Each input is: load what it needs, compute, commit one `Changes`, release outputs.
//! It knows neither messages nor sockets; [`State`] does.
//! Invariant: nothing is released before its commit.

use crate::error::Error;
use crate::input::{Input, Timestamp};
use crate::output::{ClientState, Connection, Output};
use crate::state::State;
use crate::steady::{Moment, SteadyClock};
use crate::store::{Changes, Store};
use crate::tx::Tx;

/// The client. One task owns it, so there is one input at a time.
///
/// 1. [`Engine::open`] reads the store; then give `Input::Tick`, which connects.
/// 2. [`Engine::handle`] takes each input and appends outputs; carry them out in order.
/// 3. Give `Input::Tick` at [`Engine::deadline`], which changes with each input; and when the clock was set
///    back, since only then the engine knows.
/// 4. When `handle` fails, carry out what it appended, drop the engine, open the store again.
pub struct Engine<S> {
    store: S,
    state: State,
    clock: SteadyClock,
}

impl<S: Store> Engine<S> {
    /// Reads the store. `seed` must be fresh, secret randomness; it decides all that follows.
    ///
    /// # Errors
    /// The store fails, or holds what this version can't read.
    pub async fn open(store: S, seed: [u8; 32], now: Timestamp) -> Result<Self, Error> {
        let clock = SteadyClock::new(now);
        let state = State::read(&mut Tx::new(&store, now), seed).await?;
        Ok(Self {
            store,
            state,
            clock,
        })
    }

    /// Whether this client belongs to an account.
    pub fn state(&self) -> ClientState {
        self.state.client_state()
    }

    /// The `authorization` header with which this device uploads blobs over HTTP. None where it is no device of an account,
    /// and on a plain service, which has no blobs of ours. It is a secret.
    pub fn authorization(&self) -> Option<String> {
        self.state.authorization()
    }

    /// The connection to the relay.
    pub fn connection(&self) -> Connection {
        self.state.connection.view()
    }

    /// When the host has to give `Input::Tick`.
    pub fn deadline(&self) -> Option<Timestamp> {
        let deadline = self.state.deadline()?;
        Some(self.clock.on_device(deadline))
    }

    /// Deals with one input. What stands in `out` is true, also after an error.
    ///
    /// # Errors
    /// The store failed or there is a bug: drop the engine and open the store again.
    pub async fn handle(
        &mut self,
        now: Timestamp,
        input: Input,
        out: &mut Vec<Output>,
    ) -> Result<(), Error> {
        let now = self.clock.moment(now);
        self.carefully(now, input, out).await?;
        // What came while this device came in was only held: it is named now that it is dealt with.
        while let Some(held) = self.state.held_until_now() {
            self.carefully(now, held, out).await?;
        }
        Ok(())
    }

    /// A step, or, where the last life ended badly, one for each suspect.
    async fn carefully(
        &mut self,
        now: Moment,
        input: Input,
        out: &mut Vec<Output>,
    ) -> Result<(), Error> {
        let Input::SocketFrames { socket, frames } = input else {
            return self.step(now, input, out).await;
        };
        if !self.state.is_careful_with(socket) || !self.name(now, &frames).await? {
            let input = Input::SocketFrames { socket, frames };
            return self.step(now, input, out).await;
        }
        for frame in frames {
            self.attempt(now, &frame).await?;
            let frames = vec![frame];
            let input = Input::SocketFrames { socket, frames };
            self.step(now, input, out).await?;
        }
        Ok(())
    }

    async fn step(
        &mut self,
        now: Moment,
        input: Input,
        out: &mut Vec<Output>,
    ) -> Result<(), Error> {
        let Self { store, state, .. } = self;
        let mut tx = Tx::new(store, now);
        let is_of_relay = matches!(input, Input::SocketFrames { .. });
        state.step(&mut tx, input).await?;
        // That a bundle was taken and that the next one is sealed is one commit: what waited goes out twice as fast.
        if is_of_relay && state.outbox.due {
            state.pump(&mut tx).await?;
        }
        settle(store, tx.finish(), out).await?;
        // What a person sends is answered once it is on disk; sealing it is a commit of its own. So is each part of a piece of
        // history.
        while state.outbox.due || state.history.is_merging() {
            let mut tx = Tx::new(store, now);
            if state.outbox.due {
                state.pump(&mut tx).await?;
            } else {
                state.merge_history(&mut tx).await?;
            }
            settle(store, tx.finish(), out).await?;
        }
        Ok(())
    }

    /// Names a batch before it is dealt with, in a commit of its own.
    async fn name(&mut self, now: Moment, frames: &[Vec<u8>]) -> Result<bool, Error> {
        let Self { store, state, .. } = self;
        let mut tx = Tx::new(store, now);
        let one_at_a_time = state.suspect.name(&mut tx, frames).await?;
        settle(store, tx.finish(), &mut Vec::new()).await?;
        Ok(one_at_a_time)
    }

    /// Counts an attempt before it is made, in a commit of its own.
    async fn attempt(&mut self, now: Moment, frame: &[u8]) -> Result<(), Error> {
        let Self { store, state, .. } = self;
        let mut tx = Tx::new(store, now);
        state.suspect.attempt(&mut tx, frame).await?;
        settle(store, tx.finish(), &mut Vec::new()).await
    }
}

/// Commits what a step wants written; only then releases what it wants said.
async fn settle<S: Store>(
    store: &mut S,
    (changes, outputs): (Changes, Vec<Output>),
    out: &mut Vec<Output>,
) -> Result<(), Error> {
    if !changes.writes.is_empty() {
        store.commit(&changes).await?;
    }
    out.extend(outputs);
    Ok(())
}

impl<S> std::fmt::Debug for Engine<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Engine({:?})", self.state.client_state())
    }
}
