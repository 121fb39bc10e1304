//! What a person does to a message: done here first, then told to everybody concerned.
//! What may be done is decided in one place for all, `thread::acts`; this only asks it first.

use super::text_refusal;
use crate::content::said::{self, is_emoji};
use crate::error::{Error, Refusal};
use crate::input::Action;
use crate::limits::EDITS_MAX;
use crate::output::{Message, MessageKind, MessageStatus, Reply};
use crate::state::State;
use crate::thread;
use crate::thread::acts::{Act, Deed, Outcome};
use crate::tx::Tx;

impl State {
    pub(super) async fn action(
        &mut self,
        tx: &mut Tx<'_>,
        action: Action,
    ) -> Result<Result<Reply, Refusal>, Error> {
        let (id, deed) = match action {
            Action::Edit { message, text } => (message, Some(Deed::Edit(text))),
            Action::React { message, emoji } => {
                (message, Some(Deed::React(emoji.unwrap_or_default())))
            }
            Action::Remove { message, everyone } => (message, everyone.then_some(Deed::Delete)),
        };
        let Some(message) = thread::find(tx, id).await? else {
            return Ok(Err(Refusal::UnknownMessage));
        };
        let nobody_has_it = matches!(message.status, MessageStatus::Failed(_));
        match deed {
            Some(deed) if !(deed == Deed::Delete && nobody_has_it) => {
                self.act_of_ours(tx, &message, deed).await
            }
            Some(_) | None => {
                self.delete_for_me(tx, &message).await?;
                Ok(Ok(Reply::Done))
            }
        }
    }

    async fn act_of_ours(
        &mut self,
        tx: &mut Tx<'_>,
        message: &Message,
        deed: Deed,
    ) -> Result<Result<Reply, Refusal>, Error> {
        if let Some(refusal) = refusal(message, &deed) {
            return Ok(Err(refusal));
        }
        let conversation = message.conversation;
        if let Some(refusal) = self.send_refusal(tx, conversation).await? {
            return Ok(Err(refusal));
        }
        let own = self.own_id()?;
        let timestamp = self.next_timestamp(tx);
        let id = self.id_of_message(own, timestamp);
        let latest = thread::acts::latest(tx, message.id).await?;
        let act = Act {
            id,
            conversation,
            target: message.id,
            by: own,
            only_of: self.own_delegate(),
            // After all that was done to it before, whatever clocks say.
            clock: timestamp.max(latest.saturating_add(1)),
            deed,
        };
        match thread::acts::apply(tx, &act).await? {
            Outcome::Refused(refusal) => return Ok(Err(refusal)),
            Outcome::Early => return Ok(Err(Refusal::UnknownMessage)),
            Outcome::Nothing => return Ok(Ok(Reply::Done)),
            Outcome::Changed => {}
        }
        let content = said::deed(message, &act.deed, timestamp, act.clock)
            .ok_or(Error::Bug("an act that is no message"))?;
        self.enqueue_message(tx, conversation, id, &content, timestamp)
            .await?;
        Ok(Ok(Reply::Done))
    }
}

/// What is wrong with an act whatever the message's history.
fn refusal(message: &Message, deed: &Deed) -> Option<Refusal> {
    if let Deed::Edit(text) = deed
        && let Some(refusal) = text_refusal(text)
    {
        return Some(refusal);
    }
    match deed {
        Deed::Edit(_) if message.earlier.len() >= EDITS_MAX => Some(Refusal::TooManyEdits),
        Deed::Edit(_) | Deed::React(_) if message.kind != MessageKind::Text => {
            Some(Refusal::UnknownMessage) // there is nothing to see
        }
        Deed::React(emoji) if !emoji.is_empty() && !is_emoji(emoji) => Some(Refusal::NoEmoji),
        Deed::Edit(_) | Deed::React(_) | Deed::Delete | Deed::Delivered | Deed::Read => None,
    }
}
