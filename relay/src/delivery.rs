//! What one authenticated socket is sent from its mailbox, and when what was answered is taken out.
//!
//! ```text
//!   start/woken --Fetch--> fetched --Send--> (unanswered) --answered 2xx--> Delete
//!                                                         --any other-----> kept, not sent again here
//! ```
//!
//! Sans-IO: it says what to do and is told what happened. It does not know sockets or the store.
//! Invariants: envelopes go out in the order of the mailbox; never more unanswered than the limits say;
//! `queue/empty` is sent once, when all that waited at the start has been answered.

use std::collections::{BTreeMap, VecDeque};

use wire::{RelayRequest, Request};

use crate::core::mailbox::Page;
use crate::limits::{DELIVERIES_OPEN_MAX, DELIVERY_BYTES_OPEN_MAX};
use crate::store::Mail;

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Fetch the envelopes behind this number, and tell [`Delivery::fetched`].
    Fetch {
        /// The last number that is known here.
        after: u64,
    },
    /// Send this request.
    Send(Request),
    /// Take this envelope out of the mailbox.
    Delete {
        /// Its number.
        seq: u64,
    },
}

/// The deliveries of one socket.
#[derive(Debug, Default)]
pub struct Delivery {
    /// The last number that was fetched.
    cursor: u64,
    fetching: bool,
    /// There may be more than was fetched.
    more: bool,
    /// Fetched, not sent.
    waiting: VecDeque<Mail>,
    /// Sent, not answered: request id to number and size.
    open: BTreeMap<u64, (u64, usize)>,
    open_bytes: usize,
    last_request: u64,
    drain: Drain,
}

/// How far the envelopes that waited at the start are dealt with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Drain {
    /// The first page is not here.
    #[default]
    Unknown,
    /// Up to this number.
    UpTo(u64),
    /// `queue/empty` is out.
    Announced,
}

impl Delivery {
    /// The socket has said who it is.
    #[must_use]
    pub fn start() -> (Self, Vec<Action>) {
        let mut delivery = Self::default();
        let actions = delivery.woken(0);
        (delivery, actions)
    }

    /// There may be something new in the mailbox.
    pub fn woken(&mut self, now: u64) -> Vec<Action> {
        self.more = true;
        self.go_on(now)
    }

    /// A fetch brought this.
    pub fn fetched(&mut self, page: Page, now: u64) -> Vec<Action> {
        let Page { mail, newest } = page;
        self.fetching = false;
        if self.drain == Drain::Unknown {
            self.drain = Drain::UpTo(newest);
        }
        // An empty page is the end, even below `newest`: what is left there has expired.
        self.cursor = mail.last().map_or(newest, |last| last.seq).max(self.cursor);
        self.more |= self.cursor < newest;
        self.waiting.extend(mail);
        self.go_on(now)
    }

    /// A request of ours was answered.
    pub fn answered(&mut self, request: u64, is_success: bool, now: u64) -> Vec<Action> {
        let Some((seq, size)) = self.open.remove(&request) else {
            return Vec::new();
        };
        self.open_bytes -= size;
        let mut actions = Vec::new();
        if is_success {
            actions.push(Action::Delete { seq });
        }
        actions.extend(self.go_on(now));
        actions
    }

    fn go_on(&mut self, now: u64) -> Vec<Action> {
        let mut actions = Vec::new();
        while self.has_room()
            && let Some(Mail { seq, envelope }) = self.waiting.pop_front()
        {
            let request = self.request(RelayRequest::Message, envelope, now);
            self.open.insert(request.id, (seq, request.body.len()));
            self.open_bytes += request.body.len();
            actions.push(Action::Send(request));
        }
        if self.more && !self.fetching && self.waiting.is_empty() && self.has_room() {
            self.more = false;
            self.fetching = true;
            actions.push(Action::Fetch { after: self.cursor });
        }
        if self.is_drained() {
            self.drain = Drain::Announced;
            let request = self.request(RelayRequest::QueueEmpty, Vec::new(), now);
            actions.push(Action::Send(request));
        }
        actions
    }

    fn has_room(&self) -> bool {
        self.open.len() < DELIVERIES_OPEN_MAX && self.open_bytes < DELIVERY_BYTES_OPEN_MAX
    }

