//! Commands for files of history: cutting one piece after the other, looking whether a piece may be taken over, and taking
//! it over. The host holds the file; nothing of it is kept here between two commands.

use rand::RngCore as _;

use super::cut;
use super::piece::{self, Unfit};
use super::receive::{Merging, Source};
use crate::error::{Error, Refusal};
use crate::input::Ticket;
use crate::output::{Place, Reply, TransferReply};
use crate::record::{CutRecord, Record as _};
use crate::state::State;
use crate::tx::Tx;

impl State {
    /// The next piece, or nothing as long as messages are counted; `from` is what the reply before came with.
    pub(crate) async fn cut_for_file(
        &mut self,
        tx: &mut Tx<'_>,
        from: Option<Vec<u8>>,
    ) -> Result<Result<Reply, Refusal>, Error> {
        let mut cut = match from {
            Some(bytes) => match CutRecord::read(&bytes) {
                Ok(cut) => cut,
                Err(_) => return Ok(Err(Refusal::InvalidArgument("from"))),
            },
            None => {
                let mut transfer = [0; 16];
                self.rng.fill_bytes(&mut transfer);
                cut::begin(tx, transfer, (0, &[]), 0).await?
            }
        };
        if cut.is_counting {
            cut::count(tx, &mut cut).await?;
        }
        let content = if cut.is_counting {
            Vec::new()
        } else {
            cut::next(tx, self.own_id()?, &mut cut).await?
        };
        let next = (!cut.is_over).then(|| cut.write());
        Ok(Ok(Reply::Transfer(TransferReply::Piece {
            content,
            next,
            done: cut.done,
            total: cut.total,
        })))
    }

    /// Where a piece stands in its file, if all of it may be taken over. Changes nothing.
    pub(crate) fn check_piece(&self, tx: &Tx<'_>, content: &[u8]) -> Result<Reply, Refusal> {
        let piece = self.read_piece(tx, content)?;
        Ok(Reply::Transfer(TransferReply::Place(Place {
            transfer: piece.transfer,
            index: piece.index,
            last: piece.last,
            done: piece.done,
            total: piece.total,
        })))
    }

    /// Takes a piece over; the ticket is answered when all of it is merged.
    pub(crate) fn take_piece(&mut self, tx: &mut Tx<'_>, ticket: Ticket, content: &[u8]) {
        match self.read_piece(tx, content) {
            Ok(piece) => self.history.merging = Some(Merging::new(Source::File(ticket), piece)),
            Err(refusal) => tx.resolve(ticket, Err(refusal)),
        }
    }

    fn read_piece(&self, tx: &Tx<'_>, content: &[u8]) -> Result<piece::Read, Refusal> {
        let own = self.account.as_ref().ok_or(Refusal::NotReady)?.id();
        piece::read(content, own, tx.device_time).map_err(|unfit| match unfit {
            Unfit::Foreign => Refusal::ArchiveForeign,
            Unfit::TooNew => Refusal::ArchiveTooNew,
            Unfit::Damaged => Refusal::ArchiveDamaged,
        })
    }
}
