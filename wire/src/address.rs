//! Ids: accounts, devices, handles, messages. A value of these types is valid; parsing may fail.
//! They say nothing about whether the account or device exists.

use std::fmt;
use std::num::NonZeroU8;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::DecodeError;
use crate::limits::{DEVICE_ID_MAX, REGISTRATION_ID_MAX};

/// A person's account ("ACI"): 16 bytes, written as a lower-case UUID.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AccountId(Uuid);

impl AccountId {
    /// From 16 bytes of any content.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Uuid::from_bytes(bytes))
    }

    /// A version 4 UUID made of the given random bytes.
    #[must_use]
    pub fn from_random_bytes(bytes: [u8; 16]) -> Self {
        Self(uuid::Builder::from_random_bytes(bytes).into_uuid())
    }

    /// From a binary service id: 16 bytes. (17 bytes would be a phone-number id, which we have not.)
    ///
    /// # Errors
    /// [`DecodeError::Invalid`] for any other length.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, DecodeError> {
        let bytes = bytes.try_into().map_err(|_| DecodeError::Invalid {
            field: "account id",
        })?;
        Ok(Self::from_bytes(bytes))
    }

    /// The 16 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }
}

impl FromStr for AccountId {
    type Err = DecodeError;

    /// Only the hyphenated form, in either case.
    fn from_str(text: &str) -> Result<Self, DecodeError> {
        let invalid = DecodeError::Invalid {
            field: "account id",
        };
        if text.len() != uuid::fmt::Hyphenated::LENGTH {
            return Err(invalid);
        }
        Uuid::try_parse(text).map(Self).map_err(|_| invalid)
    }
}

impl TryFrom<String> for AccountId {
    type Error = DecodeError;

    fn try_from(text: String) -> Result<Self, DecodeError> {
        text.parse()
    }
}

impl From<AccountId> for String {
    fn from(id: AccountId) -> Self {
        id.to_string()
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

impl fmt::Debug for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AccountId({self})")
    }
}

/// A device within an account: 1..=127, 1 being the first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct DeviceId(NonZeroU8);

impl DeviceId {
    /// The first device of an account.
    pub const PRIMARY: Self = Self(NonZeroU8::MIN);

    /// The number.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0.get()
    }

    /// The ids after this one, in order, up to the last valid one.
    pub fn following(self) -> impl Iterator<Item = Self> {
        (self.get()..DEVICE_ID_MAX).filter_map(|n| NonZeroU8::new(n + 1).map(Self))
    }
}

impl TryFrom<u32> for DeviceId {
    type Error = DecodeError;

    fn try_from(n: u32) -> Result<Self, DecodeError> {
        u8::try_from(n)
            .ok()
            .filter(|n| *n <= DEVICE_ID_MAX)
            .and_then(NonZeroU8::new)
            .map(Self)
            .ok_or(DecodeError::Invalid { field: "device id" })
    }
}

impl FromStr for DeviceId {
    type Err = DecodeError;

    /// Only as it is written: no sign, no leading zero.
    fn from_str(text: &str) -> Result<Self, DecodeError> {
        let invalid = DecodeError::Invalid { field: "device id" };
        if !text.bytes().all(|b| b.is_ascii_digit()) || text.starts_with('0') {
            return Err(invalid);
        }
        text.parse::<u32>().map_err(|_| invalid)?.try_into()
    }
}

impl From<DeviceId> for u32 {
    fn from(id: DeviceId) -> Self {
        Self::from(id.get())
    }
}

impl fmt::Display for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DeviceId({self})")
    }
}

/// One device of one account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeviceAddress {
    /// Whose device.
    pub account: AccountId,
    /// Which of them.
    pub device: DeviceId,
}

impl fmt::Display for DeviceAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.account, self.device)
    }
}

/// Drawn anew for each incarnation of a device: 1..=0x3FFF. A device id with another
/// registration id is another device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct RegistrationId(u16);

impl RegistrationId {
    /// Maps 16 random bits onto the valid range.
    #[must_use]
    pub const fn from_random(bits: u16) -> Self {
        Self(bits % REGISTRATION_ID_MAX + 1)
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0
    }
}

impl TryFrom<u32> for RegistrationId {
    type Error = DecodeError;

    fn try_from(n: u32) -> Result<Self, DecodeError> {
        u16::try_from(n)
            .ok()
            .filter(|n| (1..=REGISTRATION_ID_MAX).contains(n))
            .map(Self)
            .ok_or(DecodeError::Invalid {
                field: "registration id",
            })
    }
}

impl From<RegistrationId> for u32 {
    fn from(id: RegistrationId) -> Self {
        Self::from(id.0)
    }
}

/// The name by which a platform knows a person: 1 to 64 of `a-z 0-9 . _ -`, starting with a letter
/// or digit. Parsing lowers the case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Handle(String);

impl Handle {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Handle {
    type Err = DecodeError;

    fn from_str(text: &str) -> Result<Self, DecodeError> {
        let text = text.trim().to_ascii_lowercase();
        let valid = (1..=64).contains(&text.len())
            && text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
        if valid {
            Ok(Self(text))
        } else {
            Err(DecodeError::Invalid { field: "handle" })
        }
    }
}

impl TryFrom<String> for Handle {
    type Error = DecodeError;

    fn try_from(text: String) -> Result<Self, DecodeError> {
        text.parse()
    }
}

impl From<Handle> for String {
    fn from(handle: Handle) -> Self {
        handle.0
    }
}

impl fmt::Display for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A message, a bundle: 16 bytes made by the sending device and opaque to others, written as 32 hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MessageId([u8; 16]);

impl MessageId {
    /// From 16 bytes of any content.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// From a field of a message.
    ///
    /// # Errors
    /// [`DecodeError::Invalid`] unless there are 16 bytes.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, DecodeError> {
        bytes
            .try_into()
            .map(Self)
            .map_err(|_| DecodeError::Invalid {
                field: "message id",
            })
    }

    /// The 16 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl FromStr for MessageId {
    type Err = DecodeError;

    fn from_str(text: &str) -> Result<Self, DecodeError> {
        let invalid = DecodeError::Invalid {
            field: "message id",
        };
        if text.len() != uuid::fmt::Simple::LENGTH {
            return Err(invalid);
        }
        Uuid::try_parse(text)
            .map(|id| Self(id.into_bytes()))
            .map_err(|_| invalid)
    }
}

impl TryFrom<String> for MessageId {
    type Error = DecodeError;

    fn try_from(text: String) -> Result<Self, DecodeError> {
        text.parse()
    }
}

impl From<MessageId> for String {
    fn from(id: MessageId) -> Self {
        id.to_string()
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Uuid::from_bytes(self.0).simple().fmt(f)
    }
}

impl fmt::Debug for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MessageId({self})")
    }
}
