//! Envelopes from the mailbox: a whole batch is one load and one commit, then the acks.
//!
//! Rule R-1: an envelope dealt with is only acked. Rule R-2: what fails to decrypt changes nothing
//! but leaves a record. Rule R-3: sync content counts only from a verified own device. It doesn't
//! know what messages mean (see `sync` and `thread`).

use wire::limits::TEXT_MAX;
use wire::{DeviceAddress, Envelope, EnvelopeKind, MessageId};

use crate::account::Account;
use crate::content::{self, Opened, Sender};
use crate::error::{Error, Refusal};
use crate::limits::CLOCK_SKEW_MS;
use crate::output::{Event, MessageKind, MessageStatus};
use crate::peers;
use crate::session::{Ciphertext, Incarnation, PeerFault, Sessions};
use crate::state::State;
use crate::store::Table;
use crate::thread::{self, NewMessage};
use crate::tx::Tx;

/// An envelope that came in, and the request it came with.
struct Item {
    request: u64,
    envelope: Envelope,
    ciphertext: Result<Ciphertext, PeerFault>,
}

impl State {
    /// Deals with a batch: (request id, envelope bytes), in order.
    pub(crate) async fn receive(
        &mut self,
        tx: &mut Tx<'_>,
        batch: Vec<(u64, Vec<u8>)>,
    ) -> Result<(), Error> {
        let Some(own) = self.account.clone() else {
            return Ok(());
        };
        let mut items = Vec::with_capacity(batch.len());
        for (request, bytes) in batch {
            match Envelope::decode(&bytes) {
                Ok(envelope) => {
                    let ciphertext = Ciphertext::parse(envelope.kind, &envelope.content);
                    items.push(Item {
                        request,
                        envelope,
                        ciphertext,
                    });
                }
                Err(_) => {
                    // It will never decode: kept in the mailbox it would come again for ever.
                    tx.emit(Event::Failure(Refusal::RelayProtocol));
                    self.connection.answer(tx, request, 200);
                }
            }
        }
        prefetch(tx, &items).await?;
        let opened = self.decrypt_all(tx, &own, &items).await?;
        let ids = opened
            .iter()
            .filter_map(|(_, result)| Some(result.as_ref().ok()?.message_id));
        let index = ids.map(|id| (Table::MessageIndex, id.as_bytes().to_vec()));
        tx.prefetch(index.collect()).await?;
        for (envelope, result) in opened {
            match result {
                Ok(opened) => self.apply(tx, envelope, opened).await?,
                Err(fault) => record_failure(tx, &own, envelope, fault).await?,
            }
        }
        if items
            .iter()
            .any(|item| matches!(item.ciphertext, Ok(Ciphertext::PreKey(_))))
        {
            self.ask_key_counts(tx); // a first message has used one-time keys up
        }
        for item in &items {
            self.connection.answer(tx, item.request, 200);
        }
        Ok(())
    }

    async fn decrypt_all<'i>(
        &mut self,
        tx: &mut Tx<'_>,
        own: &Account,
        items: &'i [Item],
    ) -> Result<Vec<(&'i Envelope, Result<Opened, PeerFault>)>, Error> {
        let mut sessions = Sessions::new(own);
        let mut opened = Vec::with_capacity(items.len());
        for Item {
            request: _,
            envelope,
            ciphertext,
        } in items
        {
            if envelope.kind == EnvelopeKind::ServerReceipt || is_for_others(envelope, own) {
                continue;
            }
            if let Some(guid) = envelope.guid
                && !self.seen.mark(guid)
            {
                continue; // rule R-1
            }
            let result = match ciphertext {
                Ok(ciphertext) => {
                    let from = envelope.source;
                    sessions.load(tx, from).await?;
                    if let Ciphertext::PreKey(message) = ciphertext {
                        sessions.load_pre_keys(tx, message).await?;
                    }
                    let accept = |padded, epoch| content::open(padded, from, epoch, own);
                    sessions.decrypt(from, ciphertext, tx.now, &mut self.rng, accept)
                }
                Err(fault) => Err(*fault),
            };
            if let Ok((_, from)) = &result {
                note_device(tx, own, *from).await?;
            }
            opened.push((envelope, result.map(|(opened, _)| opened)));
        }
        self.seen.store(tx);
        sessions.store(tx).await?;
        Ok(opened)
    }

    /// The relay has sent all that waited, and heard our acks of it.
    pub(crate) async fn mailbox_empty(&mut self, tx: &mut Tx<'_>) -> Result<(), Error> {
        self.clock.drains = self.clock.drains.saturating_add(1);
        self.save_clock(tx);
        self.seen.next_generation(tx, self.clock.drains).await
    }

    async fn apply(
        &mut self,
        tx: &mut Tx<'_>,
        envelope: &Envelope,
        opened: Opened,
    ) -> Result<(), Error> {
        let Opened {
            from,
            message_id: id,
            content,
        } = opened;
        match from {
            Sender::Peer(from) => {
                let Some(message) = content.data_message else {
                    return Ok(());
                };
                let Some(text) = message.body else {
                    return Ok(());
                };
                self.note_contact(tx, from.account).await?;
                let sent_at = message.timestamp.unwrap_or(envelope.client_timestamp);
                // A clock far ahead of the relay's would put the message below all others for ever.
                let believed = sent_at <= envelope.server_timestamp.saturating_add(CLOCK_SKEW_MS);
                let order = if believed {
                    sent_at
                } else {
                    envelope.server_timestamp
                };
                self.note_time(tx, order);
                let message = incoming(id, from, text, sent_at, order);
                thread::insert(tx, message).await?;
                Ok(())
            }
            Sender::Own(device) => match content.sync_message {
                Some(message) => self.apply_sync(tx, device, id, message).await,
                None => Ok(()),
            },
        }
    }
}

