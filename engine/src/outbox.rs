//! Messages on their way out. An entry goes from queued to sealed to gone, and never back, save that a
//! refused bundle is repaired.
//!
//! Rule B-1: one entry of a conversation is in flight at a time, in order. Rule B-2: a sealed bundle is
//! sent as stored, byte for byte, until the relay has answered. Rule B-3: a repair is finished before
//! anything else is sealed for the accounts it concerns. It does not encrypt (see `fan_out`) and does
//! not know sockets.

mod enter;
mod fan_out;
mod plain;
mod queue;
mod repair;

use wire::bundle::{AccountMismatch, Bundle};
use wire::{AccountId, Endpoint, MessageId, Response};

use crate::attachment::Pointer;
use crate::content;
use crate::content::said::{self, quoted};
use crate::error::{Error, Refusal};
use crate::input::{ConversationId, Draft};
use crate::limits::{OUTBOX_MAX, SEND_TRIES_MAX};
use crate::output::{Message, MessageKind, MessageStatus};
use crate::peers;
use crate::record::{OutboxRecord, key};
use crate::registers::fields::NAME;
use crate::registers::{Field, PROFILE, Place};
use crate::request::{Pending, retry_at};
use crate::staff;
use crate::state::State;
use crate::store::Table;
use crate::thread::{self, NewMessage};
use crate::tx::Tx;
use fan_out::Sealing;
pub(crate) use queue::Outbox;

impl State {
    /// Stores a text and the intent to send it.
    pub(crate) async fn enqueue_text(
        &mut self,
        tx: &mut Tx<'_>,
        conversation: ConversationId,
        draft: Draft,
    ) -> Result<Result<MessageId, Refusal>, Error> {
        let Some(account) = self.account.clone() else {
            return Ok(Err(Refusal::NotReady));
        };
        tx.prefetch(looked_at(conversation)).await?;
        if let Some(refusal) = self.send_refusal(tx, conversation).await? {
            return Ok(Err(refusal));
        }
        let Draft {
            text,
            quote,
            attachments,
        } = draft;
        let quote = match quote {
            None => None,
            Some(id) => match thread::find(tx, id).await? {
                Some(message) if message.conversation == conversation => Some(quoted(&message)),
                Some(_) | None => return Ok(Err(Refusal::UnknownMessage)),
            },
        };
        let attachments: Vec<_> = attachments.iter().map(Pointer::to_proto).collect();
        let timestamp = self.next_timestamp(tx);
        let id = self.id_of_message(account.id(), timestamp);
        let timer = thread::timer::timer(tx, conversation).await?;
        let files = attachments.clone();
        let said = said::text(text.clone(), timestamp, quote.as_ref(), timer, files);
        let content = content::data(said);
        self.enqueue_message(tx, conversation, id, &content, timestamp)
            .await?;
        let place = (id, conversation, account.address);
        let (kind, status) = (MessageKind::Text, MessageStatus::Queued);
        let message = NewMessage {
            text,
            quote,
            timer,
            attachments,
            staff: self.own_label(),
            ..NewMessage::new(place, kind, timestamp, status)
        };
        thread::insert(tx, message, &[]).await?;
        Ok(Ok(id))
    }

    /// Why nothing can be sent to somebody now.
    pub(crate) async fn send_refusal(
        &self,
        tx: &mut Tx<'_>,
        conversation: ConversationId,
    ) -> Result<Option<Refusal>, Error> {
        if self.outbox.len() >= OUTBOX_MAX {
            return Ok(Some(Refusal::QueueFull));
        }
        let ended = self.account.as_ref().and_then(staff::own_grant);
        if ended.is_some_and(|grant| grant.expires <= tx.device_time) {
            return Ok(Some(Refusal::NotAllowed)); // nobody would believe it any more
        }
        let peer = peers::record(tx, conversation).await?;
        // until the person has accepted it
        Ok(peers::key_changed(&peer).then_some(Refusal::IdentityChanged))
    }

    /// Sends a message of this device again that failed, as the same message.
    pub(crate) async fn resend(
        &mut self,
        tx: &mut Tx<'_>,
        id: MessageId,
    ) -> Result<Result<(), Refusal>, Error> {
        let found = thread::find(tx, id).await?;
        let failed = |message: &Message| matches!(message.status, MessageStatus::Failed(_));
        let Some(message) = found.filter(failed) else {
            return Ok(Err(Refusal::UnknownMessage));
        };
        let (conversation, sent_at) = (message.conversation, message.sent_at.0);
        if let Some(refusal) = self.send_refusal(tx, conversation).await? {
            return Ok(Err(refusal));
        }
        let own = self.own_id()?;
        let mut peer = peers::record(tx, conversation).await?;
        if conversation != own && peers::ask_again(&mut peer) {
            tx.put(conversation.as_bytes(), &peer);
        }
        let (quote, attachments) = thread::carried(tx, id).await?;
        let seconds = message.timer_s.unwrap_or_default();
        let timer = thread::timer::timer(tx, conversation)
            .await?
            .seen_from(seconds);
        let content = content::data(if message.kind == MessageKind::Timer {
            said::timer(sent_at, timer)
        } else {
            said::text(message.text, sent_at, quote.as_ref(), timer, attachments)
        });
        self.enqueue_message(tx, conversation, id, &content, sent_at)
            .await?;
        thread::update_status(tx, id, MessageStatus::Queued).await?;
        Ok(Ok(()))
    }

