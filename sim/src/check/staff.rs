//! What other people who read or answer for somebody show when all faults are over: nothing that their certificate does not
//! give them, and nothing that was not for them. Whoever still has access to all has got all that was said in peace.
//!
//! What a delegate says itself, it shows, wherever it says it. What somebody quotes they say again, so a quote is no leak. Not
//! promised: that what staff say arrives, since they may be dismissed meanwhile; and that somebody lacks what was said before
//! they were let in if it had not left its author's browser yet, or if that was put back and says it again.

use std::collections::{BTreeMap, BTreeSet};

use engine::Ticket;
use engine::output::{Message, MessageKind, MessageStatus};
use wire::{AccountId, DeviceId, MessageId};

use super::record::{Outcome, Record, Said, Shown};
use super::{Check, Violation};
use crate::ClientId;

/// A browser of somebody who reads, or reads and answers, for a person. It is let in once; dismissed, it stays out.
#[derive(Clone, Debug)]
pub(crate) struct Hired {
    pub(crate) browser: ClientId,
    /// For whom.
    pub(crate) of: usize,
    pub(crate) answers: bool,
    pub(crate) reads_sent: bool,
    /// Only in the conversation with this person; none: in all.
    pub(crate) with: Option<usize>,
    /// In which step it was approved first.
    pub(crate) approved: Option<usize>,
    /// Texts that had left their authors' browsers by then.
    pub(crate) out: BTreeSet<String>,
    /// After which step it was seen to belong to the account.
    pub(crate) since: Option<usize>,
    pub(crate) device: Option<DeviceId>,
    /// When its first certificate ends.
    pub(crate) expires: u64,
    /// Its certificate has ended, as far as it knows.
    pub(crate) is_over: bool,
    /// By whom somebody wanted it out.
    pub(crate) dismissals: Vec<(ClientId, Ticket)>,
    /// After which step it was seen to be out.
    pub(crate) dismissed: Option<usize>,
}

impl Hired {
    pub(crate) fn new(browser: ClientId, of: usize) -> Self {
        Self {
            browser,
            of,
            answers: false,
            reads_sent: false,
            with: None,
            approved: None,
            out: BTreeSet::new(),
            since: None,
            device: None,
            expires: 0,
            is_over: false,
            dismissals: Vec::new(),
            dismissed: None,
        }
    }

    /// In words.
    pub(crate) fn grant(&self) -> String {
        let what = if self.answers { "answers" } else { "reads" };
        let sent = if self.reads_sent {
            ""
        } else {
            ", not what is sent"
        };
        let with = self.with.map(|with| format!(", with person {with}"));
        format!("{what}{sent}{}", with.unwrap_or_default())
    }

    fn reads_all(&self) -> bool {
        self.with.is_none() && self.reads_sent
    }

    /// Nobody has wanted it out.
    fn is_current(&self) -> bool {
        self.dismissals.is_empty() && self.dismissed.is_none() && !self.is_over
    }
}

/// How staff are called.
pub(crate) fn label(browser: ClientId) -> String {
    format!("staff {}", browser.0)
}

/// Whether what was said was to be read by no staff, as one of the two wanted it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    Yes,
    No,
    /// Nobody could look.
    Unknown,
}

/// What a browser knew that said something.
#[derive(Clone, Debug)]
pub(crate) struct View {
    pub(crate) kept: Kept,
    /// The other person's staff by their labels.
    pub(crate) readers: Vec<String>,
}

/// A text or a new one in place of another, as it was when somebody said it.
#[derive(Clone, Debug)]
pub(crate) struct Uttered {
    pub(crate) by: ClientId,
    /// To which person.
    pub(crate) to: usize,
    /// No other is the same.
    pub(crate) text: String,
    pub(crate) ticket: Ticket,
    /// After which step.
    pub(crate) at: usize,
    pub(crate) view: View,
}

/// All that is wrong: in what staff show, and in what people show of them.
pub(crate) fn violations(record: &Record, shown: &[Shown], to_staff: &[Shown]) -> Vec<Violation> {
    let uttered = record.uttered.iter();
    let judge = Judge {
        record,
        shown,
        by_text: uttered.map(|said| (said.text.as_str(), said)).collect(),
    };
    let mut found = Vec::new();
    for hired in &record.staff {
        let what = to_staff.iter().find(|shown| shown.browser == hired.browser);
        for (with, thread) in what.iter().flat_map(|shown| &shown.threads) {
            for message in thread {
                judge.forbidden(hired, *with, message, &mut found);
            }
        }
        if let Some(shown) = what {
            judge.missing(hired, shown, &mut found);
        }
        judge.overstepped(hired, &mut found);
    }
    for browser in shown.iter().chain(to_staff) {
        for message in browser.threads.iter().flat_map(|(_, thread)| thread) {
            judge.misnamed(browser.browser, message, &mut found);
        }
    }
    found
}

struct Judge<'a> {
    record: &'a Record,
    /// What people show.
    shown: &'a [Shown],
    by_text: BTreeMap<&'a str, &'a Uttered>,
}

