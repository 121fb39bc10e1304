//! libsignal's five store traits over loaded records: five disjoint parts, since libsignal borrows
//! several of them mutably at once. None of them ever waits, so its futures are ready at once.
//! They do not know where records come from or when they are written.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use libsignal_protocol::{
    Direction, IdentityChange, IdentityKey, IdentityKeyPair, IdentityKeyStore, KyberPreKeyId,
    KyberPreKeyRecord, KyberPreKeyStore, PreKeyId, PreKeyRecord, PreKeyStore, ProtocolAddress,
    PublicKey, SessionRecord, SessionStore, SignalProtocolError, SignedPreKeyId,
    SignedPreKeyRecord, SignedPreKeyStore,
};
use wire::{AccountId, DeviceAddress, DeviceId};

use crate::account::Account;
use crate::error::StoreFault;
use crate::record::PreKeyKind;

type Result<T> = std::result::Result<T, SignalProtocolError>;

/// Identity keys, by account.
pub(super) struct Identities {
    own: IdentityKeyPair,
    own_account: AccountId,
    registration_id: u32,
    known: BTreeMap<AccountId, IdentityKey>,
    new: BTreeSet<AccountId>,
}

impl Identities {
    pub(super) fn new(account: &Account) -> Self {
        Self {
            own: account.identity,
            own_account: account.address.account,
            registration_id: account.registration_id.into(),
            known: BTreeMap::from([(account.address.account, *account.identity.identity_key())]),
            new: BTreeSet::new(),
        }
    }

    /// From a stored record; empty bytes mean that no key is known yet.
    pub(super) fn add(
        &mut self,
        account: AccountId,
        bytes: &[u8],
    ) -> std::result::Result<(), StoreFault> {
        if account != self.own_account && !bytes.is_empty() && !self.new.contains(&account) {
            let damaged = StoreFault::Damaged { table: "peers" };
            // Only keys that passed the guard are stored.
            self.known
                .insert(account, IdentityKey::decode(bytes).map_err(|_| damaged)?);
        }
        Ok(())
    }

    pub(super) fn get(&self, account: AccountId) -> Option<IdentityKey> {
        self.known.get(&account).copied()
    }

    pub(super) fn reset(&mut self, account: AccountId, identity: Option<IdentityKey>) {
        match identity {
            Some(identity) => self.known.insert(account, identity),
            None => {
                self.new.remove(&account);
                self.known.remove(&account)
            }
        };
    }

    /// The keys that were seen for the first time.
    pub(super) fn into_new(self) -> impl Iterator<Item = (AccountId, IdentityKey)> {
        let Self { known, new, .. } = self;
        known
            .into_iter()
            .filter(move |(account, _)| new.contains(account))
    }
}

#[async_trait(?Send)]
impl IdentityKeyStore for Identities {
    async fn get_identity_key_pair(&self) -> Result<IdentityKeyPair> {
        Ok(self.own)
    }

    async fn get_local_registration_id(&self) -> Result<u32> {
        Ok(self.registration_id)
    }

    async fn save_identity(
        &mut self,
        address: &ProtocolAddress,
        identity: &IdentityKey,
    ) -> Result<IdentityChange> {
        let account = device_address(address)?.account;
        let before = self.known.insert(account, *identity);
        if before.is_none() {
            self.new.insert(account);
        }
        Ok(IdentityChange::from_changed(
            before.is_some_and(|before| before != *identity),
        ))
    }

    /// First use, or the same key as ever. Our own key is nobody else's (V2).
    async fn is_trusted_identity(
        &self,
        address: &ProtocolAddress,
        identity: &IdentityKey,
        _: Direction,
    ) -> Result<bool> {
        let account = device_address(address)?.account;
        let own = self.own.identity_key();
        Ok(match self.known.get(&account) {
            Some(known) => known == identity,
            None => identity != own,
        })
    }

    async fn get_identity(&self, address: &ProtocolAddress) -> Result<Option<IdentityKey>> {
        Ok(self.get(device_address(address)?.account))
    }
}

/// Sessions, by device.
#[derive(Default)]
pub(super) struct SessionRecords {
    loaded: BTreeMap<DeviceAddress, Option<SessionRecord>>,
    changed: BTreeSet<DeviceAddress>,
}

impl SessionRecords {
    pub(super) fn is_loaded(&self, address: DeviceAddress) -> bool {
        self.loaded.contains_key(&address)
    }

    pub(super) fn add(&mut self, address: DeviceAddress, record: Option<SessionRecord>) {
        self.loaded.insert(address, record);
    }

    pub(super) fn get(&self, address: DeviceAddress) -> Option<&SessionRecord> {
        self.loaded.get(&address)?.as_ref()
    }

    pub(super) fn is_changed(&self, address: DeviceAddress) -> bool {
        self.changed.contains(&address)
    }

    pub(super) fn reset(
        &mut self,
        address: DeviceAddress,
        record: Option<SessionRecord>,
        changed: bool,
    ) {
        self.loaded.insert(address, record);
        if !changed {
            self.changed.remove(&address);
        }
    }

    pub(super) fn change(
        &mut self,
        address: DeviceAddress,
        change: impl FnOnce(&mut SessionRecord) -> Result<()>,
    ) -> Result<()> {
        if let Some(Some(record)) = self.loaded.get_mut(&address) {
            change(record)?;
            self.changed.insert(address);
        }
        Ok(())
    }

