//! What own devices compare, in groups: the messages of a conversation in some days, a space of registers, all
//! conversations. Of each group the store keeps a digest, or that it has changed since.
//!
//! A change only marks its group, without reading anything (`mark`); digests are made when they are wanted (`refresh`).
//! It does not know what is done with them.

use sha2::{Digest as _, Sha256};
use wire::AccountId;

use super::items::{Item, items};
use crate::error::Error;
use crate::flat::Map;
use crate::input::ConversationId;
use crate::limits::{REPAIR_GROUP_BITS, REPAIR_GROUPS_AT_ONCE, TABLE_PAGE};
use crate::record::{DigestRecord, Record, key};
use crate::store::{Changes, Scan, Table};
use crate::tx::Tx;

/// Half of SHA-256: nobody gains by two alike, and lists are half as long.
pub(super) type Digest = [u8; 16];

/// Things that are compared together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Group {
    /// Of a conversation, those whose order begins so.
    Messages(ConversationId, u64),
    /// Of a space, by its name.
    Registers(Vec<u8>),
    /// All of them.
    Conversations,
}

const MESSAGES: u8 = b'm';
const REGISTERS: u8 = b'r';
const CONVERSATIONS: u8 = b'c';

impl Group {
    /// Where its digest is stored, and how it is called between devices.
    pub(super) fn key(&self) -> Vec<u8> {
        match self {
            Self::Messages(conversation, bucket) => [
                &[MESSAGES],
                conversation.as_bytes().as_slice(),
                &bucket.to_be_bytes(),
            ]
            .concat(),
            Self::Registers(space) => [&[REGISTERS], space.as_slice()].concat(),
            Self::Conversations => vec![CONVERSATIONS],
        }
    }

    pub(super) fn from_key(key: &[u8]) -> Option<Self> {
        match key.split_first()? {
            (&MESSAGES, rest) => {
                let (conversation, bucket) = rest.split_first_chunk::<16>()?;
                let bucket = u64::from_be_bytes(bucket.try_into().ok()?);
                let fits = bucket <= u64::MAX >> REPAIR_GROUP_BITS;
                fits.then_some(Self::Messages(AccountId::from_bytes(*conversation), bucket))
            }
            (&REGISTERS, space) => Some(Self::Registers(space.to_vec())),
            (&CONVERSATIONS, []) => Some(Self::Conversations),
            _ => None,
        }
    }

    /// The group of a row.
    fn of_row(table: Table, at: &[u8]) -> Option<Self> {
        if table == Table::Messages {
            let (conversation, order, _) = key::split_message(at)?;
            return Some(Self::Messages(conversation, order >> REPAIR_GROUP_BITS));
        }
        if table == Table::Registers {
            let space = at.split(|byte| *byte == 0).next()?;
            return Some(Self::Registers(space.to_vec()));
        }
        (table == Table::Conversations).then_some(Self::Conversations)
    }

    /// The first row of its table that is behind it.
    fn end(&self) -> Option<(Table, Vec<u8>)> {
        Some(match self {
            Self::Messages(conversation, bucket) => {
                let next = (bucket + 1).checked_mul(1 << REPAIR_GROUP_BITS);
                let end = match next {
                    Some(order) => key::messages_at(*conversation, order),
                    None => [conversation.as_bytes().as_slice(), &[0xFF; 25]].concat(),
                };
                (Table::Messages, end)
            }
            Self::Registers(space) => (Table::Registers, [space.as_slice(), &[1]].concat()),
            Self::Conversations => return None,
        })
    }

    /// How it stands to messages that are not compared: all of it is, some of it, or nothing.
    fn above(&self, floor: u64) -> Above {
        let Self::Messages(_, bucket) = self else {
            return Above::All;
        };
        match bucket.cmp(&(floor >> REPAIR_GROUP_BITS)) {
            _ if floor == 0 => Above::All,
            std::cmp::Ordering::Less => Above::Nothing,
            std::cmp::Ordering::Equal => Above::Some,
            std::cmp::Ordering::Greater => Above::All,
        }
    }
}

enum Above {
    All,
    Some,
    Nothing,
}

/// Marks the groups of what is written. Every commit comes by here, so none is forgotten.
pub(crate) fn mark(changes: &mut Changes) {
    let mut marks: Vec<Vec<u8>> = Vec::new();
    for table in [Table::Messages, Table::Registers, Table::Conversations] {
        for at in changes.keys_of(table) {
            let mark = Group::of_row(table, at).map(|group| group.key());
            if let Some(mark) = mark.filter(|mark| marks.last() != Some(mark)) {
                marks.push(mark);
            }
        }
    }
    let changed = DigestRecord::default().write();
    for mark in marks {
        changes
            .writes
            .insert((Table::Digests, mark), Some(changed.clone()));
    }
}

