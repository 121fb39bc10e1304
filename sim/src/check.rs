//! What must hold in every run, one check a file. A check looks and says; it changes nothing and knows
//! nothing of how a run is made.
//!
//! While faults last: nothing is released that is not on disk, no ratchet position is used for two plaintexts,
//! nobody is told anything twice. When they are over: nothing is lost, doubled, out of order or with a stranger,
//! and all devices of a person show the same.

pub(crate) mod digests;
pub(crate) mod given;
pub(crate) mod marks;
pub(crate) mod record;
pub(crate) mod registers;
pub(crate) mod release;
pub(crate) mod staff;
pub(crate) mod threads;
pub(crate) mod timers;
pub(crate) mod wire_use;

use std::fmt;

/// Which promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Check {
    /// What leaves the engine is on disk: frames, acks, answers, events.
    Released,
    /// One ratchet position, one ciphertext.
    Ratchet,
    /// A message is told of once.
    ToldOnce,
    /// Each command is answered.
    Answered,
    /// What was accepted is at every device, or visibly failed at its sender.
    Lost,
    /// Nothing is shown twice.
    Twice,
    /// Nothing is shown to anybody but its two people, nor in another's name.
    Stranger,
    /// Nothing unreadable is shown, unless somebody lied.
    Unreadable,
    /// A sender's messages stand in the order in which they were sent.
    Order,
    /// The devices of a person show the same.
    Same,
    /// What was read on one device is read on the others.
    Read,
    /// What was set on one device is set on the others.
    Registers,
    /// The devices of a person find nothing in which they differ.
    Digests,
    /// All devices of both people have the same timer, and what it has run out for is gone.
    Timers,
    /// Every device fetches what was sent.
    Files,
    /// A browser that was given earlier messages has them.
    Given,
    /// Staff show what they are let read and nothing else, and what they say is known as theirs.
    Staff,
    /// Nothing waits any more, at the relay or to be sent.
    Drained,
    /// All devices are back after the faults.
    Back,
    /// Nothing panics and nothing runs in circles.
    Alive,
}

/// A broken promise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which promise.
    pub check: Check,
    /// What happened.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.check, self.what)
    }
}
