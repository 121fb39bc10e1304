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
    identity: IdentityKeyPair,
    /// The oldest device of the person, and the newest.
    devices: (DeviceAddress, u8),
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
        let device = DeviceId::PRIMARY;
        let oldest = DeviceAddress {
            account: bob,
            device,
        };
        Self {
            relay,
            alice,
            sent: Vec::new(),
            identity,
            devices: (oldest, devices),
        }
    }

    /// The person's oldest device goes and a new one comes, of which the sender does not know. Not timed.
    pub fn replace_device(&mut self) {
        let (oldest, newest) = self.devices;
        let number = newest + 1;
        let device = DeviceId::try_from(u32::from(number)).expect("few devices");
        let address = DeviceAddress { device, ..oldest };
        let (_, keys) = Device::new(&self.identity, address, u64::from(number));
        self.relay.replace_device(oldest, keys);
        let second = DeviceId::try_from(u32::from(oldest.device) + 1).expect("few devices");
        let device = second;
        self.devices = (DeviceAddress { device, ..oldest }, number);
    }

    /// The relay says what is wrong with what was sent, gives keys, or takes it. Not timed.
    pub fn answer(&mut self) -> Vec<Vec<u8>> {
        let frames = std::mem::take(&mut self.sent);
        self.relay.answer(&mut self.alice.address, &frames)
    }

    /// The sender deals with an answer: what is different is encrypted anew. Timed. Says whether it has anything more to send.
    pub fn repair(&mut self, answer: Vec<Vec<u8>>) -> bool {
        self.sent = self.alice.hear(answer);
        !self.sent.is_empty()
    }

    /// A text of so many bytes for every device: stored, encrypted, committed. Timed.
    pub fn seal(&mut self, bytes: usize) {
        self.sent = self.alice.send("bob", text(bytes));
    }

    /// The relay takes it. Not timed. Gives the bytes of the bundle.
    pub fn carry(&mut self) -> usize {
        let Self {
            relay, alice, sent, ..
        } = self;
        let frames = std::mem::take(sent);
        let bytes = frames.iter().filter_map(|frame| bundle(frame)).sum();
        alice.settle(relay, frames);
        bytes
    }
}

/// How large a bundle is, if the frame is one.
fn bundle(frame: &[u8]) -> Option<usize> {
    match Frame::decode(frame) {
        Ok(Frame::Request(request)) if request.path == "/v1/bundles" => Some(request.body.len()),
        _ => None,
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

    #[test]
    fn a_device_that_came_meanwhile_is_found_and_only_it_gets_the_start_of_a_session() {
        let mut fan = FanOut::new(4);
        for _ in 0..3 {
            let plain = fan.sealed_again();
            fan.replace_device();
            fan.seal(200);
            let mut bundles = Vec::new();
            loop {
                bundles.extend(fan.sent.iter().filter_map(|frame| bundle(frame)));
                let answer = fan.answer();
                if !fan.repair(answer) {
                    break;
                }
            }
            assert_eq!(bundles.len(), 2, "refused once, then taken");
            assert!(
                (1_500..3_000).contains(&(bundles[1] - plain)),
                "{bundles:?}"
            );
        }
    }

    impl FanOut {
        fn sealed_again(&mut self) -> usize {
            self.seal(200);
            self.carry()
        }

        fn sealed(mut self) -> usize {
            self.seal(200);
            self.carry();
            self.seal(200);
            self.carry()
        }
    }
}
