//! A published prekey bundle as libsignal wants it, past the guards; sessions from and to their records.
//! It knows neither a store nor a socket.

use libsignal_protocol::{PreKeyBundle, SessionRecord};
use wire::body::DevicePreKeys;

use super::overlay::Entry;
use super::{PeerFault, signal_device, states};
use crate::error::{Error, StoreFault};
use crate::guard;
use crate::record::IncarnationRecord;
use crate::store::Table;

/// A device's published keys, past the guards.
pub(super) fn pre_key_bundle(
    identity: &[u8],
    keys: &DevicePreKeys,
) -> Result<PreKeyBundle, PeerFault> {
    let bad = |_| PeerFault::Unreadable;
    let public = |bytes: &[u8]| guard::public_key(bytes).map_err(bad);
    let DevicePreKeys {
        device_id,
        registration_id,
        signed_pre_key,
        pre_key,
        pq_pre_key,
        certificate: _,
    } = keys;
    let one_time = match pre_key {
        Some(key) => Some((u32::from(key.key_id).into(), public(&key.public_key.0)?)),
        None => None,
    };
    PreKeyBundle::new(
        u32::from(*registration_id),
        signal_device(*device_id)?,
        one_time,
        u32::from(signed_pre_key.key_id).into(),
        public(&signed_pre_key.public_key.0)?,
        signed_pre_key.signature.0.clone(),
        u32::from(pq_pre_key.key_id).into(),
        guard::kyber_key(&pq_pre_key.public_key.0).map_err(bad)?,
        pq_pre_key.signature.0.clone(),
        guard::identity_key(identity).map_err(bad)?,
    )
    .map_err(|_| PeerFault::Unreadable)
}

pub(super) fn entry(record: &IncarnationRecord) -> Result<Entry, StoreFault> {
    let damaged = StoreFault::Damaged {
        table: Table::Sessions.name(),
    };
    Ok(Entry {
        epoch: record.epoch,
        record: SessionRecord::deserialize(&record.session).map_err(|_| damaged)?,
        since: record.since,
        renew: record.renew,
        renewed_at: record.renewed_at,
        resends: record.resends,
        resends_since: record.resends_since,
    })
}

pub(super) fn incarnation_record(entry: &Entry) -> Result<IncarnationRecord, Error> {
    Ok(IncarnationRecord {
        epoch: entry.epoch,
        session: states::stored(&entry.record)?,
        since: entry.since,
        renew: entry.renew,
        renewed_at: entry.renewed_at,
        resends: entry.resends,
        resends_since: entry.resends_since,
    })
}
