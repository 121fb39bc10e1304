//! Both sides on virtual time: the real engine on memory stores, the real relay core on its memory
//! store, and a network that delivers in order until it is cut.
//!
//! A world is a function of its seed and of what the play does. Plays are written by hand (in `tests`) or drawn
//! from a seed ([`generate`]) and watched by [`check`]. Never shipped; it may panic, since a broken expectation
//! is what it is for.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a play that goes wrong must stop at once"
)]

mod cast;
pub mod check;
mod client;
mod disk;
pub mod fuzz;
pub mod generate;
mod relay_node;
pub mod run;
pub mod shrink;
pub mod step;
mod trace;
mod world;

pub use cast::Cast;
pub use client::{Client, ClientId};
pub use relay_node::{Deceit, Lie, RelayNode};
pub use world::World;
