//! From version 2 to 3: object stores for what is in step between devices, empty. All else stays as it is.
//! Released; never to be changed.

use ::idb::{Database, Error, ObjectStoreParams, Transaction};

pub(super) fn step(database: &Database, _: &Transaction) -> Result<(), Error> {
    let stores = ["registers", "untold", "early", "due", "transfers", "search"];
    stores.into_iter().try_for_each(|store| {
        database
            .create_object_store(store, ObjectStoreParams::new())
            .map(drop)
    })
}
