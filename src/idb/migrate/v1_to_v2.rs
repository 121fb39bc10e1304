//! From version 1 to 2: object stores for the journal and for three more tables, empty. All else stays as it is.
//! Released; never to be changed.

use ::idb::{Database, Error, ObjectStoreParams, Transaction};

pub(super) fn step(database: &Database, _: &Transaction) -> Result<(), Error> {
    let stores = ["journal", "sent", "waiting", "held"];
    stores.into_iter().try_for_each(|store| {
        database
            .create_object_store(store, ObjectStoreParams::new())
            .map(drop)
    })
}
