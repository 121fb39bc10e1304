//! Sealed account keys, as every store must keep them.
//! What they are for is not known here.

use super::*;
use crate::store::RecoveryRow;

fn row(n: u8) -> RecoveryRow {
    RecoveryRow {
        sealed: vec![n; 100],
        made: u64::from(n),
    }
}

pub(super) fn a_sealed_key_is_replaced_and_goes_with_its_account(mut store: impl Store) {
    let (first, other) = (account(1, "alice"), account(2, "bob"));
    let ids = [first.id, other.id];
    commit(&mut store, |tx| {
        tx.insert_account(&first)?;
        tx.insert_account(&other)?;
        tx.put_recovery(ids[0], &row(1))?;
        tx.put_recovery(ids[1], &row(2))
    });
    commit(&mut store, |tx| tx.put_recovery(ids[0], &row(3)));
    assert_eq!(store.recovery(ids[0]).unwrap(), Some(row(3)));
    let failed = store.transaction(|tx| {
        tx.put_recovery(ids[0], &row(4))?;
        tx.delete_account(ids[1])?;
        Err::<(), _>(StoreError::Corrupt { what: "test" })
    });
    assert!(failed.is_err());
    assert_eq!(store.recovery(ids[0]).unwrap(), Some(row(3)));
    assert_eq!(store.recovery(ids[1]).unwrap(), Some(row(2)));
    commit(&mut store, |tx| tx.delete_account(ids[0]));
    assert_eq!(store.recovery(ids[0]).unwrap(), None);
    assert_eq!(store.recovery(ids[1]).unwrap(), Some(row(2)));
}
