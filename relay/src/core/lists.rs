//! Signed device lists and certificates: kept, handed out, and held to what the account's key says.
//!
//! The relay checks so that a broken device is told at once; whom to trust, every client decides for itself. Invariants: a stored
//! list is signed by its account's key and follows the one before; a device with a certificate is in the list, and one that the
//! list names no more is gone in the same transaction.

use sha2::{Digest, Sha256};
use wire::AccountId;
use wire::body::{Base64, ListedDevices, PutDeviceList};
use wire::certificate::{Certificate, Role, SignedCertificate};
use wire::device_list::{DeviceList, SignedList};

use super::proof::Identity;
use super::{Answer, Effect, Failure, devices, refused, refused_as};
use crate::store::{AccountRow, DeviceRow, Read, Tx};

/// `GET /v1/accounts/{aci}/list`.
pub(super) fn get(tx: &mut dyn Read, account: AccountId) -> Result<Answer, Failure> {
    let row = tx.account(account)?.ok_or_else(|| refused(404))?;
    if row.list.is_empty() {
        return Err(refused_as(404, "no_list"));
    }
    Ok(Answer::json(200, &listed(tx, row)?))
}

/// `PUT /v1/accounts/me/list`. The same one again is no error: the first answer may have been lost.
pub(super) fn put(tx: &mut dyn Tx, asking: &DeviceRow, body: &[u8]) -> Result<Answer, Failure> {
    owner(asking)?;
    let PutDeviceList { list, certificates } = wire::body::from_json(body)?;
    let signed = SignedList::decode(&list.0)?;
    let account = asking.address.account;
    let row = tx.account(account)?.ok_or_else(|| refused(401))?;
    if row.list == list.0 {
        return Ok(Answer::empty(200));
    }
    let is_own = signed.list.account == account && row.identity_key == signed.list.account_key;
    if !is_own {
        return Err(refused(422));
    }
    let signed_body = DeviceList::signed_by_account(&signed.list.encode());
    Identity::parse(&row.identity_key)?.check(&signed_body, &signed.signature)?;
    if !follows(&signed.list, &row.list)? {
        return Err(match row.list.is_empty() {
            true => refused(422),
            false => Failure::Refused(Answer::json(409, &listed(tx, row)?)),
        });
    }
    tx.put_list(account, &list.0)?;
    let row = AccountRow {
        list: list.0,
        ..row
    };
    for certificate in &certificates {
        replace_certificate(tx, &row, &certificate.0)?;
    }
    let mut removed = Vec::new();
    for device in tx.devices(account)? {
        if device.certificate.is_empty() {
            continue;
        }
        let known = SignedCertificate::decode(&device.certificate).ok();
        if !known.is_some_and(|known| names(&signed.list, &known.certificate)) {
            tx.end_tokens(account)?;
            devices::purge(tx, device.address)?;
            removed.push(Effect::Removed(device.address));
        }
    }
    Ok(Answer::empty(200).with(removed))
}

/// A device that has a certificate gets another one: the same key, for another time.
fn replace_certificate(tx: &mut dyn Tx, account: &AccountRow, bytes: &[u8]) -> Result<(), Failure> {
    let wrong = || refused_as(403, "certificate_refused");
    let new = SignedCertificate::decode(bytes)?.certificate;
    let device = tx.device(new.address)?.ok_or_else(wrong)?;
    let known = SignedCertificate::decode(&device.certificate).map_err(|_| wrong())?;
    let known = known.certificate;
    if (known.key, known.epoch, known.role) != (new.key, new.epoch, new.role) {
        return Err(wrong());
    }
    check_certificate(account, &device, bytes)?;
    tx.put_device(&DeviceRow {
        certificate: bytes.to_vec(),
        ..device
    })?;
    Ok(())
}

/// Whose a device is, by its certificate: another person's, or the account's own person's.
pub(super) fn is_of_another_person(certificate: &[u8]) -> bool {
    let signed = SignedCertificate::decode(certificate);
    signed.is_ok_and(|signed| signed.certificate.role.is_delegate())
}

/// Whether this is the next version of the stored one.
fn follows(list: &DeviceList, stored: &[u8]) -> Result<bool, Failure> {
    if stored.is_empty() {
        return Ok(list.version == 1);
    }
    let before = SignedList::decode(stored)?.list;
    let hash: [u8; 32] = Sha256::digest(before.encode()).into();
    Ok(before.version.checked_add(1) == Some(list.version)
        && list.previous == hash
        && list.highest_epoch >= before.highest_epoch)
}

fn listed(tx: &mut (impl Read + ?Sized), row: AccountRow) -> Result<ListedDevices, Failure> {
    let devices = tx.devices(row.id)?;
    Ok(ListedDevices {
        list: Base64(row.list),
        certificates: devices.iter().filter_map(certificate).collect(),
    })
}

fn names(list: &DeviceList, certificate: &Certificate) -> bool {
    let hash: [u8; 32] = Sha256::digest(certificate.encode()).into();
    list.entries.iter().any(|entry| {
        entry.device == certificate.address.device
            && entry.epoch == certificate.epoch
            && entry.certificate == hash
    })
}

/// The version of a stored list.
pub(super) fn version(list: &[u8]) -> Option<u64> {
    SignedList::decode(list)
        .ok()
        .map(|signed| signed.list.version)
}

/// The certificate of a device, as it is handed out.
pub(super) fn certificate(device: &DeviceRow) -> Option<Base64> {
    (!device.certificate.is_empty()).then(|| Base64(device.certificate.clone()))
}

/// The key that signs a device's prekeys: the account's, or its own.
pub(super) fn identity(account: &AccountRow, device: &DeviceRow) -> Result<Identity, Failure> {
    if device.certificate.is_empty() {
        return Identity::parse(&account.identity_key);
    }
    Identity::parse(
        &SignedCertificate::decode(&device.certificate)?
            .certificate
            .key,
    )
}

/// Only who holds the account's key may change who speaks for the account (K-5).
pub(super) fn owner(device: &DeviceRow) -> Result<(), Failure> {
    if device.certificate.is_empty() {
        Ok(())
    } else {
        Err(refused_as(403, "not_owner"))
    }
}

/// A new device's certificate: of this account and device, in the list, and signed by both keys.
pub(super) fn check_certificate(
    account: &AccountRow,
    device: &DeviceRow,
    bytes: &[u8],
) -> Result<(), Failure> {
    let wrong = || refused_as(403, "certificate_refused");
    let signed = SignedCertificate::decode(bytes)?;
    let body = signed.certificate.encode();
    let Certificate {
        address,
        registration_id,
        key,
        role,
        account_key,
        ..
    } = &signed.certificate;
    let is_its = *address == device.address
        && *registration_id == device.registration_id
        && account.identity_key == account_key
        && account.identity_key != key
        && *role != Role::Owner;
    let list = SignedList::decode(&account.list).map_err(|_| wrong())?;
    if !is_its || !names(&list.list, &signed.certificate) {
        return Err(wrong());
    }
    let own = Identity::parse(key)?;
    let agrees = own.has_signed(&Certificate::signed_by_device(&body), &signed.by_device);
    let of_account = Identity::parse(&account.identity_key)?;
    of_account.check(&Certificate::signed_by_account(&body), &signed.by_account)?;
    if agrees { Ok(()) } else { Err(wrong()) }
}
