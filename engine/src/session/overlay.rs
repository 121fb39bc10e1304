//! Four of libsignal's five store traits over loaded records (`identities` has the fifth): disjoint parts, since libsignal borrows
//! several of them mutably at once. None of them ever waits, so its futures are ready at once.
//! They do not know where records come from or when they are written.

use async_trait::async_trait;
use libsignal_protocol::{
    CiphertextMessageType, KyberPreKeyId, KyberPreKeyRecord, KyberPreKeyStore, PreKeyId,
    PreKeyRecord, PreKeyStore, ProtocolAddress, PublicKey, SessionRecord, SessionStore,
    SignalProtocolError, SignedPreKeyId, SignedPreKeyRecord, SignedPreKeyStore,
};
use wire::{DeviceAddress, DeviceId};

use super::Incarnation;
use crate::flat::{Map, Set};
use crate::record::PreKeyKind;

pub(super) type Result<T> = std::result::Result<T, SignalProtocolError>;

/// The sessions with one incarnation of a device.
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) epoch: u32,
    pub(super) record: SessionRecord,
    /// When the current state was made.
    pub(super) since: u64,
    /// A new state has to be made before anything is sent. libsignal's record alone does not say so: one late
    /// message on an archived state makes that current, and usable for sending, again.
    pub(super) renew: bool,
    /// When the other side last had it renewed.
    pub(super) renewed_at: u64,
    /// How often something was sent again, since when.
    pub(super) resends: u32,
    pub(super) resends_since: u64,
}

/// Sessions, by device and incarnation. libsignal knows devices only, so one incarnation at a time is selected.
#[derive(Default)]
pub(super) struct SessionRecords {
    loaded: Map<DeviceAddress, Vec<Entry>>,
    changed: Set<DeviceAddress>,
    selected: Option<Incarnation>,
}

impl SessionRecords {
    pub(super) fn is_loaded(&self, address: DeviceAddress) -> bool {
        self.loaded.contains_key(&address)
    }

    pub(super) fn add(&mut self, address: DeviceAddress, entries: Vec<Entry>) {
        self.loaded.insert(address, entries);
    }

    /// All that is known of a device, the newest incarnation first.
    pub(super) fn of(&self, address: DeviceAddress) -> &[Entry] {
        self.loaded.get(&address).map_or(&[], Vec::as_slice)
    }

    pub(super) fn get(&self, of: Incarnation) -> Option<&Entry> {
        self.of(of.address)
            .iter()
            .find(|entry| entry.epoch == of.epoch)
    }

    /// The incarnation that libsignal's calls are about from now on.
    pub(super) fn select(&mut self, incarnation: Incarnation) {
        self.selected = Some(incarnation);
    }

    pub(super) fn is_changed(&self, address: DeviceAddress) -> bool {
        self.changed.contains(&address)
    }

    /// Puts a device back to what it was.
    pub(super) fn reset(&mut self, address: DeviceAddress, entries: Vec<Entry>, changed: bool) {
        self.loaded.insert(address, entries);
        if !changed {
            self.changed.remove(&address);
        }
    }

    pub(super) fn change(&mut self, of: Incarnation, change: impl FnOnce(&mut Entry)) {
        let entries = self.loaded.get_mut(&of.address).into_iter().flatten();
        if let Some(entry) = entries.into_iter().find(|entry| entry.epoch == of.epoch) {
            change(entry);
            self.changed.insert(of.address);
        }
    }

    pub(super) fn into_changed(self) -> impl Iterator<Item = (DeviceAddress, Vec<Entry>)> {
        let Self {
            loaded, changed, ..
        } = self;
        loaded
            .into_iter()
            .filter(move |(address, _)| changed.contains(address))
    }

    fn selected(&self, address: &ProtocolAddress) -> Result<Incarnation> {
        let address = device_address(address)?;
        self.selected
            .filter(|selected| selected.address == address)
            .ok_or_else(|| SignalProtocolError::InvalidArgument("not selected".to_owned()))
    }
}

#[async_trait(?Send)]
impl SessionStore for SessionRecords {
    async fn load_session(&self, address: &ProtocolAddress) -> Result<Option<SessionRecord>> {
        let selected = self.selected(address)?;
        Ok(self.get(selected).map(|entry| entry.record.clone()))
    }

    async fn store_session(
        &mut self,
        address: &ProtocolAddress,
        record: &SessionRecord,
    ) -> Result<()> {
        let Incarnation { address, epoch } = self.selected(address)?;
        let store = |entries: &mut Vec<Entry>| match entries
            .iter_mut()
            .find(|entry| entry.epoch == epoch)
        {
            Some(entry) => entry.record = record.clone(),
            None => entries.insert(
                0,
                Entry {
                    epoch,
                    record: record.clone(),
                    since: 0,
                    renew: false,
                    renewed_at: 0,
                    resends: 0,
                    resends_since: 0,
                },
            ),
        };
        self.loaded.change(address, store);
        self.changed.insert(address);
        Ok(())
    }
}

/// Own one-time EC prekeys. A used one stays readable until the step ends, so that a repeated first
/// message in one batch meets its session and not a missing key.
#[derive(Default)]
pub(super) struct OneTimeKeys {
    loaded: Map<u32, PreKeyRecord>,
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
    loaded: Map<u32, SignedPreKeyRecord>,
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

/// Own Kyber prekeys: a one-time one is used up. The last-resort one is not, so it remembers the base keys it has
/// made sessions with: a first message is good for one session, however often it is replayed.
#[derive(Default)]
pub(super) struct KyberKeys {
    loaded: Map<u32, (PreKeyKind, KyberPreKeyRecord)>,
    pub(super) used: Vec<u32>,
    known_bases: Set<(u32, Vec<u8>)>,
    pub(super) new_bases: Vec<(u32, Vec<u8>)>,
}

impl KyberKeys {
    pub(super) fn add(&mut self, id: u32, kind: PreKeyKind, record: KyberPreKeyRecord) {
        self.loaded.insert(id, (kind, record));
    }

    pub(super) fn add_base(&mut self, id: u32, base_key: Vec<u8>) {
        self.known_bases.insert((id, base_key));
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
        base_key: &PublicKey,
    ) -> Result<()> {
        let id = u32::from(id);
        let kind = self.loaded.get(&id).map(|(kind, _)| *kind);
        if kind == Some(PreKeyKind::KyberOneTime) {
            self.used.push(id);
            return Ok(());
        }
        let used = (id, base_key.serialize().into_vec());
        if self.known_bases.contains(&used) || self.new_bases.contains(&used) {
            let why = "this first message has made its session already";
            let kind = CiphertextMessageType::PreKey;
            return Err(SignalProtocolError::InvalidMessage(kind, why));
        }
        self.new_bases.push(used);
        Ok(())
    }
}

/// Back from libsignal's address; ours are always account ids.
pub(super) fn device_address(address: &ProtocolAddress) -> Result<DeviceAddress> {
    let invalid = || SignalProtocolError::InvalidArgument("not an account id".to_owned());
    Ok(DeviceAddress {
        account: address.name().parse().map_err(|_| invalid())?,
        device: DeviceId::try_from(u32::from(address.device_id())).map_err(|_| invalid())?,
    })
}
