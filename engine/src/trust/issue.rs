//! Making lists and certificates, which only a device with the account's key can. Whatever changes, the new list is at the relay
//! before anything rests on it; of two owners who change at once one is first, and the other changes what that one made (D-4).
//!
//! What a change is for goes on where it began: linking, removing.

use libsignal_protocol::IdentityKeyPair;
use rand_chacha::ChaCha20Rng;
use wire::body::{Base64, LinkToken, ListedDevices, PutDeviceList, from_json, to_json};
use wire::certificate::{Capabilities, Certificate, Role, SignedCertificate};
use wire::device_list::{DeviceList, Entry, REVOKED_MAX, Reason, Revoked, SignedList};
use wire::{DeviceAddress, DeviceId, Endpoint, RegistrationId, Response};

use super::take::{certificate_hash, hash};
use crate::account::{Account, draw_registration_id};
use crate::commands::general_refusal;
use crate::error::Error;
use crate::input::{Ticket, Timestamp};
use crate::limits::{CERTIFICATE_EARLY_MS, LIST_MS, LIST_RENEW_MS, SEND_TRIES_MAX, STALE_MS};
use crate::linking::run::NewDevice;
use crate::peers;
use crate::record::PeerRecord;
use crate::request::Pending;
use crate::state::State;
use crate::tx::Tx;

/// What a change of the list is for.
#[derive(Debug)]
pub(crate) enum Purpose {
    /// A device that is to be linked gets a certificate for the key that it shows.
    Link {
        ticket: Ticket,
        uri: String,
        token: LinkToken,
    },
    /// A device gets one for the key that it has committed to in a run.
    Run {
        run: u32,
        new: NewDevice,
        token: LinkToken,
    },
    /// A device is to be none any more.
    Revoke {
        ticket: Option<Ticket>,
        device: DeviceId,
        reason: Reason,
    },
    /// Nothing changes but the time.
    Renew,
}

/// A list on its way to the relay.
#[derive(Debug)]
pub(crate) struct ListChange {
    purpose: Purpose,
    tries: u32,
    /// A [`SignedList`].
    list: Vec<u8>,
    /// The body of the certificate and the account's signature, if there is a new one.
    certificate: Vec<u8>,
}

impl ListChange {
    /// The command that waits for it.
    pub(crate) fn ticket(&self) -> Option<Ticket> {
        match self.purpose {
            Purpose::Link { ticket, .. } => Some(ticket),
            Purpose::Revoke { ticket, .. } => ticket,
            Purpose::Run { .. } | Purpose::Renew => None,
        }
    }
}

impl State {
    /// Makes the next list and asks the relay to take it.
    pub(crate) async fn change_list(
        &mut self,
        tx: &mut Tx<'_>,
        purpose: Purpose,
        tries: u32,
    ) -> Result<(), Error> {
        let Some(own) = self.account.clone().filter(Account::is_owner) else {
            return Err(Error::Bug("only an owner changes the list"));
        };
        let peer = peers::record(tx, own.id()).await?;
        let mut list = next_list(&own, &peer, tx.device_time);
        let mut certificate = Vec::new();
        match &purpose {
            Purpose::Link { uri, token, .. } => {
                let key = crate::linking::parse(uri).ok().map(|uri| uri.public_key);
                let new = key.map(|key| (key, draw_registration_id(&mut self.rng)));
                let new = new.and_then(|new| certified(&own, &mut list, new, token, tx));
                certificate = signed_by_account(&own, new, &mut self.rng)?;
            }
            Purpose::Run { new, token, .. } => {
                let new = (key_bytes(&new.key), new.registration_id);
                let new = certified(&own, &mut list, new, token, tx);
                certificate = signed_by_account(&own, new, &mut self.rng)?;
            }
            Purpose::Revoke { device, reason, .. } => {
                revoke(&mut list, *device, *reason, tx.device_time);
            }
            Purpose::Renew => {}
        }
        let body = DeviceList::signed_by_account(&list.encode());
        let signature = sign(&own.identity, &body, &mut self.rng)?;
        let list = SignedList { list, signature }.encode();
        let body = to_json(&PutDeviceList {
            list: Base64(list.clone()),
        });
        let change = ListChange {
            purpose,
            tries: tries + 1,
            list,
            certificate,
        };
        self.connection.request(
            tx,
            &Endpoint::PutDeviceList,
            Vec::new(),
            body,
            Pending::PutList(Box::new(change)),
        );
        Ok(())
    }

