//! `App`: what an application keeps in step between a person's devices. Values are JSON or bytes.
//! What they mean, and how devices agree on them, is not known here.

use std::rc::Rc;

use engine::input::AppCommand;
use engine::output::{self, AppReply, AppValue};
use engine::{Command, Refusal, Reply};
use js_sys::{Array, Function, JSON, Object, Promise, Reflect, Uint8Array};
use serde::Serialize;
use tsify::Tsify;
use wasm_bindgen::prelude::*;

use super::argument::text;
use super::client::settle;
use super::error;
use super::listeners;
use super::types::as_bytes;
use crate::host::Host;

/// The largest whole number up to which JavaScript counts exactly.
const SAFE_INTEGER_MAX: f64 = 9_007_199_254_740_991.0;

/// What there is under a key. The three have nothing to do with each other.
#[derive(Clone, Copy, Debug, Serialize, Tsify)]
#[serde(rename_all = "lowercase")]
pub enum AppKind {
    /// A value: `get()`.
    Value,
    /// A sum: `count()`.
    Counter,
    /// A set: `members()`.
    Set,
}

/// Application data has changed, on this device or another; or the application on another device says something.
#[derive(Debug, Serialize, Tsify)]
pub struct OnApp {
    /// What has changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// What that is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<AppKind>,
    /// What `send()` on another device was given.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "as_bytes")]
    #[tsify(type = "Uint8Array")]
    pub bytes: Option<Vec<u8>>,
    /// The number of that device.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<u32>,
}

/// A value with its key, from `App.list`.
#[derive(Debug, Tsify)]
pub struct AppEntry {
    /// The whole key.
    pub key: String,
    /// As it was set.
    #[tsify(type = "any")]
    pub value: (),
}

/// Data of the application, in step on all devices of this person. A key is a namespace, "/", and the rest: "drafts/bob".
/// Of two writes of one key the later holds; counters and sets take what all devices have done together.
#[wasm_bindgen]
#[derive(Debug)]
pub struct App {
    host: Rc<Host>,
}

#[wasm_bindgen]
impl App {
    /// Keeps a value: anything `JSON.stringify` takes, or a `Uint8Array`; at most 64 KiB. Resolves when it is stored here.
    #[wasm_bindgen(unchecked_return_type = "Promise<void>")]
    pub fn set(
        &self,
        #[wasm_bindgen(unchecked_param_type = "string")] key: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "any")] value: &JsValue,
    ) -> Promise {
        self.ask(text(key, "key").and_then(|key| {
            let value = read_value(value)?;
            Ok(AppCommand::Set { key, value })
        }))
    }

    /// The value of a key, or `undefined`.
    #[wasm_bindgen(unchecked_return_type = "Promise<any>")]
    pub fn get(&self, #[wasm_bindgen(unchecked_param_type = "string")] key: &JsValue) -> Promise {
        self.ask(text(key, "key").map(|key| AppCommand::Get { key }))
    }

    /// Removes a value.
    #[wasm_bindgen(unchecked_return_type = "Promise<void>")]
    pub fn delete(
        &self,
        #[wasm_bindgen(unchecked_param_type = "string")] key: &JsValue,
    ) -> Promise {
        self.ask(text(key, "key").map(|key| AppCommand::Delete { key }))
    }

    /// The values whose keys begin so, by key. The prefix has at least a namespace and "/".
    #[wasm_bindgen(unchecked_return_type = "Promise<AppEntry[]>")]
    pub fn list(
        &self,
        #[wasm_bindgen(unchecked_param_type = "string")] prefix: &JsValue,
    ) -> Promise {
        self.ask(text(prefix, "prefix").map(|prefix| AppCommand::List { prefix }))
    }

    /// Adds a whole number to a counter. What several devices add is summed.
    #[wasm_bindgen(unchecked_return_type = "Promise<void>")]
    pub fn add(
        &self,
        #[wasm_bindgen(unchecked_param_type = "string")] key: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "number")] n: &JsValue,
    ) -> Promise {
        self.ask(text(key, "key").and_then(|key| {
            let by = whole(n)?;
            Ok(AppCommand::Add { key, by })
        }))
    }

    /// What a counter shows; 0 if there is none.
    #[wasm_bindgen(unchecked_return_type = "Promise<number>")]
    pub fn count(&self, #[wasm_bindgen(unchecked_param_type = "string")] key: &JsValue) -> Promise {
        self.ask(text(key, "key").map(|key| AppCommand::Count { key }))
    }

    /// Puts a text into a set.
    #[wasm_bindgen(unchecked_return_type = "Promise<void>")]
    pub fn include(
        &self,
        #[wasm_bindgen(unchecked_param_type = "string")] key: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "string")] element: &JsValue,
    ) -> Promise {
        self.ask(member(key, element, true))
    }

    /// Takes a text out of a set.
    #[wasm_bindgen(unchecked_return_type = "Promise<void>")]
    pub fn exclude(
        &self,
        #[wasm_bindgen(unchecked_param_type = "string")] key: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "string")] element: &JsValue,
    ) -> Promise {
        self.ask(member(key, element, false))
    }

