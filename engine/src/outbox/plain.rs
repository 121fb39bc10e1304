//! Sending on a plain Signal service, which takes a message for one account at a time.
//!
//! An entry is sealed once for everybody, as ever. Its parts are sent one after the other: the peer's devices, then our own
//! other ones. What was accepted is written down, so that a crash between the two repeats at most one part, which the
//! receivers' ratchets refuse. Each part is repaired by itself; one that was accepted is not touched any more.

use wire::body::{
    Base64, IncomingMessage, MessagesSent, MismatchedDevices, SendMessages, StaleDevices,
    from_json, to_json,
};
use wire::bundle::{AccountMismatch, Bundle, Recipient};
use wire::{AccountId, Endpoint, Response};

use super::{conversation, retry_at, sealed_so_far};
use crate::account::Account;
use crate::error::{Error, Refusal};
use crate::limits::CHALLENGE_RETRY_MS;
use crate::output::{Event, MessageStatus};
use crate::peers;
use crate::record::{OutboxRecord, key};
use crate::request::Pending;
use crate::service::Service;
use crate::session::Incarnation;
use crate::state::State;
use crate::tx::Tx;

/// Whether the peer has the message, whatever becomes of the transcript.
pub(super) fn reached_peer(entry: &OutboxRecord) -> bool {
    !entry.accepted.is_empty()
}

/// Whether the part for this account has been taken.
pub(super) fn is_accepted(entry: &OutboxRecord, account: AccountId) -> bool {
    entry.accepted.iter().any(|id| id == account.as_bytes())
}

/// The devices for something that one of them asked for: that one; on a plain service all of them, since a request has to
/// name all. To the others a retry request says nothing, and a repeat is one.
pub(super) fn only(entry: &OutboxRecord, own: &Account, devices: &mut Vec<Incarnation>) {
    let asked = |to: &Incarnation| u32::from(to.address.device) == entry.only_device;
    if !own.is_plain() || !devices.iter().any(asked) {
        devices.retain(asked);
    }
}

impl State {
    pub(crate) fn is_plain(&self) -> bool {
        self.service == Some(Service::Signal)
    }

    /// Sends the next part of a sealed entry; without one the entry is done.
    pub(super) async fn send_part(
        &mut self,
        tx: &mut Tx<'_>,
        seq: u64,
        entry: &OutboxRecord,
    ) -> Result<(), Error> {
        let own = self.own_id()?;
        let bundle = sealed_so_far(entry)?;
        let open =
            |part: &&Recipient| !part.messages.is_empty() && !is_accepted(entry, part.account);
        // The peer's part first: the transcript says that the message was sent.
        let next = bundle
            .recipients
            .iter()
            .filter(open)
            .min_by_key(|part| part.account == own);
        let Some(part) = next else {
            self.remove(tx, seq, entry);
            return self.report_status(tx, entry, MessageStatus::Sent).await;
        };
        self.outbox.sent(seq);
        let endpoint = Endpoint::Messages(part.account);
        let pending = Pending::Part(seq, part.account);
        let body = to_json(&body(&bundle, part));
        self.connection
            .request(tx, &endpoint, Vec::new(), body, pending);
        Ok(())
    }

    /// The service's answer to a part.
    pub(crate) async fn part_answered(
        &mut self,
        tx: &mut Tx<'_>,
        seq: u64,
        account: AccountId,
        response: &Response,
    ) -> Result<(), Error> {
        self.outbox.answered(seq);
        let Some(entry) = tx.get::<OutboxRecord>(&key::outbox(seq)).await? else {
            return Ok(());
        };
        let refusal = match response.status {
            200..=299 => return self.part_accepted(tx, seq, account, entry, response).await,
            409 | 410 => match mismatch(account, response) {
                Some(mismatch) => return self.repair(tx, seq, entry, vec![mismatch]).await,
                None => Refusal::RelayProtocol,
            },
            404 => Refusal::UnknownHandle,
            413 => Refusal::MessageTooLong,
            428 => {
                tx.emit(Event::Failure(Refusal::ChallengeRequired));
                let until = tx.now.plus_ms(CHALLENGE_RETRY_MS);
                self.outbox.wait(conversation(&entry), until);
                return Ok(());
            }
            // 508: "do not try again".
            429 | 500..=507 | 509..=599 => {
                let until = retry_at(tx.now, response);
                self.outbox.wait(conversation(&entry), until);
                return Ok(());
            }
            _ => Refusal::RelayRefused,
        };
        self.fail(tx, seq, &entry, refusal).await
    }

    /// Writes down that a part was taken. Tries are counted for each part.
    async fn part_accepted(
        &mut self,
        tx: &mut Tx<'_>,
        seq: u64,
        account: AccountId,
        mut entry: OutboxRecord,
        response: &Response,
    ) -> Result<(), Error> {
        let own = self.own_id()?;
        entry.accepted.push(account.as_bytes().to_vec());
        entry.tries = 0;
        if account != own {
            self.report_status(tx, &entry, MessageStatus::Sent).await?;
        }
        let wants_transcript =
            from_json::<MessagesSent>(&response.body).is_ok_and(|answer| answer.needs_sync);
        let bundle = sealed_so_far(&entry)?;
        let has_transcript = bundle
            .recipients
            .iter()
            .any(|part| part.account == own && !part.messages.is_empty());
        let is_message = account != own && entry.only_device == 0 && entry.ends_at == 0;
        if is_message && wants_transcript && !has_transcript {
            // There are own devices that we do not know: their list is asked for, then the transcript is sealed.
            let mut peer = peers::record(tx, own).await?;
            peer.listed = false;
            tx.put(own.as_bytes(), &peer);
            entry.sealed = false;
        }
        tx.put(&key::outbox(seq), &entry);
        Ok(())
    }
}

fn body(bundle: &Bundle, part: &Recipient) -> SendMessages {
    let messages = part.messages.iter().map(|message| IncomingMessage {
        kind: message.kind.into(),
        destination_device_id: message.device,
        destination_registration_id: message.registration_id.into(),
        content: Base64(message.content.clone()),
    });
    SendMessages {
        messages: messages.collect(),
        timestamp: bundle.timestamp,
        online: bundle.online,
        urgent: bundle.urgent,
    }
}

/// What is wrong with the devices of a part, in the words of a bundle's refusal.
fn mismatch(account: AccountId, response: &Response) -> Option<AccountMismatch> {
    let (mut missing, mut extra, mut stale) = (Vec::new(), Vec::new(), Vec::new());
    if response.status == 409 {
        let devices: MismatchedDevices = from_json(&response.body).ok()?;
        (missing, extra) = (devices.missing_devices, devices.extra_devices);
    } else {
        stale = from_json::<StaleDevices>(&response.body)
            .ok()?
            .stale_devices;
    }
    let gone = false;
    Some(AccountMismatch {
        account,
        missing,
        extra,
        stale,
        gone,
    })
}
