//! Messages on their way out. An entry goes from queued to sealed to gone, and never back, save that a
//! refused bundle is repaired.
//!
//! Rule B-1: one entry of a conversation is in flight at a time, in order. Rule B-2: a sealed bundle is
//! sent as stored, byte for byte, until the relay has answered. Rule B-3: a repair is finished before
//! anything else is sealed for the accounts it concerns. It does not encrypt (see `fan_out`) and does
//! not know sockets.

mod fan_out;
mod repair;

use std::collections::{BTreeMap, BTreeSet};

use prost::Message as _;
use rand::RngCore;
use wire::bundle::{AccountMismatch, Bundle};
use wire::proto::service::SyncMessage;
use wire::{AccountId, DeviceId, Endpoint, MessageId, Response};

use crate::content;
use crate::error::{Error, Refusal};
use crate::input::{ConversationId, Timestamp};
use crate::limits::{
    OUTBOX_MAX, OUTBOX_WINDOW, SEND_RETRY_MAX_MS, SEND_RETRY_MIN_MS, SEND_RETRY_MS, SEND_TRIES_MAX,
};
use crate::output::{MessageKind, MessageStatus};
use crate::record::{OutboxRecord, Record, key};
use crate::request::Pending;
use crate::state::State;
use crate::store::{Direction, Scan, Table};
use crate::thread::{self, NewMessage};
use crate::tx::Tx;
use fan_out::Sealing;

/// What of the outbox only memory knows: it ends with the connection.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    in_flight: BTreeSet<u64>,
    /// Keys that were asked for and have not come: of one device, or of all of the account.
    fetching: BTreeSet<(AccountId, Option<DeviceId>)>,
    /// Conversations whose next send has to wait: one full mailbox must not hold up the others.
    waits: BTreeMap<AccountId, Timestamp>,
    /// Accounts whose keys may not be asked for yet.
    key_waits: BTreeMap<AccountId, Timestamp>,
    /// There may be something to send.
    pub(crate) due: bool,
}

impl Outbox {
    /// The connection is gone: nothing is in flight any more.
    pub(crate) fn reset(&mut self) {
        *self = Self {
            due: self.due,
            ..Self::default()
        };
    }

    /// When a refused send is tried again.
    pub(crate) fn deadline(&self) -> Option<Timestamp> {
        self.waits
            .values()
            .chain(self.key_waits.values())
            .min()
            .copied()
    }

    /// Looks again at what has waited long enough.
    pub(crate) fn tick(&mut self, now: Timestamp) {
        let before = self.waits.len() + self.key_waits.len();
        self.waits.retain(|_, until| *until > now);
        self.key_waits.retain(|_, until| *until > now);
        self.due |= self.waits.len() + self.key_waits.len() < before;
    }
}

impl State {
    /// Stores a text and the intent to send it.
    pub(crate) async fn enqueue_text(
        &mut self,
        tx: &mut Tx<'_>,
        conversation: ConversationId,
        text: String,
    ) -> Result<Result<MessageId, Refusal>, Error> {
        let Some(account) = self.account.clone() else {
            return Ok(Err(Refusal::NotReady));
        };
        if !self.has_room(tx).await? {
            return Ok(Err(Refusal::QueueFull));
        }
        let id = self.new_message_id();
        let timestamp = self.next_timestamp(tx);
        let message = content::text(text.clone(), timestamp);
        let transcript = content::transcript(conversation, message.clone());
        let to_self = conversation == account.id();
        let entry = OutboxRecord {
            message_id: id.as_bytes().to_vec(),
            conversation: conversation.as_bytes().to_vec(),
            content: if to_self {
                Vec::new()
            } else {
                content::data(message).encode_to_vec()
            },
            transcript: transcript.encode_to_vec(),
            timestamp,
            ..OutboxRecord::default()
        };
        self.enqueue(tx, &entry);
        let message = NewMessage {
            id,
            conversation,
            author: account.address,
            kind: MessageKind::Text,
            text,
            sent_at: timestamp,
            order: timestamp,
            status: MessageStatus::Queued,
        };
        thread::insert(tx, message).await?;
        Ok(Ok(id))
    }

