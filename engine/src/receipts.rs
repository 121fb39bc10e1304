//! Receipts: the author of a message is told that it has come, and that it was read.
//!
//! One of a person's devices tells it for all, after a wait of random length, so that what is told says nothing of the
//! devices there are or of when they are used (T16); the others hear of it in the same bundle. Strangers who were not
//! accepted, and blocked people, are told nothing; each kind can be turned off. It does not know how statuses merge.

use prost::Message as _;
use rand::Rng;
use wire::proto::service::receipt_message::Type;
use wire::proto::service::{Content, ReceiptMessage, ReceiptsTold, SyncMessage};
use wire::{AccountId, DeviceAddress, MessageId};

use crate::content;
use crate::due::Task;
use crate::error::Error;
use crate::input::ConversationId;
use crate::limits::{RECEIPT_MESSAGES_MAX, RECEIPT_WAIT_MAX_MS, RECEIPT_WAIT_MIN_MS};
use crate::output::Request;
use crate::record::OutboxRecord;
use crate::registers;
use crate::service;
use crate::state::State;
use crate::thread;
use crate::thread::acts::{Act, Deed};
use crate::tx::Tx;

/// A message in a list of those whose receipt is owed: its id, its time.
const OWED_BYTES: usize = 24;

/// A message that its author is told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Receipted {
    pub(crate) id: MessageId,
    pub(crate) sent_at: u64,
}

impl State {
    /// Messages have come: their author is to be told.
    pub(crate) async fn owe_receipts(
        &mut self,
        tx: &mut Tx<'_>,
        conversation: ConversationId,
        messages: &[Receipted],
    ) -> Result<(), Error> {
        if self.own_delegate().is_some() {
            return Ok(()); // what the person themself has is told by their own devices
        }
        if self.is_plain() {
            // The phone tells it, and would not hear that we had; and see section 22 of the protocol for what a mock service makes of it.
            return Ok(());
        }
        let mut thread = thread::conversation_record(tx, conversation).await?;
        if thread.owed.is_empty() {
            let wait = self
                .rng
                .random_range(RECEIPT_WAIT_MIN_MS..RECEIPT_WAIT_MAX_MS);
            self.do_at(tx, tx.now.plus_ms(wait), Task::Receipts, conversation);
        }
        thread.owed.extend(rows(messages));
        let most = RECEIPT_MESSAGES_MAX * OWED_BYTES;
        let too_many = thread.owed.len().saturating_sub(most);
        thread.owed.drain(..too_many);
        tx.put(conversation.as_bytes(), &thread);
        Ok(())
    }

    /// Tells what is owed, unless nobody is to be told.
    pub(crate) async fn send_receipts(
        &mut self,
        tx: &mut Tx<'_>,
        conversation: ConversationId,
    ) -> Result<(), Error> {
        let mut thread = thread::conversation_record(tx, conversation).await?;
        let owed = messages(&std::mem::take(&mut thread.owed));
        tx.put(conversation.as_bytes(), &thread);
        let wanted = registers::settings(tx).await?.delivery_receipts;
        if owed.is_empty() || !wanted || !may_be_told(tx, conversation).await? {
            return Ok(());
        }
        let told = ReceiptsTold {
            conversation: Some(conversation.as_bytes().to_vec()),
            message_ids: ids(&owed),
        };
        let transcript = content::sync(SyncMessage {
            receipts_told: Some(told),
            ..SyncMessage::default()
        });
        self.enqueue_receipt(tx, conversation, Type::Delivery, &owed, &transcript);
        Ok(())
    }

    /// Tells own other devices that messages were read, and in the same bundle their author, if that may be.
    pub(crate) async fn tell_read(
        &mut self,
        tx: &mut Tx<'_>,
        conversation: ConversationId,
        read: &[Receipted],
        mark: SyncMessage,
    ) -> Result<(), Error> {
        no_longer_owed(tx, conversation, |message| read.contains(message)).await?;
        let wanted = registers::settings(tx).await?.read_receipts;
        let wanted = wanted && self.own_delegate().is_none();
        if read.is_empty() || !wanted || !may_be_told(tx, conversation).await? {
            self.enqueue_sync_of(tx, conversation, mark);
            return Ok(());
        }
        let transcript = content::sync(mark);
        self.enqueue_receipt(tx, conversation, Type::Read, read, &transcript);
        Ok(())
    }

