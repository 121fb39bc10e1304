//! What a page sets of people and settings, read without trusting it (see `api::argument`).
//! It does not know what follows from it.

use engine::Refusal;
use wasm_bindgen::JsValue;

use super::{NameChange, Notifications, SettingsChange};
use crate::api::argument::Fields;

impl SettingsChange {
    pub(in crate::api) fn read(value: &JsValue) -> Result<Self, Refusal> {
        let fields = Fields::of(value, "change")?;
        let shown = |value: &JsValue| {
            Some(match value.as_string()?.as_str() {
                "content" => Notifications::Content,
                "name" => Notifications::Name,
                "bare" => Notifications::Bare,
                "off" => Notifications::Off,
                _ => return None,
            })
        };
        Ok(Self {
            read_receipts: fields.optional("readReceipts", JsValue::as_bool)?,
            delivery_receipts: fields.optional("deliveryReceipts", JsValue::as_bool)?,
            typing: fields.optional("typing", JsValue::as_bool)?,
            notifications: fields.optional("notifications", shown)?,
        })
    }
}

impl NameChange {
    pub(in crate::api) fn read(value: &JsValue, name: &'static str) -> Result<Self, Refusal> {
        Ok(Self {
            name: Fields::of(value, name)?.text("name")?,
        })
    }
}
