//! What a person sets, for all their devices: people, conversations, settings.
//! Each call is stored before its promise resolves, and told to the other devices when it can be.

use engine::input::Setting;
use engine::{Command, Refusal, Timestamp};
use js_sys::Promise;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use super::argument::{flag, optional_text, text};
use super::client::Client;
use super::person::{NameChange, SettingsChange};

#[wasm_bindgen]
impl Client {
    /// How this person's devices behave.
    #[wasm_bindgen(unchecked_return_type = "Promise<Settings>")]
    pub fn settings(&self) -> Promise {
        self.ask(Ok(Command::Settings))
    }

    /// Changes settings, for all devices of this person.
    #[wasm_bindgen(js_name = setSettings, unchecked_return_type = "Promise<void>")]
    pub fn set_settings(
        &self,
        #[wasm_bindgen(unchecked_param_type = "SettingsChange")] change: &JsValue,
    ) -> Promise {
        let change = SettingsChange::read(change).map(|change| {
            let SettingsChange {
                read_receipts,
                delivery_receipts,
                typing,
                notifications,
            } = change;
            Setting::Settings(engine::input::SettingsChange {
                read_receipts,
                delivery_receipts,
                typing,
                notifications: notifications.map(Into::into),
            })
        });
        self.set(change)
    }

    /// What this person says of themself.
    #[wasm_bindgen(unchecked_return_type = "Promise<Profile>")]
    pub fn profile(&self) -> Promise {
        self.ask(Ok(Command::Profile))
    }

    /// Sets what this person says of themself. Whoever they write to from then on learns it with the message.
    #[wasm_bindgen(js_name = setProfile, unchecked_return_type = "Promise<void>")]
    pub fn set_profile(
        &self,
        #[wasm_bindgen(unchecked_param_type = "NameChange")] profile: &JsValue,
    ) -> Promise {
        let change = NameChange::read(profile, "profile");
        self.set(change.map(|NameChange { name }| Setting::Profile { name }))
    }

    /// Gives somebody a name that only this person sees.
    #[wasm_bindgen(js_name = setContact, unchecked_return_type = "Promise<void>")]
    pub fn set_contact(
        &self,
        #[wasm_bindgen(unchecked_param_type = "string")] contact: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "NameChange")] change: &JsValue,
    ) -> Promise {
        self.set(text(contact, "contact").and_then(|account| {
            let NameChange { name } = NameChange::read(change, "change")?;
            Ok(Setting::Name { account, name })
        }))
    }

    /// Nothing of somebody is wanted any more, or again. They are not told.
    #[wasm_bindgen(unchecked_return_type = "Promise<void>")]
    pub fn block(
        &self,
        #[wasm_bindgen(unchecked_param_type = "string")] contact: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "boolean")] blocked: &JsValue,
    ) -> Promise {
        self.set(text(contact, "contact").and_then(|account| {
            let blocked = flag(blocked, "blocked")?;
            Ok(Setting::Block { account, blocked })
        }))
    }

    /// A stranger who has written may go on. Writing to them says the same.
    #[wasm_bindgen(js_name = acceptRequest, unchecked_return_type = "Promise<void>")]
    pub fn accept_request(
        &self,
        #[wasm_bindgen(unchecked_param_type = "string")] contact: &JsValue,
    ) -> Promise {
        self.answer_request(contact, true)
    }

    /// A stranger who has written may not go on. They are not told.
    #[wasm_bindgen(js_name = declineRequest, unchecked_return_type = "Promise<void>")]
    pub fn decline_request(
        &self,
        #[wasm_bindgen(unchecked_param_type = "string")] contact: &JsValue,
    ) -> Promise {
        self.answer_request(contact, false)
    }

    /// The person has compared somebody's identity key with them, or takes that back. It holds for that key only. With the digits
    /// that were compared (see `safetyNumber()`) it is refused with "identity_changed" if they are not of that key any more.
    #[wasm_bindgen(unchecked_return_type = "Promise<void>")]
    pub fn verify(
        &self,
        #[wasm_bindgen(unchecked_param_type = "string")] contact: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "boolean")] verified: &JsValue,
        #[wasm_bindgen(unchecked_optional_param_type = "string")] digits: &JsValue,
    ) -> Promise {
        self.set(text(contact, "contact").and_then(|account| {
            let verified = flag(verified, "verified")?;
            let digits = optional_text(digits, "digits")?;
            Ok(Setting::Verify {
                account,
                verified,
                digits,
            })
        }))
    }