    fn is_drained(&self) -> bool {
        let Drain::UpTo(end) = self.drain else {
            return false;
        };
        let unsent = self.waiting.front().map(|mail| mail.seq);
        let unanswered = self.open.values().map(|(seq, _)| *seq).min();
        self.cursor >= end
            && unsent.is_none_or(|seq| seq > end)
            && unanswered.is_none_or(|seq| seq > end)
    }

    fn request(&mut self, what: RelayRequest, body: Vec<u8>, now: u64) -> Request {
        self.last_request += 1;
        Request {
            id: self.last_request,
            verb: "PUT".to_owned(),
            path: what.path().to_owned(),
            headers: vec![("x-signal-timestamp".to_owned(), now.to_string())],
            body,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(seqs: impl IntoIterator<Item = u64>, newest: u64) -> Page {
        let mail = seqs.into_iter().map(|seq| Mail {
            seq,
            envelope: vec![1; 10],
        });
        Page {
            mail: mail.collect(),
            newest,
        }
    }

    fn sent(actions: &[Action]) -> Vec<(u64, String)> {
        let requests = actions.iter().filter_map(|action| match action {
            Action::Send(request) => Some((request.id, request.path.clone())),
            Action::Fetch { .. } | Action::Delete { .. } => None,
        });
        requests.collect()
    }

    fn empties(actions: &[Action]) -> usize {
        let path = RelayRequest::QueueEmpty.path();
        sent(actions).iter().filter(|(_, p)| p == path).count()
    }

    #[test]
    fn an_empty_mailbox_is_announced_at_once_and_once() {
        let (mut delivery, actions) = Delivery::start();
        assert_eq!(actions, [Action::Fetch { after: 0 }]);
        assert_eq!(empties(&delivery.fetched(page([], 0), 1)), 1);
        assert_eq!(empties(&delivery.woken(1)), 0);
        assert_eq!(empties(&delivery.fetched(page([5], 5), 1)), 0);
        assert_eq!(empties(&delivery.answered(2, true, 1)), 0);
    }

    #[test]
    fn empty_waits_for_what_was_there_at_the_start_and_not_for_more() {
        let (mut delivery, _) = Delivery::start();
        let actions = delivery.fetched(page([3, 4], 4), 1);
        assert_eq!((sent(&actions).len(), empties(&actions)), (2, 0));
        delivery.woken(1);
        let actions = delivery.fetched(page([9], 9), 1);
        assert_eq!((sent(&actions).len(), empties(&actions)), (1, 0));
        assert_eq!(empties(&delivery.answered(2, true, 1)), 0);
        assert_eq!(empties(&delivery.answered(1, true, 1)), 1);
    }

    #[test]
    fn only_a_success_deletes_and_nothing_is_sent_twice() {
        let (mut delivery, _) = Delivery::start();
        delivery.fetched(page([3, 4], 4), 1);
        assert!(
            delivery
                .answered(1, true, 1)
                .contains(&Action::Delete { seq: 3 })
        );
        let actions = delivery.answered(2, false, 1);
        assert!(!actions.contains(&Action::Delete { seq: 4 }));
        assert_eq!(empties(&actions), 1);
        assert_eq!(delivery.answered(2, true, 1), []);
        assert_eq!(delivery.woken(1), [Action::Fetch { after: 4 }]);
    }

    #[test]
    fn no_more_than_the_window_is_unanswered() {
        let (mut delivery, _) = Delivery::start();
        let mut open = 0;
        let mut fetched = 0;
        let mut actions = vec![Action::Fetch { after: 0 }];
        while actions.contains(&Action::Fetch { after: fetched }) {
            actions = delivery.fetched(page(fetched + 1..=fetched + 100, 1000), 1);
            fetched += 100;
            open += sent(&actions).len();
        }
        assert_eq!(open, DELIVERIES_OPEN_MAX);
        assert_eq!(sent(&delivery.answered(1, true, 1)).len(), 1);
    }

    #[test]
    fn a_wake_up_during_a_fetch_fetches_again() {
        let (mut delivery, _) = Delivery::start();
        assert_eq!(delivery.woken(1), []);
        let actions = delivery.fetched(page([], 0), 1);
        assert!(actions.contains(&Action::Fetch { after: 0 }));
    }

    #[test]
    fn envelopes_that_expired_unsent_do_not_block_the_queue() {
        let (mut delivery, _) = Delivery::start();
        assert_eq!(empties(&delivery.fetched(page([], 7), 1)), 1);
    }
}
