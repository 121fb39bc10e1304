//! Deletion for oneself: a message goes on all devices of a person, whether it is there already or comes later,
//! and stays with the other person. It does not know deletion for everyone, which is an act (see `thread::acts`).

use wire::proto::service::SyncMessage;
use wire::proto::service::sync_message::DeleteForMe;
use wire::proto::service::sync_message::delete_for_me::{
    AddressableMessage, ConversationIdentifier, MessageDeletes,
};
use wire::{AccountId, MessageId};

use crate::content::service_id;
use crate::error::Error;
use crate::output::Message;
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
        thread::remove(tx, message.conversation, message.id).await?;
        let deletes = MessageDeletes {
            conversation: Some(ConversationIdentifier {
                thread_service_id: Some(message.conversation.to_string()),
                thread_service_id_binary: Some(message.conversation.as_bytes().to_vec()),
            }),
            messages: vec![AddressableMessage {
                author_service_id: Some(message.author.to_string()),
                sent_timestamp: Some(message.sent_at.0),
                author_service_id_binary: Some(message.author.as_bytes().to_vec()),
                message_id: Some(message.id.as_bytes().to_vec()),
            }],
        };
        let sync = SyncMessage {
            delete_for_me: Some(DeleteForMe {
                message_deletes: vec![deletes],
            }),
            ..SyncMessage::default()
        };
        self.enqueue_sync_of(tx, message.conversation, sync);
        Ok(())
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

fn named(conversation: &ConversationIdentifier) -> Option<AccountId> {
    service_id(
        conversation.thread_service_id_binary.as_deref(),
        conversation.thread_service_id.as_deref(),
    )
}
