//! The account key, sealed by words that only the person has: kept, given to whoever the platform vouches for, and the way
//! to become a device with what is in it.
//!
//! It can't be opened here. Only who holds the account key puts one there or becomes a device by it, and says so with a
//! signature; the platform's credential is asked for besides. An account has one, so a new one ends the one before.

use sha2::{Digest, Sha256};
use wire::body::{Base64, from_json};
use wire::limits::RECOVERY_MAX;
use wire::recovery::{
    OpenRecovery, OpenedRecovery, PutRecovery, RecoverDevice, RecoveryStatus, recover_device_proof,
    recovery_proof,
};

use super::linking::{NewDevice, add_device};
use super::proof::Identity;
use super::quota::Kind;
use super::registration::{FirstKeys, check_attributes, credentials};
use super::{Answer, Core, Effect, Failure, Moment, auth, devices, refused, refused_as};
use crate::store::{AccountRow, DeviceRow, Read, RecoveryRow};

/// `GET /v1/recovery`.
pub(super) fn status(tx: &mut dyn Read, device: &DeviceRow) -> Result<Answer, Failure> {
    let row = tx.recovery(device.address.account)?;
    let RecoveryRow { sealed, made } = row.ok_or_else(none)?;
    let digest = Base64(Sha256::digest(sealed).to_vec());
    Ok(Answer::json(200, &RecoveryStatus { made, digest }))
}

/// `PUT /v1/recovery`.
pub(super) fn put(
    moment: &mut Moment<'_>,
    device: &DeviceRow,
    body: &[u8],
) -> Result<Answer, Failure> {
    let PutRecovery { sealed, proof } = from_json(body)?;
    if !(1..=RECOVERY_MAX).contains(&sealed.0.len()) {
        return Err(refused(422));
    }
    let id = device.address.account;
    moment.take(Kind::Recovery, device)?;
    let account = moment.tx.account(id)?.ok_or_else(|| refused(401))?;
    let identity = Identity::parse(&account.identity_key)?;
    identity.check(&recovery_proof(id, &sealed.0), &proof.0)?;
    let row = RecoveryRow {
        sealed: sealed.0,
        made: moment.now,
    };
    moment.tx.put_recovery(id, &row)?;
    Ok(Answer::empty(204))
}

/// `PUT /v1/recovery/open`.
pub(super) fn open(core: &Core, moment: &mut Moment<'_>, body: &[u8]) -> Result<Answer, Failure> {
    let OpenRecovery { handle, credential } = from_json(body)?;
    core.credentials
        .check(credential.as_deref(), &handle, moment.now)?;
    let account = account(moment, &handle, b"open")?;
    let row = moment.tx.recovery(account.id)?.ok_or_else(none)?;
    let answer = OpenedRecovery {
        uuid: account.id,
        sealed: Base64(row.sealed),
    };
    Ok(Answer::json(200, &answer))
}

/// `PUT /v1/recovery/device`. The answer may be lost: whoever asks again with the same password gets the same one.
pub(super) fn device(core: &Core, moment: &mut Moment<'_>, body: &[u8]) -> Result<Answer, Failure> {
    let RecoverDevice {
        handle,
        credential,
        password,
        proof,
        account_attributes,
        aci_signed_pre_key,
        aci_pq_last_resort_pre_key,
    } = from_json(body)?;
    core.credentials
        .check(credential.as_deref(), &handle, moment.now)?;
    let account = account(moment, &handle, b"device")?;
    let identity = Identity::parse(&account.identity_key)?;
    identity.check(&recover_device_proof(account.id, &password), &proof.0)?;
    check_attributes(&account_attributes)?;
    let keys = FirstKeys::check(&identity, aci_signed_pre_key, aci_pq_last_resort_pre_key)?;
    let known = moment.tx.devices(account.id)?;
    let is_it = |device: &&DeviceRow| {
        auth::is_password(&password, &device.password)
            && device.registration_id == account_attributes.registration_id
    };
    if let Some(device) = known.iter().find(is_it) {
        return Ok(credentials(device.address));
    }
    let removed = make_room(core, moment, &known)?;
    let new = NewDevice {
        attributes: account_attributes,
        keys,
        password: auth::hash_password(moment, &password)?,
    };
    let device = add_device(moment, &account, new)?;
    Ok(credentials(device.address).with(removed))
}

/// Who has lost all devices can't remove one: of as many as there may be, the one that was here least lately goes.
fn make_room(
    core: &Core,
    moment: &mut Moment<'_>,
    known: &[DeviceRow],
) -> Result<Option<Effect>, Failure> {
    if known.len() < core.devices_max {
        return Ok(None);
    }
    let oldest = known.iter().min_by_key(|row| (row.last_seen, row.created));
    let Some(oldest) = oldest.map(|row| row.address) else {
        return Ok(None);
    };
    devices::purge(moment.tx, oldest)?;
    Ok(Some(Effect::Removed(oldest)))
}

/// The account of a handle, which may be asked for so often in an hour.
fn account(
    moment: &mut Moment<'_>,
    handle: &wire::Handle,
    what: &[u8],
) -> Result<AccountRow, Failure> {
    let account = moment.tx.account_by_handle(handle)?;
    let account = account.ok_or_else(|| refused_as(404, "unknown_handle"))?;
    let bucket: [&[u8]; 2] = [account.id.as_bytes(), what];
    moment.quota.take(Kind::Recovery, &bucket, moment.now)?;
    Ok(account)
}

fn none() -> Failure {
    refused_as(404, "no_recovery")
}