impl Judge<'_> {
    fn say(&self, found: &mut Vec<Violation>, who: ClientId, what: &str) {
        let what = format!("{}: {what}", self.record.name(who));
        found.push(Violation {
            check: Check::Staff,
            what,
        });
    }

    /// What a delegate shows of one message, and of what that said before.
    fn forbidden(
        &self,
        hired: &Hired,
        with: AccountId,
        message: &Message,
        found: &mut Vec<Violation>,
    ) {
        if message.kind != MessageKind::Text {
            return; // the text is gone, or has never come
        }
        let earlier = message.earlier.iter().map(|version| &version.text);
        for text in std::iter::once(&message.text).chain(earlier) {
            let why = match self.by_text.get(text.as_str()) {
                Some(said) => self.why_not(hired, with, message.author, said),
                None => Some("what nobody said"),
            };
            if let Some(why) = why {
                let what = format!("({}) shows {text:?}, {why}", hired.grant());
                self.say(found, hired.browser, &what);
            }
        }
    }

    fn why_not(
        &self,
        hired: &Hired,
        with: AccountId,
        author: AccountId,
        said: &Uttered,
    ) -> Option<&'static str> {
        let by = self.record.owner(said.by);
        let other = match hired.of {
            of if of == by => said.to,
            of if of == said.to => by,
            _ => return Some("which is between two others"),
        };
        let is_here = with == self.record.accounts[other] && author == self.record.accounts[by];
        if !is_here {
            return Some("in a wrong place or name");
        }
        if said.by == hired.browser {
            return (!hired.answers).then_some("though it may only read");
        }
        let is_old = hired.approved.is_none_or(|approved| said.at < approved);
        let is_again = self.record.restored.contains_key(&said.by);
        let in_peace = self.record.healed_at.is_some_and(|at| said.at >= at);
        let reasons = [
            (other == hired.of, "which is a note to self"),
            (
                hired.with.is_some_and(|with| with != other),
                "which was not chosen for it",
            ),
            (
                !hired.reads_sent && by == hired.of,
                "though it may not read what is sent",
            ),
            (said.view.kept == Kept::Yes, "which was said without staff"),
            (
                is_old && hired.out.contains(&said.text) && !is_again,
                "which was said before it was let in",
            ),
            (
                in_peace && hired.dismissed.is_some(),
                "which was said after it was dismissed",
            ),
        ];
        let mut holds = reasons.into_iter().filter(|(so, _)| *so);
        holds.next().map(|(_, why)| why)
    }

    /// Who has access to all has got all that was said in peace.
    fn missing(&self, hired: &Hired, shown: &Shown, found: &mut Vec<Violation>) {
        let record = self.record;
        let is_promised = !record.lied && !record.away && record.restored.is_empty();
        let healed = record.healed_at.unwrap_or_default();
        let is_there = hired.since.is_some_and(|since| since < healed);
        if !is_promised || !is_there || !hired.reads_all() || !hired.is_current() {
            return;
        }
        for said in &record.said {
            let Outcome::Accepted { id, .. } = &said.outcome else {
                continue;
            };
            let of_it = self.is_for(hired, said);
            if !of_it || record.is_fleeting(said) || self.has_failed(said.by, *id) {
                continue;
            }
            let mut messages = shown.threads.iter().flat_map(|(_, thread)| thread);
            if !messages.any(|message| message.id == *id && message.kind == MessageKind::Text) {
                let what = format!("has not got {:?} of {}", said.text, record.name(said.by));
                self.say(found, hired.browser, &what);
            }
        }
    }

    /// It was said in peace between the one whose staff it is and another person, neither of whom wanted anything else. What
    /// somebody wrote who had not heard of it may not be for it.
    fn is_for(&self, hired: &Hired, said: &Said) -> bool {
        let (person, by) = (hired.of, self.record.owner(said.by));
        let is_theirs = (by == person) != (said.to == person);
        let blocked = |one, other| self.record.blocked.contains(&(one, other));
        let view = self.by_text.get(said.text.as_str()).map(|said| &said.view);
        let is_known = |view: &View| by == person || view.readers.contains(&label(hired.browser));
        is_theirs
            && self.record.was_said_in_peace(said)
            && !blocked(by, said.to)
            && !blocked(said.to, by)
            && view.is_some_and(|view| view.kept == Kept::No && is_known(view))
    }

    fn has_failed(&self, by: ClientId, id: MessageId) -> bool {
        let shown = self.shown.iter().filter(|shown| shown.browser == by);
        let mut messages = shown
            .flat_map(|shown| &shown.threads)
            .flat_map(|(_, all)| all);
        let found = messages.find(|message| message.id == id);
        found.is_none_or(|message| matches!(message.status, MessageStatus::Failed(_)))
    }

    /// Who may only read has said nothing.
    fn overstepped(&self, hired: &Hired, found: &mut Vec<Violation>) {
        let theirs = self
            .record
            .said
            .iter()
            .filter(|said| said.by == hired.browser);
        for said in theirs {
            if !hired.answers && matches!(said.outcome, Outcome::Accepted { .. }) {
                let what = format!("may only read, and says {:?}", said.text);
                self.say(found, hired.browser, &what);
            }
        }
    }

    /// A message says whether it is of staff, wherever it is shown.
    fn misnamed(&self, who: ClientId, message: &Message, found: &mut Vec<Violation>) {
        let Some(said) = self.record.said_as(&message.text) else {
            return;
        };
        let by_staff = self.record.is_staff(self.record.said[said].by);
        if message.kind == MessageKind::Text && message.staff.is_some() != by_staff {
            let what = format!("shows {:?} as by staff: {}", message.text, !by_staff);
            self.say(found, who, &what);
        }
    }
}
