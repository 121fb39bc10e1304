//! The journal: one row for each commit, with all its writes, until they are in their tables.
//!
//! It knows the form of a row and nothing of when it is written or carried over. A row is sealed as one record, under
//! its number as the key, so neither a row nor a part of one can be moved. Rows count in the order of their numbers.

use engine::StoreFault;
use engine::store::{Changes, Row, Table};

use super::overlay::Overlay;
use super::schema::JOURNAL;
use super::seal::Sealer;

const VERSION: u8 = 1;
const DELETED: u8 = 0;
const WRITTEN: u8 = 1;
const DAMAGED: StoreFault = StoreFault::Damaged { table: JOURNAL };

/// The key of a row.
pub(super) const fn key(number: u64) -> [u8; 8] {
    number.to_be_bytes()
}

/// A commit as a row, sealed.
pub(super) fn seal(sealer: &Sealer, number: u64, changes: &Changes) -> Result<Vec<u8>, StoreFault> {
    let row = encode(changes).ok_or(StoreFault::Failed)?;
    sealer.seal(JOURNAL, &key(number), &row)
}

/// The journal as it was found: keys and sealed rows, oldest first.
pub(super) fn open(sealer: &Sealer, rows: Vec<Row>) -> Result<Overlay, StoreFault> {
    let mut overlay = Overlay::default();
    for (key, sealed) in rows {
        let row = sealer.open(JOURNAL, &key, &sealed)?;
        let number = key.try_into().map_err(|_| DAMAGED)?;
        let changes = decode(&row).ok_or(DAMAGED)?;
        overlay.append(u64::from_be_bytes(number), changes);
    }
    Ok(overlay)
}

/// Version, then for each write: table, key, and whether there is a record, with the record. The length of a name has one
/// byte, the others have four.
fn encode(changes: &Changes) -> Option<Vec<u8>> {
    let Changes { writes } = changes;
    let length = |((table, key), record): (&(Table, Vec<u8>), &Option<Vec<u8>>)| {
        10 + table.name().len() + key.len() + record.as_ref().map_or(0, Vec::len)
    };
    let mut row = Vec::with_capacity(1 + writes.iter().map(length).sum::<usize>());
    row.push(VERSION);
    for ((table, key), record) in writes {
        row.push(u8::try_from(table.name().len()).ok()?);
        row.extend_from_slice(table.name().as_bytes());
        push(&mut row, key)?;
        match record {
            None => row.push(DELETED),
            Some(record) => {
                row.push(WRITTEN);
                push(&mut row, record)?;
            }
        }
    }
    Some(row)
}

fn push(row: &mut Vec<u8>, bytes: &[u8]) -> Option<()> {
    row.extend_from_slice(&u32::try_from(bytes.len()).ok()?.to_be_bytes());
    row.extend_from_slice(bytes);
    Some(())
}

fn decode(row: &[u8]) -> Option<Changes> {
    let mut changes = Changes::default();
    let (version, mut rest) = row.split_first()?;
    if *version != VERSION {
        return None;
    }
    while let Some((length, after)) = rest.split_first() {
        let (name, after) = after.split_at_checked(usize::from(*length))?;
        let table = (Table::ALL.into_iter()).find(|table| table.name().as_bytes() == name)?;
        let (key, after) = take(after)?;
        let (kind, after) = after.split_first()?;
        let (record, after) = match *kind {
            DELETED => (None, after),
            WRITTEN => take(after).map(|(record, after)| (Some(record), after))?,
            _ => return None,
        };
        changes.writes.insert((table, key), record);
        rest = after;
    }
    Some(changes)
}

fn take(bytes: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let (bytes, rest) = rest.split_at_checked(length)?;
    Some((bytes.to_vec(), rest))
}
