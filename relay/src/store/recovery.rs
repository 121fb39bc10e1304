//! The row of a sealed account key, one for an account.
//! What is in it nobody can read here.

use wire::AccountId;

use super::StoreError;

/// An account key, sealed by its person.
#[derive(Clone, PartialEq, Eq)]
pub struct RecoveryRow {
    /// As it came.
    pub sealed: Vec<u8>,
    /// ms.
    pub made: u64,
}

impl std::fmt::Debug for RecoveryRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RecoveryRow({} bytes)", self.sealed.len())
    }
}

/// What can be asked of sealed keys.
pub trait RecoveryRead {
    /// That of an account.
    fn recovery(&mut self, account: AccountId) -> Result<Option<RecoveryRow>, StoreError>;
}

/// What can be changed of sealed keys.
pub trait RecoveryTx {
    /// Sets that of an account.
    fn put_recovery(&mut self, account: AccountId, row: &RecoveryRow) -> Result<(), StoreError>;
}
