//! Which kind of service is at the other end: one of ours, or a plain Signal-compatible one.
//!
//! It is asked before the first sign-in (`GET /v1/capabilities`, which a plain service answers with 404) and kept with the
//! account. What was once ours stays ours: a service that takes its word back could have checks left out. What is plain is
//! asked again at each connection, so that one wrong 404 does not last. What follows from the answer is for others.

use sha2::{Digest as _, Sha256};
use wire::body::{Capabilities, from_json};
use wire::{AccountId, DecodeError, Endpoint, Envelope, MessageId, Response};

use crate::account::Account;
use crate::connection::GiveUp;
use crate::error::Error;
use crate::output::ClientState;
use crate::record::{AccountRecord, key};
use crate::request::Pending;
use crate::state::State;
use crate::tx::Tx;

/// What is at the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    /// Our relay: bundles, handles, a binding in every plaintext.
    Lockstep,
    /// Signal's protocol and nothing else.
    Signal,
}

impl Service {
    /// As stored.
    pub(crate) const fn number(self) -> u32 {
        match self {
            Self::Lockstep => 1,
            Self::Signal => 2,
        }
    }
}

impl AccountRecord {
    /// The service of this account, once known. An account with a handle is on one of ours.
    pub(crate) fn service(&self) -> Option<Service> {
        match self.service {
            2 => Some(Service::Signal),
            1 => Some(Service::Lockstep),
            _ => (!self.handle.is_empty()).then_some(Service::Lockstep),
        }
    }
}

impl State {
    /// For requests beside the socket, to one of ours.
    pub(crate) fn authorization(&self) -> Option<String> {
        let account = self.account.as_ref()?;
        let is_ready = self.client_state() == ClientState::Ready;
        let is_ours = account.record.service() == Some(Service::Lockstep);
        (is_ready && is_ours).then(|| account.authorization().1)
    }

    /// The main socket is open: asks what is there, unless it is known.
    pub(crate) async fn ask_service(&mut self, tx: &mut Tx<'_>) -> Result<(), Error> {
        if self.service.is_some() {
            return self.greet(tx).await;
        }
        self.connection.signing_in(tx.now);
        self.connection
            .ask(tx, &Endpoint::Capabilities, Pending::Service);
        Ok(())
    }

    /// The answer. Anything but a clear one is no answer: the connection is tried again.
    pub(crate) async fn service_answered(
        &mut self,
        tx: &mut Tx<'_>,
        response: &Response,
    ) -> Result<(), Error> {
        let Some(service) = answered(response) else {
            let lost = self.connection.give_up(tx, GiveUp::Protocol, &mut self.rng);
            self.connection_lost(tx, &lost);
            return Ok(());
        };
        self.note_service(tx, service);
        self.greet(tx).await
    }

    /// A service that was plain is asked whether it still is.
    pub(crate) fn ask_service_again(&mut self, tx: &mut Tx<'_>) {
        if self.service == Some(Service::Signal) {
            self.connection
                .ask(tx, &Endpoint::Capabilities, Pending::ServiceAgain);
        }
    }

    /// It is one of ours after all: signs in anew, as one does there.
    pub(crate) fn service_answered_again(&mut self, tx: &mut Tx<'_>, response: &Response) {
        if answered(response) == Some(Service::Lockstep) {
            self.note_service(tx, Service::Lockstep);
            let lost = self.connection.give_up(tx, GiveUp::Protocol, &mut self.rng);
            self.connection_lost(tx, &lost);
        }
    }

    /// The id of a new message of ours.
    pub(crate) fn id_of_message(&mut self, own: AccountId, sent_at: u64) -> MessageId {
        match self.service {
            Some(Service::Signal) => message_id(own, sent_at),
            Some(Service::Lockstep) | None => self.new_message_id(sent_at),
        }
    }

    fn note_service(&mut self, tx: &mut Tx<'_>, service: Service) {
        self.service = Some(service);
        if let Some(account) = &mut self.account {
            account.record.service = service.number();
            tx.put(key::ACCOUNT, &account.record);
        }
    }
}

/// The id of a message that its author gave none: as on Signal, author and time are what it is known by. Like other ids it
/// begins with the time.
pub(crate) fn message_id(author: AccountId, sent_at: u64) -> MessageId {
    let time = sent_at.to_be_bytes();
    let mut id = hash(b"Lockstep message by time 1\0", &[author.as_bytes(), &time]);
    let begin = key::index_at(sent_at);
    id.iter_mut().zip(begin).for_each(|(to, from)| *to = from);
    MessageId::from_bytes(id)
}

/// An envelope whose service may have given it no name: it is then named after its content, which no two have in common,
/// so that a repeat is known for one.
pub(crate) fn named_envelope(bytes: &[u8]) -> Result<Envelope, DecodeError> {
    let mut envelope = Envelope::decode(bytes)?;
    if envelope.guid.is_none() {
        envelope.guid = Some(hash(b"Lockstep envelope 1\0", &[&envelope.content]));
    }
    Ok(envelope)
}

impl Account {
    /// An envelope from this account's mailbox.
    pub(crate) fn envelope(&self, bytes: &[u8]) -> Result<Envelope, DecodeError> {
        if self.is_plain() {
            named_envelope(bytes)
        } else {
            Envelope::decode(bytes)
        }
    }
}

fn hash(domain: &[u8], parts: &[&[u8]]) -> [u8; 16] {
    let mut hash = Sha256::new_with_prefix(domain);
    for part in parts {
        hash.update(part);
    }
    let mut short = [0; 16];
    short
        .iter_mut()
        .zip(hash.finalize())
        .for_each(|(to, from)| *to = from);
    short
}

fn answered(response: &Response) -> Option<Service> {
    match response.status {
        404 => Some(Service::Signal),
        200 => match from_json::<Capabilities>(&response.body) {
            Ok(offers) if offers.bundles => Some(Service::Lockstep),
            Ok(_) | Err(_) => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests;
