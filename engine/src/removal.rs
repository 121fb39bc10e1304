//! The end of a device, of this one or another, and of an account.
//!
//! That this device is none any more is the relay's word, given to its sign-in or to its own request; a closed
//! socket alone says nothing. What is stored stays, and can be read. How a device comes back is in `relink`.

use wire::body::{self, from_json};
use wire::device_list::{DeviceList, Reason};
use wire::proto::service::SyncMessage;
use wire::{AccountId, DeviceAddress, DeviceId, Endpoint, Response};

use crate::commands::general_refusal;
use crate::contacts;
use crate::content::OwnDevice;
use crate::error::{Error, Refusal};
use crate::input::Ticket;
use crate::output::{ClientState, Event, Reply, Unlinked};
use crate::peers;
use crate::record::key;
use crate::request::Pending;
use crate::state::State;
use crate::trust::{self, Purpose};
use crate::tx::Tx;

/// The relay's close code for a device that was removed.
const REMOVED: u16 = 4401;

impl State {
    /// This is a device of an account, as far as it knows.
    pub(crate) fn is_member(&self) -> bool {
        self.account
            .as_ref()
            .is_some_and(|account| !account.record.unlinked)
    }

    /// Why this device is none any more, as the answer to what it can't do.
    pub(crate) fn unlinked_refusal(&self) -> Option<Refusal> {
        let why = self.account.as_ref()?.unlinked()?;
        Some(match why {
            Unlinked::Removed => Refusal::Unlinked,
            Unlinked::Deleted => Refusal::AccountGone,
            Unlinked::RolledBack => Refusal::RolledBack,
        })
    }

    /// The relay doesn't know this device any more, or doesn't know it as it is.
    pub(crate) fn unlinked(&mut self, tx: &mut Tx<'_>, why: Unlinked) {
        let Some(account) = &mut self.account else {
            return;
        };
        account.record.unlinked = true;
        account.record.unlinked_why = why.number();
        tx.put(key::ACCOUNT, &account.record);
        let lost = self.connection.shut(tx);
        let parked = std::mem::take(&mut self.parked);
        let open = lost.iter().filter_map(Pending::ticket);
        let refusal = self.unlinked_refusal().unwrap_or(Refusal::Unlinked);
        for ticket in open.chain(parked.into_iter().map(|(ticket, _)| ticket)) {
            tx.resolve(ticket, Err(refusal));
        }
        self.connection_lost(tx, &[]);
        tx.emit(Event::State(ClientState::Unlinked));
    }

    /// The relay would not sign this device in.
    pub(crate) fn sign_in_refused(&mut self, tx: &mut Tx<'_>, response: &Response) {
        let code = from_json::<body::Refusal>(&response.body).map(|refusal| refusal.code);
        let gone = code.is_ok_and(|code| code == "account_gone");
        let why = if gone {
            Unlinked::Deleted
        } else {
            Unlinked::Removed
        };
        self.unlinked(tx, why);
    }

    /// Removes a device: one with a certificate by a list that names it no more, which takes it away everywhere; another by
    /// the relay alone.
    pub(crate) async fn unlink(
        &mut self,
        tx: &mut Tx<'_>,
        ticket: Ticket,
        device: DeviceId,
        lost: bool,
    ) -> Result<(), Error> {
        let Some(own) = self.account.clone() else {
            return Ok(());
        };
        if device != own.address.device && !own.is_owner() {
            tx.resolve(ticket, Err(Refusal::NotOwner));
            return Ok(());
        }
        let list = trust::list(&peers::record(tx, own.id()).await?);
        let listed = |list: DeviceList| list.entries.iter().any(|entry| entry.device == device);
        if own.is_owner() && list.is_some_and(listed) {
            let reason = if lost { Reason::Lost } else { Reason::Retired };
            let purpose = Purpose::Revoke {
                ticket: Some(ticket),
                device,
                reason,
            };
            return self.change_list(tx, purpose, 0).await;
        }
        let pending = Pending::Unlink { ticket, device };
        let endpoint = Endpoint::RemoveDevice(device);
        self.connection.ask(tx, &endpoint, pending);
        Ok(())
    }

    pub(crate) fn delete_account(&mut self, tx: &mut Tx<'_>, ticket: Ticket) {
        if self.account.as_ref().is_some_and(|own| !own.is_owner()) {
            tx.resolve(ticket, Err(Refusal::NotOwner));
            return;
        }
        let pending = Pending::DeleteAccount(ticket);
        self.connection.ask(tx, &Endpoint::DeleteAccount, pending);
    }

