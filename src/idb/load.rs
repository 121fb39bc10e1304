//! Reads: one read-only transaction for all keys and ranges a load asks for.
//!
//! All first requests are issued before any is waited for. Inside the transaction nothing is awaited but its
//! own requests; records are opened after it.

use std::collections::BTreeMap;

use engine::StoreFault;
use engine::store::{Direction, Loaded, Row, Scan, Table, Wants};
use futures_util::future::{try_join, try_join_all};
use js_sys::Uint8Array;
use rexie::{KeyRange, Store, TransactionMode};
use wasm_bindgen::JsValue;

use super::fault;
use super::schema::{Connection, bytes};
use super::seal::Sealer;

type Stores = BTreeMap<Table, Store>;
/// Keys and sealed records, as the database gave them.
type Sealed = Vec<(JsValue, JsValue)>;

/// Reads what is wanted, all from one moment.
pub(super) async fn load(
    connection: &Connection,
    sealer: &Sealer,
    wants: &Wants,
) -> Result<Loaded, StoreFault> {
    let Wants { keys, scans } = wants;
    if keys.is_empty() && scans.is_empty() {
        return Ok(Loaded::default());
    }
    let (values, ranges) = (read(connection, wants).await)
        .map_err(|error| connection.explain(fault::of_rexie(error)))?;

    let open_value = |((table, key), value): (&(Table, Vec<u8>), Option<JsValue>)| {
        value
            .map(|value| sealer.open(table.name(), key, &octets(&value)))
            .transpose()
    };
    let open_row = |table, (key, value): (JsValue, JsValue)| {
        let key = octets(&key);
        let record = sealer.open(Table::name(table), &key, &octets(&value))?;
        Ok((key, record))
    };
    let open_range = |(scan, rows): (&Scan, Sealed)| -> Result<Vec<Row>, StoreFault> {
        rows.into_iter()
            .map(|row| open_row(scan.table, row))
            .collect()
    };
    Ok(Loaded {
        values: keys
            .iter()
            .zip(values)
            .map(open_value)
            .collect::<Result<_, _>>()?,
        scans: scans
            .iter()
            .zip(ranges)
            .map(open_range)
            .collect::<Result<_, _>>()?,
    })
}

/// All keys and rows of an object store, as they stand there.
pub(super) async fn whole(connection: &Connection, name: &str) -> Result<Vec<Row>, StoreFault> {
    let rows = async {
        let transaction = (connection.reader().ok())
            .ok_or(::idb::Error::DomExceptionNotFound)?
            .transaction(&[name], TransactionMode::ReadOnly)?;
        let store = transaction.store(name)?;
        try_join(store.get_all_keys(None, None), store.get_all(None, None)).await
    };
    let (keys, rows) = rows.await.map_err(fault::of_rexie)?;
    let octets = |(key, row): (JsValue, JsValue)| (octets(&key), octets(&row));
    Ok(keys.into_iter().zip(rows).map(octets).collect())
}

async fn read(
    connection: &Connection,
    wants: &Wants,
) -> Result<(Vec<Option<JsValue>>, Vec<Sealed>), rexie::Error> {
    let Wants { keys, scans } = wants;
    let of_keys = keys.iter().map(|(table, _)| *table);
    let mut names: Vec<Table> = of_keys.chain(scans.iter().map(|scan| scan.table)).collect();
    names.sort_unstable();
    names.dedup();
    let reader = connection
        .reader()
        .map_err(|_| ::idb::Error::DomExceptionNotFound)?;
    let stores: Vec<&str> = names.iter().map(|table| table.name()).collect();
    let transaction = reader.transaction(&stores, TransactionMode::ReadOnly)?;
    let stores: Stores = (names.into_iter())
        .map(|table| transaction.store(table.name()).map(|store| (table, store)))
        .collect::<Result<_, _>>()?;
    let values = try_join_all(keys.iter().map(|(table, key)| value(&stores, *table, key)));
    let ranges = try_join_all(scans.iter().map(|scan| range(&stores, scan)));
    try_join(values, ranges).await
}

async fn value(stores: &Stores, table: Table, key: &[u8]) -> Result<Option<JsValue>, rexie::Error> {
    store(stores, table)?.get(bytes(key)).await
}

async fn range(stores: &Stores, scan: &Scan) -> Result<Sealed, rexie::Error> {
    let Scan {
        table,
        from,
        to,
        direction,
        limit,
    } = scan;
    // Both would mean something else to IndexedDB: an exception, and "no limit".
    if to.as_ref().is_some_and(|to| to <= from) || *limit == 0 {
        return Ok(Vec::new());
    }
    let store = store(stores, *table)?;
    let limit = u32::try_from(*limit).unwrap_or(u32::MAX);
    let to = to.as_ref().map(|to| bytes(to));
    match direction {
        Direction::Forward => forward(store, bytes(from), to.as_ref(), limit).await,
        Direction::Backward => backward(store, bytes(from), to.as_ref(), limit).await,
    }
}

/// Two requests, however many rows.
async fn forward(
    store: &Store,
    from: JsValue,
    to: Option<&JsValue>,
    limit: u32,
) -> Result<Sealed, rexie::Error> {
    let keys = store.get_all_keys(Some(between(&from, to)?), Some(limit));
    let values = store.get_all(Some(between(&from, to)?), Some(limit));
    let (keys, values) = try_join(keys, values).await?;
    Ok(keys.into_iter().zip(values).collect())
}

/// A cursor that gave every row would cost a turn of the event loop for each. So it only leaps to the first
/// row of the page, and the page is read forward and turned round.
async fn backward(
    store: &Store,
    from: JsValue,
    to: Option<&JsValue>,
    limit: u32,
) -> Result<Sealed, rexie::Error> {
    let leap = limit.checked_sub(1).filter(|rows| *rows > 0);
    let whole = between(&from, to)?;
    let mut first = store
        .scan(Some(whole), Some(1), leap, Some(rexie::Direction::Prev))
        .await?;
    let mut rows = match (first.pop(), leap) {
        (Some(only), None) => vec![only],
        (Some((begin, _)), Some(_)) => forward(store, begin, to, limit).await?,
        // The range holds less than a page.
        (None, _) => forward(store, from, to, limit).await?,
    };
    rows.reverse();
    Ok(rows)
}

fn between(from: &JsValue, to: Option<&JsValue>) -> Result<KeyRange, rexie::Error> {
    Ok(match to {
        Some(to) => KeyRange::bound(from, to, Some(false), Some(true))?,
        None => KeyRange::lower_bound(from, Some(false))?,
    })
}

fn store(stores: &Stores, table: Table) -> Result<&Store, rexie::Error> {
    stores
        .get(&table)
        .ok_or(rexie::Error::IdbError(::idb::Error::DomExceptionNotFound))
}

fn octets(value: &JsValue) -> Vec<u8> {
    Uint8Array::new(value).to_vec()
}
