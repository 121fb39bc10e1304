//! Both sides on virtual time: the real engine on memory stores, the real relay core on its memory
//! store, and a network that delivers in order until it is cut.
//!
//! A world is a function of its seed and of what the play does. Never shipped; it may panic, since a
//! broken expectation is what it is for.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a play that goes wrong must stop at once"
)]

mod client;
mod relay_node;
mod world;

pub use client::{Client, ClientId};
pub use relay_node::{Lie, RelayNode};
pub use world::World;
