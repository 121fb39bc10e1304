//! Bodies that only a plain Signal service has: what comes with an account's phone number.
//! They are written and read by clients; our relay skips what is in them beyond its own bodies.

use serde::{Deserialize, Serialize};

use super::{LinkDevice, SignedPreKey};
use crate::opaque::debug_by_name;
use crate::{AccountId, Handle};

/// `PUT /v1/devices/link` for an account with a phone number.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LinkPhoneDevice {
    /// What every account has.
    #[serde(flatten)]
    pub device: LinkDevice,
    /// The signed EC prekey of the phone-number identity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pni_signed_pre_key: Option<SignedPreKey>,
    /// Its last-resort Kyber prekey.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pni_pq_last_resort_pre_key: Option<SignedPreKey>,
}

debug_by_name!(LinkPhoneDevice);

/// What every service answers to `GET /v1/accounts/whoami`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WhoAmI {
    /// The account.
    pub uuid: AccountId,
    /// Its handle (ours).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handle: Option<Handle>,
    /// The version of its signed device list, if it has one (ours).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list_version: Option<u64>,
}
