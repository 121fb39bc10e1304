//! What a person has read on one device is read on all of them, once all faults are over (E.1: the largest mark wins).
//!
//! A mark is for a message, so it says nothing to a device that has not got that message: one that was linked
//! later. Devices that were removed, devices that were put back to an old state, and what a relay made unreadable, do not count.

use super::record::{Mark, Record, Shown};
use super::{Check, Violation};
use engine::output::MessageStatus;

/// All that is wrong.
pub(crate) fn violations(record: &Record, shown: &[Shown]) -> Vec<Violation> {
    if record.lied_about_keys {
        return Vec::new();
    }
    let mut found = Vec::new();
    for mark in record.marks.iter().filter(|mark| mark.is_stored) {
        if record.is_restored(mark.by) || !record.is_member(mark.by, mark.at) {
            continue;
        }
        for browser in shown {
            let counts = record.owner(browser.browser) == record.owner(mark.by)
                && !record.is_restored(browser.browser)
                && record.is_member(browser.browser, mark.at);
            if counts && let Some((unread, newer)) = too_many(record, mark, browser) {
                let what = format!(
                    "{}: {unread} unread where {newer} are newer than what browser {} has read",
                    record.name(browser.browser),
                    mark.by.0
                );
                found.push(Violation {
                    check: Check::Read,
                    what,
                });
            }
        }
    }
    found
}

/// More is unread than is newer than the mark.
fn too_many(record: &Record, mark: &Mark, browser: &Shown) -> Option<(u32, usize)> {
    let account = record.accounts[mark.with];
    let (_, thread) = browser.threads.iter().find(|(with, _)| *with == account)?;
    let at = thread.iter().position(|message| message.id == mark.up_to)?;
    let theirs = |status: MessageStatus| status == MessageStatus::Received;
    let newer = thread
        .iter()
        .skip(at + 1)
        .filter(|message| theirs(message.status))
        .count();
    let unread = browser.unread.get(&account).copied().unwrap_or_default();
    (unread as usize > newer).then_some((unread, newer))
}