    /// The relay's answer: the list is the newest, or somebody was first.
    pub(crate) async fn list_put(
        &mut self,
        tx: &mut Tx<'_>,
        change: ListChange,
        response: &Response,
    ) -> Result<(), Error> {
        let own = self.own_id()?;
        let listed = match (response.status, from_json::<ListedDevices>(&response.body)) {
            (200, _) => ListedDevices {
                list: Base64(change.list.clone()),
                certificates: Vec::new(),
            },
            (409, Ok(present)) if change.tries < SEND_TRIES_MAX => {
                self.take_list(tx, own, &present).await?;
                return self.change_list(tx, change.purpose, change.tries).await;
            }
            (status, _) => {
                if let Some(ticket) = change.ticket() {
                    tx.resolve(ticket, Err(general_refusal(status)));
                }
                if let Purpose::Run { run, token, .. } = change.purpose {
                    let refusal = Err(general_refusal(status));
                    self.run_certified(tx, (run, token), refusal).await?;
                }
                return Ok(());
            }
        };
        self.take_list(tx, own, &listed).await?;
        match change.purpose {
            Purpose::Link { ticket, uri, token } => self.hand_over(
                tx,
                ticket,
                &uri,
                token,
                Some((change.certificate, change.list)),
            ),
            Purpose::Run { run, token, .. } => {
                let certified = Ok((change.certificate, change.list));
                self.run_certified(tx, (run, token), certified).await
            }
            Purpose::Revoke {
                ticket: Some(ticket),
                device,
                ..
            } => self.removed(tx, ticket, device).await,
            Purpose::Revoke { ticket: None, .. } | Purpose::Renew => Ok(()),
        }
    }

    /// Once a day: a list that is half over is made anew, so that peers may rely on it as long as some owner is seen.
    pub(crate) async fn renew_list(&mut self, tx: &mut Tx<'_>) -> Result<(), Error> {
        let own = self.account.clone();
        let Some(own) = own.filter(|own| own.is_owner() && self.connection.is_up()) else {
            return Ok(());
        };
        let list = super::list(&peers::record(tx, own.id()).await?);
        let due = list.is_some_and(|list| {
            let renew = Timestamp(list.issued).plus_ms(LIST_RENEW_MS);
            !list.entries.is_empty() && renew <= tx.device_time
        });
        if due {
            self.change_list(tx, Purpose::Renew, 0).await?;
        }
        Ok(())
    }
}

/// The list as it is now, as the next version.
fn next_list(own: &Account, peer: &PeerRecord, now: Timestamp) -> DeviceList {
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
    list.expires = now.plus_ms(LIST_MS).0;
    // No message of theirs can be on its way any more.
    list.revoked
        .retain(|revoked| now < Timestamp(revoked.at).plus_ms(STALE_MS));
    list
}

/// Adds the device with this key; gives its certificate.
fn certified(
    own: &Account,
    list: &mut DeviceList,
    (key, registration_id): ([u8; 33], RegistrationId),
    token: &LinkToken,
    tx: &Tx<'_>,
) -> Option<Certificate> {
    let device = token.device_id?;
    revoke(list, device, Reason::Retired, tx.device_time); // whoever had the id before
    list.highest_epoch = list.highest_epoch.checked_add(1)?;
    let certificate = Certificate {
        address: DeviceAddress {
            account: own.id(),
            device,
        },
        epoch: list.highest_epoch,
        registration_id,
        key,
        role: Role::Device,
        capabilities: Capabilities::FULL,
        // Clocks differ; what it is worth today the list says, which lives for weeks.
        not_before: tx.device_time.0.saturating_sub(CERTIFICATE_EARLY_MS),
        not_after: u64::MAX,
        label_commitment: [0; 32],
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

fn revoke(list: &mut DeviceList, device: DeviceId, reason: Reason, now: Timestamp) {
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

fn signed_by_account(
    own: &Account,
    certificate: Option<Certificate>,
    rng: &mut ChaCha20Rng,
) -> Result<Vec<u8>, Error> {
    let certificate = certificate.ok_or(Error::Bug("a link that can't be certified"))?;
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

fn sign(key: &IdentityKeyPair, message: &[u8], rng: &mut ChaCha20Rng) -> Result<[u8; 64], Error> {
    let signature = key.private_key().calculate_signature(message, rng);
    let signature = signature.map_err(|_| Error::Bug("own key can't sign"))?;
    (*signature)
        .try_into()
        .map_err(|_| Error::Bug("a signature of another length"))
}

/// A key as it stands in certificates.
pub(super) fn key_bytes(key: &libsignal_protocol::PublicKey) -> [u8; 33] {
    let mut bytes = [0; 33];
    let serialized = key.serialize();
    for (to, from) in bytes.iter_mut().zip(serialized.iter()) {
        *to = *from;
    }
    bytes
}
