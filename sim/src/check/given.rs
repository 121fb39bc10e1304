//! A browser that was given earlier messages has all of them, as the one that gave them shows them, once all faults are over.
//!
//! Messages that went since are left out, and browsers that were removed or put back to an old state. Nothing is promised where
//! a relay made messages unreadable, nor to a browser that was away for two weeks (decision 11): what told it of a piece may have left it out.

use engine::output::Message;
use wire::MessageId;

use super::record::{Record, Shown};
use super::threads::all_of;
use super::{Check, Violation};
use crate::ClientId;
use crate::run::is_given;

/// All that is wrong.
pub(crate) fn violations(record: &Record, shown: &[Shown]) -> Vec<Violation> {
    if record.lied_about_keys || record.away {
        return Vec::new();
    }
    let mut found = Vec::new();
    for given in &record.given {
        let counts = |id: ClientId| {
            record.ready_since.contains_key(&id)
                && !record.restored.contains_key(&id)
                && !record.removers.contains(&record.owner(id))
        };
        if !counts(given.from) || !counts(given.to) {
            continue;
        }
        for id in &given.messages {
            let Some(sent) = find(shown, given.from, *id).filter(|sent| is_given(sent)) else {
                continue;
            };
            let is_fleeting = record
                .said_as(&sent.text)
                .is_none_or(|said| record.is_fleeting(&record.said[said]));
            let come = find(shown, given.to, *id);
            let is_same = come.is_some_and(|come| all_of(come) == all_of(sent));
            if !is_same && !is_fleeting {
                let what = format!(
                    "{} was to have {} of browser {}, and shows {:?}",
                    record.name(given.to),
                    all_of(sent),
                    given.from.0,
                    come.map(all_of)
                );
                let check = Check::Given;
                found.push(Violation { check, what });
            }
        }
    }
    found
}

fn find(shown: &[Shown], browser: ClientId, id: MessageId) -> Option<&Message> {
    let shown = shown.iter().find(|shown| shown.browser == browser)?;
    let mut messages = shown.threads.iter().flat_map(|(_, thread)| thread);
    messages.find(|message| message.id == id)
}
