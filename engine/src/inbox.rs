//! Envelopes from the mailbox: a whole batch is one load and one commit, then the acks.
//!
//! Rule R-1: an envelope dealt with is only acked. Rule R-2: what fails to decrypt changes nothing
//! but leaves a record. Rule R-3: sync content counts only from a verified own device. It doesn't
//! know what messages mean (see `sync` and `thread`).

use wire::certificate::Role;
use wire::proto::service::Content;
use wire::{AccountId, Envelope, EnvelopeKind};

use crate::account::Account;
use crate::content::{self, Opened, Sender};
use crate::error::{Error, Refusal};
use crate::limits::CLOCK_SKEW_MS;
use crate::output::{Event, MessageStatus};
use crate::own_name;
use crate::peers;
use crate::receipts::Receipted;
use crate::record::key;
use crate::registers;
use crate::registers::{Field, Place};
use crate::session::{Ciphertext, Incarnation, PeerFault, Sessions};
use crate::staff;
use crate::state::State;
use crate::store::{Direction, Scan, Table};
use crate::sync::Way;
use crate::take_in::Origin;
use crate::thread;
use crate::trust;
use crate::tx::Tx;

/// An envelope that came in.
struct Item {
    envelope: Envelope,
    ciphertext: Result<Ciphertext, PeerFault>,
}