    pub(super) fn into_changed(self) -> impl Iterator<Item = (DeviceAddress, SessionRecord)> {
        let Self { loaded, changed } = self;
        loaded
            .into_iter()
            .filter(move |(address, _)| changed.contains(address))
            .filter_map(|(address, record)| Some((address, record?)))
    }
}

#[async_trait(?Send)]
impl SessionStore for SessionRecords {
    async fn load_session(&self, address: &ProtocolAddress) -> Result<Option<SessionRecord>> {
        Ok(self.get(device_address(address)?).cloned())
    }

    async fn store_session(
        &mut self,
        address: &ProtocolAddress,
        record: &SessionRecord,
    ) -> Result<()> {
        let address = device_address(address)?;
        self.loaded.insert(address, Some(record.clone()));
        self.changed.insert(address);
        Ok(())
    }
}

/// Own one-time EC prekeys. A used one stays readable until the step ends, so that a repeated first
/// message in one batch meets its session and not a missing key.
#[derive(Default)]
pub(super) struct OneTimeKeys {
    loaded: BTreeMap<u32, PreKeyRecord>,
    pub(super) used: Vec<u32>,
}

impl OneTimeKeys {
    pub(super) fn add(&mut self, id: u32, record: PreKeyRecord) {
        self.loaded.insert(id, record);
    }
}

#[async_trait(?Send)]
impl PreKeyStore for OneTimeKeys {
    async fn get_pre_key(&self, id: PreKeyId) -> Result<PreKeyRecord> {
        let id = u32::from(id);
        let record = self.loaded.get(&id).filter(|_| !self.used.contains(&id));
        record.cloned().ok_or(SignalProtocolError::InvalidPreKeyId)
    }

    async fn save_pre_key(&mut self, id: PreKeyId, record: &PreKeyRecord) -> Result<()> {
        self.loaded.insert(id.into(), record.clone());
        Ok(())
    }

    async fn remove_pre_key(&mut self, id: PreKeyId) -> Result<()> {
        self.used.push(id.into());
        Ok(())
    }
}

/// Own signed EC prekeys.
#[derive(Default)]
pub(super) struct SignedKeys {
    loaded: BTreeMap<u32, SignedPreKeyRecord>,
}

impl SignedKeys {
    pub(super) fn add(&mut self, id: u32, record: SignedPreKeyRecord) {
        self.loaded.insert(id, record);
    }
}

#[async_trait(?Send)]
impl SignedPreKeyStore for SignedKeys {
    async fn get_signed_pre_key(&self, id: SignedPreKeyId) -> Result<SignedPreKeyRecord> {
        let record = self.loaded.get(&u32::from(id));
        record
            .cloned()
            .ok_or(SignalProtocolError::InvalidSignedPreKeyId)
    }

    async fn save_signed_pre_key(
        &mut self,
        id: SignedPreKeyId,
        record: &SignedPreKeyRecord,
    ) -> Result<()> {
        self.loaded.insert(id.into(), record.clone());
        Ok(())
    }
}

/// Own Kyber prekeys: a one-time one is used up, the last-resort one is not.
#[derive(Default)]
pub(super) struct KyberKeys {
    loaded: BTreeMap<u32, (PreKeyKind, KyberPreKeyRecord)>,
    pub(super) used: Vec<u32>,
}

impl KyberKeys {
    pub(super) fn add(&mut self, id: u32, kind: PreKeyKind, record: KyberPreKeyRecord) {
        self.loaded.insert(id, (kind, record));
    }
}

#[async_trait(?Send)]
impl KyberPreKeyStore for KyberKeys {
    async fn get_kyber_pre_key(&self, id: KyberPreKeyId) -> Result<KyberPreKeyRecord> {
        let id = u32::from(id);
        let found = self.loaded.get(&id).filter(|_| !self.used.contains(&id));
        found
            .map(|(_, record)| record.clone())
            .ok_or(SignalProtocolError::InvalidKyberPreKeyId)
    }

    async fn save_kyber_pre_key(
        &mut self,
        id: KyberPreKeyId,
        record: &KyberPreKeyRecord,
    ) -> Result<()> {
        self.loaded
            .insert(id.into(), (PreKeyKind::KyberOneTime, record.clone()));
        Ok(())
    }

    async fn mark_kyber_pre_key_used(
        &mut self,
        id: KyberPreKeyId,
        _: SignedPreKeyId,
        _: &PublicKey,
    ) -> Result<()> {
        let id = u32::from(id);
        if self
            .loaded
            .get(&id)
            .is_some_and(|(kind, _)| *kind == PreKeyKind::KyberOneTime)
        {
            self.used.push(id);
        }
        Ok(())
    }
}

/// Back from libsignal's address; ours are always account ids.
fn device_address(address: &ProtocolAddress) -> Result<DeviceAddress> {
    let invalid = || SignalProtocolError::InvalidArgument("not an account id".to_owned());
    Ok(DeviceAddress {
        account: address.name().parse().map_err(|_| invalid())?,
        device: DeviceId::try_from(u32::from(address.device_id())).map_err(|_| invalid())?,
    })
}
