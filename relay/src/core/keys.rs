//! Prekeys: upload, count, hand out.
//!
//! Invariant: a one-time key is handed out at most once, since it is deleted in the transaction that
//! answers with it. A device without one-time Kyber keys gives its last-resort one.

use std::collections::BTreeSet;

use wire::body::{Base64, DevicePreKeys, KeyCounts, PreKey, PreKeyResponse, SetKeys, SignedPreKey};
use wire::limits::ONE_TIME_KEYS_MAX;
use wire::{AccountId, DeviceAddress, DeviceId};

use super::proof::one_time_ec;
use super::quota::Kind;
use super::{Answer, Failure, Moment, lists, refused};
use crate::store::{DeviceRow, KeyKind, KeyRow, Read, Tx};

/// `PUT /v2/keys`.
pub(super) fn put(
    tx: &mut dyn Tx,
    device: &DeviceRow,
    query: &str,
    body: &[u8],
) -> Result<Answer, Failure> {
    // We have no phone-number identities; such keys must not replace those of the account.
    if query.split('&').any(|pair| pair == "identity=pni") {
        return Err(refused(422));
    }
    let SetKeys {
        pre_keys,
        pq_pre_keys,
        signed_pre_key,
        pq_last_resort_pre_key,
    } = wire::body::from_json(body)?;
    if pre_keys.len() > ONE_TIME_KEYS_MAX || pq_pre_keys.len() > ONE_TIME_KEYS_MAX {
        return Err(refused(422));
    }
    let at = device.address;
    let account = tx.account(at.account)?.ok_or_else(|| refused(401))?;
    let identity = lists::identity(&account, device)?;
    let ec = distinct(pre_keys.into_iter().map(one_time_ec))?;
    let kyber = distinct(pq_pre_keys.into_iter().map(|key| identity.kyber(key)))?;
    if let Some(key) = signed_pre_key {
        tx.put_signed_key(at, KeyKind::Ec, &identity.ec(key)?)?;
    }
    if let Some(key) = pq_last_resort_pre_key {
        tx.put_signed_key(at, KeyKind::Kyber, &identity.kyber(key)?)?;
    }
    for (kind, keys) in [(KeyKind::Ec, ec), (KeyKind::Kyber, kyber)] {
        if !keys.is_empty() {
            tx.replace_one_time(at, kind, &keys)?;
        }
    }
    Ok(Answer::empty(204))
}

fn distinct(keys: impl Iterator<Item = Result<KeyRow, Failure>>) -> Result<Vec<KeyRow>, Failure> {
    let keys = keys.collect::<Result<Vec<_>, _>>()?;
    let ids: BTreeSet<_> = keys.iter().map(|key| key.id).collect();
    if ids.len() == keys.len() {
        Ok(keys)
    } else {
        Err(refused(422))
    }
}

/// `GET /v2/keys`.
pub(super) fn counts(tx: &mut dyn Read, device: &DeviceRow) -> Result<Answer, Failure> {
    let counts = KeyCounts {
        count: tx.one_time_count(device.address, KeyKind::Ec)?,
        pq_count: tx.one_time_count(device.address, KeyKind::Kyber)?,
    };
    Ok(Answer::json(200, &counts))
}

/// `GET /v2/keys/{aci}/{device or *}`.
pub(super) fn fetch(
    moment: &mut Moment<'_>,
    asking: &DeviceRow,
    account: AccountId,
    device: Option<DeviceId>,
) -> Result<Answer, Failure> {
    let of = moment.tx.account(account)?.ok_or_else(|| refused(404))?;
    let asker = asking.address;
    let which = device.map_or(0, DeviceId::get);
    let bucket = [
        asker.account.as_bytes().as_slice(),
        &[asker.device.get()],
        account.as_bytes(),
        &[which],
    ];
    moment.quota.take(Kind::PreKeys, &bucket, moment.now)?;
    let wanted =
        moment.tx.devices(account)?.into_iter().filter(|row| {
            device.map_or(row.address != asker, |device| row.address.device == device)
        });
    let mut devices = Vec::new();
    for row in wanted {
        devices.extend(bundle(moment.tx, &row)?);
    }
    if devices.is_empty() {
        return Err(refused(404));
    }
    let answer = PreKeyResponse {
        identity_key: Base64(of.identity_key),
        devices,
        device_list: (!of.list.is_empty()).then_some(Base64(of.list)),
    };
    Ok(Answer::json(200, &answer))
}

/// The bundle of one device, if it has its signed keys.
fn bundle(tx: &mut dyn Tx, device: &DeviceRow) -> Result<Option<DevicePreKeys>, Failure> {
    let at: DeviceAddress = device.address;
    let Some(signed) = tx.signed_key(at, KeyKind::Ec)? else {
        return Ok(None);
    };
    let kyber = match tx.take_one_time(at, KeyKind::Kyber)? {
        Some(key) => Some(key),
        None => tx.signed_key(at, KeyKind::Kyber)?,
    };
    let Some(kyber) = kyber else {
        return Ok(None);
    };
    Ok(Some(DevicePreKeys {
        device_id: at.device,
        registration_id: device.registration_id,
        signed_pre_key: signed_key(signed),
        pre_key: tx.take_one_time(at, KeyKind::Ec)?.map(|key| PreKey {
            key_id: key.id,
            public_key: Base64(key.public_key),
        }),
        pq_pre_key: signed_key(kyber),
        certificate: lists::certificate(device),
    }))
}

fn signed_key(key: KeyRow) -> SignedPreKey {
    let KeyRow {
        id,
        public_key,
        signature,
    } = key;
    SignedPreKey {
        key_id: id,
        public_key: Base64(public_key),
        signature: Base64(signature),
    }
}
