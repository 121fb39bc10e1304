//! Whom an account's devices are: the one rule by which a key is trusted to speak for an account.
//!
//! Rule TR-1: the key of a device is trusted if it is the account's key, or certified by it for this device and incarnation in the
//! newest list that we have seen (design section 6). Rule TR-2: versions of a list only rise; another list of the same version is
//! an alarm. Rule TR-3: a list that has expired, or that we know not to be the newest for longer than [`NEWER_LIST_MS`],
//! is good for reading what comes and not for sending. A device that was retired may still be read, one that was lost not (T10).
//!
//! `take` brings lists in, `issue` changes them and `make` writes them, `ask` gets them from the relay, `beacon` compares them inside every message.
//! An account's key itself is trusted as `identity` says.

mod ask;
mod beacon;
mod issue;
mod make;
mod take;
#[cfg(test)]
mod tests;

use libsignal_protocol::IdentityKey;
use wire::body::{DevicePreKeys, PreKeyResponse};
use wire::certificate::{Role, SignedCertificate};
use wire::device_list::{DeviceList, SignedList};
use wire::{AccountId, DeviceId};

use crate::account::Account;
use crate::guard;
use crate::input::Timestamp;
use crate::limits::NEWER_LIST_MS;
use crate::peers;
use crate::record::{PeerDevice, PeerRecord};
pub(crate) use ask::Lists;
pub(crate) use beacon::{Beacons, bound};
pub(crate) use issue::{ListChange, Purpose};
pub(crate) use make::{consent, key_bytes, signed_by_account};
pub(crate) use take::{Listing, Outcome, names, newest, note_own, take};

/// A device with a key of its own, as the rule sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Certified {
    /// Its registration id.
    pub(crate) incarnation: u32,
    pub(crate) key: IdentityKey,
    /// It may be sent to; else only what it has sent may be read.
    pub(crate) is_current: bool,
}

/// The keys that are trusted for this device beside the account's.
pub(crate) fn certified(peer: &PeerRecord, device: DeviceId, now: Timestamp) -> Vec<Certified> {
    let number = u32::from(device);
    let good = is_good(peer, now);
    let own_keys = peer.devices.iter().filter(|known| {
        known.device == number && !known.key.is_empty() && !known.refused && now.0 < known.until
    });
    own_keys
        .filter_map(|known| {
            Some(Certified {
                incarnation: known.registration_id,
                key: guard::identity_key(&known.key).ok()?,
                is_current: good && known.stale_since == 0,
            })
        })
        .collect()
}

/// This incarnation has, or had, a key of its own.
pub(crate) fn has_own_key(peer: &PeerRecord, device: DeviceId) -> bool {
    let number = u32::from(device);
    let mut of_it = peer.devices.iter().filter(|known| known.device == number);
    of_it.any(|known| !known.key.is_empty())
}

/// Something under this key, or in a session of this device, is of one that was revoked as lost.
pub(crate) fn is_refused(peer: &PeerRecord, device: DeviceId, key: Option<&[u8]>) -> bool {
    let number = u32::from(device);
    let mut of_it = peer.devices.iter().filter(|known| known.device == number);
    match key {
        Some(key) => of_it.any(|known| known.refused && known.key == key),
        None => of_it.any(|known| known.refused && known.stale_since != 0),
    }
}

/// Of the current incarnation it is known that the account's key does not vouch for it, or not now.
pub(crate) fn is_untrusted(peer: &PeerRecord, device: DeviceId, now: Timestamp) -> bool {
    peers::present(peer, device).is_some_and(|known| {
        let expired = !known.key.is_empty() && (!is_good(peer, now) || known.until <= now.0);
        known.uncertified || expired
    })
}

/// The key that a device has published its prekeys under: the account's, or one that it vouches for.
pub(crate) fn published_key(
    peer: &PeerRecord,
    keys: &PreKeyResponse,
    published: &DevicePreKeys,
    now: Timestamp,
) -> Option<Vec<u8>> {
    let Some(certificate) = &published.certificate else {
        return Some(keys.identity_key.0.clone());
    };
    let signed = SignedCertificate::decode(&certificate.0).ok()?;
    let incarnation = u32::from(published.registration_id);
    let good = certified(peer, published.device_id, now);
    let mut good = good.iter().filter(|known| {
        let key = known.key.serialize();
        known.is_current && known.incarnation == incarnation && *key == signed.certificate.key
    });
    good.next().map(|known| known.key.serialize().into_vec())
}

/// The present incarnation of a device is not to be sent to until its account's key vouches for it.
pub(crate) fn note_uncertified(peer: &mut PeerRecord, device: DeviceId) {
    if let Some(known) = peers::present_mut(peer, device) {
        known.uncertified = true;
    }
}

/// What the present incarnation of a device is to its account, as far as its certificate says.
pub(crate) fn role(peer: &PeerRecord, device: DeviceId) -> Role {
    peers::present(peer, device).map_or(Role::Owner, role_of)
}

/// The same of any incarnation, which may be gone.
pub(crate) fn role_at(peer: &PeerRecord, device: DeviceId, incarnation: u32) -> Role {
    incarnation_of(peer, device, incarnation).map_or(Role::Owner, role_of)
}

/// What is known of an incarnation.
pub(crate) fn incarnation_of(
    peer: &PeerRecord,
    device: DeviceId,
    incarnation: u32,
) -> Option<&PeerDevice> {
    let number = u32::from(device);
    let mut of_it = peer.devices.iter().filter(|known| known.device == number);
    of_it.find(|known| known.registration_id == incarnation)
}

/// By its certificate; without one a device is an owner.
pub(crate) fn role_of(known: &PeerDevice) -> Role {
    let role = u8::try_from(known.role).ok().map(Role::try_from);
    role.and_then(Result::ok).unwrap_or(Role::Owner)
}

/// The newest list that we have of an account.
pub(crate) fn list(peer: &PeerRecord) -> Option<DeviceList> {
    SignedList::decode(&peer.list)
        .ok()
        .map(|signed| signed.list)
}

/// Rule TR-3.
fn is_good(peer: &PeerRecord, now: Timestamp) -> bool {
    let in_time = list(peer).is_some_and(|list| now.0 < list.expires);
    let newer = Timestamp(peer.newer_list_at).plus_ms(NEWER_LIST_MS);
    in_time && !peer.forked_list && (peer.newer_list_at == 0 || now < newer)
}

/// The account's key, where it is known: our own, or the one that was first seen.
pub(crate) fn account_key(own: &Account, peer: &PeerRecord, of: AccountId) -> Option<IdentityKey> {
    if of == own.id() {
        return Some(own.account_key);
    }
    guard::identity_key(&peer.identity).ok()
}
