//! The receiving side: what it was told of is fetched piece by piece, read whole, and only then merged, in commits of bounded
//! size. What is old is no news: nothing is notified, and what was read elsewhere is read here.
//! It does not know how messages are merged.

use wire::DeviceId;
use wire::proto::service::History as Told;
use wire::proto::service::history::Taken;

use super::piece::{self, Unfit};
use super::{again_at, refusal, taken};
use crate::attachment::Pointer;
use crate::content::OwnDevice;
use crate::error::{Error, Refusal};
use crate::flat::Set;
use crate::input::{BlobFault, BlobTask, ConversationId, Ticket};
use crate::limits::{MERGED_AT_ONCE, PIECE_MAX, PIECES_MAX};
use crate::output::{Event, Output, Reply};
use crate::record::{PieceRecord, Record as _, key};
use crate::state::State;
use crate::store::{Scan, Table};
use crate::thread;
use crate::tx::Tx;

/// A piece that is being merged.
#[derive(Debug)]
pub(super) struct Merging {
    source: Source,
    piece: piece::Read,
    touched: Set<ConversationId>,
}

/// Where it comes from, and so what is to be done when all of it is merged.
#[derive(Debug)]
pub(super) enum Source {
    /// Another own device: its record goes, and the device is told.
    Device {
        at: Vec<u8>,
        from: u32,
        whole_from: Option<u64>,
    },
    /// A file: who asked is answered.
    File(Ticket),
}

impl Merging {
    pub(super) fn new(source: Source, piece: piece::Read) -> Self {
        Self {
            source,
            piece,
            touched: Set::new(),
        }
    }
}

impl State {
    /// Another own device tells of history.
    pub(crate) async fn history_told(
        &mut self,
        tx: &mut Tx<'_>,
        from: OwnDevice,
        told: Told,
    ) -> Result<(), Error> {
        let Told {
            transfer,
            piece,
            taken,
        } = told;
        let device = from.address().device;
        let Some(transfer) = transfer.filter(|transfer| transfer.len() == 16) else {
            self.count_refused(tx);
            return Ok(());
        };
        if let Some(taken) = taken {
            return self.pieces_were_taken(tx, device, &transfer, &taken).await;
        }
        let Some(piece) = piece else {
            return Ok(());
        };
        let pointer = piece.pointer.as_ref().filter(|pointer| {
            let size = Pointer::from_proto(pointer).map(|pointer| pointer.size);
            size.is_some_and(|size| size <= PIECE_MAX as u64)
        });
        let Some(pointer) = pointer else {
            self.count_refused(tx);
            return Ok(());
        };
        let known = tx.scan(pieces(PIECES_MAX)).await?.len();
        if known >= PIECES_MAX {
            self.count_refused(tx);
            return Ok(());
        }
        let record = PieceRecord {
            from: device.into(),
            pointer: Some(pointer.clone()),
            done: piece.done(),
            total: piece.total(),
            last: piece.last(),
            whole_from: piece.whole_from,
        };
        tx.put(&key::history_in(&transfer, piece.index()), &record);
        self.history.has_incoming = true;
        Ok(())
    }

    pub(super) async fn get_next_piece(&mut self, tx: &mut Tx<'_>) -> Result<(), Error> {
        self.history.get_at = None;
        let Some((at, bytes)) = tx.scan(pieces(1)).await?.pop() else {
            self.history.has_incoming = false;
            return Ok(());
        };
        let record = PieceRecord::read(&bytes)?;
        let Some(pointer) = record.pointer.as_ref().and_then(Pointer::from_proto) else {
            return Err(Error::Bug("a stored piece without a pointer"));
        };
        let task = self.history.next_task();
        self.history.getting = Some((task, at));
        tx.push(Output::GetBlob {
            task,
            pointer: Box::new(pointer),
        });
        Ok(())
    }

