//! Bundles (ours): one send for several accounts at once, accepted or refused as a whole.
//!
//! A bundle names, for each account, exactly the devices the account has; for the sender's own
//! account all but the sending one. The sender's account always counts as named: leaving it out
//! says that it has no other devices. What a device's bytes mean is not known here.

use std::collections::BTreeSet;
use std::fmt;

use prost::Message;

use crate::body::KeyId;
use crate::limits::{BUNDLE_ACCOUNTS_MAX, DEVICE_MESSAGE_MAX, DEVICES_MAX};
use crate::proto::bundle as proto;
use crate::{AccountId, DecodeError, DeviceId, EnvelopeKind, MessageId, RegistrationId};

/// One send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle {
    /// The same id from the same device is accepted again and stored once.
    pub id: MessageId,
    /// The sender's clock, ms.
    pub timestamp: u64,
    /// Whether it may wake devices.
    pub urgent: bool,
    /// The number of this sealing, counted by the device; 0: it does not count.
    pub seal: u64,
    /// It repeats something for devices that asked for it, or asks one of them: the devices that it does not name
    /// are not missed, nor are the sender's own.
    pub partial: bool,
    /// It is of use only now: devices that are not connected need not get it.
    pub online: bool,
    /// No account twice.
    pub recipients: Vec<Recipient>,
}

/// The part of a bundle for one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipient {
    /// Whose devices.
    pub account: AccountId,
    /// No device twice.
    pub messages: Vec<DeviceMessage>,
    /// Devices that the sender knows and does without, since their published keys are too old, or not
    /// certified. They get nothing and are not missed, as long as these are their keys. None of them is in `messages`.
    pub without: Vec<LeftOut>,
}

/// A device that a bundle is not for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// Which device.
    pub device: DeviceId,
    /// Which incarnation of it: another one has other keys.
    pub registration_id: RegistrationId,
    /// The signed prekey that is too old: if the device has published another one since, it is missed. None: the sender
    /// does not trust the device to speak for its account, which only one with a certificate can come to.
    pub signed_pre_key: Option<KeyId>,
}

/// The part of a bundle for one device.
#[derive(Clone, PartialEq, Eq)]
pub struct DeviceMessage {
    /// For which device.
    pub device: DeviceId,
    /// For which incarnation of it.
    pub registration_id: RegistrationId,
    /// What `content` is.
    pub kind: EnvelopeKind,
    /// Ciphertext.
    pub content: Vec<u8>,
}

impl fmt::Debug for DeviceMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            device,
            registration_id: _,
            kind,
            content,
        } = self;
        write!(
            f,
            "DeviceMessage({device} {kind:?}, {} bytes)",
            content.len()
        )
    }
}

impl Bundle {
    /// Decodes and checks a bundle.
    ///
    /// # Errors
    /// Any value out of range, an account or device named twice, more than the limits allow.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let raw = proto::Bundle::decode(bytes)?;
        if raw.recipients.len() > BUNDLE_ACCOUNTS_MAX {
            return Err(DecodeError::TooLarge {
                what: "recipients",
                limit: BUNDLE_ACCOUNTS_MAX,
            });
        }
        let mut accounts = BTreeSet::new();
        let mut recipients = Vec::with_capacity(raw.recipients.len());
        for recipient in raw.recipients {
            let recipient = Recipient::try_from(recipient)?;
            if !accounts.insert(recipient.account) {
                return Err(DecodeError::Invalid {
                    field: "recipient (named twice)",
                });
            }
            recipients.push(recipient);
        }
        Ok(Self {
            id: MessageId::from_slice(&raw.bundle_id)?,
            timestamp: raw.timestamp,
            urgent: !raw.not_urgent,
            seal: raw.seal,
            partial: raw.partial,
            online: raw.online,
            recipients,
        })
    }

    /// The bytes of a bundle.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        proto::Bundle {
            bundle_id: self.id.as_bytes().to_vec(),
            timestamp: self.timestamp,
            not_urgent: !self.urgent,
            partial: self.partial,
            online: self.online,
            seal: self.seal,
            recipients: self.recipients.iter().map(Recipient::to_proto).collect(),
        }
        .encode_to_vec()
    }

    /// The part for an account, if it is named.
    #[must_use]
    pub fn recipient(&self, account: AccountId) -> Option<&Recipient> {
        self.recipients
            .iter()
            .find(|recipient| recipient.account == account)
    }
}

impl Recipient {
    fn to_proto(&self) -> proto::Recipient {
        proto::Recipient {
            account: self.account.as_bytes().to_vec(),
            messages: self
                .messages
                .iter()
                .map(|message| proto::DeviceMessage {
                    device_id: message.device.into(),
                    registration_id: message.registration_id.into(),
                    r#type: message.kind.into(),
                    content: message.content.clone(),
                })
                .collect(),
            without: self
                .without
                .iter()
                .map(|left_out| proto::LeftOut {
                    device_id: left_out.device.into(),
                    registration_id: left_out.registration_id.into(),
                    signed_pre_key_id: left_out.signed_pre_key.map_or(0, u32::from),
                })
                .collect(),
        }
    }
}

impl TryFrom<proto::Recipient> for Recipient {
    type Error = DecodeError;

