//! One entry of the outbox for every device concerned: the peer's get the message, our other ones
//! the transcript, all in one bundle.
//!
//! All of it happens on one set of loaded sessions: if one device can't be sealed, none is. What is
//! sealed already (a repair) stays as it is. It asks the relay nothing.

use std::borrow::Cow;
use std::collections::BTreeMap;

use wire::body::KeyId;
use wire::bundle::{Bundle, DeviceMessage, LeftOut, Recipient};
use wire::proto::service::Content;
use wire::{AccountId, DeviceAddress, DeviceId, EnvelopeKind, MessageId};

use super::{plain, sealed_so_far};
use crate::account::Account;
use crate::content;
use crate::error::{Error, Refusal};
use crate::input::Timestamp;
use crate::peers;
use crate::record::{OutboxRecord, PeerRecord, key};
use crate::session::{Incarnation, PeerFault, Sessions};
use crate::staff::Reach;
use crate::state::State;
use crate::store::Table;
use crate::trust::{self, Beacons};
use crate::tx::Tx;

/// How far sealing came.
pub(super) enum Sealing {
    /// Every device has its part.
    Sealed(Bundle),
    /// Keys are missing, of these devices or (no device) of all devices of the account.
    Needs(Vec<(AccountId, Option<DeviceId>)>),
    /// It was for one device, which is there no more.
    Nothing,
    /// It can't be sent.
    Failed(Refusal),
}

impl State {
    /// Seals what is not yet sealed of an entry. Nothing changes unless all of it can be.
    pub(super) async fn seal(
        &mut self,
        tx: &mut Tx<'_>,
        entry: &OutboxRecord,
        accounts: &[AccountId],
    ) -> Result<Sealing, Error> {
        let Some(own) = self.account.clone() else {
            return Err(Error::Bug("sealing without an account"));
        };
        let mut bundle = sealed_so_far(entry)?;
        let mut sessions = Sessions::new(&own);
        let own_record = peers::record(tx, own.id()).await?;
        let reach = self.reach(tx, entry, &own_record).await?;
        let mut beacons = BTreeMap::new();
        let mut targets = Vec::new();
        let mut needs = Vec::new();
        for account in accounts {
            let peer = peers::record(tx, *account).await?;
            if peers::key_changed(&peer) {
                return Ok(Sealing::Failed(Refusal::IdentityChanged)); // S-16
            }
            let Some(mut devices) = devices(&peer, *account, &own) else {
                needs.push((*account, None));
                continue;
            };
            if entry.only_device != 0 {
                plain::only(entry, &own, &mut devices);
                if !devices.is_empty() && !entry.plaintext.is_empty() {
                    return Ok(request(bundle, &devices, &entry.plaintext));
                }
            }
            let has_part = |to: &Incarnation| reach.has_part(to.address, &peer);
            let (devices, kept_out): (Vec<_>, Vec<_>) = devices.into_iter().partition(has_part);
            if devices.is_empty() && entry.only_device != 0 {
                return Ok(Sealing::Nothing);
            }
            prefetch(tx, &devices).await?;
            let (at, devices) = unsealed(&mut bundle, *account, devices);
            beacons.insert(*account, Beacons::new(&own_record, &peer));
            let sorted = sort(tx, &mut sessions, &peer, devices).await?;
            targets.extend(sorted.usable.into_iter().map(|to| (at, to)));
            let Some(recipient) = bundle.recipients.get_mut(at) else {
                continue;
            };
            let needed = leave_out(recipient, &peer, &sorted.lacking, tx.now);
            let kept_out = sorted.untrusted.iter().chain(&kept_out);
            recipient.without.extend(kept_out.filter_map(left_out));
            needs.extend(needed.into_iter().map(|device| (*account, Some(device))));
            let reaches_some = targets.iter().any(|(of, _)| *of == at) || !needs.is_empty();
            if !reaches_some && let Some(end) = without_devices(entry, &own, recipient) {
                return Ok(end);
            }
        }
        if !needs.is_empty() {
            return Ok(Sealing::Needs(needs));
        }
        let parts = parts(tx, &reach, &targets).await?;
        let fan_out = FanOut {
            own: &own,
            entry,
            targets: &targets,
            beacons: &beacons,
            parts: &parts,
            now: tx.now,
        };
        match self.encrypt_all(&fan_out, &mut sessions, &mut bundle) {
            Ok(()) => {}
            Err(SealFault::Untrusted) => return Ok(Sealing::Failed(Refusal::IdentityChanged)),
            Err(SealFault::Bug(bug)) => return Err(bug),
        }
        sessions.store(tx).await?;
        Ok(Sealing::Sealed(bundle))
    }

