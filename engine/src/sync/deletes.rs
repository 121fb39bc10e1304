//! Deletion for oneself: a message goes on all devices of a person, whether it is there already or comes later,
//! and stays with the other person. It does not know deletion for everyone, which is an act (see `thread::acts`).

use wire::proto::service::SyncMessage;
use wire::proto::service::sync_message::DeleteForMe;
use wire::proto::service::sync_message::delete_for_me::{
    AddressableMessage, ConversationIdentifier, MessageDeletes,
};
use wire::{AccountId, MessageId};

use crate::content::{both_forms, service_id};
use crate::error::Error;
use crate::input::ConversationId;
use crate::output::Message;
use crate::receipts::Receipted;
use crate::service;
use crate::state::State;
use crate::thread;
use crate::tx::Tx;

impl State {
    /// Removes a message here and has own devices do the same.
    pub(crate) async fn delete_for_me(
        &mut self,
        tx: &mut Tx<'_>,
        message: &Message,
    ) -> Result<(), Error> {
        let conversation = message.conversation;
        thread::remove(tx, message.conversation, message.id).await?;
        let message = addressable(message.author, message.sent_at.0, message.id);
        self.tell_deleted(tx, conversation, vec![message]);
        Ok(())
    }

    /// What blocked people have written in a batch has been removed here, and is on other own devices that did not know yet
    /// that they are blocked.
    pub(crate) fn tell_ignored(
        &mut self,
        tx: &mut Tx<'_>,
        from: ConversationId,
        messages: &[Receipted],
    ) {
        let addressed = |message: &Receipted| addressable(from, message.sent_at, message.id);
        let messages = messages.iter().map(addressed).collect();
        self.tell_deleted(tx, from, messages);
    }

    fn tell_deleted(
        &mut self,
        tx: &mut Tx<'_>,
        conversation: ConversationId,
        messages: Vec<AddressableMessage>,
    ) {
        let (thread_service_id, thread_service_id_binary) = both_forms(conversation);
        let deletes = MessageDeletes {
            conversation: Some(ConversationIdentifier {
                thread_service_id,
                thread_service_id_binary,
            }),
            messages,
        };
        let sync = SyncMessage {
            delete_for_me: Some(DeleteForMe {
                message_deletes: vec![deletes],
            }),
            ..SyncMessage::default()
        };
        self.enqueue_sync_of(tx, conversation, sync);
    }

    /// Another own device has removed messages.
    pub(super) async fn apply_deletes(
        &mut self,
        tx: &mut Tx<'_>,
        deletes: DeleteForMe,
    ) -> Result<(), Error> {
        for of_one in deletes.message_deletes {
            let Some(conversation) = of_one.conversation.as_ref().and_then(named) else {
                continue;
            };
            for message in of_one.messages {
                if let Some(id) = self.addressed(&message) {
                    thread::remove(tx, conversation, id).await?;
                }
            }
        }
        Ok(())
    }

    fn addressed(&self, message: &AddressableMessage) -> Option<MessageId> {
        if let Some(id) = &message.message_id {
            return MessageId::from_slice(id).ok();
        }
        if !self.is_plain() {
            return None;
        }
        let author = service_id(
            message.author_service_id_binary.as_deref(),
            message.author_service_id.as_deref(),
        )?;
        Some(service::message_id(author, message.sent_timestamp?))
    }
}

fn addressable(author: AccountId, sent_at: u64, id: MessageId) -> AddressableMessage {
    let (author_service_id, author_service_id_binary) = both_forms(author);
    AddressableMessage {
        author_service_id,
        sent_timestamp: Some(sent_at),
        author_service_id_binary,
        message_id: Some(id.as_bytes().to_vec()),
    }
}

fn named(conversation: &ConversationIdentifier) -> Option<AccountId> {
    service_id(
        conversation.thread_service_id_binary.as_deref(),
        conversation.thread_service_id.as_deref(),
    )
}
