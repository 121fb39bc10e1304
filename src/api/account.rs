//! The account of this browser, and why it is no device of it any more, as JavaScript has them.
//! How that comes about is the engine's business.

use engine::output;
use serde::Serialize;
use tsify::Tsify;

use super::staff::StaffAccess;
use super::types::DeviceRole;

/// The account of this device.
#[derive(Clone, Debug, Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct Account {
    /// Its id.
    #[tsify(type = "AccountId")]
    pub id: String,
    /// By which others find it; a plain Signal service has no handles.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handle: Option<String>,
    /// This device.
    pub device_id: u32,
    /// How the person calls this device.
    pub device_name: String,
    /// What it is to the account.
    pub role: DeviceRole,
    /// What its person may do, if it is a delegate: somebody else's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub staff: Option<StaffAccess>,
    /// Why it is none any more, while `state()` is "unlinked".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unlinked: Option<UnlinkedReason>,
}

/// Why this browser is no device of its account any more. What is stored can still be read. "removed": the device was removed,
/// here or on another one. "deleted": the account was deleted. "rolled_back": what is stored here was copied, or
/// restored from an older state, and sending from it would not be safe. After the first and the last `link()` works again.
#[derive(Clone, Copy, Debug, Serialize, Tsify)]
#[serde(rename_all = "snake_case")]
pub enum UnlinkedReason {
    /// By this browser or another device.
    Removed,
    /// With all its devices.
    Deleted,
    /// Said by the relay, which has seen more of this device than is stored here.
    RolledBack,
}

impl From<output::Unlinked> for UnlinkedReason {
    fn from(why: output::Unlinked) -> Self {
        match why {
            output::Unlinked::Removed => Self::Removed,
            output::Unlinked::Deleted => Self::Deleted,
            output::Unlinked::RolledBack => Self::RolledBack,
        }
    }
}

impl From<output::Account> for Account {
    fn from(account: output::Account) -> Self {
        let output::Account {
            id,
            handle,
            device,
            device_name,
            role,
            unlinked,
            staff,
        } = account;
        Self {
            id: id.to_string(),
            handle: handle.map(String::from),
            device_id: device.into(),
            device_name,
            role: role.into(),
            staff: staff.map(StaffAccess::from),
            unlinked: unlinked.map(UnlinkedReason::from),
        }
    }
}
