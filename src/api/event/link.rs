//! What a running link attempt shows, as JavaScript gets it.
//! How linking works is not known here.

use engine::Refusal;
use engine::output::LinkOffer;
use serde::Serialize;
use tsify::Tsify;

use crate::api::types::milliseconds;

/// What the running link attempt shows.
#[derive(Debug, Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct OnLink {
    /// To be shown as QR code and as text.
    pub uri: String,
    /// When the URI is replaced or ends.
    pub expires_at: f64,
    /// In place of digits, to be shown as QR code and as text, to nobody but the person.
    #[tsify(optional)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Eight digits to be typed on the existing device, once that has answered.
    #[tsify(optional)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digits: Option<String>,
    /// The existing device has approved, and shows four digits for `LinkAttempt.confirm`.
    pub approved: bool,
    /// The code of an error: why there will be no digits.
    #[tsify(optional)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<&'static str>,
}

impl From<LinkOffer> for OnLink {
    fn from(offer: LinkOffer) -> Self {
        let LinkOffer {
            uri,
            expires_at,
            code,
            digits,
            approved,
            problem,
        } = offer;
        Self {
            uri,
            expires_at: milliseconds(expires_at),
            code,
            digits,
            approved,
            problem: problem.map(Refusal::code),
        }
    }
}
