//! A new device joins an account: token, link, and who was linked.
//!
//! A token is random; only its hash is stored. It makes one device, and to the device it made it
//! gives the same answer again, since the first one may have been lost.
//! Invariant: no two devices of an account have the same id at the same time, and a device that gets an
//! id starts with no keys and no envelopes of an earlier holder.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use sha2::{Digest, Sha256};
use wire::basic::Basic;
use wire::body::{AccountAttributes, LinkDevice, LinkToken, Provision};
use wire::limits::PROVISION_BODY_MAX;
use wire::{DeviceAddress, DeviceId};

use super::quota::Kind;
use super::registration::{FirstKeys, check_attributes, credentials, new_device};
use super::{Answer, Core, Effect, Failure, Moment, auth, devices, lists, refused, refused_as};
use crate::limits::{LINK_RESULT_KEPT_MS, LINK_TOKEN_MS, WAIT_S_MAX};
use crate::store::{AccountRow, DeviceRow, Linked, PasswordHash, Read, TokenRow};

/// `GET /v1/devices/provisioning/code`.
pub(super) fn token(
    core: &Core,
    moment: &mut Moment<'_>,
    device: &DeviceRow,
) -> Result<Answer, Failure> {
    lists::owner(device)?;
    let account = device.address.account;
    let bucket = [account.as_bytes().as_slice()];
    moment.quota.take(Kind::LinkToken, &bucket, moment.now)?;
    let devices = moment.tx.devices(account)?;
    check_room(core, &devices)?;
    let last = moment.tx.account(account)?.ok_or_else(|| refused(401))?;
    let device_id = free_id(last.last_device, &devices).ok_or_else(|| refused(411))?;
    // Whoever is linked meanwhile gets another one.
    moment.tx.put_last_device(account, device_id)?;
    let verification_code = URL_SAFE_NO_PAD.encode(moment.random::<32>());
    let token_identifier = identifier(&verification_code);
    let expires = moment.now + LINK_TOKEN_MS;
    let row = TokenRow {
        account,
        expires,
        device: Some(device_id),
        linked: None,
        forget_at: expires + LINK_RESULT_KEPT_MS,
    };
    moment.tx.put_token(&token_identifier, &row)?;
    let answer = LinkToken {
        verification_code,
        token_identifier,
        device_id: Some(device_id),
    };
    Ok(Answer::json(200, &answer))
}

/// `PUT /v1/devices/link`. Only the password of the header counts: the name is not known yet.
pub(super) fn link(
    core: &Core,
    moment: &mut Moment<'_>,
    body: &[u8],
    authorization: Option<&str>,
) -> Result<Answer, Failure> {
    let request: LinkDevice = wire::body::from_json(body)?;
    let password = Basic::parse(authorization.ok_or_else(|| refused(401))?)
        .map_err(|_| refused(401))?
        .password;
    let identifier = identifier(&request.verification_code);
    let bucket = [identifier.as_bytes()];
    moment.quota.take(Kind::Link, &bucket, moment.now)?;
    let expired = || refused_as(403, "token_expired");
    let token = moment.tx.token(&identifier)?.ok_or_else(expired)?;
    if let Some(linked) = token.linked {
        return again(moment.tx, &token, linked, &request, &password)?.ok_or_else(expired);
    }
    if moment.now >= token.expires {
        return Err(expired());
    }
    let account = moment.tx.account(token.account)?.ok_or_else(expired)?;
    let join = Join {
        account,
        chosen: token.device,
        password,
        identifier,
    };
    join.now(core, moment, request)
}

/// A device that has shown a good token.
struct Join {
    account: AccountRow,
    /// The id that was chosen for it with the token.
    chosen: Option<DeviceId>,
    password: String,
    identifier: String,
}

impl Join {
    fn now(
        self,
        core: &Core,
        moment: &mut Moment<'_>,
        request: LinkDevice,
    ) -> Result<Answer, Failure> {
        let LinkDevice {
            verification_code: _,
            account_attributes,
            aci_signed_pre_key,
            aci_pq_last_resort_pre_key,
            credential,
            certificate,
        } = request;
        let credential = credential.as_deref();
        let of_another = certificate
            .as_ref()
            .is_some_and(|certificate| lists::is_of_another_person(&certificate.0));
        if of_another {
            // They sign in as themself; the account's key has let them in.
            core.credentials.named(credential, moment.now)?;
        } else {
            core.credentials
                .check(credential, &self.account.handle, moment.now)?;
        }
        check_attributes(&account_attributes)?;
        let address = self.address(core, moment)?;
        let password = auth::hash_password(moment, &self.password)?;
        let mut device = new_device(moment, address, password, account_attributes);
        if let Some(certificate) = certificate {
            lists::check_certificate(&self.account, &device, &certificate.0)?;
            device.certificate = certificate.0;
        }
        let identity = lists::identity(&self.account, &device)?;
        let keys = FirstKeys::check(&identity, aci_signed_pre_key, aci_pq_last_resort_pre_key)?;

        moment.tx.delete_keys(address)?;
        moment.tx.clear_mailbox(address)?;
        moment.tx.put_device(&device)?;
        if self.chosen.is_none() {
            moment.tx.put_last_device(self.account.id, address.device)?;
        }
        keys.put(moment.tx, address)?;
        let row = TokenRow {
            account: self.account.id,
            expires: moment.now,
            device: self.chosen,
            linked: Some(Linked {
                device: address.device,
                incarnation: device.incarnation,
            }),
            forget_at: moment.now + LINK_RESULT_KEPT_MS,
        };
        moment.tx.put_token(&self.identifier, &row)?;
        Ok(credentials(address).with([Effect::Linked(self.identifier)]))
    }

