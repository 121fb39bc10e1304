//! The rules of the relay, as functions of (transaction, request, now, randomness).
//!
//! ```text
//!   Asked --> Core::read  (Read)    --> Answer + effects      carried out by the server
//!         --> Core::write (Moment)  --> Answer + effects      after the commit, never before
//!                                   \-> Failure               the job's writes are taken back
//! ```
//!
//! No socket, no clock, no disk, no randomness of its own. It cannot decrypt: it has no key and no
//! code for it. Invariant: a refusal changes nothing that is stored.

mod answer;
pub mod auth;
pub mod blobs;
mod bundles;
pub mod credential;
mod devices;
mod fence;
mod keys;
mod linking;
mod lists;
pub mod mailbox;
mod proof;
#[cfg(test)]
mod properties;
pub mod quota;
mod recovery;
mod registration;
pub mod rendezvous;
mod sending;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

use std::fmt;

use rand::RngCore;
use wire::body::Capabilities;
use wire::{DeviceAddress, Endpoint, Recovery};

pub use self::answer::{Answer, BodyKind, Effect, Failure};
use self::answer::{refused, refused_as, too_many, too_many_as};
use self::credential::CredentialCheck;
use self::quota::{Kind, Quota};
use self::rendezvous::Rendezvous;
use crate::store::{DeviceRow, Read, StoreError, Tx};

/// What does not change while the relay runs.
#[derive(Debug)]
pub struct Core {
    /// Who may register which handle.
    pub credentials: CredentialCheck,
    /// Devices of one account, at most `wire::limits::DEVICES_MAX`.
    pub devices_max: usize,
}

/// A device that has proved to be itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Which.
    pub address: DeviceAddress,
    /// Which holder of that id: a device that was removed stays out when its id is given to another.
    pub incarnation: u64,
    /// The sign-in that the fence agreed to on this socket, if one was asked for.
    pub sign_in: Option<u64>,
}

/// A request.
#[derive(Clone)]
pub struct Asked {
    /// What is wanted.
    pub endpoint: Endpoint,
    /// What is behind the `?` of the path.
    pub query: String,
    /// The `authorization` header; only [`Endpoint::LinkDevice`] looks at it.
    pub authorization: Option<String>,
    /// The body.
    pub body: Vec<u8>,
    /// Who asks.
    pub caller: Option<Caller>,
}

impl fmt::Debug for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            endpoint,
            query: _,
            authorization: _,
            body,
            caller: _,
        } = self;
        write!(f, "Asked({}, {} bytes)", endpoint.verb(), body.len())
    }
}

/// Everything a writing job works with.
pub struct Moment<'a> {
    /// The open transaction.
    pub tx: &'a mut dyn Tx,
    /// ms.
    pub now: u64,
    /// Randomness.
    pub rng: &'a mut dyn RngCore,
    /// Who asked for what how often. Not stored, and not given back by a refusal.
    pub quota: &'a mut Quota,
    /// Browsers that wait to be linked by a run. Not stored.
    pub rendezvous: &'a mut Rendezvous,
}

impl fmt::Debug for Moment<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Moment({})", self.now)
    }
}

impl Moment<'_> {
    fn random<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.rng.fill_bytes(&mut bytes);
        bytes
    }

    /// Whether a device may do this once more now.
    fn take(&mut self, kind: Kind, device: &DeviceRow) -> Result<(), Failure> {
        let DeviceAddress { account, device } = device.address;
        let who: [&[u8]; 2] = [account.as_bytes(), &[device.get()]];
        self.quota.take(kind, &who, self.now)
    }
}

/// Who serves a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Needs nothing that is stored.
    Plain,
    /// [`Core::read`].
    Read,
    /// [`Core::write`].
    Write,
    /// [`Core::write`], and again whenever there may be another answer than 204.
    Watch,
    /// [`Core::read`] says whether it may; the rest is between sockets, where the server is.
    Sockets,
}