/// Gives what is from before there were marks its marks, as much as one step does, from where the last one ended. Gives where
/// this one has ended; `None`: at the end.
pub(super) async fn mark_old(tx: &mut Tx<'_>, from: &[u8]) -> Result<Option<Vec<u8>>, Error> {
    let (mut table, mut from) = match from.split_first() {
        Some((&REGISTERS, from)) => (Table::Registers, from.to_vec()),
        Some((_, from)) => (Table::Messages, from.to_vec()),
        None => (Table::Messages, Vec::new()),
    };
    let changed = DigestRecord::default();
    for _ in 0..REPAIR_GROUPS_AT_ONCE {
        let first = Scan {
            from: from.clone(),
            ..Scan::all(table, 1)
        };
        let row = tx.scan(first).await?.pop();
        let group = row.and_then(|(at, _)| Group::of_row(table, &at));
        let Some((group, (_, end))) = group.and_then(|group| Some((group.clone(), group.end()?)))
        else {
            if table == Table::Registers {
                tx.put(&Group::Conversations.key(), &changed);
                return Ok(None);
            }
            (table, from) = (Table::Registers, Vec::new());
            continue;
        };
        if tx.get::<DigestRecord>(&group.key()).await?.is_none() {
            tx.put(&group.key(), &changed);
        }
        from = end;
    }
    let tag = if table == Table::Registers {
        REGISTERS
    } else {
        MESSAGES
    };
    Ok(Some([&[tag], from.as_slice()].concat()))
}

/// Makes the digests of groups that have changed, as many as one step does. Says whether all are known now.
pub(super) async fn refresh(tx: &mut Tx<'_>) -> Result<bool, Error> {
    let mut changed = Vec::new();
    tx.each_row(Table::Digests, |tx, at, bytes| {
        if changed.len() < REPAIR_GROUPS_AT_ONCE && is_old(&DigestRecord::read(bytes)?, tx.now.0) {
            changed.push(at);
        }
        Ok(())
    })
    .await?;
    let all = changed.len() < REPAIR_GROUPS_AT_ONCE;
    for at in changed {
        let Some(group) = Group::from_key(&at) else {
            tx.delete(Table::Digests, &at);
            continue;
        };
        let (items, until) = items(tx, &group, 0).await?;
        if items.is_empty() {
            tx.delete(Table::Digests, &at);
        } else {
            let digest = digest(&items).to_vec();
            tx.put(&at, &DigestRecord { digest, until });
        }
    }
    Ok(all)
}

const fn is_old(record: &DigestRecord, now: u64) -> bool {
    record.digest.is_empty() || (record.until != 0 && record.until <= now)
}

/// The digests of all groups, of what is compared above a floor, between these keys.
pub(super) async fn list(
    tx: &mut Tx<'_>,
    floor: u64,
    from: &[u8],
    to: &[u8],
) -> Result<Map<Vec<u8>, Digest>, Error> {
    let mut list = Map::new();
    let mut page = Scan {
        from: from.to_vec(),
        to: Some(to.to_vec()).filter(|to| !to.is_empty()),
        ..Scan::all(Table::Digests, TABLE_PAGE)
    };
    loop {
        let rows = tx.scan(page.clone()).await?;
        let more = rows.last().filter(|_| rows.len() >= TABLE_PAGE);
        let more = more.map(|(last, _)| [last.as_slice(), &[0]].concat()); // the first key after it
        for (at, bytes) in rows {
            let Some(group) = Group::from_key(&at) else {
                continue;
            };
            let digest = match group.above(floor) {
                Above::All => Digest::try_from(DigestRecord::read(&bytes)?.digest).ok(),
                Above::Some => {
                    let (items, _) = items(tx, &group, floor).await?;
                    (!items.is_empty()).then(|| digest(&items))
                }
                Above::Nothing => None,
            };
            if let Some(digest) = digest {
                list.insert(at, digest);
            }
        }
        match more {
            Some(from) => page.from = from,
            None => return Ok(list),
        }
    }
}

/// One digest of all.
pub(super) fn root(list: &Map<Vec<u8>, Digest>) -> Digest {
    let mut hash = Sha256::new();
    for (key, digest) in list.iter() {
        hash.update((key.len() as u64).to_be_bytes());
        hash.update(key);
        hash.update(digest);
    }
    half(hash)
}

fn digest(items: &[Item]) -> Digest {
    let mut hash = Sha256::new();
    for item in items {
        hash.update(item.id);
        hash.update(item.print);
    }
    half(hash)
}

/// The first half.
pub(super) fn half(hash: Sha256) -> Digest {
    let whole: [u8; 32] = hash.finalize().into();
    let mut half = Digest::default();
    half.iter_mut().zip(whole).for_each(|(to, from)| *to = from);
    half
}