    /// Where it will be: where its token says, unless somebody is there by now.
    fn address(&self, core: &Core, moment: &mut Moment<'_>) -> Result<DeviceAddress, Failure> {
        let devices = moment.tx.devices(self.account.id)?;
        check_room(core, &devices)?;
        let is_free = |id: &DeviceId| devices.iter().all(|row| row.address.device != *id);
        let chosen = self.chosen.filter(is_free);
        let device = chosen.or_else(|| free_id(self.account.last_device, &devices));
        Ok(DeviceAddress {
            account: self.account.id,
            device: device.ok_or_else(|| refused(411))?,
        })
    }
}

/// What a device that is new to an account brings with it.
pub(super) struct NewDevice {
    pub(super) attributes: AccountAttributes,
    pub(super) keys: FirstKeys,
    pub(super) password: PasswordHash,
}

/// Under the next id that is free, with nothing of an earlier holder.
pub(super) fn add_device(
    moment: &mut Moment<'_>,
    account: &AccountRow,
    new: NewDevice,
) -> Result<DeviceRow, Failure> {
    let devices = moment.tx.devices(account.id)?;
    let address = DeviceAddress {
        account: account.id,
        device: free_id(account.last_device, &devices).ok_or_else(|| refused(411))?,
    };
    moment.tx.delete_keys(address)?;
    moment.tx.clear_mailbox(address)?;
    let device = new_device(moment, address, new.password, new.attributes);
    moment.tx.put_device(&device)?;
    moment.tx.put_last_device(account.id, address.device)?;
    new.keys.put(moment.tx, address)?;
    Ok(device)
}

/// The same answer to the device that this token made, if it is the one that asks.
fn again(
    tx: &mut (impl Read + ?Sized),
    token: &TokenRow,
    linked: Linked,
    request: &LinkDevice,
    password: &str,
) -> Result<Option<Answer>, Failure> {
    let device = linked_row(tx, token, linked)?.filter(|device| {
        auth::is_password(password, &device.password)
            && device.registration_id == request.account_attributes.registration_id
    });
    Ok(device.map(|device| credentials(device.address)))
}

fn linked_row(
    tx: &mut (impl Read + ?Sized),
    token: &TokenRow,
    linked: Linked,
) -> Result<Option<DeviceRow>, Failure> {
    let device = tx.device(DeviceAddress {
        account: token.account,
        device: linked.device,
    })?;
    Ok(device.filter(|device| device.incarnation == linked.incarnation))
}

/// One look for `wait_for_linked_device`: 200 with the device, or 204 when there is none yet.
pub(super) fn linked_device(
    tx: &mut dyn Read,
    asking: &DeviceRow,
    token_identifier: &str,
    timeout_s: u32,
) -> Result<Answer, Failure> {
    if !(32..=64).contains(&token_identifier.len()) || !(1..=WAIT_S_MAX).contains(&timeout_s) {
        return Err(refused(400));
    }
    let token = tx
        .token(token_identifier)?
        .filter(|token| token.account == asking.address.account);
    let device = match token {
        Some(token) => match token.linked {
            Some(linked) => linked_row(tx, &token, linked)?,
            None => None,
        },
        None => None,
    };
    Ok(device.map_or(Answer::empty(204), |device| {
        Answer::json(200, &devices::describe(device))
    }))
}

/// The body of `PUT /v1/provisioning/{address}`: a 200 with the envelope's bytes.
pub(super) fn provision(body: &[u8]) -> Result<Answer, Failure> {
    if body.len() > PROVISION_BODY_MAX {
        return Err(refused(400));
    }
    let Provision { body } = wire::body::from_json(body).map_err(|_| refused(400))?;
    Ok(Answer::protobuf(200, body.0))
}

/// 411: an account has as many devices as it may have.
#[derive(Serialize)]
struct DeviceLimit {
    current: usize,
    max: usize,
}

fn check_room(core: &Core, devices: &[DeviceRow]) -> Result<(), Failure> {
    if devices.len() < core.devices_max {
        return Ok(());
    }
    let limit = DeviceLimit {
        current: devices.len(),
        max: core.devices_max,
    };
    Err(Failure::Refused(Answer::json(411, &limit)))
}

/// Ids are given out in turn, so that the id of a removed device, under which others still know it, stays unused for as
/// long as there is another one. 1 is never given out: Signal's clients take it for the primary.
fn free_id(last: DeviceId, devices: &[DeviceRow]) -> Option<DeviceId> {
    last.following()
        .chain(DeviceId::PRIMARY.following())
        .find(|id| devices.iter().all(|device| device.address.device != *id))
}

/// Unpadded URL-safe base64 of SHA-256, as Signal has it.
fn identifier(token: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(token.as_bytes()))
}
