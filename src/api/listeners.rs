//! Who listens to what.
//!
//! A listener that throws is reported on the console and never heard by the engine. Listeners may be added and
//! removed at any time, also by a listener; who is told of an event is settled before the first is called.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use engine::Refusal;
use js_sys::Function;
use wasm_bindgen::prelude::*;

use super::event::{NAMES, Notice};
use super::live::Live;
use crate::host::Host;

struct Listener {
    id: u64,
    event: &'static str,
    /// Only for application data whose key begins so.
    prefix: Option<String>,
    function: Function,
}

impl Listener {
    fn hears(&self, notice: &Notice) -> bool {
        let begins = |prefix: &String| {
            let key = if let Notice::App(event) = notice {
                event.key.as_ref()
            } else {
                None
            };
            key.is_some_and(|key| key.starts_with(prefix))
        };
        self.event == notice.name() && self.prefix.as_ref().is_none_or(begins)
    }
}

/// Who listens to what.
#[derive(Default)]
pub struct Listeners {
    all: RefCell<Vec<Rc<Listener>>>,
    lists: RefCell<Vec<Weak<Live>>>,
    next: Cell<u64>,
}

impl std::fmt::Debug for Listeners {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Listeners({})", self.all.borrow().len())
    }
}

impl Listeners {
    /// Adds a listener; its number removes it. `None`: there is no such event.
    pub fn add(&self, event: &str, function: Function) -> Option<u64> {
        let event = NAMES.into_iter().find(|name| *name == event)?;
        Some(self.push(event, None, function))
    }

    /// Adds a listener to application data whose key begins so.
    pub fn add_for_keys(&self, prefix: String, function: Function) -> u64 {
        self.push("app", Some(prefix), function)
    }

    fn push(&self, event: &'static str, prefix: Option<String>, function: Function) -> u64 {
        let id = self.next.get();
        self.next.set(id + 1);
        self.all.borrow_mut().push(Rc::new(Listener {
            id,
            event,
            prefix,
            function,
        }));
        id
    }

    /// Removes a listener; does nothing if it is gone.
    pub fn remove(&self, id: u64) {
        self.all.borrow_mut().retain(|listener| listener.id != id);
    }

    /// A list hears of everything until it is over.
    pub(super) fn keep_in_step(&self, list: &Rc<Live>) {
        let mut lists = self.lists.borrow_mut();
        lists.retain(|list| list.upgrade().is_some_and(|list| !list.is_over()));
        lists.push(Rc::downgrade(list));
    }

    /// Calls everybody who listens to this, in the order they came.
    pub fn tell(&self, notice: &Notice) {
        for list in self.lists.borrow().iter().filter_map(Weak::upgrade) {
            list.hear(notice);
        }
        let listeners: Vec<Rc<Listener>> = self
            .all
            .borrow()
            .iter()
            .filter(|listener| listener.hears(notice))
            .cloned()
            .collect();
        if listeners.is_empty() {
            return;
        }
        let Ok(payload) = serde_wasm_bindgen::to_value(notice) else {
            return;
        };
        for listener in listeners {
            if let Err(thrown) = listener.function.call1(&JsValue::UNDEFINED, &payload) {
                web_sys::console::error_2(&"lockstep: a listener threw".into(), &thrown);
            }
        }
    }
}

/// The function that removes a listener.
pub(super) fn off(host: &Rc<Host>, id: u64) -> Result<Function, Refusal> {
    let host = Rc::downgrade(host);
    let off = Closure::<dyn Fn()>::new(move || {
        if let Some(host) = host.upgrade() {
            host.listeners().remove(id);
        }
    });
    off.into_js_value()
        .dyn_into()
        .map_err(|_| Refusal::Internal)
}
