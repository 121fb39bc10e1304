//! Earlier messages for new browsers, and for those that are there: which of them one browser is to have from another.
//! It does not judge; whether they have come is looked at when all faults are over.

use std::collections::BTreeSet;

use engine::input::{HistoryChoice, HistoryCommand};
use engine::output::{Message, MessageKind, MessageStatus};
use engine::{Command, Reply, Ticket};

use super::Run;
use super::act::{NOTHING, role};
use crate::ClientId;
use crate::check::record::Given;

const DAY_MS: u64 = 24 * 3_600_000;
/// A choice is kept so long for the browser that was approved.
const CHOICE_MS: u64 = 3_600_000;
/// Clocks jump by up to three hours, either way.
const CLOCKS_MS: u64 = 6 * 3_600_000;

/// Which earlier messages.
#[derive(Clone, Copy, Debug)]
pub(super) enum Which {
    None,
    All,
    Days(u32),
    /// Of the conversation with a person.
    With(usize),
}

/// An approval that is not answered yet.
#[derive(Clone, Debug)]
pub(super) struct Approval {
    by: ClientId,
    new: ClientId,
    uri: String,
    which: Which,
    chosen: Ticket,
    approved: Ticket,
    /// By the clock of the browser that approves.
    at: u64,
}

impl Run {
    fn which(&self, what: u8) -> (Which, HistoryChoice) {
        let with = usize::from(what / 4) % self.record.accounts.len();
        let which = match what % 4 {
            0 => Which::None,
            1 => Which::All,
            2 => Which::Days(1 + u32::from(what / 4 % 3)),
            _ => Which::With(with),
        };
        let (days, conversations) = match which {
            Which::None => return (which, HistoryChoice::None),
            Which::All => (None, None),
            Which::Days(days) => (Some(days), None),
            Which::With(with) => (None, Some(vec![self.record.accounts[with].to_string()])),
        };
        let choice = HistoryChoice::Some {
            days,
            conversations,
        };
        (which, choice)
    }

    /// Approves what a new browser shows, with a choice.
    pub(super) fn give(&mut self, by: ClientId, what: u8) -> String {
        let new = self.unlinked(self.record.owner(by));
        let offer = new.and_then(|new| Some((new, self.world.client(new).offer.clone()?)));
        let Some((new, offer)) = offer.filter(|_| self.is_ready(by)) else {
            return NOTHING.to_owned();
        };
        let (which, choice) = self.which(what);
        let uri = offer.uri.clone();
        // The later choice counts.
        self.approvals.retain(|a| a.by != by || a.uri != uri);
        let choose = HistoryCommand::Choose {
            uri: uri.clone(),
            choice,
        };
        let chosen = self.world.start(by, Command::History(choose));
        let approve = Command::ApproveLink {
            uri: offer.uri,
            role: role(new),
        };
        let approved = self.world.start(by, approve);
        self.approvals.push(Approval {
            by,
            new,
            uri,
            which,
            chosen,
            approved,
            at: self.clock(by),
        });
        format!("{}: {which:?}", self.record.name(by))
    }

    /// Approvals that were just answered.
    pub(super) fn note_given(&mut self, by: ClientId) {
        let client = self.world.client(by);
        let is_answered = |a: &Approval| a.by == by && client.answer(a.approved).is_some();
        let answered: Vec<Approval> = self.approvals.extract_if(.., |a| is_answered(a)).collect();
        for approval in answered {
            let Approval {
                new,
                which,
                chosen,
                approved,
                at,
                ..
            } = approval;
            let client = self.world.client(by);
            let has_come = matches!(client.answer(approved), Some(Ok(Reply::Device(_))));
            let is_chosen = matches!(client.answer(chosen), Some(Ok(Reply::Done)));
            let is_in_time = self.clock(by).abs_diff(at) < CHOICE_MS;
            if has_come && is_chosen && is_in_time {
                self.expect(by, new, which);
            }
        }
    }

    pub(super) fn send_history(&mut self, by: ClientId, to: usize, what: u8) -> String {
        let person = self.record.owner(by);
        let theirs: Vec<ClientId> = self.record.members(person).collect();
        let to = theirs[to % theirs.len()];
        let Some(device) = self.device(to).filter(|_| to != by) else {
            return NOTHING.to_owned();
        };
        let (which, choice) = self.which(what);
        // What was on its way to it is begun anew, whether or not somebody is told.
        self.record
            .given
            .retain(|given| (given.from, given.to) != (by, to));
        let send = HistoryCommand::Send { device, choice };
        let ticket = self.world.start(by, Command::History(send));
        if self.world.client(by).answer(ticket) == Some(&Ok(Reply::Done)) {
            self.expect(by, to, which);
        }
        let whom = self.record.name(to);
        format!("{} to {whom}: {which:?}", self.record.name(by))
    }

    fn expect(&mut self, from: ClientId, to: ClientId, which: Which) {
        let with: Vec<usize> = match which {
            Which::None => Vec::new(),
            Which::All | Which::Days(_) => (0..self.record.accounts.len()).collect(),
            Which::With(with) => vec![with],
        };
        let since = match which {
            Which::Days(days) => {
                let days = u64::from(days) * DAY_MS;
                (self.world.now + CLOCKS_MS).saturating_sub(days)
            }
            Which::None | Which::All | Which::With(_) => 0,
        };
        let mut messages = BTreeSet::new();
        for with in with {
            let newest = self.newest(from, with, 500);
            let counts = |message: &Message| message.sent_at.0 >= since && is_given(message);
            let ids = newest.iter().filter(|message| counts(message));
            messages.extend(ids.map(|message| message.id));
        }
        self.record.given.push(Given { from, to, messages });
    }

    /// What a browser's clock shows.
    fn clock(&self, id: ClientId) -> u64 {
        let ahead = self.world.client(id).clock_ahead_ms;
        self.world.now.saturating_add_signed(ahead)
    }
}

/// Whether it is no device's alone.
pub(crate) fn is_given(message: &Message) -> bool {
    let is_out = !matches!(
        message.status,
        MessageStatus::Queued | MessageStatus::Failed(_)
    );
    message.kind == MessageKind::Text && is_out
}
