//! A refused bundle becomes a corrected one: our picture of the devices and the bundle change in
//! the same commit. The refusal was all or nothing, so what was sealed for the right devices has
//! reached nobody and stays as it is; only new devices are sealed anew.

use wire::body::{ListedDevices, PreKeyResponse, from_json};
use wire::bundle::AccountMismatch;
use wire::{AccountId, DeviceAddress, DeviceId, Endpoint, Response};

use super::sealed_so_far;
use crate::dated;
use crate::error::{Error, Refusal};
use crate::identity::note_new_identity;
use crate::limits::SEND_TRIES_MAX;
use crate::output::{Event, ListAlarm};
use crate::peers::{self, add_device, mark_stale};
use crate::record::{OutboxRecord, key};
use crate::removal::note_gone;
use crate::request::{Pending, retry_at};
use crate::session::{Incarnation, PeerFault, Sessions};
use crate::state::State;
use crate::trust;
use crate::tx::Tx;

impl State {
    /// Takes over what the relay says is wrong with the device sets.
    pub(super) async fn repair(
        &mut self,
        tx: &mut Tx<'_>,
        seq: u64,
        mut entry: OutboxRecord,
        mismatches: Vec<AccountMismatch>,
    ) -> Result<(), Error> {
        let own = self.own_id()?;
        let mut bundle = sealed_so_far(&entry)?;
        for mismatch in mismatches {
            let AccountMismatch {
                account,
                missing,
                extra,
                stale,
                gone,
            } = mismatch;
            if gone {
                note_gone(tx, account).await?;
                return self.fail(tx, seq, &entry, Refusal::AccountGone).await;
            }
            let mut peer = peers::record(tx, account).await?;
            for device in &extra {
                mark_stale(&mut peer, *device, tx.now.0);
            }
            for device in &stale {
                // Its id belongs to another incarnation now, which one its keys will say. Should it be the same
                // one after all, it gets a new session.
                let sessions = peers::current(&peer).filter(|(of, _)| of == device);
                for (device, epoch) in sessions.collect::<Vec<_>>() {
                    let address = DeviceAddress { account, device };
                    self.renew(tx, Incarnation { address, epoch }).await?;
                }
                mark_stale(&mut peer, *device, tx.now.0);
                add_device(&mut peer, *device, 0, tx.now.0);
            }
            for device in &missing {
                add_device(&mut peer, *device, 0, tx.now.0);
                peers::note_keys(&mut peer, *device, None, tx.now.0); // if it was left out, it has new ones
            }
            if let Some(part) = bundle.recipients.iter_mut().find(|r| r.account == account) {
                part.messages
                    .retain(|m| !extra.contains(&m.device) && !stale.contains(&m.device));
            }
            peers::put(tx, own, account, &peer);
        }
        if entry.only_device != 0 && !self.is_plain() {
            self.remove(tx, seq, &entry); // the device that asked is not there any more
            return Ok(());
        }
        if !Self::may_try_again(&mut entry) {
            return self.fail(tx, seq, &entry, Refusal::RelayRefused).await;
        }
        entry.bundle = bundle.encode();
        entry.sealed = false;
        tx.put(&key::outbox(seq), &entry);
        Ok(())
    }

    /// Asks for the keys that an entry lacks.
    pub(super) async fn fetch_keys(
        &mut self,
        tx: &mut Tx<'_>,
        seq: u64,
        entry: &OutboxRecord,
        needs: Vec<(AccountId, Option<DeviceId>)>,
    ) -> Result<(), Error> {
        if entry.fetches >= 2 * SEND_TRIES_MAX {
            return self.fail(tx, seq, entry, Refusal::RelayRefused).await;
        }
        for (account, device) in needs {
            self.outbox.fetching(account, device, seq);
            let pending = Pending::Keys { account, device };
            let endpoint = Endpoint::Keys { account, device };
            self.connection.ask(tx, &endpoint, pending);
        }
        Ok(())
    }

    /// The relay's answer to a request for keys.
    pub(crate) async fn keys_answered(
        &mut self,
        tx: &mut Tx<'_>,
        account: AccountId,
        device: Option<DeviceId>,
        response: &Response,
    ) -> Result<(), Error> {
        let by = self.outbox.fetched(account, device);
        let asked = Asked {
            account,
            device,
            by,
        };
        match response.status {
            200 => match from_json::<PreKeyResponse>(&response.body) {
                Ok(keys) => self.establish(tx, asked, keys).await?,
                Err(_) => self.fail_for(tx, by, Refusal::RelayProtocol).await?,
            },
            404 => self.no_keys(tx, asked).await?,
            // A busy relay, like a lost connection, is waited for as long as it takes.
            429 | 500..=599 => {
                let until = retry_at(tx.now, response);
                self.outbox.wait_for_keys(account, until);
                return Ok(());
            }
            _ => self.fail_for(tx, by, Refusal::RelayRefused).await?,
        }
        self.count_fetch(tx, by).await
    }

    /// Counts a round of answers: a relay may not send us in circles.
    async fn count_fetch(&self, tx: &mut Tx<'_>, by: Option<u64>) -> Result<(), Error> {
        let Some(seq) = by.filter(|seq| !self.outbox.is_fetching(*seq)) else {
            return Ok(());
        };
        if let Some(mut entry) = tx.get::<OutboxRecord>(&key::outbox(seq)).await? {
            entry.fetches += 1;
            tx.put(&key::outbox(seq), &entry);
        }
        Ok(())
    }

