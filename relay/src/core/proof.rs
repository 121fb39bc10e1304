//! Public keys and signatures that clients bring: well formed, canonical, signed by the account.
//! The relay checks so that a broken device is told at once, and not its peers later.

use libsignal_core::curve::PublicKey;
use wire::body::{PreKey, SignedPreKey};

use super::{Failure, refused};
use crate::store::KeyRow;

/// An account's identity key, checked.
pub(super) struct Identity(PublicKey);

impl Identity {
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, Failure> {
        ec_key(bytes).map(Self)
    }

    pub(super) fn has_signed(&self, message: &[u8], signature: &[u8]) -> bool {
        self.0.verify_signature(message, signature)
    }

    pub(super) fn check(&self, message: &[u8], signature: &[u8]) -> Result<(), Failure> {
        if self.has_signed(message, signature) {
            Ok(())
        } else {
            Err(refused(422))
        }
    }

    /// A signed EC prekey.
    pub(super) fn ec(&self, key: SignedPreKey) -> Result<KeyRow, Failure> {
        ec_key(&key.public_key.0)?;
        self.signed(key)
    }

    /// A Kyber prekey, one-time or last-resort.
    pub(super) fn kyber(&self, key: SignedPreKey) -> Result<KeyRow, Failure> {
        let bytes = &key.public_key.0;
        if bytes.len() != KYBER_KEY_LEN || bytes.first() != Some(&KYBER_1024) {
            return Err(refused(422));
        }
        self.signed(key)
    }

    fn signed(&self, key: SignedPreKey) -> Result<KeyRow, Failure> {
        let SignedPreKey {
            key_id,
            public_key,
            signature,
        } = key;
        self.check(&public_key.0, &signature.0)?;
        Ok(KeyRow {
            id: key_id,
            public_key: public_key.0,
            signature: signature.0,
        })
    }
}

/// A one-time EC prekey: these are not signed.
pub(super) fn one_time_ec(key: PreKey) -> Result<KeyRow, Failure> {
    let PreKey { key_id, public_key } = key;
    ec_key(&public_key.0)?;
    Ok(KeyRow {
        id: key_id,
        public_key: public_key.0,
        signature: Vec::new(),
    })
}

/// Exactly one type byte and 32 bytes: the library tolerates bytes behind them, we don't.
fn ec_key(bytes: &[u8]) -> Result<PublicKey, Failure> {
    let key = PublicKey::deserialize(bytes).map_err(|_| refused(422))?;
    if bytes.len() == EC_KEY_LEN && key.is_canonical() {
        Ok(key)
    } else {
        Err(refused(422))
    }
}

const EC_KEY_LEN: usize = 33;
const KYBER_KEY_LEN: usize = 1569;
const KYBER_1024: u8 = 0x08;
