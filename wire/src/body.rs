//! JSON bodies, with Signal's names. What is ours is marked so.
//! Lengths and ranges of single values are checked here; signatures and meaning are not.

mod devices;
mod plain;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::limits::KEY_ID_MAX;
use crate::opaque::debug_by_name;
use crate::{AccountId, DecodeError, DeviceId, Handle, RegistrationId};
pub use devices::{DeviceInfo, Devices, ListedDevices, PutDeviceList};
pub use plain::{LinkPhoneDevice, WhoAmI};

/// Standard alphabet; written with padding, read with or without.
pub const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Decodes a JSON body.
///
/// # Errors
/// [`DecodeError::Json`].
pub fn from_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, DecodeError> {
    Ok(serde_json::from_slice(bytes)?)
}

/// Encodes a JSON body. Our types have string keys only, so encoding can't fail.
#[must_use]
pub fn to_json<T: Serialize>(value: &T) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}

/// Bytes that are base64 text in JSON.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Base64(pub Vec<u8>);

impl Serialize for Base64 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&BASE64.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Base64 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        BASE64
            .decode(text)
            .map(Self)
            .map_err(serde::de::Error::custom)
    }
}

impl std::fmt::Debug for Base64 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

/// Id of a prekey: 1 to 2²⁴−1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct KeyId(u32);

impl TryFrom<u32> for KeyId {
    type Error = DecodeError;

    fn try_from(n: u32) -> Result<Self, DecodeError> {
        if (1..=KEY_ID_MAX).contains(&n) {
            Ok(Self(n))
        } else {
            Err(DecodeError::Invalid { field: "key id" })
        }
    }
}

impl From<KeyId> for u32 {
    fn from(id: KeyId) -> Self {
        id.0
    }
}

/// A one-time EC prekey.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PreKey {
    /// Unique among the EC one-time keys of the device.
    pub key_id: KeyId,
    /// 33 bytes.
    pub public_key: Base64,
}

/// A signed EC prekey, or a Kyber prekey (which are all signed).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SignedPreKey {
    /// Unique among the keys of its kind of the device.
    pub key_id: KeyId,
    /// 33 bytes, or 1569 for Kyber.
    pub public_key: Base64,
    /// 64 bytes, by the identity key over `public_key`.
    pub signature: Base64,
}

/// `PUT /v2/keys`. What is absent stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SetKeys {
    /// One-time EC keys.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pre_keys: Vec<PreKey>,
    /// One-time Kyber keys.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pq_pre_keys: Vec<SignedPreKey>,
    /// The signed EC prekey.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed_pre_key: Option<SignedPreKey>,
    /// The Kyber prekey that is handed out when the one-time ones have run out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pq_last_resort_pre_key: Option<SignedPreKey>,
}

/// Answer of `GET /v2/keys`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyCounts {
    /// One-time EC keys left.
    pub count: u32,
    /// One-time Kyber keys left.
    pub pq_count: u32,
}

/// Answer of `GET /v2/keys/{aci}/{device or *}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PreKeyResponse {
    /// Of the account, 33 bytes.
    pub identity_key: Base64,
    /// One bundle for each device that has keys.
    pub devices: Vec<DevicePreKeys>,
    /// The account's signed device list, if it has one (ours).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_list: Option<Base64>,
}

/// The prekey bundle of one device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DevicePreKeys {
    /// Which device.
    pub device_id: DeviceId,
    /// Which incarnation of it.
    pub registration_id: RegistrationId,
    /// The signed EC prekey.
    pub signed_pre_key: SignedPreKey,
    /// A one-time EC prekey, unless they have run out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pre_key: Option<PreKey>,
    /// A one-time Kyber prekey, or the last-resort one.
    pub pq_pre_key: SignedPreKey,
    /// Of a device with an identity key of its own, which has signed the keys above (ours).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<Base64>,
}

/// What a new device says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccountAttributes {
    /// Always true: we have no push tokens.
    pub fetches_messages: bool,
    /// Drawn at random by the device.
    pub registration_id: RegistrationId,
    /// Of the phone-number identity; absent with us.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pni_registration_id: Option<u32>,
    /// A `DeviceName`, encrypted to the account's identity key.
    pub name: Base64,
    /// Name to flag.
    #[serde(default)]
    pub capabilities: std::collections::BTreeMap<String, bool>,
}

