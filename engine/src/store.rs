//! Where the engine's records live: ordered tables of bytes, one transaction a commit.
//!
//! A store knows neither what a record means nor what a key is made of; it keeps bytes in order.
//! Rule ST-1: a commit is all or nothing, and durable once it returns.
//! Rule ST-2: a load sees the last commit, whole.
//! Rule ST-3: one engine owns a store; a store that finds another owner answers `Fenced`.

#[cfg(any(test, feature = "testing"))]
pub mod conformance;
#[cfg(any(test, feature = "testing"))]
pub mod memory;

use std::collections::BTreeMap;

use crate::error::StoreFault;

/// The tables. Their names are part of the stored format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Table {
    /// Single records: the account, counters, the clock.
    Meta,
    /// Own prekeys of all kinds.
    PreKeys,
    /// libsignal sessions, by device address.
    Sessions,
    /// What is known of each account: identity key, devices.
    Peers,
    /// Names and verified state, by account.
    Contacts,
    /// One record a conversation, by account of the peer.
    Conversations,
    /// Messages by conversation and order.
    Messages,
    /// Where a message is, by message id.
    MessageIndex,
    /// Messages on their way out, in order.
    Outbox,
    /// Envelopes already dealt with.
    Seen,
    /// What was sent, for devices that ask for it again.
    Sent,
    /// Messages that could not be read and were asked for.
    Waiting,
    /// Envelopes under an identity key that the person has not accepted.
    Held,
    /// What own devices agree on: settings, fields of people and conversations, app state.
    Registers,
    /// Names of registers that own other devices have not been told of.
    Untold,
    /// What was done to messages that are not here yet.
    Early,
    /// What is to be done at a certain time, by that time.
    Due,
    /// Histories and attachments on their way.
    Transfers,
    /// What a search looks at before it reads messages.
    Search,
    /// What own devices compare: a digest of each group of messages and registers.
    Digests,
}

impl Table {
    /// All tables.
    pub const ALL: [Self; 20] = [
        Self::Meta,
        Self::PreKeys,
        Self::Sessions,
        Self::Peers,
        Self::Contacts,
        Self::Conversations,
        Self::Messages,
        Self::MessageIndex,
        Self::Outbox,
        Self::Seen,
        Self::Sent,
        Self::Waiting,
        Self::Held,
        Self::Registers,
        Self::Untold,
        Self::Early,
        Self::Due,
        Self::Transfers,
        Self::Search,
        Self::Digests,
    ];

    /// Its name in the database.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Meta => "meta",
            Self::PreKeys => "prekeys",
            Self::Sessions => "sessions",
            Self::Peers => "peers",
            Self::Contacts => "contacts",
            Self::Conversations => "conversations",
            Self::Messages => "messages",
            Self::MessageIndex => "message_index",
            Self::Outbox => "outbox",
            Self::Seen => "seen",
            Self::Sent => "sent",
            Self::Waiting => "waiting",
            Self::Held => "held",
            Self::Registers => "registers",
            Self::Untold => "untold",
            Self::Early => "early",
            Self::Due => "due",
            Self::Transfers => "transfers",
            Self::Search => "search",
            Self::Digests => "digests",
        }
    }
}

/// Which end of a range comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Ascending keys.
    Forward,
    /// Descending keys.
    Backward,
}

/// A range of one table: keys `k` with `from <= k < to`, compared as bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scan {
    /// Which table.
    pub table: Table,
    /// The first key that may be in the range.
    pub from: Vec<u8>,
    /// The first key beyond the range; `None`: to the end of the table.
    pub to: Option<Vec<u8>>,
    /// From which end.
    pub direction: Direction,
    /// At most so many records.
    pub limit: usize,
}

impl Scan {
    /// The first records of a table.
    #[must_use]
    pub const fn all(table: Table, limit: usize) -> Self {
        Self {
            table,
            from: Vec::new(),
            to: None,
            direction: Direction::Forward,
            limit,
        }
    }

    /// The first records of a table whose keys begin so.
    #[must_use]
    pub fn prefix(table: Table, prefix: &[u8], limit: usize) -> Self {
        Self {
            from: prefix.to_vec(),
            to: after(prefix),
            ..Self::all(table, limit)
        }
    }
}

impl Scan {
    /// The range behind a page of this one, if that was full.
    pub(crate) fn behind(&self, rows: &[Row]) -> Option<Self> {
        let (last, _) = rows.last().filter(|_| rows.len() >= self.limit)?;
        let rest = self.clone();
        Some(match self.direction {
            Direction::Forward => Self {
                from: [last.as_slice(), &[0]].concat(), // the first key after it
                ..rest
            },
            Direction::Backward => Self {
                to: Some(last.clone()),
                ..rest
            },
        })
    }
}

/// The first key after all that begin with `prefix`; `None` if there is none.
fn after(prefix: &[u8]) -> Option<Vec<u8>> {
    let mut key = prefix.to_vec();
    while let Some(last) = key.pop() {
        if last < u8::MAX {
            key.push(last + 1);
            return Some(key);
        }
    }
    None
}

/// What a load asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wants {
    /// Single records.
    pub keys: Vec<(Table, Vec<u8>)>,
    /// Ranges.
    pub scans: Vec<Scan>,
}

/// A key and its record.
pub type Row = (Vec<u8>, Vec<u8>);

/// What a load found.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Loaded {
    /// One for each of [`Wants::keys`], in that order.
    pub values: Vec<Option<Vec<u8>>>,
    /// One for each of [`Wants::scans`], in that order.
    pub scans: Vec<Vec<Row>>,
}

impl std::fmt::Debug for Loaded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Loaded({} values, {} scans)",
            self.values.len(),
            self.scans.len()
        )
    }
}

/// What one transaction writes: the new bytes of each record, or `None` to delete it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// By table and key.
    pub writes: BTreeMap<(Table, Vec<u8>), Option<Vec<u8>>>,
}

impl Changes {
    /// The keys of a table's records that are written or deleted.
    pub(crate) fn keys_of(&self, table: Table) -> impl Iterator<Item = &[u8]> {
        let of_table = self.writes.range((table, Vec::new())..);
        let of_table = of_table.take_while(move |((of, _), _)| *of == table);
        of_table.map(|((_, at), _)| at.as_slice())
    }
}

impl std::fmt::Debug for Changes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Changes({} writes)", self.writes.len())
    }
}

/// A place for records.
#[expect(
    async_fn_in_trait,
    reason = "the engine runs on one thread; no Send bound is wanted"
)]
pub trait Store {
    /// Reads single records and ranges, all from one moment.
    async fn load(&self, wants: &Wants) -> Result<Loaded, StoreFault>;

    /// Writes all of `changes` or nothing, durably. After an error nothing is known but that:
    /// drop the engine and open the store again.
    async fn commit(&mut self, changes: &Changes) -> Result<(), StoreFault>;
}
