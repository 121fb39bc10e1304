//! Signed lists from the relay: when one is wanted, and what its answer changes. What comes from a device that the account's key
//! does not vouch for yet is held until then, so that nothing is lost by waiting.
//!
//! What makes a list good is in `take`.

use std::collections::BTreeSet;

use wire::body::{ListedDevices, from_json};
use wire::{AccountId, Endpoint, Envelope, Response};

use super::take::{Listing, Outcome, take};
use crate::contacts;
use crate::error::{Error, Refusal};
use crate::identity::{self, note_new_identity};
use crate::limits::UPKEEP_ROWS;
use crate::output::{Event, ListAlarm};
use crate::peers;
use crate::record::{PeerRecord, key};
use crate::request::Pending;
use crate::service::Service;
use crate::staff;
use crate::state::State;
use crate::store::{Scan, Table};
use crate::tx::Tx;

/// What is asked for. Kept in memory: coming online asks again.
#[derive(Default)]
pub(crate) struct Lists {
    asked: BTreeSet<AccountId>,
    /// The account whose list has just come: asking again at once would give the same.
    settled: Option<AccountId>,
}

impl Lists {
    /// The connection is gone, and its answers with it.
    pub(crate) fn reset(&mut self) {
        self.asked.clear();
    }
}

impl State {
    pub(crate) fn ask_list(&mut self, tx: &mut Tx<'_>, account: AccountId) {
        let may = self.connection.is_up() && self.service != Some(Service::Signal);
        if may && self.lists.settled != Some(account) && self.lists.asked.insert(account) {
            let pending = Pending::DeviceList(account);
            self.connection
                .ask(tx, &Endpoint::DeviceList(account), pending);
        }
    }

    /// After coming online: the lists that something waits for.
    pub(crate) async fn ask_wanted_lists(&mut self, tx: &mut Tx<'_>) -> Result<(), Error> {
        let mut wanted = BTreeSet::new();
        for (at, _) in tx.scan(Scan::all(Table::Held, UPKEEP_ROWS)).await? {
            wanted.extend(key::split_held(&at));
        }
        for (account, peer) in tx.by_account::<PeerRecord>(UPKEEP_ROWS).await? {
            if peer.newer_list_at != 0 {
                wanted.insert(account);
            }
        }
        for account in wanted {
            if !peers::key_changed(&peers::record(tx, account).await?) {
                self.ask_list(tx, account);
            }
        }
        Ok(())
    }

    /// The relay has said which list of our own is its newest.
    pub(crate) async fn own_list_is(
        &mut self,
        tx: &mut Tx<'_>,
        version: Option<u64>,
        is_new_device: bool,
    ) -> Result<(), Error> {
        let own = self.own_id()?;
        let known = super::list(&peers::record(tx, own).await?).map(|list| list.version);
        if version < known {
            tx.emit(Event::ListAlarm(own, ListAlarm::RolledBack));
        } else if version != known || (is_new_device && version.is_some()) {
            self.ask_list(tx, own);
        }
        Ok(())
    }

    /// Something under a key that the account's key may vouch for.
    pub(crate) async fn hold_for_list(
        &mut self,
        tx: &mut Tx<'_>,
        envelope: &Envelope,
    ) -> Result<(), Error> {
        if envelope.guid.is_none() {
            return Ok(());
        }
        if !identity::keep(tx, envelope).await? {
            return self.could_not_read(tx, envelope).await; // it is asked for again, in its time
        }
        self.ask_list(tx, envelope.source.account);
        Ok(())
    }

    /// The relay's answer.
    pub(crate) async fn list_answered(
        &mut self,
        tx: &mut Tx<'_>,
        account: AccountId,
        response: &Response,
    ) -> Result<(), Error> {
        self.lists.asked.remove(&account);
        match (response.status, from_json::<ListedDevices>(&response.body)) {
            (200, Ok(listed)) => {
                if self.take_list(tx, account, &listed).await? {
                    self.release(tx, account, true).await?;
                }
            }
            (404, _) => {
                if super::list(&peers::record(tx, account).await?).is_some() {
                    tx.emit(Event::ListAlarm(account, ListAlarm::RolledBack));
                } else {
                    self.release(tx, account, false).await?; // only owners: the hint was none
                }
            }
            (429 | 500..=599, _) => {} // coming online asks again
            _ => tx.emit(Event::Failure(Refusal::RelayProtocol)),
        }
        Ok(())
    }

    /// Takes in what the relay says is an account's list. Gives whether that is so.
    pub(crate) async fn take_list(
        &mut self,
        tx: &mut Tx<'_>,
        account: AccountId,
        listed: &ListedDevices,
    ) -> Result<bool, Error> {
        let Some(own) = self.account.clone() else {
            return Ok(false);
        };
        let mut peer = peers::record(tx, account).await?;
        let before = peer.clone();
        let pinned = super::account_key(&own, &peer, account);
        let certificates: Vec<_> = listed.certificates.iter().map(|c| c.0.as_slice()).collect();
        let listing = Listing {
            account,
            pinned: pinned.as_ref(),
            own: own.identity.identity_key(),
            list: &listed.list.0,
            certificates: certificates.clone(),
        };
        let outcome = take(&mut peer, &listing, tx.now.0);
        staff::apply_told(&mut peer, tx.now.0);
        if peer != before {
            self.outbox.due = true;
            peers::put(tx, own.id(), account, &peer);
            if account != own.id() && [&before, &peer].into_iter().any(staff::has_delegates) {
                contacts::show(tx, account).await?; // who reads what is written to them
            }
        }
        if account == own.id() && outcome == Outcome::Taken {
            let mut named = certificates.clone();
            named.retain(|certificate| super::names(&peer, certificate));
            self.take_own_certificate(tx, &named);
        }
        match outcome {
            Outcome::Taken => return Ok(true),
            Outcome::Older => tx.emit(Event::ListAlarm(account, ListAlarm::RolledBack)),
            Outcome::Forked => tx.emit(Event::ListAlarm(account, ListAlarm::Forked)),
            Outcome::OtherKey(key) if account != own.id() && !self.is_own_key(&key) => {
                note_new_identity(tx, account, key.to_vec()).await?;
            }
            Outcome::OtherKey(_) | Outcome::Refused => {
                tx.emit(Event::Failure(Refusal::RelayProtocol));
            }
        }
        Ok(false)
    }

    /// What was held until the list came is dealt with. Without a list the relay's hint was none.
    async fn release(
        &mut self,
        tx: &mut Tx<'_>,
        account: AccountId,
        hinted: bool,
    ) -> Result<(), Error> {
        if peers::key_changed(&peers::record(tx, account).await?) {
            return Ok(()); // the person decides
        }
        let mut envelopes = identity::held(tx, account).await?;
        for envelope in &mut envelopes {
            envelope.certified &= hinted;
        }
        self.lists.settled = Some(account);
        let dealt_with = self.receive_held(tx, envelopes).await;
        self.lists.settled = None;
        dealt_with
    }
}
