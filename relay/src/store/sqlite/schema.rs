//! The schema, and how an older file becomes a newer one.
//! Invariant: `user_version` is the number of the last migration that ran, set in its transaction.

use rusqlite::Connection;

use crate::store::StoreError;

/// In order; number n of the file name is at index n-1. A migration that was released never changes.
const MIGRATIONS: [&str; 5] = [
    include_str!("../../../migrations/0001_first.sql"),
    include_str!("../../../migrations/0002_removal.sql"),
    include_str!("../../../migrations/0003_blobs.sql"),
    include_str!("../../../migrations/0004_lists.sql"),
    include_str!("../../../migrations/0005_recovery.sql"),
];

pub(super) fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    let found: u32 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let mut version = 0;
    for migration in MIGRATIONS {
        version += 1;
        if version > found {
            let transaction = connection.transaction()?;
            transaction.execute_batch(migration)?;
            transaction.pragma_update(None, "user_version", version)?;
            transaction.commit()?;
        }
    }
    if found > version {
        return Err(StoreError::Newer {
            found,
            known: version,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_of_a_newer_relay_is_refused_unchanged() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.pragma_update(None, "user_version", 99).unwrap();
        let error = migrate(&mut connection).unwrap_err();
        assert!(matches!(error, StoreError::Newer { found: 99, .. }));
        assert!(error.to_string().contains("newer relay"));
        let version: u32 = connection
            .query_row("PRAGMA user_version", [], |row| row.get(0))
            .unwrap();
        assert_eq!(version, 99);
    }

    #[test]
    fn migrating_twice_is_migrating_once() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection).unwrap();
        migrate(&mut connection).unwrap();
    }
}
