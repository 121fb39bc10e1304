//! Sealed account keys at the relay of a play, to be looked at and replaced; and a relay that asks for the platform's tokens.
//! It knows no rule: those are the relay's.

use relay::core::credential::{CredentialCheck, JwtCheck, JwtKey, JwtRules};
use relay::store::{RecoveryRead as _, RecoveryRow, Store as _, StoreError};
use wire::AccountId;

use super::RelayNode;

impl RelayNode {
    /// What is kept for an account.
    pub fn sealed_key(&mut self, account: AccountId) -> Option<Vec<u8>> {
        let row = self.store.recovery(account).ok()??;
        Some(row.sealed)
    }

    /// A relay that puts something else in its place.
    pub fn replace_sealed_key(&mut self, account: AccountId, sealed: &[u8]) {
        let sealed = sealed.to_vec();
        let row = RecoveryRow { sealed, made: 1 };
        let put: Result<(), StoreError> =
            self.store.transaction(|tx| tx.put_recovery(account, &row));
        put.expect("memory never fails");
    }

    /// From now on only tokens that were signed with this secret count.
    ///
    /// # Panics
    /// The secret is too short to be one.
    pub fn ask_for_tokens(&mut self, secret: [u8; 32]) {
        let key = JwtKey::Secret(secret.to_vec());
        let check = JwtCheck::new(&key, JwtRules::default()).expect("32 bytes are enough");
        self.core.credentials = CredentialCheck::Jwt(Box::new(check));
    }
}