    fn encrypt_all(
        &mut self,
        fan_out: &FanOut<'_>,
        sessions: &mut Sessions,
        bundle: &mut Bundle,
    ) -> Result<(), SealFault> {
        let FanOut {
            own,
            entry,
            targets,
            beacons,
            parts,
            now,
        } = *fan_out;
        let damaged = SealFault::Bug(Error::Bug("stored content does not decode"));
        let id = MessageId::from_slice(&entry.message_id).map_err(|_| damaged)?;
        for ((at, to), content) in targets.iter().zip(parts) {
            let address = to.address;
            let beacons = beacons.get(&address.account).copied().unwrap_or_default();
            let padded = content::bind(content, id, own, address, beacons);
            let (kind, content) = sessions.encrypt(*to, &padded, now, &mut self.rng).map_err(
                |fault| match fault {
                    PeerFault::Untrusted => SealFault::Untrusted,
                    PeerFault::Duplicate | PeerFault::Unreadable => {
                        SealFault::Bug(Error::Bug("a usable session can't encrypt"))
                    }
                },
            )?;
            let part = DeviceMessage {
                device: address.device,
                registration_id: to
                    .epoch
                    .try_into()
                    .map_err(|_| SealFault::Bug(Error::Bug("an epoch is out of range")))?,
                kind,
                content,
            };
            if let Some(recipient) = bundle.recipients.get_mut(*at) {
                recipient.messages.push(part);
            }
        }
        for recipient in &mut bundle.recipients {
            recipient.messages.sort_by_key(|part| part.device);
        }
        Ok(())
    }
}

/// What each gets.
async fn parts<'a>(
    tx: &mut Tx<'_>,
    reach: &'a Reach,
    targets: &[(usize, Incarnation)],
) -> Result<Vec<Cow<'a, Content>>, Error> {
    let mut parts = Vec::with_capacity(targets.len());
    for (_, to) in targets {
        let peer = peers::record(tx, to.address.account).await?;
        parts.push(reach.part(to.address, &peer).unwrap_or_default());
    }
    Ok(parts)
}

/// Devices by what can be done for them.
#[derive(Default)]
struct Sorted {
    usable: Vec<Incarnation>,
    /// Without a session that can be used.
    lacking: Vec<Incarnation>,
    /// The account's key does not vouch for them.
    untrusted: Vec<Incarnation>,
}

async fn sort(
    tx: &mut Tx<'_>,
    sessions: &mut Sessions,
    peer: &PeerRecord,
    devices: Vec<Incarnation>,
) -> Result<Sorted, Error> {
    let mut sorted = Sorted::default();
    for to in devices {
        sessions.load(tx, to.address).await?;
        if trust::is_untrusted(peer, to.address.device, tx.device_time) {
            sorted.untrusted.push(to);
        } else if to.epoch != 0 && sessions.can_encrypt(to, tx.now) {
            sorted.usable.push(to);
        } else {
            sorted.lacking.push(to);
        }
    }
    Ok(sorted)
}

/// Which part of the bundle is the account's, and for which of the devices it has nothing yet.
fn unsealed(
    bundle: &mut Bundle,
    account: AccountId,
    mut devices: Vec<Incarnation>,
) -> (usize, Vec<Incarnation>) {
    let part = bundle.recipients.iter().position(|r| r.account == account);
    let at = part.unwrap_or_else(|| {
        bundle.recipients.push(Recipient {
            account,
            messages: Vec::new(),
            without: Vec::new(),
        });
        bundle.recipients.len() - 1
    });
    if let Some(Recipient { messages, .. }) = bundle.recipients.get_mut(at) {
        messages.retain(|part| devices.iter().any(|to| to.address.device == part.device));
        devices.retain(|to| messages.iter().all(|part| part.device != to.address.device));
    }
    (at, devices)
}

