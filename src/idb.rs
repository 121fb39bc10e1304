//! The engine's store on IndexedDB, sealed at rest.
//!
//! It knows no record and decides nothing: tables become object stores, a commit becomes one transaction.
//! Reads go through `rexie`. Commits need what it cannot ask for, strict durability, and run on a raw
//! connection. Rule ST-4: records are sealed before a transaction opens, and nothing foreign is awaited
//! inside one. Nothing is ever deleted because it could not be read. `docs/storage.md` has the rest.

mod commit;
mod fault;
mod keys;
mod load;
mod migrate;
mod persist;
mod schema;
mod seal;
mod strict;

use engine::StoreFault;
use engine::store::{Changes, Loaded, Store, Wants};

use self::commit::Fence;
use self::schema::Connection;
use self::seal::Sealer;

pub use self::persist::ask_to_persist;
pub use self::schema::{STORES, VERSION};

/// An open database. Closed when dropped.
#[derive(Debug)]
pub struct IdbStore {
    connection: Connection,
    sealer: Sealer,
    fence: Fence,
}

impl IdbStore {
    /// Opens the database of this name, makes it if there is none, and shuts out who had it open before.
    pub async fn open(name: &str) -> Result<Self, StoreFault> {
        let connection = schema::open(name).await?;
        let store_key = keys::store_key(&connection).await?;
        let sealer = Sealer::new(&store_key);
        let fence = commit::raise_fence(&connection).await?;
        Ok(Self {
            connection,
            sealer,
            fence,
        })
    }
}

impl Store for IdbStore {
    async fn load(&self, wants: &Wants) -> Result<Loaded, StoreFault> {
        load::load(&self.connection, &self.sealer, wants).await
    }

    async fn commit(&mut self, changes: &Changes) -> Result<(), StoreFault> {
        commit::commit(&self.connection, &self.sealer, self.fence, changes).await
    }
}
