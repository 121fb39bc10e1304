//! What two people compare to know that nobody stands between them, as JavaScript has it.
//! How it is made is the engine's business; whether a key counts as verified is `Client.verify`.

use engine::input::SafetyCommand;
use engine::output::{self, SafetyReply};
use engine::{Command, Refusal};
use js_sys::{Promise, Uint8Array};
use serde::{Serialize, Serializer};
use tsify::Tsify;
use wasm_bindgen::prelude::*;

use super::argument::text;
use super::client::{Client, to_js};

/// What two people compare: the same digits on both screens, or one screen read by the other.
#[derive(Clone, Debug, Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct SafetyNumber {
    /// 12 groups of 5 digits, with a space between two.
    pub digits: String,
    /// The bytes of a QR code; `compareSafetyNumber()` of the other person takes them, and Signal's apps do.
    #[serde(serialize_with = "bytes")]
    #[tsify(type = "Uint8Array")]
    pub scannable: Vec<u8>,
    /// The person has compared this key.
    pub verified: bool,
    /// They have come with this key in place of another one, and it has not been accepted.
    pub changed: bool,
    /// That other one was verified.
    pub was_verified: bool,
}

/// What comparing has shown. "match": it is their key, the new one if it has changed. "match_known": their key has changed, they
/// say, but what they show is of the key known so far: the new one is not theirs. "no_match": it is not their key.
/// "somebody_else": it is another person's code, one's own, or theirs for another person.
#[derive(Clone, Copy, Debug, Serialize, Tsify)]
#[serde(rename_all = "snake_case")]
pub enum Comparison {
    /// Theirs.
    Match,
    /// Theirs, and the new one is not.
    MatchKnown,
    /// Not theirs.
    NoMatch,
    /// Of other people.
    SomebodyElse,
}

#[wasm_bindgen]
impl Client {
    /// What this person and a contact compare. It is over account keys: devices that come and go do not change it.
    #[wasm_bindgen(js_name = safetyNumber, unchecked_return_type = "Promise<SafetyNumber>")]
    pub fn safety_number(
        &self,
        #[wasm_bindgen(unchecked_param_type = "string")] contact: &JsValue,
    ) -> Promise {
        let account = text(contact, "contact");
        self.ask_safety(account.map(|account| SafetyCommand::Number { account }))
    }

    /// Compares what was read from the contact's screen. Changes nothing: `verify()` does.
    #[wasm_bindgen(js_name = compareSafetyNumber, unchecked_return_type = "Promise<Comparison>")]
    pub fn compare_safety_number(
        &self,
        #[wasm_bindgen(unchecked_param_type = "string")] contact: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "Uint8Array")] scanned: &JsValue,
    ) -> Promise {
        self.ask_safety(text(contact, "contact").and_then(|account| {
            let scanned = scanned
                .dyn_ref::<Uint8Array>()
                .ok_or(Refusal::InvalidArgument("scanned"))?
                .to_vec();
            Ok(SafetyCommand::Compare { account, scanned })
        }))
    }

    /// The fingerprint of one's own account key, to be published: 6 groups of 5 digits. It is the same on all devices.
    #[wasm_bindgen(unchecked_return_type = "Promise<string>")]
    pub fn fingerprint(&self) -> Promise {
        self.ask_safety(Ok(SafetyCommand::Fingerprint))
    }

    /// Compares what a contact has published; spaces, dashes and line breaks do not matter. Changes nothing: `verify()` does.
    #[wasm_bindgen(js_name = compareFingerprint, unchecked_return_type = "Promise<Comparison>")]
    pub fn compare_fingerprint(
        &self,
        #[wasm_bindgen(unchecked_param_type = "string")] contact: &JsValue,
        #[wasm_bindgen(js_name = text, unchecked_param_type = "string")] published: &JsValue,
    ) -> Promise {
        self.ask_safety(text(contact, "contact").and_then(|account| {
            let text = text(published, "text")?;
            Ok(SafetyCommand::CompareFingerprint { account, text })
        }))
    }

    fn ask_safety(&self, command: Result<SafetyCommand, Refusal>) -> Promise {
        self.ask(command.map(Command::Safety))
    }
}

pub(super) fn answer(reply: SafetyReply) -> Result<JsValue, Refusal> {
    match reply {
        SafetyReply::Number(number) => to_js(&SafetyNumber::from(number)),
        SafetyReply::Compared(found) => to_js(&Comparison::from(found)),
        SafetyReply::Fingerprint(text) => Ok(text.into()),
    }
}

fn bytes<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_bytes(bytes)
}

impl From<output::SafetyNumber> for SafetyNumber {
    fn from(number: output::SafetyNumber) -> Self {
        let output::SafetyNumber {
            digits,
            scannable,
            verified,
            changed,
            was_verified,
        } = number;
        Self {
            digits,
            scannable,
            verified,
            changed,
            was_verified,
        }
    }
}

impl From<output::Comparison> for Comparison {
    fn from(found: output::Comparison) -> Self {
        match found {
            output::Comparison::Match => Self::Match,
            output::Comparison::MatchKnown => Self::MatchKnown,
            output::Comparison::NoMatch => Self::NoMatch,
            output::Comparison::SomebodyElse => Self::SomebodyElse,
        }
    }
}
