//! Asks the browser to keep this origin's storage when space is short.
//! Fire and forget: one browser answers at once, another asks the person and may never answer.

use js_sys::{Function, Promise, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};

/// Asks, where there is anybody to ask.
pub fn ask_to_persist() {
    if let Some(answer) = ask() {
        // Whatever the answer is, there is nothing to do about it.
        spawn_local(async { drop(JsFuture::from(answer).await) });
    }
}

fn ask() -> Option<Promise> {
    let navigator = Reflect::get(&js_sys::global(), &JsValue::from("navigator")).ok()?;
    let storage = Reflect::get(&navigator, &JsValue::from("storage")).ok()?;
    let persist: Function = Reflect::get(&storage, &"persist".into())
        .ok()?
        .dyn_into()
        .ok()?;
    persist.call0(&storage).ok()?.dyn_into().ok()
}
