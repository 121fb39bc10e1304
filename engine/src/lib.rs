//! Lockstep's client without a browser: what happens goes in, what to do comes out.
//!
//! One door: [`Engine::handle`]. It loads what the input needs, computes, commits one
//! [`store::Changes`], and only then releases its outputs. Time and randomness are arguments: the
//! same seed and the same inputs give the same bytes. There is no socket, clock or browser in here.

mod account;
mod archive;
pub mod attachment;
mod commands;
mod connection;
mod contacts;
mod content;
mod dated;
mod device_name;
mod disappear;
mod due;
mod early;
mod engine;
pub mod error;
mod fence;
mod flat;
mod guard;
mod history;
mod identity;
mod inbox;
pub mod input;
mod join;
mod limits;
mod linking;
mod notify;
mod outbox;
pub mod output;
mod own_name;
mod padding;
mod peers;
mod phone;
mod prekeys;
mod provisioning;
mod receipts;
mod record;
mod recovery;
mod registers;
mod relink;
mod removal;
mod repair;
mod request;
mod retry;
mod safety;
mod search;
mod seen;
mod service;
mod session;
mod staff;
mod state;
mod steady;
pub mod store;
mod suspect;
mod sync;
mod take_in;
mod thread;
mod timestamps;
mod transfers;
mod trust;
mod tx;
mod typing;
mod upkeep;

#[cfg(any(test, feature = "testing"))]
pub use early::refused;
#[cfg(any(test, feature = "testing"))]
pub use registers::testing::{Held, held};
#[cfg(any(test, feature = "testing"))]
pub use repair::testing::{digests, history_from};

pub use history::file as archive_file;

pub use engine::Engine;
pub use error::{Error, Refusal, StoreFault};
pub use input::{Command, Input, Role, SocketId, Ticket, Timestamp};
pub use output::{Event, Output, Reply};
