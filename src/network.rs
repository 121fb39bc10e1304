//! Notices when the network may have come or gone: the browser says so, or the page is looked at again.
//! It does not know whether it is true. Without a document, as in a worker, only the first is heard.

use std::cell::Cell;
use std::fmt;
use std::rc::Rc;

use js_sys::Reflect;
use wasm_bindgen::prelude::*;
use web_sys::{Event, EventTarget};

use crate::signal::Signal;

/// The page is shown or hidden.
const SHOWN: &str = "visibilitychange";

/// Listens until it is dropped.
pub struct NetworkWatch {
    heard: Rc<Cell<bool>>,
    on_event: Closure<dyn FnMut(Event)>,
    places: Vec<(EventTarget, &'static str)>,
}

impl fmt::Debug for NetworkWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NetworkWatch")
    }
}

impl NetworkWatch {
    /// Raises the signal whenever there is reason to look at the connection.
    #[must_use]
    pub fn new(signal: &Rc<Signal>) -> Self {
        let heard = Rc::new(Cell::new(false));
        let on_event = {
            let (heard, signal) = (Rc::clone(&heard), Rc::clone(signal));
            Closure::<dyn FnMut(Event)>::new(move |event: Event| {
                if event.type_() != SHOWN || !is_hidden() {
                    heard.set(true);
                    signal.raise();
                }
            })
        };
        let global = js_sys::global();
        let mut places = Vec::new();
        if let Some(global) = global.dyn_ref::<EventTarget>() {
            places.push((global.clone(), "online"));
            places.push((global.clone(), "offline"));
        }
        if let Some(document) = document() {
            places.push((document, SHOWN));
        }
        // An event that can't be listened to is not missed: the engine's own backoff goes on.
        places.retain(|(place, event)| {
            place
                .add_event_listener_with_callback(event, on_event.as_ref().unchecked_ref())
                .is_ok()
        });
        Self {
            heard,
            on_event,
            places,
        }
    }

    /// Whether something was heard since this was last asked.
    #[must_use]
    pub fn take(&self) -> bool {
        self.heard.take()
    }
}

impl Drop for NetworkWatch {
    fn drop(&mut self) {
        for (place, event) in &self.places {
            let listener = self.on_event.as_ref().unchecked_ref();
            // It does not fail for a listener that was added.
            drop(place.remove_event_listener_with_callback(event, listener));
        }
    }
}

fn document() -> Option<EventTarget> {
    Reflect::get(&js_sys::global(), &"document".into())
        .ok()?
        .dyn_into()
        .ok()
}

fn is_hidden() -> bool {
    let hidden = document().and_then(|document| Reflect::get(&document, &"hidden".into()).ok());
    hidden.is_some_and(|hidden| hidden.is_truthy())
}