/// A retry request, which is not encrypted.
fn request(mut bundle: Bundle, to: &[Incarnation], plaintext: &[u8]) -> Sealing {
    let mut messages = Vec::with_capacity(to.len());
    for to in to {
        let Ok(registration_id) = to.epoch.try_into() else {
            return Sealing::Nothing; // a device we know so little of has no session with us
        };
        messages.push(DeviceMessage {
            device: to.address.device,
            registration_id,
            kind: EnvelopeKind::Plaintext,
            content: plaintext.to_vec(),
        });
    }
    let account = to.first().map(|to| to.address.account);
    bundle.recipients = account
        .map(|account| Recipient {
            account,
            messages,
            without: Vec::new(),
        })
        .into_iter()
        .collect();
    Sealing::Sealed(bundle)
}

/// What is sealed for whom: the part of the bundle, and the device.
struct FanOut<'a> {
    own: &'a Account,
    entry: &'a OutboxRecord,
    targets: &'a [(usize, Incarnation)],
    beacons: &'a BTreeMap<AccountId, Beacons>,
    /// What each gets.
    parts: &'a [Cow<'a, Content>],
    now: Timestamp,
}

#[derive(Clone)]
enum SealFault {
    Untrusted,
    Bug(Error),
}

/// The devices of an account to seal for; `None` if its list was never fetched. Our own list starts
/// empty and is corrected by the relay's first refusal, for which a plain service has no occasion.
fn devices(peer: &PeerRecord, account: AccountId, own: &Account) -> Option<Vec<Incarnation>> {
    if !peer.listed && (account != own.id() || own.is_plain()) {
        return None;
    }
    let incarnation = |(device, epoch)| Incarnation {
        address: DeviceAddress { account, device },
        epoch,
    };
    let all = peers::current(peer).map(incarnation);
    Some(all.filter(|to| to.address != own.address).collect())
}

/// Leaves out those of the devices without a usable session whose keys are too old; gives those to ask keys of.
fn leave_out(
    recipient: &mut Recipient,
    peer: &PeerRecord,
    lacking: &[Incarnation],
    now: Timestamp,
) -> Vec<DeviceId> {
    let ids: Vec<DeviceId> = lacking.iter().map(|to| to.address.device).collect();
    let old = peers::left_out(peer, &ids, now.0);
    let mut needed = Vec::new();
    recipient.without.clear();
    for to in lacking {
        let device = to.address.device;
        let key = KeyId::try_from(peers::old_key(peer, device));
        match (to.epoch.try_into(), key) {
            (Ok(registration_id), Ok(signed_pre_key)) if old.contains(&device) => {
                recipient.without.push(LeftOut {
                    device,
                    registration_id,
                    signed_pre_key: Some(signed_pre_key),
                });
            }
            _ => needed.push(device),
        }
    }
    needed
}

/// A device that the account's key does not vouch for, or not now, or that is not to have this: it gets nothing, and the relay is
/// told that we know of it.
fn left_out(to: &Incarnation) -> Option<LeftOut> {
    Some(LeftOut {
        device: to.address.device,
        registration_id: to.epoch.try_into().ok()?,
        signed_pre_key: None,
    })
}

/// What becomes of an entry if all of an account's devices are left out.
fn without_devices(entry: &OutboxRecord, own: &Account, recipient: &Recipient) -> Option<Sealing> {
    if !recipient.messages.is_empty() || recipient.without.is_empty() {
        return None;
    }
    match entry.only_device {
        0 if recipient.account == own.id() => None, // the peer has it
        0 => Some(Sealing::Failed(Refusal::PeerAway)),
        _ => Some(Sealing::Nothing),
    }
}

async fn prefetch(tx: &mut Tx<'_>, devices: &[Incarnation]) -> Result<(), Error> {
    let sessions = devices
        .iter()
        .map(|to| (Table::Sessions, key::session(to.address)));
    tx.prefetch(sessions.collect()).await
}
