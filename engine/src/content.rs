//! What is inside a ciphertext: Signal's `Content`, bound to its two ends.
//!
//! libsignal authenticates keys, not addresses, so each plaintext names its sender and its recipient
//! (rule V5). [`open`] is the only way to get content out of a plaintext, and it compares first: its
//! result is checked data. What the content means is for others.

pub(crate) mod said;
mod unbound;

use prost::Message;
use wire::certificate::Role;
use wire::proto::service::sync_message::Sent;
use wire::proto::service::{Binding, Content, DataMessage, SyncMessage};
use wire::{AccountId, DeviceAddress, DeviceId, MessageId};

use crate::account::Account;
use crate::padding;
use crate::session::PeerFault;
use crate::trust::{self, Beacons};
pub(crate) use unbound::{author_read, both_forms, message_read, service_id};

/// A device of our own account other than this one. Only [`open`] makes one, after decryption.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OwnDevice(DeviceAddress, Role);

impl OwnDevice {
    pub(crate) fn address(self) -> DeviceAddress {
        self.0
    }

    /// What it is to the account.
    pub(crate) fn role(self) -> Role {
        self.1
    }
}

/// Who a plaintext is from, after decryption and comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sender {
    /// Another person's device.
    Peer(DeviceAddress),
    /// Another device of ours.
    Own(OwnDevice),
}

/// Checked content.
pub(crate) struct Opened {
    pub(crate) from: Sender,
    /// What the sending device is to its account; an owner, until it is known better.
    pub(crate) role: Role,
    pub(crate) message_id: MessageId,
    pub(crate) content: Content,
}

impl Opened {
    /// The same, from a device that its account's list names for this.
    pub(crate) fn by(self, role: Role) -> Self {
        Self {
            from: match self.from {
                Sender::Own(OwnDevice(address, _)) => Sender::Own(OwnDevice(address, role)),
                peer @ Sender::Peer(_) => peer,
            },
            role,
            ..self
        }
    }
}

/// The padded plaintext of `content` for one device.
pub(crate) fn bind(
    content: &Content,
    id: MessageId,
    account: &Account,
    to: DeviceAddress,
    beacons: Beacons,
) -> Vec<u8> {
    let binding = Binding {
        sender_account: Some(account.id().as_bytes().to_vec()),
        sender_device: Some(account.address.device.into()),
        sender_epoch: Some(account.registration_id.into()),
        recipient_account: Some(to.account.as_bytes().to_vec()),
        recipient_device: Some(to.device.into()),
        message_id: Some(id.as_bytes().to_vec()),
        ..Binding::default()
    };
    let bound = Content {
        binding: Some(trust::bound(binding, beacons)),
        ..content.clone()
    };
    padding::pad(bound.encode_to_vec())
}

/// Opens a padded plaintext that came in a session with `from`, whose registration id is `epoch`.
pub(crate) fn open(
    padded: Vec<u8>,
    from: DeviceAddress,
    epoch: u32,
    account: &Account,
) -> Result<Opened, PeerFault> {
    let bytes = padding::unpad(padded).map_err(|_| PeerFault::Unreadable)?;
    let content = Content::decode(bytes.as_slice()).map_err(|_| PeerFault::Unreadable)?;
    let Some(binding) = content.binding.as_ref() else {
        return unbound::open(content, from, account);
    };
    let sender = address(binding.sender_account.as_deref(), binding.sender_device)?;
    let recipient = address(
        binding.recipient_account.as_deref(),
        binding.recipient_device,
    )?;
    if sender != from || recipient != account.address || binding.sender_epoch != Some(epoch) {
        return Err(PeerFault::Unreadable);
    }
    let id = binding.message_id.as_deref().unwrap_or_default();
    let message_id = MessageId::from_slice(id).map_err(|_| PeerFault::Unreadable)?;
    Ok(Opened {
        from: sender_of(from, account),
        role: Role::Owner,
        message_id,
        content,
    })
}

fn sender_of(from: DeviceAddress, account: &Account) -> Sender {
    match from {
        own if own.account == account.id() => Sender::Own(OwnDevice(own, Role::Owner)),
        peer => Sender::Peer(peer),
    }
}

fn address(account: Option<&[u8]>, device: Option<u32>) -> Result<DeviceAddress, PeerFault> {
    let account = AccountId::from_slice(account.unwrap_or_default());
    let device = DeviceId::try_from(device.unwrap_or_default());
    match (account, device) {
        (Ok(account), Ok(device)) => Ok(DeviceAddress { account, device }),
        _ => Err(PeerFault::Unreadable),
    }
}

/// A message for the peer's devices.
pub(crate) fn data(message: DataMessage) -> Content {
    Content {
        data_message: Some(message),
        ..Content::default()
    }
}

/// The copy of a sent message for own other devices.
pub(crate) fn transcript(to: AccountId, content: &Content, timestamp: u64) -> Content {
    let (destination_service_id, destination_service_id_binary) = both_forms(to);
    sync(SyncMessage {
        sent: Some(Sent {
            destination_service_id,
            destination_service_id_binary,
            timestamp: Some(timestamp),
            message: content.data_message.clone(),
            edit_message: content.edit_message.clone(),
            ..Sent::default()
        }),
        ..SyncMessage::default()
    })
}

/// A message's time runs from then on, where nobody else says when it was sent.
pub(crate) fn started(transcript: &mut Content, at: u64) {
    let sync = transcript.sync_message.as_mut();
    if let Some(sent) = sync.and_then(|sync| sync.sent.as_mut())
        && let Some(message) = &sent.message
        && message.expire_timer() > 0
    {
        sent.expiration_start_timestamp = Some(at);
    }
}

/// Something between own devices.
pub(crate) fn sync(message: SyncMessage) -> Content {
    Content {
        sync_message: Some(message),
        ..Content::default()
    }
}
