//! Each check bites: a run that is well is spoiled in one place, and the check for it says so.

use std::cell::RefCell;
use std::rc::Rc;

use engine::output::{MessageKind, MessageStatus};
use engine::store::Table;
use engine::store::memory::{Keep, MemoryStore};
use engine::{Command, Refusal};

use super::*;
use crate::check::record::Shown;
use crate::check::{digests, given, marks, registers, threads, timers};

const ALICE: ClientId = ClientId(0);
const BOB: ClientId = ClientId(1);
const CAROL: ClientId = ClientId(2);
const SECOND: ClientId = ClientId(3);

/// Alice with two browsers, Bob and Carol; some have written.
fn talk() -> Run {
    let play = "people 3\nlink 0\nrun\napprove 0\nrun\nsend 0 1\nrun\nsend 0 1\nrun\nsend 3 1\nrun\nsend 1 0\nrun";
    let play: Play = play.parse().expect("these are steps");
    let mut run = Run::new(&play, Detail::Steps, Rc::new(RefCell::default()));
    for step in &play.steps {
        run.step(*step);
    }
    assert_eq!(run.record.accepted, 4);
    assert_eq!(run.violations, []);
    run
}

/// What the checks of threads say, once `spoil` has changed what is shown.
fn found(spoil: impl FnOnce(&Run, &mut [Shown])) -> Vec<Check> {
    let mut run = talk();
    run.settle();
    assert_eq!(run.violations, []);
    let mut shown = run.all_shown();
    spoil(&run, &mut shown);
    let found = threads::violations(&run.record, &shown);
    found.iter().map(|violation| violation.check).collect()
}

/// The messages that a browser shows with a person.
fn thread(
    shown: &mut [Shown],
    browser: ClientId,
    person: usize,
) -> &mut Vec<engine::output::Message> {
    let all = shown.iter_mut().find(|shown| shown.browser == browser);
    &mut all.expect("all are shown").threads[person].1
}

#[test]
fn a_run_without_faults_is_well() {
    let mut run = talk();
    run.settle();
    assert_eq!(run.violations, []);
}

#[test]
fn a_message_that_one_device_lacks_is_lost() {
    let found = found(|_, shown| drop(thread(shown, BOB, 0).remove(1)));
    assert!(found.contains(&Check::Lost), "{found:?}");
}

#[test]
fn a_message_that_the_sender_lacks_is_lost() {
    let found = found(|_, shown| drop(thread(shown, ALICE, 1).remove(0)));
    assert!(found.contains(&Check::Lost), "{found:?}");
}

#[test]
fn a_message_that_waits_for_ever_is_lost() {
    let found = found(|_, shown| thread(shown, ALICE, 1)[0].status = MessageStatus::Queued);
    assert!(found.contains(&Check::Lost), "{found:?}");
}

#[test]
fn a_message_given_up_without_need_is_lost() {
    let failed = MessageStatus::Failed(Refusal::RelayRefused);
    let found = found(|_, shown| thread(shown, ALICE, 1)[0].status = failed);
    assert!(found.contains(&Check::Lost), "{found:?}");
}

#[test]
fn a_message_under_two_ids_is_shown_twice() {
    let found = found(|_, shown| {
        let thread = thread(shown, BOB, 0);
        let mut again = thread[0].clone();
        again.id = MessageId::from_bytes([7; 16]);
        thread.insert(1, again);
    });
    assert!(found.contains(&Check::Twice), "{found:?}");
}

#[test]
fn a_reaction_that_one_device_lacks_is_seen() {
    let found = found(|run, shown| {
        let reaction = engine::output::Reaction {
            author: run.record.accounts[1],
            emoji: "👍".to_owned(),
            at: engine::Timestamp(1),
        };
        thread(shown, SECOND, 1)[2].reactions.push(reaction);
    });
    assert_eq!(found, [Check::Same]);
}

#[test]
fn a_deletion_that_one_device_lacks_is_seen() {
    let mut run = talk();
    run.settle();
    let mut shown = run.all_shown();
    let gone = thread(&mut shown, ALICE, 1).remove(2);
    run.record.removed.insert(gone.id);
    let found = threads::violations(&run.record, &shown);
    let found: Vec<Check> = found.iter().map(|violation| violation.check).collect();
    assert_eq!(found, [Check::Same]);
}

