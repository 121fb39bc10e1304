//! The new device: shows a URI with a fresh key, waits on a socket of its own for the account, and
//! replaces URI, key and socket every 45 s. The one before stays valid until the next has come,
//! since somebody may just be scanning it.
//!
//! An attempt lives in memory only; once the account has come it is stored and `join` goes on.

use libsignal_protocol::KeyPair;
use prost::Message as _;
use wire::endpoint::PROVISIONING_SOCKET_PATH;
use wire::link_uri::LinkUri;
use wire::proto::provisioning::ProvisioningAddress;
use wire::{Frame, RelayRequest, Request, Response};

use super::given::checked;
use super::run::Shown;
use crate::account::Account;
use crate::error::{Error, Refusal};
use crate::input::{SocketId, Ticket, Timestamp};
use crate::limits::{LINK_OFFERS_MAX, LINK_ROTATE_MS};
use crate::output::{Event, LinkOffer, Output, Reply};
use crate::provisioning;
use crate::service::Service;
use crate::state::State;
use crate::tx::Tx;

/// One socket with its key.
struct Offer {
    socket: SocketId,
    key: KeyPair,
    /// Once the relay has given an address.
    shown: bool,
    expires_at: Timestamp,
}

/// A running attempt to be linked.
pub(crate) struct Offers {
    credential: Option<String>,
    device_name: String,
    /// The newest URI, and until when it is shown.
    uri: Option<(String, Timestamp)>,
    /// Why there are no digits.
    problem: Option<Refusal>,
    /// The newest last; at most two.
    offers: Vec<Offer>,
    made: u32,
    /// Waits for the first URI.
    started: Option<Ticket>,
    /// Waits for the end.
    awaited: Vec<Ticket>,
    /// How it ended, for somebody who asks later.
    ended: Option<Refusal>,
    /// The account has come; the relay is being asked.
    joining: bool,
}

impl Offers {
    pub(crate) fn has(&self, socket: SocketId) -> bool {
        self.offers.iter().any(|offer| offer.socket == socket)
    }

    /// What the device calls itself, and the platform's token.
    pub(super) fn asks_with(&self) -> (String, Option<String>) {
        (self.device_name.clone(), self.credential.clone())
    }

    /// It has not ended.
    pub(crate) fn is_running(&self) -> bool {
        self.ended.is_none()
    }

    /// When the newest URI has to be replaced.
    pub(crate) fn deadline(&self) -> Option<Timestamp> {
        self.offers.last().map(|offer| offer.expires_at)
    }
}

impl State {
    pub(crate) fn start_offers(
        &mut self,
        tx: &mut Tx<'_>,
        ticket: Ticket,
        handle: Option<String>,
        (credential, device_name): (Option<String>, String),
    ) {
        if self
            .offers
            .as_ref()
            .is_some_and(|running| running.ended.is_none())
        {
            tx.resolve(ticket, Err(Refusal::LinkBusy));
            return;
        }
        self.offers = Some(Offers {
            credential: credential.clone(),
            device_name: device_name.clone(),
            uri: None,
            problem: None,
            offers: Vec::new(),
            made: 0,
            started: Some(ticket),
            awaited: Vec::new(),
            ended: None,
            joining: false,
        });
        self.next_offer(tx);
        self.start_asking(tx, handle, credential, device_name);
    }

    /// A fresh key on a fresh socket; or the end, when there were enough.
    fn next_offer(&mut self, tx: &mut Tx<'_>) {
        let Some(attempt) = &mut self.offers else {
            return;
        };
        if attempt.made >= LINK_OFFERS_MAX {
            if self.is_run_answered() {
                self.close_offers(tx); // the person is typing
            } else {
                self.end_offers(tx, Refusal::LinkExpired);
            }
            return;
        }
        attempt.made += 1;
        if attempt.offers.len() > 1 {
            let oldest = attempt.offers.remove(0);
            tx.push(Output::CloseSocket {
                socket: oldest.socket,
                code: 1000,
            });
        }
        let socket = self.connection.new_socket();
        attempt.offers.push(Offer {
            socket,
            key: KeyPair::generate(&mut self.rng),
            shown: false,
            expires_at: tx.now.plus_ms(LINK_ROTATE_MS),
        });
        tx.push(Output::OpenSocket {
            socket,
            path: PROVISIONING_SOCKET_PATH,
        });
    }

