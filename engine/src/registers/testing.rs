//! What registers a store holds, for the simulator to compare. Not part of the product.
//! It knows the stored form, so that nobody else has to.

use super::{Place, Register};
use crate::record::{Record, RegisterRecord};
use crate::store::Table;
use crate::store::memory::Snapshot;

/// A register.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Of which space.
    pub space: String,
    /// By which name.
    pub name: Vec<u8>,
    /// How late.
    pub clock: u64,
    /// `None`: removed.
    pub value: Option<Vec<u8>>,
}

/// Every register, in order. A damaged one has clock 0.
#[must_use]
pub fn held(store: &Snapshot) -> Vec<Held> {
    let row = |(at, bytes): (&[u8], &[u8])| {
        let Place { space, name } = Place::from_key(at)?;
        let record = RegisterRecord::read(bytes).unwrap_or_default();
        let Register { clock, value } = Register::read(&record);
        Some(Held {
            space,
            name,
            clock,
            value,
        })
    };
    store.rows(Table::Registers).filter_map(row).collect()
}
