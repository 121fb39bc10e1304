//! What memory knows of the outbox: which entries wait, in which order, and for what.
//!
//! The order is a copy of what the store holds, by conversation, so that a conversation whose send has to
//! wait never stands before another one. What is in flight or waited for ends with the connection. It knows
//! numbers of entries, not what is in them.

use wire::{AccountId, DeviceId};

use crate::error::Error;
use crate::flat::{Map, Set};
use crate::input::{ConversationId, Timestamp};
use crate::limits::IN_FLIGHT_MAX;
use crate::record::{OutboxRecord, Record};
use crate::store::Table;
use crate::tx::Tx;

/// What waits to be sent.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    /// By conversation, the numbers of its entries; a damaged entry has none.
    waiting: Map<Option<ConversationId>, Set<u64>>,
    in_flight: Set<u64>,
    /// Keys that were asked for and have not come, of one device or of all of the account; and for which entry.
    fetching: Map<(AccountId, Option<DeviceId>), u64>,
    /// Conversations whose next send has to wait: one full mailbox must not hold up the others.
    waits: Map<Option<ConversationId>, Timestamp>,
    /// Accounts whose keys may not be asked for yet.
    key_waits: Map<AccountId, Timestamp>,
    /// There may be something to send.
    pub(crate) due: bool,
}

impl Outbox {
    /// Reads what the store holds.
    pub(crate) async fn read(tx: &mut Tx<'_>) -> Result<Self, Error> {
        let mut outbox = Self::default();
        tx.each_row(Table::Outbox, |_, at, bytes| {
            if let Ok(seq) = at.try_into() {
                let entry = OutboxRecord::read(bytes)?;
                outbox.add(super::conversation(&entry), u64::from_be_bytes(seq));
            }
            Ok(())
        })
        .await?;
        Ok(outbox)
    }

    /// The connection is gone: nothing is in flight any more.
    pub(crate) fn reset(&mut self) {
        *self = Self {
            due: self.due,
            waiting: std::mem::take(&mut self.waiting),
            ..Self::default()
        };
    }

    /// How many entries there are.
    pub(crate) fn len(&self) -> usize {
        self.waiting.values().map(Set::len).sum()
    }

    /// Whether anything of a conversation waits.
    pub(crate) fn has(&self, conversation: Option<ConversationId>) -> bool {
        self.waiting.contains_key(&conversation)
    }

    pub(super) fn add(&mut self, conversation: Option<ConversationId>, seq: u64) {
        self.waiting
            .change(conversation, |numbers| numbers.insert(seq));
        self.due = true;
    }

    pub(super) fn remove(&mut self, conversation: Option<ConversationId>, seq: u64) {
        if let Some(numbers) = self.waiting.get_mut(&conversation) {
            numbers.remove(&seq);
            if numbers.is_empty() {
                self.waiting.remove(&conversation);
            }
        }
        self.due = true;
    }

    /// The oldest entry of each conversation that is neither in flight nor has to wait, oldest first.
    pub(super) fn ready(&self) -> Vec<u64> {
        let mut ready: Vec<u64> = self
            .waiting
            .iter()
            .filter(|(conversation, _)| !self.waits.contains_key(conversation))
            .filter_map(|(_, numbers)| numbers.iter().next().copied())
            .filter(|seq| !self.in_flight.contains(seq))
            .collect();
        ready.sort_unstable();
        ready
    }

    /// No more bundles may be sent before one is answered.
    pub(super) fn is_full(&self) -> bool {
        self.in_flight.len() >= IN_FLIGHT_MAX
    }

    pub(super) fn sent(&mut self, seq: u64) {
        self.in_flight.insert(seq);
    }

    pub(super) fn answered(&mut self, seq: u64) {
        self.in_flight.remove(&seq);
        self.due = true;
    }

    pub(super) fn wait(&mut self, conversation: Option<ConversationId>, until: Timestamp) {
        self.waits.insert(conversation, until);
    }

    pub(super) fn wait_for_keys(&mut self, account: AccountId, until: Timestamp) {
        self.key_waits.insert(account, until);
    }

    pub(super) fn fetching(&mut self, account: AccountId, device: Option<DeviceId>, seq: u64) {
        self.fetching.insert((account, device), seq);
    }

    /// An answer has come; gives the entry that asked.
    pub(super) fn fetched(&mut self, account: AccountId, device: Option<DeviceId>) -> Option<u64> {
        self.due = true;
        self.fetching.remove(&(account, device))
    }

    /// Whether an entry still waits for keys that it asked for.
    pub(super) fn is_fetching(&self, seq: u64) -> bool {
        self.fetching.values().any(|by| *by == seq)
    }

    /// Keys of this account have been asked for, or can't be yet.
    pub(super) fn lacks_keys(&self, account: AccountId) -> bool {
        self.key_waits.contains_key(&account) || self.fetching.keys().any(|(of, _)| *of == account)
    }

    /// When a refused send is tried again.
    pub(crate) fn deadline(&self) -> Option<Timestamp> {
        self.waits
            .values()
            .chain(self.key_waits.values())
            .min()
            .copied()
    }

    /// Looks again at what has waited long enough.
    pub(crate) fn tick(&mut self, now: Timestamp) {
        let before = self.waits.len() + self.key_waits.len();
        self.waits.retain(|_, until| *until > now);
        self.key_waits.retain(|_, until| *until > now);
        self.due |= self.waits.len() + self.key_waits.len() < before;
    }
}
