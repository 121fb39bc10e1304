//! An account that comes with another identity key: it is noticed before anything is decrypted, shown, and nothing
//! goes to the new key or is shown from it until the person has accepted it (S-16, S-43, T13).
//!
//! What arrives under the new key is held, so that nothing is lost by waiting. What makes a key trustworthy is not
//! known here; comparing safety numbers is the person's business.

use wire::{AccountId, DeviceAddress, Envelope};

use crate::contacts;
use crate::error::Error;
use crate::input::Timestamp;
use crate::limits::{HELD_MAX, HELD_MS, UPKEEP_ROWS};
use crate::output::Event;
use crate::peers;
use crate::record::{HeldRecord, PeerRecord, Record, key};
use crate::state::State;
use crate::store::{Scan, Table};
use crate::trust;
use crate::tx::Tx;

impl State {
    /// A first message under another identity key.
    pub(crate) async fn hold(
        &mut self,
        tx: &mut Tx<'_>,
        envelope: &Envelope,
        identity: Option<Vec<u8>>,
    ) -> Result<(), Error> {
        let account = envelope.source.account;
        let known = peers::record(tx, account).await?;
        let device = envelope.source.device;
        if trust::is_refused(&known, device, identity.as_deref()) {
            return Ok(()); // revoked as lost: nothing of it counts any more (T10)
        }
        if envelope.certified || trust::has_own_key(&known, device) {
            return self.hold_for_list(tx, envelope).await;
        }
        let (Some(identity), Some(_)) = (identity, envelope.guid) else {
            return Ok(());
        };
        if account == self.own_id()? || self.is_own_key(&identity) {
            return Ok(()); // our own key does not change by somebody's message, and nobody else has it (V2)
        }
        note_new_identity(tx, account, identity).await?;
        keep(tx, envelope).await?;
        Ok(())
    }

    /// Whether this is our own identity key. Under another account's name it is a lie, and never one to be accepted.
    pub(crate) fn is_own_key(&self, identity: &[u8]) -> bool {
        let own = self.account.as_ref();
        own.is_some_and(|own| {
            [own.identity.identity_key(), &own.account_key]
                .into_iter()
                .any(|key| *key.serialize() == *identity)
        })
    }

    /// The person accepts the account's new key. Everything that was with the old one ends, and what was held is read.
    /// Gives whether there was anything to accept.
    pub(crate) async fn accept_identity(
        &mut self,
        tx: &mut Tx<'_>,
        account: AccountId,
    ) -> Result<bool, Error> {
        let peer = peers::record(tx, account).await?;
        if !peers::key_changed(&peer) {
            return Ok(false);
        }
        for device in peer.devices {
            if let Some(device) = key::device(device.device) {
                let address = DeviceAddress { account, device };
                tx.delete(Table::Sessions, &key::session(address));
            }
        }
        // The devices and lists of the old key are nothing to the new one, which counts its lists from 1.
        let peer = PeerRecord {
            identity: peer.new_identity,
            ..PeerRecord::default()
        };
        tx.put(account.as_bytes(), &peer);
        self.unverify(tx, account, &peer.identity).await?;
        contacts::show(tx, account).await?;
        let envelopes = held(tx, account).await?;
        self.outbox.due = true;
        self.receive_held(tx, envelopes).await?;
        Ok(true)
    }
}

/// The person stays with the key they know: the other one may be an invention of the relay.
pub(crate) async fn reject(tx: &mut Tx<'_>, account: AccountId) -> Result<(), Error> {
    let mut peer = peers::record(tx, account).await?;
    if !peers::key_changed(&peer) {
        return Ok(());
    }
    peer.new_identity.clear();
    tx.put(account.as_bytes(), &peer);
    held(tx, account).await?;
    contacts::show(tx, account).await
}

/// Keeps what may be read later; gives false if there is enough of that account.
pub(crate) async fn keep(tx: &mut Tx<'_>, envelope: &Envelope) -> Result<bool, Error> {
    let (account, Some(guid)) = (envelope.source.account, envelope.guid) else {
        return Ok(true); // without a name of the relay's it can't be kept apart from others
    };
    if tx.scan(held_of(account)).await?.len() >= HELD_MAX {
        return Ok(false);
    }
    let record = HeldRecord {
        envelope: envelope.encode(),
        held_at: tx.now.0,
    };
    tx.put(
        &key::held(account, envelope.server_timestamp, guid),
        &record,
    );
    Ok(true)
}

/// What was kept of an account, which is kept no more.
pub(crate) async fn held(tx: &mut Tx<'_>, account: AccountId) -> Result<Vec<Envelope>, Error> {
    let mut envelopes = Vec::new();
    for (at, bytes) in tx.scan(held_of(account)).await? {
        tx.delete(Table::Held, &at);
        envelopes.extend(Envelope::decode(&HeldRecord::read(&bytes)?.envelope).ok());
    }
    Ok(envelopes)
}

/// Takes note of another key, and says so once.
pub(crate) async fn note_new_identity(
    tx: &mut Tx<'_>,
    account: AccountId,
    identity: Vec<u8>,
) -> Result<(), Error> {
    let mut peer = peers::record(tx, account).await?;
    if peer.new_identity != identity && peer.identity != identity {
        peer.new_identity = identity;
        tx.put(account.as_bytes(), &peer);
        tx.emit(Event::IdentityChanged(account));
        contacts::show(tx, account).await?;
    }
    Ok(())
}

/// What is held too long is forgotten.
pub(crate) async fn forget_held(tx: &mut Tx<'_>) -> Result<(), Error> {
    for (at, bytes) in tx.scan(Scan::all(Table::Held, UPKEEP_ROWS)).await? {
        if Timestamp(HeldRecord::read(&bytes)?.held_at).plus_ms(HELD_MS) <= tx.now {
            tx.delete(Table::Held, &at);
        }
    }
    Ok(())
}

fn held_of(account: AccountId) -> Scan {
    Scan::prefix(Table::Held, account.as_bytes(), HELD_MAX)
}
