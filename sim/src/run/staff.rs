//! Other people who read or answer for the people of a run: they are let in, answer, and are dismissed; and people want
//! conversations without them. It does not judge; what staff show is looked at when all faults are over.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "each function deals with its steps and leaves the rest to the next"
)]

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use engine::input::{Grant, Setting, StaffCommand};
use engine::output::ClientState;
use engine::store::Table;
use engine::{Command, Reply, Ticket};

use super::Run;
use super::act::{NOTHING, started};
use crate::ClientId;
use crate::check::record::Shown;
use crate::check::staff::{Hired, Kept, Uttered, View, label};
use crate::check::{Check, Violation};
use crate::step::Step;

/// Browsers of staff, of all people.
const STAFF_MAX: usize = 3;

impl Run {
    /// Steps that have to do with staff.
    pub(super) fn act_with_staff(&mut self, step: Step) -> String {
        match step {
            Step::Hire { by, what } => match self.used(by) {
                Some(by) => self.hire(by, what),
                None => NOTHING.to_owned(),
            },
            Step::Dismiss { by, which } => match self.used(by) {
                Some(by) => self.dismiss(by, which),
                None => NOTHING.to_owned(),
            },
            Step::Wish { by, with, yes } => match self.used(by) {
                Some(by) => self.wish(by, usize::from(with), yes % 2 == 1),
                None => NOTHING.to_owned(),
            },
            Step::Answer { by, to } => self.answer(by, to),
            other => self.disturb(other),
        }
    }

    /// A new browser shows a link URI; of one that does, the URI is approved.
    fn hire(&mut self, by: ClientId, what: u8) -> String {
        let person = self.record.owner(by);
        let waits = |hired: &Hired| {
            let is_open = self.world.client(hired.browser).is_open();
            hired.of == person && hired.since.is_none() && is_open
        };
        let found = self.record.staff.iter().position(waits);
        let Some(n) = found else {
            if self.record.staff.len() >= STAFF_MAX {
                return NOTHING.to_owned();
            }
            let new = self.world.new_browser();
            self.adopt(person);
            self.record.staff.push(Hired::new(new, person));
            return self.show_uri(new);
        };
        let new = self.record.staff[n].browser;
        let Some(offer) = self.world.client(new).offer.clone() else {
            return self.show_uri(new);
        };
        if self.record.staff[n].approved.is_none() {
            // Whichever approval it is that it comes in with, it is with this grant.
            let out = self.all_out();
            let with = usize::from(what / 8) % self.record.accounts.len();
            let hired = &mut self.record.staff[n];
            hired.answers = what & 1 == 0;
            hired.with = (what & 2 != 0).then_some(with);
            hired.reads_sent = what & 4 == 0 || what & 8 == 0;
            hired.approved = Some(self.at);
            hired.out = out;
        }
        let hired = &self.record.staff[n];
        let grant = Grant {
            label: label(new),
            answers: hired.answers,
            reads_sent: hired.reads_sent,
            conversations: hired
                .with
                .map(|with| vec![self.record.accounts[with].to_string()]),
            until: None,
        };
        let what = format!(
            "{} lets {} in: {}",
            self.record.name(by),
            self.record.name(new),
            hired.grant()
        );
        let uri = Some(offer.uri);
        let approve = StaffCommand::Approve { uri, grant };
        self.world.start(by, Command::Staff(approve));
        what
    }

    fn show_uri(&mut self, new: ClientId) -> String {
        let command = Command::Link {
            handle: None,
            credential: None,
            device_name: format!("browser {}", new.0),
        };
        self.world.start(new, command);
        self.record.name(new)
    }

    /// All texts that have left the browsers that they were said with.
    fn all_out(&self) -> BTreeSet<String> {
        let is_out = |said: &&Uttered| {
            let client = self.world.client(said.by);
            let stored = client.store.snapshot();
            let is_accepted = matches!(client.answer(said.ticket), Some(Ok(_)));
            is_accepted && stored.count(Table::Outbox) == 0
        };
        let out = self.record.uttered.iter().filter(is_out);
        out.map(|said| said.text.clone()).collect()
    }

    fn dismiss(&mut self, by: ClientId, which: u8) -> String {
        let person = self.record.owner(by);
        let is_there = |hired: &&mut Hired| {
            hired.of == person && hired.since.is_some() && hired.dismissed.is_none()
        };
        let mut theirs: Vec<&mut Hired> = self.record.staff.iter_mut().filter(is_there).collect();
        let count = theirs.len().max(1);
        let Some(hired) = theirs.get_mut(usize::from(which / 2) % count) else {
            return NOTHING.to_owned();
        };
        let Some(device) = hired.device else {
            return NOTHING.to_owned();
        };
        if !hired.dismissals.is_empty() {
            // It may be gone already, and its number another browser's.
            self.record.removers.insert(person);
        }
        let lost = which % 2 == 1;
        let ticket = self.world.start(by, Command::Unlink { device, lost });
        hired.dismissals.push((by, ticket));
        let browser = hired.browser;
        let name = self.record.name(browser);
        format!("{} dismisses {name}, lost: {lost}", self.record.name(by))
    }

