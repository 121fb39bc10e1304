//! Writes: each is one strict transaction that first checks the fencing number.
//!
//! A commit is one row of the journal. Later, what the journal holds is carried over: its writes go into their tables and
//! its rows are deleted, in the same transaction. It does not know when that is (see `carry`). Rule ST-4: records are
//! sealed before a transaction opens. Requests are issued without waiting for each other; the transaction answers for
//! them all.

use std::collections::BTreeSet;

use engine::StoreFault;
use engine::store::{Changes, Table};
use wasm_bindgen::JsValue;

use super::fence::{Fence, Guard};
use super::overlay::Portion;
use super::schema::{Connection, FENCE, JOURNAL, bytes};
use super::seal::Sealer;
use super::strict::Strict;
use super::{fault, journal};

/// A row as it will be written: where, and what, or nothing to delete it.
type Write = (Table, JsValue, Option<JsValue>);

/// Writes all changes as one row of the journal, or nothing.
pub(super) async fn append(
    connection: &Connection,
    sealer: &Sealer,
    fence: Fence,
    number: u64,
    changes: &Changes,
) -> Result<(), StoreFault> {
    let row = journal::seal(sealer, number, changes)?;
    write(connection, fence, [JOURNAL], |transaction| {
        // `add` fails where `put` would replace: nothing in the journal is ever written over.
        (transaction.store(JOURNAL)?)
            .add_with_key(&bytes(&row), &bytes(&journal::key(number)))
            .map_err(|error| fault::of_exception(&error))?;
        Ok(())
    })
    .await
}

/// Writes what the journal held into the tables and takes it out of the journal, or nothing.
pub(super) async fn carry(
    connection: &Connection,
    sealer: &Sealer,
    fence: Fence,
    portion: &Portion,
) -> Result<(), StoreFault> {
    let Portion { changes, done, .. } = portion;
    let tables: BTreeSet<Table> = changes.writes.keys().map(|(table, _)| *table).collect();
    let writes = prepare(sealer, changes)?;
    let stores = tables.iter().map(|table| table.name()).chain([JOURNAL]);
    write(connection, fence, stores, |transaction| {
        issue(transaction, writes)?;
        let journal = transaction.store(JOURNAL)?;
        for number in done {
            (journal.delete(&bytes(&journal::key(*number))))
                .map_err(|error| fault::of_exception(&error))?;
        }
        Ok(())
    })
    .await
}

/// One transaction over these object stores, with these requests, if the fencing number is still ours.
async fn write<'a>(
    connection: &Connection,
    fence: Fence,
    stores: impl IntoIterator<Item = &'a str>,
    requests: impl FnOnce(&Strict) -> Result<(), StoreFault>,
) -> Result<(), StoreFault> {
    let stores = stores.into_iter().chain([FENCE]);
    let transaction =
        Strict::begin(connection.writer(), stores).map_err(|fault| connection.explain(fault))?;
    let guard = Guard::set(&transaction, fence)?;
    if let Err(fault) = requests(&transaction) {
        transaction.abort();
        return Err(connection.explain(fault));
    }
    let done = transaction.done().await;
    if guard.is_fenced() {
        return Err(StoreFault::Fenced);
    }
    done.map_err(|fault| connection.explain(fault))
}

/// Seals every record; the transaction is not open yet, so this may take its time.
fn prepare(sealer: &Sealer, changes: &Changes) -> Result<Vec<Write>, StoreFault> {
    let row = |((table, key), record): (&(Table, Vec<u8>), &Option<Vec<u8>>)| {
        let record = record
            .as_ref()
            .map(|record| sealer.seal(table.name(), key, record))
            .transpose()?;
        Ok((*table, bytes(key), record.map(|record| bytes(&record))))
    };
    changes.writes.iter().map(row).collect()
}

/// Issues all requests. Rows come ordered by table, so each object store is looked up once.
fn issue(transaction: &Strict, writes: Vec<Write>) -> Result<(), StoreFault> {
    let mut current = None;
    for (table, key, record) in writes {
        let store = match current.take() {
            Some((of, store)) if of == table => store,
            _ => transaction.store(table.name())?,
        };
        match record {
            Some(record) => store.put_with_key(&record, &key),
            None => store.delete(&key),
        }
        .map_err(|error| fault::of_exception(&error))?;
        current = Some((table, store));
    }
    Ok(())
}