#[test]
fn a_row_that_one_store_lacks_is_seen() {
    let mut run = talk();
    run.step(Step::Read { by: 0, of: 1 });
    run.settle();
    let now = engine::Timestamp(run.world.now);
    for table in [Table::Messages, Table::Registers, Table::Conversations] {
        let mut stores = run.all_stores();
        let spoilt = MemoryStore::new();
        spoilt.restore(&stores[0].1);
        spoilt.edit(table, |_, _| Keep::No);
        stores[0].1 = spoilt.snapshot();
        let found = digests::violations(&run.record, &stores, now);
        let found: Vec<Check> = found.iter().map(|violation| violation.check).collect();
        assert_eq!(found, [Check::Digests], "{table:?}");
    }
}

#[test]
fn a_message_between_two_others_is_with_a_stranger() {
    let found = found(|_, shown| {
        let theirs = thread(shown, BOB, 0)[0].clone();
        thread(shown, CAROL, 0).push(theirs);
    });
    assert!(found.contains(&Check::Stranger), "{found:?}");
}

#[test]
fn a_message_in_another_name_is_seen() {
    let found = found(|run, shown| thread(shown, BOB, 0)[0].author = run.record.accounts[2]);
    assert_eq!(found, [Check::Stranger]);
}

#[test]
fn words_that_nobody_said_are_seen() {
    let found = found(|_, shown| {
        let mut forged = thread(shown, BOB, 0)[0].clone();
        "pay me".clone_into(&mut forged.text);
        forged.id = MessageId::from_bytes([7; 16]);
        thread(shown, BOB, 0).push(forged);
    });
    assert_eq!(found, [Check::Stranger]);
}

#[test]
fn an_unreadable_message_is_seen() {
    let found = found(|_, shown| {
        let mut unread = thread(shown, BOB, 0)[0].clone();
        unread.kind = MessageKind::Unreadable;
        unread.text.clear();
        unread.id = MessageId::from_bytes([7; 16]);
        thread(shown, BOB, 0).push(unread);
    });
    assert_eq!(found, [Check::Unreadable]);
}

#[test]
fn two_messages_that_changed_places_are_seen() {
    let found = found(|_, shown| thread(shown, BOB, 0).swap(0, 1));
    assert_eq!(found, [Check::Order]);
}

#[test]
fn two_devices_with_different_orders_are_seen() {
    let found = found(|_, shown| {
        // Of two senders, so that each one's own order is kept.
        let thread = thread(shown, SECOND, 1);
        let last = thread
            .iter()
            .rposition(|m| m.author_device.get() == 2)
            .expect("hers");
        assert_ne!(thread[last].author_device, thread[last - 1].author_device);
        thread.swap(last, last - 1);
    });
    assert_eq!(found, [Check::Same]);
}

#[test]
fn a_mark_that_one_device_lacks_is_seen() {
    let mut run = talk();
    run.step(Step::Read { by: 0, of: 1 });
    run.settle();
    assert_eq!(run.violations, []);
    let mut shown = run.all_shown();
    let second = shown.iter_mut().find(|shown| shown.browser == SECOND);
    let unread = &mut second.expect("all are shown").unread;
    unread.insert(run.record.accounts[1], 9);
    let found = marks::violations(&run.record, &shown);
    let found: Vec<Check> = found.iter().map(|v| v.check).collect();
    assert_eq!(found, [Check::Read]);
}

#[test]
fn a_register_that_one_device_lacks_is_seen() {
    let mut run = talk();
    for (by, what) in [(0, 0), (3, 2), (0, 5)] {
        let value = 9;
        run.step(Step::Set { by, what, value });
    }
    run.settle();
    assert_eq!(run.violations, []);
    let mut held = run.all_held();
    let second = held.iter_mut().find(|(id, _)| *id == SECOND);
    second.expect("all hold something").1.remove(0);
    let found = registers::violations(&run.record, &held);
    let found: Vec<Check> = found.iter().map(|v| v.check).collect();
    assert_eq!(found, [Check::Registers]);
}

/// What people do after the talk, and how it ends if all is well.
fn settled(steps: &[Step]) -> Run {
    let mut run = talk();
    for step in steps {
        run.step(*step);
        run.step(Step::Run {});
    }
    run.settle();
    assert_eq!(run.violations, []);
    run
}

