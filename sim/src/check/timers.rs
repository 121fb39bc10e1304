//! Once all faults are over and everything was read: all devices of both people have the same timer, and no message is left
//! whose time has run out.
//!
//! Devices that were put back to an old state do not count, nor people who have blocked each other, and nothing does where a relay
//! made messages unreadable. What was never sent stays.

use std::collections::BTreeSet;

use engine::output::MessageStatus;

use super::record::{Record, Shown};
use super::{Check, Violation};
use crate::ClientId;

/// All that is wrong.
pub(crate) fn violations(record: &Record, shown: &[Shown]) -> Vec<Violation> {
    if record.lied_about_keys {
        return Vec::new();
    }
    let counts = |id: ClientId| record.ready_since.contains_key(&id) && !record.is_restored(id);
    let shown: Vec<&Shown> = shown.iter().filter(|s| counts(s.browser)).collect();
    let mut found = Vec::new();
    for pair in &record.timed {
        found.extend(different(record, &shown, *pair));
    }
    for browser in shown {
        found.extend(left(record, browser));
    }
    found
}

/// The timers that the devices of two people have, if they differ.
fn different(record: &Record, shown: &[&Shown], (one, other): (usize, usize)) -> Option<Violation> {
    let blocked = |pair| record.blocked.contains(&pair);
    if blocked((one, other)) || blocked((other, one)) {
        return None;
    }
    let mut timers = Vec::new();
    for browser in shown {
        let owner = record.owner(browser.browser);
        let with = match owner {
            _ if owner == one => other,
            _ if owner == other => one,
            _ => continue,
        };
        let timer = browser.timers.get(&record.accounts[with]);
        timers.push((browser.browser.0, timer.copied().flatten()));
    }
    let lengths: BTreeSet<Option<u32>> = timers.iter().map(|(_, timer)| *timer).collect();
    let what = format!("(browser, timer) between {one} and {other}: {timers:?}");
    (lengths.len() > 1).then_some(Violation {
        check: Check::Timers,
        what,
    })
}

fn left(record: &Record, shown: &Shown) -> Vec<Violation> {
    let mut found = Vec::new();
    for message in shown.threads.iter().flat_map(|(_, thread)| thread) {
        let is_out = !matches!(
            message.status,
            MessageStatus::Queued | MessageStatus::Failed(_)
        );
        let Some(said) = record.said_as(&message.text).filter(|_| is_out) else {
            continue;
        };
        let said = &record.said[said];
        if said.timer_s.is_some() && record.is_fleeting(said) {
            let what = format!(
                "{} still shows {:?}, which was to stay {:?} s and goes at {:?}",
                record.name(shown.browser),
                message.text,
                said.timer_s,
                message.disappears_at
            );
            let check = Check::Timers;
            found.push(Violation { check, what });
        }
    }
    found
}
