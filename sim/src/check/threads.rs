//! What people see when all faults are over and everybody was online for a while, compared with what was said.
//!
//! What is not promised: what a device missed while it was away for two weeks (decision 11), its person's others give it, unless they were removed
//! meanwhile; a device that was removed gets nothing more, and sends what waits once it is linked again; a device that was put back to an old state may miss messages, and what it sends may be
//! lost (the relay and its peers have moved on); a relay that hands out other people's or used keys can make
//! messages unreadable until it stops; whoever believed a false key at the first contact stays with it, since only
//! people can compare keys (DESIGN 6: one key, pinned; a change blocks until it is accepted). History from before a device was linked is not transferred. A failed
//! message stays on the device that failed to send it.

use std::collections::{BTreeMap, BTreeSet};

use engine::Refusal;
use engine::output::{Message, MessageKind, MessageStatus};
use wire::{AccountId, MessageId};

use super::record::{Outcome, Record, Said, Shown};
use super::{Check, Violation};
use crate::ClientId;

/// All that is wrong.
pub(crate) fn violations(record: &Record, shown: &[Shown]) -> Vec<Violation> {
    let said = record.said.iter().map(|said| (said.text.as_str(), said));
    let edits = record.edits.iter();
    let edits = edits.map(|(text, said)| (text.as_str(), &record.said[*said]));
    let by_text: BTreeMap<&str, &Said> = said.chain(edits).collect();
    let judge = Judge {
        record,
        shown,
        by_text,
    };
    let mut found = Vec::new();
    for browser in shown {
        for (with, thread) in &browser.threads {
            judge.strangers(browser.browser, *with, thread, &mut found);
            judge.twice(browser.browser, thread, &mut found);
            judge.order(browser.browser, thread, &mut found);
        }
    }
    judge.lost(&mut found);
    judge.same(&mut found);
    found
}

struct Judge<'a> {
    record: &'a Record,
    shown: &'a [Shown],
    by_text: BTreeMap<&'a str, &'a Said>,
}

