//! libsignal's view of identity keys: an account's own, and those that it vouches for (`trust` has the rule).
//! Where they come from and when they are written is not known here.

use async_trait::async_trait;
use libsignal_protocol::{
    Direction, IdentityChange, IdentityKey, IdentityKeyPair, IdentityKeyStore, ProtocolAddress,
};
use wire::{AccountId, DeviceAddress};

use super::Incarnation;
use super::overlay::{Result, device_address};
use crate::account::Account;
use crate::error::StoreFault;
use crate::flat::{Map, Set};
use crate::trust::Certified;

/// Identity keys, by account.
pub(super) struct Identities {
    own: IdentityKeyPair,
    own_account: AccountId,
    registration_id: u32,
    known: Map<AccountId, IdentityKey>,
    new: Set<AccountId>,
    /// Devices with keys of their own.
    certified: Map<DeviceAddress, Vec<Certified>>,
    /// The incarnation that libsignal's calls are about.
    selected: Option<Incarnation>,
}

impl Identities {
    pub(super) fn new(account: &Account) -> Self {
        Self {
            own: account.identity,
            own_account: account.address.account,
            registration_id: account.registration_id.into(),
            known: Map::from_iter([(account.address.account, account.account_key)]),
            new: Set::new(),
            certified: Map::new(),
            selected: None,
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

    /// The keys that an account's key vouches for beside itself.
    pub(super) fn certify(&mut self, device: DeviceAddress, keys: Vec<Certified>) {
        self.certified.insert(device, keys);
    }

    pub(super) fn select(&mut self, incarnation: Incarnation) {
        self.selected = Some(incarnation);
    }

    /// What the account's key says of this key for the selected incarnation.
    fn vouched(&self, of: DeviceAddress, key: &IdentityKey) -> Option<&Certified> {
        let selected = self.selected.filter(|selected| selected.address == of)?;
        let mut keys = self.certified.get(&of)?.iter();
        keys.find(|known| known.incarnation == selected.epoch && known.key == *key)
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
        let at = device_address(address)?;
        if self.vouched(at, identity).is_some() {
            return Ok(IdentityChange::NewOrUnchanged); // it is kept where its certificate is
        }
        let account = at.account;
        let before = self.known.insert(account, *identity);
        if before.is_none() {
            self.new.insert(account);
        }
        Ok(IdentityChange::from_changed(
            before.is_some_and(|before| before != *identity),
        ))
    }

    /// Rule TR-1; an account's key is trusted at first use. Our own keys are nobody else's (V2).
    async fn is_trusted_identity(
        &self,
        address: &ProtocolAddress,
        identity: &IdentityKey,
        direction: Direction,
    ) -> Result<bool> {
        let at = device_address(address)?;
        if let Some(vouched) = self.vouched(at, identity) {
            return Ok(vouched.is_current || matches!(direction, Direction::Receiving));
        }
        let own = [
            Some(self.own.identity_key()),
            self.known.get(&self.own_account),
        ];
        Ok(match self.known.get(&at.account) {
            Some(known) => known == identity,
            None => !own.contains(&Some(identity)),
        })
    }

    async fn get_identity(&self, address: &ProtocolAddress) -> Result<Option<IdentityKey>> {
        Ok(self.get(device_address(address)?.account))
    }
}
