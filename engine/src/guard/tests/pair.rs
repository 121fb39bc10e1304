//! A real session between two sides with libsignal's memory stores, and messages rebuilt as an
//! attacker on the way would. No test is in here.

use std::time::SystemTime;

use futures_util::FutureExt as _;
use libsignal_protocol::{
    CiphertextMessage, DeviceId, GenericSignedPreKey as _, IdentityKeyPair, IdentityKeyStore as _,
    InMemSignalProtocolStore, KeyPair, KyberPayload, KyberPreKeyRecord, KyberPreKeyStore as _,
    PreKeyBundle, PreKeyRecord, PreKeyStore as _, ProtocolAddress, SignalProtocolError,
    SignedPreKeyRecord, SignedPreKeyStore as _, Timestamp, message_decrypt, message_encrypt,
    process_prekey_bundle,
};
use prost::Message as _;
use rand_chacha::ChaCha20Rng;

use super::super::{IdentityKey, PreKeySignalMessage, PublicKey, SignalMessage, kem};
use super::rng;

/// One side of a session.
pub(super) struct Side {
    store: InMemSignalProtocolStore,
    peer: ProtocolAddress,
    rng: ChaCha20Rng,
}

impl Side {
    fn new(peer: &str, seed: u64) -> Self {
        let mut rng = rng(seed);
        let identity = IdentityKeyPair::generate(&mut rng);
        let store = InMemSignalProtocolStore::new(identity, 42).unwrap();
        Self {
            store,
            peer: ProtocolAddress::new(peer.to_owned(), device()),
            rng,
        }
    }

    pub(super) fn encrypt(&mut self, text: &[u8]) -> CiphertextMessage {
        let Self { store, peer, rng } = self;
        let (sessions, identities) = (&mut store.session_store, &mut store.identity_store);
        message_encrypt(
            text,
            peer,
            sessions,
            identities,
            SystemTime::UNIX_EPOCH,
            rng,
        )
        .now_or_never()
        .unwrap()
        .unwrap()
    }

    pub(super) fn decrypt(
        &mut self,
        message: &CiphertextMessage,
    ) -> Result<Vec<u8>, SignalProtocolError> {
        let Self { store, peer, rng } = self;
        message_decrypt(
            message,
            peer,
            &mut store.session_store,
            &mut store.identity_store,
            &mut store.pre_key_store,
            &store.signed_pre_key_store,
            &mut store.kyber_pre_key_store,
            rng,
        )
        .now_or_never()
        .unwrap()
    }

    /// Makes prekeys, keeps the private halves, and returns what a stranger gets.
    fn publish(&mut self) -> PreKeyBundle {
        let Self {
            store,
            peer: _,
            rng,
        } = self;
        let identity = store
            .identity_store
            .get_identity_key_pair()
            .now_or_never()
            .unwrap()
            .unwrap();
        let (one_time, signed) = (KeyPair::generate(rng), KeyPair::generate(rng));
        let kyber = kem::KeyPair::generate(kem::KeyType::Kyber1024, rng);
        let mut sign = |bytes: &[u8]| {
            identity
                .private_key()
                .calculate_signature(bytes, rng)
                .unwrap()
                .into_vec()
        };
        let signed_signature = sign(&signed.public_key.serialize());
        let kyber_signature = sign(&kyber.public_key.serialize());
        let time = Timestamp::from_epoch_millis(0);
        let id = 1.into();
        let record = PreKeyRecord::new(id, &one_time);
        store
            .pre_key_store
            .save_pre_key(id, &record)
            .now_or_never()
            .unwrap()
            .unwrap();
        let id = 1.into();
        let record = SignedPreKeyRecord::new(id, time, &signed, &signed_signature);
        store
            .signed_pre_key_store
            .save_signed_pre_key(id, &record)
            .now_or_never()
            .unwrap()
            .unwrap();
        let id = 1.into();
        let record = KyberPreKeyRecord::new(id, time, &kyber, &kyber_signature);
        store
            .kyber_pre_key_store
            .save_kyber_pre_key(id, &record)
            .now_or_never()
            .unwrap()
            .unwrap();
        PreKeyBundle::new(
            42,
            device(),
            Some((1.into(), one_time.public_key)),
            1.into(),
            signed.public_key,
            signed_signature,
            1.into(),
            kyber.public_key,
            kyber_signature,
            *identity.identity_key(),
        )
        .unwrap()
    }
}