/// Who serves a request for this endpoint.
#[must_use]
pub const fn way(endpoint: &Endpoint) -> Way {
    match endpoint {
        Endpoint::Capabilities | Endpoint::KeepAlive | Endpoint::KeepAliveProvisioning => {
            Way::Plain
        }
        Endpoint::WhoAmI
        | Endpoint::Account(_)
        | Endpoint::DeviceList(_)
        | Endpoint::Devices
        | Endpoint::KeyCounts
        | Endpoint::Recovery(Recovery::Status) => Way::Read,
        Endpoint::Provision { .. }
        | Endpoint::DeclineProvision { .. }
        | Endpoint::WaitForLinkedDevice { .. } => Way::Sockets,
        Endpoint::Rendezvous(what) if what.timeout_s().is_some() => Way::Watch,
        Endpoint::Register
        | Endpoint::PutDeviceList
        | Endpoint::Rendezvous(_)
        | Endpoint::LinkToken
        | Endpoint::LinkDevice
        | Endpoint::RemoveDevice(_)
        | Endpoint::DeleteAccount
        | Endpoint::Fence
        | Endpoint::Recovery(Recovery::Put | Recovery::Open | Recovery::Device)
        | Endpoint::DeviceCapabilities
        | Endpoint::PutKeys
        | Endpoint::PutPhoneKeys
        | Endpoint::Keys { .. }
        | Endpoint::Messages(_)
        | Endpoint::Bundles => Way::Write,
        // Changes nothing but how often one may still ask.
        Endpoint::AccountByHandle(_) => Way::Write,
    }
}

impl Core {
    /// Answers what needs nothing that is stored.
    #[must_use]
    pub fn plain(&self, endpoint: &Endpoint) -> Answer {
        match way(endpoint) {
            Way::Plain if *endpoint == Endpoint::Capabilities => Answer::json(
                200,
                &Capabilities {
                    bundles: true,
                    handles: true,
                    credential_required: self.credentials.is_required(),
                },
            ),
            Way::Plain => Answer::empty(200),
            Way::Read | Way::Write | Way::Watch | Way::Sockets => Answer::empty(500),
        }
    }

    /// Answers what changes nothing. For [`Way::Sockets`] a 200 means: go on.
    ///
    /// # Errors
    /// A refusal, or the store's failure.
    pub fn read(&self, tx: &mut dyn Read, asked: &Asked) -> Result<Answer, Failure> {
        let device = caller(tx, asked)?;
        match &asked.endpoint {
            Endpoint::WhoAmI => devices::who_am_i(tx, &device),
            Endpoint::Account(id) => devices::account(tx, *id),
            Endpoint::DeviceList(id) => lists::get(tx, *id),
            Endpoint::Devices => devices::list(tx, &device),
            Endpoint::Recovery(Recovery::Status) => recovery::status(tx, &device),
            Endpoint::KeyCounts => keys::counts(tx, &device),
            Endpoint::WaitForLinkedDevice {
                token_identifier,
                timeout_s,
            } => linking::linked_device(tx, &device, token_identifier, *timeout_s),
            Endpoint::DeclineProvision { .. } => Ok(Answer::empty(200)),
            Endpoint::Provision { .. } => linking::provision(&asked.body),
            Endpoint::Capabilities
            | Endpoint::AccountByHandle(_)
            | Endpoint::Register
            | Endpoint::PutDeviceList
            | Endpoint::Rendezvous(_)
            | Endpoint::LinkToken
            | Endpoint::LinkDevice
            | Endpoint::RemoveDevice(_)
            | Endpoint::DeleteAccount
            | Endpoint::Fence
            | Endpoint::Recovery(_)
            | Endpoint::DeviceCapabilities
            | Endpoint::PutKeys
            | Endpoint::PutPhoneKeys
            | Endpoint::Keys { .. }
            | Endpoint::Messages(_)
            | Endpoint::Bundles
            | Endpoint::KeepAlive
            | Endpoint::KeepAliveProvisioning => Err(refused(500)),
        }
    }

