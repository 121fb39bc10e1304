//! The store in one SQLite file.
//!
//! WAL and `synchronous=FULL`: a commit that returned has been flushed. One connection writes; any
//! number of others read what was committed last. Statements are prepared once and kept.
//! It knows no rule of the protocol.

mod blobs;
mod reading;
mod recovery;
mod schema;
mod writing;

use std::path::Path;

use rusqlite::types::Type;
use rusqlite::{CachedStatement, Connection, OpenFlags, Row};
use wire::body::KeyId;
use wire::{AccountId, DeviceAddress, DeviceId};

use super::{KeyKind, KeyRow, Store, StoreError};

/// A connection.
#[derive(Debug)]
pub struct SqliteStore {
    connection: Connection,
}

impl SqliteStore {
    /// Opens the file for writing, makes it if it is not there, and brings its schema up to date.
    ///
    /// # Errors
    /// The file can't be opened, is no database, or was made by a newer relay.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let mut connection = Connection::open(path)?;
        configure(&connection)?;
        schema::migrate(&mut connection)?;
        Ok(Self { connection })
    }

    /// Opens a file that [`SqliteStore::open`] made, for reading.
    ///
    /// # Errors
    /// The file can't be opened.
    pub fn open_for_reading(path: &Path) -> Result<Self, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
        Ok(Self { connection })
    }

    fn prepare(&self, sql: &str) -> Result<CachedStatement<'_>, StoreError> {
        Ok(self.connection.prepare_cached(sql)?)
    }

    fn execute(&self, sql: &str, values: impl rusqlite::Params) -> Result<usize, StoreError> {
        Ok(self.prepare(sql)?.execute(values)?)
    }

    fn one<T>(
        &self,
        sql: &str,
        values: impl rusqlite::Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, StoreError> {
        let mut statement = self.prepare(sql)?;
        let mut rows = statement.query(values)?;
        Ok(match rows.next()? {
            Some(row) => Some(read(row)?),
            None => None,
        })
    }

    fn all<T>(
        &self,
        sql: &str,
        values: impl rusqlite::Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, StoreError> {
        let mut statement = self.prepare(sql)?;
        let rows = statement.query_map(values, read)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}

impl Store for SqliteStore {
    fn begin(&mut self) -> Result<(), StoreError> {
        self.execute("BEGIN IMMEDIATE", []).map(drop)
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        self.execute("COMMIT", []).map(drop)
    }

    fn rollback(&mut self) {
        // Some failures (disk full, IO) take the transaction back by themselves.
        if !self.connection.is_autocommit()
            && let Err(error) = self.execute("ROLLBACK", [])
        {
            tracing::error!(%error, "a transaction could not be taken back");
        }
    }

    fn savepoint(&mut self) -> Result<(), StoreError> {
        self.execute("SAVEPOINT job", []).map(drop)
    }

    fn release(&mut self) -> Result<(), StoreError> {
        self.execute("RELEASE job", []).map(drop)
    }

    fn rollback_to(&mut self) -> Result<(), StoreError> {
        self.execute("ROLLBACK TO job", [])?;
        self.release()
    }
}

fn configure(connection: &Connection) -> Result<(), StoreError> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    // The pragma answers with the mode it is in now.
    connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", "ON")?;
    Ok(())
}

const fn kind_number(kind: KeyKind) -> u8 {
    match kind {
        KeyKind::Ec => 0,
        KeyKind::Kyber => 1,
    }
}

/// Columns hold what was checked when it was written; a file that was tampered with fails the read.
fn bad_column(column: usize, kind: Type) -> rusqlite::Error {
    rusqlite::Error::InvalidColumnType(column, String::new(), kind)
}

fn account_id(row: &Row<'_>, column: usize) -> rusqlite::Result<AccountId> {
    row.get::<_, [u8; 16]>(column).map(AccountId::from_bytes)
}

fn device_id(row: &Row<'_>, column: usize) -> rusqlite::Result<DeviceId> {
    DeviceId::try_from(row.get::<_, u32>(column)?).map_err(|_| bad_column(column, Type::Integer))
}

fn address(row: &Row<'_>, column: usize) -> rusqlite::Result<DeviceAddress> {
    Ok(DeviceAddress {
        account: account_id(row, column)?,
        device: device_id(row, column + 1)?,
    })
}

fn key_id(row: &Row<'_>, column: usize) -> rusqlite::Result<KeyId> {
    KeyId::try_from(row.get::<_, u32>(column)?).map_err(|_| bad_column(column, Type::Integer))
}

fn key_row(row: &Row<'_>) -> rusqlite::Result<KeyRow> {
    Ok(KeyRow {
        id: key_id(row, 0)?,
        public_key: row.get(1)?,
        signature: row.get(2)?,
    })
}

const BUSY_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(5);
const STATEMENTS_KEPT: usize = 64;
