//! Staff: other people whom an account lets read, or read and answer, with browsers of theirs; and what others see of them.
//!
//! It reads arguments without trusting them and hands answers over. Who may do what is the engine's business.

use engine::input::{Grant, Setting, StaffCommand};
use engine::{Command, Refusal, Reply, Timestamp, output};
use js_sys::Promise;
use serde::Serialize;
use tsify::Tsify;
use wasm_bindgen::prelude::*;

use super::argument::{Fields, device_id, flag, names, text};
use super::client::{Client, answer, settle};
use super::types::milliseconds;

/// For `LinkRequest.approve` with the role "delegate": what somebody may do for this account.
#[derive(Debug, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct StaffOptions {
    /// How everybody who writes to this account sees them, 1 to 64 characters: "Jane, office".
    pub label: String,
    /// They may answer, too. Default: true.
    #[tsify(optional)]
    pub answers: bool,
    /// They also read what this account writes. Default: true.
    #[tsify(optional)]
    pub reads_sent: bool,
    /// Only these conversations, by handle or account id. Default: all, new ones too.
    #[tsify(optional, type = "string[]")]
    pub conversations: Option<Vec<String>>,
    /// When it ends. Default: not before it is ended.
    #[tsify(optional, type = "number")]
    pub until: Option<Timestamp>,
}

/// For `Client.changeStaff`: what is not there stays.
#[derive(Debug, Tsify)]
pub struct StaffChange {
    /// Only these conversations, by handle or account id; `null`: all. Which of the two it is, can't be changed.
    #[tsify(optional, type = "string[] | null")]
    pub conversations: Option<Option<Vec<String>>>,
    /// When it ends; `null`: not before it is ended.
    #[tsify(optional, type = "number | null")]
    pub until: Option<Option<Timestamp>>,
}

/// What somebody may, or might, do for this account.
#[derive(Clone, Debug, Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct StaffGrant {
    /// Their device; for `unlink()`, which ends it, and `changeStaff()`.
    pub device_id: u32,
    /// How others see them.
    pub label: String,
    /// They may answer, too.
    pub answers: bool,
    /// They also read what this account writes.
    pub reads_sent: bool,
    /// Only these conversations; without it, all.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[tsify(type = "AccountId[]")]
    pub conversations: Option<Vec<String>>,
    /// When it began.
    pub since: f64,
    /// When it is to end; without it, not before it is ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<f64>,
    /// Until when it holds by itself. It is renewed silently while it is wanted.
    pub expires: f64,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<f64>,
}

/// Somebody who reads, or lately read, what is written to a contact.
#[derive(Clone, Debug, Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct Staff {
    /// How the contact calls them; empty while that is not known.
    pub label: String,
    /// They may answer, too.
    pub answers: bool,
    /// When it began.
    pub since: f64,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<f64>,
    /// The person has not taken note of them yet: `seenStaff()`.
    pub is_new: bool,
}

/// What the person of this browser may do for the account, if it is somebody else's.
#[derive(Clone, Debug, Serialize, Tsify)]
pub struct StaffAccess {
    /// How others see them.
    pub label: String,
    /// They may answer, too.
    pub answers: bool,
    /// Until when, unless it is renewed.
    pub expires: f64,
}

#[wasm_bindgen]
impl Client {
    /// Who has, or had, access to this account as staff, newest first.
    #[wasm_bindgen(unchecked_return_type = "Promise<StaffGrant[]>")]
    pub fn staff(&self) -> Promise {
        self.ask(Ok(Command::Staff(StaffCommand::List)))
    }

    /// Changes what staff gets from now on. What else they may do is given anew: `unlink()`, and link again.
    #[wasm_bindgen(js_name = changeStaff, unchecked_return_type = "Promise<void>")]
    pub fn change_staff(
        &self,
        #[wasm_bindgen(js_name = deviceId, unchecked_param_type = "number")] device: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "StaffChange")] change: &JsValue,
    ) -> Promise {
        let host = std::rc::Rc::clone(self.host());
        let asked = device_id(device, "deviceId")
            .and_then(|device| Ok((device, StaffChange::read(change)?)));
        settle(async move {
            let (device, change) = asked?;
            let Reply::Staff(all) = host.ask(Command::Staff(StaffCommand::List)).await? else {
                return Err(Refusal::Internal);
            };
            let now = all.into_iter().find(|granted| granted.device == device);
            let command = StaffCommand::Change {
                device,
                conversations: change.conversations.unwrap_or_else(|| {
                    let now = now.as_ref()?.conversations.as_ref()?;
                    Some(now.iter().map(ToString::to_string).collect())
                }),
                until: change.until.unwrap_or_else(|| now.as_ref()?.until),
            };
            answer(host.ask(Command::Staff(command)).await?)
        })
    }

