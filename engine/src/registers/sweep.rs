//! The end of registers that say nothing any more: what was removed long ago, and drafts that have had their time.
//! A live register is never ended.

use super::space::Place;
use super::{Field, Register, app, fields};
use crate::error::Error;
use crate::input::Timestamp;
use crate::limits::REMOVED_MS;
use crate::record::{Record, RegisterRecord, UntoldRecord};
use crate::store::Table;
use crate::tx::Tx;

/// Forgets what has had its time, counted from when this device has learned of it: a removal that is forgotten sooner
/// than the longest absence of a device could be undone by what that device still has.
pub(crate) async fn forget_removed(tx: &mut Tx<'_>) -> Result<(), Error> {
    let mut ended = Vec::new();
    tx.each_row(Table::Registers, |tx, at, bytes| {
        let record = RegisterRecord::read(bytes)?;
        let Some(place) = Place::from_key(&at) else {
            return Ok(());
        };
        let register = Register::read(&record);
        let is_removed = register.value.is_none();
        let forgotten = is_removed && Timestamp(record.stored_at).plus_ms(REMOVED_MS) <= tx.now;
        if forgotten || (is_draft(&place) && fields::is_old_draft(tx, register.clock)) {
            ended.push((at, place, register));
        }
        Ok(())
    })
    .await?;
    for (at, place, register) in ended {
        // Removed here and told to nobody: the others would keep it for ever.
        let untold = register.value.is_none() && tx.get::<UntoldRecord>(&at).await?.is_some();
        if !untold {
            app::count(tx, &place, Some(&register), None).await?;
            tx.delete(Table::Registers, &at);
        }
    }
    Ok(())
}

fn is_draft(place: &Place) -> bool {
    matches!(place.field(), Some((_, Field::Draft)))
}
