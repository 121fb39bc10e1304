//! An account's signed device list (ours): which devices with keys of their own speak for the account, and which do no more.
//!
//! ```text
//! body   format 1 | account 16 | account key 33 | version 8 | SHA-256 of the previous body 32 | issued 8 | expires 8 |
//!        issuing device 1 | highest epoch ever 4 | count 1 | count x (device 1 | epoch 4 | SHA-256 of the certificate's body 32) |
//!        count 1 | count x (revoked device 1 | epoch 4 | time 8 | reason 1)
//! signed body | signature of the account key 64
//! ```
//!
//! Entries stand in the order of their devices, revoked ones in that of device and epoch, none twice: one byte string has one
//! meaning. Hashes and signatures are checked by whoever has cryptography. An account without a list has only owners.

use std::fmt;

use crate::certificate::{Key, Signature};
use crate::fixed::{Reader, signed};
use crate::limits::DEVICES_MAX;
use crate::{AccountId, DecodeError, DeviceId};

/// Revoked devices that a list still names.
pub const REVOKED_MAX: usize = 64;

/// Why a device is none any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Reason {
    /// It was given up in peace: what it sent before may still be read.
    Retired = 1,
    /// It may be in the wrong hands: nothing of it is believed any more.
    Lost = 2,
    /// Its time was over.
    Ended = 3,
}

impl TryFrom<u8> for Reason {
    type Error = DecodeError;

    fn try_from(number: u8) -> Result<Self, DecodeError> {
        match number {
            1 => Ok(Self::Retired),
            2 => Ok(Self::Lost),
            3 => Ok(Self::Ended),
            _ => Err(DecodeError::Invalid { field: "reason" }),
        }
    }
}

/// A device in a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Which device.
    pub device: DeviceId,
    /// Its epoch.
    pub epoch: u32,
    /// SHA-256 of the body of its certificate.
    pub certificate: [u8; 32],
}

/// A device that is none any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Revoked {
    /// Which device.
    pub device: DeviceId,
    /// Its epoch.
    pub epoch: u32,
    /// ms.
    pub at: u64,
    /// Why.
    pub reason: Reason,
}

/// What an account's key says of the account's devices.
#[derive(Clone, PartialEq, Eq)]
pub struct DeviceList {
    /// Whose.
    pub account: AccountId,
    /// Whose word this is.
    pub account_key: Key,
    /// From 1; each change is the next one.
    pub version: u64,
    /// SHA-256 of the body before; zeros for the first.
    pub previous: [u8; 32],
    /// ms.
    pub issued: u64,
    /// Not to be relied on after this, ms.
    pub expires: u64,
    /// Which owner made it.
    pub issuer: DeviceId,
    /// The highest epoch that was ever given to a device.
    pub highest_epoch: u32,
    /// The devices.
    pub entries: Vec<Entry>,
    /// Those that were.
    pub revoked: Vec<Revoked>,
}

impl DeviceList {
    /// The body.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut body = vec![FORMAT];
        body.extend(self.account.as_bytes());
        body.extend(self.account_key);
        body.extend(self.version.to_be_bytes());
        body.extend(self.previous);
        body.extend(self.issued.to_be_bytes());
        body.extend(self.expires.to_be_bytes());
        body.push(self.issuer.get());
        body.extend(self.highest_epoch.to_be_bytes());
        body.push(u8::try_from(self.entries.len()).unwrap_or(u8::MAX));
        for entry in &self.entries {
            body.push(entry.device.get());
            body.extend(entry.epoch.to_be_bytes());
            body.extend(entry.certificate);
        }
        body.push(u8::try_from(self.revoked.len()).unwrap_or(u8::MAX));
        for revoked in &self.revoked {
            body.push(revoked.device.get());
            body.extend(revoked.epoch.to_be_bytes());
            body.extend(revoked.at.to_be_bytes());
            body.push(revoked.reason as u8);
        }
        body
    }

    /// From a body.
    ///
    /// # Errors
    /// Another format, too many devices, an epoch that was never given, devices out of order, times in the wrong order.
    pub fn decode(body: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(body, "device list");
        let invalid = reader.invalid();
        if reader.u8()? != FORMAT {
            return Err(invalid);
        }
        let mut list = Self {
            account: AccountId::from_bytes(reader.array()?),
            account_key: reader.array()?,
            version: reader.u64()?,
            previous: reader.array()?,
            issued: reader.u64()?,
            expires: reader.u64()?,
            issuer: device(&mut reader)?,
            highest_epoch: reader.u32()?,
            entries: Vec::new(),
            revoked: Vec::new(),
        };
        for _ in 0..reader.u8()? {
            list.entries.push(Entry {
                device: device(&mut reader)?,
                epoch: reader.u32()?,
                certificate: reader.array()?,
            });
        }
        for _ in 0..reader.u8()? {
            list.revoked.push(Revoked {
                device: device(&mut reader)?,
                epoch: reader.u32()?,
                at: reader.u64()?,
                reason: reader.u8()?.try_into()?,
            });
        }
        reader.end()?;
        if list.is_well_formed() {
            Ok(list)
        } else {
            Err(invalid)
        }
    }

    fn is_well_formed(&self) -> bool {
        let devices: Vec<_> = self.entries.iter().map(|entry| entry.device).collect();
        let revoked: Vec<_> = self.revoked.iter().map(|r| (r.device, r.epoch)).collect();
        let given = |epoch: u32| (1..=self.highest_epoch).contains(&epoch);
        let both = |entry: &Entry| revoked.contains(&(entry.device, entry.epoch));
        self.version != 0
            && (self.version == 1) == (self.previous == [0; 32])
            && self.issued < self.expires
            && devices.len() <= DEVICES_MAX
            && revoked.len() <= REVOKED_MAX
            && devices.is_sorted_by(|a, b| a < b)
            && revoked.is_sorted_by(|a, b| a < b)
            && self
                .entries
                .iter()
                .all(|entry| given(entry.epoch) && !both(entry))
            && self.revoked.iter().all(|revoked| given(revoked.epoch))
    }

    /// What the account's key signs.
    #[must_use]
    pub fn signed_by_account(body: &[u8]) -> Vec<u8> {
        signed(b"lockstep/devlist/v1", body)
    }
}

impl fmt::Debug for DeviceList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            account, version, ..
        } = self;
        let devices = self.entries.len();
        write!(
            f,
            "DeviceList({account} version {version}, {devices} devices)"
        )
    }
}

/// A list with its signature, which has not been checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedList {
    /// What is signed.
    pub list: DeviceList,
    /// By the account's key, over [`DeviceList::signed_by_account`].
    pub signature: Signature,
}

impl SignedList {
    /// Body and signature.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = self.list.encode();
        bytes.extend(self.signature);
        bytes
    }

    /// From body and signature.
    ///
    /// # Errors
    /// As [`DeviceList::decode`], or no signature.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let invalid = DecodeError::Invalid {
            field: "device list",
        };
        let (body, signature) = bytes.split_last_chunk().ok_or(invalid)?;
        Ok(Self {
            list: DeviceList::decode(body)?,
            signature: *signature,
        })
    }
}

fn device(reader: &mut Reader<'_>) -> Result<DeviceId, DecodeError> {
    DeviceId::try_from(u32::from(reader.u8()?))
}

const FORMAT: u8 = 1;
