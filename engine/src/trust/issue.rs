//! Making lists and certificates, which only a device with the account's key can. Whatever changes, the new list is at the relay
//! before anything rests on it; of two owners who change at once one is first, and the other changes what that one made (D-4).
//!
//! What a change is for goes on where it began: linking, removing.

use wire::body::{Base64, LinkToken, ListedDevices, PutDeviceList, from_json, to_json};
use wire::certificate::{Certificate, SignedCertificate};
use wire::device_list::{DeviceList, Reason, SignedList};
use wire::{DeviceId, Endpoint, Response};

use super::make::{certified, extend, is_delegate, key_bytes, next_list, revoke, sign, signed_new};
use crate::account::{Account, draw_registration_id};
use crate::commands::general_refusal;
use crate::error::Error;
use crate::input::{Ticket, Timestamp};
use crate::limits::{LIST_MS, LIST_RENEW_MS, SEND_TRIES_MAX, STAFF_LIST_MS, STAFF_LIST_RENEW_MS};
use crate::linking::run::NewDevice;
use crate::peers;
use crate::request::Pending;
use crate::staff::{self, Granting, Standing};
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
        standing: Standing,
    },
    /// A device gets one for the key that it has committed to in a run.
    Run {
        run: u32,
        new: NewDevice,
        token: LinkToken,
        standing: Standing,
    },
    /// A device is to be none any more.
    Revoke {
        ticket: Option<Ticket>,
        device: DeviceId,
        reason: Reason,
    },
    /// A device has another certificate, for a later time.
    Extend { certificate: Box<SignedCertificate> },
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
            Purpose::Run { .. } | Purpose::Extend { .. } | Purpose::Renew => None,
        }
    }

    /// Whom it lets in for the account's person, and with which certificate.
    fn granted(&self) -> Option<(&Granting, Certificate)> {
        let (Purpose::Link { standing, .. } | Purpose::Run { standing, .. }) = &self.purpose else {
            return None;
        };
        let Standing::Delegate(granting) = standing else {
            return None;
        };
        let (body, _) = self.certificate.split_at_checked(Certificate::LENGTH)?;
        Some((granting, Certificate::decode(body).ok()?))
    }

    fn replaced(&self) -> Vec<Base64> {
        match &self.purpose {
            Purpose::Extend { certificate } => vec![Base64(certificate.encode())],
            Purpose::Link { .. }
            | Purpose::Run { .. }
            | Purpose::Revoke { .. }
            | Purpose::Renew => Vec::new(),
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
        let (mut certificate, mut replaced) = (Vec::new(), Vec::new());
        let mut of_others = staff::has_delegates(&peer);
        match &purpose {
            Purpose::Link {
                uri,
                token,
                standing,
                ..
            } => {
                let key = crate::linking::parse(uri).ok().map(|uri| uri.public_key);
                let new = key.map(|key| (key, draw_registration_id(&mut self.rng)));
                let new = new.and_then(|new| {
                    certified(&own, &mut list, new, (token, standing), tx.device_time)
                });
                certificate = signed_new(&own, new, &mut self.rng)?;
                of_others |= is_delegate(standing);
            }
            Purpose::Run {
                new,
                token,
                standing,
                ..
            } => {
                let new = (key_bytes(&new.key), new.registration_id);
                let new = certified(&own, &mut list, new, (token, standing), tx.device_time);
                certificate = signed_new(&own, new, &mut self.rng)?;
                of_others |= is_delegate(standing);
            }
            Purpose::Extend { certificate } => {
                if !extend(&mut list, &certificate.certificate) {
                    return Ok(()); // it was removed meanwhile
                }
                replaced.push(Base64(certificate.encode()));
            }
            Purpose::Revoke { device, reason, .. } => {
                revoke(&mut list, *device, *reason, tx.device_time);
            }
            Purpose::Renew => {}
        }
        let life = if of_others { STAFF_LIST_MS } else { LIST_MS };
        list.expires = tx.device_time.plus_ms(life).0;
        let body = DeviceList::signed_by_account(&list.encode());
        let signature = sign(&own.identity, &body, &mut self.rng)?;
        let list = SignedList { list, signature }.encode();
        let body = to_json(&PutDeviceList {
            list: Base64(list.clone()),
            certificates: replaced,
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
                certificates: change.replaced(),
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
        self.settle_grants(tx).await?;
        if let Some((granting, certificate)) = change.granted() {
            self.note_granted(tx, &certificate, granting).await?;
        }
        match change.purpose {
            Purpose::Link {
                ticket,
                uri,
                token,
                standing,
            } => {
                let certified = Some((change.certificate, change.list));
                self.hand_over(tx, (ticket, &uri), token, certified, &standing)
            }
            Purpose::Extend { certificate } => self.renewed(tx, &certificate.certificate).await,
            Purpose::Run { run, token, .. } => {
                let certified = Ok((change.certificate, change.list));
                self.run_certified(tx, (run, token), certified).await
            }
            Purpose::Revoke {
                ticket: Some(ticket),
                device,
                ..
            } => self.removed(tx, ticket, device).await,
            Purpose::Revoke { ticket: None, .. } => self.end_expired(tx).await.map(drop),
            Purpose::Renew => Ok(()),
        }
    }

    /// Once a day, and when coming online, since a page that is opened once a day does its daily work before it is: what has
    /// ended is taken out of the list, and the list goes on.
    pub(crate) async fn look_after_list(&mut self, tx: &mut Tx<'_>) -> Result<(), Error> {
        let is_owner = self.account.as_ref().is_some_and(Account::is_owner);
        if !is_owner || !self.connection.is_up() || self.end_expired(tx).await? {
            return Ok(()); // a list without what has ended is a new one
        }
        self.renew_list(tx).await
    }

    /// A list that is half over is made anew, so that peers may rely on it as long as some owner is seen.
    async fn renew_list(&mut self, tx: &mut Tx<'_>) -> Result<(), Error> {
        let peer = peers::record(tx, self.own_id()?).await?;
        let every = if staff::has_delegates(&peer) {
            STAFF_LIST_RENEW_MS
        } else {
            LIST_RENEW_MS
        };
        let due = super::list(&peer).is_some_and(|list| {
            let renew = Timestamp(list.issued).plus_ms(every);
            !list.entries.is_empty() && renew <= tx.device_time
        });
        if due {
            self.change_list(tx, Purpose::Renew, 0).await?;
        }
        Ok(())
    }
}
