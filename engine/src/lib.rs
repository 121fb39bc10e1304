//! Lockstep's client without a browser: what happens goes in, what to do comes out.
//!
//! One door: [`Engine::handle`]. It loads what the input needs, computes, commits one
//! [`store::Changes`], and only then releases its outputs. Time and randomness are arguments: the
//! same seed and the same inputs give the same bytes. There is no socket, clock or browser in here.

mod device_name;
pub mod error;
mod guard;
pub mod input;
pub mod output;
mod padding;
mod provisioning;
pub mod store;

pub use error::{Error, Refusal, StoreFault};
pub use input::{Command, Input, SocketId, Ticket, Timestamp};
pub use output::{Event, Output, Reply};