impl Item {
    fn new(envelope: Envelope) -> Self {
        let ciphertext = Ciphertext::parse(envelope.kind, &envelope.content);
        Self {
            envelope,
            ciphertext,
        }
    }
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
        let mut requests = Vec::with_capacity(batch.len());
        for (request, bytes) in batch {
            requests.push(request);
            match own.envelope(&bytes) {
                // Rule R-1: what was dealt with is only acked.
                Ok(envelope) if self.is_new(&own, &envelope) => items.push(Item::new(envelope)),
                Ok(_) => {}
                // It will never decode: kept in the mailbox it would come again for ever.
                Err(_) => tx.emit(Event::Failure(Refusal::RelayProtocol)),
            }
        }
        self.seen.store(tx);
        self.deal_with(tx, &own, &items).await?;
        for request in requests {
            self.connection.answer(tx, request, 200);
        }
        Ok(())
    }

    /// Deals with envelopes that were held back until now.
    pub(crate) async fn receive_held(
        &mut self,
        tx: &mut Tx<'_>,
        envelopes: Vec<Envelope>,
    ) -> Result<(), Error> {
        let Some(own) = self.account.clone() else {
            return Ok(());
        };
        let items: Vec<Item> = envelopes.into_iter().map(Item::new).collect();
        self.deal_with(tx, &own, &items).await
    }

    fn is_new(&mut self, own: &Account, envelope: &Envelope) -> bool {
        envelope.kind != EnvelopeKind::ServerReceipt
            && !is_for_others(envelope, own)
            && envelope.guid.is_none_or(|guid| self.seen.mark(guid))
    }

    async fn deal_with(
        &mut self,
        tx: &mut Tx<'_>,
        own: &Account,
        items: &[Item],
    ) -> Result<(), Error> {
        prefetch(tx, items).await?;
        let opened = self.decrypt_all(tx, own, items).await?;
        let ids = opened
            .iter()
            .filter_map(|(_, result)| Some(result.as_ref().ok()?.message_id.as_bytes().to_vec()));
        tx.prefetch_near(Table::MessageIndex, ids.collect()).await?;
        for (item, result) in opened {
            let envelope = &item.envelope;
            match result {
                Ok(opened) => {
                    self.apply(tx, envelope, opened).await?;
                    let (from, timestamp) = (envelope.source, envelope.client_timestamp);
                    self.no_longer_waiting(tx, from, timestamp).await?;
                }
                Err(_) if envelope.kind == EnvelopeKind::Plaintext => {
                    self.retry_requested(tx, envelope).await?;
                }
                Err(PeerFault::Duplicate) => {}
                Err(PeerFault::Untrusted) => {
                    let key = item.ciphertext.as_ref().ok().and_then(Ciphertext::identity);
                    self.hold(tx, envelope, key).await?;
                }
                Err(PeerFault::Unreadable) => self.could_not_read(tx, envelope).await?,
            }
        }
        self.settle_batch(tx).await?;
        if items
            .iter()
            .any(|item| matches!(item.ciphertext, Ok(Ciphertext::PreKey(_))))
        {
            self.ask_key_counts(tx); // a first message has used one-time keys up
        }
        Ok(())
    }

    /// Of a blocked person nothing new is stored but that a message is not wanted, so that no own device brings it back.
    async fn ignore(
        &mut self,
        tx: &mut Tx<'_>,
        from: AccountId,
        message: Receipted,
    ) -> Result<(), Error> {
        thread::remove(tx, from, message.id).await?;
        self.batch.ignored.entry(from).or_default().push(message);
        Ok(())
    }

    async fn decrypt_all<'i>(
        &mut self,
        tx: &mut Tx<'_>,
        own: &Account,
        items: &'i [Item],
    ) -> Result<Vec<(&'i Item, Result<Opened, PeerFault>)>, Error> {
        let mut sessions = Sessions::new(own);
        let mut opened = Vec::with_capacity(items.len());
        for item in items {
            let from = item.envelope.source;
            let result = match &item.ciphertext {
                Ok(_) if self.suspect.is_quarantined(&item.envelope) => Err(PeerFault::Unreadable),
                Ok(ciphertext) => {
                    sessions.load(tx, from).await?;
                    if let Ciphertext::PreKey(message) = ciphertext {
                        sessions.load_pre_keys(tx, message).await?;
                    }
                    let accept = |padded, epoch| content::open(padded, from, epoch, own);
                    match item.envelope.certified && !sessions.knows(from.account) {
                        // Its key is not the account's, which is what is trusted at first use.
                        true => Err(PeerFault::Untrusted),
                        false => sessions.decrypt(from, ciphertext, tx.now, &mut self.rng, accept),
                    }
                }
                Err(fault) => Err(*fault),
            };
            let mut role = Role::Owner;
            if let Ok((opened, from)) = &result {
                role = note_device(tx, own, *from).await?;
                let binding = opened.content.binding.as_ref();
                self.heard(tx, from.address.account, binding).await?;
            }
            opened.push((item, result.map(|(opened, _)| opened.by(role))));
        }
        sessions.store(tx).await?;
        Ok(opened)
    }

    /// The relay has sent all that waited, and heard our acks of it. It says so once a connection: said again, it says nothing
    /// of acks, and marks must not be forgotten by it.
    pub(crate) async fn mailbox_empty(&mut self, tx: &mut Tx<'_>) -> Result<(), Error> {
        if !self.clock.draining {
            return Ok(());
        }
        self.clock.drains = self.clock.drains.saturating_add(1);
        self.clock.draining = false;
        self.suspect.clear();
        tx.delete(Table::Meta, key::ATTEMPT);
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
            role,
            message_id: id,
            content,
        } = opened;
        let is_own = matches!(from, Sender::Own(_));
        let Some(content) = staff::believed(role, is_own, content) else {
            self.count_refused(tx); // it may not say that (rule ST-1)
            return Ok(());
        };
        let source = envelope.source;
        if let Some(told) = &content.staff {
            self.heard_staff(tx, source.account, role, told).await?;
        }
        let staff = match role.is_delegate() {
            true => Some(staff::label(
                &peers::record(tx, source.account).await?,
                source.device,
            )),
            false => None,
        };
        match from {
            Sender::Peer(from) => {
                let sent_at = sent_at(&content).unwrap_or(envelope.client_timestamp);
                let origin = Origin {
                    id,
                    conversation: from.account,
                    author: from,
                    sent_at,
                    order: self.order_of(tx, envelope, sent_at).await?,
                    status: MessageStatus::Received,
                    started: None,
                    staff,
                };
                self.apply_of_peer(tx, origin, content).await
            }
            Sender::Own(device) => match content.sync_message {
                Some(message) => {
                    self.apply_signal(tx, &message, envelope.client_timestamp)
                        .await?;
                    if message.repair.is_none() && !role.is_delegate() {
                        self.note_other_device(envelope);
                    }
                    let way = Way {
                        id,
                        taken: envelope.server_timestamp,
                        staff,
                    };
                    self.apply_sync(tx, device, way, message).await
                }
                None => Ok(()),
            },
        }
    }

    async fn apply_of_peer(
        &mut self,
        tx: &mut Tx<'_>,
        origin: Origin,
        content: Content,
    ) -> Result<(), Error> {
        let (from, id, sent_at) = (origin.author, origin.id, origin.sent_at);
        if let Some(receipt) = content.receipt_message {
            return self.take_receipt(tx, from, id, receipt).await;
        }
        if let Some(typing) = content.typing_message {
            return Self::take_typing(tx, from.account, &typing).await;
        }
        let message = content.data_message.as_ref();
        let without_staff = message.is_some_and(|message| message.without_staff());
        let author_name = message.and_then(|message| message.author_name.clone());
        let said = self.context(from.account).content(content);
        if said.is_message() && registers::is_blocked(tx, from.account).await? {
            return self
                .ignore(tx, from.account, Receipted { id, sent_at })
                .await;
        }
        if said.is_message() {
            self.note_contact(tx, from.account).await?;
            self.note_time(tx, origin.order);
        }
        // What a person says of themself they say themself.
        if origin.staff.is_none() {
            if said.is_message() {
                self.heard_wish(tx, from.account, without_staff, sent_at)
                    .await?;
            }
            if let Some(name) = author_name {
                own_name::note(tx, from.account, &name, sent_at).await?;
            }
        }
        self.take_in(tx, origin, said).await
    }
}

