//! The account of this device, and its devices, as applications see them.
//! It does not know how they come to be or end.

use wire::certificate::Role;
use wire::{AccountId, DeviceId, Handle};

use super::OwnGrant;
use crate::input::Timestamp;

/// The account of this device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// Its handle; a plain Signal service has none.
    pub handle: Option<Handle>,
    /// This device.
    pub device: DeviceId,
    /// What the person called it.
    pub device_name: String,
    /// What it is to the account.
    pub role: Role,
    /// What it may do there, if the account is another person's.
    pub staff: Option<OwnGrant>,
    /// Why this is no device of it any more, if it is none.
    pub unlinked: Option<Unlinked>,
}

/// Why a browser is no device of its account any more. What is stored can still be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unlinked {
    /// The device was removed, here or on another one.
    Removed,
    /// The account was deleted.
    Deleted,
    /// What is stored here was copied, or restored from an older state: sending with it would not be safe.
    RolledBack,
}

impl Unlinked {
    /// As it is stored.
    pub(crate) const fn number(self) -> u32 {
        match self {
            Self::Removed => 1,
            Self::Deleted => 2,
            Self::RolledBack => 3,
        }
    }

    /// From what is stored.
    pub(crate) const fn from_number(number: u32) -> Self {
        match number {
            2 => Self::Deleted,
            3 => Self::RolledBack,
            _ => Self::Removed,
        }
    }
}

/// A device of this account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Its id.
    pub id: DeviceId,
    /// What the person called it; empty if the name can't be read.
    pub name: String,
    /// It is this one.
    pub current: bool,
    /// Whether it holds the account's key, or has a certificate for one of its own.
    pub role: Role,
    /// When it was added.
    pub created: Timestamp,
    /// When it was last connected, to the day.
    pub last_seen: Timestamp,
}
