//! The rules of acts, on a record alone: whatever the order, and however often, the end is the same.
//! How acts come to a record is for the tests of the simulator.

use proptest::prelude::*;
use wire::{AccountId, MessageId};

use super::*;
use crate::thread::view::STATUS_SENT;

const ALICE: AccountId = AccountId::from_bytes([1; 16]);
const BOB: AccountId = AccountId::from_bytes([2; 16]);
const SENT_AT: u64 = 1_000_000;

fn id(n: u8) -> MessageId {
    MessageId::from_bytes([n; 16])
}

/// Alice's message, as one of her devices has it.
fn message() -> MessageRecord {
    MessageRecord {
        author: ALICE.as_bytes().to_vec(),
        author_device: 1,
        text: "first".to_owned(),
        sent_at: SENT_AT,
        status: STATUS_SENT,
        ..MessageRecord::default()
    }
}

fn act(n: u8, by: AccountId, clock: u64, deed: Deed) -> Act {
    Act {
        id: id(n),
        conversation: BOB,
        target: id(0),
        by,
        only_of: None,
        clock,
        deed,
    }
}

fn edit(n: u8, clock: u64, text: &str) -> Act {
    act(n, ALICE, clock, Deed::Edit(text.to_owned()))
}

fn after(acts: &[Act]) -> MessageRecord {
    let mut record = message();
    for act in acts {
        merge(&mut record, act);
    }
    record
}

#[test]
fn the_latest_edit_counts_and_the_earlier_texts_are_kept() {
    let record = after(&[
        edit(1, SENT_AT + 5, "third"),
        edit(2, SENT_AT + 2, "second"),
    ]);
    assert_eq!(record.text, "third");
    let earlier: Vec<&str> = record.earlier.iter().map(|v| v.text.as_str()).collect();
    assert_eq!(earlier, ["second", "first"]);
}

#[test]
fn an_edit_counts_even_if_the_clock_of_its_device_is_behind() {
    assert_eq!(after(&[edit(1, SENT_AT - 900, "second")]).text, "second");
}

#[test]
fn only_its_author_edits_or_deletes_a_message_and_only_the_other_says_it_was_read() {
    let mut record = message();
    for deed in [Deed::Edit("mine".to_owned()), Deed::Delete] {
        let foreign = act(1, BOB, SENT_AT, deed);
        assert_eq!(
            merge(&mut record, &foreign),
            Outcome::Refused(Refusal::NotAuthor)
        );
    }
    for deed in [Deed::Delivered, Deed::Read] {
        let own = act(1, ALICE, SENT_AT, deed);
        assert_eq!(
            merge(&mut record, &own),
            Outcome::Refused(Refusal::NotAuthor)
        );
    }
    assert_eq!(record, message());
}

#[test]
fn after_a_day_a_message_stays_as_it_is() {
    let last = SENT_AT + ACT_WINDOW_MS;
    let mut record = message();
    let late = Outcome::Refused(Refusal::TooLate);
    assert_eq!(merge(&mut record, &edit(1, last + 1, "late")), late);
    let delete = act(2, ALICE, last + 1, Deed::Delete);
    assert_eq!(merge(&mut record, &delete), late);
    assert_eq!(record, message());
    assert_eq!(
        merge(&mut record, &edit(1, last, "in time")),
        Outcome::Changed
    );
}

#[test]
fn a_deleted_message_says_nothing_whatever_comes_then() {
    let record = after(&[
        edit(1, SENT_AT + 1, "second"),
        act(2, BOB, SENT_AT + 2, Deed::React("👍".to_owned())),
        act(3, ALICE, SENT_AT + 3, Deed::Delete),
        edit(4, SENT_AT + 4, "third"),
        act(5, BOB, SENT_AT + 5, Deed::React("👎".to_owned())),
    ]);
    assert_eq!(record.kind, KIND_DELETED);
    let nothing = (String::new(), Vec::new(), Vec::new());
    assert_eq!((record.text, record.earlier, record.reactions), nothing);
}

#[test]
fn each_person_has_one_reaction_and_may_take_it_back() {
    let react = |n, by, clock, emoji: &str| act(n, by, clock, Deed::React(emoji.to_owned()));
    let record = after(&[
        react(1, BOB, 10, "👍"),
        react(2, ALICE, 11, "🎉"),
        react(3, BOB, 30, ""),
        react(4, BOB, 20, "👎"),
    ]);
    let shown = view(BOB, id(0), record).unwrap().reactions;
    let shown: Vec<_> = shown.iter().map(|r| (r.author, r.emoji.as_str())).collect();
    assert_eq!(shown, [(ALICE, "🎉")]);
}

#[test]
fn a_status_only_rises() {
    let record = after(&[
        act(1, BOB, 10, Deed::Read),
        act(2, BOB, 11, Deed::Delivered),
    ]);
    assert_eq!(record.status, STATUS_READ);
}

fn any_act() -> impl Strategy<Value = Act> {
    let deed = prop_oneof![
        4 => "[a-z]{1,3}".prop_map(Deed::Edit),
        1 => Just(Deed::Delete),
        3 => prop_oneof![Just(""), Just("👍"), Just("👎")]
            .prop_map(|emoji| Deed::React(emoji.to_owned())),
        1 => Just(Deed::Delivered),
        1 => Just(Deed::Read),
    ];
    let clock = prop_oneof![
        SENT_AT - 3..SENT_AT + 3, // close together, so that there are ties
        Just(SENT_AT + ACT_WINDOW_MS + 1),
    ];
    (any::<bool>(), clock, deed).prop_map(|(alice, clock, deed)| {
        let by = if alice { ALICE } else { BOB };
        act(0, by, clock, deed)
    })
}

/// Acts as they may be: each has its own id.
fn some_acts() -> impl Strategy<Value = Vec<Act>> {
    prop::collection::vec(any_act(), 0..24).prop_map(|mut acts| {
        for (n, act) in acts.iter_mut().enumerate() {
            act.id = id(u8::try_from(n).unwrap());
        }
        acts
    })
}

proptest! {
    #[test]
    fn acts_in_any_order_and_more_than_once_come_to_the_same_end(
        (acts, again) in some_acts().prop_flat_map(|acts| {
            let twice = [acts.clone(), acts.clone()].concat();
            (Just(acts), Just(twice).prop_shuffle())
        }),
    ) {
        prop_assert_eq!(after(&acts), after(&again));
    }

    #[test]
    fn an_act_that_changes_nothing_says_so(acts in some_acts()) {
        let mut record = message();
        for act in &acts {
            let before = record.clone();
            let outcome = merge(&mut record, act);
            prop_assert_eq!(outcome == Outcome::Changed, record != before);
        }
    }
}
