//! Content from Signal's own clients, which say nothing of who wrote it for whom.
//!
//! Rule PS-8: only a plain service has such senders; elsewhere a missing binding is refused. The sender is then who the session
//! is with and the identity key behind it, as on Signal. Rule PS-9: a message is known by its author and their time, so the id of a
//! message, of its transcript and of a read mark for it is made from these two.

use wire::proto::service::sync_message::Read;
use wire::proto::service::{Content, DataMessage};
use wire::{AccountId, DeviceAddress, MessageId};

use super::{Opened, sender_of};
use crate::account::Account;
use crate::service;
use crate::session::PeerFault;

/// Checks what came without a binding.
pub(super) fn open(
    content: Content,
    from: DeviceAddress,
    account: &Account,
) -> Result<Opened, PeerFault> {
    if !account.is_plain() {
        return Err(PeerFault::Unreadable);
    }
    let edit = content.edit_message.as_ref();
    let edit = edit.and_then(|edit| edit.data_message.as_ref());
    let message = content.data_message.as_ref().or(edit);
    let sync = content.sync_message.as_ref();
    let sent_at = match (message, sync) {
        (Some(message), _) => Some(message.timestamp.ok_or(PeerFault::Unreadable)?),
        (None, Some(sync)) => match &sync.sent {
            Some(sent) => Some(sent.timestamp.ok_or(PeerFault::Unreadable)?),
            None => None,
        },
        (None, None) => None,
    };
    // What is no message has no use for an id.
    let message_id = service::message_id(from.account, sent_at.unwrap_or(0));
    Ok(Opened {
        role: wire::certificate::Role::Owner,
        from: sender_of(from, account),
        message_id,
        content,
    })
}

/// A message to this person and no group.
pub(crate) fn is_direct(message: &DataMessage) -> bool {
    message.group_v2.is_none()
}

/// The message that a read mark is of: by its id, or as Signal names it.
pub(crate) fn message_read(read: &Read) -> Option<MessageId> {
    if let Some(id) = &read.message_id {
        return MessageId::from_slice(id).ok();
    }
    Some(service::message_id(author_read(read)?, read.timestamp?))
}

/// Who wrote the message that a read mark is of.
pub(crate) fn author_read(read: &Read) -> Option<AccountId> {
    service_id(
        read.sender_aci_binary.as_deref(),
        read.sender_aci.as_deref(),
    )
}

/// How Signal's messages name an account: text and bytes, since both are in use.
pub(crate) fn both_forms(account: AccountId) -> (Option<String>, Option<Vec<u8>>) {
    let bytes = account.as_bytes().to_vec();
    (Some(account.to_string()), Some(bytes))
}

/// The account that is named, in one form or both.
pub(crate) fn service_id(binary: Option<&[u8]>, text: Option<&str>) -> Option<AccountId> {
    match binary {
        Some(bytes) => AccountId::from_slice(bytes).ok(),
        None => text?.parse().ok(),
    }
}

#[cfg(test)]
mod tests;
