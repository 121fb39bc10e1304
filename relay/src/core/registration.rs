//! A new account with its first device.
//!
//! The answer to a registration may be lost, and the client has nothing then but the keys and the
//! password it chose: so the same handle, identity key and password give the same account again.
//! Invariant: one account for each handle, and device 1 from its first moment.

use wire::body::{
    AccountAttributes, DeviceCredentials, Register, SignedPreKey, registration_proof,
};
use wire::limits::DEVICE_NAME_MAX;
use wire::{AccountId, DeviceAddress, DeviceId};

use super::proof::Identity;
use super::quota::Kind;
use super::{Answer, Core, Failure, Moment, auth, refused, refused_as};
use crate::limits::{CAPABILITIES_MAX, CAPABILITY_NAME_MAX};
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
        Some(account) => {
            let taken = || refused_as(409, "handle_taken");
            let address = primary(account.id);
            let device = moment.tx.device(address)?.ok_or_else(taken)?;
            let same = account.identity_key == identity_key.0
                && auth::is_password(&password, &device.password);
            same.then_some(()).ok_or_else(taken)?;
            DeviceRow {
                registration_id: account_attributes.registration_id,
                name: account_attributes.name.0,
                capabilities: account_attributes.capabilities,
                ..device
            }
        }
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
