//! Other people who read, or read and answer, for the person whose account it is: as that person sees them, as those who write to
//! the account see them, and as they see themselves.

use wire::{AccountId, DeviceId};

use crate::input::Timestamp;

/// Somebody who has access to this account, or had.
#[derive(Clone, PartialEq, Eq)]
pub struct Granted {
    /// Their device.
    pub device: DeviceId,
    /// How they are called.
    pub label: String,
    /// Not only read, but answer.
    pub answers: bool,
    /// Also read what own devices send.
    pub reads_sent: bool,
    /// Only these conversations; none: all.
    pub conversations: Option<Vec<AccountId>>,
    /// Since when.
    pub since: Timestamp,
    /// Until when it was wanted to be; none: until it is removed.
    pub until: Option<Timestamp>,
    /// When their certificate ends, if it is not renewed before.
    pub expires: Timestamp,
    /// When it ended.
    pub ended: Option<Timestamp>,
}

/// Somebody who may read what is written to a person.
#[derive(Clone, PartialEq, Eq)]
pub struct Staff {
    /// How they are called; empty: the person has not said that yet.
    pub label: String,
    /// Not only read, but answer.
    pub answers: bool,
    /// Since when that is known here.
    pub since: Timestamp,
    /// Since when they may read no more.
    pub ended: Option<Timestamp>,
    /// The person who writes has not taken note of them yet.
    pub is_new: bool,
}

/// What this device may do for somebody else.
#[derive(Clone, PartialEq, Eq)]
pub struct OwnGrant {
    /// How its person is called.
    pub label: String,
    /// Not only read, but answer.
    pub answers: bool,
    /// When it ends, if it is not renewed before.
    pub expires: Timestamp,
}

/// Who that is, is not for logs.
macro_rules! opaque {
    ($($name:ident)+) => {$(
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(stringify!($name))
            }
        }
    )+};
}

opaque! { Granted Staff OwnGrant }
