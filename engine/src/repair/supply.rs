//! Telling another own device what it lacks, and that something has gone for good.
//! It does not know how it was found out.

use prost::Message as _;
use wire::proto::archive::repair::{Gone, Wanted};
use wire::{AccountId, MessageId};

use super::groups::Group;
use super::items::items;
use super::parts::Parts;
use crate::archive;
use crate::error::Error;
use crate::flat::Set;
use crate::record::{ConversationRecord, IndexRecord, MessageRecord, key};
use crate::registers;
use crate::store::Table;
use crate::thread;
use crate::thread::union::Placed;
use crate::tx::Tx;

/// What another device has asked for.
pub(super) async fn supply(
    tx: &mut Tx<'_>,
    floor: u64,
    wanted: &Wanted,
    parts: &mut Parts,
) -> Result<(), Error> {
    let Some(group) = Group::from_key(&wanted.group) else {
        return Ok(());
    };
    let (ids, _) = wanted.ids.as_chunks::<16>();
    let ids: Set<&[u8; 16]> = ids.iter().collect();
    let (items, _) = items(tx, &group, floor).await?;
    for item in items.iter().filter(|item| ids.contains(&item.id)) {
        tell(tx, &group, &item.at, parts).await?;
    }
    Ok(())
}

/// Tells one thing, if there is room.
pub(super) async fn tell(
    tx: &mut Tx<'_>,
    group: &Group,
    at: &[u8],
    parts: &mut Parts,
) -> Result<(), Error> {
    if !parts.has_room() {
        return Ok(());
    }
    match group {
        Group::Messages(..) => {
            let record = tx.get::<MessageRecord>(at).await?;
            if let (Some(record), Some((conversation, order, id))) =
                (record, key::split_message(at))
                && let Some(message) = archive::message(Placed {
                    id,
                    conversation,
                    order,
                    record,
                })
            {
                parts.add_message(message);
            }
        }
        Group::Registers(_) => {
            if let Some(told) = registers::told(tx, at).await? {
                parts.add(told.encoded_len() + 4, |part| part.registers.push(told));
            }
        }
        Group::Conversations => {
            if let (Some(record), Ok(account)) = (
                tx.get::<ConversationRecord>(at).await?,
                AccountId::from_slice(at),
            ) {
                let head = archive::head(account, record);
                parts.add(head.encoded_len() + 4, |part| part.conversations.push(head));
            }
        }
    }
    Ok(())
}

/// Another own device has removed messages, or they have disappeared there.
pub(super) async fn take_gone(tx: &mut Tx<'_>, gone: &Gone) -> Result<(), Error> {
    let Ok(conversation) = AccountId::from_slice(&gone.conversation) else {
        return Ok(());
    };
    let (ids, _) = gone.ids.as_chunks::<16>();
    for id in ids {
        thread::remove(tx, conversation, MessageId::from_bytes(*id)).await?;
    }
    Ok(())
}

pub(super) fn add_gone(parts: &mut Parts, conversation: AccountId, ids: Vec<u8>) {
    let conversation = conversation.as_bytes().to_vec();
    let gone = Gone { conversation, ids };
    parts.add(gone.encoded_len() + 4, |part| part.gone.push(gone));
}

pub(super) async fn is_gone(tx: &mut Tx<'_>, id: &[u8; 16]) -> Result<bool, Error> {
    let index = tx.get_in::<IndexRecord>(Table::MessageIndex, id).await?;
    Ok(index.is_some_and(|index| index.gone))
}
