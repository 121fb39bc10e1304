//! From version 1 to 2: an object store for the journal, empty. Everything else stays as it is.
//! Released; never to be changed.

use ::idb::{Database, Error, ObjectStoreParams, Transaction};

pub(super) fn step(database: &Database, _: &Transaction) -> Result<(), Error> {
    database
        .create_object_store("journal", ObjectStoreParams::new())
        .map(drop)
}
