//! What enters the outbox: each entry is stored with the place it has in its conversation's queue.
//! It does not know when or how an entry is sent.

use prost::Message as _;
use rand::RngCore;
use wire::proto::service::{Content, SyncMessage};
use wire::{DeviceId, MessageId};

use super::conversation;
use crate::account::Account;
use crate::content;
use crate::error::Error;
use crate::input::ConversationId;
use crate::peers;
use crate::record::{OutboxRecord, key};
use crate::staff;
use crate::state::State;
use crate::tx::Tx;

impl State {
    /// Stores something for a person's devices, and a copy of it for own other ones.
    pub(crate) async fn enqueue_message(
        &mut self,
        tx: &mut Tx<'_>,
        conversation: ConversationId,
        id: MessageId,
        content: &Content,
        timestamp: u64,
    ) -> Result<(), Error> {
        let mut content = content.clone();
        self.say_wish(tx, conversation, &mut content).await?;
        let content = &content;
        let mut transcript = content::transcript(conversation, content, timestamp);
        if self.is_plain() {
            content::started(&mut transcript, timestamp);
        }
        let (here, there) = staff::without_staff(tx, conversation).await?;
        let entry = OutboxRecord {
            message_id: id.as_bytes().to_vec(),
            conversation: conversation.as_bytes().to_vec(),
            content: if conversation == self.own_id()? {
                Vec::new()
            } else {
                self.name_author(tx, content).await?.encode_to_vec()
            },
            transcript: transcript.encode_to_vec(),
            timestamp,
            known_staff: staff::readers(&peers::record(tx, conversation).await?),
            without_staff: here || there,
            ..OutboxRecord::default()
        };
        self.enqueue(tx, &entry);
        Ok(())
    }

    /// Stores something for own other devices.
    pub(crate) fn enqueue_sync(&mut self, tx: &mut Tx<'_>, message: SyncMessage) {
        self.enqueue_sync_for(tx, None, message);
    }

    /// Stores something for one own other device, or for all of them.
    pub(crate) fn enqueue_sync_for(
        &mut self,
        tx: &mut Tx<'_>,
        device: Option<DeviceId>,
        message: SyncMessage,
    ) {
        if let Some(own) = self.account.as_ref().map(Account::id) {
            let device = device.map_or(0, u32::from);
            self.store_sync(tx, own, message, |entry| entry.only_device = device);
        }
    }

    /// Stores something for one own other device, which gets it again if it can't read it.
    pub(crate) fn enqueue_kept_sync(
        &mut self,
        tx: &mut Tx<'_>,
        device: DeviceId,
        message: SyncMessage,
    ) {
        if let Some(own) = self.account.as_ref().map(Account::id) {
            self.store_sync(tx, own, message, |entry| {
                entry.only_device = device.into();
                entry.is_kept = true;
            });
        }
    }

    /// Stores something for own other devices that is about a conversation: it comes behind what waits there,
    /// since it may be about that.
    pub(crate) fn enqueue_sync_of(
        &mut self,
        tx: &mut Tx<'_>,
        conversation: ConversationId,
        message: SyncMessage,
    ) {
        self.store_sync(tx, conversation, message, |_| ());
    }

    fn store_sync(
        &mut self,
        tx: &mut Tx<'_>,
        conversation: ConversationId,
        message: SyncMessage,
        with: impl FnOnce(&mut OutboxRecord),
    ) {
        if self.own_delegate().is_some() && !staff::may_tell(&message) {
            return; // what another person's device does stays there
        }
        let timestamp = self.next_timestamp(tx);
        let id = self.new_message_id(timestamp);
        let mut entry = OutboxRecord {
            message_id: id.as_bytes().to_vec(),
            conversation: conversation.as_bytes().to_vec(),
            transcript: content::sync(message).encode_to_vec(),
            timestamp,
            ..OutboxRecord::default()
        };
        with(&mut entry);
        self.enqueue(tx, &entry);
    }

    pub(crate) fn enqueue(&mut self, tx: &mut Tx<'_>, entry: &OutboxRecord) {
        self.clock.next_outbox += 1;
        let seq = self.clock.next_outbox;
        tx.put(&key::outbox(seq), entry);
        self.save_clock(tx);
        self.outbox.add(conversation(entry), seq);
    }

    /// 48 bits of the time, then 80 random bits: ids of one evening stand together in an index, and whoever
    /// receives them looks them up in one range.
    pub(crate) fn new_message_id(&mut self, timestamp: u64) -> MessageId {
        let mut bytes = [0; 16];
        let (time, rest) = bytes.split_at_mut(6);
        time.copy_from_slice(&key::index_at(timestamp));
        self.rng.fill_bytes(rest);
        MessageId::from_bytes(bytes)
    }
}
