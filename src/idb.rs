//! The engine's store on IndexedDB, sealed at rest.
//!
//! It knows no record and decides nothing: tables become object stores, a commit becomes one row of a journal, which is
//! carried over into the tables when there is time. Reads go through `rexie`. Commits need what it cannot ask for,
//! strict durability, and run on a raw connection. Rule ST-4: records are sealed before a transaction opens, and nothing
//! foreign is awaited inside one. Nothing is ever deleted because it could not be read. `docs/storage.md` has the rest.

mod carry;
mod commit;
mod fault;
mod fence;
mod journal;
mod keys;
mod load;
mod migrate;
mod overlay;
mod persist;
mod schema;
mod seal;
mod strict;

use std::cell::RefCell;
use std::rc::Rc;

use engine::StoreFault;
use engine::store::{Changes, Loaded, Row, Store, Wants};

use self::carry::Carrier;
use self::fence::Fence;
use self::overlay::Overlay;
use self::schema::Connection;
use self::seal::Sealer;

pub use self::persist::ask_to_persist;
pub use self::schema::{STORES, VERSION};

/// An open database. Closed when dropped, after the transaction that may be on its way.
#[derive(Debug)]
pub struct IdbStore(Rc<Shared>);

/// What the store shares with the task that carries over.
#[derive(Debug)]
struct Shared {
    connection: Connection,
    sealer: Sealer,
    /// `None`: nothing may be written.
    fence: Option<Fence>,
    overlay: RefCell<Overlay>,
    carrier: Carrier,
}

impl IdbStore {
    /// Opens the database of this name, makes it if there is none, and shuts out who had it open before.
    pub async fn open(name: &str) -> Result<Self, StoreFault> {
        let connection = schema::open(name).await?;
        let sealer = Sealer::new(&*keys::store_key(&connection).await?);
        let (fence, rows) = fence::raise(&connection).await?;
        let store = Self::new(connection, sealer, Some(fence), rows)?;
        carry::start(&store.0);
        Ok(store)
    }

    /// Opens what is there and writes nothing: while the disk is full, that is what can still be done. A commit
    /// says `Full`; to write again, the store has to be opened again.
    pub async fn open_to_read(name: &str) -> Result<Self, StoreFault> {
        let connection = schema::open(name).await?;
        let sealer = Sealer::new(&*keys::store_key(&connection).await?);
        let rows = load::whole(&connection, schema::JOURNAL).await?;
        Self::new(connection, sealer, None, rows)
    }

    fn new(
        connection: Connection,
        sealer: Sealer,
        fence: Option<Fence>,
        journal: Vec<Row>,
    ) -> Result<Self, StoreFault> {
        let overlay = journal::open(&sealer, journal)?;
        Ok(Self(Rc::new(Shared {
            connection,
            sealer,
            fence,
            overlay: RefCell::new(overlay),
            carrier: Carrier::default(),
        })))
    }
}

impl Store for IdbStore {
    async fn load(&self, wants: &Wants) -> Result<Loaded, StoreFault> {
        let shared = &*self.0;
        shared.carrier.touch()?;
        shared.connection.check()?;
        // First the overlay, then the tables: what is carried over in between is found twice, not missed.
        let (found, left) = shared.overlay.borrow().look(wants);
        let stored = load::load(&shared.connection, &shared.sealer, &left).await?;
        Ok(found.complete(wants, stored))
    }

    async fn commit(&mut self, changes: &Changes) -> Result<(), StoreFault> {
        let shared = &self.0;
        shared.carrier.touch()?;
        if changes.writes.is_empty() {
            return Ok(());
        }
        let fence = shared.fence.ok_or(StoreFault::Full)?;
        carry::make_room(shared, changes).await?;
        let number = shared.overlay.borrow().next_number();
        commit::append(&shared.connection, &shared.sealer, fence, number, changes).await?;
        let written = changes.clone();
        shared.overlay.borrow_mut().append(number, written);
        carry::start(shared);
        Ok(())
    }
}
