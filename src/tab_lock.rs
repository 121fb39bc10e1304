//! One tab at a time: an exclusive Web Lock named after the store.
//!
//! The browser gives the lock back when the page that holds it dies, however it dies. A page that was just
//! reloaded may find its predecessor still holding it, so asking goes on for a short while. It keeps honest
//! tabs apart; against one that wakes up late, the store has its fencing number.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

use engine::StoreFault;
use futures_channel::oneshot;
use js_sys::{Function, Object, Promise, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};

use crate::clock::Timer;

/// For how long a predecessor may be dying.
const PATIENCE_MS: u64 = 2_000;
const PAUSE_MS: u64 = 100;

#[wasm_bindgen]
extern "C" {
    type LockManager;

    #[wasm_bindgen(method, catch)]
    fn request(
        this: &LockManager,
        name: &str,
        options: &Object,
        granted: &JsValue,
    ) -> Result<Promise, JsValue>;
}

/// The lock, held until this is dropped.
pub struct TabLock {
    release: Function,
}

impl fmt::Debug for TabLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TabLock")
    }
}

impl TabLock {
    /// Takes the lock of this store, or answers `InUse` if another tab keeps it.
    pub async fn take(store: &str) -> Result<Self, StoreFault> {
        let name = format!("lockstep:{store}");
        for _ in 0..PATIENCE_MS / PAUSE_MS {
            if let Some(lock) = try_once(&name).await? {
                return Ok(lock);
            }
            Timer::after_ms(PAUSE_MS).await;
        }
        try_once(&name).await?.ok_or(StoreFault::InUse)
    }
}

impl Drop for TabLock {
    fn drop(&mut self) {
        // Resolving a promise does not throw.
        drop(self.release.call0(&JsValue::UNDEFINED));
    }
}

/// Asks once, without waiting in line.
async fn try_once(name: &str) -> Result<Option<TabLock>, StoreFault> {
    let options = Object::new();
    Reflect::set(&options, &"ifAvailable".into(), &true.into()).map_err(|_| StoreFault::Failed)?;
    let (sender, answer) = oneshot::channel();
    let sender = Rc::new(RefCell::new(Some(sender)));
    let tell = move |answer| {
        if let Some(sender) = sender.borrow_mut().take() {
            // If who asked is gone, the lock goes back with the answer.
            let _ = sender.send(answer);
        }
    };
    let granted = {
        let tell = tell.clone();
        Closure::once_into_js(move |lock: JsValue| -> Promise {
            if lock.is_null() {
                tell(Ok(None));
                return Promise::resolve(&JsValue::UNDEFINED);
            }
            Promise::new(&mut |release, _| tell(Ok(Some(TabLock { release }))))
        })
    };
    let request = manager()?
        .request(name, &options, &granted)
        .map_err(|_| StoreFault::Refused)?;
    spawn_local(async move {
        // Settles when the lock is given back, or at once where locks are refused.
        if JsFuture::from(request).await.is_err() {
            tell(Err(StoreFault::Refused));
        }
    });
    answer.await.unwrap_or(Err(StoreFault::Failed))
}

/// Missing where the page is not served securely: then there is no storage to be had either.
fn manager() -> Result<LockManager, StoreFault> {
    let navigator = Reflect::get(&js_sys::global(), &"navigator".into());
    let locks = navigator.and_then(|navigator| Reflect::get(&navigator, &"locks".into()));
    match locks {
        Ok(locks) if locks.is_object() => Ok(locks.unchecked_into()),
        _ => Err(StoreFault::Refused),
    }
}
