//! What was done to a message that is not here yet: it waits for the message, so that an edit, a deletion or a reaction
//! may come first. What is waited for is bounded for each conversation, and for so long.
//! It does not know what an act does (see `thread::acts`).

use wire::{AccountId, MessageId};

use crate::error::Error;
use crate::flat::Map;
use crate::input::{ConversationId, Timestamp};
use crate::limits::{EARLY_MAX, EARLY_MS, EARLY_OF_CONVERSATION_MAX};
use crate::output::Message;
use crate::record::{EarlyRecord, Record, key};
use crate::state::State;
use crate::store::{Scan, Table};
use crate::thread::acts::{Act, Deed, Outcome};
use crate::thread::{self, NewMessage};
use crate::tx::Tx;

/// The acts that wait: target and act, and in which conversation.
#[derive(Debug, Default)]
pub(crate) struct Early(Map<(MessageId, MessageId), ConversationId>);

impl Early {
    /// Reads what the store holds.
    pub(crate) async fn read(tx: &mut Tx<'_>) -> Result<Self, Error> {
        let mut early = Self::default();
        for (at, bytes) in tx.scan(Scan::all(Table::Early, EARLY_MAX)).await? {
            let record = EarlyRecord::read(&bytes)?;
            if let Some(names) = key::split_early(&at)
                && let Ok(conversation) = AccountId::from_slice(&record.conversation)
            {
                early.0.insert(names, conversation);
            }
        }
        Ok(early)
    }

    fn of(&self, target: MessageId) -> Vec<MessageId> {
        let (first, last) = (
            MessageId::from_bytes([0; 16]),
            MessageId::from_bytes([255; 16]),
        );
        let acts = self.0.range((target, first)..=(target, last));
        acts.map(|((_, act), _)| *act).collect()
    }

    fn has_room(&self, conversation: ConversationId) -> bool {
        let of_it = self.0.values().filter(|of| **of == conversation).count();
        self.0.len() < EARLY_MAX && of_it < EARLY_OF_CONVERSATION_MAX
    }
}

impl State {
    /// Stores a message that came, with what was done to it before. Gives it if it is new.
    pub(crate) async fn insert(
        &mut self,
        tx: &mut Tx<'_>,
        message: NewMessage,
    ) -> Result<Option<Message>, Error> {
        let id = message.id;
        let acts = self.early_acts(tx, id).await?;
        let new = thread::insert(tx, message, &acts).await?;
        let end = new.as_ref().and_then(|message| message.disappears_at);
        if let Some(end) = end {
            self.ends_at(tx, id, end);
        }
        Ok(new)
    }

    /// What was done to a message that has come now. It waits no longer.
    pub(crate) async fn early_acts(
        &mut self,
        tx: &mut Tx<'_>,
        target: MessageId,
    ) -> Result<Vec<Act>, Error> {
        let mut acts = Vec::new();
        for act in self.early.of(target) {
            let at = key::early(target, act);
            let record = tx.get::<EarlyRecord>(&at).await?;
            acts.extend(record.and_then(|record| read(target, act, record)));
            tx.delete(Table::Early, &at);
            self.early.0.remove(&(target, act));
        }
        Ok(acts)
    }

    /// Does something to a message, now or when it comes. What may not be done is counted.
    pub(crate) async fn act(&mut self, tx: &mut Tx<'_>, act: &Act) -> Result<Outcome, Error> {
        let outcome = thread::acts::apply(tx, act).await?;
        match outcome {
            Outcome::Changed | Outcome::Nothing => {}
            Outcome::Refused(_) => self.count_refused(tx),
            Outcome::Early => self.keep(tx, act),
        }
        Ok(outcome)
    }

    fn keep(&mut self, tx: &mut Tx<'_>, act: &Act) {
        if !self.early.has_room(act.conversation) {
            return self.count_refused(tx);
        }
        let (deed, text) = stored(&act.deed);
        let record = EarlyRecord {
            conversation: act.conversation.as_bytes().to_vec(),
            by: act.by.as_bytes().to_vec(),
            clock: act.clock,
            deed,
            text,
            noted_at: tx.now.0,
            only_of_device: act.only_of.map_or(0, u32::from),
        };
        tx.put(&key::early(act.target, act.id), &record);
        self.early.0.insert((act.target, act.id), act.conversation);
    }

    /// An act of somebody else was refused.
    pub(crate) fn count_refused(&mut self, tx: &mut Tx<'_>) {
        self.clock.refused_acts = self.clock.refused_acts.saturating_add(1);
        self.save_clock(tx);
    }

    /// Messages that have not come for so long do not come.
    pub(crate) async fn forget_early(&mut self, tx: &mut Tx<'_>) -> Result<(), Error> {
        for (at, bytes) in tx.scan(Scan::all(Table::Early, EARLY_MAX)).await? {
            let noted_at = Timestamp(EarlyRecord::read(&bytes)?.noted_at);
            if noted_at.plus_ms(EARLY_MS) > tx.now {
                continue;
            }
            tx.delete(Table::Early, &at);
            if let Some(names) = key::split_early(&at) {
                self.early.0.remove(&names);
            }
        }
        Ok(())
    }
}

const EDIT: u32 = 1;
const DELETE: u32 = 2;
const REACT: u32 = 3;
const DELIVERED: u32 = 4;
const READ: u32 = 5;

fn stored(deed: &Deed) -> (u32, String) {
    match deed {
        Deed::Edit(text) => (EDIT, text.clone()),
        Deed::Delete => (DELETE, String::new()),
        Deed::React(emoji) => (REACT, emoji.clone()),
        Deed::Delivered => (DELIVERED, String::new()),
        Deed::Read => (READ, String::new()),
    }
}

fn read(target: MessageId, id: MessageId, record: EarlyRecord) -> Option<Act> {
    let EarlyRecord {
        conversation,
        by,
        clock,
        deed,
        text,
        noted_at: _,
        only_of_device,
    } = record;
    Some(Act {
        id,
        conversation: AccountId::from_slice(&conversation).ok()?,
        target,
        by: AccountId::from_slice(&by).ok()?,
        only_of: match only_of_device {
            0 => None,
            device => Some(device.try_into().ok()?),
        },
        clock,
        deed: match deed {
            EDIT => Deed::Edit(text),
            DELETE => Deed::Delete,
            REACT => Deed::React(text),
            DELIVERED => Deed::Delivered,
            READ => Deed::Read,
            _ => return None,
        },
    })
}

/// How many acts and messages of others a device has refused, for tests.
#[cfg(any(test, feature = "testing"))]
#[must_use]
pub fn refused(snapshot: &crate::store::memory::Snapshot) -> u64 {
    let mut meta = snapshot.rows(Table::Meta);
    let clock = meta.find(|(at, _)| *at == key::CLOCK);
    let clock = clock.and_then(|(_, bytes)| crate::record::ClockRecord::read(bytes).ok());
    clock.map_or(0, |clock| clock.refused_acts)
}