fn incoming(
    id: MessageId,
    from: DeviceAddress,
    text: String,
    sent_at: u64,
    order: u64,
) -> NewMessage {
    let too_long = text.len() > TEXT_MAX;
    NewMessage {
        id,
        conversation: from.account,
        author: from,
        kind: if too_long {
            MessageKind::Unreadable
        } else {
            MessageKind::Text
        },
        text: if too_long { String::new() } else { text },
        sent_at,
        order,
        status: MessageStatus::Received,
    }
}

/// One load for all that the batch's headers name.
async fn prefetch(tx: &mut Tx<'_>, items: &[Item]) -> Result<(), Error> {
    let mut wants = Vec::new();
    for Item {
        envelope,
        ciphertext,
        ..
    } in items
    {
        if let Ok(ciphertext) = ciphertext {
            wants.extend(ciphertext.wants(envelope.source));
            let account = envelope.source.account.as_bytes();
            wants.push((Table::Contacts, account.to_vec()));
            wants.push((Table::Conversations, account.to_vec()));
        }
    }
    tx.prefetch(wants).await
}

fn is_for_others(envelope: &Envelope, own: &Account) -> bool {
    envelope
        .destination
        .is_some_and(|account| account != own.id())
        || envelope.source == own.address
}

/// A device that wrote to us is there, and of this incarnation, unless we know that one to be gone.
async fn note_device(tx: &mut Tx<'_>, own: &Account, from: Incarnation) -> Result<(), Error> {
    let Incarnation { address, epoch } = from;
    let mut peer = peers::record(tx, address.account).await?;
    let known = peers::current(&peer).any(|known| known == (address.device, epoch));
    if known || peers::is_stale(&peer, address.device, epoch) {
        return Ok(());
    }
    peers::add_device(&mut peer, address.device, epoch, tx.now.0);
    if address.account == own.id() {
        peers::put_own(tx, own.id(), &peer);
    } else {
        tx.put(address.account.as_bytes(), &peer);
    }
    Ok(())
}

/// A message that can't be read keeps its place in the thread, if we know its sender: anybody can send
/// garbage in a stranger's name.
async fn record_failure(
    tx: &mut Tx<'_>,
    own: &Account,
    envelope: &Envelope,
    fault: PeerFault,
) -> Result<(), Error> {
    let from = envelope.source;
    if fault == PeerFault::Duplicate || from.account == own.id() {
        return Ok(());
    }
    if peers::record(tx, from.account).await?.identity.is_empty() {
        return Ok(());
    }
    if fault == PeerFault::Untrusted {
        tx.emit(Event::IdentityChanged(from.account));
    }
    let Some(guid) = envelope.guid else {
        return Ok(());
    };
    let message = NewMessage {
        id: MessageId::from_bytes(guid),
        conversation: from.account,
        author: from,
        kind: MessageKind::Unreadable,
        text: String::new(),
        sent_at: envelope.client_timestamp,
        order: envelope.server_timestamp,
        status: MessageStatus::Received,
    };
    thread::insert(tx, message).await?;
    Ok(())
}
