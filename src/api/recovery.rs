//! Coming back to an account when its devices are gone, as JavaScript has it.
//! What words open, and where that is kept, is the engine's and the relay's business.

use engine::input::RecoveryCommand;
use engine::output::{self, RecoveryReply};
use engine::{Command, Refusal};
use js_sys::Promise;
use serde::Serialize;
use tsify::Tsify;
use wasm_bindgen::prelude::*;

use super::argument::Fields;
use super::client::{Client, to_js};
use super::types::milliseconds;

/// For `Client.recover`.
#[derive(Tsify)]
#[serde(rename_all = "camelCase")]
pub struct RecoverOptions {
    /// Of the account.
    pub handle: String,
    /// The platform's sign-in token, if the relay wants one.
    #[tsify(optional)]
    pub credential: Option<String>,
    /// The twelve words; capital letters, and what stands between words, do not matter.
    pub words: String,
    /// How the person calls this device.
    pub device_name: String,
}

/// Words are not for logs.
impl std::fmt::Debug for RecoverOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RecoverOptions")
    }
}

impl RecoverOptions {
    fn read(value: &JsValue) -> Result<Self, Refusal> {
        let fields = Fields::of(value, "options")?;
        Ok(Self {
            handle: fields.text("handle")?,
            credential: fields.optional_text("credential")?,
            words: fields.text("words")?,
            device_name: fields.text("deviceName")?,
        })
    }
}

/// Whether a recovery code would work. "none": there is none. "ready": it would. "lost": one was made, but the relay does not have
/// what it opens (any more): make a new one.
#[derive(Clone, Copy, Debug, Serialize, Tsify)]
#[serde(rename_all = "lowercase")]
pub enum RecoveryState {
    /// There is none.
    None,
    /// It would.
    Ready,
    /// It would not.
    Lost,
}

/// Whether there is a recovery code, and who came by one.
#[derive(Clone, Debug, Serialize, Tsify)]
pub struct RecoveryStatus {
    /// Whether it would work.
    pub state: RecoveryState,
    /// When it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<f64>,
    /// The device that came by a code last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recovered: Option<OnRecovered>,
}

/// A device of this account, perhaps this one, came by a recovery code.
#[derive(Clone, Debug, Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct OnRecovered {
    /// Which.
    pub device_id: u32,
    /// What the person called it.
    pub name: String,
    /// When.
    pub at: f64,
}

#[wasm_bindgen]
impl Client {
    /// Makes a recovery code: twelve words, to be written down and kept apart from all devices. They are given once and kept
    /// nowhere. A new code makes an older one useless. Only a device that holds the account's key can make one.
    #[wasm_bindgen(js_name = makeRecoveryCode, unchecked_return_type = "Promise<string>")]
    pub fn make_recovery_code(&self) -> Promise {
        self.ask(Ok(Command::Recovery(RecoveryCommand::Make)))
    }

    /// Whether there is a recovery code, since when, and which device came by one. Asks the relay.
    #[wasm_bindgen(unchecked_return_type = "Promise<RecoveryStatus>")]
    pub fn recovery(&self) -> Promise {
        self.ask(Ok(Command::Recovery(RecoveryCommand::Status)))
    }

    /// Becomes a device of an account by its recovery code. Other people see the same account with the same key; its other
    /// devices, if there are any, are told. Messages from before do not come with it, but an unlinked browser keeps what it has.
    #[wasm_bindgen(unchecked_return_type = "Promise<Account>")]
    pub fn recover(
        &self,
        #[wasm_bindgen(unchecked_param_type = "RecoverOptions")] options: &JsValue,
    ) -> Promise {
        let command = RecoverOptions::read(options).map(|options| {
            let RecoverOptions {
                handle,
                credential,
                words,
                device_name,
            } = options;
            Command::Recovery(RecoveryCommand::Recover {
                handle,
                credential,
                words,
                device_name,
            })
        });
        self.ask(command)
    }
}

pub(super) fn answer(reply: RecoveryReply) -> Result<JsValue, Refusal> {
    match reply {
        RecoveryReply::Words(words) => Ok(words.into()),
        RecoveryReply::Status(status) => to_js(&RecoveryStatus::from(status)),
    }
}

impl From<output::RecoveryStatus> for RecoveryStatus {
    fn from(status: output::RecoveryStatus) -> Self {
        let output::RecoveryStatus {
            state,
            since,
            recovered,
        } = status;
        Self {
            state: match state {
                output::RecoveryState::None => RecoveryState::None,
                output::RecoveryState::Ready => RecoveryState::Ready,
                output::RecoveryState::Lost => RecoveryState::Lost,
            },
            since: since.map(milliseconds),
            recovered: recovered.map(OnRecovered::from),
        }
    }
}

impl From<output::Recovered> for OnRecovered {
    fn from(recovered: output::Recovered) -> Self {
        let output::Recovered { device, name, at } = recovered;
        Self {
            device_id: device.into(),
            name,
            at: milliseconds(at),
        }
    }
}