    /// Stores something for own other devices.
    pub(crate) fn enqueue_sync(&mut self, tx: &mut Tx<'_>, message: SyncMessage) {
        let Some(account) = self.account.clone() else {
            return;
        };
        let id = self.new_message_id();
        let entry = OutboxRecord {
            message_id: id.as_bytes().to_vec(),
            conversation: account.id().as_bytes().to_vec(),
            transcript: content::sync(message).encode_to_vec(),
            timestamp: self.next_timestamp(tx),
            ..OutboxRecord::default()
        };
        self.enqueue(tx, &entry);
    }

    fn enqueue(&mut self, tx: &mut Tx<'_>, entry: &OutboxRecord) {
        self.clock.next_outbox += 1;
        tx.put(&key::outbox(self.clock.next_outbox), entry);
        self.save_clock(tx);
        self.outbox.due = true;
    }

    async fn has_room(&self, tx: &mut Tx<'_>) -> Result<bool, Error> {
        let oldest = tx.scan(outbox_scan(1)).await?;
        let first = oldest.first().and_then(|(at, _)| sequence(at));
        Ok(first.is_none_or(|first| self.clock.next_outbox.saturating_sub(first) < OUTBOX_MAX))
    }

    fn new_message_id(&mut self) -> MessageId {
        let mut bytes = [0; 16];
        self.rng.fill_bytes(&mut bytes);
        MessageId::from_bytes(bytes)
    }

    /// Sends what can be sent: the oldest entry of each conversation.
    pub(crate) async fn pump(&mut self, tx: &mut Tx<'_>) -> Result<(), Error> {
        self.outbox.due = false;
        if !self.connection.is_up() || self.account.is_none() {
            return Ok(());
        }
        let mut seen = BTreeSet::new();
        for (seq, entry) in waiting(tx).await? {
            let first = seen.insert(entry.conversation.clone());
            let waits = conversation(&entry).is_some_and(|id| self.outbox.waits.contains_key(&id));
            if first && !waits && !self.outbox.in_flight.contains(&seq) {
                self.advance(tx, seq, entry).await?;
            }
        }
        Ok(())
    }

    async fn advance(
        &mut self,
        tx: &mut Tx<'_>,
        seq: u64,
        mut entry: OutboxRecord,
    ) -> Result<(), Error> {
        if !entry.sealed {
            let accounts = self.accounts_of(&entry)?;
            let Outbox {
                fetching,
                key_waits,
                ..
            } = &self.outbox;
            if accounts
                .iter()
                .any(|id| fetching.iter().any(|(of, _)| of == id) || key_waits.contains_key(id))
            {
                return Ok(()); // rule B-3
            }
            match self.seal(tx, &entry, &accounts).await? {
                Sealing::Sealed(bundle) => {
                    entry.bundle = bundle.encode();
                    entry.sealed = true;
                    tx.put(&key::outbox(seq), &entry);
                }
                Sealing::Needs(needs) => return self.fetch_keys(tx, seq, entry, needs).await,
                Sealing::Failed(refusal) => return self.fail(tx, seq, &entry, refusal).await,
            }
        }
        self.outbox.in_flight.insert(seq);
        let pending = Pending::Bundle(seq);
        self.connection
            .request(tx, &Endpoint::Bundles, Vec::new(), entry.bundle, pending);
        Ok(())
    }

    /// The accounts whose devices an entry goes to: the peer, and always ourselves.
    fn accounts_of(&self, entry: &OutboxRecord) -> Result<Vec<AccountId>, Error> {
        let own = self
            .account
            .as_ref()
            .ok_or(Error::Bug("sending without an account"))?
            .id();
        let to = AccountId::from_slice(&entry.conversation)
            .map_err(|_| Error::Bug("outbox entry without a conversation"))?;
        let to_peer = !entry.content.is_empty() && to != own;
        Ok(if to_peer { vec![to, own] } else { vec![own] })
    }

