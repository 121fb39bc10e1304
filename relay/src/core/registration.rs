//! A new account with its first device.
//!
//! The answer to a registration may be lost, and the client has nothing then but the keys and the
//! password it chose: so the same handle, identity key and password give the same account again.
//! Who has lost all devices begins the account anew, with another key that everybody sees.
//! Invariant: one account for each handle, and a device from its first moment.

use wire::body::{
    AccountAttributes, DeviceCredentials, Register, SignedPreKey, registration_proof,
};
use wire::limits::DEVICE_NAME_MAX;
use wire::{AccountId, DeviceAddress, DeviceId};

use super::answer::refused_until;
use super::linking::{NewDevice, add_device};
use super::proof::Identity;
use super::quota::Kind;
use super::{Answer, Core, Effect, Failure, Moment, auth, devices, refused, refused_as};
use crate::limits::{ANEW_AFTER_MS, CAPABILITIES_MAX, CAPABILITY_NAME_MAX};
use crate::store::{AccountRow, DeviceRow, KeyKind, KeyRow, PasswordHash, Tx};

pub(super) fn register(
    core: &Core,
    moment: &mut Moment<'_>,
    body: &[u8],
) -> Result<Answer, Failure> {
    let Register {
        handle,
        credential,
        password,
        identity_key,
        proof,
        account_attributes,
        aci_signed_pre_key,
        aci_pq_last_resort_pre_key,
        anew,
    } = wire::body::from_json(body)?;
    // In this order, so that strangers can't use up the permits of a handle that is not theirs.
    core.credentials
        .check(credential.as_deref(), &handle, moment.now)?;
    let bucket = [handle.as_str().as_bytes()];
    moment.quota.take(Kind::Registration, &bucket, moment.now)?;
    let identity = Identity::parse(&identity_key.0)?;
    identity.check(&registration_proof(&handle, &password), &proof.0)?;
    check_attributes(&account_attributes)?;
    let keys = FirstKeys::check(&identity, aci_signed_pre_key, aci_pq_last_resort_pre_key)?;

    let existing = moment.tx.account_by_handle(&handle)?;
    let device = match existing {
        Some(account) => match again(moment.tx, &account, &identity_key.0, &password)? {
            Some(device) => DeviceRow {
                registration_id: account_attributes.registration_id,
                name: account_attributes.name.0,
                capabilities: account_attributes.capabilities,
                ..device
            },
            None if anew && core.credentials.is_required() => {
                let new = NewDevice {
                    attributes: account_attributes,
                    keys,
                    password: auth::hash_password(moment, &password)?,
                };
                return begin_anew(moment, account, identity_key.0, new);
            }
            None => return Err(refused_as(409, "handle_taken")),
        },
        None => {
            let password = auth::hash_password(moment, &password)?;
            let id = AccountId::from_random_bytes(moment.random());
            moment.tx.insert_account(&AccountRow {
                id,
                handle,
                identity_key: identity_key.0,
                last_device: DeviceId::PRIMARY,
                created: moment.now,
                list: Vec::new(),
            })?;
            new_device(moment, primary(id), password, account_attributes)
        }
    };
    moment.tx.put_device(&device)?;
    keys.put(moment.tx, device.address)?;
    Ok(credentials(device.address))
}

/// The device that this registration has made, if it is one that was answered before.
fn again(
    tx: &mut dyn Tx,
    account: &AccountRow,
    identity_key: &[u8],
    password: &str,
) -> Result<Option<DeviceRow>, Failure> {
    if account.identity_key != identity_key {
        return Ok(None);
    }
    let mut devices = tx.devices(account.id)?.into_iter();
    Ok(devices.find(|device| auth::is_password(password, &device.password)))
}

/// The same account with another key, which everybody who knows it sees, and nothing of what it was. Only the platform's word
/// is there for it, so it is not taken while one of the devices may still be in use: a sign-in that was stolen ends no account
/// that somebody uses.
fn begin_anew(
    moment: &mut Moment<'_>,
    mut account: AccountRow,
    identity_key: Vec<u8>,
    new: NewDevice,
) -> Result<Answer, Failure> {
    let devices = moment.tx.devices(account.id)?;
    let lately = devices.iter().map(|device| device.last_seen).max();
    let free_at = lately.map_or(0, |day| day + ANEW_AFTER_MS);
    if moment.now < free_at {
        let wait_s = (free_at - moment.now).div_ceil(1000);
        return Err(refused_until(409, "devices_active", wait_s));
    }
    let gone: Vec<_> = devices.iter().map(|device| device.address).collect();
    for address in &gone {
        devices::purge(moment.tx, *address)?;
    }
    moment.tx.delete_account(account.id)?;
    account.identity_key = identity_key;
    account.list = Vec::new();
    moment.tx.insert_account(&account)?;
    let device = add_device(moment, &account, new)?;
    let removed = gone.into_iter().map(Effect::Removed);
    Ok(credentials(device.address).with(removed))
}

const fn primary(account: AccountId) -> DeviceAddress {
    DeviceAddress {
        account,
        device: DeviceId::PRIMARY,
    }
}

/// The prekeys without which a device can't be written to.
pub(super) struct FirstKeys {
    signed: KeyRow,
    last_resort: KeyRow,
}

impl FirstKeys {
    pub(super) fn check(
        identity: &Identity,
        signed: SignedPreKey,
        last_resort: SignedPreKey,
    ) -> Result<Self, Failure> {
        Ok(Self {
            signed: identity.ec(signed)?,
            last_resort: identity.kyber(last_resort)?,
        })
    }

    pub(super) fn put(&self, tx: &mut dyn Tx, device: DeviceAddress) -> Result<(), Failure> {
        tx.put_signed_key(device, KeyKind::Ec, &self.signed)?;
        tx.put_signed_key(device, KeyKind::Kyber, &self.last_resort)?;
        Ok(())
    }
}

pub(super) fn new_device(
    moment: &mut Moment<'_>,
    address: DeviceAddress,
    password: PasswordHash,
    attributes: AccountAttributes,
) -> DeviceRow {
    let AccountAttributes {
        fetches_messages: _,
        registration_id,
        pni_registration_id: _,
        name,
        capabilities,
    } = attributes;
    DeviceRow {
        address,
        // 63 bits: the database's integers have a sign.
        incarnation: u64::from_be_bytes(moment.random()) >> 1,
        registration_id,
        name: name.0,
        password,
        created: moment.now,
        last_seen: auth::start_of_day(moment.now),
        capabilities,
        certificate: Vec::new(),
    }
}

pub(super) fn check_attributes(attributes: &AccountAttributes) -> Result<(), Failure> {
    let AccountAttributes {
        fetches_messages,
        registration_id: _,
        pni_registration_id: _,
        name,
        capabilities,
    } = attributes;
    let good = *fetches_messages
        && name.0.len() <= DEVICE_NAME_MAX
        && capabilities.len() <= CAPABILITIES_MAX
        && capabilities
            .keys()
            .all(|name| name.len() <= CAPABILITY_NAME_MAX);
    if good { Ok(()) } else { Err(refused(422)) }
}

pub(super) fn credentials(device: DeviceAddress) -> Answer {
    let DeviceAddress { account, device } = device;
    let credentials = DeviceCredentials {
        uuid: account,
        pni: None,
        device_id: device,
    };
    Answer::json(200, &credentials)
}
