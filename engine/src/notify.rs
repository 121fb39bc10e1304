//! What a person is told of while they look elsewhere: one notification for each conversation, once, on the device
//! they are at.
//!
//! It is held while the mailbox is being emptied, since what follows may say that all of it was read; and for a few seconds
//! while another own device is in use, as Signal's clients do, since the person is there. Reading on any device takes it
//! back. It is memory alone: what was not shown before a page ended is in the counts of unread messages.

use wire::Envelope;

use crate::attachment;
use crate::contacts;
use crate::error::Error;
use crate::flat::{Map, Set};
use crate::input::{ConversationId, Timestamp};
use crate::limits::{NOTIFY_HOLD_MS, OTHERS_ACTIVE_MS};
use crate::output::{Event, Message, Notice, Notifications, Request};
use crate::registers;
use crate::state::State;
use crate::thread;
use crate::tx::Tx;

/// What is held, and what was shown.
#[derive(Debug, Default)]
pub(crate) struct Notifier {
    held: Map<ConversationId, Held>,
    shown: Set<ConversationId>,
    /// Another own device counts as in use until then.
    others_until: Timestamp,
}

#[derive(Debug)]
struct Held {
    due: Timestamp,
    message: Message,
}

impl State {
    /// An own device has done something that a person does.
    pub(crate) fn note_other_device(&mut self, envelope: &Envelope) {
        let until = Timestamp(envelope.server_timestamp).plus_ms(OTHERS_ACTIVE_MS);
        self.notifier.others_until = self.notifier.others_until.max(until);
    }

    /// A message has come that the person has not read.
    pub(crate) fn hold_notification(&mut self, tx: &Tx<'_>, message: Message) {
        let is_elsewhere = self.notifier.others_until > tx.device_time;
        let wait = if is_elsewhere { NOTIFY_HOLD_MS } else { 0 };
        let conversation = message.conversation;
        let due = match self.notifier.held.get(&conversation) {
            Some(held) => held.due, // waited for long enough already
            None => tx.now.plus_ms(wait),
        };
        self.notifier
            .held
            .insert(conversation, Held { due, message });
    }

    /// When the next one is shown.
    pub(crate) fn notify_deadline(&self) -> Option<Timestamp> {
        let due = self.notifier.held.values().map(|held| held.due).min();
        due.filter(|_| !self.clock.draining)
    }

    /// Shows what has been held long enough.
    pub(crate) async fn notify(&mut self, tx: &mut Tx<'_>) -> Result<(), Error> {
        if self.notify_deadline().is_none_or(|due| due > tx.now) {
            return Ok(());
        }
        let held = std::mem::take(&mut self.notifier.held);
        let (ready, wait): (Vec<_>, Vec<_>) =
            held.into_iter().partition(|(_, held)| held.due <= tx.now);
        self.notifier.held = wait.into_iter().collect();
        for (conversation, Held { message, .. }) in ready {
            if let Some(notice) = notice(tx, message).await? {
                self.notifier.shown.insert(conversation);
                tx.emit(Event::Notify(notice));
            }
        }
        Ok(())
    }

    /// A conversation has been read, here or elsewhere.
    pub(crate) async fn read_notifications(
        &mut self,
        tx: &mut Tx<'_>,
        conversation: ConversationId,
    ) -> Result<(), Error> {
        let has_any = self.notifier.held.contains_key(&conversation)
            || self.notifier.shown.contains(&conversation);
        if !has_any {
            return Ok(());
        }
        let thread = thread::conversation_record(tx, conversation).await?;
        if thread.unread == 0 {
            self.notifier.held.remove(&conversation);
            if self.notifier.shown.remove(&conversation) {
                tx.emit(Event::NotifyEnd(conversation));
            }
        }
        Ok(())
    }
}

/// What is shown of it, if anything: as much as the person wants on a screen that others may see.
async fn notice(tx: &mut Tx<'_>, message: Message) -> Result<Option<Notice>, Error> {
    let conversation = message.conversation;
    let shows = registers::settings(tx).await?.notifications;
    let person = registers::person(tx, conversation).await?;
    let thread = thread::conversation_record(tx, conversation).await?;
    let fields = registers::conversation(tx, conversation, thread.read_clock).await?;
    let is_muted = fields
        .muted_until
        .is_some_and(|until| until > tx.device_time);
    let unread = thread.unread;
    let is_unwanted = person.blocked || person.request == Request::Declined;
    if shows == Notifications::Off || is_muted || is_unwanted || unread == 0 {
        return Ok(None);
    }
    let (_, name) = contacts::label(tx, conversation).await?;
    let text = match message.text.as_str() {
        "" => attachment::called(&message.attachments).to_owned(),
        _ => message.text,
    };
    let shows_name = matches!(shows, Notifications::Content | Notifications::Name);
    Ok(Some(Notice {
        conversation,
        unread,
        name: shows_name.then_some(name),
        text: (shows == Notifications::Content).then_some(text),
    }))
}
