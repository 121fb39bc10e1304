//! One step's view of the store: what it has read, what it will write, what it will say.
//!
//! Reads see the step's own writes. Nothing is written or said until the engine commits; a dropped `Tx`
//! has done nothing. It does not know what records mean, only that they are versioned bytes.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;

use wire::AccountId;

use crate::error::{Error, Refusal, StoreFault};
use crate::input::{Ticket, Timestamp};
use crate::limits::TABLE_PAGE;
use crate::output::{Event, Output, Reply};
use crate::record::Record;
use crate::repair;
use crate::search;
use crate::steady::Moment;
use crate::store::{Changes, Direction, Loaded, Row, Scan, Store, Table, Wants};

type Reading<'a> = Pin<Box<dyn Future<Output = Result<Loaded, StoreFault>> + 'a>>;

/// The reading half of a store, without its type.
trait Reads {
    fn read<'a>(&'a self, wants: &'a Wants) -> Reading<'a>;
}

impl<S: Store> Reads for S {
    fn read<'a>(&'a self, wants: &'a Wants) -> Reading<'a> {
        Box::pin(self.load(wants))
    }
}

/// A step's reads, writes and outputs.
pub(crate) struct Tx<'s> {
    store: &'s dyn Reads,
    /// When the step began, on a clock that never goes back: for waits and deadlines.
    pub(crate) now: Timestamp,
    /// The same on the device's clock: for messages.
    pub(crate) device_time: Timestamp,
    cache: BTreeMap<(Table, Vec<u8>), Option<Vec<u8>>>,
    /// Ranges that were read to their ends: what is not in the cache is not in them.
    whole: Vec<Scan>,
    changes: Changes,
    outputs: Vec<Output>,
}

impl<'s> Tx<'s> {
    pub(crate) fn new(store: &'s impl Store, now: impl Into<Moment>) -> Self {
        let now = now.into();
        Self {
            store,
            now: now.steady,
            device_time: now.device,
            cache: BTreeMap::new(),
            whole: Vec::new(),
            changes: Changes::default(),
            outputs: Vec::new(),
        }
    }

    /// What the step wants written and said.
    pub(crate) fn finish(mut self) -> (Changes, Vec<Output>) {
        search::mark(&mut self.changes);
        repair::mark(&mut self.changes);
        (self.changes, self.outputs)
    }

    /// Reads many records at once, so that later reads of them cost nothing.
    pub(crate) async fn prefetch(&mut self, keys: Vec<(Table, Vec<u8>)>) -> Result<(), Error> {
        self.prefetch_with(keys, Vec::new()).await
    }

    /// As [`Tx::prefetch`], and reads ranges. Of a range that was read to its end it is known what is not in it, too.
    pub(crate) async fn prefetch_with(
        &mut self,
        mut keys: Vec<(Table, Vec<u8>)>,
        ranges: Vec<Scan>,
    ) -> Result<(), Error> {
        keys.sort_unstable();
        keys.dedup();
        keys.retain(|place| !self.is_known(place));
        if keys.is_empty() && ranges.is_empty() {
            return Ok(());
        }
        let wants = Wants {
            keys,
            scans: ranges,
        };
        let Loaded { values, scans } = self.store.read(&wants).await?;
        self.cache.extend(wants.keys.into_iter().zip(values));
        for (range, rows) in wants.scans.into_iter().zip(scans) {
            let whole = rows.len() < range.limit;
            let places = rows
                .into_iter()
                .map(|(key, value)| ((range.table, key), Some(value)));
            self.cache.extend(places);
            if whole {
                self.whole.push(range);
            }
        }
        Ok(())
    }

    /// Reads records of one table whose keys are likely to stand together, or not to be there: one range in
    /// place of a look-up for each. Where much else stands between them, it is a look-up for each after all.
    pub(crate) async fn prefetch_near(
        &mut self,
        table: Table,
        keys: Vec<Vec<u8>>,
    ) -> Result<(), Error> {
        let mut keys: Vec<_> = keys.into_iter().map(|key| (table, key)).collect();
        keys.retain(|place| !self.is_known(place));
        keys.sort_unstable();
        if let [(_, first), .., (_, last)] = keys.as_slice() {
            let mut to = last.clone();
            to.push(0); // the first key after the last
            let range = Scan {
                table,
                from: first.clone(),
                to: Some(to),
                direction: Direction::Forward,
                limit: keys.len().saturating_mul(2),
            };
            self.prefetch_with(Vec::new(), vec![range]).await?;
        }
        self.prefetch(keys).await
    }

    /// Whether the store need not be asked.
    fn is_known(&self, place: &(Table, Vec<u8>)) -> bool {
        let (table, key) = place;
        let inside = |range: &Scan| {
            let Scan { from, to, .. } = range;
            range.table == *table && key >= from && to.as_ref().is_none_or(|to| key < to)
        };
        self.cache.contains_key(place) || self.whole.iter().any(inside)
    }

