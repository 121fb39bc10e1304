//! How far something is that takes longer than a call.
//! When it is told is the engine's business.

use engine::output;
use serde::Serialize;
use tsify::Tsify;

/// History goes on, to another own device or from one.
#[derive(Debug, Serialize, Tsify)]
pub struct OnProgress {
    /// Of what.
    #[tsify(type = "\"history\"")]
    pub kind: &'static str,
    /// The number of the other device.
    pub device: u32,
    /// From this device to that one; if not, from that one to this.
    pub sending: bool,
    /// Messages that the receiving device has.
    pub done: f64,
    /// In all.
    pub total: f64,
}

#[expect(
    clippy::cast_precision_loss,
    reason = "there are far fewer than 2^53 messages"
)]
const fn count(messages: u64) -> f64 {
    messages as f64
}

impl From<output::Progress> for OnProgress {
    fn from(progress: output::Progress) -> Self {
        let output::Progress {
            device,
            is_sending: sending,
            done,
            total,
        } = progress;
        Self {
            kind: "history",
            device: device.into(),
            sending,
            done: count(done),
            total: count(total),
        }
    }
}