impl Judge<'_> {
    fn say(&self, found: &mut Vec<Violation>, check: Check, who: ClientId, what: &str) {
        let what = format!("{}: {what}", self.record.name(who));
        found.push(Violation { check, what });
    }

    /// Each text stands in the conversation of its two people, under its author's name.
    fn strangers(
        &self,
        who: ClientId,
        with: AccountId,
        thread: &[Message],
        found: &mut Vec<Violation>,
    ) {
        let viewer = self.record.owner(who);
        for message in thread {
            let is_deleted =
                message.kind == MessageKind::Deleted && self.record.removed.contains(&message.id);
            if message.kind == MessageKind::Timer {
                self.timer_of_strangers((who, viewer), with, message, found);
                continue;
            }
            if message.kind != MessageKind::Text {
                if !is_deleted && !self.record.lied && self.record.restored.is_empty() {
                    self.say(
                        found,
                        Check::Unreadable,
                        who,
                        "shows a message that it could not read",
                    );
                }
                continue;
            }
            let Some(said) = self.by_text.get(message.text.as_str()) else {
                self.say(found, Check::Stranger, who, "shows what nobody said");
                continue;
            };
            let author = self.record.owner(said.by);
            let place = match viewer {
                _ if viewer == author => self.record.accounts[said.to],
                _ if viewer == said.to => self.record.accounts[author],
                _ => {
                    let what = format!("shows {:?} between two others", said.text);
                    self.say(found, Check::Stranger, who, &what);
                    continue;
                }
            };
            if message.author != self.record.accounts[author]
                || message.conversation != place
                || with != place
            {
                let what = format!("shows {:?} in a wrong place or name", said.text);
                self.say(found, Check::Stranger, who, &what);
            }
        }
    }

    /// A timer was set by one of two people, at least one of whom did something of the kind.
    fn timer_of_strangers(
        &self,
        (who, viewer): (ClientId, usize),
        with: AccountId,
        message: &Message,
        found: &mut Vec<Violation>,
    ) {
        let other = self.record.accounts.iter().position(|id| *id == with);
        let is_theirs = [with, self.record.accounts[viewer]].contains(&message.author);
        let may = other.is_some_and(|other| self.record.may_have_timer(viewer, other));
        if !may || !is_theirs || message.conversation != with {
            self.say(found, Check::Stranger, who, "shows a timer that nobody set");
        }
    }

    fn twice(&self, who: ClientId, thread: &[Message], found: &mut Vec<Violation>) {
        let mut ids = BTreeSet::new();
        let mut texts = BTreeSet::new();
        for message in thread {
            let is_new =
                ids.insert(message.id) && (message.text.is_empty() || texts.insert(&message.text));
            if !is_new {
                self.say(
                    found,
                    Check::Twice,
                    who,
                    &format!("shows {:?} twice", message.text),
                );
            }
        }
    }

    /// Of each sending device, what was accepted earlier stands higher.
    fn order(&self, who: ClientId, thread: &[Message], found: &mut Vec<Violation>) {
        let mut last: BTreeMap<ClientId, usize> = BTreeMap::new();
        for message in thread {
            let Some(said) = self.by_text.get(message.text.as_str()) else {
                continue;
            };
            let Outcome::Accepted { nth, .. } = said.outcome else {
                continue;
            };
            if self.record.is_doubtful(said) || self.record.is_restored(who) {
                continue;
            }
            let before = last.insert(said.by, nth);
            if before.is_some_and(|before| before > nth) {
                let what = format!("shows {:?} too low", said.text);
                self.say(found, Check::Order, who, &what);
            }
        }
    }

    /// What was accepted is at every device that both people had then and now, or failed visibly.
    fn lost(&self, found: &mut Vec<Violation>) {
        for said in &self.record.said {
            let Outcome::Accepted { id, members, .. } = &said.outcome else {
                continue;
            };
            if self.record.is_staff(said.by) {
                continue; // who may be dismissed meanwhile
            }
            if self.record.is_doubtful(said) || self.record.removed.contains(id) {
                continue; // whether it is gone everywhere, `same` says
            }
            let own = self.status(said.by, *id);
            match own {
                None if self.record.is_fleeting(said) => {}
                None => {
                    let what = format!("does not show its own {:?}", said.text);
                    self.say(found, Check::Lost, said.by, &what);
                }
                // It says that it belongs to no account any more; linked again, it sends what waits.
                Some(_) if !self.record.ready_since.contains_key(&said.by) => {}
                Some(MessageStatus::Queued) => {
                    let what = format!("has never sent {:?}", said.text);
                    self.say(found, Check::Lost, said.by, &what);
                }
                // Nobody of theirs was online for two weeks, as far as the sender could know.
                Some(MessageStatus::Failed(Refusal::PeerAway)) if self.record.away => {}
                Some(MessageStatus::Failed(refusal))
                    if !self.is_excused(said) && !self.record.lied =>
                {
                    let what = format!("gave {:?} up: {refusal:?}", said.text);
                    self.say(found, Check::Lost, said.by, &what);
                }
                Some(MessageStatus::Failed(_)) => {}
                Some(_) => {
                    for member in members.iter().filter(|id| self.is_there(**id, said)) {
                        let excused = self.is_excused(said)
                            || self.is_misled(*member, said)
                            || self.record.is_fleeting(said)
                            || self.may_be_left_out(*member, *id);
                        if self.status(*member, *id).is_none() && !excused {
                            let what = format!(
                                "has not got {:?} of {}",
                                said.text,
                                self.record.name(said.by)
                            );
                            self.say(found, Check::Lost, *member, &what);
                        }
                    }
                }
            }
        }
    }

    /// Any two devices of a person show the same of what was said since both were there.
    fn same(&self, found: &mut Vec<Violation>) {
        for (n, one) in self.shown.iter().enumerate() {
            for other in self.shown.iter().skip(n + 1) {
                let owner = self.record.owner(one.browser);
                let alike = owner == self.record.owner(other.browser)
                    && !self.record.is_restored(one.browser)
                    && !self.record.is_restored(other.browser);
                if !alike {
                    continue;
                }
                let since = self.since(one.browser).max(self.since(other.browser));
                let counts = |said: &Said| {
                    said.at > since
                        && !self.record.is_fleeting(said)
                        && !self.is_misled(one.browser, said)
                        && !self.is_misled(other.browser, said)
                };
                let counts = |said: &Said, message: &Message| {
                    let is_before = |shown: &Shown| self.is_before(shown.browser, message);
                    counts(said) && !(self.record.away && (is_before(one) || is_before(other)))
                };
                let (here, there) = (self.digest(one, counts), self.digest(other, counts));
                if here != there {
                    let what = difference(&here, &there);
                    let what = format!("and browser {} differ: {what}", other.browser.0);
                    self.say(found, Check::Same, one.browser, &what);
                }
            }
        }
    }

    /// What a device shows of what counts, in all that it says.
    fn digest(&self, shown: &Shown, counts: impl Fn(&Said, &Message) -> bool) -> Vec<Entry> {
        let mut digest = Vec::new();
        for (with, thread) in &shown.threads {
            for message in thread {
                let Some(said) = self.said(message) else {
                    continue;
                };
                let failed = |status| matches!(status, Some(MessageStatus::Failed(_)));
                // Deleted since, it is still what only its sender ever had.
                let failed = failed(self.status(said.by, message.id))
                    || failed(Some(message.status)) && shown.browser == said.by;
                let excused = failed || self.is_excused(said) || self.record.is_doubtful(said);
                if counts(said, message) && !excused {
                    let what = format!("{} {}", said.text, all_of(message));
                    digest.push((*with, message.id, message.author, what));
                }
            }
        }
        digest
    }

    /// What it was when it was said; of one that was deleted only the id is left.
    fn said(&self, message: &Message) -> Option<&Said> {
        let is = |said: &&Said| matches!(&said.outcome, Outcome::Accepted { id, .. } if *id == message.id);
        match message.kind {
            MessageKind::Text => self.by_text.get(message.text.as_str()).copied(),
            MessageKind::Deleted => self.record.said.iter().find(is),
            MessageKind::Unreadable | MessageKind::Waiting | MessageKind::Timer => None,
        }
    }

    fn since(&self, browser: ClientId) -> usize {
        self.record
            .ready_since
            .get(&browser)
            .copied()
            .unwrap_or(usize::MAX)
    }

    /// Its keys may have been too old when it was said, and who has got it may be gone; or it stands before all that one of the person's
    /// browsers compares with others, since its sender's clock was behind.
    fn may_be_left_out(&self, browser: ClientId, id: MessageId) -> bool {
        let owner = self.record.owner(browser);
        let mut put_back = self.record.restored.keys();
        let may_be_gone = self.record.removers.contains(&owner)
            || put_back.any(|id| self.record.owner(*id) == owner);
        let mut all = self.shown.iter().flat_map(|shown| &shown.threads);
        let found = all.find_map(|(_, thread)| thread.iter().find(|message| message.id == id));
        let floors = self.record.floors.keys();
        let mut theirs = floors.filter(|id| self.record.owner(**id) == owner);
        let is_before = found.is_some_and(|message| theirs.any(|id| self.is_before(*id, message)));
        self.record.away && (may_be_gone || is_before)
    }

    /// It stands before what a browser compares with others.
    fn is_before(&self, browser: ClientId, message: &Message) -> bool {
        let floor = self.record.floors.get(&browser);
        floor.is_some_and(|floor| message.sent_at.0 < *floor)
    }

    /// A device since before a message was sent, and without a break.
    fn is_there(&self, browser: ClientId, said: &Said) -> bool {
        self.record.is_member(browser, said.at) && !self.record.is_restored(browser)
    }

    fn is_excused(&self, said: &Said) -> bool {
        let author = self.record.owner(said.by);
        let is_unwanted = self.record.blocked.contains(&(said.to, author));
        is_unwanted || self.record.lied_about_keys && !self.record.was_said_in_peace(said)
    }

    /// One end has a false key for the other.
    fn is_misled(&self, reader: ClientId, said: &Said) -> bool {
        let author = self.record.owner(said.by);
        let misled = |pair| self.record.misled.contains(&pair);
        misled((said.by, said.to)) || misled((reader, author))
    }

    fn status(&self, browser: ClientId, id: MessageId) -> Option<MessageStatus> {
        let shown = self.shown.iter().find(|shown| shown.browser == browser)?;
        let messages = shown.threads.iter().flat_map(|(_, thread)| thread);
        let mut same =
            messages.filter(|message| message.id == id && message.kind == MessageKind::Text);
        same.next().map(|message| message.status)
    }
}

