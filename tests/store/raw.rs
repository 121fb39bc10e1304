//! A database seen from outside, past the store: plain records, for tests only.
//! It panics where a test could not go on.

use idb::{Database, Error, Factory, TransactionMode};
use js_sys::Uint8Array;
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

pub(crate) async fn delete_row(database: &Database, store: &str, key: &str) {
    let transaction = database
        .transaction(&[store], TransactionMode::ReadWrite)
        .unwrap();
    transaction
        .object_store(store)
        .unwrap()
        .delete(JsValue::from(key))
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
