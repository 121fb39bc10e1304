//! The relay: stores and forwards what it cannot read.
//!
//! ```text
//!   socket <-> server/socket -- Asked --> database (one writer thread, group commit)
//!                 |   ^                       |  core: the rules, over one transaction
//!                 |   +----- Answer <---------+  store: rows, in SQLite or in memory
//!                 +--- delivery: what to send, what is acked
//!   http   <-> server/blobs -- rows to the database, bytes --> blobs (files)
//! ```
//!
//! `core`, `delivery` and `store` know no socket, no clock and no randomness of their own; `server` and
//! `database` have no rules. Accepted means durable: no answer and no effect leaves before the commit
//! that it reports. The crate depends on neither `engine` nor libsignal's protocol: it cannot decrypt.

pub mod blobs;
pub mod config;
pub mod core;
pub mod database;
pub mod delivery;
pub mod limits;
pub mod server;
pub mod store;
