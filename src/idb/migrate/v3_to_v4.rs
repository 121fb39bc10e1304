//! From version 3 to 4: an object store for what own devices compare, empty; the engine fills it. All else stays as it is.
//! Released; never to be changed.

use ::idb::{Database, Error, ObjectStoreParams, Transaction};

pub(super) fn step(database: &Database, _: &Transaction) -> Result<(), Error> {
    database
        .create_object_store("digests", ObjectStoreParams::new())
        .map(drop)
}
