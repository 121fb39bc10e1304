//! What an open request on the main socket was for, so that its answer finds its way.
//! Kept in memory: what is not answered when the connection ends is asked again or refused.

use wire::{AccountId, DeviceId, Handle, Response};

use crate::input::{Command, Ticket, Timestamp};
use crate::limits::{SEND_RETRY_MAX_MS, SEND_RETRY_MIN_MS, SEND_RETRY_MS};
use crate::linking;
use crate::recovery;
use crate::staff::Standing;
use crate::trust::ListChange;

/// The purpose of an open request.
#[derive(Debug)]
pub(crate) enum Pending {
    /// Which service this is, before anything else is asked.
    Service,
    /// The same, to find out whether it has become one of ours.
    ServiceAgain,
    /// Signing in.
    SignIn,
    /// How far this device is, compared with what the relay has seen.
    Fence,
    /// A sign of life.
    KeepAlive,
    /// A new account, for the command with this ticket.
    Register(Ticket),
    /// Joining an account with a link token.
    Join,
    /// How many one-time keys the relay has.
    KeyCounts,
    /// New one-time keys.
    UploadKeys,
    /// A new signed key, with this id, and a new last-resort key.
    RotateKeys(u32),
    /// New one-time keys of the phone-number identity.
    UploadPhoneKeys,
    /// Prekey bundles, for sending.
    Keys {
        /// Whose.
        account: AccountId,
        /// Of one device, or all.
        device: Option<DeviceId>,
    },
    /// The entry of the outbox with this number.
    Bundle(u64),
    /// The part of it for this account.
    Part(u64, AccountId),
    /// The account of a handle that a command named; it goes on with the answer.
    FindHandle {
        /// The handle.
        handle: Handle,
        /// Which command.
        ticket: Ticket,
        /// The command.
        command: Command,
    },
    /// The handle of an account that wrote to us.
    Lookup(AccountId),
    /// Own devices, for a command.
    Devices(Ticket),
    /// The removal of a device.
    Unlink {
        /// Which command.
        ticket: Ticket,
        /// Which device.
        device: DeviceId,
    },
    /// The end of the account, for the command with this ticket.
    DeleteAccount(Ticket),
    /// A link token, for an approval.
    LinkToken {
        /// Which command.
        ticket: Ticket,
        /// The URI to approve.
        uri: String,
        /// What the new device will be.
        standing: Standing,
    },
    /// The signed device list of an account.
    DeviceList(AccountId),
    /// A new version of our own.
    PutList(Box<ListChange>),
    /// Handing the account to a new device.
    Provision {
        /// Which command.
        ticket: Ticket,
        /// The id that the device will have, if it was certified.
        certified: Option<DeviceId>,
        /// For waiting.
        token_identifier: String,
    },
    /// Waiting for the new device.
    AwaitDevice {
        /// Which command.
        ticket: Ticket,
        /// The id that the device will have, if it was certified.
        certified: Option<DeviceId>,
    },
    /// About recovery.
    Recovery(recovery::Asked),
    /// Declining a new device.
    Decline(Ticket),
    /// A step of linking by digits. Who waits for it, the run knows.
    Run {
        /// Which run.
        run: u32,
        /// Which step.
        asked: linking::run::Asked,
    },
}

impl Pending {
    /// The command that waits for the answer, if one does.
    pub(crate) fn ticket(&self) -> Option<Ticket> {
        match self {
            Self::Recovery(asked) => asked.ticket(),
            Self::Register(ticket)
            | Self::FindHandle { ticket, .. }
            | Self::Devices(ticket)
            | Self::Unlink { ticket, .. }
            | Self::DeleteAccount(ticket)
            | Self::LinkToken { ticket, .. }
            | Self::Provision { ticket, .. }
            | Self::AwaitDevice { ticket, .. }
            | Self::Decline(ticket) => Some(*ticket),
            Self::PutList(change) => change.ticket(),
            Self::Service
            | Self::ServiceAgain
            | Self::SignIn
            | Self::Fence
            | Self::KeepAlive
            | Self::Join
            | Self::KeyCounts
            | Self::UploadKeys
            | Self::RotateKeys(_)
            | Self::UploadPhoneKeys
            | Self::Keys { .. }
            | Self::Bundle(_)
            | Self::Part(..)
            | Self::DeviceList(_)
            | Self::Run { .. }
            | Self::Lookup(_) => None,
        }
    }
}

/// When to ask again what was refused for now: as late as the relay wants, within reason; else after a pause.
pub(crate) fn retry_at(now: Timestamp, response: &Response) -> Timestamp {
    let asked = response
        .header("retry-after")
        .and_then(|s| s.parse::<u64>().ok());
    let ms = asked.map_or(SEND_RETRY_MS, |s| s.saturating_mul(1000));
    now.plus_ms(ms.clamp(SEND_RETRY_MIN_MS, SEND_RETRY_MAX_MS))
}
