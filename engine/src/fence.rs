//! Coming in: signing in and the fence, side by side, before anything else happens on a new socket.
//!
//! ```text
//!   opened --whoami, fence--> (named) (agreed) --both--> online: what came meanwhile, then sending
//!                                \-> refused: unlinked, since this store is a copy or was set back
//! ```
//!
//! Each count is stored before what it counts leaves this device, so an honest one is never behind what the relay
//! has seen, whatever was lost. Until the relay agrees nothing is sealed and no envelope is dealt with: a
//! copy takes nothing from the mailbox of the device it was made of. What the relay compares is its business.

use wire::body::{self, from_json, to_json};
use wire::fence::{Fence, ROLLED_BACK};
use wire::{Endpoint, Frame, RelayRequest, Request, Response};

use crate::connection::GiveUp;
use crate::error::{Error, Refusal};
use crate::input::{Input, SocketId};
use crate::limits::ENTRANCE_MAX;
use crate::output::{Event, Unlinked};
use crate::request::Pending;
use crate::state::State;
use crate::tx::Tx;

/// How far coming in is. Ends with the connection.
#[derive(Debug, Default)]
pub(crate) struct Entrance {
    /// The relay knows this device.
    named: bool,
    /// It agrees that this is the device it has seen.
    agreed: bool,
    /// What it has sent meanwhile.
    held: Vec<Request>,
    /// The same, once in, if it is to be named before it is dealt with.
    due: Vec<Request>,
}

impl State {
    /// Asks the fence, behind the sign-in and without waiting for its answer.
    pub(crate) fn ask_fence(&mut self, tx: &mut Tx<'_>) {
        self.entrance = Entrance {
            agreed: self.is_plain(),
            ..Entrance::default()
        };
        if self.entrance.agreed {
            return; // Signal's service has no fence
        }
        self.clock.sign_ins += 1;
        self.save_clock(tx);
        let fence = Fence {
            sign_ins: self.clock.sign_ins,
            seals: self.clock.seals,
            received: self.clock.received,
        };
        self.connection.request(
            tx,
            &Endpoint::Fence,
            Vec::new(),
            to_json(&fence),
            Pending::Fence,
        );
    }

    /// The number of the next sealing, stored in the commit that seals.
    pub(crate) fn next_seal(&mut self, tx: &mut Tx<'_>) -> u64 {
        self.clock.seals += 1;
        self.save_clock(tx);
        self.clock.seals
    }

    /// The relay knows this device.
    pub(crate) async fn named(&mut self, tx: &mut Tx<'_>) -> Result<(), Error> {
        self.entrance.named = true;
        self.enter(tx).await
    }

    /// The relay's answer to the fence. Only services of ours are asked, and each of them has one: a 404 is no way round it.
    pub(crate) async fn fence_answered(
        &mut self,
        tx: &mut Tx<'_>,
        response: &Response,
    ) -> Result<(), Error> {
        let code = from_json::<body::Refusal>(&response.body).map(|refusal| refusal.code);
        match response.status {
            200..=299 => {
                self.entrance.agreed = true;
                self.enter(tx).await
            }
            409 if code.is_ok_and(|code| code == ROLLED_BACK) => {
                self.unlinked(tx, Unlinked::RolledBack);
                tx.emit(Event::Failure(Refusal::RolledBack));
                Ok(())
            }
            401 | 403 => Ok(()), // the answer to signing in says why
            _ => {
                let lost = self.connection.give_up(tx, GiveUp::Protocol, &mut self.rng);
                self.connection_lost(tx, &lost);
                Ok(())
            }
        }
    }

    async fn enter(&mut self, tx: &mut Tx<'_>) -> Result<(), Error> {
        let Entrance { named, agreed, .. } = self.entrance;
        if !(named && agreed) {
            return Ok(());
        }
        self.connection.up(tx.now);
        let held = std::mem::take(&mut self.entrance).held;
        if self.suspect.is_careful() {
            self.entrance.due = held;
        } else {
            self.relay_requests(tx, held).await?;
        }
        self.offers_succeeded(tx);
        self.online(tx).await
    }

    /// Whether what comes on this socket is named before it is dealt with. What comes too early is only held, and what is
    /// only held takes nobody down: named, it would count as tried without ever having been.
    pub(crate) fn is_careful_with(&self, socket: SocketId) -> bool {
        self.suspect.is_careful() && self.connection.is_main(socket) && self.connection.is_up()
    }

    /// What was held while coming in and has to be named first, as if it came now.
    pub(crate) fn held_until_now(&mut self) -> Option<Input> {
        let due = std::mem::take(&mut self.entrance.due);
        let socket = self.connection.socket()?;
        let frames: Vec<_> = due
            .into_iter()
            .map(|request| Frame::Request(request).encode())
            .collect();
        (!frames.is_empty()).then_some(Input::SocketFrames { socket, frames })
    }

    /// What the relay asks: envelopes first, as one batch, since it sends its "queue empty" after them.
    pub(crate) async fn relay_requests(
        &mut self,
        tx: &mut Tx<'_>,
        requests: Vec<Request>,
    ) -> Result<(), Error> {
        if self.is_member() && self.connection.is_coming() {
            let room = ENTRANCE_MAX.saturating_sub(self.entrance.held.len());
            // What has no room is not answered, so it comes again.
            self.entrance.held.extend(requests.into_iter().take(room));
            return Ok(());
        }
        let mut envelopes = Vec::new();
        let mut others = Vec::new();
        for request in requests {
            match RelayRequest::parse(&request.verb, &request.path) {
                Some(RelayRequest::Message) => envelopes.push((request.id, request.body)),
                other => others.push((request.id, other)),
            }
        }
        if !envelopes.is_empty() {
            self.clock.received += envelopes.len() as u64;
            self.save_clock(tx);
            self.receive(tx, envelopes).await?;
        }
        for (id, what) in others {
            if what == Some(RelayRequest::QueueEmpty) {
                self.mailbox_empty(tx).await?;
            }
            // Whatever a newer relay may have to say is answered too, or it would stay in its queue.
            self.connection.answer(tx, id, 200);
        }
        Ok(())
    }
}
