//! `PUT /v1/messages/{aci}`: Signal's send to one account.
//! The request names exactly the devices of the account, or nothing is stored.

use std::collections::BTreeSet;

use wire::body::{MessagesSent, MismatchedDevices, SendMessages, StaleDevices};
use wire::limits::DEVICE_MESSAGE_MAX;
use wire::{AccountId, DeviceAddress, DeviceId, Envelope, EnvelopeKind};

use super::mailbox::{Posting, post_all};
use super::{Answer, Failure, Moment, refused};
use crate::limits::{MAIL_KEPT_MS, ONLINE_MAIL_KEPT_MS, TIMESTAMP_MAX};
use crate::store::DeviceRow;

pub(super) fn send(
    moment: &mut Moment<'_>,
    sender: &DeviceRow,
    to: AccountId,
    body: &[u8],
) -> Result<Answer, Failure> {
    let request: SendMessages = wire::body::from_json(body)?;
    check(&request)?;
    moment.tx.account(to)?.ok_or_else(|| refused(404))?;
    let actual = required_devices(moment, to, sender.address)?;
    check_devices(&request, &actual)?;

    let source = sender.address;
    let needs_sync = to != source.account && moment.tx.devices(source.account)?.len() > 1;
    let client_timestamp = match request.timestamp {
        0 => moment.now,
        given => given,
    };
    let postings = request.messages.into_iter().map(|message| {
        Ok(Posting {
            to: DeviceAddress {
                account: to,
                device: message.destination_device_id,
            },
            envelope: Envelope {
                kind: sendable(message.kind)?,
                source,
                destination: Some(to),
                client_timestamp,
                server_timestamp: 0,
                guid: None,
                urgent: request.urgent,
                certified: !sender.certificate.is_empty(),
                content: message.content.0,
            },
        })
    });
    let postings = postings.collect::<Result<Vec<_>, Failure>>()?;
    let kept_ms = if request.online {
        ONLINE_MAIL_KEPT_MS
    } else {
        MAIL_KEPT_MS
    };
    let (_, effects) = post_all(moment, postings, kept_ms)?;
    Ok(Answer::json(200, &MessagesSent { needs_sync }).with(effects))
}

/// What can be said without looking anything up.
fn check(request: &SendMessages) -> Result<(), Failure> {
    let named: BTreeSet<_> = request
        .messages
        .iter()
        .map(|message| message.destination_device_id)
        .collect();
    let good = !request.messages.is_empty()
        && named.len() == request.messages.len()
        && request.timestamp <= TIMESTAMP_MAX;
    if !good {
        return Err(refused(422));
    }
    for message in &request.messages {
        sendable(message.kind)?;
        if message.content.0.len() > DEVICE_MESSAGE_MAX {
            return Err(refused(413));
        }
    }
    Ok(())
}

/// Receipts come from the relay alone, and sealed sender from sockets that did not say who they are.
pub(super) fn sendable(kind: u32) -> Result<EnvelopeKind, Failure> {
    let kind = EnvelopeKind::try_from(kind).map_err(|_| refused(422))?;
    match kind {
        EnvelopeKind::Ciphertext | EnvelopeKind::PreKey | EnvelopeKind::Plaintext => Ok(kind),
        EnvelopeKind::ServerReceipt | EnvelopeKind::Sealed => Err(refused(422)),
    }
}

/// All devices of an account but the one that sends.
pub(super) fn required_devices(
    moment: &mut Moment<'_>,
    account: AccountId,
    sender: DeviceAddress,
) -> Result<Vec<DeviceRow>, Failure> {
    let mut devices = moment.tx.devices(account)?;
    devices.retain(|device| device.address != sender);
    Ok(devices)
}

/// 410 before 409: with a stale device the rest of the set says nothing.
fn check_devices(request: &SendMessages, actual: &[DeviceRow]) -> Result<(), Failure> {
    let named = request.messages.iter().map(|message| {
        (
            message.destination_device_id,
            message.destination_registration_id,
        )
    });
    let DeviceSet {
        missing,
        extra,
        stale,
    } = compare(&named, actual);
    if !stale.is_empty() {
        let body = StaleDevices {
            stale_devices: stale,
        };
        return Err(Failure::Refused(Answer::json(410, &body)));
    }
    if !missing.is_empty() || !extra.is_empty() {
        let body = MismatchedDevices {
            missing_devices: missing,
            extra_devices: extra,
        };
        return Err(Failure::Refused(Answer::json(409, &body)));
    }
    Ok(())
}

/// What is wrong with the devices that a send names.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct DeviceSet {
    pub(super) missing: Vec<DeviceId>,
    pub(super) extra: Vec<DeviceId>,
    pub(super) stale: Vec<DeviceId>,
}

pub(super) fn compare(
    named: &(impl Iterator<Item = (DeviceId, u32)> + Clone),
    actual: &[DeviceRow],
) -> DeviceSet {
    let row = |id: DeviceId| actual.iter().find(|row| row.address.device == id);
    let mut extra = Vec::new();
    let mut stale = Vec::new();
    for (id, registration_id) in named.clone() {
        match row(id) {
            None => extra.push(id),
            Some(row) if u32::from(row.registration_id) != registration_id => stale.push(id),
            Some(_) => {}
        }
    }
    let is_missing = |row: &&DeviceRow| named.clone().all(|(id, _)| id != row.address.device);
    DeviceSet {
        missing: actual
            .iter()
            .filter(is_missing)
            .map(|row| row.address.device)
            .collect(),
        extra,
        stale,
    }
}
