//! Ciphertexts as they come in: parsed, and past the guards that need no session.
//! Nothing in here is authenticated yet.

use libsignal_protocol::{CiphertextMessage, PreKeySignalMessage, SignalMessage};
use wire::{DeviceAddress, EnvelopeKind};

use super::PeerFault;
use crate::guard;
use crate::record::{PreKeyKind, key};
use crate::store::Table;

/// A parsed ciphertext, past the guards that need no session.
pub(crate) enum Ciphertext {
    /// Starts a session, or repeats the start of one.
    PreKey(Box<PreKeySignalMessage>),
    /// In a session that both sides know.
    Ongoing(SignalMessage),
}

impl Ciphertext {
    /// Parses and guards (V1, V4).
    pub(crate) fn parse(kind: EnvelopeKind, bytes: &[u8]) -> Result<Self, PeerFault> {
        match kind {
            EnvelopeKind::PreKey => {
                let message =
                    PreKeySignalMessage::try_from(bytes).map_err(|_| PeerFault::Unreadable)?;
                guard::pre_key_message(&message).map_err(|_| PeerFault::Unreadable)?;
                Ok(Self::PreKey(Box::new(message)))
            }
            EnvelopeKind::Ciphertext => {
                let message = SignalMessage::try_from(bytes).map_err(|_| PeerFault::Unreadable)?;
                guard::signal_message(&message).map_err(|_| PeerFault::Unreadable)?;
                Ok(Self::Ongoing(message))
            }
            EnvelopeKind::ServerReceipt | EnvelopeKind::Sealed | EnvelopeKind::Plaintext => {
                Err(PeerFault::Unreadable)
            }
        }
    }

    /// The identity key that a first message comes with.
    pub(crate) fn identity(&self) -> Option<Vec<u8>> {
        match self {
            Self::PreKey(message) => Some(message.identity_key().serialize().into_vec()),
            Self::Ongoing(_) => None,
        }
    }

    /// The records its decryption will read.
    pub(crate) fn wants(&self, from: DeviceAddress) -> Vec<(Table, Vec<u8>)> {
        let mut wants = vec![
            (Table::Sessions, key::session(from)),
            (Table::Peers, from.account.as_bytes().to_vec()),
        ];
        if let Self::PreKey(message) = self {
            for (kind, id) in pre_key_ids(message) {
                wants.push((Table::PreKeys, key::pre_key(kind, id)));
            }
            if let Some((id, base_key)) = base_key(message) {
                wants.push((Table::PreKeys, key::used_base_key(id, &base_key)));
            }
        }
        wants
    }
}

/// The keys a first message may name, of every kind it may be.
pub(super) fn pre_key_ids(
    message: &PreKeySignalMessage,
) -> impl Iterator<Item = (PreKeyKind, u32)> {
    let kyber: Option<u32> = message.kyber_pre_key_id().map(Into::into);
    [
        message
            .pre_key_id()
            .map(|id| (PreKeyKind::OneTime, id.into())),
        Some((PreKeyKind::Signed, message.signed_pre_key_id().into())),
        kyber.map(|id| (PreKeyKind::KyberOneTime, id)),
        kyber.map(|id| (PreKeyKind::KyberLastResort, id)),
    ]
    .into_iter()
    .flatten()
}

/// How many messages of its chain went before this one.
pub(super) fn counter(message: &CiphertextMessage) -> Option<u32> {
    match message {
        CiphertextMessage::SignalMessage(message) => Some(message.counter()),
        CiphertextMessage::PreKeySignalMessage(message) => Some(message.message().counter()),
        CiphertextMessage::SenderKeyMessage(_) | CiphertextMessage::PlaintextContent(_) => None,
    }
}

/// The Kyber key that a first message names, and the base key it makes its session with.
pub(super) fn base_key(message: &PreKeySignalMessage) -> Option<(u32, Vec<u8>)> {
    let id = message.kyber_pre_key_id()?;
    Some((id.into(), message.base_key().serialize().into_vec()))
}
