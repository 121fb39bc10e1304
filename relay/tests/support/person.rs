//! A person for tests: an identity key, and the requests that are made with it. Keys are real where the
//! relay checks them; a Kyber key is any 1569 bytes of the right type.

use std::collections::BTreeMap;

use libsignal_core::curve::KeyPair;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use wire::body::{
    AccountAttributes, Base64, LinkDevice, PreKey, Register, SetKeys, SignedPreKey,
    registration_proof,
};

pub(crate) struct Person {
    pub(crate) handle: String,
    pub(crate) password: String,
    pub(crate) rng: ChaCha20Rng,
    identity: KeyPair,
    last_key: u32,
}

impl Person {
    pub(crate) fn new(handle: &str, seed: u64) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        Self {
            handle: handle.to_owned(),
            password: format!("password of {handle} {seed}"),
            identity: KeyPair::generate(&mut rng),
            rng,
            last_key: 0,
        }
    }

    pub(crate) fn register(&mut self, registration_id: u32) -> Register {
        let handle = self.handle.parse().unwrap();
        let proof = registration_proof(&handle, &self.password);
        Register {
            handle,
            credential: None,
            password: self.password.clone(),
            identity_key: Base64(self.identity.public_key.serialize().into()),
            proof: Base64(self.sign(&proof)),
            account_attributes: attributes(registration_id),
            aci_signed_pre_key: self.signed_ec(),
            aci_pq_last_resort_pre_key: self.kyber(),
            anew: false,
        }
    }

    pub(crate) fn link(&mut self, token: &str, registration_id: u32) -> LinkDevice {
        LinkDevice {
            verification_code: token.to_owned(),
            account_attributes: attributes(registration_id),
            aci_signed_pre_key: self.signed_ec(),
            aci_pq_last_resort_pre_key: self.kyber(),
            credential: None,
            certificate: None,
        }
    }

    /// The account's identity key.
    pub(crate) fn key(&self) -> [u8; 33] {
        (*self.identity.public_key.serialize()).try_into().unwrap()
    }

    /// Has the prekeys from now on signed by another key.
    pub(crate) fn with_key(&self, identity: KeyPair) -> Self {
        Self {
            identity,
            handle: self.handle.clone(),
            password: self.password.clone(),
            rng: self.rng.clone(),
            last_key: 1000,
        }
    }

    pub(crate) fn one_time_keys(&mut self, count: usize) -> SetKeys {
        SetKeys {
            pre_keys: (0..count).map(|_| self.one_time_ec()).collect(),
            pq_pre_keys: (0..count).map(|_| self.kyber()).collect(),
            signed_pre_key: None,
            pq_last_resort_pre_key: None,
        }
    }

    pub(crate) fn one_time_ec(&mut self) -> PreKey {
        let SignedPreKey {
            key_id, public_key, ..
        } = self.signed_ec();
        PreKey { key_id, public_key }
    }

    pub(crate) fn signed_ec(&mut self) -> SignedPreKey {
        let key = KeyPair::generate(&mut self.rng).public_key.serialize();
        self.signed(key.into())
    }

    pub(crate) fn kyber(&mut self) -> SignedPreKey {
        let mut key = vec![7; 1569];
        key[0] = 0x08;
        key[1..5].copy_from_slice(&self.last_key.to_be_bytes());
        self.signed(key)
    }

    fn signed(&mut self, key: Vec<u8>) -> SignedPreKey {
        self.last_key += 1;
        SignedPreKey {
            key_id: self.last_key.try_into().unwrap(),
            signature: Base64(self.sign(&key)),
            public_key: Base64(key),
        }
    }

    pub(crate) fn sign(&mut self, message: &[u8]) -> Vec<u8> {
        let signature = self.identity.calculate_signature(message, &mut self.rng);
        signature.unwrap().into()
    }
}

pub(crate) fn attributes(registration_id: u32) -> AccountAttributes {
    AccountAttributes {
        fetches_messages: true,
        registration_id: registration_id.try_into().unwrap(),
        pni_registration_id: None,
        name: Base64(b"sealed name".to_vec()),
        capabilities: BTreeMap::new(),
    }
}
