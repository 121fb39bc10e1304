//! What libsignal and sending need to know of an account: its identity key, and its devices.
//!
//! A device that is gone is marked stale, not removed, so that late messages can be read. Whose word
//! a change rests on (the relay's refusal, a decrypted message) is the caller's business.

use wire::{AccountId, DeviceId};

use crate::error::Error;
use crate::flat::Set;
use crate::limits::{KEYS_AGAIN_MS, STALE_MAX};
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

/// Writes the record of any account.
pub(crate) fn put(tx: &mut Tx<'_>, own: AccountId, account: AccountId, peer: &PeerRecord) {
    if account == own {
        put_own(tx, own, peer);
    } else {
        tx.put(account.as_bytes(), peer);
    }
}

/// The account has come with another identity key, which the person has not accepted.
pub(crate) fn key_changed(peer: &PeerRecord) -> bool {
    !peer.new_identity.is_empty()
}

/// A device that is there; an epoch of 0 is not known yet. Another incarnation of the same device is gone.
pub(crate) fn add_device(peer: &mut PeerRecord, device: DeviceId, epoch: u32, now: u64) {
    let number = u32::from(device);
    if present(peer, device).is_some_and(|known| epoch == 0 || known.registration_id == epoch) {
        return;
    }
    mark_stale(peer, device, now);
    let is_it = |d: &&mut PeerDevice| d.device == number && d.registration_id == epoch;
    match peer.devices.iter_mut().find(is_it) {
        Some(back) => (back.stale_since, back.old_keys_at, back.old_key) = (0, 0, 0),
        None => peer.devices.push(PeerDevice {
            device: number,
            registration_id: epoch,
            ..PeerDevice::default()
        }),
    }
}

/// A device that is gone. What is known of it stays for late messages (S-13).
pub(crate) fn mark_stale(peer: &mut PeerRecord, device: DeviceId, now: u64) {
    let number = u32::from(device);
    // Of one whose epoch never became known there is nothing to keep.
    peer.devices
        .retain(|d| !is_current(d, number) || d.registration_id != 0);
    for known in peer.devices.iter_mut().filter(|d| is_current(d, number)) {
        known.stale_since = now.max(1);
    }
    let mut stale: Vec<u64> = peer.devices.iter().map(|d| d.stale_since).collect();
    stale.retain(|since| *since != 0);
    stale.sort_unstable_by(|a, b| b.cmp(a));
    if let Some(oldest) = stale.get(STALE_MAX) {
        let oldest = *oldest;
        peer.devices
            .retain(|d| d.stale_since == 0 || d.stale_since > oldest);
    }
}

/// Whether this incarnation is known to be gone.
pub(crate) fn is_stale(peer: &PeerRecord, device: DeviceId, epoch: u32) -> bool {
    let number = u32::from(device);
    peer.devices
        .iter()
        .any(|d| d.device == number && d.registration_id == epoch && d.stale_since != 0)
}

/// Whether anything is known of this incarnation.
pub(crate) fn is_known(peer: &PeerRecord, device: DeviceId, epoch: u32) -> bool {
    let number = u32::from(device);
    peer.devices
        .iter()
        .any(|d| d.device == number && d.registration_id == epoch)
}

/// This published key of a device was too old for a new session; or, without one, none was, as far as we know.
pub(crate) fn note_keys(peer: &mut PeerRecord, device: DeviceId, old: Option<u32>, now: u64) {
    if let Some(known) = present_mut(peer, device) {
        known.old_keys_at = if old.is_some() { now.max(1) } else { 0 };
        known.old_key = old.unwrap_or_default();
    }
}

/// The signed key of a device that was too old.
pub(crate) fn old_key(peer: &PeerRecord, device: DeviceId) -> u32 {
    present(peer, device).map_or(0, |d| d.old_key)
}

/// Which of the devices that there is no session with to do without: their keys were too old lately. Of those for which that
/// is some time ago one is to be asked for again; no more at once, since the relay counts how often an account's keys are
/// asked for.
pub(crate) fn left_out(peer: &PeerRecord, lacking: &[DeviceId], now: u64) -> Set<DeviceId> {
    let old_at = |device: DeviceId| present(peer, device).map_or(0, |d| d.old_keys_at);
    let old = lacking.iter().map(|device| (old_at(*device), *device));
    let old: Set<_> = old.filter(|(at, _)| *at != 0).collect();
    // A mark that is still to come was made by a clock that has been set back.
    let lately = |at: u64| at <= now && now < at.saturating_add(KEYS_AGAIN_MS);
    let again = old.iter().find(|(at, _)| !lately(*at)).copied();
    let others = old.into_iter().filter(|one| Some(*one) != again);
    others.map(|(_, device)| device).collect()
}

/// Has all devices asked for anew if keys of one were too old: the person wants to know. Gives whether there is one.
pub(crate) fn ask_again(peer: &mut PeerRecord) -> bool {
    let is_old = |d: &PeerDevice| d.stale_since == 0 && d.old_keys_at != 0;
    let some = peer.devices.iter().any(is_old);
    peer.listed &= !some;
    some
}

fn is_current(device: &PeerDevice, number: u32) -> bool {
    device.device == number && device.stale_since == 0
}

/// What is known of the present incarnation of a device.
pub(crate) fn present(peer: &PeerRecord, device: DeviceId) -> Option<&PeerDevice> {
    let number = u32::from(device);
    peer.devices.iter().find(|d| is_current(d, number))
}

/// The same, to be changed.
pub(crate) fn present_mut(peer: &mut PeerRecord, device: DeviceId) -> Option<&mut PeerDevice> {
    let number = u32::from(device);
    peer.devices.iter_mut().find(|d| is_current(d, number))
}

/// The devices that are not stale, with their epochs: those that are sent to.
pub(crate) fn current(peer: &PeerRecord) -> impl Iterator<Item = (DeviceId, u32)> {
    let current = peer.devices.iter().filter(|device| device.stale_since == 0);
    current.filter_map(|device| Some((key::device(device.device)?, device.registration_id)))
}

/// The devices that are not stale.
pub(crate) fn current_devices(peer: &PeerRecord) -> Vec<DeviceId> {
    current(peer).map(|(device, _)| device).collect()
}
