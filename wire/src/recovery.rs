//! Coming back to an account with words on paper: where it is asked for, and the bodies.
//! What is inside the sealed bytes is for clients alone; lengths are checked here, signatures are not.

use serde::{Deserialize, Serialize};

use crate::body::{AccountAttributes, Base64, SignedPreKey};
use crate::opaque::debug_by_name;
use crate::{AccountId, Handle};

/// What may be asked about recovery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recovery {
    /// `GET /v1/recovery`: whether there is a sealed key, and since when.
    Status,
    /// `PUT /v1/recovery`: keeps a sealed key, in place of an earlier one.
    Put,
    /// `PUT /v1/recovery/open`: the sealed key, for a browser that is no device yet.
    Open,
    /// `PUT /v1/recovery/device`: a browser that has opened it becomes a device.
    Device,
}

impl Recovery {
    /// From a verb and what stands behind `/v1/recovery`.
    #[must_use]
    pub fn parse(verb: &str, rest: &[&str]) -> Option<Self> {
        let all = [Self::Status, Self::Put, Self::Open, Self::Device];
        let is =
            |one: &Self| verb == one.verb() && rest.join("/") == one.rest() && !rest.contains(&"");
        all.into_iter().find(is)
    }

    /// The verb.
    #[must_use]
    pub const fn verb(self) -> &'static str {
        match self {
            Self::Status => "GET",
            Self::Put | Self::Open | Self::Device => "PUT",
        }
    }

    /// The path.
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::Status | Self::Put => "/v1/recovery",
            Self::Open => "/v1/recovery/open",
            Self::Device => "/v1/recovery/device",
        }
    }

    const fn rest(self) -> &'static str {
        match self {
            Self::Status | Self::Put => "",
            Self::Open => "open",
            Self::Device => "device",
        }
    }
}

/// `PUT /v1/recovery`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PutRecovery {
    /// At most [`crate::limits::RECOVERY_MAX`] bytes.
    pub sealed: Base64,
    /// By the account's identity key over [`recovery_proof`].
    pub proof: Base64,
}

/// What the proof of [`PutRecovery`] signs: bound to this use, this account and these bytes.
#[must_use]
pub fn recovery_proof(account: AccountId, sealed: &[u8]) -> Vec<u8> {
    [
        b"Lockstep recovery put 1\0",
        account.as_bytes().as_slice(),
        sealed,
    ]
    .concat()
}

/// Answer of `GET /v1/recovery`; 404 if there is none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecoveryStatus {
    /// ms, when it was put there.
    pub made: u64,
    /// SHA-256 of the sealed bytes.
    pub digest: Base64,
}

/// `PUT /v1/recovery/open`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenRecovery {
    /// Of the account.
    pub handle: Handle,
    /// The platform's signed token; absent on a relay that runs with `--dev`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<String>,
}

/// Answer of `PUT /v1/recovery/open`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenedRecovery {
    /// The account.
    pub uuid: AccountId,
    /// As it was put there.
    pub sealed: Base64,
}

/// `PUT /v1/recovery/device`. The answer is that of linking.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RecoverDevice {
    /// Of the account.
    pub handle: Handle,
    /// As for opening.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<String>,
    /// Chosen by the device: 16 random bytes as text.
    pub password: String,
    /// By the account's identity key over [`recover_device_proof`].
    pub proof: Base64,
    /// The new device.
    pub account_attributes: AccountAttributes,
    /// Its signed EC prekey.
    pub aci_signed_pre_key: SignedPreKey,
    /// Its last-resort Kyber prekey.
    pub aci_pq_last_resort_pre_key: SignedPreKey,
}

/// What the proof of [`RecoverDevice`] signs: bound to this use, this account and the password of this device.
#[must_use]
pub fn recover_device_proof(account: AccountId, password: &str) -> Vec<u8> {
    [
        b"Lockstep recovery device 1\0",
        account.as_bytes().as_slice(),
        password.as_bytes(),
    ]
    .concat()
}

debug_by_name!(OpenRecovery RecoverDevice);
