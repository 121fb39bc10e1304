//! `Client`, what concerns history: sending it to another own device.
//! It checks the types of arguments; what is sent is the engine's business.

use engine::Command;
use engine::input::{HistoryChoice, HistoryCommand};
use js_sys::Promise;
use wasm_bindgen::prelude::*;

use super::argument::device_id;
use super::client::Client;
use super::types::HistoryOptions;

#[wasm_bindgen]
impl Client {
    /// Sends messages from before to another device of this account, from the beginning; what it has already stays as it is. Resolves when
    /// that is stored; it goes on in the background, also after a restart, and "progress" tells how far it is.
    #[wasm_bindgen(js_name = sendHistory, unchecked_return_type = "Promise<void>")]
    pub fn send_history(
        &self,
        #[wasm_bindgen(js_name = deviceId, unchecked_param_type = "number")] device: &JsValue,
        #[wasm_bindgen(unchecked_optional_param_type = "HistoryOptions")] options: &JsValue,
    ) -> Promise {
        let command = device_id(device, "deviceId").and_then(|device| {
            let HistoryOptions {
                days,
                conversations,
            } = HistoryOptions::read(options)?;
            let choice = HistoryChoice::Some {
                days,
                conversations,
            };
            Ok(Command::History(HistoryCommand::Send { device, choice }))
        });
        self.ask(command)
    }
}
