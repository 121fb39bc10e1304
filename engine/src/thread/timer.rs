//! Messages that disappear: how long they stay after they were read, and which wish of both people counts.
//! It does not know when they are read, and takes nothing away (see `disappear`).

use std::cmp::Reverse;

use wire::MessageId;

use super::view::{KIND_TIMER, STATUS_RECEIVED};
use super::{Place, conversation_record, range, row};
use crate::error::Error;
use crate::input::ConversationId;
use crate::limits::READ_STARTED_MAX;
use crate::record::{ConversationRecord, MessageRecord, Record, key};
use crate::store::Direction;
use crate::tx::Tx;

/// How long messages of a conversation stay, as somebody has set it or a message repeats it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Timer {
    /// After reading, in seconds; 0: for ever.
    pub(crate) seconds: u32,
    /// Raised with each change. Both people may change it, so the same may come twice.
    pub(crate) version: u32,
}

impl Timer {
    /// Signal counts from here, and so does whoever has never heard of a timer.
    const FIRST: u32 = 1;

    pub(crate) fn of(thread: &ConversationRecord) -> Self {
        Self {
            seconds: thread.timer_s,
            version: thread.timer_version.max(Self::FIRST),
        }
    }

    /// The same timer with another length, set now.
    pub(crate) fn changed_to(self, seconds: u32) -> Self {
        Self {
            seconds,
            version: self.version.saturating_add(1),
        }
    }

    /// What a message with that time says of it later on: nothing new.
    pub(crate) fn seen_from(self, seconds: u32) -> Self {
        if seconds == self.seconds {
            return self;
        }
        Self {
            seconds,
            version: Self::FIRST,
        }
    }

    /// The later change counts; of two at once the shorter time, which keeps less.
    fn beats(self, known: Self) -> bool {
        let rank = |timer: Self| {
            let kept = timer.seconds.wrapping_sub(1); // for ever is longest
            (timer.version.max(Self::FIRST), Reverse(kept))
        };
        rank(self) > rank(known)
    }
}

fn ends_at(seconds: u32, started: u64) -> u64 {
    if seconds == 0 {
        return 0;
    }
    started.saturating_add(u64::from(seconds).saturating_mul(1000))
}

/// Takes over what was said of the timer, if it is news. Says whether the length is another now.
pub(crate) fn take(thread: &mut ConversationRecord, timer: Timer) -> bool {
    let known = Timer::of(thread);
    if !timer.beats(known) {
        return false;
    }
    (thread.timer_s, thread.timer_version) = (timer.seconds, timer.version);
    timer.seconds != known.seconds
}

/// A conversation's timer.
pub(crate) async fn timer(tx: &mut Tx<'_>, conversation: ConversationId) -> Result<Timer, Error> {
    Ok(Timer::of(&conversation_record(tx, conversation).await?))
}

/// The time of a message of ours runs from now on. Gives when it ends, if that is news.
pub(crate) async fn start(
    tx: &mut Tx<'_>,
    id: MessageId,
    started: u64,
) -> Result<Option<u64>, Error> {
    let Some((place, mut record)) = row::get(tx, id).await? else {
        return Ok(None);
    };
    let ends = run(&mut record, started);
    if ends.is_some() {
        row::put(tx, &place, id, &record);
    }
    Ok(ends)
}