    /// Has what this person writes in a conversation go past the staff of the other one, or to them again. The other one is told with it.
    #[wasm_bindgen(js_name = setWithoutStaff, unchecked_return_type = "Promise<void>")]
    pub fn set_without_staff(
        &self,
        #[wasm_bindgen(unchecked_param_type = "string")] conversation: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "boolean")] without: &JsValue,
    ) -> Promise {
        let setting = text(conversation, "conversation").and_then(|conversation| {
            let without = flag(without, "without")?;
            Ok(Setting::WithoutStaff {
                conversation,
                without,
            })
        });
        self.ask(setting.map(Command::Set))
    }

    /// The person has taken note of whoever is new among the staff of somebody.
    #[wasm_bindgen(js_name = seenStaff, unchecked_return_type = "Promise<void>")]
    pub fn seen_staff(
        &self,
        #[wasm_bindgen(unchecked_param_type = "string")] conversation: &JsValue,
    ) -> Promise {
        let conversation = text(conversation, "conversation");
        self.ask(conversation.map(|conversation| Command::Set(Setting::StaffSeen { conversation })))
    }
}

impl StaffOptions {
    pub(super) fn read(value: &JsValue) -> Result<Self, Refusal> {
        let fields = Fields::of(value, "staff")?;
        let flag =
            |name| Ok::<bool, Refusal>(fields.optional(name, JsValue::as_bool)?.unwrap_or(true));
        Ok(Self {
            label: fields.text("label")?,
            answers: flag("answers")?,
            reads_sent: flag("readsSent")?,
            conversations: fields.optional("conversations", names)?,
            until: fields.optional("until", time)?,
        })
    }
}

impl StaffChange {
    fn read(value: &JsValue) -> Result<Self, Refusal> {
        let fields = Fields::of(value, "change")?;
        Ok(Self {
            conversations: fields.nullable("conversations", names)?,
            until: fields.nullable("until", time)?,
        })
    }
}

/// A time as JavaScript has it.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a whole number of milliseconds, checked to be one"
)]
fn time(value: &JsValue) -> Option<Timestamp> {
    let ms = value.as_f64()?;
    let is_time = (0.0..=8.64e15).contains(&ms); // as long as `Date` goes
    is_time.then_some(Timestamp(ms as u64))
}

impl From<StaffOptions> for Grant {
    fn from(options: StaffOptions) -> Self {
        let StaffOptions {
            label,
            answers,
            reads_sent,
            conversations,
            until,
        } = options;
        Self {
            label,
            answers,
            reads_sent,
            conversations,
            until,
        }
    }
}

impl From<output::Granted> for StaffGrant {
    fn from(granted: output::Granted) -> Self {
        let output::Granted {
            device,
            label,
            answers,
            reads_sent,
            conversations,
            since,
            until,
            expires,
            ended,
        } = granted;
        Self {
            device_id: device.into(),
            label,
            answers,
            reads_sent,
            conversations: conversations.map(|ids| ids.iter().map(ToString::to_string).collect()),
            since: milliseconds(since),
            until: until.map(milliseconds),
            expires: milliseconds(expires),
            ended_at: ended.map(milliseconds),
        }
    }
}

impl From<output::Staff> for Staff {
    fn from(staff: output::Staff) -> Self {
        let output::Staff {
            label,
            answers,
            since,
            ended,
            is_new,
        } = staff;
        Self {
            label,
            answers,
            since: milliseconds(since),
            ended_at: ended.map(milliseconds),
            is_new,
        }
    }
}

impl From<output::OwnGrant> for StaffAccess {
    fn from(grant: output::OwnGrant) -> Self {
        let output::OwnGrant {
            label,
            answers,
            expires,
        } = grant;
        Self {
            label,
            answers,
            expires: milliseconds(expires),
        }
    }
}
