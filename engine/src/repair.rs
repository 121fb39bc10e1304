//! Repair: own devices find out in what they differ, whatever it was that one of them missed, and end it.
//!
//! Once a day, and when it comes back, a device tells the others one digest of all that they must agree on. Whoever has another answers with the digests
//! of the groups (`groups`), then what is in those that differ is named (`items`), and what one of them lacks goes over in
//! the archive form, both ways (`exchange`). Nothing is ever replaced: all of it is merged by the rules of each kind.
//! Each answer is bounded and ends by itself; what was not all told is gone on with a few times a day.
//! It does not know who wrote what, nor how messages travel.

mod exchange;
mod groups;
mod items;
mod parts;
mod supply;

use std::collections::VecDeque;

use prost::Message as _;
use rand::Rng;
use wire::DeviceId;
use wire::proto::archive::Repair as Told;
use wire::proto::service::SyncMessage;

use crate::content::OwnDevice;
use crate::error::Error;
use crate::input::Timestamp;
use crate::limits::{
    REPAIR_AGAIN_MAX, REPAIR_AGAIN_MS, REPAIR_BACK_MS, REPAIR_FIRST_MS, REPAIR_JITTER_MS,
    REPAIR_MS, REPAIR_WAITING,
};
use crate::peers;
use crate::record::{RepairRecord, key};
use crate::state::State;
use crate::trust;
use crate::tx::Tx;
pub(crate) use groups::mark;

/// When devices are compared, and what waits to be answered. The latter is memory alone: lost, it costs a day.
#[derive(Debug, Default)]
pub(crate) struct Repair {
    record: RepairRecord,
    /// It has signed in, and has not compared since.
    is_back: bool,
    waiting: VecDeque<(DeviceId, Told)>,
}

impl Repair {
    /// Reads what the store holds.
    pub(crate) async fn read(tx: &mut Tx<'_>) -> Result<Self, Error> {
        let record = tx.get::<RepairRecord>(key::REPAIR).await?;
        Ok(Self {
            record: record.unwrap_or_default(),
            is_back: false,
            waiting: VecDeque::new(),
        })
    }

    fn next(&self) -> Timestamp {
        let (planned, again_at) = (self.planned().0, self.record.again_at);
        match (self.waiting.is_empty(), again_at) {
            (false, _) => Timestamp(0),
            (true, 0) => Timestamp(planned),
            (true, again_at) => Timestamp(planned.min(again_at)),
        }
    }

    /// When the next comparison is that is not the rest of one.
    const fn planned(&self) -> Timestamp {
        let early = if self.is_back { REPAIR_BACK_MS } else { 0 };
        Timestamp(self.record.daily_at.saturating_sub(early))
    }
}

impl State {
    /// This device is there again: what it has missed meanwhile need not wait for the next day.
    pub(crate) const fn compare_soon(&mut self) {
        self.repair.is_back = true;
    }

    /// When something is to be compared: never while what waits at the relay or is to be sent may explain what differs.
    pub(crate) fn repair_deadline(&self) -> Option<Timestamp> {
        let is_quiet = !self.clock.draining && self.outbox.len() == 0;
        let may = self.connection.is_up() && self.is_member() && !self.is_plain() && is_quiet;
        may.then(|| self.repair.next())
    }

    /// Another own device has told something: it is answered when there is time.
    pub(crate) fn take_repair(&mut self, from: OwnDevice, bytes: &[u8]) {
        let has_room = self.repair.waiting.len() < REPAIR_WAITING;
        if let Ok(told) = Told::decode(bytes)
            && has_room
            && !self.is_plain()
        {
            self.repair.waiting.push_back((from.address().device, told));
        }
    }

