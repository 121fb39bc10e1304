//! From no database to version 1: object stores with binary keys beside the records, and no index.
//! Released; never to be changed.

use ::idb::{Database, Error, ObjectStoreParams, Transaction};

pub(super) fn step(database: &Database, _: &Transaction) -> Result<(), Error> {
    let stores = [
        "keys",
        "fence",
        "meta",
        "prekeys",
        "sessions",
        "peers",
        "contacts",
        "conversations",
        "messages",
        "message_index",
        "outbox",
        "seen",
    ];
    stores.into_iter().try_for_each(|store| {
        database
            .create_object_store(store, ObjectStoreParams::new())
            .map(drop)
    })
}