    async fn establish(
        &mut self,
        tx: &mut Tx<'_>,
        asked: Asked,
        keys: PreKeyResponse,
    ) -> Result<(), Error> {
        let Asked {
            account,
            device,
            by,
        } = asked;
        let own = self
            .account
            .clone()
            .ok_or(Error::Bug("keys without an account"))?;
        let mut peer = peers::record(tx, account).await?;
        if device.is_none() {
            peer.listed = true;
            for device in peers::current_devices(&peer) {
                let listed = keys.devices.iter().any(|keys| keys.device_id == device);
                if !listed {
                    mark_stale(&mut peer, device, tx.now.0);
                }
            }
        }
        if let Some(listed) = listed(&keys) {
            peers::put(tx, own.id(), account, &peer);
            self.take_list(tx, account, &listed).await?;
            peer = peers::record(tx, account).await?;
        }
        let mut sessions = Sessions::new(&own);
        for bundle in &keys.devices {
            let address = DeviceAddress {
                account,
                device: bundle.device_id,
            };
            if address == own.address || device.is_some_and(|only| only != address.device) {
                continue;
            }
            let epoch = bundle.registration_id.into();
            add_device(&mut peer, address.device, epoch, tx.now.0);
            sessions.load(tx, address).await?;
            if sessions.can_encrypt(Incarnation { address, epoch }, tx.now) {
                continue;
            }
            // By our own clock: the relay's word is what this is not to rest on.
            let too_old = !own.is_plain() && dated::is_too_old(bundle, tx.device_time);
            let old = too_old.then(|| bundle.signed_pre_key.key_id.into());
            peers::note_keys(&mut peer, address.device, old, tx.now.0);
            if too_old {
                continue; // it is left out
            }
            let Some(identity) = trust::published_key(&peer, &keys, bundle, tx.device_time) else {
                // A device that nobody has certified: the relay's invention, or a list that it keeps from us (T11).
                trust::note_uncertified(&mut peer, address.device);
                tx.emit(Event::ListAlarm(account, ListAlarm::Ghost));
                continue;
            };
            let identity = &identity;
            sessions.vouch(address, &peer, tx.device_time); // it may be back that was said to be gone
            match sessions.establish(address, identity, bundle, tx.now, &mut self.rng) {
                Ok(()) => {}
                // Our own key is what we know best of all, and nobody else has it: the relay is wrong, now or for good.
                Err(PeerFault::Untrusted) if account == own.id() || self.is_own_key(identity) => {
                    return self.fail_for(tx, by, Refusal::RelayProtocol).await;
                }
                Err(PeerFault::Untrusted) => {
                    note_new_identity(tx, account, identity.clone()).await?;
                    return self.fail_for(tx, by, Refusal::IdentityChanged).await;
                }
                Err(PeerFault::Duplicate | PeerFault::Unreadable) => {
                    return self.fail_for(tx, by, Refusal::RelayProtocol).await;
                }
            }
        }
        peers::put(tx, own.id(), account, &peer);
        sessions.store(tx).await
    }

    /// The relay has no keys: of the account, which then can't be written to; or of a device, which then
    /// is no device until the relay says so again.
    async fn no_keys(&mut self, tx: &mut Tx<'_>, asked: Asked) -> Result<(), Error> {
        let Asked {
            account,
            device,
            by,
        } = asked;
        let Some(device) = device else {
            if peers::record(tx, account).await?.identity.is_empty() {
                return self.fail_for(tx, by, Refusal::UnknownHandle).await; // it may never have been
            }
            note_gone(tx, account).await?;
            return self.fail_for(tx, by, Refusal::AccountGone).await;
        };
        let mut peer = peers::record(tx, account).await?;
        mark_stale(&mut peer, device, tx.now.0);
        tx.put(account.as_bytes(), &peer);
        Ok(())
    }

    /// Gives up the entry that asked.
    async fn fail_for(
        &mut self,
        tx: &mut Tx<'_>,
        by: Option<u64>,
        refusal: Refusal,
    ) -> Result<(), Error> {
        let Some(seq) = by else { return Ok(()) };
        match tx.get::<OutboxRecord>(&key::outbox(seq)).await? {
            Some(entry) => self.fail(tx, seq, &entry, refusal).await,
            None => Ok(()),
        }
    }

    async fn renew(&self, tx: &mut Tx<'_>, with: Incarnation) -> Result<(), Error> {
        let own = self
            .account
            .as_ref()
            .ok_or(Error::Bug("repairing without an account"))?;
        let mut sessions = Sessions::new(own);
        sessions.load(tx, with.address).await?;
        sessions.renew(with);
        sessions.store(tx).await
    }
}

/// The signed list that keys came with, if they did.
fn listed(keys: &PreKeyResponse) -> Option<ListedDevices> {
    let certificates = keys.devices.iter();
    Some(ListedDevices {
        list: keys.device_list.clone()?,
        certificates: certificates
            .filter_map(|keys| keys.certificate.clone())
            .collect(),
    })
}

/// Whose keys were asked for, and by which entry of the outbox.
#[derive(Clone, Copy)]
struct Asked {
    account: AccountId,
    device: Option<DeviceId>,
    by: Option<u64>,
}