    /// The texts of a set, in order.
    #[wasm_bindgen(unchecked_return_type = "Promise<string[]>")]
    pub fn members(
        &self,
        #[wasm_bindgen(unchecked_param_type = "string")] key: &JsValue,
    ) -> Promise {
        self.ask(text(key, "key").map(|key| AppCommand::Members { key }))
    }

    /// Says something to the application on this person's other devices, once: their event "app" has the bytes, and
    /// nothing is kept. At most 32 KiB. Resolves when it is stored on its way out.
    #[wasm_bindgen(unchecked_return_type = "Promise<void>")]
    pub fn send(
        &self,
        #[wasm_bindgen(unchecked_param_type = "Uint8Array")] bytes: &JsValue,
    ) -> Promise {
        let bytes = bytes
            .dyn_ref::<Uint8Array>()
            .map(Uint8Array::to_vec)
            .ok_or(Refusal::InvalidArgument("bytes"));
        self.ask(bytes.map(|content| AppCommand::Send { content }))
    }

    /// Calls the listener when something changes whose key begins so, until the returned function is called.
    #[wasm_bindgen(unchecked_return_type = "() => void")]
    pub fn on(
        &self,
        #[wasm_bindgen(unchecked_param_type = "string")] prefix: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "(event: OnApp) => void")] listener: JsValue,
    ) -> Result<Function, JsValue> {
        let refuse = |what| error::to_js(Refusal::InvalidArgument(what));
        let listener: Function = listener.dyn_into().map_err(|_| refuse("listener"))?;
        let prefix = text(prefix, "prefix").map_err(error::to_js)?;
        let id = self.host.listeners().add_for_keys(prefix, listener);
        listeners::off(&self.host, id).map_err(error::to_js)
    }
}

impl App {
    pub(super) const fn new(host: Rc<Host>) -> Self {
        Self { host }
    }

    fn ask(&self, command: Result<AppCommand, Refusal>) -> Promise {
        let asked = command.map(|command| self.host.ask(Command::App(command)));
        settle(async move {
            let Reply::App(reply) = asked?.await? else {
                return Ok(JsValue::UNDEFINED);
            };
            answer(reply)
        })
    }
}

fn member(key: &JsValue, element: &JsValue, is_member: bool) -> Result<AppCommand, Refusal> {
    Ok(AppCommand::Include {
        key: text(key, "key")?,
        element: text(element, "element")?,
        is_member,
    })
}

/// What is read from a value may throw; what is no JSON is refused.
fn read_value(value: &JsValue) -> Result<AppValue, Refusal> {
    if let Some(bytes) = value.dyn_ref::<Uint8Array>() {
        return Ok(AppValue::Bytes(bytes.to_vec()));
    }
    let text = JSON::stringify(value)
        .ok()
        .and_then(|text| text.as_string());
    text.map(AppValue::Json)
        .ok_or(Refusal::InvalidArgument("value"))
}

#[expect(clippy::cast_possible_truncation, reason = "a whole number that fits")]
fn whole(value: &JsValue) -> Result<i64, Refusal> {
    let number = value.as_f64().ok_or(Refusal::InvalidArgument("n"))?;
    if number.fract() == 0.0 && number.abs() <= SAFE_INTEGER_MAX {
        Ok(number as i64)
    } else {
        Err(Refusal::InvalidArgument("n"))
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "beyond what is exact, the nearest is as good"
)]
fn answer(reply: AppReply) -> Result<JsValue, Refusal> {
    Ok(match reply {
        AppReply::Value(None) => JsValue::UNDEFINED,
        AppReply::Value(Some(value)) => value_to_js(value)?,
        AppReply::Count(count) => JsValue::from(count as f64),
        AppReply::Members(members) => members
            .into_iter()
            .map(JsValue::from)
            .collect::<Array>()
            .into(),
        AppReply::List(list) => {
            let entries = Array::new();
            for (key, value) in list {
                let entry = Object::new();
                for (name, value) in [("key", key.into()), ("value", value_to_js(value)?)] {
                    // An object that was just made takes any property.
                    drop(Reflect::set(&entry, &name.into(), &value));
                }
                entries.push(&entry);
            }
            entries.into()
        }
    })
}

fn value_to_js(value: AppValue) -> Result<JsValue, Refusal> {
    match value {
        AppValue::Bytes(bytes) => Ok(Uint8Array::from(bytes.as_slice()).into()),
        AppValue::Json(text) => JSON::parse(&text).map_err(|_| Refusal::Internal),
    }
}

impl From<output::AppKind> for AppKind {
    fn from(kind: output::AppKind) -> Self {
        match kind {
            output::AppKind::Value => Self::Value,
            output::AppKind::Counter => Self::Counter,
            output::AppKind::Set => Self::Set,
        }
    }
}

impl From<output::AppEvent> for OnApp {
    fn from(event: output::AppEvent) -> Self {
        let (key, kind, bytes, device) = match event {
            output::AppEvent::Changed { key, kind } => (Some(key), Some(kind.into()), None, None),
            output::AppEvent::Message { from, content } => {
                (None, None, Some(content), Some(from.into()))
            }
        };
        Self {
            key,
            kind,
            bytes,
            device,
        }
    }
}
