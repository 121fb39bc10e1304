//! What is cut out of the store, piece by piece: first the newest of every conversation, newest conversations first, then
//! the rest of all of them, newest first.
//!
//! A place is kept for each conversation, so that nothing is left out and nothing comes twice, whatever is deleted or
//! written meanwhile. Before the first piece all is counted, some of it in a step, so that a person can be told how much there is.
//! It does not know where pieces go.

use prost::Message as _;
use wire::AccountId;
use wire::proto::history::Piece;

use crate::archive;
use crate::error::Error;
use crate::limits::{
    DAY_MS, HISTORY_COUNTED_PAGES, HISTORY_NEWEST, HISTORY_PAGE, LIST_MAX, PIECE_BYTES, TABLE_PAGE,
};
use crate::record::{
    ConversationRecord, CutConversation, CutRecord, MessageRecord, Record as _, key,
};
use crate::store::{Direction, Scan, Table};
use crate::thread::conversation_record;
use crate::thread::union::Placed;
use crate::tx::Tx;

/// Where cutting begins: of so many days (0: all), of these conversations (none: all). What this device has is whole from its
/// own floor on.
pub(crate) async fn begin(
    tx: &mut Tx<'_>,
    transfer: [u8; 16],
    (days, only): (u32, &[AccountId]),
    floor: u64,
) -> Result<CutRecord, Error> {
    let since = match days {
        0 => 0,
        days => tx.now.0.saturating_sub(u64::from(days) * DAY_MS),
    };
    let mut found = tx.by_account::<ConversationRecord>(LIST_MAX).await?;
    found.retain(|(id, _)| only.is_empty() || only.contains(id));
    found.sort_by_key(|(_, record)| std::cmp::Reverse(record.last_order));
    let conversation = |(id, _): (AccountId, ConversationRecord)| CutConversation {
        account: id.as_bytes().to_vec(),
        ..CutConversation::default()
    };
    Ok(CutRecord {
        transfer: transfer.to_vec(),
        since,
        conversations: found.into_iter().map(conversation).collect(),
        whole_from: only.is_empty().then_some(since.max(floor)),
        is_counting: true,
        ..CutRecord::default()
    })
}

/// Counts some more of what will be cut.
pub(crate) async fn count(tx: &mut Tx<'_>, cut: &mut CutRecord) -> Result<(), Error> {
    for _ in 0..HISTORY_COUNTED_PAGES {
        let at = usize::try_from(cut.counting_at).unwrap_or(usize::MAX);
        let Some(conversation) = cut.conversations.get(at) else {
            cut.is_counting = false;
            return Ok(());
        };
        let rows = match AccountId::from_slice(&conversation.account) {
            Ok(id) => {
                let before = std::mem::take(&mut cut.counting_before);
                let before = (!before.is_empty()).then_some(before);
                tx.scan(page(id, cut.since, before, TABLE_PAGE)).await?
            }
            Err(_) => Vec::new(),
        };
        for (_, bytes) in &rows {
            cut.total += u64::from(archive::is_mirrored(&MessageRecord::read(bytes)?));
        }
        match rows.last() {
            Some((at, _)) if rows.len() >= TABLE_PAGE => cut.counting_before.clone_from(at),
            Some(_) | None => cut.counting_at += 1,
        }
    }
    Ok(())
}

/// The next piece; the record then stands behind it. Its last one says so.
pub(crate) async fn next(
    tx: &mut Tx<'_>,
    own: AccountId,
    cut: &mut CutRecord,
) -> Result<Vec<u8>, Error> {
    let mut piece = Piece {
        version: super::piece::VERSION,
        account: own.as_bytes().to_vec(),
        transfer: cut.transfer.clone(),
        index: cut.index,
        ..Piece::default()
    };
    let (since, mut size) = (cut.since, 0);
    while size < PIECE_BYTES {
        let Some((conversation, limit)) = turn(cut) else {
            cut.is_over = true;
            break;
        };
        let room = PIECE_BYTES - size;
        size += from_conversation(tx, conversation, (since, limit, room), &mut piece).await?;
    }
    cut.index += 1;
    cut.done += piece.messages.len() as u64;
    // Meanwhile some may have come, or gone.
    cut.total = if cut.is_over {
        cut.done
    } else {
        cut.total.max(cut.done)
    };
    piece.last = cut.is_over;
    (piece.done, piece.total) = (cut.done, cut.total);
    Ok(piece.encode_to_vec())
}

/// Which conversation is next, and how many of its messages at most.
fn turn(cut: &mut CutRecord) -> Option<(&mut CutConversation, usize)> {
    let has_had_its_first = |next: &CutConversation| next.is_over || next.cut >= HISTORY_NEWEST;
    let mut at = usize::try_from(cut.at).unwrap_or(usize::MAX);
    while cut.conversations.get(at).is_some_and(has_had_its_first) {
        (at, cut.at) = (at + 1, cut.at + 1);
    }
    cut.is_second_round |= at >= cut.conversations.len();
    if !cut.is_second_round {
        let next = cut.conversations.get_mut(at)?;
        let left = HISTORY_NEWEST.saturating_sub(next.cut);
        return Some((next, usize::try_from(left).unwrap_or(HISTORY_PAGE)));
    }
    // The one that has been cut least far back, so that all of them come to an age together.
    let left = cut.conversations.iter_mut().filter(|next| !next.is_over);
    let order =
        |next: &CutConversation| key::split_message(&next.before).map(|(_, order, _)| order);
    let next = left.max_by_key(|next| order(next))?;
    Some((next, HISTORY_PAGE))
}

