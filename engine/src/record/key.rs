//! Keys of records: what stands where, and in which order it is read.
//! Big-endian numbers, so that the order of the bytes is that of the numbers.

use super::{AccountId, DeviceId, MessageId};
use crate::input::Timestamp;
use wire::DeviceAddress;

pub(crate) const ACCOUNT: &[u8] = b"account";
pub(crate) const PENDING: &[u8] = b"pending";
pub(crate) const CLOCK: &[u8] = b"clock";
pub(crate) const ATTEMPT: &[u8] = b"attempt";
pub(crate) const REPAIR: &[u8] = b"repair";

/// In Transfers, before the names of uploads.
pub(crate) const UPLOADS: &[u8] = b"upload/";

/// In Transfers: what was chosen for a device that is approved; history on its way to a device, and from one.
pub(crate) const HISTORY_CHOSEN: &[u8] = b"history/chosen/";
pub(crate) const HISTORY_OUT: &[u8] = b"history/out/";
pub(crate) const HISTORY_IN: &[u8] = b"history/in/";
pub(crate) const HISTORY_TAKEN: &[u8] = b"history/taken/";

/// History to a device.
pub(crate) fn history_out(device: DeviceId) -> Vec<u8> {
    [HISTORY_OUT, &[device.get()]].concat()
}

/// The device of such a key.
pub(crate) fn split_history_out(bytes: &[u8]) -> Option<DeviceId> {
    let [number] = bytes.strip_prefix(HISTORY_OUT)? else {
        return None;
    };
    device((*number).into())
}

/// A piece of history: which transfer, which piece. In this order they are taken.
pub(crate) fn history_in(transfer: &[u8], index: u32) -> Vec<u8> {
    [HISTORY_IN, transfer, &index.to_be_bytes()].concat()
}

/// What has been merged of a transfer.
pub(crate) fn history_taken(transfer: &[u8]) -> Vec<u8> {
    [HISTORY_TAKEN, transfer].concat()
}

/// In Untold, behind all registers: no space begins with this byte.
pub(crate) const UNTOLD_CONTACTS: &[u8] = &[0xFF];

/// How much a namespace of the application holds, in Meta.
pub(crate) fn usage(namespace: &str) -> Vec<u8> {
    [b"usage/", namespace.as_bytes()].concat()
}

/// The account of a handle, in Meta.
pub(crate) fn handle(handle: &wire::Handle) -> Vec<u8> {
    [b"handle/", handle.as_str().as_bytes()].concat()
}

/// Sessions: account, device.
pub(crate) fn session(address: DeviceAddress) -> Vec<u8> {
    [
        address.account.as_bytes().as_slice(),
        &[address.device.get()],
    ]
    .concat()
}

/// The device of a key of sessions.
pub(crate) fn split_session(bytes: &[u8]) -> Option<DeviceAddress> {
    let (account, number) = bytes.split_first_chunk::<16>()?;
    let [number] = number else { return None };
    Some(DeviceAddress {
        account: AccountId::from_bytes(*account),
        device: device(u32::from(*number))?,
    })
}

/// Messages: conversation, order, id. In this order a conversation is read.
pub(crate) fn message(conversation: AccountId, order: u64, id: MessageId) -> Vec<u8> {
    [
        conversation.as_bytes().as_slice(),
        &order.to_be_bytes(),
        id.as_bytes(),
    ]
    .concat()
}

/// How keys of messages of this order begin.
pub(crate) fn messages_at(conversation: AccountId, order: u64) -> Vec<u8> {
    [conversation.as_bytes().as_slice(), &order.to_be_bytes()].concat()
}

/// The first key after that of a message; without an id, the first of its order or later.
pub(crate) fn after_message(conversation: AccountId, order: u64, id: &[u8]) -> Vec<u8> {
    let order = order.to_be_bytes();
    [conversation.as_bytes().as_slice(), &order, id, &[0]].concat()
}

/// Seen envelopes: how often the mailbox had been empty before, number of the page.
pub(crate) fn seen(generation: u32, page: u32) -> Vec<u8> {
    [generation.to_be_bytes(), page.to_be_bytes()].concat()
}

/// Generation and page of a key of seen envelopes.
pub(crate) fn split_seen(bytes: &[u8]) -> Option<(u32, u32)> {
    let (generation, page) = bytes.split_first_chunk::<4>()?;
    let page = page.try_into().ok()?;
    Some((u32::from_be_bytes(*generation), u32::from_be_bytes(page)))
}

/// Where message ids of this time begin.
pub(crate) const fn index_at(time: u64) -> [u8; 6] {
    let [_, _, time @ ..] = time.to_be_bytes();
    time
}

/// Outbox: sequence number.
pub(crate) fn outbox(seq: u64) -> Vec<u8> {
    seq.to_be_bytes().to_vec()
}

/// Sent things: their time, which no two share.
pub(crate) fn sent(timestamp: u64) -> Vec<u8> {
    timestamp.to_be_bytes().to_vec()
}

/// What is waited for: sending device, time.
pub(crate) fn waiting(from: DeviceAddress, timestamp: u64) -> Vec<u8> {
    [session(from).as_slice(), &timestamp.to_be_bytes()].concat()
}

