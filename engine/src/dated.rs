//! How old a published prekey is, told by its id: ids of signed and last-resort keys carry the day on which the key was made.
//!
//! The id stands in the first message, and whoever made the key finds it by the id, so a relay that hands out an old
//! bundle shows its age, and one that changes the id makes what is sealed for it unreadable to its owner. It does not know who
//! publishes keys or asks for them.
//!
//! ```text
//!   id, below 2^24:   | day since 1970 (16 bits) | number within the day (8 bits) |
//! ```
//!
//! Ids before [`FIRST`] are counted, without a day: those of one-time keys, and all of older versions.

use wire::body::DevicePreKeys;

use crate::input::Timestamp;
use crate::limits::{DAY_MS, KEYS_FRESH_DAYS, KEYS_FUTURE_DAYS};
use crate::record::ClockRecord;

/// 2020-01-01, in days since 1970: no key of ours is older, and counted ids never come so far.
const FIRST_DAY: u64 = (FIRST >> 8) as u64;
/// The first id with a day.
pub(crate) const FIRST: u32 = 18_262 << 8;
/// The last day that an id has room for.
const LAST_DAY: u64 = 0xFFFF;

fn day(at: Timestamp) -> u64 {
    at.0 / DAY_MS
}

/// The id of a key that is made now. No two are the same unless 256 are made on one day.
pub(crate) fn next(clock: &mut ClockRecord, now: Timestamp) -> u32 {
    let day = day(now).clamp(FIRST_DAY, LAST_DAY);
    let number = clock.dated_keys % 256;
    clock.dated_keys = number + 1;
    u32::try_from(day << 8).unwrap_or(FIRST) | number
}

/// Whether it is known that a key with this id is too old to begin a session with. An id that carries no day, or
/// one that is still to come, says nothing of the age.
fn is_id_too_old(id: u32, now: Timestamp) -> bool {
    let (made, today) = (u64::from(id >> 8), day(now));
    let is_known = (FIRST_DAY..=today.saturating_add(KEYS_FUTURE_DAYS)).contains(&made);
    is_known && made.saturating_add(KEYS_FRESH_DAYS) < today
}

/// Whether one of a device's keys is.
pub(crate) fn is_too_old(keys: &DevicePreKeys, now: Timestamp) -> bool {
    let ids = [keys.signed_pre_key.key_id, keys.pq_pre_key.key_id];
    ids.into_iter().any(|id| is_id_too_old(id.into(), now))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TODAY: u64 = 20_800;

    fn at(day: u64) -> Timestamp {
        Timestamp(day * DAY_MS + DAY_MS / 2)
    }

    fn made(day: u64) -> u32 {
        next(&mut ClockRecord::default(), at(day))
    }

    #[test]
    fn an_id_says_on_which_day_its_key_was_made() {
        let id = made(TODAY);
        assert_eq!(u64::from(id >> 8), TODAY);
        assert!((FIRST..=wire::limits::KEY_ID_MAX).contains(&id));
        assert!(made(u64::MAX / DAY_MS - 1) <= wire::limits::KEY_ID_MAX);
        assert!(made(0) >= FIRST, "a clock that is far behind");
    }

    #[test]
    fn no_two_keys_of_a_day_have_one_id() {
        let mut clock = ClockRecord::default();
        let ids: std::collections::BTreeSet<u32> =
            (0..256).map(|_| next(&mut clock, at(TODAY))).collect();
        assert_eq!(ids.len(), 256);
    }

    #[test]
    fn a_key_is_good_for_fourteen_days() {
        for (age, too_old) in [(0, false), (2, false), (14, false), (15, true), (400, true)] {
            assert_eq!(
                is_id_too_old(made(TODAY - age), at(TODAY)),
                too_old,
                "{age} days"
            );
        }
    }

    #[test]
    fn an_id_without_a_day_says_nothing_of_the_age() {
        let tomorrow_but_one = made(TODAY + 2);
        for id in [1, 4711, FIRST - 1, tomorrow_but_one, 0x00FF_FFFF] {
            assert!(!is_id_too_old(id, at(TODAY)), "{id}");
        }
    }
}