    /// The relay's answer to a bundle.
    pub(crate) async fn bundle_answered(
        &mut self,
        tx: &mut Tx<'_>,
        seq: u64,
        response: &Response,
    ) -> Result<(), Error> {
        self.outbox.in_flight.remove(&seq);
        self.outbox.due = true;
        let Some(entry) = tx.get::<OutboxRecord>(&key::outbox(seq)).await? else {
            return Ok(());
        };
        match response.status {
            200..=299 => {
                tx.delete(Table::Outbox, &key::outbox(seq));
                self.report_status(tx, &entry, MessageStatus::Sent).await
            }
            409 => match AccountMismatch::decode_all(&response.body) {
                Ok(mismatches) => self.repair(tx, seq, entry, mismatches).await,
                Err(_) => self.fail(tx, seq, &entry, Refusal::RelayProtocol).await,
            },
            413 => self.fail(tx, seq, &entry, Refusal::MessageTooLong).await,
            429 | 500..=599 => {
                if let Some(id) = conversation(&entry) {
                    self.outbox.waits.insert(id, retry_at(tx.now, response));
                }
                Ok(())
            }
            _ => self.fail(tx, seq, &entry, Refusal::RelayRefused).await,
        }
    }

    /// Gives an entry up. Its message stays, marked as failed.
    async fn fail(
        &mut self,
        tx: &mut Tx<'_>,
        seq: u64,
        entry: &OutboxRecord,
        refusal: Refusal,
    ) -> Result<(), Error> {
        tx.delete(Table::Outbox, &key::outbox(seq));
        self.outbox.due = true;
        self.report_status(tx, entry, MessageStatus::Failed(refusal))
            .await
    }

    async fn report_status(
        &self,
        tx: &mut Tx<'_>,
        entry: &OutboxRecord,
        status: MessageStatus,
    ) -> Result<(), Error> {
        match MessageId::from_slice(&entry.message_id) {
            Ok(id) => thread::update_status(tx, id, status).await,
            Err(_) => Err(Error::Bug("outbox entry without a message id")),
        }
    }

    /// Counts a try; a relay may not send us in circles (S-24).
    fn may_try_again(entry: &mut OutboxRecord) -> bool {
        entry.tries += 1;
        entry.tries < SEND_TRIES_MAX
    }
}

/// As late as the relay asks, within reason; else after a pause.
fn retry_at(now: Timestamp, response: &Response) -> Timestamp {
    let asked = response
        .header("retry-after")
        .and_then(|s| s.parse::<u64>().ok());
    let ms = asked.map_or(SEND_RETRY_MS, |s| s.saturating_mul(1000));
    now.plus_ms(ms.clamp(SEND_RETRY_MIN_MS, SEND_RETRY_MAX_MS))
}

fn conversation(entry: &OutboxRecord) -> Option<ConversationId> {
    AccountId::from_slice(&entry.conversation).ok()
}

/// What has been sealed of an entry so far.
fn sealed_so_far(entry: &OutboxRecord) -> Result<Bundle, Error> {
    if entry.bundle.is_empty() {
        let id = MessageId::from_slice(&entry.message_id);
        return Ok(Bundle {
            id: id.map_err(|_| Error::Bug("outbox entry without a message id"))?,
            timestamp: entry.timestamp,
            urgent: !entry.content.is_empty(),
            recipients: Vec::new(),
        });
    }
    Bundle::decode(&entry.bundle).map_err(|_| Error::Bug("a stored bundle does not decode"))
}

/// The oldest entries, with their numbers.
async fn waiting(tx: &mut Tx<'_>) -> Result<Vec<(u64, OutboxRecord)>, Error> {
    let rows = tx.scan(outbox_scan(OUTBOX_WINDOW)).await?;
    let numbered = rows
        .iter()
        .filter_map(|(at, bytes)| Some((sequence(at)?, bytes)));
    numbered
        .map(|(seq, bytes)| Ok((seq, OutboxRecord::read(bytes)?)))
        .collect()
}

fn outbox_scan(limit: usize) -> Scan {
    let (from, to) = (Vec::new(), None);
    Scan {
        table: Table::Outbox,
        from,
        to,
        direction: Direction::Forward,
        limit,
    }
}

fn sequence(key: &[u8]) -> Option<u64> {
    Some(u64::from_be_bytes(key.try_into().ok()?))
}
