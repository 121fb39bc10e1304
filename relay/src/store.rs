//! What the relay keeps, as rows, and the transaction in which they are read and written.
//!
//! [`Read`] and [`Tx`] are row-level: they know keys and order, but no rule of the protocol. The rules
//! are in `core`, once, over these traits. [`Store`] adds what a writer needs for group commit: one
//! transaction for many jobs, and a savepoint for each, so that a failing job takes back only its own writes.
//! Invariant: what was written before [`Store::commit`] returned is there after any crash.

mod blobs;
#[cfg(test)]
mod conformance;
pub mod memory;
mod recovery;
pub mod sqlite;

use std::collections::BTreeMap;
use std::fmt;

use wire::body::KeyId;
use wire::{AccountId, DeviceAddress, DeviceId, Handle, MessageId, RegistrationId};

pub use self::blobs::{BlobRead, BlobRow, BlobTx, BlobUse};
pub use self::recovery::{RecoveryRead, RecoveryRow, RecoveryTx};

/// A person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountRow {
    /// Drawn by the relay.
    pub id: AccountId,
    /// Taken by no other account.
    pub handle: Handle,
    /// 33 bytes, checked.
    pub identity_key: Vec<u8>,
    /// The device id that was handed out last.
    pub last_device: DeviceId,
    /// ms.
    pub created: u64,
    /// A `SignedList`, checked; empty: all its devices have its identity key.
    pub list: Vec<u8>,
}

/// A device of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceRow {
    /// Account and device id.
    pub address: DeviceAddress,
    /// Drawn for each device: tells the one that has this id now from one that had it before. 63 bits.
    pub incarnation: u64,
    /// Drawn by the device.
    pub registration_id: RegistrationId,
    /// Encrypted by the device.
    pub name: Vec<u8>,
    /// To check its password with.
    pub password: PasswordHash,
    /// ms.
    pub created: u64,
    /// ms, at the start of a day.
    pub last_seen: u64,
    /// Name to flag.
    pub capabilities: BTreeMap<String, bool>,
    /// A `SignedCertificate`, checked; empty: the device has the account's identity key.
    pub certificate: Vec<u8>,
}

/// A salted hash of a password of full entropy.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash {
    /// Drawn by the relay.
    pub salt: [u8; 16],
    /// SHA-256 of salt and password.
    pub hash: [u8; 32],
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { salt: _, hash: _ } = self;
        f.write_str("PasswordHash")
    }
}

/// Which family a prekey is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyKind {
    /// Curve25519.
    Ec,
    /// Kyber1024.
    Kyber,
}

/// A public prekey.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRow {
    /// Chosen by the device.
    pub id: KeyId,
    /// Checked.
    pub public_key: Vec<u8>,
    /// Checked; empty for one-time EC keys, which are not signed.
    pub signature: Vec<u8>,
}

/// A link token, under the hash of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRow {
    /// Which account a device may join with it.
    pub account: AccountId,
    /// ms; not good after this.
    pub expires: u64,
    /// The id that the device will have, if it was chosen in advance.
    pub device: Option<DeviceId>,
    /// The device that was made with it.
    pub linked: Option<Linked>,
    /// ms; the row is of no use after this.
    pub forget_at: u64,
}

/// The device that a link token made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Linked {
    /// Its id.
    pub device: DeviceId,
    /// Which holder of that id.
    pub incarnation: u64,
}

/// What a mailbox holds, kept beside it so that no send has to count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MailboxRow {
    /// The last server timestamp in this mailbox, ms.
    pub clock: u64,
    /// How many.
    pub envelopes: u64,
    /// How large together.
    pub bytes: u64,
    /// How many its device has taken out.
    pub taken: u64,
}

/// What a device that fences itself has shown of its own counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FenceRow {
    /// Of the sign-in that was agreed to last.
    pub sign_ins: u64,
    /// The highest of a bundle that was accepted.
    pub seals: u64,
}

/// A waiting envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// Grows with every envelope; never used again.
    pub seq: u64,
    /// An encoded `Envelope`.
    pub envelope: Vec<u8>,
}