/// Alice, who has a session with Bob that he does not know of yet.
pub(super) fn pair(seed: u64) -> (Side, Side) {
    let (mut alice, mut bob) = (
        Side::new("bob", 1000 + seed),
        Side::new("alice", 2000 + seed),
    );
    let bundle = bob.publish();
    let Side { store, peer, rng } = &mut alice;
    let (sessions, identities) = (&mut store.session_store, &mut store.identity_store);
    process_prekey_bundle(
        peer,
        sessions,
        identities,
        &bundle,
        SystemTime::UNIX_EPOCH,
        rng,
    )
    .now_or_never()
    .unwrap()
    .unwrap();
    (alice, bob)
}

/// The protobuf inside a `SignalMessage`.
#[derive(Clone, PartialEq, prost::Message)]
struct RawMessage {
    #[prost(bytes = "vec", optional, tag = "1")]
    ratchet_key: Option<Vec<u8>>,
    #[prost(uint32, optional, tag = "2")]
    counter: Option<u32>,
    #[prost(uint32, optional, tag = "3")]
    previous_counter: Option<u32>,
    #[prost(bytes = "vec", optional, tag = "4")]
    ciphertext: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "5")]
    pq_ratchet: Option<Vec<u8>>,
}

fn tampered(message: &SignalMessage, tamper: impl FnOnce(&mut RawMessage)) -> SignalMessage {
    let bytes = message.serialized();
    let (version, rest) = bytes.split_first().unwrap();
    let (body, mac) = rest.split_at(rest.len() - 8);
    let mut raw = RawMessage::decode(body).unwrap();
    tamper(&mut raw);
    let bytes = [&[*version], raw.encode_to_vec().as_slice(), mac].concat();
    SignalMessage::try_from(bytes.as_slice()).expect("libsignal reads it")
}

pub(super) fn with_header(message: &SignalMessage, header: &[u8]) -> SignalMessage {
    tampered(message, |raw| raw.pq_ratchet = Some(header.to_vec()))
}

pub(crate) fn with_counter(message: &SignalMessage, counter: u32) -> SignalMessage {
    tampered(message, |raw| raw.counter = Some(counter))
}

pub(super) fn with_ratchet_key(message: &SignalMessage, key: &PublicKey) -> SignalMessage {
    tampered(message, |raw| {
        raw.ratchet_key = Some(key.serialize().into_vec())
    })
}

pub(crate) fn rebuilt(
    honest: &PreKeySignalMessage,
    base_key: PublicKey,
    identity_key: IdentityKey,
    message: SignalMessage,
) -> PreKeySignalMessage {
    let kyber = honest
        .kyber_pre_key_id()
        .zip(honest.kyber_ciphertext().cloned());
    let kyber = kyber.map(|(id, ciphertext)| KyberPayload::new(id, ciphertext));
    PreKeySignalMessage::new(
        honest.message_version(),
        honest.registration_id(),
        honest.pre_key_id(),
        honest.signed_pre_key_id(),
        kyber,
        base_key,
        identity_key,
        message,
    )
    .unwrap()
}

pub(super) fn whisper(message: &CiphertextMessage) -> &SignalMessage {
    match message {
        CiphertextMessage::SignalMessage(message) => message,
        CiphertextMessage::PreKeySignalMessage(message) => message.message(),
        CiphertextMessage::SenderKeyMessage(_) | CiphertextMessage::PlaintextContent(_) => {
            panic!("not made here")
        }
    }
}

fn device() -> DeviceId {
    DeviceId::new(1).unwrap()
}
