//! A database seen from outside, past the store: plain records, for tests only.
//! It panics where a test could not go on.

use idb::{Database, DatabaseEvent as _, Error, Factory, ObjectStoreParams, TransactionMode};
use js_sys::Uint8Array;
use lockstep::clock::Timer;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::CryptoKey;

/// A store, the key of a row as shown by the debugger, and the bytes of its value; none for other values.
pub(crate) type Entry = (String, String, Vec<u8>);

/// Opens a database; a version above its own upgrades it.
pub(crate) async fn open(name: &str, version: Option<u32>) -> Result<Database, Error> {
    Factory::new()?.open(name, version)?.await
}

pub(crate) fn store_names(database: &Database) -> Vec<String> {
    database.store_names()
}

/// Makes a database of some version, with these object stores.
pub(crate) async fn create(name: &str, version: u32, stores: &'static [&'static str]) -> Database {
    let mut request = Factory::new().unwrap().open(name, Some(version)).unwrap();
    request.on_upgrade_needed(move |event| {
        let database = event.database().unwrap();
        for store in stores {
            let parameters = ObjectStoreParams::new();
            database.create_object_store(store, parameters).unwrap();
        }
    });
    request.await.unwrap()
}

/// How many rows an object store has.
pub(crate) async fn count(database: &Database, store: &str) -> u32 {
    let transaction = database
        .transaction(&[store], TransactionMode::ReadOnly)
        .unwrap();
    let store = transaction.object_store(store).unwrap();
    store.count(None).unwrap().await.unwrap()
}

/// Waits until the journal is carried over. Whoever has the store open does that.
pub(crate) async fn settled(database: &Database) {
    let mut tries = 0;
    while count(database, "journal").await > 0 {
        tries += 1;
        assert!(tries < 500, "the journal is not carried over");
        Timer::after_ms(10).await;
    }
}

/// Copies every row of an object store from one database to another.
pub(crate) async fn copy(from: &Database, to: &Database, store: &str) {
    let reading = from
        .transaction(&[store], TransactionMode::ReadOnly)
        .unwrap();
    let rows = reading.object_store(store).unwrap();
    let keys = rows.get_all_keys(None, None).unwrap().await.unwrap();
    let values = rows.get_all(None, None).unwrap().await.unwrap();
    let writing = to
        .transaction(&[store], TransactionMode::ReadWrite)
        .unwrap();
    for (key, value) in keys.iter().zip(&values) {
        let rows = writing.object_store(store).unwrap();
        rows.put(value, Some(key)).unwrap();
    }
    assert!(writing.await.unwrap().is_committed());
}

/// Every row there is.
pub(crate) async fn dump(database: &Database) -> Vec<Entry> {
    let mut entries = Vec::new();
    for name in database.store_names() {
        let transaction = database
            .transaction(&[&name], TransactionMode::ReadOnly)
            .unwrap();
        let store = transaction.object_store(&name).unwrap();
        let keys = store.get_all_keys(None, None).unwrap().await.unwrap();
        let values = store.get_all(None, None).unwrap().await.unwrap();
        for (key, value) in keys.iter().zip(&values) {
            let key = match key.as_string() {
                Some(text) => text,
                None => format!("{:?}", Uint8Array::new(key).to_vec()),
            };
            entries.push((name.clone(), key, octets(value).unwrap_or_default()));
        }
    }
    entries
}

/// The bytes of one record.
pub(crate) async fn get(database: &Database, store: &str, key: &[u8]) -> Option<Vec<u8>> {
    let value = get_row(database, store, Uint8Array::from(key).into()).await;
    value.as_ref().and_then(octets)
}

pub(crate) async fn put(database: &Database, store: &str, key: &[u8], record: &[u8]) {
    let transaction = database
        .transaction(&[store], TransactionMode::ReadWrite)
        .unwrap();
    let (key, record) = (
        Uint8Array::from(key).into(),
        Uint8Array::from(record).into(),
    );
    transaction
        .object_store(store)
        .unwrap()
        .put(&record, Some(&key))
        .unwrap();
    assert!(transaction.await.unwrap().is_committed());
}

/// Somebody else opens the store, as far as the fence knows.
pub(crate) async fn raise_fence(database: &Database) {
    let transaction = database
        .transaction(&["fence"], TransactionMode::ReadWrite)
        .unwrap();
    transaction
        .object_store("fence")
        .unwrap()
        .put(&1e6.into(), Some(&0.into()))
        .unwrap();
    assert!(transaction.await.unwrap().is_committed());
}

pub(crate) async fn delete_row(database: &Database, store: &str, key: &str) {
    delete_at(database, store, key.into()).await;
}

pub(crate) async fn delete(database: &Database, store: &str, key: &[u8]) {
    delete_at(database, store, Uint8Array::from(key).into()).await;
}

async fn delete_at(database: &Database, store: &str, key: JsValue) {
    let transaction = database
        .transaction(&[store], TransactionMode::ReadWrite)
        .unwrap();
    transaction
        .object_store(store)
        .unwrap()
        .delete(key)
        .unwrap();
    assert!(transaction.await.unwrap().is_committed());
}

pub(crate) async fn wrapping_key_is_extractable(database: &Database) -> bool {
    let key = get_row(database, "keys", "wrapping_key".into())
        .await
        .unwrap();
    key.dyn_into::<CryptoKey>().unwrap().extractable()
}

async fn get_row(database: &Database, store: &str, key: JsValue) -> Option<JsValue> {
    let transaction = database
        .transaction(&[store], TransactionMode::ReadOnly)
        .unwrap();
    transaction
        .object_store(store)
        .unwrap()
        .get(key)
        .unwrap()
        .await
        .unwrap()
}

fn octets(value: &JsValue) -> Option<Vec<u8>> {
    value.dyn_ref::<Uint8Array>().map(Uint8Array::to_vec)
}
