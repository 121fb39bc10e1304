//! The engine as `npm run bench` measures it: in memory, without IndexedDB, sockets or a page around it.
//!
//! The package has no call that encrypts and does nothing else, so this module offers what is timed: a text handed
//! to one engine and its envelope to another ([`Talk`]), one text for many devices ([`FanOut`]), and the same
//! message through bare libsignal ([`Bare`]), which is what the engine's own part is compared with. Clocks are the
//! caller's. Never shipped; it may panic, since a measurement that goes wrong is none.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a measurement that goes wrong must stop at once"
)]

mod bare;
mod client;
mod device;
#[cfg(target_arch = "wasm32")]
pub mod exports;
mod fan_out;
mod forged;
mod relay;
mod talk;

pub use bare::Bare;
pub use fan_out::FanOut;
pub use forged::Forged;
pub use talk::{Side, Talk};

/// A text of so many bytes.
fn text(bytes: usize) -> String {
    "x".repeat(bytes)
}
