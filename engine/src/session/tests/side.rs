//! A device with an account, a memory store and a clock of its own, and real sessions on them.
//! No test is in here.

use futures_util::FutureExt as _;
use libsignal_protocol::IdentityKeyPair;
use rand::SeedableRng as _;
use rand_chacha::ChaCha20Rng;
use wire::body::DevicePreKeys;
use wire::{DeviceAddress, EnvelopeKind};

use super::super::{Ciphertext, Incarnation, PeerFault, Sessions};
use crate::account::{Account, new_device, published_keys};
use crate::input::Timestamp;
use crate::record::{AccountRecord, ClockRecord, SessionsRecord, key};
use crate::store::Store as _;
use crate::store::memory::MemoryStore;
use crate::tx::Tx;

/// A device, its store and its clock.
pub(super) struct Side {
    pub(super) account: Account,
    pub(super) store: MemoryStore,
    pub(super) rng: ChaCha20Rng,
    pub(super) now: Timestamp,
}

pub(super) fn wait<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().unwrap()
}

impl Side {
    pub(super) fn new(number: u8) -> Self {
        let mut rng = ChaCha20Rng::from_seed([number; 32]);
        let identity = IdentityKeyPair::generate(&mut rng);
        Self::with_identity(number, 1, &identity)
    }

    pub(super) fn with_identity(number: u8, device: u32, identity: &IdentityKeyPair) -> Self {
        let mut rng = ChaCha20Rng::from_seed([number; 32]);
        let mut store = MemoryStore::new();
        let now = Timestamp(1_800_000_000_000);
        let reader = store.clone();
        let mut tx = Tx::new(&reader, now);
        let mut clock = ClockRecord {
            next_key: 100 * u32::from(number),
            ..ClockRecord::default()
        };
        let mut record: AccountRecord =
            new_device(&mut tx, &mut clock, identity, String::new(), &mut rng).unwrap();
        record.account = vec![number; 16];
        record.device = device;
        wait(store.commit(&tx.finish().0)).unwrap();
        Self {
            account: Account::read(record).unwrap(),
            store,
            rng,
            now,
        }
    }

    pub(super) fn address(&self) -> DeviceAddress {
        self.account.address
    }

    pub(super) fn incarnation(&self) -> Incarnation {
        Incarnation {
            address: self.address(),
            epoch: self.account.registration_id.into(),
        }
    }

    pub(super) fn keys(&self) -> DevicePreKeys {
        let mut tx = Tx::new(&self.store, self.now);
        let record = &self.account.record;
        let keys = published_keys(&mut tx, record.signed_pre_key, record.last_resort_key);
        let (signed_pre_key, pq_pre_key) = wait(keys).unwrap();
        DevicePreKeys {
            certificate: None,
            device_id: self.address().device,
            registration_id: self.account.registration_id,
            signed_pre_key,
            pre_key: None,
            pq_pre_key,
        }
    }

    /// One step on loaded sessions, committed.
    pub(super) fn step<T>(
        &mut self,
        with: DeviceAddress,
        f: impl FnOnce(&mut Sessions, &mut ChaCha20Rng) -> T,
    ) -> T {
        let reader = self.store.clone();
        let mut tx = Tx::new(&reader, self.now);
        let mut sessions = Sessions::new(&self.account);
        wait(sessions.load(&mut tx, with)).unwrap();
        let result = f(&mut sessions, &mut self.rng);
        wait(sessions.store(&mut tx)).unwrap();
        wait(self.store.commit(&tx.finish().0)).unwrap();
        result
    }

    pub(super) fn meet(&mut self, other: &Self) {
        let identity = other.account.identity.identity_key().serialize();
        let (keys, now) = (other.keys(), self.now);
        self.step(other.address(), |sessions, rng| {
            sessions
                .establish(other.address(), &identity, &keys, now, rng)
                .unwrap();
        });
    }

    pub(super) fn send(&mut self, to: Incarnation) -> (EnvelopeKind, Vec<u8>) {
        let now = self.now;
        self.step(to.address, |sessions, rng| {
            sessions.encrypt(to, b"text", now, rng).unwrap()
        })
    }

    pub(super) fn receive(
        &mut self,
        from: DeviceAddress,
        sent: &(EnvelopeKind, Vec<u8>),
    ) -> Result<Incarnation, PeerFault> {
        let ciphertext = Ciphertext::parse(sent.0, &sent.1)?;
        let reader = self.store.clone();
        let mut tx = Tx::new(&reader, self.now);
        let mut sessions = Sessions::new(&self.account);
        wait(sessions.load(&mut tx, from)).unwrap();
        if let Ciphertext::PreKey(message) = &ciphertext {
            wait(sessions.load_pre_keys(&mut tx, message)).unwrap();
        }
        let accept = |padded: Vec<u8>, _| {
            (padded == b"text")
                .then_some(())
                .ok_or(PeerFault::Unreadable)
        };
        let result = sessions.decrypt(from, &ciphertext, self.now, &mut self.rng, accept);
        wait(sessions.store(&mut tx)).unwrap();
        wait(self.store.commit(&tx.finish().0)).unwrap();
        result.map(|((), from)| from)
    }

    pub(super) fn can_send(&mut self, to: Incarnation) -> bool {
        let now = self.now;
        self.step(to.address, |sessions, _| sessions.can_encrypt(to, now))
    }

    /// Changes the stored libsignal record behind the engine's back.
    pub(super) fn edit(&mut self, with: DeviceAddress, edit: impl FnOnce(&mut SessionsRecord)) {
        let reader = self.store.clone();
        let mut tx = Tx::new(&reader, self.now);
        let mut record: SessionsRecord = wait(tx.get(&key::session(with))).unwrap().unwrap();
        edit(&mut record);
        tx.put(&key::session(with), &record);
        wait(self.store.commit(&tx.finish().0)).unwrap();
    }
}

/// Alice and Bob after a message each way.
pub(super) fn talking() -> (Side, Side) {
    let (mut alice, mut bob) = (Side::new(1), Side::new(2));
    alice.meet(&bob);
    round(&mut alice, &mut bob);
    (alice, bob)
}

pub(super) fn round(alice: &mut Side, bob: &mut Side) {
    let first = alice.send(bob.incarnation());
    bob.receive(alice.address(), &first).unwrap();
    let answer = bob.send(alice.incarnation());
    alice.receive(bob.address(), &answer).unwrap();
}
