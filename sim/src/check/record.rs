//! What a run remembers for the checks: who owns which browser, who said what to whom when, and what was done
//! that excuses something. It judges nothing.

use std::collections::{BTreeMap, BTreeSet};

use engine::output::Message;
use engine::{Refusal, Ticket};
use wire::{AccountId, MessageId};

use super::staff::{Hired, Uttered};
use crate::ClientId;

/// Timers are far shorter than what follows after the last message, or far longer than a run.
const LONG_MS: u64 = 24 * 3_600_000;

/// A text that somebody wanted to send.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    pub(crate) by: ClientId,
    /// Which person.
    pub(crate) to: usize,
    /// No other is the same.
    pub(crate) text: String,
    pub(crate) ticket: Ticket,
    /// After which step.
    pub(crate) at: usize,
    /// It has one, with the bytes that [`file`] gives.
    pub(crate) has_file: bool,
    /// How long it stays after it was sent or read (0: for ever), as its sender had it; none if nobody could look.
    pub(crate) timer_s: Option<u32>,
    pub(crate) outcome: Outcome,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Nobody was told; the page may have died before or after it was stored.
    Unknown,
    Refused(Refusal),
    Accepted {
        id: MessageId,
        /// As which of all accepted ones.
        nth: usize,
        /// The devices that both persons had then.
        members: BTreeSet<ClientId>,
    },
}

/// The bytes of the file with the `n`th text.
pub(crate) fn file(n: usize) -> Vec<u8> {
    let length = 1 + n * 7_919 % 40_000;
    (0..length)
        .map(|at| (at * 31 + n).to_le_bytes()[0])
        .collect()
}

/// Earlier messages that one browser is to have from another.
#[derive(Clone, Debug)]
pub(crate) struct Given {
    pub(crate) from: ClientId,
    pub(crate) to: ClientId,
    /// Which the sending one had of them when it began.
    pub(crate) messages: BTreeSet<MessageId>,
}

/// A conversation that somebody has read.
#[derive(Clone, Debug)]
pub(crate) struct Mark {
    pub(crate) by: ClientId,
    /// With which person.
    pub(crate) with: usize,
    pub(crate) ticket: Ticket,
    /// Up to which message.
    pub(crate) up_to: MessageId,
    /// After which step.
    pub(crate) at: usize,
    pub(crate) is_stored: bool,
}

/// What the checks know of a run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Record {
    /// Of each person.
    pub(crate) handles: Vec<String>,
    pub(crate) accounts: Vec<AccountId>,
    /// The person of each browser; of staff, whom it reads for.
    pub(crate) owners: Vec<usize>,
    /// After which step a browser was seen to belong to its account; none if it does not, or no more.
    pub(crate) ready_since: BTreeMap<ClientId, usize>,
    /// All that ever did.
    pub(crate) ever_ready: BTreeSet<ClientId>,
    /// People who have removed a browser of theirs.
    pub(crate) removers: BTreeSet<usize>,
    pub(crate) said: Vec<Said>,
    pub(crate) accepted: usize,
    /// Texts that were put in place of others, and of which of those said.
    pub(crate) edits: Vec<(String, usize)>,
    /// Messages that somebody may have removed, for themselves or for everyone.
    pub(crate) removed: BTreeSet<MessageId>,
    /// Who has ever blocked whom.
    pub(crate) blocked: BTreeSet<(usize, usize)>,
    pub(crate) marks: Vec<Mark>,
    /// People between whom somebody may have set a timer; the lesser one first.
    pub(crate) timed: BTreeSet<(usize, usize)>,
    pub(crate) given: Vec<Given>,
    /// Since when a browser has history, as it says: it is compared with others only from then on.
    pub(crate) floors: BTreeMap<ClientId, u64>,
    /// Browsers that were put back to an earlier state, and after which step.
    pub(crate) restored: BTreeMap<ClientId, usize>,
    /// The relay has lied.
    pub(crate) lied: bool,
    /// Some of that was about keys.
    pub(crate) lied_about_keys: bool,
    /// Somebody may have been away so long that their keys are too old.
    pub(crate) away: bool,
    /// Who has taken another key than the right one for a person's.
    pub(crate) misled: BTreeSet<(ClientId, usize)>,
    /// Other people's browsers that read or answer for somebody. They belong to no person of the run: what is said of
    /// people's browsers is not said of them.
    pub(crate) staff: Vec<Hired>,
    /// All texts, new ones in place of others too.
    pub(crate) uttered: Vec<Uttered>,
    /// Somebody may have wanted a conversation without staff.
    pub(crate) wished: bool,
    /// The step after which nothing went wrong any more.
    pub(crate) healed_at: Option<usize>,
}

