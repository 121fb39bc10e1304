//! What own devices tell each other: sent messages, read marks, contacts.
//! Takes an [`OwnDevice`], which only a decryption makes: nobody else's word counts (rule R-3).

mod deletes;

use wire::proto::service::sync_message::{Read, Request, Sent, request};
use wire::proto::service::{Content, SyncMessage};
use wire::{AccountId, MessageId};

use crate::contacts;
use crate::content::{self, OwnDevice};
use crate::error::Error;
use crate::input::ConversationId;
use crate::output::MessageStatus;
use crate::registers;
use crate::state::State;
use crate::take_in::Origin;
use crate::thread;
use crate::tx::Tx;

/// How something came from another own device.
pub(crate) struct Way {
    pub(crate) id: MessageId,
    /// When the relay took it.
    pub(crate) taken: u64,
    /// It is another person's, who is called so.
    pub(crate) staff: Option<String>,
}

impl State {
    /// Takes over what another own device did or knows.
    pub(crate) async fn apply_sync(
        &mut self,
        tx: &mut Tx<'_>,
        from: OwnDevice,
        way: Way,
        message: SyncMessage,
    ) -> Result<(), Error> {
        let taken = way.taken;
        if let Some(sent) = message.sent {
            self.apply_sent(tx, from, way, sent).await?;
        }
        if let Some(offer) = message.certificate_offer {
            self.renewal_offered(tx, from, &offer);
        }
        if let Some(agreed) = message.certificate_consent {
            self.renewal_agreed(tx, from, &agreed).await?;
        }
        if from.role().is_delegate() {
            if message.request.is_some() {
                self.tell_delegate(tx, from.address().device).await?;
            }
            return Ok(()); // of the rest nothing has come this far (rule ST-1)
        }
        for read in message.read {
            self.apply_read(tx, &read, taken).await?;
        }
        if let Some(told) = message.receipts_told {
            self.receipts_were_told(tx, &told).await?;
        }
        if let Some(deletes) = message.delete_for_me {
            self.apply_deletes(tx, deletes).await?;
        }
        if let Some(told) = message.repair {
            self.take_repair(from, &told);
        }
        self.apply_removed(tx, from, &message.removed_devices)
            .await?;
        self.apply_told(tx, from, message.registers, message.app_message)
            .await?;
        if let Some(told) = message.history {
            self.history_told(tx, from, told).await?;
        }
        if let Some(snapshot) = message.contact_snapshot {
            contacts::merge(tx, snapshot).await?;
        }
        if message
            .request
            .is_some_and(|r| r.r#type() == request::Type::Contacts)
        {
            self.tell_all(tx).await?;
            self.new_device_asks(tx, from).await?;
        }
        Ok(())
    }

    /// The transcript of a message that another own device sent.
    async fn apply_sent(
        &mut self,
        tx: &mut Tx<'_>,
        from: OwnDevice,
        Way { id, taken, staff }: Way,
        sent: Sent,
    ) -> Result<(), Error> {
        let Some(conversation) = destination(&sent) else {
            return Ok(());
        };
        if staff.is_some() && conversation == from.address().account {
            return Ok(()); // the person's notes are nobody else's
        }
        let timestamp = sent.message.as_ref().and_then(|message| message.timestamp);
        let sent_at = timestamp.or(sent.timestamp).unwrap_or_default();
        let started = sent.expiration_start_timestamp.unwrap_or(taken);
        let content = Content {
            data_message: sent.message,
            edit_message: sent.edit_message,
            ..Content::default()
        };
        let said = self.context(from.address().account).content(content);
        if said.is_message() {
            if conversation != from.address().account {
                self.note_contact(tx, conversation).await?;
            }
            self.note_time(tx, sent_at);
        }
        let origin = Origin {
            id,
            conversation,
            author: from.address(),
            sent_at,
            order: sent_at,
            status: MessageStatus::Sent,
            started: Some(started),
            staff,
        };
        self.take_in(tx, origin, said).await
    }

    /// Marks a conversation read here and has own devices told.
    pub(crate) async fn mark_read(
        &mut self,
        tx: &mut Tx<'_>,
        conversation: ConversationId,
        id: MessageId,
    ) -> Result<bool, Error> {
        let Some(message) = thread::find(tx, id).await? else {
            return Ok(false);
        };
        if message.conversation != conversation {
            return Ok(false);
        }
        let newly_read = thread::newly_read(tx, conversation, id).await?;
        let before = thread::read_mark(tx, conversation).await?;
        let moved = thread::mark_read(tx, conversation, id).await?;
        self.start_read(tx, conversation, before, tx.now.0).await?;
        self.read_notifications(tx, conversation).await?;
        if let Some(clock) = self.note_read(tx, conversation, moved).await? {
            let (sender_aci, sender_aci_binary) = content::both_forms(message.author);
            let read = Read {
                sender_aci,
                timestamp: Some(message.sent_at.0),
                sender_aci_binary,
                message_id: Some(id.as_bytes().to_vec()),
                clock: Some(clock),
            };
            let mark = SyncMessage {
                read: vec![read],
                ..SyncMessage::default()
            };
            self.tell_read(tx, conversation, &newly_read, mark).await?;
        }
        Ok(true)
    }

    /// Another own device has read a conversation.
    async fn apply_read(&mut self, tx: &mut Tx<'_>, read: &Read, taken: u64) -> Result<(), Error> {
        let Some(id) = content::message_read(read) else {
            return Ok(());
        };
        match thread::find(tx, id).await? {
            Some(message) => {
                let conversation = message.conversation;
                let before = thread::read_mark(tx, conversation).await?;
                thread::mark_read(tx, conversation, id).await?;
                let clock = read.clock.unwrap_or(taken);
                self.start_read(tx, conversation, before, clock).await?;
                registers::take_read_clock(tx, conversation, read.clock()).await?;
                self.read_notifications(tx, conversation).await?;
            }
            // On its way still: a mark by author and time says where it will stand.
            None if read.message_id.is_none() => {
                let author = content::author_read(read);
                if let (Some(author), Some(sent_at)) = (author, read.timestamp) {
                    let before = thread::read_mark(tx, author).await?;
                    thread::mark_read_ahead(tx, author, sent_at, id).await?;
                    self.start_read(tx, author, before, taken).await?;
                    self.read_notifications(tx, author).await?;
                }
            }
            None => {}
        }
        Ok(())
    }

    /// Asks own devices for contacts: a new device starts with none.
    pub(crate) fn request_contacts(&mut self, tx: &mut Tx<'_>) {
        let mut kinds = vec![request::Type::Contacts];
        if self.is_plain() {
            // A phone of Signal's answers each by itself.
            kinds.extend([request::Type::Blocked, request::Type::Configuration]);
        }
        for kind in kinds {
            let r#type = Some(kind.into());
            let message = SyncMessage {
                request: Some(Request { r#type }),
                ..SyncMessage::default()
            };
            self.enqueue_sync(tx, message);
        }
    }
}

fn destination(sent: &Sent) -> Option<AccountId> {
    let (binary, text) = (
        sent.destination_service_id_binary.as_deref(),
        sent.destination_service_id.as_deref(),
    );
    content::service_id(binary, text)
}