/// A page of a conversation goes into the piece. Gives how much larger that has become.
async fn from_conversation(
    tx: &mut Tx<'_>,
    from: &mut CutConversation,
    (since, limit, room): (u64, usize, usize),
    piece: &mut Piece,
) -> Result<usize, Error> {
    let Ok(id) = AccountId::from_slice(&from.account) else {
        from.is_over = true;
        return Ok(0);
    };
    let mut size = 0;
    if !from.has_head {
        from.has_head = true;
        let head = archive::head(id, conversation_record(tx, id).await?);
        size += head.encoded_len();
        piece.conversations.push(head);
    }
    let before = (!from.before.is_empty()).then(|| from.before.clone());
    let rows = tx.scan(page(id, since, before, limit)).await?;
    from.is_over = rows.len() < limit;
    for (at, bytes) in rows {
        if size >= room {
            from.is_over = false;
            break;
        }
        from.before = at.clone();
        from.cut = from.cut.saturating_add(1);
        let Some((conversation, order, message)) = key::split_message(&at) else {
            continue;
        };
        let placed = Placed {
            id: message,
            conversation,
            order,
            record: MessageRecord::read(&bytes)?,
        };
        if let Some(message) = archive::message(placed) {
            size += message.encoded_len() + 4;
            piece.messages.push(message);
        }
    }
    Ok(size)
}

/// Messages before this one and not older than that, newest first.
fn page(id: AccountId, since: u64, before: Option<Vec<u8>>, limit: usize) -> Scan {
    let all = Scan::prefix(Table::Messages, id.as_bytes(), limit);
    Scan {
        from: [id.as_bytes().as_slice(), &since.to_be_bytes()].concat(),
        to: before.or(all.to),
        direction: Direction::Backward,
        ..all
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use wire::MessageId;
    use wire::proto::archive::ArchivedMessage;

    use super::*;
    use crate::input::Timestamp;
    use crate::store::memory::MemoryStore;
    use crate::store::{Changes, Store as _};
    use crate::thread::view::{KIND_TEXT, STATUS_QUEUED, STATUS_RECEIVED};

    fn done<T>(step: impl Future<Output = T>) -> T {
        step.now_or_never().expect("memory never waits")
    }

    /// So many messages of a conversation, and one that only this device knows.
    fn conversation(account: u8, messages: u64) -> Changes {
        let id = AccountId::from_bytes([account; 16]);
        let thread = ConversationRecord::default().write();
        let mut changes = Changes::default();
        let at = (Table::Conversations, id.as_bytes().to_vec());
        changes.writes.insert(at, Some(thread));
        for n in 0..=messages {
            let record = MessageRecord {
                kind: KIND_TEXT,
                status: if n == 0 {
                    STATUS_QUEUED
                } else {
                    STATUS_RECEIVED
                },
                ..MessageRecord::default()
            };
            let message = MessageId::from_bytes([account; 16]);
            let at = (Table::Messages, key::message(id, n, message));
            changes.writes.insert(at, Some(record.write()));
        }
        changes
    }

    /// The accounts and orders of the messages of all pieces, as they were cut.
    fn all_cut(store: &MemoryStore) -> Vec<(u8, u64)> {
        let mut tx = Tx::new(store, Timestamp(9_000));
        let mut cut = done(begin(&mut tx, [0; 16], (0, &[]), 0)).expect("it begins");
        let mut all = Vec::new();
        while !cut.is_over {
            cut = CutRecord::read(&cut.write()).expect("it was just written");
            let own = AccountId::from_bytes([9; 16]);
            let piece = done(next(&mut tx, own, &mut cut)).expect("it goes on");
            let piece = Piece::decode(piece.as_slice()).expect("it was just written");
            let place = |message: &ArchivedMessage| (message.conversation[0], message.order);
            all.extend(piece.messages.iter().map(place));
        }
        all
    }

    #[test]
    fn after_the_newest_of_each_conversation_all_the_others_come_newest_first() {
        let mut store = MemoryStore::new();
        let lengths = [(1, 9_000), (2, 4_000), (3, 20), (4, 60)];
        for (account, messages) in lengths {
            done(store.commit(&conversation(account, messages))).expect("memory never fails");
        }
        let all = all_cut(&store);
        let of = |account| all.iter().filter(move |(of, _)| *of == account);
        for (account, messages) in lengths {
            let orders: Vec<u64> = of(account).map(|(_, order)| *order).collect();
            assert_eq!(orders, (1..=messages).rev().collect::<Vec<_>>());
        }
        let (newest, rest) = all.split_at(50 + 50 + 20 + 50);
        for account in [1, 2, 4] {
            assert_eq!(newest.iter().filter(|(of, _)| *of == account).count(), 50);
        }
        let mut oldest = u64::MAX;
        for (_, order) in rest {
            assert!(*order < oldest.saturating_add(HISTORY_PAGE as u64));
            oldest = oldest.min(*order);
        }
    }

    #[test]
    fn all_messages_are_counted_and_not_many_in_a_step() {
        let mut store = MemoryStore::new();
        for (account, messages) in [(1, 5_000), (2, 499), (3, 0), (4, 3)] {
            done(store.commit(&conversation(account, messages))).expect("memory never fails");
        }
        let mut tx = Tx::new(&store, Timestamp(9_000));
        let mut cut = done(begin(&mut tx, [0; 16], (0, &[]), 0)).expect("it begins");
        let mut totals = vec![0];
        while cut.is_counting {
            // What is kept between two steps is all that is needed.
            cut = CutRecord::read(&cut.write()).expect("it was just written");
            done(count(&mut tx, &mut cut)).expect("it goes on");
            totals.push(cut.total);
        }
        assert_eq!(cut.total, 5_502);
        let step = totals.array_windows().map(|[before, after]| after - before);
        assert!(step.max() <= Some(2_000), "{totals:?}");
    }
}