    /// Nobody is to be told of messages in a conversation until then (`Infinity`: ever); without a time, they are again.
    #[wasm_bindgen(unchecked_return_type = "Promise<void>")]
    pub fn mute(
        &self,
        #[wasm_bindgen(unchecked_param_type = "string")] conversation: &JsValue,
        #[wasm_bindgen(unchecked_optional_param_type = "number")] until: &JsValue,
    ) -> Promise {
        self.set(text(conversation, "conversation").and_then(|conversation| {
            let until = time(until)?;
            Ok(Setting::Mute {
                conversation,
                until,
            })
        }))
    }

    /// Has messages that both people write from now on disappear so many seconds after they were read, at most four weeks; with 0 they stay.
    /// The other person sees who has set it.
    #[wasm_bindgen(js_name = setTimer, unchecked_return_type = "Promise<void>")]
    pub fn set_timer(
        &self,
        #[wasm_bindgen(unchecked_param_type = "string")] conversation: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "number")] seconds: &JsValue,
    ) -> Promise {
        self.set(text(conversation, "conversation").and_then(|conversation| {
            let seconds = seconds.as_f64().and_then(whole);
            let seconds = seconds.ok_or(Refusal::InvalidArgument("seconds"))?;
            Ok(Setting::Timer {
                conversation,
                seconds,
            })
        }))
    }

    /// Puts a conversation away, or back.
    #[wasm_bindgen(unchecked_return_type = "Promise<void>")]
    pub fn archive(
        &self,
        #[wasm_bindgen(unchecked_param_type = "string")] conversation: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "boolean")] archived: &JsValue,
    ) -> Promise {
        self.set(text(conversation, "conversation").and_then(|conversation| {
            let archived = flag(archived, "archived")?;
            Ok(Setting::Archive {
                conversation,
                archived,
            })
        }))
    }

    /// Has a conversation stand above the others, or not.
    #[wasm_bindgen(unchecked_return_type = "Promise<void>")]
    pub fn pin(
        &self,
        #[wasm_bindgen(unchecked_param_type = "string")] conversation: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "boolean")] pinned: &JsValue,
    ) -> Promise {
        self.set(text(conversation, "conversation").and_then(|conversation| {
            let pinned = flag(pinned, "pinned")?;
            Ok(Setting::Pin {
                conversation,
                pinned,
            })
        }))
    }

    /// Keeps what was written and not sent, for 7 days; empty: nothing. Not for every key: when the person pauses.
    #[wasm_bindgen(js_name = setDraft, unchecked_return_type = "Promise<void>")]
    pub fn set_draft(
        &self,
        #[wasm_bindgen(unchecked_param_type = "string")] conversation: &JsValue,
        #[wasm_bindgen(js_name = text, unchecked_param_type = "string")] draft: &JsValue,
    ) -> Promise {
        self.set(text(conversation, "conversation").and_then(|conversation| {
            let text = text(draft, "text")?;
            Ok(Setting::Draft { conversation, text })
        }))
    }

    /// Has a conversation count as unread until `markRead()` on any device.
    #[wasm_bindgen(js_name = markUnread, unchecked_return_type = "Promise<void>")]
    pub fn mark_unread(
        &self,
        #[wasm_bindgen(unchecked_param_type = "string")] conversation: &JsValue,
    ) -> Promise {
        let conversation = text(conversation, "conversation");
        self.set(conversation.map(|conversation| Setting::MarkUnread { conversation }))
    }

    fn answer_request(&self, contact: &JsValue, accept: bool) -> Promise {
        self.set(text(contact, "contact").map(|account| Setting::Answer { account, accept }))
    }

    fn set(&self, setting: Result<Setting, Refusal>) -> Promise {
        self.ask(setting.map(Command::Set))
    }
}

/// A number of seconds, as the engine has it.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "checked to be whole and small enough"
)]
fn whole(number: f64) -> Option<u32> {
    let fits = number.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&number);
    fits.then_some(number as u32)
}

/// A time as JavaScript has it; `undefined` and `null` are none.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float beyond all numbers becomes the last one, which is for ever"
)]
fn time(value: &JsValue) -> Result<Option<Timestamp>, Refusal> {
    if value.is_undefined() || value.is_null() {
        return Ok(None);
    }
    match value.as_f64() {
        Some(ms) if ms >= 0.0 => Ok(Some(Timestamp(ms as u64))),
        _ => Err(Refusal::InvalidArgument("until")),
    }
}