    fn enqueue_receipt(
        &mut self,
        tx: &mut Tx<'_>,
        conversation: ConversationId,
        kind: Type,
        of: &[Receipted],
        transcript: &Content,
    ) {
        let receipt = ReceiptMessage {
            r#type: Some(kind.into()),
            timestamp: of.iter().map(|message| message.sent_at).collect(),
            message_ids: ids(of),
        };
        let content = Content {
            receipt_message: Some(receipt),
            ..Content::default()
        };
        let timestamp = self.next_timestamp(tx);
        let entry = OutboxRecord {
            message_id: self.new_message_id(timestamp).as_bytes().to_vec(),
            conversation: conversation.as_bytes().to_vec(),
            content: content.encode_to_vec(),
            transcript: transcript.encode_to_vec(),
            timestamp,
            is_quiet: true,
            ..OutboxRecord::default()
        };
        self.enqueue(tx, &entry);
    }

    /// Another own device has told the author of these.
    pub(crate) async fn receipts_were_told(
        &mut self,
        tx: &mut Tx<'_>,
        told: &ReceiptsTold,
    ) -> Result<(), Error> {
        let Ok(conversation) = AccountId::from_slice(told.conversation()) else {
            return Ok(());
        };
        let is_told = |message: &Receipted| {
            let id = message.id.as_bytes().as_slice();
            told.message_ids.iter().any(|told| told == id)
        };
        self.batch.is_told(conversation, is_told); // it may have come just before
        no_longer_owed(tx, conversation, is_told).await
    }

    /// Somebody says that messages of ours have come, or were read.
    pub(crate) async fn take_receipt(
        &mut self,
        tx: &mut Tx<'_>,
        from: DeviceAddress,
        id: MessageId,
        receipt: ReceiptMessage,
    ) -> Result<(), Error> {
        let deed = match receipt.r#type() {
            Type::Delivery => Deed::Delivered,
            Type::Read | Type::Viewed => Deed::Read,
        };
        let own = self.own_id()?;
        let named: Vec<MessageId> = if receipt.message_ids.is_empty() && self.is_plain() {
            let times = receipt.timestamp.iter();
            times
                .map(|sent_at| service::message_id(own, *sent_at))
                .collect()
        } else {
            let ids = receipt.message_ids.iter();
            ids.filter_map(|id| MessageId::from_slice(id).ok())
                .collect()
        };
        for target in named.into_iter().take(RECEIPT_MESSAGES_MAX) {
            let act = Act {
                id,
                conversation: from.account,
                target,
                by: from.account,
                only_of: None,
                clock: 0,
                deed: deed.clone(),
            };
            self.act(tx, &act).await?;
        }
        Ok(())
    }
}

/// T16: whoever is not let in learns nothing of when anybody is there.
pub(crate) async fn may_be_told(tx: &mut Tx<'_>, account: AccountId) -> Result<bool, Error> {
    let person = registers::person(tx, account).await?;
    Ok(person.request == Request::Accepted && !person.blocked)
}

async fn no_longer_owed(
    tx: &mut Tx<'_>,
    conversation: ConversationId,
    is_told: impl Fn(&Receipted) -> bool,
) -> Result<(), Error> {
    let mut thread = thread::conversation_record(tx, conversation).await?;
    if thread.owed.is_empty() {
        return Ok(());
    }
    let left = messages(&thread.owed)
        .into_iter()
        .filter(|message| !is_told(message));
    thread.owed = rows(&left.collect::<Vec<_>>());
    tx.put(conversation.as_bytes(), &thread);
    Ok(())
}

fn rows(messages: &[Receipted]) -> Vec<u8> {
    let row = |message: &Receipted| {
        let Receipted { id, sent_at } = message;
        [id.as_bytes().as_slice(), &sent_at.to_be_bytes()].concat()
    };
    messages.iter().flat_map(row).collect()
}

fn messages(owed: &[u8]) -> Vec<Receipted> {
    let (rows, _) = owed.as_chunks::<OWED_BYTES>();
    let row = |row: &[u8; OWED_BYTES]| {
        let (id, sent_at) = row.split_first_chunk::<16>()?;
        Some(Receipted {
            id: MessageId::from_bytes(*id),
            sent_at: u64::from_be_bytes(sent_at.try_into().ok()?),
        })
    };
    rows.iter().filter_map(row).collect()
}

fn ids(of: &[Receipted]) -> Vec<Vec<u8>> {
    of.iter()
        .map(|message| message.id.as_bytes().to_vec())
        .collect()
}
