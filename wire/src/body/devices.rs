//! Bodies about an account's devices: as the relay knows them, and as the account's key has signed them.
//! Signed lists and certificates are bytes here; their form is in `device_list` and `certificate`.

use serde::{Deserialize, Serialize};

use super::Base64;
use crate::{DeviceId, RegistrationId};

/// A device as its own account sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeviceInfo {
    /// Which device.
    pub id: DeviceId,
    /// A `DeviceName`, encrypted to the account's identity key.
    pub name: Base64,
    /// ms, at the start of a day.
    pub last_seen: u64,
    /// ms.
    pub created: u64,
    /// Which incarnation.
    pub registration_id: RegistrationId,
    /// Of a device with an identity key of its own (ours).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<Base64>,
}

/// Answer of `GET /v1/devices`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Devices {
    /// All devices of the account.
    pub devices: Vec<DeviceInfo>,
}

/// Answer of `GET /v1/accounts/{aci}/list` (ours), and of a `PUT` of one that is not the next version (409).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListedDevices {
    /// A `SignedList`.
    pub list: Base64,
    /// A `SignedCertificate` for each of its devices that is there.
    pub certificates: Vec<Base64>,
}

/// `PUT /v1/accounts/me/list` (ours).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PutDeviceList {
    /// A `SignedList`.
    pub list: Base64,
    /// `SignedCertificate`s of devices that have one already, which these take the place of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub certificates: Vec<Base64>,
}
