//! Which pieces of a transfer have been merged, in whatever order they came: only when none is missing is the history whole.
//! It does not know what follows from that.

use super::piece;
use crate::error::Error;
use crate::input::Timestamp;
use crate::limits::{HISTORY_TAKEN_MS, PIECES_MAX, UPKEEP_ROWS};
use crate::record::{Record as _, TakenRecord, key};
use crate::store::{Scan, Table};
use crate::tx::Tx;

/// Notes that a piece was merged. Says whether all of its transfer is, now.
pub(super) async fn is_all(tx: &mut Tx<'_>, piece: &piece::Read) -> Result<bool, Error> {
    let at = key::history_taken(&piece.transfer);
    let mut record = tx.get::<TakenRecord>(&at).await?.unwrap_or_default();
    note(&mut record, piece.index);
    if piece.last {
        record.count = piece.index.saturating_add(1);
    }
    if has_all(&record) {
        tx.delete(Table::Transfers, &at);
        return Ok(true);
    }
    record.at = tx.now.0;
    tx.put(&at, &record);
    Ok(false)
}

fn note(record: &mut TakenRecord, index: u32) {
    let Some(index) = usize::try_from(index).ok().filter(|at| *at < PIECES_MAX) else {
        return; // nobody sends so many
    };
    let byte = index / 8;
    if record.pieces.len() <= byte {
        record.pieces.resize(byte + 1, 0);
    }
    if let Some(byte) = record.pieces.get_mut(byte) {
        *byte |= 1 << (index % 8);
    }
}

fn has_all(record: &TakenRecord) -> bool {
    let merged: u32 = record.pieces.iter().map(|byte| byte.count_ones()).sum();
    record.count != 0 && merged >= record.count
}

/// The rest of these transfers does not come any more.
pub(super) async fn forget(tx: &mut Tx<'_>) -> Result<(), Error> {
    let all = Scan::prefix(Table::Transfers, key::HISTORY_TAKEN, UPKEEP_ROWS);
    for (at, bytes) in tx.scan(all).await? {
        let record = TakenRecord::read(&bytes)?;
        if Timestamp(record.at).plus_ms(HISTORY_TAKEN_MS) <= tx.now {
            tx.delete(Table::Transfers, &at);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transfer_is_whole_when_no_piece_is_missing_in_whatever_order_they_came() {
        let mut record = TakenRecord::default();
        for index in [0, 9, 2, 9, 3, 4, 5, 6, 7, 8] {
            note(&mut record, index);
            record.count = if index == 9 { 10 } else { record.count };
            assert!(!has_all(&record), "{index}");
        }
        note(&mut record, 1);
        assert!(has_all(&record));
    }
}
