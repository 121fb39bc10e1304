//! What the journal holds and the tables do not have yet, in memory, where loads find it.
//!
//! Of each record it keeps the newest write; of each row of the journal, what was written with it. It is pure: it knows
//! no database and no sealing. Rule ST-5: a write leaves the overlay only after it is in its table, or when a later row
//! replaces it, and rows leave oldest first. So tables and overlay together always are the last commit, and
//! whoever finds nothing here may look into the table.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Bound;

use engine::store::{Changes, Direction, Loaded, Row, Scan, Table, Wants};

/// Writes the journal may hold before a commit has to wait for the carrying: some 4,000 received messages, more than a
/// night brings, and an opening reads so many in about a tenth of a second.
const WRITES_MAX: usize = 8_192;
/// The same in bytes, for long messages: all of it is held in memory, and read and opened when the store is.
const BYTES_MAX: usize = 4 << 20;

/// A write that is not in its table yet.
struct Write {
    /// The row of the journal it stands in.
    number: u64,
    /// `None`: the record is deleted.
    record: Option<Vec<u8>>,
}

/// A row of the journal.
struct Entry {
    places: Vec<(Table, Vec<u8>)>,
    bytes: usize,
}

/// The journal, as loads see it.
#[derive(Default)]
pub(super) struct Overlay {
    newest: BTreeMap<Table, BTreeMap<Vec<u8>, Write>>,
    entries: BTreeMap<u64, Entry>,
    writes: usize,
    bytes: usize,
    last: u64,
}

impl fmt::Debug for Overlay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Overlay({} rows)", self.entries.len())
    }
}

/// What goes into the tables next.
pub(super) struct Portion {
    pub(super) changes: Changes,
    /// The rows that are done with then.
    pub(super) done: Vec<u64>,
    through: u64,
}

impl Overlay {
    /// The number of the next row.
    pub(super) const fn next_number(&self) -> u64 {
        self.last.saturating_add(1)
    }