/// When a message says that it was written.
fn sent_at(content: &Content) -> Option<u64> {
    content.data_message.as_ref()?.timestamp
}

/// Where a message stands. A clock far ahead of the relay's would put it below all others for ever. The bound grows
/// with the relay's clock, so that a sender's messages keep their order on both sides of it.
pub(crate) fn believed_order(sent_at: u64, envelope: &Envelope) -> u64 {
    sent_at.min(envelope.server_timestamp.saturating_add(CLOCK_SKEW_MS))
}

/// One load for all that the batch's headers name, and to know new messages by.
async fn prefetch(tx: &mut Tx<'_>, items: &[Item]) -> Result<(), Error> {
    if items.is_empty() {
        return Ok(());
    }
    let mut wants = Vec::new();
    for Item {
        envelope,
        ciphertext,
    } in items
    {
        if let Ok(ciphertext) = ciphertext {
            wants.extend(ciphertext.wants(envelope.source));
            let account = envelope.source.account.as_bytes();
            wants.push((Table::Contacts, account.to_vec()));
            wants.push((Table::Conversations, account.to_vec()));
            let fields = [Field::Request, Field::Blocked];
            let place = |field| Place::of(envelope.source.account, field).key();
            wants.extend(fields.map(|field| (Table::Registers, place(field))));
        }
    }
    // An id begins with the time of its message, usually, so this range says which of them are known.
    let times = items.iter().map(|item| item.envelope.client_timestamp);
    let (first, last) = (times.clone().min(), times.max());
    let ids = Scan {
        table: Table::MessageIndex,
        from: key::index_at(first.unwrap_or(0)).to_vec(),
        to: Some(key::index_at(last.unwrap_or(0).saturating_add(1)).to_vec()),
        direction: Direction::Forward,
        limit: items.len().saturating_mul(2),
    };
    tx.prefetch_with(wants, vec![ids]).await
}

fn is_for_others(envelope: &Envelope, own: &Account) -> bool {
    envelope
        .destination
        .is_some_and(|account| account != own.id())
        || envelope.source == own.address
}

/// A device that wrote to us is there, and of this incarnation, unless we know that one to be gone. Gives what it is to its account.
async fn note_device(tx: &mut Tx<'_>, own: &Account, from: Incarnation) -> Result<Role, Error> {
    let Incarnation { address, epoch } = from;
    let mut peer = peers::record(tx, address.account).await?;
    let role = trust::role_at(&peer, address.device, epoch);
    let known = peers::current(&peer).any(|known| known == (address.device, epoch));
    if known || peers::is_stale(&peer, address.device, epoch) {
        return Ok(role);
    }
    peers::add_device(&mut peer, address.device, epoch, tx.now.0);
    peers::put(tx, own.id(), address.account, &peer);
    Ok(role)
}