/// Alice has set a timer with Bob, and writes.
fn timed(length: u8) -> [Step; 2] {
    let (by, with) = (0, 1);
    [
        Step::Timer { by, with, length },
        Step::Send { from: 0, to: 1 },
    ]
}

#[test]
fn a_timer_that_one_device_lacks_is_seen() {
    for (device, with) in [(SECOND, 1), (BOB, 0)] {
        let mut run = settled(&timed(4));
        let mut shown = run.all_shown();
        let one = shown.iter_mut().find(|shown| shown.browser == device);
        let timers = &mut one.expect("all are shown").timers;
        let before = timers.insert(run.record.accounts[with], None);
        assert_eq!(before, Some(Some(4 * 7 * 24 * 3_600)));
        let found = timers::violations(&run.record, &shown);
        let found: Vec<Check> = found.iter().map(|v| v.check).collect();
        assert_eq!(found, [Check::Timers]);
    }
}

#[test]
fn a_message_that_stays_when_its_time_is_over_is_seen() {
    let mut run = talk();
    for step in timed(2) {
        run.step(step);
    }
    run.world.run();
    let message = run.last(ALICE, 1).expect("she has sent it");
    assert_eq!(message.timer_s, Some(600));
    run.settle();
    assert_eq!(run.violations, []);
    let mut shown = run.all_shown();
    let ids = |thread: &[engine::output::Message]| thread.iter().any(|m| m.id == message.id);
    assert!(
        shown
            .iter()
            .all(|shown| shown.threads.iter().all(|(_, thread)| !ids(thread)))
    );
    thread(&mut shown, BOB, 0).push(message);
    let found = timers::violations(&run.record, &shown);
    let found: Vec<Check> = found.iter().map(|v| v.check).collect();
    assert_eq!(found, [Check::Timers]);
}

#[test]
fn a_timer_that_nobody_set_is_seen() {
    let found = found(|_, shown| {
        let mut timer = thread(shown, BOB, 0)[0].clone();
        timer.kind = MessageKind::Timer;
        timer.text.clear();
        timer.id = MessageId::from_bytes([7; 16]);
        thread(shown, BOB, 0).push(timer);
    });
    assert_eq!(found, [Check::Stranger]);
}

#[test]
fn a_file_that_is_not_what_was_sent_is_seen() {
    let mut run = settled(&[Step::Attach { from: 0, to: 1 }]);
    let shown = run.all_shown();
    run.world.relay.damage_blobs();
    run.judge_files(&shown);
    // Of both of Alice's browsers, and of Bob's.
    let found: Vec<Check> = run.violations.iter().map(|v| v.check).collect();
    assert_eq!(found, [Check::Files; 3]);
}

#[test]
fn a_message_that_has_lost_its_file_is_seen() {
    let mut run = settled(&[Step::Attach { from: 0, to: 1 }]);
    let mut shown = run.all_shown();
    let messages = thread(&mut shown, SECOND, 1).iter_mut();
    messages.for_each(|message| message.attachments.clear());
    run.judge_files(&shown);
    let found: Vec<Check> = run.violations.iter().map(|v| v.check).collect();
    assert_eq!(found, [Check::Files]);
}

#[test]
fn earlier_messages_that_do_not_come_are_seen() {
    let later = Step::SendHistory {
        by: 0,
        to: 1,
        what: 1,
    };
    let linked = [Step::Link { of: 0 }, Step::Give { by: 0, what: 1 }];
    for (steps, new) in [(&linked[..], ClientId(4)), (&[later], SECOND)] {
        let mut run = settled(steps);
        let mut shown = run.all_shown();
        assert_eq!(given::violations(&run.record, &shown), []);
        thread(&mut shown, new, 1).remove(0);
        let found = given::violations(&run.record, &shown);
        let found: Vec<Check> = found.iter().map(|v| v.check).collect();
        assert_eq!(found, [Check::Given]);
    }
}

#[test]
fn a_frame_that_leaves_before_its_commit_is_seen() {
    for commits in [0, 1] {
        let mut run = talk();
        // 0: the message is not on disk. 1: it is, what was sealed is not.
        run.world.client(ALICE).forget_commits_after(commits);
        run.say(ALICE, 1);
        run.watch();
        let found = run.violations.first().map(|v| v.check);
        assert_eq!(found, Some(Check::Released), "after {commits}");
    }
}