    pub(crate) fn tick_offers(&mut self, tx: &mut Tx<'_>) {
        let due = self.offers.as_ref().and_then(Offers::deadline);
        if due.is_some_and(|due| due <= tx.now) {
            self.next_offer(tx);
        }
    }

    /// The socket of an offer is gone: without any the attempt is over.
    pub(crate) fn offer_closed(&mut self, tx: &mut Tx<'_>, socket: SocketId) {
        let Some(attempt) = self.offers.as_mut().filter(|attempt| attempt.has(socket)) else {
            return;
        };
        let never_shown = attempt
            .offers
            .iter()
            .any(|o| o.socket == socket && !o.shown);
        attempt.offers.retain(|offer| offer.socket != socket);
        let goes_on = attempt.joining || !attempt.offers.is_empty();
        if !goes_on && !self.is_run_answered() {
            let refusal = if never_shown {
                Refusal::Offline
            } else {
                Refusal::LinkExpired
            };
            self.end_offers(tx, refusal);
        }
    }

    pub(crate) async fn offer_frames(
        &mut self,
        tx: &mut Tx<'_>,
        socket: SocketId,
        frames: Vec<Vec<u8>>,
    ) -> Result<(), Error> {
        for frame in frames {
            if !self.is_offer(socket) {
                return Ok(());
            }
            match Frame::decode(&frame) {
                Ok(Frame::Request(request)) => self.offer_request(tx, socket, request).await?,
                Ok(Frame::Response(_)) => {}
                Err(_) => {
                    tx.push(Output::CloseSocket { socket, code: 3002 });
                    tx.emit(Event::Failure(Refusal::RelayProtocol));
                    self.offer_closed(tx, socket);
                }
            }
        }
        Ok(())
    }

    async fn offer_request(
        &mut self,
        tx: &mut Tx<'_>,
        socket: SocketId,
        request: Request,
    ) -> Result<(), Error> {
        let frame = Frame::Response(Response::empty(request.id, 200)).encode();
        tx.push(Output::Send { socket, frame });
        match RelayRequest::parse(&request.verb, &request.path) {
            Some(RelayRequest::ProvisioningAddress) => {
                self.show_offer(tx, socket, &request.body);
                Ok(())
            }
            Some(RelayRequest::ProvisioningEnvelope) => {
                self.account_came(tx, socket, &request.body).await
            }
            Some(RelayRequest::ProvisioningDeclined) => {
                self.end_offers(tx, Refusal::LinkDeclined);
                Ok(())
            }
            Some(RelayRequest::Message | RelayRequest::QueueEmpty) | None => Ok(()),
        }
    }

    fn show_offer(&mut self, tx: &mut Tx<'_>, socket: SocketId, body: &[u8]) {
        let signal = self.service == Some(Service::Signal);
        let Some(attempt) = &mut self.offers else {
            return;
        };
        let name = attempt.device_name.clone();
        let Some(offer) = attempt
            .offers
            .iter_mut()
            .find(|offer| offer.socket == socket)
        else {
            return;
        };
        let address = ProvisioningAddress::decode(body)
            .ok()
            .and_then(|a| a.address);
        let public_key = <[u8; 33]>::try_from(offer.key.public_key.serialize().as_ref());
        let (Some(address), Ok(public_key)) = (address, public_key) else {
            return self.end_offers(tx, Refusal::RelayProtocol);
        };
        offer.shown = true;
        let uri = LinkUri {
            address,
            public_key,
            name,
        };
        let text = if signal {
            uri.for_signal()
        } else {
            uri.to_string()
        };
        attempt.uri = Some((text, offer.expires_at));
        let started = attempt.started.take();
        match (started, self.shown()) {
            (Some(ticket), Some(shown)) => tx.resolve(ticket, Ok(Reply::LinkOffer(shown))),
            (None, Some(shown)) => tx.emit(Event::LinkOffer(shown)),
            (_, None) => {}
        }
    }

