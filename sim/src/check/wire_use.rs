//! One ratchet position, one ciphertext: what clients put on the wire, told by the ratchet key and counter in
//! the clear header of each message (T9). It can't decrypt and need not.

use std::collections::BTreeMap;

use libsignal_protocol::{PreKeySignalMessage, SignalMessage};
use wire::bundle::{Bundle, DeviceMessage};
use wire::{AccountId, DeviceId, EnvelopeKind, Frame};

use super::{Check, Violation};
use crate::ClientId;

/// A sending ratchet key, and the counter in its chain. The key is random: nobody else has the same.
type Position = (Vec<u8>, u32);
/// Who wrote, to whom, and what.
type Use = (ClientId, (AccountId, DeviceId), Vec<u8>);

/// The positions used so far.
#[derive(Debug, Default)]
pub(crate) struct WireUse {
    positions: BTreeMap<Position, Use>,
}

impl WireUse {
    /// Takes note of a frame on its way to the relay.
    pub(crate) fn note(&mut self, by: ClientId, frame: &[u8]) -> Vec<Violation> {
        let Ok(Frame::Request(request)) = Frame::decode(frame) else {
            return Vec::new();
        };
        if request.path != "/v1/bundles" {
            return Vec::new();
        }
        let Ok(bundle) = Bundle::decode(&request.body) else {
            return vec![violation(by, "sent a bundle that does not decode")];
        };
        let mut violations = Vec::new();
        for recipient in &bundle.recipients {
            for message in &recipient.messages {
                let to = (recipient.account, message.device);
                violations.extend(self.note_message(by, to, message));
            }
        }
        violations
    }

    fn note_message(
        &mut self,
        by: ClientId,
        to: (AccountId, DeviceId),
        message: &DeviceMessage,
    ) -> Option<Violation> {
        if message.kind == EnvelopeKind::Plaintext {
            return None; // a request to send again, which no ratchet seals
        }
        let Some((position, ciphertext)) = position(message) else {
            return Some(violation(by, "sent a ciphertext that does not parse"));
        };
        let now = (by, to, ciphertext);
        let before = self
            .positions
            .entry(position)
            .or_insert_with(|| now.clone());
        (*before != now).then(|| violation(by, "used a ratchet position for two plaintexts"))
    }
}

fn violation(by: ClientId, what: &str) -> Violation {
    Violation {
        check: Check::Ratchet,
        what: format!("browser {} {what}", by.0),
    }
}

fn position(message: &DeviceMessage) -> Option<(Position, Vec<u8>)> {
    let of = |inner: &SignalMessage| {
        let key = inner.sender_ratchet_key().serialize().into_vec();
        ((key, inner.counter()), inner.serialized().to_vec())
    };
    match message.kind {
        EnvelopeKind::Ciphertext => {
            let inner = SignalMessage::try_from(message.content.as_slice()).ok()?;
            Some(of(&inner))
        }
        EnvelopeKind::PreKey => {
            let outer = PreKeySignalMessage::try_from(message.content.as_slice()).ok()?;
            Some(of(outer.message()))
        }
        EnvelopeKind::ServerReceipt | EnvelopeKind::Sealed | EnvelopeKind::Plaintext => None,
    }
}
