//! An engine that writes to one person on many devices. The devices are bare libsignal: what they do is not measured.
//! Each has answered once, so that no message carries the start of a session any more.

use libsignal_protocol::IdentityKeyPair;
use prost::Message as _;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use wire::proto::service::{Binding, Content};
use wire::{AccountId, DeviceAddress, DeviceId, Envelope, Frame};

use crate::client::Client;
use crate::device::{Device, NOW_MS};
use crate::relay::Relay;
use crate::text;

/// The sender, and what it has sent.
pub struct FanOut {
    relay: Relay,
    alice: Client,
    sent: Vec<Vec<u8>>,
}

impl std::fmt::Debug for FanOut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FanOut")
    }
}

impl FanOut {
    /// A sender with a session with each of so many devices.
    #[must_use]
    pub fn new(devices: u8) -> Self {
        let mut relay = Relay::default();
        let mut alice = Client::register(&mut relay, "alice", 1);
        let identity = IdentityKeyPair::generate(&mut ChaCha20Rng::seed_from_u64(2));
        let bob = relay.add("bob", identity.identity_key().serialize().into_vec());
        let mut many = Vec::new();
        for number in 1..=devices {
            let device = DeviceId::try_from(u32::from(number)).expect("few devices");
            let address = DeviceAddress {
                account: bob,
                device,
            };
            let (device, keys) = Device::new(&identity, address, u64::from(number));
            relay.add_device(bob, keys);
            many.push(device);
        }
        let frames = alice.send("bob", text(5));
        alice.settle(&mut relay, frames);
        let to = alice.address.expect("it has registered");
        for device in &mut many {
            let answer = answer(device, &mut relay, to);
            relay.put(to, answer);
        }
        let frames = relay.deliver(to);
        let frames = alice.hear(frames);
        alice.settle(&mut relay, frames);
        let sent = Vec::new();
        Self { relay, alice, sent }
    }

    /// A text of so many bytes for every device: stored, encrypted, committed. Timed.
    pub fn seal(&mut self, bytes: usize) {
        self.sent = self.alice.send("bob", text(bytes));
    }

    /// The relay takes it. Not timed. Gives the bytes of the bundle.
    pub fn carry(&mut self) -> usize {
        let Self { relay, alice, sent } = self;
        let frames = std::mem::take(sent);
        let bundle = |frame: &Vec<u8>| match Frame::decode(frame) {
            Ok(Frame::Request(request)) if request.path == "/v1/bundles" => request.body.len(),
            _ => 0,
        };
        let bytes = frames.iter().map(bundle).sum();
        alice.settle(relay, frames);
        bytes
    }
}

/// A device reads what came for it and answers.
fn answer(device: &mut Device, relay: &mut Relay, to: DeviceAddress) -> Envelope {
    let mut mail = relay.take(device.address);
    let Envelope { kind, content, .. } = mail.pop().expect("the first message has come");
    device.decrypt(to, kind, &content);
    let bound = bound(device, to);
    let (kind, content) = device.encrypt(to, &bound);
    Envelope {
        certified: false,
        kind,
        source: device.address,
        destination: Some(to.account),
        client_timestamp: NOW_MS,
        server_timestamp: NOW_MS,
        guid: None,
        urgent: true,
        content,
    }
}

/// A plaintext that says nothing but who it is from and for.
pub(crate) fn bound(from: &Device, to: DeviceAddress) -> Vec<u8> {
    let id = |account: AccountId| Some(account.as_bytes().to_vec());
    let content = Content {
        binding: Some(Binding {
            sender_account: id(from.address.account),
            sender_device: Some(from.address.device.into()),
            sender_epoch: Some(from.registration_id.into()),
            recipient_account: id(to.account),
            recipient_device: Some(to.device.into()),
            message_id: Some(vec![from.address.device.get(); 16]),
            ..Binding::default()
        }),
        ..Content::default()
    };
    [content.encode_to_vec(), vec![0x80]].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_sealed_for_every_device_without_the_start_of_a_session() {
        let one = FanOut::new(1).sealed();
        let many = FanOut::new(16).sealed();
        assert!((400..800).contains(&one), "{one} bytes for one device");
        assert!(
            (12 * one..16 * one).contains(&many),
            "{many} bytes for 16 devices, {one} for one"
        );
    }

    impl FanOut {
        fn sealed(mut self) -> usize {
            self.seal(200);
            self.carry();
            self.seal(200);
            self.carry()
        }
    }
}
