//! The people of most plays, with their browsers.
//! It knows nothing of what they do.

use crate::{ClientId, World};

/// Alice with two browsers, Bob with one.
#[derive(Clone, Copy, Debug)]
pub struct Cast {
    /// Alice's first browser.
    pub alice: ClientId,
    /// The one she linked.
    pub second: ClientId,
    /// Bob's.
    pub bob: ClientId,
}

impl Cast {
    /// They sign up, and Alice links her second browser.
    pub fn new(world: &mut World) -> Self {
        let alice = world.register("alice");
        let bob = world.register("bob");
        let (second, _) = world.link(alice);
        Self { alice, second, bob }
    }
}
