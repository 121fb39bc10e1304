//! Writes: one strict transaction a commit, and the fencing number that makes it safe.
//!
//! Every opening raises the number; every commit reads it first, in its own transaction, and undoes itself
//! if the number is no longer its own. So a tab that was frozen and wakes up with stale memory writes nothing.
//! Requests are issued without waiting for each other; the transaction answers for them all.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::rc::Rc;

use engine::StoreFault;
use engine::store::{Changes, Table};
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::IdbRequest;

use super::fault;
use super::schema::{Connection, FENCE, bytes};
use super::seal::Sealer;
use super::strict::Strict;

/// The number of an opening.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Fence(f64);

/// The one row of the fence's object store.
const ROW: f64 = 0.0;

/// A row as it will be written: where, and what, or nothing to delete it.
type Write = (Table, JsValue, Option<JsValue>);

/// Takes the next number. Whoever had the store open before is shut out from then on.
pub(super) async fn raise_fence(connection: &Connection) -> Result<Fence, StoreFault> {
    let transaction = Strict::begin(connection.writer(), [FENCE])?;
    let store = transaction.store(FENCE)?;
    let request = store
        .get(&ROW.into())
        .map_err(|error| fault::of_exception(&error))?;
    let raised = Rc::new(Cell::new(None));
    let on_success = {
        let (request, raised) = (request.clone(), Rc::clone(&raised));
        Closure::<dyn FnMut()>::new(move || {
            let next = number(&request).unwrap_or(0.0) + 1.0;
            if store.put_with_key(&next.into(), &ROW.into()).is_ok() {
                raised.set(Some(Fence(next)));
            }
        })
    };
    request.set_onsuccess(Some(on_success.as_ref().unchecked_ref()));
    let done = transaction.done().await;
    request.set_onsuccess(None);
    done.map_err(|fault| connection.explain(fault))?;
    raised.get().ok_or(StoreFault::Failed)
}

/// Writes all changes or nothing.
pub(super) async fn commit(
    connection: &Connection,
    sealer: &Sealer,
    fence: Fence,
    changes: &Changes,
) -> Result<(), StoreFault> {
    let Changes { writes } = changes;
    if writes.is_empty() {
        return Ok(());
    }
    let tables: BTreeSet<Table> = writes.keys().map(|(table, _)| *table).collect();
    let writes = prepare(sealer, changes)?;

    let stores = tables.iter().map(|table| table.name()).chain([FENCE]);
    let transaction =
        Strict::begin(connection.writer(), stores).map_err(|fault| connection.explain(fault))?;
    let guard = Guard::set(&transaction, fence)?;
    if let Err(fault) = issue(&transaction, writes) {
        transaction.abort();
        return Err(connection.explain(fault));
    }
    let done = transaction.done().await;
    if guard.fenced.get() {
        return Err(StoreFault::Fenced);
    }
    done.map_err(|fault| connection.explain(fault))
}

/// Seals every record; the transaction is not open yet, so this may take its time.
fn prepare(sealer: &Sealer, changes: &Changes) -> Result<Vec<Write>, StoreFault> {
    let row = |((table, key), record): (&(Table, Vec<u8>), &Option<Vec<u8>>)| {
        let record = record
            .as_ref()
            .map(|record| sealer.seal(*table, key, record))
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

/// The first request of a commit: undoes the transaction if the fencing number is not ours.
struct Guard {
    request: IdbRequest,
    fenced: Rc<Cell<bool>>,
    _on_success: Closure<dyn FnMut()>,
}

impl Guard {
    fn set(transaction: &Strict, fence: Fence) -> Result<Self, StoreFault> {
        let store = transaction.store(FENCE)?;
        let request = store
            .get(&ROW.into())
            .map_err(|error| fault::of_exception(&error))?;
        let fenced = Rc::new(Cell::new(false));
        let on_success = {
            let (request, fenced) = (request.clone(), Rc::clone(&fenced));
            let raw = transaction.raw().clone();
            Closure::<dyn FnMut()>::new(move || {
                if number(&request) != Some(fence.0) {
                    fenced.set(true);
                    // It fails only on a transaction that is over.
                    drop(raw.abort());
                }
            })
        };
        request.set_onsuccess(Some(on_success.as_ref().unchecked_ref()));
        Ok(Self {
            request,
            fenced,
            _on_success: on_success,
        })
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.request.set_onsuccess(None);
    }
}

fn number(request: &IdbRequest) -> Option<f64> {
    request.result().ok()?.as_f64()
}
