//! The bytes of lists and certificates: what a change makes of them, and who signs it. Pure.
//! When something changes, and who is told, is in `issue`.

use libsignal_protocol::IdentityKeyPair;
use rand_chacha::ChaCha20Rng;
use wire::body::LinkToken;
use wire::certificate::{Capabilities, Certificate, Role, SignedCertificate};
use wire::device_list::{DeviceList, Entry, REVOKED_MAX, Reason, Revoked};
use wire::{DeviceAddress, DeviceId, RegistrationId};

use super::take::{certificate_hash, hash};
use crate::account::Account;
use crate::error::Error;
use crate::input::Timestamp;
use crate::limits::{CERTIFICATE_EARLY_MS, STALE_MS};
use crate::record::PeerRecord;
use crate::staff::Standing;

/// The list as it is now, as the next version.
pub(super) fn next_list(own: &Account, peer: &PeerRecord, now: Timestamp) -> DeviceList {
    let before = super::list(peer);
    let mut list = match before {
        Some(before) => DeviceList {
            version: before.version.saturating_add(1),
            previous: hash(&before),
            ..before
        },
        None => DeviceList {
            account: own.id(),
            account_key: key_bytes(own.account_key.public_key()),
            version: 1,
            previous: [0; 32],
            issued: 0,
            expires: 0,
            issuer: own.address.device,
            highest_epoch: 0,
            entries: Vec::new(),
            revoked: Vec::new(),
        },
    };
    list.issuer = own.address.device;
    list.issued = now.0;
    // No message of theirs can be on its way any more.
    list.revoked
        .retain(|revoked| now < Timestamp(revoked.at).plus_ms(STALE_MS));
    list
}

/// Adds the device with this key; gives its certificate.
pub(super) fn certified(
    own: &Account,
    list: &mut DeviceList,
    (key, registration_id): ([u8; 33], RegistrationId),
    (token, standing): (&LinkToken, &Standing),
    now: Timestamp,
) -> Option<Certificate> {
    let (role, capabilities, not_after, label_commitment) = match standing {
        Standing::Owner => return None,
        // What it is worth today the list says, which lives for weeks.
        Standing::Device => (Role::Device, Capabilities::FULL, u64::MAX, [0; 32]),
        Standing::Delegate(granting) => (
            granting.role(),
            granting.capabilities(),
            granting.not_after(now),
            granting.label_commitment(),
        ),
    };
    let device = token.device_id?;
    revoke(list, device, Reason::Retired, now); // whoever had the id before
    list.highest_epoch = list.highest_epoch.checked_add(1)?;
    let certificate = Certificate {
        address: DeviceAddress {
            account: own.id(),
            device,
        },
        epoch: list.highest_epoch,
        registration_id,
        key,
        role,
        capabilities,
        not_before: now.0.saturating_sub(CERTIFICATE_EARLY_MS), // clocks differ
        not_after,
        label_commitment,
        account_key: key_bytes(own.account_key.public_key()),
    };
    list.entries.push(Entry {
        device,
        epoch: certificate.epoch,
        certificate: certificate_hash(&certificate),
    });
    list.entries.sort_by_key(|entry| entry.device);
    Some(certificate)
}

pub(super) fn is_delegate(standing: &Standing) -> bool {
    matches!(standing, Standing::Delegate(_))
}

/// Names another certificate of a device that is there. Gives whether it is.
pub(super) fn extend(list: &mut DeviceList, next: &Certificate) -> bool {
    let hash = certificate_hash(next);
    let mut entries = list.entries.iter_mut();
    let present =
        entries.find(|entry| entry.device == next.address.device && entry.epoch == next.epoch);
    present.map(|entry| entry.certificate = hash).is_some()
}

pub(super) fn revoke(list: &mut DeviceList, device: DeviceId, reason: Reason, now: Timestamp) {
    let gone = list.entries.iter().filter(|entry| entry.device == device);
    let gone: Vec<_> = gone
        .map(|entry| Revoked {
            device,
            epoch: entry.epoch,
            at: now.0,
            reason,
        })
        .collect();
    list.entries.retain(|entry| entry.device != device);
    list.revoked.extend(gone);
    if let Some(over) = list.revoked.len().checked_sub(REVOKED_MAX) {
        list.revoked.sort_by_key(|revoked| revoked.at);
        list.revoked.drain(..over);
    }
    list.revoked
        .sort_by_key(|revoked| (revoked.device, revoked.epoch));
}

pub(super) fn signed_new(
    own: &Account,
    certificate: Option<Certificate>,
    rng: &mut ChaCha20Rng,
) -> Result<Vec<u8>, Error> {
    let certificate = certificate.ok_or(Error::Bug("a link that can't be certified"))?;
    signed_by_account(own, &certificate, rng)
}

/// The body of a certificate and the account's signature.
pub(crate) fn signed_by_account(
    own: &Account,
    certificate: &Certificate,
    rng: &mut ChaCha20Rng,
) -> Result<Vec<u8>, Error> {
    let mut bytes = certificate.encode();
    let signature = sign(&own.identity, &Certificate::signed_by_account(&bytes), rng)?;
    bytes.extend(signature);
    Ok(bytes)
}

/// The new device's own signature: it is the one, and it agrees. `offered` is the body with the account's signature.
pub(crate) fn consent(
    offered: &[u8],
    key: &IdentityKeyPair,
    rng: &mut ChaCha20Rng,
) -> Option<SignedCertificate> {
    let (body, by_account) = offered.split_last_chunk()?;
    let certificate = Certificate::decode(body).ok()?;
    let by_device = sign(key, &Certificate::signed_by_device(body), rng).ok()?;
    Some(SignedCertificate {
        certificate,
        by_account: *by_account,
        by_device,
    })
}

pub(super) fn sign(
    key: &IdentityKeyPair,
    message: &[u8],
    rng: &mut ChaCha20Rng,
) -> Result<[u8; 64], Error> {
    let signature = key.private_key().calculate_signature(message, rng);
    let signature = signature.map_err(|_| Error::Bug("own key can't sign"))?;
    (*signature)
        .try_into()
        .map_err(|_| Error::Bug("a signature of another length"))
}

/// A key as it stands in certificates.
pub(crate) fn key_bytes(key: &libsignal_protocol::PublicKey) -> [u8; 33] {
    let mut bytes = [0; 33];
    let serialized = key.serialize();
    for (to, from) in bytes.iter_mut().zip(serialized.iter()) {
        *to = *from;
    }
    bytes
}
