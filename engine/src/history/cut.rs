//! What is cut out of the store, piece by piece: first the newest of every conversation, newest conversations first, then
//! the rest of each, newest first.
//!
//! A place is kept for each conversation, so that nothing is left out and nothing comes twice, whatever is deleted or
//! written meanwhile. It does not know where pieces go.

use prost::Message as _;
use wire::AccountId;
use wire::proto::history::Piece;

use crate::archive;
use crate::error::Error;
use crate::limits::{DAY_MS, HISTORY_NEWEST, LIST_MAX, PIECE_BYTES, TABLE_PAGE};
use crate::record::{
    ConversationRecord, CutConversation, CutRecord, MessageRecord, Record as _, key,
};
use crate::store::{Direction, Scan, Table};
use crate::thread::conversation_record;
use crate::thread::union::Placed;
use crate::tx::Tx;

/// Where cutting begins: of so many days (0: all), of these conversations (none: all).
pub(crate) async fn begin(
    tx: &mut Tx<'_>,
    transfer: [u8; 16],
    days: u32,
    only: &[AccountId],
) -> Result<CutRecord, Error> {
    let since = match days {
        0 => 0,
        days => tx.now.0.saturating_sub(u64::from(days) * DAY_MS),
    };
    let mut found = tx.by_account::<ConversationRecord>(LIST_MAX).await?;
    found.retain(|(id, _)| only.is_empty() || only.contains(id));
    found.sort_by_key(|(_, record)| std::cmp::Reverse(record.last_order));
    let mut cut = CutRecord {
        transfer: transfer.to_vec(),
        since,
        ..CutRecord::default()
    };
    for (id, _) in found {
        cut.total += count(tx, id, since).await?;
        cut.conversations.push(CutConversation {
            account: id.as_bytes().to_vec(),
            ..CutConversation::default()
        });
    }
    Ok(cut)
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
    let mut size = 0;
    while size < PIECE_BYTES {
        let at = usize::try_from(cut.at).unwrap_or(usize::MAX);
        let Some(conversation) = cut.conversations.get_mut(at) else {
            if cut.is_second_round {
                cut.is_over = true;
                break;
            }
            (cut.is_second_round, cut.at) = (true, 0);
            continue;
        };
        let quota = if cut.is_second_round {
            u32::MAX
        } else {
            HISTORY_NEWEST
        };
        if conversation.is_over || conversation.cut >= quota {
            cut.at += 1;
            continue;
        }
        let room = PIECE_BYTES - size;
        size += from_conversation(tx, conversation, (cut.since, quota, room), &mut piece).await?;
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

/// A page of a conversation goes into the piece. Gives how much larger that has become.
async fn from_conversation(
    tx: &mut Tx<'_>,
    from: &mut CutConversation,
    (since, quota, room): (u64, u32, usize),
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
    let limit = usize::try_from(quota - from.cut).map_or(TABLE_PAGE, |left| left.min(TABLE_PAGE));
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

/// Messages of a conversation that will be cut.
async fn count(tx: &mut Tx<'_>, id: AccountId, since: u64) -> Result<u64, Error> {
    let (mut count, mut before) = (0, None);
    loop {
        let rows = tx.scan(page(id, since, before, TABLE_PAGE)).await?;
        for (_, bytes) in &rows {
            count += u64::from(archive::is_mirrored(&MessageRecord::read(bytes)?));
        }
        match rows.last() {
            Some((at, _)) if rows.len() >= TABLE_PAGE => before = Some(at.clone()),
            Some(_) | None => return Ok(count),
        }
    }
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
