//! A device certificate (ours): an account's identity key says that a device with a key of its own speaks for the account.
//!
//! ```text
//! body (143)  format 1 | account 16 | device 1 | epoch 4 | registration id 4 | device key 33 | role 1 |
//!             capabilities 2 | not before 8 | not after 8 | label commitment 32 | account key 33
//! signed (271) body | signature of the account key 64 | signature of the device key 64
//! ```
//!
//! Big-endian, nothing optional: one byte string has one meaning. Both keys sign the body, each under a context of its own: the
//! account agrees to the device, and the device to the account. Signatures are checked by whoever has cryptography.

use std::fmt;

use crate::fixed::{Reader, signed};
use crate::{AccountId, DecodeError, DeviceAddress, DeviceId, RegistrationId};

/// An X25519 key with its type byte.
pub type Key = [u8; 33];
/// An XEdDSA signature. Malleable: nothing is identified by it (V7).
pub type Signature = [u8; 64];

/// What a device is to its account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Role {
    /// Holds the account's key. It needs no certificate, and has none.
    Owner = 1,
    /// Another person's device that may read.
    DelegateRead = 2,
    /// Another person's device that may read and answer.
    DelegateAnswer = 3,
    /// A device of the account's person, without the account's key.
    Device = 4,
}

impl Role {
    /// Another person's device.
    #[must_use]
    pub const fn is_delegate(self) -> bool {
        match self {
            Self::DelegateRead | Self::DelegateAnswer => true,
            Self::Owner | Self::Device => false,
        }
    }
}

impl TryFrom<u8> for Role {
    type Error = DecodeError;

    fn try_from(number: u8) -> Result<Self, DecodeError> {
        match number {
            1 => Ok(Self::Owner),
            2 => Ok(Self::DelegateRead),
            3 => Ok(Self::DelegateAnswer),
            4 => Ok(Self::Device),
            _ => Err(DecodeError::Invalid { field: "role" }),
        }
    }
}

/// What a device may do: bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities(u16);

impl Capabilities {
    /// Nothing.
    pub const NONE: Self = Self(0);
    /// Read what comes in, in all conversations. Without it another person's device gets only what it is named for.
    pub const READ: Self = Self(1);
    /// Send in the account's name.
    pub const SEND: Self = Self(1 << 1);
    /// Read what other devices of the account have sent.
    pub const READ_SENT: Self = Self(1 << 2);
    /// Have what was written before it came.
    pub const HISTORY: Self = Self(1 << 3);
    /// Change what own devices agree on.
    pub const SETTINGS: Self = Self(1 << 4);
    /// Everything that a device of the account's person does. Linking needs the account's key, and no capability.
    pub const FULL: Self = Self(0b1_1111);

    /// Both of these.
    #[must_use]
    pub const fn and(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    /// The bits.
    #[must_use]
    pub const fn bits(self) -> u16 {
        self.0
    }

    /// Whether all of these are among them.
    #[must_use]
    pub const fn has(self, others: Self) -> bool {
        self.0 & others.0 == others.0
    }
}

impl TryFrom<u16> for Capabilities {
    type Error = DecodeError;

    /// Unknown bits are refused: they would mean something that this version does not know.
    fn try_from(bits: u16) -> Result<Self, DecodeError> {
        let all = Self(bits);
        if Self::FULL.has(all) {
            Ok(all)
        } else {
            Err(DecodeError::Invalid {
                field: "capabilities",
            })
        }
    }
}

/// What an account's key says of a device.
#[derive(Clone, PartialEq, Eq)]
pub struct Certificate {
    /// Which device of which account.
    pub address: DeviceAddress,
    /// Counted for the account, never used twice, from 1.
    pub epoch: u32,
    /// Which incarnation.
    pub registration_id: RegistrationId,
    /// The identity key of the device.
    pub key: Key,
    /// What it is.
    pub role: Role,
    /// What it may do.
    pub capabilities: Capabilities,
    /// Good from then on, ms.
    pub not_before: u64,
    /// Good until then, ms.
    pub not_after: u64,
    /// Binds a label that travels encrypted; zeros: there is none.
    pub label_commitment: [u8; 32],
    /// Whose word this is.
    pub account_key: Key,
}

impl Certificate {
    /// The length of a body.
    pub const LENGTH: usize = 143;

    /// The body.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut body = Vec::with_capacity(Self::LENGTH);
        body.push(FORMAT);
        body.extend(self.address.account.as_bytes());
        body.push(self.address.device.get());
        body.extend(self.epoch.to_be_bytes());
        body.extend(u32::from(self.registration_id).to_be_bytes());
        body.extend(self.key);
        body.push(self.role as u8);
        body.extend(self.capabilities.bits().to_be_bytes());
        body.extend(self.not_before.to_be_bytes());
        body.extend(self.not_after.to_be_bytes());
        body.extend(self.label_commitment);
        body.extend(self.account_key);
        body
    }

    /// From a body.
    ///
    /// # Errors
    /// Another length or format, a value out of range, an epoch of 0, times in the wrong order.
    pub fn decode(body: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(body, "device certificate");
        let invalid = reader.invalid();
        if reader.u8()? != FORMAT {
            return Err(invalid);
        }
        let certificate = Self {
            address: DeviceAddress {
                account: AccountId::from_bytes(reader.array()?),
                device: DeviceId::try_from(u32::from(reader.u8()?))?,
            },
            epoch: reader.u32()?,
            registration_id: RegistrationId::try_from(reader.u32()?)?,
            key: reader.array()?,
            role: reader.u8()?.try_into()?,
            capabilities: reader.u16()?.try_into()?,
            not_before: reader.u64()?,
            not_after: reader.u64()?,
            label_commitment: reader.array()?,
            account_key: reader.array()?,
        };
        reader.end()?;
        if certificate.epoch == 0 || certificate.not_before >= certificate.not_after {
            return Err(invalid);
        }
        Ok(certificate)
    }

    /// What the account's key signs.
    #[must_use]
    pub fn signed_by_account(body: &[u8]) -> Vec<u8> {
        signed(b"lockstep/devcert/account/v1", body)
    }

    /// What the device's key signs.
    #[must_use]
    pub fn signed_by_device(body: &[u8]) -> Vec<u8> {
        signed(b"lockstep/devcert/device/v1", body)
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            address,
            epoch,
            role,
            ..
        } = self;
        write!(f, "Certificate({address} epoch {epoch} {role:?})")
    }
}

/// A certificate with both signatures, none of which has been checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedCertificate {
    /// What is signed.
    pub certificate: Certificate,
    /// By the account's key, over [`Certificate::signed_by_account`].
    pub by_account: Signature,
    /// By the device's key, over [`Certificate::signed_by_device`].
    pub by_device: Signature,
}

impl SignedCertificate {
    /// The length.
    pub const LENGTH: usize = Certificate::LENGTH + 2 * 64;

    /// Body and signatures.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = self.certificate.encode();
        bytes.extend(self.by_account);
        bytes.extend(self.by_device);
        bytes
    }

    /// From body and signatures.
    ///
    /// # Errors
    /// As [`Certificate::decode`], or another length.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let invalid = DecodeError::Invalid {
            field: "device certificate",
        };
        let (body, signatures) = bytes.split_at_checked(Certificate::LENGTH).ok_or(invalid)?;
        let mut reader = Reader::new(signatures, "device certificate");
        let signed = Self {
            certificate: Certificate::decode(body)?,
            by_account: reader.array()?,
            by_device: reader.array()?,
        };
        reader.end()?;
        Ok(signed)
    }
}

const FORMAT: u8 = 1;
