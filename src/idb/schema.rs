//! The database: its object stores, its version, and the one place that opens it.
//!
//! It knows no record. Every upgrade goes through `migrate`; the builder of `rexie` always meets the
//! version it asks for, so its own upgrade, which deletes what it was not told of, never runs.
//! A connection closes itself when a newer version of this library wants to upgrade the database.

use std::cell::Cell;
use std::fmt;
use std::rc::Rc;

use ::idb::{DatabaseEvent, Event, Factory, Request};
use engine::StoreFault;
use rexie::{ObjectStore, Rexie};
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::IdbDatabase;

use super::{fault, migrate};

/// The version this build reads and writes. A step up needs a file in `migrate`.
pub const VERSION: u32 = 4;

/// The key that wraps the store key, and the wrapped store key.
pub(super) const KEYS: &str = "keys";
/// The number of the newest opening.
pub(super) const FENCE: &str = "fence";
/// Commits that are not in their tables yet.
pub(super) const JOURNAL: &str = "journal";

/// Every object store: the engine's tables and our own three.
pub const STORES: [&str; 23] = [
    KEYS,
    FENCE,
    JOURNAL,
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
    "sent",
    "waiting",
    "held",
    "registers",
    "untold",
    "early",
    "due",
    "transfers",
    "search",
    "digests",
];

/// Two connections to one database: rexie's for reading, a raw one for writing.
pub(super) struct Connection {
    reader: Option<Rexie>,
    writer: IdbDatabase,
    superseded: Rc<Cell<bool>>,
    _on_version_change: Closure<dyn FnMut()>,
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connection")
    }
}

impl Connection {
    pub(super) fn reader(&self) -> Result<&Rexie, StoreFault> {
        self.reader.as_ref().ok_or(StoreFault::Failed)
    }

    pub(super) const fn writer(&self) -> &IdbDatabase {
        &self.writer
    }

    /// Refuses what could be answered without the database, but no longer may be.
    pub(super) fn check(&self) -> Result<(), StoreFault> {
        if self.superseded.get() {
            Err(StoreFault::Fenced)
        } else {
            Ok(())
        }
    }

    /// What a failure means: after an upgrade by a newer version, that somebody else has the store.
    pub(super) fn explain(&self, fault: StoreFault) -> StoreFault {
        if self.superseded.get() {
            StoreFault::Fenced
        } else {
            fault
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.writer.set_onversionchange(None);
        self.writer.close();
        if let Some(reader) = self.reader.take() {
            reader.close();
        }
    }
}

/// Opens the database and brings it to this version.
pub(super) async fn open(name: &str) -> Result<Connection, StoreFault> {
    let writer = match open_and_upgrade(name).await {
        Ok(database) => IdbDatabase::from(database),
        Err(error) => return Err(refusal(name, error).await),
    };
    let superseded = Rc::new(Cell::new(false));
    let on_version_change = {
        let (database, superseded) = (writer.clone(), Rc::clone(&superseded));
        Closure::<dyn FnMut()>::new(move || {
            superseded.set(true);
            database.close();
        })
    };
    writer.set_onversionchange(Some(on_version_change.as_ref().unchecked_ref()));
    let mut connection = Connection {
        reader: None,
        writer,
        superseded,
        _on_version_change: on_version_change,
    };
    let builder = Rexie::builder(name).version(VERSION);
    let builder = STORES.iter().fold(builder, |all, store| {
        all.add_object_store(ObjectStore::new(store))
    });
    connection.reader = Some(builder.build().await.map_err(fault::of_rexie)?);
    Ok(connection)
}

async fn open_and_upgrade(name: &str) -> Result<::idb::Database, ::idb::Error> {
    let mut request = Factory::new()?.open(name, Some(VERSION))?;
    request.on_upgrade_needed(|event| {
        // An upgrade that fails half-way is aborted as a whole; opening then fails, and nothing changed.
        if let Ok(request) = event.target()
            && let Some(transaction) = request.transaction()
            && (event.database())
                .and_then(|database| migrate::run(&event, &database, &transaction))
                .is_err()
        {
            drop(transaction.abort());
        }
    });
    request.await
}

/// Why the database could not be opened.
async fn refusal(name: &str, error: ::idb::Error) -> StoreFault {
    if matches!(error, ::idb::Error::IndexedDbNotFound(_)) {
        return StoreFault::Refused;
    }
    let exception = fault::exception_of(error);
    if fault::is_version_error(&exception) {
        return too_new(name).await.unwrap_or(StoreFault::Failed);
    }
    fault::of_opening(&exception)
}

async fn too_new(name: &str) -> Result<StoreFault, ::idb::Error> {
    let database = Factory::new()?.open(name, None)?.await?;
    let found = database.version();
    database.close();
    Ok(StoreFault::TooNew {
        found: found?,
        supported: VERSION,
    })
}

/// The bytes of a key or record, as the database takes them.
pub(super) fn bytes(bytes: &[u8]) -> JsValue {
    js_sys::Uint8Array::from(bytes).into()
}