    /// Answers what changes something.
    ///
    /// # Errors
    /// A refusal, or the store's failure.
    pub fn write(&self, moment: &mut Moment<'_>, asked: &Asked) -> Result<Answer, Failure> {
        match &asked.endpoint {
            Endpoint::Register => return registration::register(self, moment, &asked.body),
            Endpoint::LinkDevice => {
                return linking::link(self, moment, &asked.body, asked.authorization.as_deref());
            }
            Endpoint::Rendezvous(what) => {
                return rendezvous::ask(self, moment, what, asked);
            }
            Endpoint::Recovery(Recovery::Open) => return recovery::open(self, moment, &asked.body),
            Endpoint::Recovery(Recovery::Device) => {
                return recovery::device(self, moment, &asked.body);
            }
            Endpoint::LinkToken
            | Endpoint::PutDeviceList
            | Endpoint::Recovery(Recovery::Put)
            | Endpoint::RemoveDevice(_)
            | Endpoint::DeleteAccount
            | Endpoint::Fence
            | Endpoint::DeviceCapabilities
            | Endpoint::PutKeys
            | Endpoint::PutPhoneKeys
            | Endpoint::Keys { .. }
            | Endpoint::Messages(_)
            | Endpoint::Bundles
            | Endpoint::AccountByHandle(_) => {}
            Endpoint::Capabilities
            | Endpoint::WhoAmI
            | Endpoint::Account(_)
            | Endpoint::DeviceList(_)
            | Endpoint::Recovery(Recovery::Status)
            | Endpoint::Provision { .. }
            | Endpoint::DeclineProvision { .. }
            | Endpoint::WaitForLinkedDevice { .. }
            | Endpoint::Devices
            | Endpoint::KeyCounts
            | Endpoint::KeepAlive
            | Endpoint::KeepAliveProvisioning => return Err(refused(500)),
        }
        let device = caller(moment.tx, asked)?;
        self.write_as(moment, &device, asked)
    }

    fn write_as(
        &self,
        moment: &mut Moment<'_>,
        device: &DeviceRow,
        asked: &Asked,
    ) -> Result<Answer, Failure> {
        match &asked.endpoint {
            Endpoint::LinkToken => linking::token(self, moment, device),
            Endpoint::PutDeviceList => lists::put(moment.tx, device, &asked.body),
            Endpoint::RemoveDevice(id) => devices::remove(moment.tx, device, *id),
            Endpoint::DeleteAccount => devices::delete_account(moment.tx, device),
            Endpoint::Recovery(Recovery::Put) => recovery::put(moment, device, &asked.body),
            Endpoint::Fence => fence::agree(moment.tx, device, &asked.body),
            Endpoint::DeviceCapabilities => {
                devices::set_capabilities(moment.tx, device, &asked.body)
            }
            Endpoint::PutKeys | Endpoint::PutPhoneKeys => {
                keys::put(moment.tx, device, &asked.query, &asked.body)
            }
            Endpoint::Keys {
                account,
                device: of,
            } => keys::fetch(moment, device, *account, *of),
            Endpoint::Messages(to) => {
                moment.take(Kind::Send, device)?;
                fence::check(moment.tx, asked.caller)?;
                sending::send(moment, device, *to, &asked.body)
            }
            Endpoint::Bundles => {
                moment.take(Kind::Send, device)?;
                let fence = fence::check(moment.tx, asked.caller)?;
                bundles::send(moment, device, fence, &asked.body)
            }
            Endpoint::AccountByHandle(handle) => {
                moment.take(Kind::Lookup, device)?;
                devices::account_by_handle(moment.tx, handle)
            }
            Endpoint::Capabilities
            | Endpoint::Register
            | Endpoint::Rendezvous(_)
            | Endpoint::WhoAmI
            | Endpoint::Account(_)
            | Endpoint::DeviceList(_)
            | Endpoint::Provision { .. }
            | Endpoint::DeclineProvision { .. }
            | Endpoint::WaitForLinkedDevice { .. }
            | Endpoint::Recovery(Recovery::Status | Recovery::Open | Recovery::Device)
            | Endpoint::LinkDevice
            | Endpoint::Devices
            | Endpoint::KeyCounts
            | Endpoint::KeepAlive
            | Endpoint::KeepAliveProvisioning => Err(refused(500)),
        }
    }
}

/// The device that asks, if it is still there.
fn caller(tx: &mut (impl Read + ?Sized), asked: &Asked) -> Result<DeviceRow, Failure> {
    let caller = asked.caller.ok_or_else(|| refused(401))?;
    device_of(tx, caller)?.ok_or_else(|| refused(401))
}

/// The row of a device that has proved to be itself, unless it was removed since.
fn device_of(
    tx: &mut (impl Read + ?Sized),
    caller: Caller,
) -> Result<Option<DeviceRow>, StoreError> {
    let device = tx.device(caller.address)?;
    Ok(device.filter(|device| device.incarnation == caller.incarnation))
}
