//! Refusals as JavaScript errors: an `Error` named "LockstepError" with `code` and `retry`.
//! The sentences and codes are the engine's; nothing is translated or decided here.

use engine::Refusal;
use engine::error::RunRefusal;
use js_sys::{Error, Reflect};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

#[wasm_bindgen(typescript_custom_section)]
const TYPESCRIPT: &str = r#"
/** What every rejected promise of this package holds. `message` is a sentence a person can act on. */
export interface LockstepError extends Error {
    name: "LockstepError";
    /** Stable; listed in docs/errors.md. */
    code: string;
    /** Whether the same call may succeed later without the person changing anything. */
    retry: boolean;
    /** With "link_digits_wrong": how many tries are left. */
    left?: number;
}
"#;

/// The error as JavaScript gets it.
#[must_use]
pub fn to_js(refusal: Refusal) -> JsValue {
    let error = Error::new(&refusal.to_string());
    error.set_name("LockstepError");
    for (name, value) in [
        ("code", JsValue::from(refusal.code())),
        ("retry", JsValue::from(refusal.retry())),
    ] {
        // An error that was just made takes any property.
        drop(Reflect::set(&error, &name.into(), &value));
    }
    if let Refusal::Run(RunRefusal::DigitsWrong { left }) = refusal {
        drop(Reflect::set(&error, &"left".into(), &left.into()));
    }
    error.into()
}