/// An envelope whose time is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExpiredMail {
    /// In which mailbox.
    pub mailbox: DeviceAddress,
    /// Which.
    pub seq: u64,
}

/// How much one fetch may bring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageLimit {
    /// At most so many envelopes.
    pub envelopes: usize,
    /// No further envelope once this is reached.
    pub bytes: usize,
}

/// What can be asked of a store.
pub trait Read: BlobRead + RecoveryRead {
    /// An account by id.
    fn account(&mut self, id: AccountId) -> Result<Option<AccountRow>, StoreError>;
    /// An account by handle.
    fn account_by_handle(&mut self, handle: &Handle) -> Result<Option<AccountRow>, StoreError>;
    /// A device.
    fn device(&mut self, address: DeviceAddress) -> Result<Option<DeviceRow>, StoreError>;
    /// All devices of an account, by id.
    fn devices(&mut self, account: AccountId) -> Result<Vec<DeviceRow>, StoreError>;
    /// The signed EC prekey, or the last-resort Kyber prekey, of a device.
    fn signed_key(
        &mut self,
        device: DeviceAddress,
        kind: KeyKind,
    ) -> Result<Option<KeyRow>, StoreError>;
    /// How many one-time keys a device has left.
    fn one_time_count(&mut self, device: DeviceAddress, kind: KeyKind) -> Result<u32, StoreError>;
    /// A link token by its identifier.
    fn token(&mut self, identifier: &str) -> Result<Option<TokenRow>, StoreError>;
    /// The fence of a device, if it has one.
    fn fence(&mut self, device: DeviceAddress) -> Result<Option<FenceRow>, StoreError>;
    /// What a mailbox holds; an unknown one holds nothing.
    fn mailbox(&mut self, mailbox: DeviceAddress) -> Result<MailboxRow, StoreError>;
    /// Envelopes in order, from behind `after`, that have not expired at `now`.
    fn mail_after(
        &mut self,
        mailbox: DeviceAddress,
        after: u64,
        limit: PageLimit,
        now: u64,
    ) -> Result<Vec<Mail>, StoreError>;
    /// The highest number in a mailbox, 0 if it is empty.
    fn newest_mail(&mut self, mailbox: DeviceAddress) -> Result<u64, StoreError>;
    /// Envelopes whose time is over at `now`.
    fn expired_mail(&mut self, now: u64, rows_max: usize) -> Result<Vec<ExpiredMail>, StoreError>;
    /// The server timestamp of a bundle that was accepted from this device.
    fn accepted(
        &mut self,
        sender: DeviceAddress,
        bundle: MessageId,
    ) -> Result<Option<u64>, StoreError>;
}

