//! The sending side: pieces are cut one at a time, put at the relay and told of, whether the device is there or not.
//! It does not know what is in a piece.

use rand::RngCore as _;
use wire::proto::service::history::{Piece, Taken};
use wire::proto::service::{History as Told, SyncMessage};
use wire::{AccountId, DeviceId};

use super::{again_at, cut};
use crate::attachment::{Details, Plan};
use crate::error::{Error, Refusal};
use crate::input::{BlobFault, BlobTask, HistoryChoice};
use crate::limits::UPKEEP_ROWS;
use crate::output::{Output, Reply};
use crate::peers;
use crate::record::{CutRecord, Record as _, key};
use crate::state::State;
use crate::store::{Scan, Table};
use crate::trust;
use crate::tx::Tx;

/// A piece on its way to the relay, and where cutting goes on once it is there.
#[derive(Debug)]
pub(super) struct Putting {
    task: BlobTask,
    device: DeviceId,
    plan: Plan,
    before: (Vec<u8>, u32),
    after: CutRecord,
}

impl State {
    /// Sends history to another own device, from its beginning.
    pub(crate) async fn send_history(
        &mut self,
        tx: &mut Tx<'_>,
        device: DeviceId,
        choice: HistoryChoice,
    ) -> Result<Result<Reply, Refusal>, Error> {
        if self.is_plain() {
            return Ok(Err(Refusal::AttachmentsUnsupported));
        }
        if !self.has_device(tx, device).await? {
            return Ok(Err(Refusal::InvalidArgument("deviceId")));
        }
        if choice.is_nothing() {
            return Ok(Ok(Reply::Done));
        }
        let only = match self.named_conversations(tx, &choice).await? {
            Ok(only) => only,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let of = |bytes: &Vec<u8>| AccountId::from_slice(bytes).ok();
        let only: Vec<AccountId> = only.iter().filter_map(of).collect();
        self.start_history(tx, device, super::choice::days(&choice), &only)
            .await?;
        Ok(Ok(Reply::Done))
    }

    pub(crate) async fn start_history(
        &mut self,
        tx: &mut Tx<'_>,
        device: DeviceId,
        days: u32,
        only: &[AccountId],
    ) -> Result<(), Error> {
        let mut transfer = [0; 16];
        self.rng.fill_bytes(&mut transfer);
        let floor = self.history_from(tx);
        let cut = cut::begin(tx, transfer, (days, only), floor).await?;
        tx.put(&key::history_out(device), &cut);
        self.history.outgoing.insert(device);
        Ok(())
    }

    /// Counts some more. A timer that is due at once goes on with it, so that commands come in between.
    async fn is_still_counting(
        &mut self,
        tx: &mut Tx<'_>,
        device: DeviceId,
        cut: &mut CutRecord,
    ) -> Result<bool, Error> {
        cut::count(tx, cut).await?;
        tx.put(&key::history_out(device), cut);
        if cut.is_counting {
            self.history.put_at = Some(tx.now);
        } else {
            Self::tell_progress(tx, (device, true), 0, cut.total);
        }
        Ok(cut.is_counting)
    }

    /// Whether this is another device of the person, as far as is known.
    async fn has_device(&self, tx: &mut Tx<'_>, device: DeviceId) -> Result<bool, Error> {
        let Some(own) = self.account.as_ref().map(|account| account.address) else {
            return Ok(false);
        };
        let peer = peers::record(tx, own.account).await?;
        let is_there = peers::current(&peer).any(|(number, _)| number == device);
        let is_theirs = !trust::role(&peer, device).is_delegate();
        Ok(is_there && is_theirs && device != own.device)
    }

    /// History to devices that are no more will not be taken, and choices for devices that did not come are not made.
    pub(crate) async fn forget_history(&mut self, tx: &mut Tx<'_>) -> Result<(), Error> {
        for (at, bytes) in tx
            .scan(Scan::prefix(
                Table::Transfers,
                key::HISTORY_OUT,
                UPKEEP_ROWS,
            ))
            .await?
        {
            let is_over = CutRecord::read(&bytes)?.is_over;
            let is_there = match key::split_history_out(&at) {
                Some(device) => self.has_device(tx, device).await?,
                None => false,
            };
            if is_over && !is_there {
                tx.delete(Table::Transfers, &at);
            }
        }
        super::taken::forget(tx).await?;
        super::choice::forget(tx).await
    }

    pub(super) async fn put_next_piece(&mut self, tx: &mut Tx<'_>) -> Result<(), Error> {
        self.history.put_at = None;
        let Some(authorization) = self.authorization() else {
            return Ok(());
        };
        let own = self.own_id()?;
        for device in self.history.outgoing.clone() {
            let at = key::history_out(device);
            let record = tx.get::<CutRecord>(&at).await?.filter(|cut| !cut.is_over);
            let Some(mut cut) = record else {
                self.history.outgoing.remove(&device);
                continue;
            };
            if !self.has_device(tx, device).await? {
                tx.delete(Table::Transfers, &at); // it was removed
                self.history.outgoing.remove(&device);
                continue;
            }
            if cut.is_counting && self.is_still_counting(tx, device, &mut cut).await? {
                return Ok(());
            }
            let before = (cut.transfer.clone(), cut.index);
            let content = cut::next(tx, own, &mut cut).await?;
            let plan = self.draw_plan(content.len() as u64);
            let task = self.history.next_task();
            self.history.putting = Some(Putting {
                task,
                device,
                plan: plan.clone(),
                before,
                after: cut,
            });
            tx.push(Output::PutBlob {
                task,
                plan,
                content,
                authorization,
            });
            return Ok(());
        }
        Ok(())
    }

    /// A piece is at the relay: the device is told of it, and cutting goes on behind it.
    pub(super) async fn piece_was_put(
        &mut self,
        tx: &mut Tx<'_>,
        task: BlobTask,
        result: Result<[u8; 32], BlobFault>,
    ) -> Result<(), Error> {
        let Some(putting) = self.history.putting.take_if(|putting| putting.task == task) else {
            return Ok(());
        };
        let digest = match result {
            Ok(digest) => digest,
            Err(fault) => {
                // It is cut again: by then there may be other messages, so it gets another plan.
                self.history.put_at = Some(again_at(tx.now, fault));
                return Ok(());
            }
        };
        let Putting {
            device,
            plan,
            before,
            after,
            ..
        } = putting;
        let at = key::history_out(device);
        let known = tx.get::<CutRecord>(&at).await?;
        if known.is_none_or(|cut| (cut.transfer, cut.index) != before) {
            return Ok(()); // it was begun anew meanwhile
        }
        let told = Told {
            transfer: Some(after.transfer.clone()),
            piece: Some(Piece {
                index: Some(after.index.saturating_sub(1)),
                pointer: Some(plan.pointer(digest, Details::default()).to_proto()),
                done: Some(after.done),
                total: Some(after.total),
                last: Some(after.is_over),
                whole_from: after.whole_from,
            }),
            taken: None,
        };
        tx.put(&at, &after);
        self.tell_history(tx, device, told);
        Ok(())
    }

    /// Something for one own device alone.
    pub(super) fn tell_history(&mut self, tx: &mut Tx<'_>, device: DeviceId, told: Told) {
        let message = SyncMessage {
            history: Some(told),
            ..SyncMessage::default()
        };
        self.enqueue_kept_sync(tx, device, message);
    }

    /// The device says how far it is.
    pub(super) async fn pieces_were_taken(
        &mut self,
        tx: &mut Tx<'_>,
        device: DeviceId,
        transfer: &[u8],
        taken: &Taken,
    ) -> Result<(), Error> {
        let at = key::history_out(device);
        let Some(cut) = tx.get::<CutRecord>(&at).await? else {
            return Ok(());
        };
        if cut.transfer != transfer {
            return Ok(());
        }
        let done = taken.done().min(cut.done);
        Self::tell_progress(tx, (device, true), done, cut.total);
        if cut.is_over && taken.last() {
            tx.delete(Table::Transfers, &at);
        }
        Ok(())
    }
}