    /// Takes what is in the journal now. Rows come in the order of their numbers.
    pub(super) fn append(&mut self, number: u64, changes: Changes) {
        let Changes { writes } = changes;
        let mut entry = Entry {
            places: Vec::with_capacity(writes.len()),
            bytes: 0,
        };
        for ((table, key), record) in writes {
            entry.bytes += key.len() + record.as_ref().map_or(0, Vec::len);
            entry.places.push((table, key.clone()));
            let write = Write { number, record };
            self.newest.entry(table).or_default().insert(key, write);
        }
        self.writes += entry.places.len();
        self.bytes += entry.bytes;
        self.last = number;
        self.entries.insert(number, entry);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether these may be added. An empty journal takes any commit.
    pub(super) fn has_room(&self, changes: &Changes) -> bool {
        let writes = self.writes.saturating_add(changes.writes.len());
        self.is_empty() || (writes <= WRITES_MAX && self.bytes < BYTES_MAX)
    }

    /// The oldest writes that no later row replaces, at most so many.
    pub(super) fn oldest(&self, limit: usize) -> Portion {
        let mut portion = Portion {
            changes: Changes::default(),
            done: Vec::new(),
            through: 0,
        };
        for (number, entry) in &self.entries {
            portion.through = *number;
            for place in &entry.places {
                let Some(write) = self.write(place).filter(|write| write.number == *number) else {
                    continue;
                };
                if portion.changes.writes.len() >= limit {
                    return portion;
                }
                let record = write.record.clone();
                portion.changes.writes.insert(place.clone(), record);
            }
            portion.done.push(*number);
        }
        portion
    }

    /// The portion is in the tables, and its rows are gone.
    pub(super) fn carried(&mut self, portion: &Portion) {
        for (table, key) in portion.changes.writes.keys() {
            let Some(writes) = self.newest.get_mut(table) else {
                continue;
            };
            // What has been written meanwhile stands in a later row.
            if (writes.get(key)).is_some_and(|write| write.number <= portion.through) {
                writes.remove(key);
            }
        }
        for number in &portion.done {
            if let Some(entry) = self.entries.remove(number) {
                self.writes -= entry.places.len();
                self.bytes -= entry.bytes;
            }
        }
    }

    /// What of a load is found here, and what is left for the tables.
    pub(super) fn look(&self, wants: &Wants) -> (Found, Wants) {
        let Wants { keys, scans } = wants;
        let value = |place| self.write(place).map(|write| write.record.clone());
        let found = Found {
            values: keys.iter().map(value).collect(),
            ranges: scans.iter().map(|scan| self.range(scan)).collect(),
        };
        let left = Wants {
            keys: (keys.iter().zip(&found.values))
                .filter(|(_, found)| found.is_none())
                .map(|(place, _)| place.clone())
                .collect(),
            scans: (scans.iter().zip(&found.ranges))
                .map(|(scan, range)| raised(scan, range))
                .collect(),
        };
        (found, left)
    }

    fn write(&self, (table, key): &(Table, Vec<u8>)) -> Option<&Write> {
        self.newest.get(table)?.get(key)
    }

    /// The range's writes from its beginning, until the scan could be full of them.
    fn range(&self, scan: &Scan) -> Vec<Written> {
        let Scan {
            table,
            from,
            to,
            direction,
            limit,
        } = scan;
        let empty = to.as_ref().is_some_and(|to| to <= from);
        let Some(writes) = self.newest.get(table).filter(|_| !empty) else {
            return Vec::new();
        };
        let end = to.as_ref().map_or(Bound::Unbounded, Bound::Excluded);
        let range = writes.range::<Vec<u8>, _>((Bound::Included(from), end));
        let mut left = *limit;
        let wanted = |(_, write): &(&Vec<u8>, &Write)| {
            let more = left > 0;
            left -= usize::from(more && write.record.is_some());
            more
        };
        let written = |(key, write): (&Vec<u8>, &Write)| (key.clone(), write.record.clone());
        match direction {
            Direction::Forward => range.take_while(wanted).map(written).collect(),
            Direction::Backward => range.rev().take_while(wanted).map(written).collect(),
        }
    }
}

/// A key and what was written under it.
type Written = (Vec<u8>, Option<Vec<u8>>);

/// A row of the table that was deleted here must not cost the scan one of those it looks for. A row that was
/// replaced here counts in any case.
fn raised(scan: &Scan, range: &[Written]) -> Scan {
    let deleted = range.iter().filter(|(_, record)| record.is_none()).count();
    Scan {
        limit: match scan.limit {
            0 => 0,
            limit => limit.saturating_add(deleted),
        },
        ..scan.clone()
    }
}

/// The part of a load that was found in the overlay.
pub(super) struct Found {
    values: Vec<Option<Option<Vec<u8>>>>,
    ranges: Vec<Vec<Written>>,
}

impl Found {
    /// The whole of it, with what the tables gave for the rest.
    pub(super) fn complete(self, wants: &Wants, stored: Loaded) -> Loaded {
        let mut rest = stored.values.into_iter();
        let values = self.values.into_iter();
        let scans = wants.scans.iter().zip(self.ranges).zip(stored.scans);
        Loaded {
            values: values
                .map(|found| found.unwrap_or_else(|| rest.next().flatten()))
                .collect(),
            scans: scans
                .map(|((scan, range), stored)| merged(scan, range, stored))
                .collect(),
        }
    }
}

fn merged(scan: &Scan, range: Vec<Written>, stored: Vec<Row>) -> Vec<Row> {
    if range.is_empty() {
        return stored;
    }
    let stored = stored.into_iter().map(|(key, record)| (key, Some(record)));
    let mut rows: BTreeMap<Vec<u8>, Option<Vec<u8>>> = stored.collect();
    rows.extend(range);
    let rows = (rows.into_iter()).filter_map(|(key, record)| Some((key, record?)));
    match scan.direction {
        Direction::Forward => rows.take(scan.limit).collect(),
        Direction::Backward => rows.rev().take(scan.limit).collect(),
    }
}
