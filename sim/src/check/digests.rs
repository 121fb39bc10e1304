//! Once all faults are over, the devices of a person agree in all by which they compare themselves: messages, registers, read marks,
//! of what both may know.
//!
//! Devices that were put back to an old state do not count, and nothing does where a relay made messages unreadable. What a device
//! failed to send is its own.

use std::collections::BTreeMap;

use engine::store::memory::Snapshot;
use engine::{Timestamp, digests, history_from};

use super::record::Record;
use super::{Check, Violation};
use crate::ClientId;

/// All that is wrong.
pub(crate) fn violations(
    record: &Record,
    stores: &[(ClientId, Snapshot)],
    now: Timestamp,
) -> Vec<Violation> {
    if record.lied_about_keys {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (n, (one, here)) in stores.iter().enumerate() {
        for (other, there) in stores.iter().skip(n + 1) {
            let alike = record.owner(*one) == record.owner(*other)
                && !record.is_restored(*one)
                && !record.is_restored(*other);
            let floors = history_from(here).zip(history_from(there));
            let Some((first, second)) = floors.filter(|_| alike) else {
                continue;
            };
            let floor = first.max(second);
            let list = |store: &Snapshot| -> BTreeMap<Vec<u8>, [u8; 16]> {
                digests(store, floor, now).into_iter().collect()
            };
            let (here, there) = (list(here), list(there));
            let keys = here.keys().chain(there.keys());
            let differs = |key: &&Vec<u8>| here.get(*key) != there.get(*key);
            let names: Vec<String> = keys.filter(differs).map(|key| name(key)).collect();
            if !names.is_empty() {
                let what = format!(
                    "{} and browser {} differ in {names:?}",
                    record.name(*one),
                    other.0
                );
                found.push(Violation {
                    check: Check::Digests,
                    what,
                });
            }
        }
    }
    found
}

fn name(key: &[u8]) -> String {
    key.iter()
        .map(|byte| match byte {
            b' '..=b'~' => char::from(*byte).to_string(),
            _ => format!("{byte:02x}"),
        })
        .collect()
}
