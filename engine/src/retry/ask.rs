//! The receiving side: a message that can't be read keeps its place in the thread, its sender is asked for it
//! once, and when it comes it takes that place; if it does not, the place says so.

use wire::{DeviceAddress, Envelope, MessageId};

use super::request_for;
use crate::error::Error;
use crate::inbox::believed_order;
use crate::input::Timestamp;
use crate::limits::{HOUR_MS, RETRY_ASKS_MAX, WAITING_MAX, WAITING_MS};
use crate::output::{MessageKind, MessageStatus};
use crate::peers;
use crate::record::{OutboxRecord, Record, WaitingRecord, key};
use crate::registers;
use crate::state::State;
use crate::store::{Scan, Table};
use crate::thread::{self, NewMessage};
use crate::tx::Tx;

impl State {
    /// A message of somebody we know can't be read. Anybody can send garbage in a stranger's name, so
    /// of strangers nothing is kept.
    pub(crate) async fn could_not_read(
        &mut self,
        tx: &mut Tx<'_>,
        envelope: &Envelope,
    ) -> Result<(), Error> {
        let from = envelope.source;
        let own = self.own_id()?;
        let peer = peers::record(tx, from.account).await?;
        if from.account != own && peer.identity.is_empty() {
            return Ok(());
        }
        if self.waiting.has(from, envelope.client_timestamp) {
            return Ok(()); // the answer can't be read either: once is enough
        }
        if registers::is_blocked(tx, from.account).await? {
            return Ok(());
        }
        let request = match request_for(envelope) {
            Some(request) if self.may_ask(tx, from).await? => Some(request),
            _ => None,
        };
        let place = match envelope.guid.filter(|_| from.account != own) {
            Some(guid) => Some(keep_place(tx, envelope, guid, request.is_some()).await?),
            None => None,
        };
        let Some(request) = request else {
            return Ok(());
        };
        let record = WaitingRecord {
            asked_at: tx.now.0,
            placeholder: place.map_or_else(Vec::new, |id| id.as_bytes().to_vec()),
        };
        let at = key::waiting(from, envelope.client_timestamp);
        tx.put(&at, &record);
        self.waiting.0.insert(at);
        let bundle_id = self.new_message_id(tx.now.0);
        let entry = OutboxRecord {
            message_id: bundle_id.as_bytes().to_vec(),
            conversation: from.account.as_bytes().to_vec(),
            timestamp: envelope.client_timestamp,
            only_device: from.device.into(),
            plaintext: request,
            ..OutboxRecord::default()
        };
        self.enqueue(tx, &entry);
        Ok(())
    }

    async fn may_ask(&self, tx: &mut Tx<'_>, from: DeviceAddress) -> Result<bool, Error> {
        if self.waiting.0.len() >= WAITING_MAX {
            return Ok(false);
        }
        let since = tx.now.0.saturating_sub(HOUR_MS);
        let of_device = Scan::prefix(Table::Waiting, &key::session(from), WAITING_MAX);
        let mut lately = 0;
        for (_, bytes) in tx.scan(of_device).await? {
            lately += usize::from(WaitingRecord::read(&bytes)?.asked_at > since);
        }
        Ok(lately < RETRY_ASKS_MAX)
    }

    /// Where a message stands that may have been waited for: where its place was kept. The relay takes a repeat later than
    /// what was written after it, so of a clock that is ahead it would be believed too much.
    pub(crate) async fn order_of(
        &self,
        tx: &mut Tx<'_>,
        envelope: &Envelope,
        sent_at: u64,
    ) -> Result<u64, Error> {
        let believed = believed_order(sent_at, envelope);
        let (from, timestamp) = (envelope.source, envelope.client_timestamp);
        if !self.waiting.has(from, timestamp) {
            return Ok(believed);
        }
        let at = key::waiting(from, timestamp);
        let waiting = tx.get::<WaitingRecord>(&at).await?.unwrap_or_default();
        let kept = match MessageId::from_slice(&waiting.placeholder) {
            Ok(id) => thread::kept_order(tx, id).await?,
            Err(_) => None,
        };
        Ok(kept.map_or(believed, |kept| kept.min(believed)))
    }

    /// A message came and was read: if it was waited for, its place is free.
    pub(crate) async fn no_longer_waiting(
        &mut self,
        tx: &mut Tx<'_>,
        from: DeviceAddress,
        timestamp: u64,
    ) -> Result<(), Error> {
        if !self.waiting.has(from, timestamp) {
            return Ok(());
        }
        let at = key::waiting(from, timestamp);
        if let Some(record) = tx.get::<WaitingRecord>(&at).await?
            && let Ok(id) = MessageId::from_slice(&record.placeholder)
        {
            thread::remove_placeholder(tx, id).await?;
        }
        self.stop_waiting(tx, &at);
        Ok(())
    }

    fn stop_waiting(&mut self, tx: &mut Tx<'_>, at: &[u8]) {
        tx.delete(Table::Waiting, at);
        self.waiting.0.remove(at);
    }

    /// What has not come for so long does not come: its sender has forgotten it.
    pub(crate) async fn give_up_waiting(&mut self, tx: &mut Tx<'_>) -> Result<(), Error> {
        let all = self.waiting.0.clone();
        let places = all.iter().map(|at| (Table::Waiting, at.clone()));
        tx.prefetch(places.collect()).await?;
        for at in all {
            let Some(record) = tx.get::<WaitingRecord>(&at).await? else {
                self.stop_waiting(tx, &at);
                continue;
            };
            if tx.now < Timestamp(record.asked_at).plus_ms(WAITING_MS) {
                continue;
            }
            if let Ok(id) = MessageId::from_slice(&record.placeholder) {
                thread::end_placeholder(tx, id).await?;
            }
            self.stop_waiting(tx, &at);
        }
        Ok(())
    }
}

/// A placeholder, where the message would stand. Gives its id.
async fn keep_place(
    tx: &mut Tx<'_>,
    envelope: &Envelope,
    guid: [u8; 16],
    asked: bool,
) -> Result<MessageId, Error> {
    let from = envelope.source;
    let id = MessageId::from_bytes(guid);
    let kind = if asked {
        MessageKind::Waiting
    } else {
        MessageKind::Unreadable
    };
    let sent_at = envelope.client_timestamp;
    let place = (id, from.account, from);
    let message = NewMessage {
        order: believed_order(sent_at, envelope),
        ..NewMessage::new(place, kind, sent_at, MessageStatus::Received)
    };
    thread::insert(tx, message, &[]).await?;
    Ok(id)
}
