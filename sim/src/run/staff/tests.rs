//! The check of staff bites: a run in which people have staff and that is well is spoiled in one place, and the check says so.
//! Others have tests of their own, beside the run.

use std::cell::RefCell;
use std::rc::Rc;

use engine::output::{Message, Version};
use engine::{Refusal, Timestamp};

use super::*;
use crate::check::record::Record;
use crate::check::staff;
use crate::run::Detail;
use crate::step::Play;

const ALICE: ClientId = ClientId(0);
const BOB: ClientId = ClientId(1);
/// Reads and answers for Alice.
const JANE: ClientId = ClientId(3);

/// Bob writes to Alice (#0), who lets somebody in; all write: #1 to #4 to each other, #5 to herself, #6 between two others;
/// #7 is without staff.
const OFFICE: &str = "people 3\nsend 1 0\nrun\nhire 0 0\nrun\nhire 0 0\nrun\nsend 1 0\nrun\nsend 0 1\nrun\nanswer 0 1\nrun\n\
    send 2 0\nrun\nsend 0 0\nrun\nsend 1 2\nrun\nwish 1 0 1\nrun\nsend 1 0\nrun\nwish 1 0 0\nrun\nsend 1 0\nrun";

fn played(steps: &str) -> Run {
    let play: Play = steps.parse().expect("these are steps");
    let mut run = Run::new(&play, Detail::Steps, Rc::new(RefCell::default()));
    for step in &play.steps {
        run.step(*step);
    }
    assert_eq!(run.violations, []);
    run
}

fn settled(steps: &str) -> Run {
    let mut run = played(steps);
    run.settle();
    assert_eq!(run.violations, []);
    run
}

/// The messages that one of these shows with a person.
fn thread(shown: &mut [Shown], browser: ClientId, person: usize) -> &mut Vec<Message> {
    let all = shown.iter_mut().find(|shown| shown.browser == browser);
    &mut all.expect("all are shown").threads[person].1
}

fn texts(shown: &mut [Shown], browser: ClientId, person: usize) -> Vec<String> {
    let thread = thread(shown, browser, person).iter();
    thread.map(|message| message.text.clone()).collect()
}

/// How a good run ended.
struct End {
    record: Record,
    shown: Vec<Shown>,
    to_staff: Vec<Shown>,
}

fn end() -> End {
    let mut run = settled(OFFICE);
    let (shown, to_staff) = (run.all_shown(), run.all_shown_to_staff());
    let record = run.record;
    End {
        record,
        shown,
        to_staff,
    }
}

impl End {
    /// What the check says, once something was spoiled in the record, in what people show or in what staff show.
    fn found(&self, spoil: impl FnOnce(&mut Record, &mut [Shown], &mut [Shown])) -> Vec<String> {
        let mut record = self.record.clone();
        let (mut shown, mut to_staff) = (self.shown.clone(), self.to_staff.clone());
        spoil(&mut record, &mut shown, &mut to_staff);
        let found = staff::violations(&record, &shown, &to_staff);
        assert!(
            found
                .iter()
                .all(|violation| violation.check == Check::Staff)
        );
        found.into_iter().map(|violation| violation.what).collect()
    }
}

fn assert_found(found: &[String], what: &str) {
    assert!(!found.is_empty(), "nothing is seen");
    assert!(found.iter().all(|found| found.contains(what)), "{found:?}");
}

#[test]
fn a_run_with_staff_is_well_and_there_is_something_to_check() {
    let mut run = settled(OFFICE);
    let mut to_staff = run.all_shown_to_staff();
    let with_bob = texts(&mut to_staff, JANE, 1);
    assert_eq!(with_bob[..4], ["#1", "#2", "#3", "#8"]);
    assert!(with_bob.len() > 4, "and what was said in peace");
    assert!(texts(&mut to_staff, JANE, 0).is_empty());
    assert_eq!(texts(&mut to_staff, JANE, 2)[0], "#4");
    let kept = run
        .record
        .uttered
        .iter()
        .filter(|said| said.view.kept == Kept::Yes);
    let kept: Vec<&str> = kept.map(|said| said.text.as_str()).collect();
    assert_eq!(kept, ["#7"]);
    let hired = &run.record.staff[0];
    assert_eq!(hired.out, BTreeSet::from(["#0".to_owned()]));
    assert!(hired.since.is_some() && hired.expires > run.world.now && !hired.is_over);
}

#[test]
fn what_staff_are_not_to_have_is_seen() {
    let end = end();
    let cases = [
        (BOB, 0, "#0", 1, "before it was let in"),
        (BOB, 0, "#7", 1, "without staff"),
        (ALICE, 0, "#5", 0, "a note to self"),
        (BOB, 2, "#6", 1, "between two others"),
        (BOB, 0, "#1", 2, "in a wrong place or name"),
    ];
    for (of, with, text, to, why) in cases {
        let found = end.found(|_, shown, to_staff| {
            let all = thread(shown, of, with).iter();
            let leaked = all.clone().find(|message| message.text == text).cloned();
            thread(to_staff, JANE, to).push(leaked.expect("it is shown there"));
        });
        assert_found(&found, why);
    }
}