    fn try_from(raw: proto::Recipient) -> Result<Self, DecodeError> {
        if raw.messages.len().saturating_add(raw.without.len()) > DEVICES_MAX {
            return Err(DecodeError::TooLarge {
                what: "devices",
                limit: DEVICES_MAX,
            });
        }
        let mut devices = BTreeSet::new();
        let mut once = |device: DeviceId| match devices.insert(device) {
            true => Ok(()),
            false => Err(DecodeError::Invalid {
                field: "device (named twice)",
            }),
        };
        let mut messages = Vec::with_capacity(raw.messages.len());
        for message in raw.messages {
            let message = DeviceMessage::try_from(message)?;
            once(message.device)?;
            messages.push(message);
        }
        let mut without = Vec::with_capacity(raw.without.len());
        for left_out in raw.without {
            let left_out = LeftOut::try_from(left_out)?;
            once(left_out.device)?;
            without.push(left_out);
        }
        Ok(Self {
            account: AccountId::from_slice(&raw.account)?,
            messages,
            without,
        })
    }
}

impl TryFrom<proto::LeftOut> for LeftOut {
    type Error = DecodeError;

    fn try_from(raw: proto::LeftOut) -> Result<Self, DecodeError> {
        Ok(Self {
            device: raw.device_id.try_into()?,
            registration_id: raw.registration_id.try_into()?,
            signed_pre_key: match raw.signed_pre_key_id {
                0 => None,
                id => Some(id.try_into()?),
            },
        })
    }
}

impl TryFrom<proto::DeviceMessage> for DeviceMessage {
    type Error = DecodeError;

    fn try_from(raw: proto::DeviceMessage) -> Result<Self, DecodeError> {
        if raw.content.len() > DEVICE_MESSAGE_MAX {
            return Err(DecodeError::TooLarge {
                what: "content",
                limit: DEVICE_MESSAGE_MAX,
            });
        }
        Ok(Self {
            device: raw.device_id.try_into()?,
            registration_id: raw.registration_id.try_into()?,
            kind: raw.r#type.try_into()?,
            content: raw.content,
        })
    }
}

/// 200 of `PUT /v1/bundles`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BundleAccepted {
    /// When the relay took it, ms.
    pub server_timestamp: u64,
}

impl BundleAccepted {
    /// Decodes the body.
    ///
    /// # Errors
    /// Not the message.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let proto::BundleAccepted { server_timestamp } = proto::BundleAccepted::decode(bytes)?;
        Ok(Self { server_timestamp })
    }

    /// The body.
    #[must_use]
    pub fn encode(self) -> Vec<u8> {
        proto::BundleAccepted {
            server_timestamp: self.server_timestamp,
        }
        .encode_to_vec()
    }
}

/// 409 of `PUT /v1/bundles`: what is wrong with the device set of one account. Nothing was stored.
/// No device is in two of the lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountMismatch {
    /// Whose devices.
    pub account: AccountId,
    /// Devices of the account that were not named.
    pub missing: Vec<DeviceId>,
    /// Named, but not devices of the account.
    pub extra: Vec<DeviceId>,
    /// Named with the registration id of an earlier incarnation.
    pub stale: Vec<DeviceId>,
    /// There is no such account.
    pub gone: bool,
}

impl AccountMismatch {
    /// Decodes the body: one entry for each account with something wrong, at least one.
    ///
    /// # Errors
    /// Any value out of range, an account or device named twice, or no entry.
    pub fn decode_all(bytes: &[u8]) -> Result<Vec<Self>, DecodeError> {
        let raw = proto::BundleMismatch::decode(bytes)?;
        if raw.accounts.is_empty() || raw.accounts.len() > BUNDLE_ACCOUNTS_MAX + 1 {
            return Err(DecodeError::Invalid {
                field: "mismatched accounts",
            });
        }
        let mut accounts = BTreeSet::new();
        let mut mismatches = Vec::with_capacity(raw.accounts.len());
        for mismatch in raw.accounts {
            let mismatch = Self::try_from(mismatch)?;
            if !accounts.insert(mismatch.account) {
                return Err(DecodeError::Invalid {
                    field: "mismatched account (named twice)",
                });
            }
            mismatches.push(mismatch);
        }
        Ok(mismatches)
    }

    /// The body.
    #[must_use]
    pub fn encode_all(mismatches: &[Self]) -> Vec<u8> {
        let ids = |devices: &[DeviceId]| devices.iter().map(|d| u32::from(*d)).collect();
        proto::BundleMismatch {
            accounts: mismatches
                .iter()
                .map(|m| proto::AccountMismatch {
                    account: m.account.as_bytes().to_vec(),
                    missing: ids(&m.missing),
                    extra: ids(&m.extra),
                    stale: ids(&m.stale),
                    gone: m.gone,
                })
                .collect(),
        }
        .encode_to_vec()
    }
}

impl TryFrom<proto::AccountMismatch> for AccountMismatch {
    type Error = DecodeError;

    fn try_from(raw: proto::AccountMismatch) -> Result<Self, DecodeError> {
        let mut named = BTreeSet::new();
        let mut ids = |devices: Vec<u32>| -> Result<Vec<DeviceId>, DecodeError> {
            let mut checked = Vec::with_capacity(devices.len().min(DEVICES_MAX));
            for device in devices {
                let device = DeviceId::try_from(device)?;
                if !named.insert(device) {
                    return Err(DecodeError::Invalid {
                        field: "mismatched device (named twice)",
                    });
                }
                checked.push(device);
            }
            Ok(checked)
        };
        Ok(Self {
            account: AccountId::from_slice(&raw.account)?,
            missing: ids(raw.missing)?,
            extra: ids(raw.extra)?,
            stale: ids(raw.stale)?,
            gone: raw.gone,
        })
    }
}