type Entry = (AccountId, MessageId, AccountId, String);

/// All that own devices show alike of a message.
pub(crate) fn all_of(message: &Message) -> String {
    let Message {
        kind,
        text,
        status,
        quote,
        earlier,
        reactions,
        timer_s,
        attachments,
        id: _,
        conversation: _,
        author: _,
        author_device,
        sent_at,
        staff,
        disappears_at: _, // each device sees for itself when it begins
    } = message;
    let quote = quote.as_ref().map(|quote| (quote.id, &quote.text));
    let earlier: Vec<&str> = earlier.iter().map(|v| v.text.as_str()).collect();
    let attachments = attachments.len();
    format!(
        "{kind:?} {text} {status:?} {quote:?} {earlier:?} {reactions:?} {timer_s:?} {attachments} {author_device} {staff:?} {sent_at:?}"
    )
}

fn difference(here: &[Entry], there: &[Entry]) -> String {
    let only = |one: &[Entry], other: &[Entry]| -> Vec<String> {
        let lacks = |entry: &&Entry| !other.contains(entry);
        let lacking = one.iter().filter(lacks);
        lacking.map(|entry| entry.3.clone()).collect()
    };
    let (first, second) = (only(here, there), only(there, here));
    if first.is_empty() && second.is_empty() {
        return format!("the order is {here:?} or {there:?}");
    }
    format!("only the first shows {first:?}, only the second {second:?}")
}