/// Bob wants no staff, and Alice writes before she knows it, and after.
const WITHOUT: &str = "people 2\nhire 0 0\nrun\nhire 0 0\nrun\nsend 0 1\nrun\nwish 1 0 1\nsend 1 0\nrun\nsend 0 1\nrun";

#[test]
fn what_is_said_to_somebody_who_wants_no_staff_is_seen() {
    for after in ["", "\nwish 1 0 0"] {
        let mut run = settled(&format!("{WITHOUT}{after}"));
        let (shown, mut to_staff) = (run.all_shown(), run.all_shown_to_staff());
        let said = &run.record.uttered[2];
        assert_eq!((said.text.as_str(), said.view.kept), ("#2", Kept::Yes));
        let leaked = thread(&mut shown.clone(), ALICE, 1)[2].clone();
        assert_eq!(leaked.text, "#2");
        thread(&mut to_staff, ClientId(2), 1).push(leaked);
        let found = staff::violations(&run.record, &shown, &to_staff);
        assert_eq!(found.len(), 1, "{found:?}");
    }
}

#[test]
fn what_an_edit_shows_of_before_is_seen() {
    let end = end();
    let found = end.found(|_, _, to_staff| {
        thread(to_staff, JANE, 1)[0].earlier.push(Version {
            text: "#7".to_owned(),
            at: Timestamp(1),
        });
    });
    assert_found(&found, "without staff");
}

#[test]
fn what_nobody_said_is_seen() {
    let end = end();
    let found = end.found(|_, _, to_staff| thread(to_staff, JANE, 1)[0].text = "boo".to_owned());
    assert_found(&found, "what nobody said");
}

#[test]
fn what_a_grant_does_not_give_is_seen() {
    let end = end();
    type Spoil = fn(&mut Hired);
    let spoils: [(Spoil, &str); 4] = [
        (|hired| hired.with = Some(2), "was not chosen"),
        (
            |hired| hired.reads_sent = false,
            "may not read what is sent",
        ),
        (|hired| hired.answers = false, "may only read"),
        (|hired| hired.dismissed = Some(1), "after it was dismissed"),
    ];
    for (spoil, why) in spoils {
        let found = end.found(|record, _, _| spoil(&mut record.staff[0]));
        assert_found(&found, why);
    }
}

#[test]
fn what_was_said_in_peace_and_is_not_at_staff_is_seen() {
    let end = end();
    for person in [1, 2] {
        let found = end.found(|_, _, to_staff| drop(thread(to_staff, JANE, person).pop()));
        assert_found(&found, "has not got");
        assert_eq!(found.len(), 1);
    }
}

#[test]
fn nobody_is_to_have_all_whose_access_has_ended() {
    let end = end();
    let found = end.found(|record, _, to_staff| {
        record.staff[0].is_over = true;
        thread(to_staff, JANE, 1).pop();
    });
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn a_message_that_does_not_say_whose_staff_wrote_it_is_seen() {
    let end = end();
    for browser in [ALICE, BOB, JANE] {
        let found = end.found(|_, shown, to_staff| {
            let with = usize::from(browser != BOB);
            let all = if browser == JANE { to_staff } else { shown };
            let mut messages = thread(all, browser, with).iter_mut();
            let answer = messages.find(|message| message.text == "#3");
            answer.expect("it is there").staff = None;
        });
        assert_found(&found, "as by staff: false");
    }
}

#[test]
fn a_message_of_a_person_that_is_shown_as_by_staff_is_seen() {
    let end = end();
    let found = end.found(|_, shown, _| thread(shown, BOB, 0)[2].staff = Some(String::new()));
    assert_found(&found, "as by staff: true");
}

#[test]
fn a_delegate_that_nobody_dismissed_and_is_out_is_seen() {
    let mut run = played(OFFICE);
    let device = run.record.staff[0].device.expect("it has come");
    let lost = false;
    let unlink = Command::Unlink { device, lost };
    assert_eq!(run.world.ask(ALICE, unlink), Ok(Reply::Done));
    run.world.pass_ms(2_000);
    run.watch();
    let found: Vec<Check> = run.violations.iter().map(|v| v.check).collect();
    assert_eq!(found, [Check::Back]);
}

#[test]
fn who_was_dismissed_shows_nothing_more() {
    for dismiss in ["dismiss 0 0", "dismiss 0 1"] {
        let mut run = settled(&format!("{OFFICE}\n{dismiss}\nrun\nsend 1 0\nrun"));
        assert!(run.record.staff[0].dismissed.is_some());
        let last = texts(&mut run.all_shown_to_staff(), JANE, 1).pop();
        assert_eq!(last.as_deref(), Some("#8"));
    }
}

#[test]
fn grants_are_drawn_and_who_only_reads_is_refused() {
    // Only reads; that, and with Bob alone; with Carol alone.
    for (what, answers, with) in [(1, false, None), (11, false, Some(1)), (18, true, Some(2))] {
        let steps = format!("people 3\nhire 0 {what}\nrun\nhire 0 {what}\nrun\nanswer 0 1\nrun");
        let run = settled(&steps);
        let hired = &run.record.staff[0];
        assert_eq!((hired.answers, hired.with), (answers, with));
        let outcome = &run.record.said[0].outcome;
        let refused = *outcome == crate::check::record::Outcome::Refused(Refusal::NotAllowed);
        assert_eq!(refused, !answers, "{outcome:?}");
    }
}