    /// The bytes of a piece have come, or will not.
    pub(super) async fn piece_has_come(
        &mut self,
        tx: &mut Tx<'_>,
        task: BlobTask,
        result: Result<Vec<u8>, BlobFault>,
    ) -> Result<(), Error> {
        let getting = self
            .history
            .getting
            .take_if(|(getting, _)| *getting == task);
        let Some((_, at)) = getting else {
            return Ok(());
        };
        let Some(record) = tx.get::<PieceRecord>(&at).await? else {
            return Ok(());
        };
        let bytes = match result {
            Ok(bytes) => bytes,
            Err(fault) => {
                match refusal(fault) {
                    Some(refusal) => give_up(tx, &at, refusal),
                    None => self.history.get_at = Some(again_at(tx.now, fault)),
                }
                return Ok(());
            }
        };
        let PieceRecord {
            from, whole_from, ..
        } = record;
        match piece::read(&bytes, self.own_id()?, tx.device_time) {
            Ok(piece) if at == key::history_in(&piece.transfer, piece.index) => {
                let source = Source::Device {
                    at,
                    from,
                    whole_from,
                };
                self.history.merging = Some(Merging::new(source, piece));
            }
            Ok(_) | Err(Unfit::Damaged | Unfit::Foreign) => {
                give_up(tx, &at, Refusal::ArchiveDamaged);
            }
            Err(Unfit::TooNew) => give_up(tx, &at, Refusal::ArchiveTooNew),
        }
        Ok(())
    }

    /// Merges as much of a piece as one commit takes.
    pub(crate) async fn merge_history(&mut self, tx: &mut Tx<'_>) -> Result<(), Error> {
        let Some(mut merging) = self.history.merging.take() else {
            return Ok(());
        };
        self.merge_some(tx, &mut merging.piece, &mut merging.touched)
            .await?;
        if !merging.piece.messages.is_empty() {
            self.history.merging = Some(merging);
            return Ok(());
        }
        let Merging {
            source,
            piece,
            touched,
        } = merging;
        for conversation in touched {
            thread::show(tx, conversation).await?;
        }
        let (at, from, whole_from) = match source {
            Source::Device {
                at,
                from,
                whole_from,
            } => (at, from, whole_from),
            Source::File(ticket) => {
                tx.resolve(ticket, Ok(Reply::Done));
                return Ok(());
            }
        };
        tx.delete(Table::Transfers, &at);
        if taken::is_all(tx, &piece).await?
            && let Some(from) = whole_from
        {
            self.has_history_from(tx, from);
        }
        let taken = Taken {
            done: Some(piece.done),
            total: Some(piece.total),
            last: Some(piece.last),
        };
        let device = DeviceId::try_from(from).ok();
        if let Some(device) = device {
            Self::tell_progress(tx, (device, false), piece.done, piece.total);
            let told = Told {
                transfer: Some(piece.transfer),
                piece: None,
                taken: Some(taken),
            };
            self.tell_history(tx, device, told);
        }
        Ok(())
    }

    /// Heads first, so that what was read elsewhere is not unread here; then some messages.
    pub(crate) async fn merge_some(
        &mut self,
        tx: &mut Tx<'_>,
        piece: &mut piece::Read,
        touched: &mut Set<ConversationId>,
    ) -> Result<(), Error> {
        for head in std::mem::take(&mut piece.heads) {
            touched.insert(head.conversation);
            self.take_head(tx, head).await?;
        }
        let count = piece.messages.len().min(MERGED_AT_ONCE);
        let some: Vec<_> = piece.messages.drain(..count).collect();
        let ids = some.iter().map(|message| message.id.as_bytes().to_vec());
        tx.prefetch_near(Table::MessageIndex, ids.collect()).await?;
        for message in some {
            touched.insert(message.conversation);
            self.take_archived(tx, message).await?;
        }
        tx.forget_outputs(|output| {
            let Output::Emit(event) = output else {
                return false;
            };
            matches!(**event, Event::Message(_))
        });
        Ok(())
    }
}

/// A piece that will never be merged.
fn give_up(tx: &mut Tx<'_>, at: &[u8], refusal: Refusal) {
    tx.delete(Table::Transfers, at);
    tx.emit(Event::Failure(refusal));
}

fn pieces(limit: usize) -> Scan {
    Scan::prefix(Table::Transfers, key::HISTORY_IN, limit)
}
