//! What is in a group, each thing with its fingerprint: a hash of all that own devices must agree on, and of nothing else.
//!
//! What each device counts by its own clock is left out: when a message disappears, drafts, and what was removed long ago.
//! It does not know who compares.

use prost::Message as _;
use sha2::{Digest as _, Sha256};

use super::groups::{Digest, Group, half};
use crate::archive;
use crate::error::Error;
use crate::input::Timestamp;
use crate::limits::{LIST_MAX, REPAIR_GROUP_BITS, REPAIR_REMOVED_MS, TABLE_PAGE};
use crate::record::{ConversationRecord, MessageRecord, Record, RegisterRecord, key};
use crate::registers::{Field, Place};
use crate::store::{Scan, Table};
use crate::thread::timer::earlier;
use crate::thread::union::Placed;
use crate::tx::Tx;

/// One thing that is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) id: [u8; 16],
    pub(super) print: Digest,
    /// Where it is stored.
    pub(super) at: Vec<u8>,
}

/// All of a group that is above a floor, in the order of their ids; and until when they are so without any change (0: always).
pub(super) async fn items(
    tx: &mut Tx<'_>,
    group: &Group,
    floor: u64,
) -> Result<(Vec<Item>, u64), Error> {
    let (mut items, until) = match group {
        Group::Messages(conversation, bucket) => {
            let first = (bucket << REPAIR_GROUP_BITS).max(floor);
            let last = (bucket << REPAIR_GROUP_BITS) | ((1 << REPAIR_GROUP_BITS) - 1);
            let from = key::messages_at(*conversation, first);
            let to = [&key::messages_at(*conversation, last)[..], &[0xFF; 17]].concat();
            let scan = range(Table::Messages, from, Some(to));
            (each(tx, scan, message).await?, 0)
        }
        Group::Registers(space) => {
            let prefix = Scan::prefix(Table::Registers, &[space.as_slice(), &[0]].concat(), 0);
            let scan = range(Table::Registers, prefix.from, prefix.to);
            let now = tx.now;
            let mut until = 0;
            let item = |at: Vec<u8>, bytes: &[u8]| {
                let (item, end) = register(at, bytes, now)?;
                until = earlier(until, end);
                Ok(item)
            };
            (each(tx, scan, item).await?, until)
        }
        Group::Conversations => {
            let scan = range(Table::Conversations, Vec::new(), None);
            (each(tx, scan, conversation).await?, 0)
        }
    };
    items.sort_unstable_by_key(|item| item.id);
    Ok((items, until))
}

fn range(table: Table, from: Vec<u8>, to: Option<Vec<u8>>) -> Scan {
    let all = Scan::all(table, TABLE_PAGE);
    Scan { from, to, ..all }
}

/// The items of all rows of a range.
async fn each(
    tx: &mut Tx<'_>,
    page: Scan,
    mut item: impl FnMut(Vec<u8>, &[u8]) -> Result<Option<Item>, Error>,
) -> Result<Vec<Item>, Error> {
    let mut items = Vec::new();
    let mut page = Some(page);
    while let Some(range) = page.filter(|_| items.len() < LIST_MAX) {
        let rows = tx.scan(range.clone()).await?;
        page = range.behind(&rows);
        for (at, bytes) in rows {
            items.extend(item(at, &bytes)?);
        }
    }
    Ok(items)
}

fn message(at: Vec<u8>, bytes: &[u8]) -> Result<Option<Item>, Error> {
    let Some((conversation, order, id)) = key::split_message(&at) else {
        return Ok(None);
    };
    let placed = Placed {
        id,
        conversation,
        order,
        record: MessageRecord::read(bytes)?,
    };
    Ok(archive::message(placed).map(|mut message| {
        message.ends_at = 0; // the start of its time is seen by each device for itself, and the earliest counts
        Item {
            id: *id.as_bytes(),
            print: print(&message.encode_to_vec()),
            at,
        }
    }))
}

fn conversation(at: Vec<u8>, bytes: &[u8]) -> Result<Option<Item>, Error> {
    let Ok(account) = wire::AccountId::from_slice(&at) else {
        return Ok(None);
    };
    let mut head = archive::head(account, ConversationRecord::read(bytes)?);
    head.updated_at = 0; // places of what could not be read count too
    let says = head.read_order != 0 || head.read_clock != 0 || head.timer_version != 0;
    Ok(says.then(|| Item {
        id: *account.as_bytes(),
        print: print(&head.encode_to_vec()),
        at,
    }))
}

/// A register, and when it is compared no longer; 0: it always is.
fn register(at: Vec<u8>, bytes: &[u8], now: Timestamp) -> Result<(Option<Item>, u64), Error> {
    let record = RegisterRecord::read(bytes)?;
    let Some(place) = Place::from_key(&at) else {
        return Ok((None, 0));
    };
    if matches!(place.field(), Some((_, Field::Draft))) {
        return Ok((None, 0));
    }
    let end = Timestamp(record.clock).plus_ms(REPAIR_REMOVED_MS);
    if record.removed && end <= now {
        return Ok((None, 0));
    }
    let said = RegisterRecord {
        stored_at: 0, // of each device
        ..record
    };
    let until = if said.removed { end.0 } else { 0 };
    let item = Item {
        id: print(&at),
        print: print(&said.encode_to_vec()),
        at,
    };
    Ok((Some(item), until))
}

/// A hash.
pub(super) fn print(bytes: &[u8]) -> Digest {
    let mut hash = Sha256::new();
    hash.update(bytes);
    half(hash)
}
