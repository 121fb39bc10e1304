//! What one forged message costs: an engine and a bare libsignal device with the same sessions with one peer, and
//! messages in that peer's name with a counter and a ratchet key of the forger's choice.
//! Neither can be read; the question is what is done before that is found out (V3).

use libsignal_protocol::{IdentityKey, IdentityKeyPair, KeyPair, SignalMessage};
use prost::Message;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use wire::{DeviceAddress, DeviceId, Envelope, EnvelopeKind};

use crate::client::Client;
use crate::device::{Device, NOW_MS};
use crate::fan_out::bound;
use crate::relay::Relay;

/// An engine, a bare device, and the peer that both have sessions with.
pub struct Forged {
    relay: Relay,
    engine: Client,
    bare: Device,
    peer: Device,
    rng: ChaCha20Rng,
}

impl std::fmt::Debug for Forged {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Forged")
    }
}

impl Forged {
    /// So many sessions, one after the other: all but the last are archived.
    #[must_use]
    pub fn new(states: u8) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(7);
        let mut relay = Relay::default();
        let engine = Client::register(&mut relay, "alice", 1);
        let identity = IdentityKeyPair::generate(&mut rng);
        let account = relay.add("bob", identity.identity_key().serialize().into_vec());
        let address = |account| DeviceAddress {
            account,
            device: DeviceId::PRIMARY,
        };
        let (peer, keys) = Device::new(&identity, address(account), 1);
        relay.add_device(account, keys);
        let own = IdentityKeyPair::generate(&mut rng);
        let carol = relay.add("carol", own.identity_key().serialize().into_vec());
        let (bare, bare_keys) = Device::new(&own, address(carol), 2);
        let mut scene = Self {
            relay,
            engine,
            bare,
            peer,
            rng,
        };
        for _ in 0..states {
            let to = scene.engine.address.expect("it has registered");
            let (identity, keys) = scene.relay.published(to);
            let identity = IdentityKey::decode(&identity).expect("it is a key");
            scene.peer.meet(&identity, to, &keys);
            let text = bound(&scene.peer, to);
            let (kind, content) = scene.peer.encrypt(to, &text);
            scene.deliver(kind, content);
            let to = scene.bare.address;
            scene.peer.meet(own.identity_key(), to, &bare_keys);
            let (kind, content) = scene.peer.encrypt(to, b"hello");
            scene.bare.decrypt(scene.peer.address, kind, &content);
        }
        scene
    }

    /// The engine is given a forged message with this counter. Timed.
    pub fn engine(&mut self, counter: u32) {
        let content = self.forge(counter);
        self.deliver(EnvelopeKind::Ciphertext, content);
    }

    /// The same for bare libsignal. Timed.
    pub fn bare(&mut self, counter: u32) {
        let content = self.forge(counter);
        let from = self.peer.address;
        let opened = self
            .bare
            .try_decrypt(from, EnvelopeKind::Ciphertext, &content);
        assert!(opened.is_err(), "a forged message was believed");
    }

    fn deliver(&mut self, kind: EnvelopeKind, content: Vec<u8>) {
        let to = self.engine.address.expect("it has registered");
        let envelope = Envelope {
            certified: false,
            kind,
            source: self.peer.address,
            destination: Some(to.account),
            client_timestamp: NOW_MS,
            server_timestamp: NOW_MS,
            guid: None,
            urgent: true,
            content,
        };
        self.relay.put(to, envelope);
        let frames = self.relay.deliver(to);
        let sent = self.engine.hear(frames);
        assert!(!sent.is_empty(), "an envelope was not acked");
    }

    /// A message on a chain that nobody knows, as anybody can make it.
    fn forge(&mut self, counter: u32) -> Vec<u8> {
        let key = KeyPair::generate(&mut self.rng).public_key;
        let body = Structure {
            ratchet_key: key.serialize().into_vec(),
            counter: Some(counter),
            previous_counter: Some(0),
            ciphertext: vec![0x5A; 160],
        };
        const VERSION: u8 = 0x44;
        let content = [&[VERSION][..], &body.encode_to_vec(), &[0; 8]].concat();
        let parsed = SignalMessage::try_from(content.as_slice());
        assert!(parsed.is_ok(), "it looks like a message");
        content
    }
}

/// libsignal's `SignalMessage`.
#[derive(Clone, PartialEq, Message)]
struct Structure {
    #[prost(bytes = "vec", tag = "1")]
    ratchet_key: Vec<u8>,
    #[prost(uint32, optional, tag = "2")]
    counter: Option<u32>,
    #[prost(uint32, optional, tag = "3")]
    previous_counter: Option<u32>,
    #[prost(bytes = "vec", tag = "4")]
    ciphertext: Vec<u8>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forged_messages_are_refused_by_both() {
        let mut scene = Forged::new(3);
        for counter in [0, 100, 1_000, 3_000] {
            scene.engine(counter);
            scene.bare(counter);
        }
    }
}
