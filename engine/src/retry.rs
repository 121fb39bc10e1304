//! What could not be decrypted is asked for again, and is sent again when asked for: Signal's retry requests
//! (S-40..S-45), in which a device says which message it could not read and on which ratchet.
//!
//! A request is not encrypted, since encryption is what failed, so it is believed no further than this: what is
//! sent again goes to a device it was sent to before, once, and a session is renewed at most once an hour.
//! What the messages say is not known here.

mod answer;
mod ask;

use libsignal_protocol::{
    CiphertextMessageType, DecryptionErrorMessage, PlaintextContent, PublicKey, Timestamp as Time,
    extract_decryption_error_message_from_serialized_content as extract,
};
use wire::{DeviceAddress, Envelope, EnvelopeKind};

use crate::error::Error;
use crate::flat::Set;
use crate::limits::WAITING_MAX;
use crate::record::key;
use crate::store::{Scan, Table};
use crate::tx::Tx;
pub(crate) use answer::forget_sent;

/// What is waited for, by sending device and time: a copy of what the store holds, so that a message that comes
/// costs no look-up.
#[derive(Debug, Default)]
pub(crate) struct Waiting(Set<Vec<u8>>);

impl Waiting {
    /// Reads what the store holds.
    pub(crate) async fn read(tx: &mut Tx<'_>) -> Result<Self, Error> {
        let rows = tx.scan(Scan::all(Table::Waiting, WAITING_MAX)).await?;
        Ok(Self(rows.into_iter().map(|(at, _)| at).collect()))
    }

    fn has(&self, from: DeviceAddress, timestamp: u64) -> bool {
        !self.0.is_empty() && self.0.contains(&key::waiting(from, timestamp))
    }
}

/// What a device could not read.
struct Request {
    timestamp: u64,
    device: u32,
    ratchet_key: Option<PublicKey>,
}

/// The request for a message that could not be decrypted; `None` if it is not one that a session could read.
fn request_for(envelope: &Envelope) -> Option<Vec<u8>> {
    let kind = match envelope.kind {
        EnvelopeKind::Ciphertext => CiphertextMessageType::Whisper,
        EnvelopeKind::PreKey => CiphertextMessageType::PreKey,
        EnvelopeKind::ServerReceipt | EnvelopeKind::Sealed | EnvelopeKind::Plaintext => {
            return None;
        }
    };
    let request = DecryptionErrorMessage::for_original(
        &envelope.content,
        kind,
        Time::from_epoch_millis(envelope.client_timestamp),
        envelope.source.device.into(),
    );
    Some(PlaintextContent::from(request.ok()?).serialized().to_vec())
}

/// The request in a plaintext envelope.
fn parse(content: &[u8]) -> Option<Request> {
    let content = PlaintextContent::try_from(content).ok()?;
    let request = extract(content.body()).ok()?;
    Some(Request {
        timestamp: request.timestamp().epoch_millis(),
        device: request.device_id(),
        ratchet_key: request.ratchet_key().copied(),
    })
}