/// The time of what the other person wrote runs from now on, up to the read mark: back to where the mark was before, or
/// where it has not moved, for the newest, since another device may have read them earlier. Gives what ends when.
pub(crate) async fn start_read(
    tx: &mut Tx<'_>,
    conversation: ConversationId,
    before: (u64, Vec<u8>),
    started: u64,
) -> Result<Vec<(MessageId, u64)>, Error> {
    let thread = conversation_record(tx, conversation).await?;
    if thread.timer_version == 0 {
        return Ok(Vec::new()); // nobody has ever set one
    }
    let mark = (thread.read_order, thread.read_id);
    let has_moved = mark > before;
    let from = if has_moved {
        key::after_message(conversation, before.0, &before.1)
    } else {
        conversation.as_bytes().to_vec()
    };
    let to = key::after_message(conversation, mark.0, &mark.1);
    let limit = if has_moved {
        usize::MAX
    } else {
        READ_STARTED_MAX
    };
    let scan = range(conversation, from, Some(to), Direction::Backward, limit);
    let mut ends = Vec::new();
    for (at, bytes) in tx.scan(scan).await? {
        let mut record = MessageRecord::read(&bytes)?;
        if record.status != STATUS_RECEIVED {
            continue;
        }
        if let Some((conversation, order, id)) = key::split_message(&at)
            && let Some(end) = run(&mut record, started)
        {
            let place = Place {
                conversation,
                order,
            };
            row::put(tx, &place, id, &record);
            ends.push((id, end));
        }
    }
    Ok(ends)
}

/// The shorter of two times, which keeps less; 0: for ever.
pub(super) fn shorter(one: u32, other: u32) -> u32 {
    std::cmp::min_by_key(one, other, |seconds| seconds.wrapping_sub(1))
}

/// The earlier of two ends; 0: none yet.
pub(crate) fn earlier(one: u64, other: u64) -> u64 {
    std::cmp::min_by_key(one, other, |end| end.wrapping_sub(1))
}

/// Lets a message's time run. The earliest start counts, whoever has seen it.
pub(super) fn run(record: &mut MessageRecord, started: u64) -> Option<u64> {
    let ends = ends_at(record.timer_s, started);
    let is_news =
        ends != 0 && record.kind != KIND_TIMER && (record.ends_at == 0 || ends < record.ends_at);
    is_news.then(|| {
        record.ends_at = ends;
        ends
    })
}

/// Whether a message that is here is to be gone by now, and by whom and when it was written.
pub(crate) async fn ended(
    tx: &mut Tx<'_>,
    id: MessageId,
) -> Result<Option<(ConversationId, MessageRecord)>, Error> {
    let found = row::get(tx, id).await?;
    let has_ended = |record: &MessageRecord| record.ends_at != 0 && record.ends_at <= tx.now.0;
    Ok(found
        .filter(|(_, record)| has_ended(record))
        .map(|(place, record)| (place.conversation, record)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timer(seconds: u32, version: u32) -> Timer {
        Timer { seconds, version }
    }

    #[test]
    fn the_later_timer_counts_and_of_two_at_once_the_shorter_whichever_comes_first() {
        let set = [
            timer(0, 1),
            timer(60, 2),
            timer(30, 2),
            timer(0, 2),
            timer(90, 3),
            timer(0, 3),
        ];
        for first in set {
            for second in set {
                let end = |order: [Timer; 2]| {
                    let mut thread = ConversationRecord::default();
                    for timer in order {
                        take(&mut thread, timer);
                    }
                    Timer::of(&thread)
                };
                assert_eq!(end([first, second]), end([second, first]));
            }
        }
        let mut thread = ConversationRecord::default();
        assert!(!take(&mut thread, timer(0, 1)));
        assert!(take(&mut thread, timer(60, 2)));
        assert!(!take(&mut thread, timer(0, 1)));
        assert!(take(&mut thread, timer(30, 2)));
        assert!(!take(&mut thread, timer(0, 2)));
        assert_eq!(thread.timer_s, 30);
        assert!(take(&mut thread, timer(0, 3)));
    }

    #[test]
    fn the_time_runs_from_the_earliest_start_and_never_for_what_stays() {
        let mut record = MessageRecord {
            timer_s: 10,
            ..MessageRecord::default()
        };
        assert_eq!(run(&mut record, 5_000), Some(15_000));
        assert_eq!(run(&mut record, 6_000), None);
        assert_eq!(run(&mut record, 4_000), Some(14_000));
        assert_eq!(run(&mut MessageRecord::default(), 4_000), None);
    }
}