    /// What the attempt shows now, once it has a URI.
    fn shown(&self) -> Option<LinkOffer> {
        let attempt = self.offers.as_ref()?;
        let (uri, expires_at) = attempt.uri.clone()?;
        let Shown {
            code,
            digits,
            approved,
        } = self.shown_run();
        Some(LinkOffer {
            uri,
            expires_at,
            code,
            digits,
            approved,
            problem: attempt.problem,
        })
    }

    /// What it shows has changed.
    pub(super) fn show_attempt(&mut self, tx: &mut Tx<'_>) {
        if let Some(shown) = self.shown() {
            tx.emit(Event::LinkOffer(shown));
        }
    }

    /// There will be no digits, for this reason.
    pub(super) fn note_problem(&mut self, tx: &mut Tx<'_>, problem: Refusal) {
        if let Some(attempt) = &mut self.offers {
            attempt.problem = Some(problem);
        }
        self.show_attempt(tx);
    }

    /// The approving device has sent the account. From here on it is stored.
    async fn account_came(
        &mut self,
        tx: &mut Tx<'_>,
        socket: SocketId,
        body: &[u8],
    ) -> Result<(), Error> {
        let Some(attempt) = &self.offers else {
            return Ok(());
        };
        let Some(offer) = attempt.offers.iter().find(|offer| offer.socket == socket) else {
            return Ok(());
        };
        let message = provisioning::decrypt(&offer.key, body).ok();
        let given = message.and_then(|message| checked(message, &offer.key, &mut self.rng));
        self.take_given(tx, given, None).await
    }

    /// The account has come, in one way or the other.
    pub(super) fn offers_answered(&mut self, tx: &mut Tx<'_>) {
        self.end_asking(tx);
        self.close_offers(tx);
        if let Some(attempt) = &mut self.offers {
            attempt.joining = true;
        }
    }

    pub(crate) fn await_link(&mut self, tx: &mut Tx<'_>, ticket: Ticket) {
        let member = self.account.as_ref().filter(|_| self.is_member());
        let done = member.and_then(Account::view);
        match (&mut self.offers, done) {
            (_, Some(account)) => tx.resolve(ticket, Ok(Reply::Account(account))),
            (
                Some(Offers {
                    ended: Some(refusal),
                    ..
                }),
                _,
            ) => tx.resolve(ticket, Err(*refusal)),
            (Some(attempt), _) => attempt.awaited.push(ticket),
            (None, _) => tx.resolve(ticket, Err(Refusal::LinkExpired)),
        }
    }

    /// This device is linked and has signed in.
    pub(crate) fn offers_succeeded(&mut self, tx: &mut Tx<'_>) {
        let (Some(attempt), Some(account)) = (self.offers.take(), &self.account) else {
            return;
        };
        if let Some(view) = account.view() {
            for ticket in attempt.awaited {
                tx.resolve(ticket, Ok(Reply::Account(view.clone())));
            }
        }
    }

    /// The attempt is over, for this reason.
    pub(crate) fn end_offers(&mut self, tx: &mut Tx<'_>, refusal: Refusal) {
        self.end_asking(tx);
        self.close_offers(tx);
        let Some(attempt) = &mut self.offers else {
            return;
        };
        if attempt.ended.is_none() {
            attempt.ended = Some(refusal);
        }
        for ticket in attempt
            .started
            .take()
            .into_iter()
            .chain(attempt.awaited.drain(..))
        {
            tx.resolve(ticket, Err(refusal));
        }
    }

    fn close_offers(&mut self, tx: &mut Tx<'_>) {
        if let Some(attempt) = &mut self.offers {
            for offer in attempt.offers.drain(..) {
                tx.push(Output::CloseSocket {
                    socket: offer.socket,
                    code: 1000,
                });
            }
        }
    }
}
