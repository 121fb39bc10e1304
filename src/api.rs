//! What JavaScript sees: `Client`, `App`, `LinkAttempt`, `LinkRequest`, events and errors.
//!
//! These objects hold a handle on the host's queue, never the engine, so every method may be called at any time:
//! twice, in parallel, after `close`, with arguments of any type. Types are generated from the Rust types in
//! `account`, `app`, `person`, `types` and `event`.

pub mod account;
pub mod app;
pub mod archive;
mod argument;
pub mod attachments;
pub mod client;
pub mod error;
pub mod event;
pub mod history;
pub mod link;
pub mod listeners;
pub mod live;
pub mod messages;
pub mod people;
pub mod person;
pub mod recovery;
pub mod safety;
pub mod search;
pub mod staff;
pub mod types;
