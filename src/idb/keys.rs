//! The store key: made at the first opening, kept only wrapped.
//!
//! What wraps it is a WebCrypto key that scripts can use but not read. That keeps the store key out of a copied
//! database, not from a script in this page or from a copied browser profile; `docs/storage.md` says so.
//! Both rows are written in one transaction and never again. If one is missing or does not open, the store is
//! damaged: nothing is made anew over records that a lost key still seals.

use engine::StoreFault;
use js_sys::{Array, Object, Reflect, Uint8Array};
use rexie::TransactionMode;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AesGcmParams, AesKeyGenParams, Crypto, CryptoKey, SubtleCrypto};
use zeroize::Zeroizing;

use super::fault;
use super::schema::{Connection, KEYS};
use super::strict::Strict;
use crate::clock;

const WRAPPING_KEY: &str = "wrapping_key";
const STORE_KEY: &str = "store_key";
const IV: usize = 12;
const DAMAGED: StoreFault = StoreFault::Damaged { table: KEYS };

type StoreKey = Zeroizing<[u8; 32]>;

struct Rows {
    wrapping_key: CryptoKey,
    /// `iv ‖ ciphertext ‖ tag`
    store_key: Vec<u8>,
}

/// The key of this store, made now if the store is new.
pub(super) async fn store_key(connection: &Connection) -> Result<StoreKey, StoreFault> {
    if let Some(rows) = read(connection).await? {
        return unwrap(&rows).await;
    }
    let (key, rows) = make().await?;
    match write(connection, &rows).await {
        Ok(()) => Ok(key),
        // Somebody else was faster: theirs counts.
        Err(fault) => match read(connection).await? {
            Some(rows) => unwrap(&rows).await,
            None => Err(fault),
        },
    }
}

async fn read(connection: &Connection) -> Result<Option<Rows>, StoreFault> {
    let transaction = (connection.reader()?)
        .transaction(&[KEYS], TransactionMode::ReadOnly)
        .map_err(fault::of_rexie)?;
    let store = transaction.store(KEYS).map_err(fault::of_rexie)?;
    let wrapping_key = store
        .get(WRAPPING_KEY.into())
        .await
        .map_err(fault::of_rexie)?;
    let store_key = store.get(STORE_KEY.into()).await.map_err(fault::of_rexie)?;
    match (wrapping_key, store_key) {
        (None, None) => Ok(None),
        (Some(wrapping_key), Some(store_key)) => Ok(Some(Rows {
            wrapping_key: wrapping_key.dyn_into().map_err(|_| DAMAGED)?,
            store_key: store_key
                .dyn_into::<Uint8Array>()
                .map_err(|_| DAMAGED)?
                .to_vec(),
        })),
        _ => Err(DAMAGED),
    }
}

/// Fails if there are rows already.
async fn write(connection: &Connection, rows: &Rows) -> Result<(), StoreFault> {
    let transaction = Strict::begin(connection.writer(), [KEYS])?;
    let store = transaction.store(KEYS)?;
    let store_key = Uint8Array::from(rows.store_key.as_slice());
    store
        .add_with_key(&rows.wrapping_key, &WRAPPING_KEY.into())
        .and_then(|_| store.add_with_key(&store_key, &STORE_KEY.into()))
        .map_err(|error| fault::of_exception(&error))?;
    transaction.done().await
}

async fn make() -> Result<(StoreKey, Rows), StoreFault> {
    let subtle = subtle()?;
    let algorithm = AesKeyGenParams::new("AES-GCM", 256);
    let usages = Array::of2(&"encrypt".into(), &"decrypt".into());
    let generated = subtle.generate_key_with_object(&algorithm, false, &usages);
    let wrapping_key: CryptoKey = finished(generated)
        .await?
        .dyn_into()
        .map_err(|_| StoreFault::Failed)?;

    let key: StoreKey = Zeroizing::new(clock::random().map_err(|_| StoreFault::Failed)?);
    let iv: [u8; IV] = clock::random().map_err(|_| StoreFault::Failed)?;
    let encrypted =
        subtle.encrypt_with_object_and_u8_array(&parameters(&iv), &wrapping_key, key.as_slice());
    let encrypted = Uint8Array::new(&finished(encrypted).await?).to_vec();
    Ok((
        key,
        Rows {
            wrapping_key,
            store_key: [&iv[..], &encrypted].concat(),
        },
    ))
}

async fn unwrap(rows: &Rows) -> Result<StoreKey, StoreFault> {
    let (iv, encrypted) = rows.store_key.split_at_checked(IV).ok_or(DAMAGED)?;
    let decrypted =
        subtle()?.decrypt_with_object_and_u8_array(&parameters(iv), &rows.wrapping_key, encrypted);
    let decrypted = finished(decrypted).await.map_err(|_| DAMAGED)?;
    let bytes = Zeroizing::new(Uint8Array::new(&decrypted).to_vec());
    bytes
        .as_slice()
        .try_into()
        .map(Zeroizing::new)
        .map_err(|_| DAMAGED)
}

fn parameters(iv: &[u8]) -> Object {
    AesGcmParams::new_with_u8_array("AES-GCM", &Uint8Array::from(iv)).into()
}

async fn finished(promise: Result<js_sys::Promise, JsValue>) -> Result<JsValue, StoreFault> {
    let promise = promise.map_err(|error| fault::of_exception(&error))?;
    JsFuture::from(promise)
        .await
        .map_err(|error| fault::of_exception(&error))
}

/// Missing where the page is not served securely: then there is no storage to be had.
fn subtle() -> Result<SubtleCrypto, StoreFault> {
    let crypto =
        Reflect::get(&js_sys::global(), &"crypto".into()).map_err(|_| StoreFault::Refused)?;
    let subtle = Reflect::get(&crypto, &"subtle".into()).map_err(|_| StoreFault::Refused)?;
    if subtle.is_object() {
        Ok(crypto.unchecked_into::<Crypto>().subtle())
    } else {
        Err(StoreFault::Refused)
    }
}
