//! What libsignal and sending need to know of an account: its identity key, and its devices.
//!
//! A device that is gone is marked stale, not removed, so that late messages can be read. Whose word
//! a change rests on (the relay's refusal, a decrypted message) is the caller's business.

use wire::{AccountId, DeviceId};

use crate::error::Error;
use crate::output::Event;
use crate::record::{PeerDevice, PeerRecord, key};
use crate::tx::Tx;

/// An account's record, or that of one we know nothing of.
pub(crate) async fn record(tx: &mut Tx<'_>, account: AccountId) -> Result<PeerRecord, Error> {
    Ok(tx.get(account.as_bytes()).await?.unwrap_or_default())
}

/// Writes the record of our own account, and tells of its devices.
pub(crate) fn put_own(tx: &mut Tx<'_>, own: AccountId, peer: &PeerRecord) {
    tx.put(own.as_bytes(), peer);
    tx.emit(Event::Devices(current_devices(peer)));
}

/// A device that is there; a registration id of 0 is not known yet.
pub(crate) fn add_device(peer: &mut PeerRecord, device: DeviceId, registration_id: u32) {
    let number = u32::from(device);
    let fresh = PeerDevice {
        device: number,
        registration_id,
        stale_since: 0,
    };
    match peer.devices.iter_mut().find(|known| known.device == number) {
        Some(known) => *known = fresh,
        None => peer.devices.push(fresh),
    }
}

/// A device that is gone.
pub(crate) fn mark_stale(peer: &mut PeerRecord, device: DeviceId, now: u64) {
    let number = u32::from(device);
    if let Some(known) = peer.devices.iter_mut().find(|known| known.device == number) {
        known.stale_since = now.max(1);
    }
}

/// The devices that are not stale.
pub(crate) fn current_devices(peer: &PeerRecord) -> Vec<DeviceId> {
    let current = peer.devices.iter().filter(|device| device.stale_since == 0);
    current
        .filter_map(|device| key::device(device.device))
        .collect()
}
