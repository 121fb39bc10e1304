//! The fencing number that makes writes safe.
//!
//! Every opening raises the number; every transaction that writes reads it first and undoes itself if the number is no
//! longer its own. So a tab that was frozen and wakes up with stale memory writes nothing.

use std::cell::Cell;
use std::rc::Rc;

use engine::StoreFault;
use engine::store::Row;
use js_sys::{Array, Uint8Array};
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::IdbRequest;

use super::fault;
use super::schema::{Connection, FENCE, JOURNAL};
use super::strict::Strict;

/// The number of an opening.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Fence(f64);

/// The one row of the fence's object store.
const ROW: f64 = 0.0;

/// Takes the next number, and reads keys and rows of the journal in the same transaction. Whoever had the store open before is shut out
/// from then on, and what it committed before is in the journal that was read.
pub(super) async fn raise(connection: &Connection) -> Result<(Fence, Vec<Row>), StoreFault> {
    let transaction = Strict::begin(connection.writer(), [FENCE, JOURNAL])
        .map_err(|fault| connection.explain(fault))?;
    let store = transaction.store(FENCE)?;
    let request = issued(store.get(&ROW.into()))?;
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
    let journal = transaction.store(JOURNAL)?;
    let (keys, rows) = (issued(journal.get_all_keys())?, issued(journal.get_all())?);
    let done = transaction.done().await;
    request.set_onsuccess(None);
    done.map_err(|fault| connection.explain(fault))?;
    let fence = raised.get().ok_or(StoreFault::Failed)?;
    let rows = all(&keys)?.into_iter().zip(all(&rows)?);
    Ok((fence, rows.collect()))
}

/// The first request of a transaction that writes: undoes it if the fencing number is not ours.
pub(super) struct Guard {
    request: IdbRequest,
    fenced: Rc<Cell<bool>>,
    _on_success: Closure<dyn FnMut()>,
}

impl Guard {
    pub(super) fn set(transaction: &Strict, fence: Fence) -> Result<Self, StoreFault> {
        let store = transaction.store(FENCE)?;
        let request = issued(store.get(&ROW.into()))?;
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

    /// Whether somebody else has the store.
    pub(super) fn is_fenced(&self) -> bool {
        self.fenced.get()
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.request.set_onsuccess(None);
    }
}

fn issued(request: Result<IdbRequest, JsValue>) -> Result<IdbRequest, StoreFault> {
    request.map_err(|error| fault::of_exception(&error))
}

fn number(request: &IdbRequest) -> Option<f64> {
    request.result().ok()?.as_f64()
}

fn all(request: &IdbRequest) -> Result<Vec<Vec<u8>>, StoreFault> {
    let found = (request.result()).map_err(|error| fault::of_exception(&error))?;
    let bytes = |value: JsValue| Uint8Array::new(&value).to_vec();
    Ok(Array::from(&found).iter().map(bytes).collect())
}