    fn wish(&mut self, by: ClientId, with: usize, without: bool) -> String {
        let with = with % self.record.accounts.len();
        self.record.wished = true;
        let wish = Setting::WithoutStaff {
            conversation: self.record.accounts[with].to_string(),
            without,
        };
        self.world.start(by, Command::Set(wish));
        let handle = &self.record.handles[with];
        format!("{} with {handle}: {without}", self.record.name(by))
    }

    fn answer(&mut self, by: u8, to: u8) -> String {
        let is_there = |hired: &&Hired| {
            let client = self.world.client(hired.browser);
            client.is_open() && client.state() == ClientState::Ready
        };
        let there: Vec<ClientId> = self
            .record
            .staff
            .iter()
            .filter(is_there)
            .map(|hired| hired.browser)
            .collect();
        let by = there.get(usize::from(by) % there.len().max(1));
        let to = usize::from(to) % self.record.accounts.len();
        match by {
            Some(by) => self.say_with(*by, to, Vec::new()),
            None => NOTHING.to_owned(),
        }
    }

    /// What a browser knows that is about to say something, of staff who could read it.
    pub(super) fn view(&mut self, by: ClientId, with: usize) -> View {
        let nothing = |kept| View {
            kept,
            readers: Vec::new(),
        };
        if self.record.staff.is_empty() && !self.record.wished {
            return nothing(Kept::No);
        }
        let account = self.record.accounts[with];
        let Some(Reply::Contacts(all)) = started(&mut self.world, by, Command::Contacts) else {
            return nothing(Kept::Unknown);
        };
        let Some(contact) = all.into_iter().find(|contact| contact.id == account) else {
            return nothing(Kept::No);
        };
        let kept = if contact.without_staff || contact.without_staff_by_them {
            Kept::Yes
        } else {
            Kept::No
        };
        let staff = contact.staff.into_iter();
        let present = staff.filter(|staff| staff.ended.is_none());
        let readers = present.map(|staff| staff.label).collect();
        View { kept, readers }
    }

    /// Takes note of what was just said.
    pub(super) fn note_uttered(
        &mut self,
        (by, to): (ClientId, usize),
        text: &str,
        ticket: Ticket,
        mut view: View,
    ) {
        if self.world.client(by).answer(ticket).is_none() {
            // Somebody is looked up first, and more may be known by then.
            view.kept = Kept::Unknown;
        }
        self.record.uttered.push(Uttered {
            by,
            to,
            text: text.to_owned(),
            ticket,
            at: self.at,
            view,
        });
    }

    /// Looks who of staff has come or gone.
    pub(super) fn watch_staff(&mut self) {
        for n in 0..self.record.staff.len() {
            let hired = &self.record.staff[n];
            let id = hired.browser;
            let is_done = |(by, ticket): &(ClientId, Ticket)| {
                self.world.client(*by).answer(*ticket) == Some(&Ok(Reply::Done))
            };
            let is_dismissed = hired.dismissals.iter().any(is_done);
            let client = self.world.client(id);
            let state = client.is_open().then(|| client.state());
            let is_new = hired.since.is_none() && state == Some(ClientState::Ready);
            let is_gone = hired.since.is_some() && state == Some(ClientState::Unlinked);
            let account = is_new.then(|| started(&mut self.world, id, Command::Account));
            let hired = &mut self.record.staff[n];
            if let Some(Some(Reply::Account(account))) = account {
                hired.since = Some(self.at);
                hired.device = Some(account.device);
                hired.expires = account.staff.map_or(0, |grant| grant.expires.0);
            }
            if is_gone && hired.dismissals.is_empty() && self.world.now < hired.expires {
                let what = format!("{} was dismissed by nobody", self.record.name(id));
                let check = Check::Back;
                self.violations.push(Violation { check, what });
            }
            let hired = &mut self.record.staff[n];
            if (is_gone || is_dismissed) && hired.dismissed.is_none() {
                hired.dismissed = Some(self.at);
            }
        }
    }

    /// What staff show in the end.
    pub(super) fn all_shown_to_staff(&mut self) -> Vec<Shown> {
        let hired = self.record.staff.iter();
        let ever: Vec<ClientId> = hired
            .filter(|hired| hired.since.is_some())
            .map(|hired| hired.browser)
            .collect();
        ever.into_iter().map(|id| self.shown(id)).collect()
    }

    /// Looks whose certificate has ended.
    pub(super) fn note_ends(&mut self) {
        for n in 0..self.record.staff.len() {
            let id = self.record.staff[n].browser;
            if self.record.staff[n].since.is_none() {
                continue;
            }
            if let Some(Ok(Reply::Account(account))) = self.world.try_ask(id, Command::Account) {
                let expires = account.staff.map_or(0, |grant| grant.expires.0);
                self.record.staff[n].is_over = expires <= self.world.now;
            }
        }
    }
}
