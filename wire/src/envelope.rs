//! An envelope: one ciphertext on its way from a mailbox to its device.
//!
//! The sender in it is what the relay claims; only what the ciphertext says after decryption counts.
//! Binary ids are written; string ids are read too, since both are in use.

use std::fmt;

use prost::Message;

use crate::proto::service as proto;
use crate::{AccountId, DecodeError, DeviceAddress, DeviceId};

/// What the content of an envelope is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EnvelopeKind {
    /// A `SignalMessage`: both sides know the session.
    Ciphertext,
    /// A `PreKeySignalMessage`: carries what starts a session.
    PreKey,
    /// From the server, without content.
    ServerReceipt,
    /// Sealed sender; we don't send it.
    Sealed,
    /// Unencrypted; only decryption-error messages.
    Plaintext,
}

impl TryFrom<u32> for EnvelopeKind {
    type Error = DecodeError;

    fn try_from(n: u32) -> Result<Self, DecodeError> {
        Ok(match n {
            1 => Self::Ciphertext,
            3 => Self::PreKey,
            5 => Self::ServerReceipt,
            6 => Self::Sealed,
            8 => Self::Plaintext,
            _ => {
                return Err(DecodeError::Invalid {
                    field: "envelope type",
                });
            }
        })
    }
}

impl From<EnvelopeKind> for u32 {
    fn from(kind: EnvelopeKind) -> Self {
        match kind {
            EnvelopeKind::Ciphertext => 1,
            EnvelopeKind::PreKey => 3,
            EnvelopeKind::ServerReceipt => 5,
            EnvelopeKind::Sealed => 6,
            EnvelopeKind::Plaintext => 8,
        }
    }
}

/// One ciphertext for one device.
#[derive(Clone, PartialEq, Eq)]
pub struct Envelope {
    /// What the content is.
    pub kind: EnvelopeKind,
    /// Who sent it, as the relay claims.
    pub source: DeviceAddress,
    /// For which account, if the relay says. A phone-number id says nothing.
    pub destination: Option<AccountId>,
    /// The sender's clock, ms.
    pub client_timestamp: u64,
    /// The relay's clock, ms.
    pub server_timestamp: u64,
    /// Made by the relay for this envelope; a plain Signal test server gives none.
    pub guid: Option<[u8; 16]>,
    /// Whether it may wake the device.
    pub urgent: bool,
    /// The relay's hint that the sending device has a key of its own (ours). What that is worth, its certificate says.
    pub certified: bool,
    /// Ciphertext.
    pub content: Vec<u8>,
}

impl Envelope {
    /// Decodes an envelope.
    ///
    /// # Errors
    /// Unknown type, no sender, ids or numbers out of range.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let raw = proto::Envelope::decode(bytes)?;
        let kind = u32::try_from(raw.r#type.unwrap_or(0)).map_err(|_| DecodeError::Invalid {
            field: "envelope type",
        })?;
        let source = account(raw.source_service_id_binary, raw.source_service_id)?.ok_or(
            DecodeError::Missing {
                field: "envelope source",
            },
        )?;
        let device = DeviceId::try_from(raw.source_device_id.unwrap_or(1))?;
        Ok(Self {
            kind: kind.try_into()?,
            source: DeviceAddress {
                account: source,
                device,
            },
            destination: account(
                raw.destination_service_id_binary,
                raw.destination_service_id,
            )
            .unwrap_or(None),
            client_timestamp: raw.client_timestamp.unwrap_or(0),
            server_timestamp: raw.server_timestamp.unwrap_or(0),
            guid: guid(raw.server_guid_binary, raw.server_guid)?,
            urgent: raw.urgent.unwrap_or(true),
            certified: raw.certified.unwrap_or(false),
            content: raw.content.unwrap_or_default(),
        })
    }

    /// The bytes of an envelope.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let kind = i32::try_from(u32::from(self.kind)).unwrap_or(0);
        proto::Envelope {
            r#type: Some(kind),
            client_timestamp: Some(self.client_timestamp),
            source_device_id: Some(self.source.device.into()),
            content: (!self.content.is_empty()).then(|| self.content.clone()),
            server_timestamp: Some(self.server_timestamp),
            urgent: Some(self.urgent),
            certified: self.certified.then_some(true),
            source_service_id_binary: Some(self.source.account.as_bytes().to_vec()),
            destination_service_id_binary: self.destination.map(|id| id.as_bytes().to_vec()),
            server_guid_binary: self.guid.map(|guid| guid.to_vec()),
            ..proto::Envelope::default()
        }
        .encode_to_vec()
    }
}

impl fmt::Debug for Envelope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Envelope({:?} from {}, {} bytes)",
            self.kind,
            self.source,
            self.content.len()
        )
    }
}

fn account(
    binary: Option<Vec<u8>>,
    text: Option<String>,
) -> Result<Option<AccountId>, DecodeError> {
    match (binary, text) {
        (Some(bytes), _) => AccountId::from_slice(&bytes).map(Some),
        (None, Some(text)) => text.parse().map(Some),
        (None, None) => Ok(None),
    }
}

fn guid(binary: Option<Vec<u8>>, text: Option<String>) -> Result<Option<[u8; 16]>, DecodeError> {
    let invalid = DecodeError::Invalid {
        field: "server guid",
    };
    match (binary, text) {
        (Some(bytes), _) => bytes.try_into().map(Some).map_err(|_| invalid),
        (None, Some(text)) => uuid::Uuid::try_parse(&text)
            .map(|id| Some(id.into_bytes()))
            .map_err(|_| invalid),
        (None, None) => Ok(None),
    }
}
