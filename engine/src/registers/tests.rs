//! The rule on three devices: whatever is written where, and however it travels, all end with the same registers.
//! What the registers of a person or conversation mean, by way of the store.

use std::collections::BTreeSet;

use futures_util::FutureExt;
use proptest::prelude::*;
use wire::AccountId;

use super::rule::{CLOCK_MAX, next_clock};
use super::*;
use crate::input::Timestamp;
use crate::limits::{DRAFT_MS, REMOVED_MS};
use crate::output::{Event, Output, Request};
use crate::record::UntoldRecord;
use crate::store::Store;
use crate::store::memory::MemoryStore;

const BOB: AccountId = AccountId::from_bytes([0xB0; 16]);
const NOW: u64 = 1_800_000_000_000;

/// A step on a store, committed.
fn at<T>(store: &MemoryStore, now: u64, play: impl AsyncFnOnce(&mut Tx<'_>) -> T) -> T {
    let mut tx = Tx::new(store, Timestamp(now));
    let result = play(&mut tx).now_or_never().unwrap();
    let (changes, _) = tx.finish();
    store
        .clone()
        .commit(&changes)
        .now_or_never()
        .unwrap()
        .unwrap();
    result
}

fn took(store: &MemoryStore, place: &Place, register: &Register) -> Merged {
    at(store, NOW, async |tx| {
        merge(tx, place, register).await.unwrap()
    })
}

fn set(clock: u64, value: &[u8]) -> Register {
    Register {
        clock,
        value: Some(value.to_vec()),
    }
}

const fn removed(clock: u64) -> Register {
    Register { clock, value: None }
}

#[test]
fn the_later_clock_holds_and_a_tie_goes_to_what_is_there_and_then_to_the_greater() {
    let rising = [
        removed(1),
        set(1, b""),
        set(1, b"a"),
        set(1, b"b"),
        removed(2),
        set(2, b"a"),
    ];
    for (n, lesser) in rising.iter().enumerate() {
        assert!(lesser.beats(None));
        assert!(!lesser.beats(Some(lesser)));
        for greater in rising.iter().skip(n + 1) {
            assert!(greater.beats(Some(lesser)), "{greater:?} {lesser:?}");
            assert!(!lesser.beats(Some(greater)), "{greater:?} {lesser:?}");
        }
    }
}

#[test]
fn a_write_comes_after_what_it_has_seen_however_wrong_the_clocks_are() {
    assert_eq!(next_clock(5, None), 5);
    assert_eq!(next_clock(5, Some(&set(9, b""))), 10);
    assert_eq!(next_clock(0, None), 1);
    assert_eq!(next_clock(5, Some(&set(CLOCK_MAX, b""))), CLOCK_MAX);
}

#[test]
fn on_a_tie_the_safe_value_holds() {
    let safe = [
        (fields::flag(false), fields::flag(true)),
        (fields::telling(true), fields::telling(false)),
        (
            verified_value(true, &[5; 33]),
            verified_value(false, &[5; 33]),
        ),
        (
            verified_value(true, &[9; 33]),
            verified_value(false, &[5; 33]),
        ),
        (
            vec![fields::request_value(Request::Accepted)],
            vec![fields::request_value(Request::Declined)],
        ),
    ];
    for (unsafe_one, safe_one) in safe {
        assert!(set(7, &safe_one).beats(Some(&set(7, &unsafe_one))));
    }
}

#[test]
fn a_place_is_found_again_by_its_key_and_unknown_ones_are_kept() {
    for place in [
        Place::new("settings", "readReceipts"),
        Place::of(BOB, Field::Draft),
        Place::new("of/a/newer/version", vec![0, 0, 1, 255]),
        Place::new("x", Vec::new()),
    ] {
        assert!(Place::from_key(&place.key()) == Some(place.clone()));
        let store = MemoryStore::new();
        assert_eq!(took(&store, &place, &set(3, b"v")), Merged::Changed);
        let kept = at(&store, NOW, async |tx| value(tx, &place).await.unwrap());
        assert_eq!(kept.as_deref(), Some(b"v".as_slice()));
    }
    assert!(!Place::new("", "a").is_valid(None));
    assert!(!Place::new("a\0b", "a").is_valid(None));
    assert!(!Place::new("a", vec![0; 2049]).is_valid(None));
    assert!(!Place::new("a", "b").is_valid(Some(&[0; 64 * 1024 + 1])));
}

#[test]
fn a_removal_is_remembered_for_90_days_and_a_draft_lives_for_7() {
    let store = MemoryStore::new();
    let (pin, draft) = (Place::of(BOB, Field::Pinned), Place::of(BOB, Field::Draft));
    took(&store, &pin, &removed(NOW));
    took(&store, &draft, &set(NOW, b"half a sen"));
    let there = |now: u64, place: &Place| {
        at(&store, now, async |tx| {
            forget_removed(tx).await.unwrap();
            read(tx, place).await.unwrap().is_some()
        })
    };
    let shown = |now: u64| {
        at(&store, now, async |tx| {
            conversation(tx, BOB, 0).await.unwrap().draft
        })
    };
    assert_eq!(shown(NOW + DRAFT_MS - 1).as_deref(), Some("half a sen"));
    assert!(there(NOW + DRAFT_MS - 1, &draft));
    assert_eq!(shown(NOW + DRAFT_MS), None);
    assert!(!there(NOW + DRAFT_MS, &draft));
    assert!(there(NOW + REMOVED_MS - 1, &pin));
    at(&store, NOW, async |tx| {
        tx.put(&pin.key(), &UntoldRecord::default());
    });
    assert!(there(NOW + REMOVED_MS, &pin), "nobody has been told");
    at(&store, NOW, async |tx| {
        tx.delete(crate::store::Table::Untold, &pin.key());
    });
    assert!(!there(NOW + REMOVED_MS, &pin));
}

#[test]
fn a_conversation_is_marked_unread_until_it_is_read_later() {
    let store = MemoryStore::new();
    let place = Place::of(BOB, Field::MarkedUnread);
    let is_marked = |read_clock: u64| {
        at(&store, NOW, async |tx| {
            conversation(tx, BOB, read_clock)
                .await
                .unwrap()
                .marked_unread
        })
    };
    assert!(!is_marked(0));
    took(&store, &place, &set(10, &fields::flag(true)));
    assert!(is_marked(0));
    assert!(is_marked(9));
    assert!(!is_marked(10));
    assert!(!is_marked(11), "it was read on another device after that");
    took(&store, &place, &set(12, &fields::flag(true)));
    assert!(is_marked(11));
}

#[test]
fn a_strangers_conversation_is_pending_until_the_person_answers() {
    let store = MemoryStore::new();
    let note = |incoming: bool, sent_at: u64| {
        at(&store, NOW, async |tx| {
            note_message(tx, BOB, incoming, sent_at).await.unwrap();
            person(tx, BOB).await.unwrap().request
        })
    };
    assert_eq!(note(true, 5), Request::Pending);
    took(
        &store,
        &Place::of(BOB, Field::Request),
        &set(7, &[fields::request_value(Request::Declined)]),
    );
    assert_eq!(note(true, 9), Request::Declined, "they write on");
    assert_eq!(note(false, 6), Request::Declined, "written before that");
    assert_eq!(note(false, 8), Request::Accepted);
    assert_eq!(note(true, 10), Request::Accepted);
}

#[test]
fn a_namespace_counts_what_it_holds_and_takes_no_more_than_it_may() {
    use crate::error::Refusal;
    let store = MemoryStore::new();
    let place = |n: usize| Place::new("app/x", format!("v{n}"));
    let room = |place: &Place, len: usize| {
        at(&store, NOW, async |tx| {
            app::room(tx, place, &vec![1; len]).await.unwrap()
        })
    };
    assert_eq!(room(&place(0), 64 * 1024), Err(Refusal::AppItemTooLarge));
    for n in 0..16 {
        assert_eq!(room(&place(n), 65_000), Ok(()));
        took(&store, &place(n), &set(1, &vec![1; 65_000]));
    }
    assert_eq!(room(&place(99), 65_000), Err(Refusal::AppFull));
    assert_eq!(
        room(&place(3), 65_001),
        Ok(()),
        "it takes the place of another"
    );
    took(&store, &place(3), &removed(2));
    assert_eq!(room(&place(99), 65_000), Ok(()));
    let others = Place::new("app/y", "v");
    assert_eq!(room(&others, 65_000), Ok(()), "namespaces are apart");
    for n in 0..16 {
        took(&store, &place(n), &removed(3));
    }
    let after = NOW + REMOVED_MS;
    at(&store, after, async |tx| forget_removed(tx).await.unwrap());
    let usage = at(&store, after, async |tx| {
        tx.get::<crate::record::UsageRecord>(&crate::record::key::usage("x"))
            .await
            .unwrap()
    });
    assert!(usage.is_none(), "what is forgotten takes no room");
}

#[test]
fn what_changes_is_told_once_and_what_holds_already_is_not() {
    let store = MemoryStore::new();
    let keys = ["a/1", "a/2"].map(|key| Key::parse(key, crate::output::AppKind::Value).unwrap());
    let mut tx = Tx::new(&store, Timestamp(NOW));
    let play = async {
        let mut effects = Effects::default();
        for key in [&keys[0], &keys[1], &keys[0]] {
            let register = set(1, &[0, b'1']);
            let merged = merge(&mut tx, &key.place(), &register).await.unwrap();
            let place = key.place();
            effects
                .note(&mut tx, &place, &register, merged)
                .await
                .unwrap();
        }
        effects.tell(&mut tx).await.unwrap();
    };
    play.now_or_never().unwrap();
    let (_, outputs) = tx.finish();
    let told = |output: &&Output| matches!(output, Output::Emit(event) if matches!(**event, Event::App(_)));
    assert_eq!(outputs.iter().filter(told).count(), 2);
}

#[test]
fn keys_of_applications_are_checked() {
    use crate::output::AppKind::Value;
    for good in ["a/b", "A-1._/x/y z/ö", "n/\n"] {
        assert_eq!(Key::parse(good, Value).unwrap().to_string(), good);
    }
    let long = format!("a/{}", "x".repeat(513));
    for bad in ["", "a", "/a", "a/", "ä/b", "a b/c", "a/b\0c", &long] {
        assert!(Key::parse(bad, Value).is_err(), "{bad:?}");
    }
    assert!(Key::parse_prefix("a/", Value).is_ok());
}

/// What happens on the way to a common end.
#[derive(Clone, Debug)]
enum Act {
    /// A device writes: which, which register, what (`None`: removes it), how far its clock is off.
    Write(usize, u8, Option<u8>, i64),
    /// Something that was told arrives: what, and where. It may arrive again.
    Arrive(prop::sample::Index, usize),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let off = prop_oneof![Just(0), Just(-10_800_000_i64), Just(10_800_000), -5..5_i64];
    let write = (0..3_usize, 0..3_u8, prop::option::of(0..3_u8), off)
        .prop_map(|(device, name, value, off)| Act::Write(device, name, value, off));
    let arrive =
        (any::<prop::sample::Index>(), 0..3_usize).prop_map(|(what, to)| Act::Arrive(what, to));
    prop::collection::vec(prop_oneof![write, arrive], 1..60)
}

proptest! {
    #[test]
    fn any_order_doubling_and_delay_on_three_devices_ends_the_same(acts in acts(), order in any::<u64>()) {
        let devices = [MemoryStore::new(), MemoryStore::new(), MemoryStore::new()];
        let mut told: Vec<(Place, Register)> = Vec::new();
        let mut written: BTreeSet<u8> = BTreeSet::new();
        for (n, act) in acts.iter().enumerate() {
            match act {
                Act::Write(device, name, value, off) => {
                    let place = Place::new("settings", vec![*name]);
                    let now = (NOW + n as u64).saturating_add_signed(*off);
                    let known = at(&devices[*device], NOW, async |tx| read(tx, &place).await.unwrap());
                    let register = Register {
                        clock: next_clock(now, known.as_ref()),
                        value: value.map(|value| vec![value]),
                    };
                    let merged = took(&devices[*device], &place, &register);
                    prop_assert_ne!(merged, Merged::Known, "a write holds where it is made");
                    told.push((place, register));
                    written.insert(*name);
                }
                Act::Arrive(what, to) if !told.is_empty() => {
                    let (place, register) = &told[what.index(told.len())];
                    took(&devices[*to], place, register);
                }
                Act::Arrive(..) => {}
            }
        }
        // All that was told arrives everywhere, in some other order.
        for (n, device) in devices.iter().enumerate() {
            let len = told.len().max(1);
            let from = usize::try_from(order % len as u64).unwrap() + n;
            for i in 0..told.len() {
                let (place, register) = &told[(from + i * (n + 1)) % len];
                took(device, place, register);
            }
            for (place, register) in told.iter().rev() {
                took(device, place, register);
            }
        }
        let [a, b, c] = devices.each_ref().map(|device| testing::held(&device.snapshot()));
        prop_assert_eq!(&a, &b);
        prop_assert_eq!(&b, &c);
        // In touch now: a write on any of them holds on all, whatever the clocks were.
        for name in &written {
            let place = Place::new("settings", vec![*name]);
            let known = at(&devices[0], NOW, async |tx| read(tx, &place).await.unwrap());
            let register = Register { clock: next_clock(NOW - 10_800_000, known.as_ref()), value: Some(vec![9]) };
            for device in &devices {
                prop_assert_eq!(took(device, &place, &register), Merged::Changed);
            }
        }
    }
}
