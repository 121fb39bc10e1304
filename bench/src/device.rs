//! A device that is bare libsignal over its own memory stores: no engine, no records, no guards.
//! It is the peer whose devices are only needed to be many, and the yardstick of `Bare`.

use std::time::{Duration, SystemTime};

use futures_util::FutureExt;
use libsignal_protocol::kem;
use libsignal_protocol::{
    CiphertextMessage, CiphertextMessageType, GenericSignedPreKey, IdentityKey, IdentityKeyPair,
    InMemSignalProtocolStore, KeyPair, KyberPreKeyRecord, KyberPreKeyStore, PreKeyBundle,
    PreKeySignalMessage, ProtocolAddress, PublicKey, SignalMessage, SignalProtocolError,
    SignedPreKeyRecord, SignedPreKeyStore, Timestamp,
};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use wire::body::{Base64, DevicePreKeys, KeyId, SignedPreKey};
use wire::{DeviceAddress, EnvelopeKind, RegistrationId};

/// When everything here happens.
pub(crate) const NOW_MS: u64 = 1_800_000_000_000;
const KEY_ID: u32 = 1;

/// One device.
pub(crate) struct Device {
    pub(crate) address: DeviceAddress,
    pub(crate) registration_id: RegistrationId,
    store: InMemSignalProtocolStore,
    rng: ChaCha20Rng,
}

impl Device {
    /// With its account's identity key, and what it publishes.
    pub(crate) fn new(
        identity: &IdentityKeyPair,
        address: DeviceAddress,
        seed: u64,
    ) -> (Self, DevicePreKeys) {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let registration_id = RegistrationId::from_random(u16::from(address.device.get()));
        let mut store = InMemSignalProtocolStore::new(*identity, registration_id.into())
            .expect("a store can be made");
        let signed = signed_key(identity, &mut store, &mut rng);
        let kyber = kyber_key(identity, &mut store, &mut rng);
        let keys = DevicePreKeys {
            certificate: None,
            device_id: address.device,
            registration_id,
            signed_pre_key: signed,
            pre_key: None,
            pq_pre_key: kyber,
        };
        let device = Self {
            address,
            registration_id,
            store,
            rng,
        };
        (device, keys)
    }

    /// Starts a session from what another device has published.
    pub(crate) fn meet(
        &mut self,
        identity: &IdentityKey,
        address: DeviceAddress,
        keys: &DevicePreKeys,
    ) {
        let public = |bytes: &[u8]| PublicKey::deserialize(bytes).expect("published keys are keys");
        let kyber = kem::PublicKey::deserialize(&keys.pq_pre_key.public_key.0);
        let bundle = PreKeyBundle::new(
            keys.registration_id.into(),
            signal_device(address),
            None,
            u32::from(keys.signed_pre_key.key_id).into(),
            public(&keys.signed_pre_key.public_key.0),
            keys.signed_pre_key.signature.0.clone(),
            u32::from(keys.pq_pre_key.key_id).into(),
            kyber.expect("published keys are keys"),
            keys.pq_pre_key.signature.0.clone(),
            *identity,
        );
        libsignal_protocol::process_prekey_bundle(
            &protocol_address(address),
            &mut self.store.session_store,
            &mut self.store.identity_store,
            &bundle.expect("the keys fit together"),
            now(),
            &mut self.rng,
        )
        .now_or_never()
        .expect("memory never waits")
        .expect("published keys start a session");
    }

    pub(crate) fn encrypt(&mut self, to: DeviceAddress, text: &[u8]) -> (EnvelopeKind, Vec<u8>) {
        let message = libsignal_protocol::message_encrypt(
            text,
            &protocol_address(to),
            &mut self.store.session_store,
            &mut self.store.identity_store,
            now(),
            &mut self.rng,
        )
        .now_or_never()
        .expect("memory never waits")
        .expect("there is a session");
        let kind = if message.message_type() == CiphertextMessageType::PreKey {
            EnvelopeKind::PreKey
        } else {
            EnvelopeKind::Ciphertext
        };
        (kind, message.serialize().to_vec())
    }

    pub(crate) fn decrypt(
        &mut self,
        from: DeviceAddress,
        kind: EnvelopeKind,
        bytes: &[u8],
    ) -> Vec<u8> {
        let opened = self.try_decrypt(from, kind, bytes);
        opened.expect("the other side is ours")
    }

    /// The same for what may be forged.
    pub(crate) fn try_decrypt(
        &mut self,
        from: DeviceAddress,
        kind: EnvelopeKind,
        bytes: &[u8],
    ) -> Result<Vec<u8>, SignalProtocolError> {
        let message = if kind == EnvelopeKind::PreKey {
            PreKeySignalMessage::try_from(bytes).map(CiphertextMessage::PreKeySignalMessage)
        } else {
            SignalMessage::try_from(bytes).map(CiphertextMessage::SignalMessage)
        };
        libsignal_protocol::message_decrypt(
            &message.expect("the other side is ours"),
            &protocol_address(from),
            &mut self.store.session_store,
            &mut self.store.identity_store,
            &mut self.store.pre_key_store,
            &self.store.signed_pre_key_store,
            &mut self.store.kyber_pre_key_store,
            &mut self.rng,
        )
        .now_or_never()
        .expect("memory never waits")
    }
}

fn signed_key(
    identity: &IdentityKeyPair,
    store: &mut InMemSignalProtocolStore,
    rng: &mut ChaCha20Rng,
) -> SignedPreKey {
    let pair = KeyPair::generate(rng);
    let public = pair.public_key.serialize();
    let signature = sign(identity, &public, rng);
    let record = SignedPreKeyRecord::new(KEY_ID.into(), made_at(), &pair, &signature);
    let saved = store
        .signed_pre_key_store
        .save_signed_pre_key(KEY_ID.into(), &record);
    saved
        .now_or_never()
        .expect("memory never waits")
        .expect("memory takes it");
    published(&public, &signature)
}

fn kyber_key(
    identity: &IdentityKeyPair,
    store: &mut InMemSignalProtocolStore,
    rng: &mut ChaCha20Rng,
) -> SignedPreKey {
    let pair = kem::KeyPair::generate(kem::KeyType::Kyber1024, rng);
    let public = pair.public_key.serialize();
    let signature = sign(identity, &public, rng);
    let record = KyberPreKeyRecord::new(KEY_ID.into(), made_at(), &pair, &signature);
    let saved = store
        .kyber_pre_key_store
        .save_kyber_pre_key(KEY_ID.into(), &record);
    saved
        .now_or_never()
        .expect("memory never waits")
        .expect("memory takes it");
    published(&public, &signature)
}

fn sign(identity: &IdentityKeyPair, public: &[u8], rng: &mut ChaCha20Rng) -> Box<[u8]> {
    let signature = identity.private_key().calculate_signature(public, rng);
    signature.expect("an own key signs")
}

fn published(public: &[u8], signature: &[u8]) -> SignedPreKey {
    SignedPreKey {
        key_id: KeyId::try_from(KEY_ID).expect("1 is an id"),
        public_key: Base64(public.to_vec()),
        signature: Base64(signature.to_vec()),
    }
}

fn protocol_address(address: DeviceAddress) -> ProtocolAddress {
    ProtocolAddress::new(address.account.to_string(), signal_device(address))
}

fn signal_device(address: DeviceAddress) -> libsignal_protocol::DeviceId {
    let device = address.device.get().try_into();
    device.expect("our device ids are a part of theirs")
}

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(NOW_MS)
}

fn made_at() -> Timestamp {
    Timestamp::from_epoch_millis(NOW_MS)
}