#[test]
fn an_ack_that_leaves_before_its_commit_is_seen() {
    let mut run = talk();
    run.world.client(BOB).forget_commits_after(0);
    run.say(ALICE, 1);
    run.world.run();
    run.watch();
    assert!(
        run.violations.iter().any(|v| v.what.contains("acked")),
        "{:?}",
        run.violations
    );
}

/// Alice's browser seals, is put back, and seals again.
fn seal_twice(run: &mut Run) {
    let before = run.world.client(ALICE).store.snapshot();
    run.say(ALICE, 1);
    run.world.run();
    run.watch();
    run.world.end(ALICE);
    run.world.client(ALICE).store.restore(&before);
    // A relay that means its fence would let nobody in who was put back; this one agrees to anything.
    let fence = ("/v1/devices/fence", 204, u32::MAX);
    run.world.relay.refuse.push(fence);
    run.world.open(ALICE);
    run.watched[ALICE.0].told.clear();
    run.say(ALICE, 1);
}

#[test]
fn a_ratchet_position_used_twice_is_seen() {
    let mut run = talk();
    seal_twice(&mut run);
    run.watch();
    assert!(
        run.violations.iter().any(|v| v.check == Check::Ratchet),
        "{:?}",
        run.violations
    );
}

#[test]
fn of_a_browser_that_was_put_back_counts_what_the_relay_takes() {
    let mut run = talk();
    run.record.restored.insert(ALICE, run.at);
    seal_twice(&mut run);
    run.world.relay.taken.clear();
    run.watch();
    assert_eq!(run.violations, []);
    let sent = run.world.client(ALICE).sent.iter();
    let sent: Vec<_> = sent.map(|frame| (ALICE, frame.clone())).collect();
    run.world.relay.taken.extend(sent);
    run.watch();
    let found = run.violations.first().map(|v| v.check);
    assert_eq!(found, Some(Check::Ratchet));
}

#[test]
fn an_event_that_comes_twice_is_seen() {
    let mut run = talk();
    let told = |event: &&Event| matches!(event, Event::Message(_));
    let event = run.world.client(BOB).events.iter().find(told).cloned();
    run.world.client_mut(BOB).events.extend(event);
    run.watch();
    assert_eq!(
        run.violations.first().map(|v| v.check),
        Some(Check::ToldOnce)
    );
}

#[test]
fn a_command_without_an_answer_is_seen() {
    let mut run = talk();
    let _never_given = run.world.client_mut(BOB).command(Command::Contacts);
    run.settle();
    assert_eq!(
        run.violations.first().map(|v| v.check),
        Some(Check::Answered)
    );
}

#[test]
fn a_device_that_does_not_come_back_is_seen() {
    let mut run = talk();
    run.heal();
    run.world.cut(BOB);
    run.judge_devices();
    assert_eq!(run.violations.first().map(|v| v.check), Some(Check::Back));
}

#[test]
fn a_device_that_nobody_removed_and_is_gone_is_seen() {
    let mut run = talk();
    let device = 2_u32.try_into().expect("a device");
    let removed = run.world.ask(
        ALICE,
        Command::Unlink {
            device,
            lost: false,
        },
    );
    assert_eq!(removed, Ok(Reply::Done));
    run.world.pass_ms(2_000);
    run.watch();
    let found = run.violations.first().map(|v| v.check);
    assert_eq!(found, Some(Check::Back));
}

#[test]
fn what_is_left_over_is_seen() {
    let mut run = talk();
    run.heal();
    run.world.cut(BOB);
    run.say(ALICE, 1);
    run.say(BOB, 0);
    run.world.run();
    run.judge_queues();
    let found: Vec<Check> = run.violations.iter().map(|v| v.check).collect();
    assert_eq!(found, [Check::Drained]);
    let left = "1 envelopes at the relay and 1 things to send";
    assert!(
        run.violations[0].what.contains(left),
        "{:?}",
        run.violations
    );
}

#[test]
fn a_panic_is_seen() {
    let found = caught(AssertUnwindSafe(|| panic!("too {}", "bad")));
    assert_eq!(
        found,
        [Violation {
            check: Check::Alive,
            what: "too bad".to_owned()
        }]
    );
}