    /// Sends what can be sent: the oldest entry of each conversation.
    pub(crate) async fn pump(&mut self, tx: &mut Tx<'_>) -> Result<(), Error> {
        self.outbox.due = false;
        if !self.connection.is_up() || !self.is_member() {
            return Ok(());
        }
        self.tell_registers(tx).await?;
        let ready = self.outbox.ready();
        let at = |seq: &u64| (Table::Outbox, key::outbox(*seq));
        tx.prefetch(ready.iter().map(at).collect()).await?;
        for seq in ready {
            if self.outbox.is_full() {
                break; // the next answer goes on
            }
            if let Some(entry) = tx.get(&key::outbox(seq)).await? {
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
        if entry.ends_at != 0 && entry.ends_at <= tx.now.0 {
            self.remove(tx, seq, &entry);
            return Ok(());
        }
        if !entry.sealed {
            let mut accounts = self.accounts_of(&entry)?;
            accounts.retain(|account| !plain::is_accepted(&entry, *account));
            if accounts.iter().any(|id| self.outbox.lacks_keys(*id)) {
                return Ok(()); // rule B-3
            }
            match self.seal(tx, &entry, &accounts).await? {
                Sealing::Sealed(mut bundle) => {
                    bundle.seal = self.next_seal(tx);
                    Self::remember_sent(tx, &entry, &bundle);
                    entry.bundle = bundle.encode();
                    entry.sealed = true;
                    tx.put(&key::outbox(seq), &entry);
                }
                Sealing::Needs(needs) => return self.fetch_keys(tx, seq, &entry, needs).await,
                Sealing::Nothing => {
                    self.remove(tx, seq, &entry);
                    return Ok(());
                }
                Sealing::Failed(refusal) => return self.fail(tx, seq, &entry, refusal).await,
            }
        }
        if self.is_plain() {
            return self.send_part(tx, seq, &entry).await;
        }
        self.outbox.sent(seq);
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
        if entry.only_device != 0 || entry.ends_at != 0 {
            return Ok(vec![to]);
        }
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
        self.outbox.answered(seq);
        let Some(entry) = tx.get::<OutboxRecord>(&key::outbox(seq)).await? else {
            return Ok(());
        };
        match response.status {
            200..=299 => {
                self.remove(tx, seq, &entry);
                self.report_status(tx, &entry, MessageStatus::Sent).await
            }
            409 => match AccountMismatch::decode_all(&response.body) {
                Ok(mismatches) => self.repair(tx, seq, entry, mismatches).await,
                Err(_) => self.fail(tx, seq, &entry, Refusal::RelayProtocol).await,
            },
            413 => self.fail(tx, seq, &entry, Refusal::MessageTooLong).await,
            429 | 500..=599 => {
                let until = retry_at(tx.now, response);
                self.outbox.wait(conversation(&entry), until);
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
        self.remove(tx, seq, entry);
        self.not_told(tx, entry);
        if plain::reached_peer(entry) {
            return Ok(()); // only the transcript has failed
        }
        Self::forget_unsent(tx, entry);
        self.report_status(tx, entry, MessageStatus::Failed(refusal))
            .await
    }

    fn remove(&mut self, tx: &mut Tx<'_>, seq: u64, entry: &OutboxRecord) {
        tx.delete(Table::Outbox, &key::outbox(seq));
        self.outbox.remove(conversation(entry), seq);
    }

    async fn report_status(
        &mut self,
        tx: &mut Tx<'_>,
        entry: &OutboxRecord,
        status: MessageStatus,
    ) -> Result<(), Error> {
        if entry.only_device != 0 {
            return Ok(()); // a repeat says nothing of the message, nor does a request
        }
        match MessageId::from_slice(&entry.message_id) {
            Ok(id) => {
                thread::update_status(tx, id, status).await?;
                if status == MessageStatus::Sent {
                    self.start_sent(tx, id).await?;
                }
                Ok(())
            }
            Err(_) => Err(Error::Bug("outbox entry without a message id")),
        }
    }

    /// Counts a try; a relay may not send us in circles (S-24).
    fn may_try_again(entry: &mut OutboxRecord) -> bool {
        entry.tries += 1;
        entry.tries < SEND_TRIES_MAX
    }
}

/// What storing a message to somebody looks at, to be read at once.
fn looked_at(conversation: ConversationId) -> Vec<(Table, Vec<u8>)> {
    let of_peer = [Table::Peers, Table::Conversations, Table::Contacts];
    let registers = [
        Place::of(conversation, Field::Request),
        Place::of(conversation, Field::WithoutStaff),
        Place::new(PROFILE, NAME),
    ];
    let of_peer = of_peer.map(|table| (table, conversation.as_bytes().to_vec()));
    let registers = registers.map(|place| (Table::Registers, place.key()));
    of_peer.into_iter().chain(registers).collect()
}

fn conversation(entry: &OutboxRecord) -> Option<ConversationId> {
    AccountId::from_slice(&entry.conversation).ok()
}

/// What has been sealed of an entry so far.
fn sealed_so_far(entry: &OutboxRecord) -> Result<Bundle, Error> {
    if entry.bundle.is_empty() {
        let id = if entry.bundle_id.is_empty() {
            &entry.message_id
        } else {
            &entry.bundle_id
        };
        let id = MessageId::from_slice(id);
        return Ok(Bundle {
            id: id.map_err(|_| Error::Bug("outbox entry without a message id"))?,
            timestamp: entry.timestamp,
            urgent: !entry.content.is_empty() && !entry.is_quiet,
            seal: 0,
            partial: entry.only_device != 0 || entry.ends_at != 0,
            online: entry.ends_at != 0,
            recipients: Vec::new(),
        });
    }
    Bundle::decode(&entry.bundle).map_err(|_| Error::Bug("a stored bundle does not decode"))
}
