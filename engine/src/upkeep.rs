//! What is due once a day: what has been kept for late messages is deleted when none can come any more.
//!
//! It decides by ages alone and sends nothing; each kind of record has its own rule in its own module.

use crate::error::Error;
use crate::identity::forget_held;
use crate::input::Timestamp;
use crate::limits::{SESSION_RECEIVE_MS, STALE_MS, UPKEEP_MS, UPKEEP_ROWS};
use crate::peers;
use crate::prekeys;
use crate::record::{PeerRecord, Record, SessionsRecord, key};
use crate::registers::forget_removed;
use crate::retry::forget_sent;
use crate::session;
use crate::state::State;
use crate::store::{Scan, Table};
use crate::transfers::forget_uploads;
use crate::tx::Tx;

impl State {
    /// When it is due.
    pub(crate) fn upkeep_deadline(&self) -> Option<Timestamp> {
        let at = Timestamp(self.clock.upkeep_at).plus_ms(UPKEEP_MS);
        self.is_member().then_some(at)
    }

    /// Does what is due.
    pub(crate) async fn upkeep(&mut self, tx: &mut Tx<'_>) -> Result<(), Error> {
        let due = self.upkeep_deadline().is_some_and(|at| at <= tx.now);
        let clock_went_back = self.clock.upkeep_at > tx.now.0;
        let member = self.is_member();
        let Some(account) = self
            .account
            .clone()
            .filter(|_| member && (due || clock_went_back))
        else {
            return Ok(());
        };
        self.clock.upkeep_at = tx.now.0;
        self.index_due = true;
        (self.untold, self.outbox.due) = (true, true); // what a message that was given up has not told
        if self.connection.is_up() {
            self.clock.online_at = tx.now.0;
        }
        self.save_clock(tx);
        prekeys::forget_old(tx, &account).await?;
        forget_stale_devices(tx).await?;
        forget_old_sessions(tx).await?;
        forget_sent(tx).await?;
        forget_held(tx).await?;
        forget_removed(tx).await?;
        forget_uploads(tx).await?;
        self.forget_history(tx).await?;
        self.give_up_waiting(tx).await?;
        self.forget_early(tx).await?;
        self.look_after_list(tx).await?;
        self.offer_renewals(tx).await?;
        self.rotate_keys(tx).await
    }
}

/// S-8: a device that is gone is kept for late messages, and no longer.
async fn forget_stale_devices(tx: &mut Tx<'_>) -> Result<(), Error> {
    for (account, mut peer) in tx.by_account::<PeerRecord>(UPKEEP_ROWS).await? {
        let before = peer.clone();
        let kept = |since: u64| since == 0 || tx.now < Timestamp(since).plus_ms(STALE_MS);
        peer.devices.retain(|device| kept(device.stale_since));
        // Whom nobody vouched for is asked about once more: perhaps the relay has lied about its keys, and does no more.
        for device in &mut peer.devices {
            device.uncertified = false;
        }
        if peer != before {
            tx.put(account.as_bytes(), &peer);
        }
    }
    Ok(())
}

/// MAXRECV (S-50), and sessions of devices that nothing is known of any more.
async fn forget_old_sessions(tx: &mut Tx<'_>) -> Result<(), Error> {
    let rows = tx.scan(Scan::all(Table::Sessions, UPKEEP_ROWS)).await?;
    let addresses = rows.iter().filter_map(|(at, _)| key::split_session(at));
    let peers = addresses.map(|of| (Table::Peers, of.account.as_bytes().to_vec()));
    tx.prefetch(peers.collect()).await?;
    for (at, bytes) in rows {
        let Some(address) = key::split_session(&at) else {
            continue;
        };
        let mut record = SessionsRecord::read(&bytes)?;
        let before = record.clone();
        let peer = peers::record(tx, address.account).await?;
        record.incarnations.retain(|incarnation| {
            let old = Timestamp(incarnation.since).plus_ms(SESSION_RECEIVE_MS) <= tx.now;
            !old && peers::is_known(&peer, address.device, incarnation.epoch)
        });
        for incarnation in &mut record.incarnations {
            // What was archived has had its successor for so long that no message in it can be on its way.
            if Timestamp(incarnation.since).plus_ms(STALE_MS) <= tx.now
                && let Some(shorter) = session::without_archived(&incarnation.session)
            {
                incarnation.session = shorter;
            }
        }
        if record.incarnations.is_empty() {
            tx.delete(Table::Sessions, &at);
        } else if record != before {
            tx.put(&at, &record);
        }
    }
    Ok(())
}