    /// Compares what is to be compared: one step of it.
    pub(crate) async fn do_repair(&mut self, tx: &mut Tx<'_>) -> Result<(), Error> {
        if self.repair_deadline().is_none_or(|at| at > tx.now) {
            return Ok(());
        }
        if self.repair.record.daily_at == 0 {
            self.plan(tx, REPAIR_FIRST_MS);
            return Ok(());
        }
        if self.repair.waiting.is_empty() && !has_others(tx, self.own_id()?).await? {
            self.plan(tx, REPAIR_MS);
            return Ok(());
        }
        if !self.repair.record.grouped {
            let ended = groups::mark_old(tx, &self.repair.record.grouped_to).await?;
            self.repair.record.grouped = ended.is_none();
            self.repair.record.grouped_to = ended.unwrap_or_default();
            self.save_repair(tx);
            return Ok(());
        }
        if !groups::refresh(tx).await? {
            return Ok(()); // the next step goes on
        }
        match self.repair.waiting.pop_front() {
            Some((from, told)) => self.answer_repair(tx, from, told).await,
            None => self.begin_repair(tx).await,
        }
    }

    async fn begin_repair(&mut self, tx: &mut Tx<'_>) -> Result<(), Error> {
        if self.repair.planned() <= tx.now {
            self.repair.record.again = 0;
            self.plan(tx, REPAIR_MS);
        }
        self.repair.record.again_at = 0;
        let floor = self.history_from(tx);
        let list = groups::list(tx, floor, &[], &[]).await?;
        self.tell_root(tx, None, floor, groups::root(&list));
        Ok(())
    }

    fn tell_root(
        &mut self,
        tx: &mut Tx<'_>,
        to: Option<DeviceId>,
        floor: u64,
        root: groups::Digest,
    ) {
        self.repair.record.told = root.to_vec();
        self.save_repair(tx);
        let told = Told {
            floor,
            root: root.to_vec(),
            ..Told::default()
        };
        self.send_repair(tx, to, &told);
    }

    /// Plans the next day's comparison.
    fn plan(&mut self, tx: &mut Tx<'_>, wait: u64) {
        let wait = wait + self.rng.random_range(0..REPAIR_JITTER_MS);
        self.repair.record.daily_at = tx.now.plus_ms(wait).0;
        self.repair.is_back = false;
        self.save_repair(tx);
    }

    /// What differs was not all told: there is another comparison soon, but not for ever.
    fn repair_again(&mut self, tx: &mut Tx<'_>) {
        let record = &mut self.repair.record;
        if record.again_at == 0 && record.again < REPAIR_AGAIN_MAX {
            record.again += 1;
            record.again_at = tx.now.plus_ms(REPAIR_AGAIN_MS).0;
            self.save_repair(tx);
        }
    }

    fn save_repair(&self, tx: &mut Tx<'_>) {
        tx.put(key::REPAIR, &self.repair.record);
    }

    /// Another own device has given it all that there is from then on.
    pub(crate) fn has_history_from(&mut self, tx: &mut Tx<'_>, from: u64) {
        if self.history_from(tx) <= from {
            return;
        }
        if let Some(account) = &mut self.account {
            account.record.history_from = Some(from);
            tx.put(key::ACCOUNT, &account.record);
        }
    }

    /// Messages from before are not this device's to have.
    pub(crate) fn history_from(&mut self, tx: &mut Tx<'_>) -> u64 {
        let Some(account) = &mut self.account else {
            return u64::MAX;
        };
        let record = &mut account.record;
        if let Some(from) = record.history_from {
            return from;
        }
        // In a store from before this was kept: only the first device is known to have been there always.
        let is_first = record.device == u32::from(DeviceId::PRIMARY);
        let from = if is_first { 0 } else { tx.now.0 };
        record.history_from = Some(from);
        tx.put(key::ACCOUNT, record);
        from
    }

    /// Tells an own device something, or all of them.
    fn send_repair(&mut self, tx: &mut Tx<'_>, to: Option<DeviceId>, told: &Told) {
        let message = SyncMessage {
            repair: Some(told.encode_to_vec()),
            ..SyncMessage::default()
        };
        self.enqueue_sync_for(tx, to, message);
    }
}

/// Whether the person is known to have other devices.
async fn has_others(tx: &mut Tx<'_>, own: wire::AccountId) -> Result<bool, Error> {
    let peer = peers::record(tx, own).await?;
    let mut current = peers::current(&peer);
    Ok(current.any(|(device, _)| !trust::role(&peer, device).is_delegate()))
}

#[cfg(any(test, feature = "testing"))]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