/// What can be changed in a store. Each does one thing to one kind of row.
pub trait Tx: Read + BlobTx + RecoveryTx {
    /// Adds an account.
    fn insert_account(&mut self, account: &AccountRow) -> Result<(), StoreError>;
    /// Sets which device id was handed out last.
    fn put_last_device(&mut self, account: AccountId, device: DeviceId) -> Result<(), StoreError>;
    /// Sets the signed device list of an account.
    fn put_list(&mut self, account: AccountId, list: &[u8]) -> Result<(), StoreError>;
    /// Removes an account, which frees its handle, all its link tokens and its sealed key; its devices stay.
    fn delete_account(&mut self, account: AccountId) -> Result<(), StoreError>;
    /// Adds or replaces a device.
    fn put_device(&mut self, device: &DeviceRow) -> Result<(), StoreError>;
    /// Removes a device with its fence and what was accepted of it; its keys and mailbox stay.
    fn delete_device(&mut self, address: DeviceAddress) -> Result<(), StoreError>;
    /// Sets the signed EC prekey or the last-resort Kyber prekey.
    fn put_signed_key(
        &mut self,
        device: DeviceAddress,
        kind: KeyKind,
        key: &KeyRow,
    ) -> Result<(), StoreError>;
    /// Replaces all one-time keys of a kind.
    fn replace_one_time(
        &mut self,
        device: DeviceAddress,
        kind: KeyKind,
        keys: &[KeyRow],
    ) -> Result<(), StoreError>;
    /// Removes the first one-time key and gives it.
    fn take_one_time(
        &mut self,
        device: DeviceAddress,
        kind: KeyKind,
    ) -> Result<Option<KeyRow>, StoreError>;
    /// Removes all keys of a device.
    fn delete_keys(&mut self, device: DeviceAddress) -> Result<(), StoreError>;
    /// Adds or replaces a link token.
    fn put_token(&mut self, identifier: &str, token: &TokenRow) -> Result<(), StoreError>;
    /// Removes the link tokens of an account that have made no device.
    fn end_tokens(&mut self, account: AccountId) -> Result<(), StoreError>;
    /// Removes link tokens that are of no use at `now`.
    fn forget_tokens(&mut self, now: u64, rows_max: usize) -> Result<usize, StoreError>;
    /// Sets the fence of a device.
    fn put_fence(&mut self, device: DeviceAddress, row: FenceRow) -> Result<(), StoreError>;
    /// Sets what a mailbox holds.
    fn put_mailbox(&mut self, mailbox: DeviceAddress, row: MailboxRow) -> Result<(), StoreError>;
    /// Removes a mailbox and all that is in it.
    fn clear_mailbox(&mut self, mailbox: DeviceAddress) -> Result<(), StoreError>;
    /// Appends an envelope.
    fn insert_mail(
        &mut self,
        mailbox: DeviceAddress,
        expires: u64,
        envelope: &[u8],
    ) -> Result<u64, StoreError>;
    /// Removes an envelope; gives its size if it was there.
    fn delete_mail(&mut self, mailbox: DeviceAddress, seq: u64) -> Result<Option<u64>, StoreError>;
    /// Remembers an accepted bundle.
    fn put_accepted(
        &mut self,
        sender: DeviceAddress,
        bundle: MessageId,
        server_timestamp: u64,
        forget_at: u64,
    ) -> Result<(), StoreError>;
    /// Removes remembered bundles that are of no use at `now`.
    fn forget_accepted(&mut self, now: u64, rows_max: usize) -> Result<usize, StoreError>;
}

/// A store with transactions. One at a time; inside it one savepoint at a time.
pub trait Store: Tx {
    /// Begins a transaction.
    fn begin(&mut self) -> Result<(), StoreError>;
    /// Makes it durable.
    fn commit(&mut self) -> Result<(), StoreError>;
    /// Takes it back.
    fn rollback(&mut self);
    /// Marks a point to return to.
    fn savepoint(&mut self) -> Result<(), StoreError>;
    /// Forgets the mark and keeps what was written since.
    fn release(&mut self) -> Result<(), StoreError>;
    /// Takes back what was written since the mark, and forgets it.
    fn rollback_to(&mut self) -> Result<(), StoreError>;

    /// Runs one job as one transaction: committed if it succeeds, taken back if not.
    ///
    /// # Errors
    /// The job's own, or the store's.
    fn transaction<T, E: From<StoreError>>(
        &mut self,
        job: impl FnOnce(&mut dyn Tx) -> Result<T, E>,
    ) -> Result<T, E>
    where
        Self: Sized,
    {
        self.begin()?;
        match job(self) {
            Ok(value) => {
                self.commit()?;
                Ok(value)
            }
            Err(error) => {
                self.rollback();
                Err(error)
            }
        }
    }
}

/// Why a store could not do it. Never the fault of a peer.
#[derive(Debug)]
pub enum StoreError {
    /// SQLite refused.
    Sqlite(rusqlite::Error),
    /// The file was made by a newer relay.
    Newer {
        /// Version of the file.
        found: u32,
        /// Newest version that this relay knows.
        known: u32,
    },
    /// A row holds what this relay never wrote.
    Corrupt {
        /// Which column.
        what: &'static str,
    },
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(error) => write!(f, "the database refused: {error}"),
            Self::Newer { found, known } => write!(
                f,
                "the database has schema version {found}, made by a newer relay; this one knows up to {known}: start the newer relay, or give another --data"
            ),
            Self::Corrupt { what } => write!(f, "the database holds an impossible {what}"),
        }
    }
}

impl std::error::Error for StoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Sqlite(error) => Some(error),
            Self::Newer { .. } | Self::Corrupt { .. } => None,
        }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}
