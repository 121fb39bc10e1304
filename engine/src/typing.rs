//! That somebody is writing: told at once or not at all, and never stored for later.
//! Nobody is told who was not let in, and nothing is told that is not wanted to be. It keeps no time: what is shown
//! ends by itself where it is shown.

use prost::Message as _;
use wire::proto::service::typing_message::Action;
use wire::proto::service::{Content, TypingMessage};

use crate::error::Error;
use crate::input::{ConversationId, Timestamp};
use crate::limits::{TYPING_EVERY_MS, TYPING_SHOWN_MS};
use crate::output::Event;
use crate::receipts::may_be_told;
use crate::record::OutboxRecord;
use crate::registers;
use crate::state::State;
use crate::tx::Tx;

/// What was told last, so that it is not told with every letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    conversation: ConversationId,
    is_typing: bool,
    at: Timestamp,
}

impl State {
    /// Tells the other person that this one is writing, or is not any more.
    pub(crate) async fn tell_typing(
        &mut self,
        tx: &mut Tx<'_>,
        conversation: ConversationId,
        is_typing: bool,
    ) -> Result<(), Error> {
        let own = self.own_id()?;
        let is_idle = self.connection.is_up() && !self.outbox.has(Some(conversation));
        let last = self.typing.filter(|told| {
            let lately = tx.now < told.at.plus_ms(TYPING_EVERY_MS);
            told.conversation == conversation && told.is_typing == is_typing && lately
        });
        if conversation == own || !is_idle || last.is_some() {
            return Ok(());
        }
        if !registers::settings(tx).await?.typing || !may_be_told(tx, conversation).await? {
            return Ok(());
        }
        self.typing = Some(Told {
            conversation,
            is_typing,
            at: tx.now,
        });
        let timestamp = self.next_timestamp(tx);
        let action = if is_typing {
            Action::Started
        } else {
            Action::Stopped
        };
        let message = TypingMessage {
            timestamp: Some(timestamp),
            action: Some(action.into()),
            group_id: None,
        };
        let content = Content {
            typing_message: Some(message),
            ..Content::default()
        };
        let entry = OutboxRecord {
            message_id: self.new_message_id(timestamp).as_bytes().to_vec(),
            conversation: conversation.as_bytes().to_vec(),
            content: content.encode_to_vec(),
            timestamp,
            is_quiet: true,
            ends_at: tx.now.plus_ms(TYPING_SHOWN_MS).0,
            ..OutboxRecord::default()
        };
        self.enqueue(tx, &entry);
        Ok(())
    }

    /// The other person is writing, or is not any more.
    pub(crate) async fn take_typing(
        tx: &mut Tx<'_>,
        conversation: ConversationId,
        message: &TypingMessage,
    ) -> Result<(), Error> {
        if message.group_id.is_none() && may_be_told(tx, conversation).await? {
            let is_typing = message.action() == Action::Started;
            tx.emit(Event::Typing {
                conversation,
                is_typing,
                until: tx.device_time.plus_ms(TYPING_SHOWN_MS),
            });
        }
        Ok(())
    }
}