impl Record {
    pub(crate) fn owner(&self, browser: ClientId) -> usize {
        self.owners[browser.0]
    }

    /// It is another person's, for whom it reads or answers.
    pub(crate) fn is_staff(&self, browser: ClientId) -> bool {
        self.staff.iter().any(|hired| hired.browser == browser)
    }

    /// Which of those said it is that has this text.
    pub(crate) fn said_as(&self, text: &str) -> Option<usize> {
        let edited = self.edits.iter().find(|(edit, _)| edit == text);
        let said = || self.said.iter().position(|said| said.text == text);
        edited.map(|(_, said)| *said).or_else(said)
    }

    /// The devices of a person so far.
    pub(crate) fn members(&self, person: usize) -> impl Iterator<Item = ClientId> {
        let all = self.ready_since.keys().copied();
        all.filter(move |id| self.owner(*id) == person)
    }

    pub(crate) fn may_have_timer(&self, one: usize, other: usize) -> bool {
        self.timed.contains(&(one.min(other), one.max(other)))
    }

    /// It may have disappeared, or is to have.
    pub(crate) fn is_fleeting(&self, said: &Said) -> bool {
        match said.timer_s {
            Some(seconds) => seconds > 0 && u64::from(seconds) * 1000 < LONG_MS,
            None => self.may_have_timer(self.owner(said.by), said.to),
        }
    }

    pub(crate) fn was_said_in_peace(&self, said: &Said) -> bool {
        self.healed_at.is_some_and(|healed| said.at >= healed)
    }

    /// It is not the device that it was before something happened.
    pub(crate) fn has_joined_after(&self, browser: ClientId, at: usize) -> bool {
        self.ready_since
            .get(&browser)
            .is_some_and(|since| *since > at)
    }

    /// It was put back to an earlier state, and has not been linked anew since.
    pub(crate) fn is_restored(&self, browser: ClientId) -> bool {
        let at = self.restored.get(&browser);
        at.is_some_and(|at| !self.has_joined_after(browser, *at))
    }

    /// It was said by a browser in a life that was put back.
    pub(crate) fn is_doubtful(&self, said: &Said) -> bool {
        let is_in_new_life = self.is_member(said.by, said.at) && !self.is_restored(said.by);
        self.restored.contains_key(&said.by) && !is_in_new_life
    }

    /// Somebody has done something that it may be no device for.
    pub(crate) fn may_be_unlinked(&self, browser: ClientId) -> bool {
        self.removers.contains(&self.owner(browser)) || self.restored.contains_key(&browser)
    }

    /// It belongs to its account now, and did already then.
    pub(crate) fn is_member(&self, browser: ClientId, then: usize) -> bool {
        self.ready_since
            .get(&browser)
            .is_some_and(|since| *since < then)
    }

    pub(crate) fn name(&self, browser: ClientId) -> String {
        let whose = &self.handles[self.owner(browser)];
        let staff = if self.is_staff(browser) { "staff " } else { "" };
        format!("{whose}'s {staff}browser {}", browser.0)
    }
}

/// What a browser shows.
#[derive(Clone, Debug)]
pub(crate) struct Shown {
    pub(crate) browser: ClientId,
    /// By the account of the other person; oldest first.
    pub(crate) threads: Vec<(AccountId, Vec<Message>)>,
    /// How many are unread, by the account of the other person.
    pub(crate) unread: BTreeMap<AccountId, u32>,
    /// How long messages stay, by the account of the other person.
    pub(crate) timers: BTreeMap<AccountId, Option<u32>>,
}