/// Held envelopes: account, the relay's time, its name for the envelope. In this order they came.
/// Whose a row of [`Table::Held`] is.
pub(crate) fn split_held(at: &[u8]) -> Option<AccountId> {
    AccountId::from_slice(at.get(..16)?).ok()
}

pub(crate) fn held(account: AccountId, timestamp: u64, guid: [u8; 16]) -> Vec<u8> {
    [
        account.as_bytes().as_slice(),
        &timestamp.to_be_bytes(),
        &guid,
    ]
    .concat()
}

/// What was done to a message before it came: the message, the act.
pub(crate) fn early(target: MessageId, act: MessageId) -> Vec<u8> {
    [target.as_bytes().as_slice(), act.as_bytes()].concat()
}

/// The message and the act of such a key.
pub(crate) fn split_early(bytes: &[u8]) -> Option<(MessageId, MessageId)> {
    let (target, act) = bytes.split_first_chunk::<16>()?;
    Some((
        MessageId::from_bytes(*target),
        MessageId::from_slice(act).ok()?,
    ))
}

/// What is due: its time, what it is, about which conversation. In this order it is done.
pub(crate) fn due(at: Timestamp, task: u8, conversation: AccountId) -> Vec<u8> {
    [
        at.0.to_be_bytes().as_slice(),
        &[task],
        conversation.as_bytes(),
    ]
    .concat()
}

/// In Due, before the times of what goes; all else there begins with 0, since times do.
pub(crate) const ENDING: u8 = 1;

/// A message that goes: its time, the message.
pub(crate) fn ending(at: Timestamp, id: MessageId) -> Vec<u8> {
    [&[ENDING], at.0.to_be_bytes().as_slice(), id.as_bytes()].concat()
}

/// The first key after those of messages that go at that time.
pub(crate) fn endings_until(at: Timestamp) -> Vec<u8> {
    let after = at.0.saturating_add(1).to_be_bytes();
    [&[ENDING], after.as_slice()].concat()
}

/// Time and message of such a key.
pub(crate) fn split_ending(bytes: &[u8]) -> Option<(Timestamp, MessageId)> {
    let (at, id) = bytes.strip_prefix(&[ENDING])?.split_first_chunk::<8>()?;
    let id = MessageId::from_slice(id).ok()?;
    Some((Timestamp(u64::from_be_bytes(*at)), id))
}

/// Time, what and conversation of such a key.
pub(crate) fn split_due(bytes: &[u8]) -> Option<(Timestamp, u8, AccountId)> {
    let (at, rest) = bytes.split_first_chunk::<8>()?;
    let (task, conversation) = rest.split_first()?;
    let conversation = AccountId::from_slice(conversation).ok()?;
    Some((Timestamp(u64::from_be_bytes(*at)), *task, conversation))
}

/// Conversation, order and id of a message's key.
pub(crate) fn split_message(bytes: &[u8]) -> Option<(AccountId, u64, MessageId)> {
    let (conversation, rest) = bytes.split_first_chunk::<16>()?;
    let (order, id) = rest.split_first_chunk::<8>()?;
    let id = MessageId::from_slice(id).ok()?;
    Some((
        AccountId::from_bytes(*conversation),
        u64::from_be_bytes(*order),
        id,
    ))
}

/// In Search, before blocks that are made, and before those that are to be.
pub(crate) const BLOCK_MADE: u8 = 1;
pub(crate) const BLOCK_UNMADE: u8 = 2;

/// A block of messages: whether it is made, which days, which conversation.
pub(crate) fn block(prefix: u8, bucket: u64, conversation: AccountId) -> Vec<u8> {
    [
        blocks_from(prefix, bucket).as_slice(),
        conversation.as_bytes(),
    ]
    .concat()
}

/// Where blocks of these days begin.
pub(crate) fn blocks_from(prefix: u8, bucket: u64) -> Vec<u8> {
    [&[prefix], bucket.to_be_bytes().as_slice()].concat()
}

/// Days and conversation of such a key.
pub(crate) fn split_block(bytes: &[u8]) -> Option<(u64, AccountId)> {
    let (_, rest) = bytes.split_first()?;
    let (bucket, conversation) = rest.split_first_chunk::<8>()?;
    let conversation = AccountId::from_slice(conversation).ok()?;
    Some((u64::from_be_bytes(*bucket), conversation))
}

/// Prekeys: kind, id.
pub(crate) fn pre_key(kind: super::PreKeyKind, id: u32) -> Vec<u8> {
    [&[kind as u8][..], &id.to_be_bytes()].concat()
}

/// A last-resort key that has made a session with this base key: key, base key.
pub(crate) fn used_base_key(id: u32, base_key: &[u8]) -> Vec<u8> {
    [&pre_key(super::PreKeyKind::UsedBaseKey, id), base_key].concat()
}

/// The id in the key of a prekey.
pub(crate) fn pre_key_id(bytes: &[u8]) -> Option<u32> {
    let id = bytes.get(1..5)?;
    Some(u32::from_be_bytes(id.try_into().ok()?))
}

/// The device of a stored number.
pub(crate) fn device(number: u32) -> Option<DeviceId> {
    DeviceId::try_from(number).ok()
}
