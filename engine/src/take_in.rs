//! What was said in a conversation, by the other person or by an own device: a text takes its place, an act is
//! done to its message. One way for both, so that all devices come to the same.
//! It does not decrypt, and does not know who may say what (see `thread::acts`).

use wire::{AccountId, DeviceAddress, MessageId};

use crate::content::said::{Context, Said};
use crate::error::Error;
use crate::input::ConversationId;
use crate::output::{MessageKind, MessageStatus};
use crate::receipts::Receipted;
use crate::state::State;
use crate::thread::acts::Act;
use crate::thread::{self, NewMessage};
use crate::tx::Tx;

/// Where something said comes from, and where it belongs.
pub(crate) struct Origin {
    pub(crate) id: MessageId,
    pub(crate) conversation: ConversationId,
    pub(crate) author: DeviceAddress,
    pub(crate) sent_at: u64,
    pub(crate) order: u64,
    pub(crate) status: MessageStatus,
}

impl State {
    /// How something said by this person is to be read.
    pub(crate) fn context(&self, author: AccountId) -> Context {
        Context {
            author,
            is_plain: self.is_plain(),
        }
    }

    /// A message of the other person is new here.
    async fn came(
        &mut self,
        tx: &mut Tx<'_>,
        conversation: ConversationId,
        id: MessageId,
    ) -> Result<(), Error> {
        let Some(message) = thread::find(tx, id).await? else {
            return Ok(());
        };
        let sent_at = message.sent_at.0;
        self.owe_receipt(tx, conversation, Receipted { id, sent_at })
            .await?;
        if message.kind != MessageKind::Deleted {
            self.hold_notification(tx, message);
        }
        Ok(())
    }

    /// Takes in what was said.
    pub(crate) async fn take_in(
        &mut self,
        tx: &mut Tx<'_>,
        origin: Origin,
        said: Said,
    ) -> Result<(), Error> {
        let Origin {
            id,
            conversation,
            author,
            sent_at,
            order,
            status,
        } = origin;
        match said {
            Said::Text { text, quote } => {
                let message = NewMessage {
                    id,
                    conversation,
                    author,
                    kind: match text {
                        Some(_) => MessageKind::Text,
                        None => MessageKind::Unreadable,
                    },
                    text: text.unwrap_or_default(),
                    sent_at,
                    order,
                    status,
                    quote,
                };
                if self.insert(tx, message).await? && status == MessageStatus::Received {
                    self.came(tx, conversation, id).await?;
                }
            }
            Said::Act {
                target,
                clock,
                deed,
            } => {
                let act = Act {
                    id,
                    conversation,
                    target,
                    by: author.account,
                    clock,
                    deed,
                };
                self.act(tx, &act).await?;
            }
            Said::Malformed => self.count_refused(tx),
            Said::Nothing => {}
        }
        Ok(())
    }
}