    /// The record with this key, as this step would leave it.
    pub(crate) async fn get<R: Record>(&mut self, key: &[u8]) -> Result<Option<R>, Error> {
        self.get_in(R::TABLE, key).await
    }

    /// As [`Tx::get`], where several kinds of record share a table.
    pub(crate) async fn get_in<R: Record>(
        &mut self,
        table: Table,
        key: &[u8],
    ) -> Result<Option<R>, Error> {
        Ok(self
            .get_bytes(table, key)
            .await?
            .map(|bytes| R::read(&bytes))
            .transpose()?)
    }

    /// The bytes with this key, as this step would leave them.
    pub(crate) async fn get_bytes(
        &mut self,
        table: Table,
        key: &[u8],
    ) -> Result<Option<Vec<u8>>, Error> {
        let key = (table, key.to_vec());
        if let Some(value) = self.changes.writes.get(&key) {
            return Ok(value.clone());
        }
        self.prefetch(vec![key.clone()]).await?;
        Ok(self.cache.get(&key).cloned().flatten())
    }

    /// Writes a record.
    pub(crate) fn put<R: Record>(&mut self, key: &[u8], record: &R) {
        self.put_bytes(R::TABLE, key, record.write());
    }

    /// Writes bytes.
    pub(crate) fn put_bytes(&mut self, table: Table, key: &[u8], value: Vec<u8>) {
        self.changes
            .writes
            .insert((table, key.to_vec()), Some(value));
    }

    /// Deletes a record.
    pub(crate) fn delete(&mut self, table: Table, key: &[u8]) {
        self.changes.writes.insert((table, key.to_vec()), None);
    }

    /// A range, as this step would leave it. Meant for short ranges.
    pub(crate) async fn scan(&mut self, scan: Scan) -> Result<Vec<Row>, Error> {
        let touched: Vec<Row> = self.touched(&scan);
        let deleted = self.changes.writes.len() - touched.len();
        let wants = Wants {
            keys: Vec::new(),
            scans: vec![Scan {
                limit: scan.limit.saturating_add(deleted),
                ..scan.clone()
            }],
        };
        let stored = self
            .store
            .read(&wants)
            .await?
            .scans
            .pop()
            .unwrap_or_default();
        let unwritten = |row: &Row| {
            !self
                .changes
                .writes
                .contains_key(&(scan.table, row.0.clone()))
        };
        let mut rows: Vec<Row> = stored
            .into_iter()
            .filter(unwritten)
            .chain(touched)
            .collect();
        rows.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        if scan.direction == Direction::Backward {
            rows.reverse();
        }
        rows.truncate(scan.limit);
        Ok(rows)
    }

    /// Calls back for every row of a table, which may be long, in the order of the keys. The callback may
    /// change or delete the row it is given.
    pub(crate) async fn each_row(
        &mut self,
        table: Table,
        mut each: impl FnMut(&mut Self, Vec<u8>, &[u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut page = Some(Scan::all(table, TABLE_PAGE));
        while let Some(range) = page {
            let rows = self.scan(range.clone()).await?;
            page = range.behind(&rows);
            for (at, bytes) in rows {
                each(self, at, &bytes)?;
            }
        }
        Ok(())
    }

    /// The records of a table whose keys are account ids, in the order of the ids.
    pub(crate) async fn by_account<R: Record>(
        &mut self,
        limit: usize,
    ) -> Result<Vec<(AccountId, R)>, Error> {
        let mut found = Vec::new();
        for (at, bytes) in self.scan(Scan::all(R::TABLE, limit)).await? {
            let Ok(account) = AccountId::from_slice(&at) else {
                continue;
            };
            found.push((account, R::read(&bytes)?));
        }
        Ok(found)
    }

    /// The range's records that this step writes.
    fn touched(&self, scan: &Scan) -> Vec<Row> {
        let from = (scan.table, scan.from.clone());
        self.changes
            .writes
            .range(from..)
            .take_while(|((table, key), _)| {
                *table == scan.table && scan.to.as_ref().is_none_or(|to| key < to)
            })
            .filter_map(|((_, key), value)| Some((key.clone(), value.clone()?)))
            .collect()
    }

    /// Has the host do something after the commit.
    pub(crate) fn push(&mut self, output: Output) {
        self.outputs.push(output);
    }

    /// Tells the application something after the commit.
    pub(crate) fn emit(&mut self, event: Event) {
        self.outputs.push(Output::Emit(Box::new(event)));
    }

    /// Has some of what was to be told not told.
    pub(crate) fn forget_outputs(&mut self, is_forgotten: impl Fn(&Output) -> bool) {
        self.outputs.retain(|output| !is_forgotten(output));
    }

    /// Answers a command after the commit.
    pub(crate) fn resolve(&mut self, ticket: Ticket, result: Result<Reply, Refusal>) {
        self.outputs.push(Output::Resolve { ticket, result });
    }
}

#[cfg(test)]
mod tests;
