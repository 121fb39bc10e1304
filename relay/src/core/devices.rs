//! Devices and accounts as others see them, and how they end: all that is kept for one goes in one transaction.
//! Sessions and their keys are not known here.

use std::collections::BTreeMap;

use wire::body::{AccountInfo, Base64, DeviceInfo, Devices};
use wire::{AccountId, DeviceAddress, DeviceId, Handle};

use super::{Answer, Effect, Failure, lists, refused, refused_as};
use crate::limits::{CAPABILITIES_MAX, CAPABILITY_NAME_MAX};
use crate::store::{AccountRow, DeviceRow, Read, Tx};

pub(super) fn who_am_i(tx: &mut dyn Read, device: &DeviceRow) -> Result<Answer, Failure> {
    let account = tx.account(device.address.account)?;
    found(account, Some(device.address.device))
}

pub(super) fn account(tx: &mut dyn Read, id: AccountId) -> Result<Answer, Failure> {
    found(tx.account(id)?, None)
}

pub(super) fn account_by_handle(tx: &mut dyn Read, handle: &Handle) -> Result<Answer, Failure> {
    found(tx.account_by_handle(handle)?, None)
}

fn found(account: Option<AccountRow>, device_id: Option<DeviceId>) -> Result<Answer, Failure> {
    let AccountRow {
        id,
        handle,
        identity_key: _,
        last_device: _,
        created: _,
        list,
    } = account.ok_or_else(|| refused(404))?;
    let answer = AccountInfo {
        uuid: id,
        handle,
        list_version: device_id.and_then(|_| lists::version(&list)),
        device_id,
    };
    Ok(Answer::json(200, &answer))
}

pub(super) fn list(tx: &mut dyn Read, device: &DeviceRow) -> Result<Answer, Failure> {
    let rows = tx.devices(device.address.account)?;
    let devices = rows.into_iter().map(describe).collect();
    Ok(Answer::json(200, &Devices { devices }))
}

pub(super) fn describe(device: DeviceRow) -> DeviceInfo {
    let certificate = lists::certificate(&device);
    let DeviceRow {
        address,
        incarnation: _,
        registration_id,
        name,
        password: _,
        created,
        last_seen,
        capabilities: _,
        certificate: _,
    } = device;
    DeviceInfo {
        id: address.device,
        name: Base64(name),
        last_seen,
        created,
        registration_id,
        certificate,
    }
}

/// By any device that holds the account's identity key; by every one of itself. To remove what is not there is no
/// error: the answer to the first try may have been lost. An account is never left without a device that holds its key.
pub(super) fn remove(
    tx: &mut dyn Tx,
    asking: &DeviceRow,
    device: DeviceId,
) -> Result<Answer, Failure> {
    let account = asking.address.account;
    let address = DeviceAddress { account, device };
    if address != asking.address {
        lists::owner(asking)?;
    }
    if tx.device(address)?.is_none() {
        return Ok(Answer::empty(204));
    }
    let devices = tx.devices(account)?;
    let mut others = devices.iter().filter(|row| row.address != address);
    if !others.any(|row| row.certificate.is_empty()) {
        return Err(refused_as(403, "last_device"));
    }
    // Whoever asked for one may be the one that goes, and must not come back with it.
    tx.end_tokens(account)?;
    purge(tx, address)?;
    Ok(Answer::empty(204).with([Effect::Removed(address)]))
}

/// By any device that holds the account's identity key. What others have in their mailboxes is theirs and stays, and so do the blobs
/// that it may name, without an owner.
pub(super) fn delete_account(tx: &mut dyn Tx, asking: &DeviceRow) -> Result<Answer, Failure> {
    lists::owner(asking)?;
    let account = asking.address.account;
    let devices = tx.devices(account)?.into_iter().map(|row| row.address);
    let devices: Vec<_> = devices.collect();
    for address in &devices {
        purge(tx, *address)?;
    }
    tx.disown_blobs(account)?;
    tx.delete_account(account)?;
    Ok(Answer::empty(204).with(devices.into_iter().map(Effect::Removed)))
}

/// A device, and all that is kept for it.
pub(super) fn purge(tx: &mut dyn Tx, address: DeviceAddress) -> Result<(), Failure> {
    tx.delete_device(address)?;
    tx.delete_keys(address)?;
    tx.clear_mailbox(address)?;
    Ok(())
}

pub(super) fn set_capabilities(
    tx: &mut dyn Tx,
    device: &DeviceRow,
    body: &[u8],
) -> Result<Answer, Failure> {
    let capabilities: BTreeMap<String, bool> = wire::body::from_json(body)?;
    if capabilities.len() > CAPABILITIES_MAX
        || capabilities
            .keys()
            .any(|name| name.len() > CAPABILITY_NAME_MAX)
    {
        return Err(refused(422));
    }
    tx.put_device(&DeviceRow {
        capabilities,
        ..device.clone()
    })?;
    Ok(Answer::empty(204))
}