    /// The relay's answer to a removal. Own other devices are told, so that they need no refused send to know.
    pub(crate) async fn unlink_answered(
        &mut self,
        tx: &mut Tx<'_>,
        ticket: Ticket,
        device: DeviceId,
        response: &Response,
    ) -> Result<(), Error> {
        let Some(own) = self.account.as_ref().map(|account| account.address) else {
            return Ok(());
        };
        let code = from_json::<body::Refusal>(&response.body).map(|refusal| refusal.code);
        match response.status {
            200..=299 if device == own.device => {
                tx.resolve(ticket, Ok(Reply::Done));
                self.unlinked(tx, Unlinked::Removed);
            }
            200..=299 => return self.removed(tx, ticket, device).await,
            403 if code.as_deref() == Ok("not_owner") => {
                tx.resolve(ticket, Err(Refusal::NotOwner));
            }
            403 if code.as_deref() == Ok("last_device") => {
                tx.resolve(ticket, Err(Refusal::LastDevice));
            }
            // A plain Signal service lets only the primary do it.
            401 | 403 => tx.resolve(ticket, Err(Refusal::RelayRefused)),
            status => tx.resolve(ticket, Err(general_refusal(status))),
        }
        Ok(())
    }

    /// Another device is gone, and the others are told.
    pub(crate) async fn removed(
        &mut self,
        tx: &mut Tx<'_>,
        ticket: Ticket,
        device: DeviceId,
    ) -> Result<(), Error> {
        let Some(own) = self.account.as_ref().map(|account| account.address) else {
            return Ok(());
        };
        note_removed(tx, own, [device]).await?;
        let removed_devices = vec![device.into()];
        self.enqueue_sync(
            tx,
            SyncMessage {
                removed_devices,
                ..SyncMessage::default()
            },
        );
        tx.resolve(ticket, Ok(Reply::Done));
        Ok(())
    }

    pub(crate) fn delete_answered(&mut self, tx: &mut Tx<'_>, ticket: Ticket, response: &Response) {
        match response.status {
            200..=299 => {
                tx.resolve(ticket, Ok(Reply::Done));
                self.unlinked(tx, Unlinked::Deleted);
            }
            401 | 403 => tx.resolve(ticket, Err(Refusal::RelayRefused)),
            status => tx.resolve(ticket, Err(general_refusal(status))),
        }
    }

    /// The main socket is gone. If that is how the relay carried out what this device asked for itself, its answer
    /// may have been overtaken; else the next sign-in will tell.
    pub(crate) fn main_closed(&mut self, tx: &mut Tx<'_>, code: u16) {
        let lost = self.connection.lost(tx.now, code, &mut self.rng);
        let own = self.account.as_ref().map(|account| account.address.device);
        let asked_for = |pending: &Pending| {
            if let Pending::DeleteAccount(ticket) = pending {
                Some((*ticket, Unlinked::Deleted))
            } else if let Pending::Unlink { ticket, device } = pending
                && Some(*device) == own
            {
                Some((*ticket, Unlinked::Removed))
            } else {
                None
            }
        };
        match lost.iter().find_map(asked_for).filter(|_| code == REMOVED) {
            Some((done, why)) => {
                tx.resolve(done, Ok(Reply::Done));
                let others = lost.iter().filter_map(Pending::ticket);
                for ticket in others.filter(|ticket| *ticket != done) {
                    tx.resolve(ticket, Err(Refusal::Unlinked));
                }
                self.unlinked(tx, why);
            }
            None => self.connection_lost(tx, &lost),
        }
    }

    /// Another own device says which it has removed.
    pub(crate) async fn apply_removed(
        &mut self,
        tx: &mut Tx<'_>,
        from: OwnDevice,
        removed: &[u32],
    ) -> Result<(), Error> {
        let Some(own) = self.account.as_ref().map(|account| account.address) else {
            return Ok(());
        };
        let others = removed.iter().filter_map(|number| key::device(*number));
        let others = others.filter(|device| *device != from.address().device);
        note_removed(tx, own, others).await
    }
}

/// Own devices that are gone. That this one is, is for the relay to say.
async fn note_removed(
    tx: &mut Tx<'_>,
    own: DeviceAddress,
    removed: impl IntoIterator<Item = DeviceId>,
) -> Result<(), Error> {
    let before = peers::record(tx, own.account).await?;
    let mut peer = before.clone();
    for device in removed.into_iter().filter(|device| *device != own.device) {
        peers::mark_stale(&mut peer, device, tx.now.0);
    }
    if peer != before {
        peers::put_own(tx, own.account, &peer);
    }
    Ok(())
}

/// Another person's account is gone (S-22): nothing is sealed for it any more, and its handle is looked up anew, since it
/// may be somebody else's by now (S-2). Messages, key and name stay.
pub(crate) async fn note_gone(tx: &mut Tx<'_>, account: AccountId) -> Result<(), Error> {
    let mut peer = peers::record(tx, account).await?;
    peer.listed = false;
    for device in peers::current_devices(&peer) {
        peers::mark_stale(&mut peer, device, tx.now.0);
    }
    tx.put(account.as_bytes(), &peer);
    contacts::note_gone(tx, account).await
}
