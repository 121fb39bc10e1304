//! Two devices of bare libsignal: what a message costs without us.
//! The plaintext is what libsignal is given; there is no padding and no binding in it.

use libsignal_protocol::IdentityKeyPair;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use wire::{AccountId, DeviceAddress, DeviceId};

use crate::device::Device;

/// Two devices that have heard of each other.
pub struct Bare {
    alice: Device,
    bob: Device,
}

impl std::fmt::Debug for Bare {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Bare")
    }
}

impl Default for Bare {
    fn default() -> Self {
        Self::new()
    }
}

impl Bare {
    /// Two devices with a session that both have used.
    #[must_use]
    pub fn new() -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let address = |n| DeviceAddress {
            account: AccountId::from_bytes([n; 16]),
            device: DeviceId::PRIMARY,
        };
        let identities = [(); 2].map(|()| IdentityKeyPair::generate(&mut rng));
        let (mut alice, _) = Device::new(&identities[0], address(1), 1);
        let (bob, keys) = Device::new(&identities[1], address(2), 2);
        alice.meet(identities[1].identity_key(), bob.address, &keys);
        let mut both = Self { alice, bob };
        both.turn(b"Hello");
        both
    }

    /// One message from the one to the other.
    pub fn one_way(&mut self, text: &[u8]) {
        let Self { alice, bob } = self;
        pass(alice, bob, text);
    }

    /// One message each way: each of the two starts a new chain.
    pub fn turn(&mut self, text: &[u8]) {
        let Self { alice, bob } = self;
        pass(alice, bob, text);
        pass(bob, alice, text);
    }
}

fn pass(from: &mut Device, to: &mut Device, text: &[u8]) {
    let (kind, bytes) = from.encrypt(to.address, text);
    let opened = to.decrypt(from.address, kind, &bytes);
    assert_eq!(opened.len(), text.len(), "another text came");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bare_devices_understand_each_other() {
        let mut both = Bare::new();
        both.one_way(&[1; 200]);
        both.turn(&[1; 200]);
    }
}
