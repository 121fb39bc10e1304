//! What people say in a run, and do to what was said: edits, reactions, deletions, of few messages, so that they meet.
//! It does not judge; what devices show is compared when all faults are over.

use engine::attachment::Pointer;
use engine::input::{Action, Draft};
use engine::output::{Message, MessageKind};
use engine::{Command, Reply};

use super::Run;
use super::act::{NOTHING, started};
use crate::ClientId;
use crate::check::record::{Outcome, Said};

/// The newest messages, of which one is picked.
const PICKED_OF: usize = 6;
const EMOJI: [&str; 3] = ["👍", "🎉", "❤️"];

impl Run {
    /// Sends a text that nobody has sent before. Every fourth answers what stands last in the conversation.
    pub(super) fn say(&mut self, by: ClientId, to: usize) -> String {
        if !self.is_ready(by) {
            return NOTHING.to_owned();
        }
        self.say_with(by, to, Vec::new())
    }

    /// The same, with files.
    pub(super) fn say_with(
        &mut self,
        by: ClientId,
        to: usize,
        attachments: Vec<Pointer>,
    ) -> String {
        let n = self.record.said.len();
        let has_file = !attachments.is_empty();
        let text = format!("#{n}");
        let handle = self.record.handles[to].clone();
        let what = format!("{} says {text} to {handle}", self.record.name(by));
        let last = (n % 4 == 3).then(|| self.newest(by, to, 1).pop()).flatten();
        let quote = last.filter(|last| last.kind == MessageKind::Text);
        // By id, so that writing to somebody new needs no connection; the handle is for later.
        let to_account = self.record.accounts[to].to_string();
        let command = Command::Send {
            to: if n.is_multiple_of(3) {
                handle
            } else {
                to_account
            },
            draft: Draft {
                text: text.clone(),
                quote: quote.map(|quoted| quoted.id),
                attachments,
            },
        };
        let view = self.view(by, to);
        let ticket = self.world.start(by, command);
        self.note_uttered((by, to), &text, ticket, view);
        self.record.said.push(Said {
            by,
            to,
            text,
            ticket,
            at: self.at,
            has_file,
            timer_s: None,
            outcome: Outcome::Unknown,
        });
        what
    }

    /// Does something to a message.
    pub(super) fn deed(&mut self, by: ClientId, of: usize, what: u8) -> String {
        let with = of % self.record.accounts.len();
        let mut newest = self.newest(by, with, PICKED_OF);
        let (what, which) = (what % 8, usize::from(what / 8));
        if newest.is_empty() {
            return NOTHING.to_owned();
        }
        let message = newest.swap_remove(which % newest.len());
        let is_own = message.author == self.record.accounts[self.record.owner(by)];
        let (id, text) = (message.id, message.text);
        let emoji = EMOJI.get(which % (EMOJI.len() + 1));
        let action = match what {
            0 | 1 if is_own => {
                let Some(said) = self.record.said_as(&text) else {
                    return NOTHING.to_owned();
                };
                let text = format!("{text}.{}", self.record.edits.len());
                self.record.edits.push((text.clone(), said));
                Action::Edit { message: id, text }
            }
            2 => {
                self.record.removed.insert(id);
                let everyone = is_own && which % 2 == 0;
                Action::Remove {
                    message: id,
                    everyone,
                }
            }
            _ => Action::React {
                message: id,
                emoji: emoji.map(|emoji| (*emoji).to_owned()),
            },
        };
        let done = format!("{} to {text}: {action:?}", self.record.name(by));
        let new_text = match &action {
            Action::Edit { text, .. } => Some(text.clone()),
            Action::React { .. } | Action::Remove { .. } => None,
        };
        let view = self.view(by, with);
        let ticket = self.world.start(by, Command::Act(action));
        if let Some(text) = new_text {
            self.note_uttered((by, with), &text, ticket, view);
        }
        done
    }

    /// The newest messages of a conversation.
    pub(super) fn newest(&mut self, by: ClientId, with: usize, limit: usize) -> Vec<Message> {
        let ask = Command::Messages {
            conversation: self.record.accounts[with].to_string(),
            before: None,
            after: None,
            limit,
        };
        match started(&mut self.world, by, ask) {
            Some(Reply::Messages(messages)) => messages,
            _ => Vec::new(),
        }
    }

    /// A person has read what stands in a conversation.
    pub(super) fn last(&mut self, by: ClientId, with: usize) -> Option<Message> {
        self.newest(by, with, 1).pop()
    }
}
