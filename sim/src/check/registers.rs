//! Once all faults are over, all devices of a person hold the same registers: what was set anywhere, and removals.
//!
//! Devices that were put back to an old state do not count, and nothing does where a relay made messages unreadable. Drafts end
//! after some days by each device's own clock, so they are left out.

use engine::Held;

use super::record::Record;
use super::{Check, Violation};
use crate::ClientId;

/// All that is wrong.
pub(crate) fn violations(record: &Record, held: &[(ClientId, Vec<Held>)]) -> Vec<Violation> {
    if record.lied_about_keys {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (n, (one, here)) in held.iter().enumerate() {
        for (other, there) in held.iter().skip(n + 1) {
            let alike = record.owner(*one) == record.owner(*other)
                && !record.is_restored(*one)
                && !record.is_restored(*other);
            if alike && let Some(what) = difference(here, there) {
                let what = format!("{} and browser {}: {what}", record.name(*one), other.0);
                found.push(Violation {
                    check: Check::Registers,
                    what,
                });
            }
        }
    }
    found
}

fn difference(here: &[Held], there: &[Held]) -> Option<String> {
    let only = |one: &[Held], other: &[Held]| -> Vec<String> {
        let counts = |held: &&Held| !held.name.ends_with(b"draft") && !other.contains(held);
        one.iter().filter(counts).map(words).collect()
    };
    let (first, second) = (only(here, there), only(there, here));
    let same = first.is_empty() && second.is_empty();
    (!same).then(|| format!("only the first holds {first:?}, only the second {second:?}"))
}

fn words(held: &Held) -> String {
    let Held {
        space,
        name,
        clock,
        value,
    } = held;
    let readable: String = name
        .iter()
        .filter(|byte| byte.is_ascii_graphic())
        .map(|byte| char::from(*byte))
        .collect();
    let value = value.as_ref().map(|value| value.get(..8).unwrap_or(value));
    format!("{space} {readable} at {clock}: {value:?}")
}
