//! A read-write transaction that is on disk when it is done.
//!
//! `rexie` can ask for no durability and `web-sys` only behind a flag, hence the binding. One pair of
//! handlers on the transaction answers for all its requests. Success is its `complete` event and nothing
//! else: a request that succeeded may still be undone.

use std::cell::RefCell;
use std::rc::Rc;

use engine::StoreFault;
use futures_channel::oneshot;
use js_sys::{Array, Object, Reflect};
use wasm_bindgen::prelude::*;
use web_sys::{IdbDatabase, IdbObjectStore, IdbTransaction};

use super::fault;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = IDBDatabase)]
    type DurableDatabase;

    #[wasm_bindgen(method, catch)]
    fn transaction(
        this: &DurableDatabase,
        stores: &Array,
        mode: &str,
        options: &Object,
    ) -> Result<IdbTransaction, JsValue>;
}

/// A running transaction. Dropped before its end, it still ends, but nobody is told.
pub(super) struct Strict {
    transaction: IdbTransaction,
    outcome: oneshot::Receiver<Result<(), StoreFault>>,
    _on_complete: Closure<dyn FnMut()>,
    _on_abort: Closure<dyn FnMut()>,
}

impl Strict {
    /// Begins a transaction on these object stores.
    pub(super) fn begin<'a>(
        database: &IdbDatabase,
        stores: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, StoreFault> {
        let stores: Array = stores.into_iter().map(JsValue::from).collect();
        let options = Object::new();
        Reflect::set(&options, &"durability".into(), &"strict".into())
            .map_err(|error| fault::of_exception(&error))?;
        let database: &DurableDatabase = database.unchecked_ref();
        let transaction = (database.transaction(&stores, "readwrite", &options))
            .map_err(|error| fault::of_exception(&error))?;

        let (sender, outcome) = oneshot::channel();
        let sender = Rc::new(RefCell::new(Some(sender)));
        let tell = move |result| {
            if let Some(sender) = sender.borrow_mut().take() {
                // Nobody waits any more: the outcome is in the database either way.
                let _ = sender.send(result);
            }
        };
        let on_abort = {
            let (transaction, tell) = (transaction.clone(), tell.clone());
            Closure::<dyn FnMut()>::new(move || {
                let error = transaction.error().map(JsValue::from);
                tell(Err(error.map_or(StoreFault::Failed, |error| {
                    fault::of_exception(&error)
                })));
            })
        };
        let on_complete = Closure::<dyn FnMut()>::new(move || tell(Ok(())));
        transaction.set_oncomplete(Some(on_complete.as_ref().unchecked_ref()));
        transaction.set_onabort(Some(on_abort.as_ref().unchecked_ref()));
        Ok(Self {
            transaction,
            outcome,
            _on_complete: on_complete,
            _on_abort: on_abort,
        })
    }

    /// An object store of the transaction.
    pub(super) fn store(&self, name: &str) -> Result<IdbObjectStore, StoreFault> {
        self.transaction
            .object_store(name)
            .map_err(|error| fault::of_exception(&error))
    }

    /// For handlers that have to undo it.
    pub(super) const fn raw(&self) -> &IdbTransaction {
        &self.transaction
    }

    /// Undoes everything.
    pub(super) fn abort(&self) {
        // It fails only on a transaction that is over.
        drop(self.transaction.abort());
    }

    /// Waits until it is on disk, or undone.
    pub(super) async fn done(mut self) -> Result<(), StoreFault> {
        (&mut self.outcome).await.unwrap_or(Err(StoreFault::Failed))
    }
}

impl Drop for Strict {
    fn drop(&mut self) {
        self.transaction.set_oncomplete(None);
        self.transaction.set_onabort(None);
    }
}
