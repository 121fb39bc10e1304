//! What was said in a conversation, by the other person or by an own device: a text takes its place, an act is
//! done to its message. One way for both, so that all devices come to the same.
//! It does not decrypt, and does not know who may say what (see `thread::acts`).

use std::collections::BTreeMap;

use wire::{AccountId, DeviceAddress, MessageId};

use crate::content::said::{Context, Said};
use crate::error::Error;
use crate::input::ConversationId;
use crate::output::{Message, MessageKind, MessageStatus};
use crate::receipts::Receipted;
use crate::state::State;
use crate::thread::NewMessage;
use crate::thread::acts::Act;
use crate::tx::Tx;

/// Where something said comes from, and where it belongs.
pub(crate) struct Origin {
    pub(crate) id: MessageId,
    pub(crate) conversation: ConversationId,
    pub(crate) author: DeviceAddress,
    pub(crate) sent_at: u64,
    pub(crate) order: u64,
    pub(crate) status: MessageStatus,
    /// When it was sent, if it is ours: since then its time runs.
    pub(crate) started: Option<u64>,
    /// Somebody else wrote it for the author, and is called so.
    pub(crate) staff: Option<String>,
}

/// What the messages of the batch at hand lead to.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    /// New messages of other people.
    came: BTreeMap<ConversationId, Vec<Receipted>>,
    /// What blocked people have written.
    pub(crate) ignored: BTreeMap<ConversationId, Vec<Receipted>>,
}

impl Batch {
    /// The author of these has been told that they have come.
    pub(crate) fn is_told(
        &mut self,
        conversation: ConversationId,
        is_told: impl Fn(&Receipted) -> bool,
    ) {
        if let Some(came) = self.came.get_mut(&conversation) {
            came.retain(|message| !is_told(message));
        }
    }
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
    fn came(&mut self, tx: &Tx<'_>, message: Message) {
        let (id, sent_at) = (message.id, message.sent_at.0);
        let owed = self.batch.came.entry(message.conversation).or_default();
        owed.push(Receipted { id, sent_at });
        if !matches!(message.kind, MessageKind::Deleted | MessageKind::Timer) {
            self.hold_notification(tx, message);
        }
    }

    /// What follows from all messages of a batch together is done once.
    pub(crate) async fn settle_batch(&mut self, tx: &mut Tx<'_>) -> Result<(), Error> {
        let Batch { came, ignored } = std::mem::take(&mut self.batch);
        for (conversation, messages) in came.into_iter().filter(|(_, all)| !all.is_empty()) {
            self.owe_receipts(tx, conversation, &messages).await?;
        }
        for (conversation, messages) in ignored {
            self.tell_ignored(tx, conversation, &messages);
        }
        Ok(())
    }

    async fn insert_and_tell(&mut self, tx: &mut Tx<'_>, message: NewMessage) -> Result<(), Error> {
        let incoming = message.status == MessageStatus::Received;
        let new = self.insert(tx, message).await?;
        if let Some(message) = new.filter(|_| incoming) {
            self.came(tx, message);
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
            started,
            staff,
        } = origin;
        let of_staff = staff.is_some();
        let blank = |kind, timer| NewMessage {
            order,
            timer,
            started,
            staff,
            ..NewMessage::new((id, conversation, author), kind, sent_at, status)
        };
        match said {
            Said::Text {
                text,
                quote,
                timer,
                attachments,
                left_out,
            } => {
                if left_out > 0 {
                    self.count_refused(tx);
                }
                let readable = text.as_ref().map(|_| MessageKind::Text);
                let kind = readable.unwrap_or(MessageKind::Unreadable);
                let message = NewMessage {
                    text: text.unwrap_or_default(),
                    quote,
                    attachments,
                    ..blank(kind, timer)
                };
                self.insert_and_tell(tx, message).await?;
            }
            Said::Timer(_) if of_staff => self.count_refused(tx), // how long messages stay is not theirs to say
            Said::Timer(timer) => {
                self.insert_and_tell(tx, blank(MessageKind::Timer, timer))
                    .await?;
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
                    only_of: of_staff.then_some(author.device),
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