/// `PUT /v1/accounts` (ours).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Register {
    /// The handle to take. With a credential it must be the one the credential names.
    pub handle: Handle,
    /// The platform's signed token; absent on a relay that runs with `--dev`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<String>,
    /// Chosen by the device: 16 random bytes as text.
    pub password: String,
    /// The account's identity key, 33 bytes.
    pub identity_key: Base64,
    /// By the identity key over [`registration_proof`]: the registrant has the private key.
    pub proof: Base64,
    /// The first device.
    pub account_attributes: AccountAttributes,
    /// Its signed EC prekey.
    pub aci_signed_pre_key: SignedPreKey,
    /// Its last-resort Kyber prekey.
    pub aci_pq_last_resort_pre_key: SignedPreKey,
    /// The handle's account is to begin anew with this key: all its devices are gone, and so is what could bring them back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub anew: bool,
}

/// What the proof of [`Register`] signs: bound to this use, this handle and this password.
#[must_use]
pub fn registration_proof(handle: &Handle, password: &str) -> Vec<u8> {
    [
        b"Lockstep register 1\0",
        handle.as_str().as_bytes(),
        b"\0",
        password.as_bytes(),
    ]
    .concat()
}

/// Answer of `PUT /v1/accounts` and `PUT /v1/devices/link`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeviceCredentials {
    /// The account.
    pub uuid: AccountId,
    /// Its phone-number id; absent with us.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pni: Option<String>,
    /// The device that was made.
    pub device_id: DeviceId,
}

/// `PUT /v1/devices/link`. The password is in the `authorization` header.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LinkDevice {
    /// The link token.
    pub verification_code: String,
    /// The new device.
    pub account_attributes: AccountAttributes,
    /// Its signed EC prekey.
    pub aci_signed_pre_key: SignedPreKey,
    /// Its last-resort Kyber prekey.
    pub aci_pq_last_resort_pre_key: SignedPreKey,
    /// The platform's signed token (ours).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<String>,
    /// Of a device with an identity key of its own, which has signed the keys above (ours).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<Base64>,
}

/// Answer of `GET /v1/devices/provisioning/code`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LinkToken {
    /// Goes to the new device in the `ProvisionMessage`; 10 minutes, single use.
    pub verification_code: String,
    /// For `wait_for_linked_device`.
    pub token_identifier: String,
    /// The id that the new device will have, so that it can be certified before it is there (ours).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_id: Option<DeviceId>,
}

/// `PUT /v1/provisioning/{address}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provision {
    /// A `ProvisionEnvelope`.
    pub body: Base64,
}

/// Answer of `GET /v1/accounts/whoami`, and of the two look-ups (ours), which leave out the device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccountInfo {
    /// The account.
    pub uuid: AccountId,
    /// Its handle.
    pub handle: Handle,
    /// The asking device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_id: Option<DeviceId>,
    /// The version of its signed device list, if it has one; to the account alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list_version: Option<u64>,
}

/// `PUT /v1/messages/{aci}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SendMessages {
    /// One for each device of the account.
    pub messages: Vec<IncomingMessage>,
    /// ms; 0 means the relay's time.
    #[serde(default)]
    pub timestamp: u64,
    /// Deliver now or never.
    #[serde(default)]
    pub online: bool,
    /// Whether a push may wake the device.
    #[serde(default = "yes")]
    pub urgent: bool,
}

/// The ciphertext for one device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IncomingMessage {
    /// An `Envelope.Type`.
    #[serde(rename = "type")]
    pub kind: u32,
    /// For which device.
    pub destination_device_id: DeviceId,
    /// For which incarnation of it.
    pub destination_registration_id: u32,
    /// Ciphertext.
    pub content: Base64,
}

/// Answer of `PUT /v1/messages/{aci}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MessagesSent {
    /// The sender has other devices that need a transcript; a service may leave it out.
    #[serde(default)]
    pub needs_sync: bool,
}

/// 409 of `PUT /v1/messages/{aci}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MismatchedDevices {
    /// Devices of the account that were not named.
    pub missing_devices: Vec<DeviceId>,
    /// Named, but not devices of the account.
    pub extra_devices: Vec<DeviceId>,
}

/// 410 of `PUT /v1/messages/{aci}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StaleDevices {
    /// Named with the registration id of an earlier incarnation.
    pub stale_devices: Vec<DeviceId>,
}

/// Answer of `GET /v1/capabilities` (ours).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Capabilities {
    /// `PUT /v1/bundles` is there.
    pub bundles: bool,
    /// Accounts are found by handle.
    pub handles: bool,
    /// Registration needs the platform's credential.
    pub credential_required: bool,
}

/// Body of a refusal (ours), where the status alone leaves doubt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// `credential_refused`, `handle_taken`, `account_gone`, `last_device`, ...
    pub code: String,
}

debug_by_name!(Register LinkDevice LinkToken);

const fn yes() -> bool {
    true
}
