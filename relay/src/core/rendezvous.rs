//! Where a browser that is to be linked meets a device of the account. The relay carries opaque messages between the two.
//!
//! ```text
//!   browser: Open --> waits --device puts its first message--> bound --either ends it, or 5 min--> gone
//! ```
//!
//! Kept in memory: who loses it begins anew. Nothing is ever sent to a device: it finds a rendezvous only when it looks.
//! Invariant: one device is bound to a rendezvous and never another, no message is changed once it is there, and of an account
//! no two are bound at once. Who signed in as somebody else can't push aside what the person opened.

use std::collections::BTreeMap;

use wire::limits::RENDEZVOUS_MESSAGE_MAX;
use wire::rendezvous::{self as body, Open, Opened, Waiting};
use wire::{AccountId, DeviceAddress, Endpoint, Handle};

use super::quota::Kind;
use super::{Answer, Asked, Core, Effect, Failure, Moment, caller, lists, refused, refused_as};
use crate::limits::{RENDEZVOUS_KEPT_MS, RENDEZVOUS_MAX, RENDEZVOUS_MESSAGES_MAX};
use crate::store::DeviceRow;

/// All that are open.
#[derive(Debug, Default)]
pub struct Rendezvous {
    open: BTreeMap<String, Place>,
    last: u64,
}

#[derive(Debug)]
struct Place {
    rendezvous: [u8; 16],
    account: AccountId,
    /// Whom the browser's credential names, if it is another account.
    claimed: Option<Handle>,
    /// Where the browser is, which nobody else knows.
    address: String,
    expires: u64,
    /// Rises: the newest is found first.
    number: u64,
    device: Option<(DeviceAddress, u64)>,
    ended_by: Option<Side>,
    of_browser: Vec<Vec<u8>>,
    of_device: Vec<Vec<u8>>,
}

/// Who of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Browser,
    Device,
}

impl Place {
    fn messages(&mut self, of: Side) -> &mut Vec<Vec<u8>> {
        match of {
            Side::Browser => &mut self.of_browser,
            Side::Device => &mut self.of_device,
        }
    }

    fn is_bound_to(&self, device: &DeviceRow) -> bool {
        self.device == Some((device.address, device.incarnation))
    }

    /// Whoever watches it looks again.
    fn effects(&self) -> [Effect; 3] {
        [
            of_account(self.account),
            body::name(&self.rendezvous),
            self.address.clone(),
        ]
        .map(Effect::Rendezvous)
    }

    fn end(&mut self, by: Side) {
        self.ended_by.get_or_insert(by);
        self.of_browser.clear();
        self.of_device.clear();
    }
}

impl Rendezvous {
    fn forget(&mut self, now: u64) {
        self.open.retain(|_, place| now < place.expires);
    }

    /// What this device is bound to is over: its page has begun anew.
    fn end_bound(&mut self, device: &DeviceRow) -> Vec<Effect> {
        let bound = |place: &&mut Place| place.ended_by.is_none() && place.is_bound_to(device);
        let ended = self.open.values_mut().filter(bound);
        ended
            .flat_map(|place| {
                place.end(Side::Device);
                place.effects()
            })
            .collect()
    }

    /// The open one with this name or browser's address, and who asks.
    fn at(&mut self, at: &str, device: Option<&DeviceRow>) -> Result<(&mut Place, Side), Failure> {
        let gone = || refused(404);
        match device {
            None => {
                let place = self.open.values_mut().find(|place| place.address == at);
                Ok((place.ok_or_else(gone)?, Side::Browser))
            }
            Some(device) => {
                let own = |place: &&mut Place| place.account == device.address.account;
                let place = self.open.get_mut(at).filter(own);
                Ok((place.ok_or_else(gone)?, Side::Device))
            }
        }
    }
}

/// Everything that is asked of a rendezvous.
pub(super) fn ask(
    core: &Core,
    moment: &mut Moment<'_>,
    what: &body::Rendezvous,
    asked: &Asked,
) -> Result<Answer, Failure> {
    moment.rendezvous.forget(moment.now);
    let device = match asked.caller {
        Some(_) => Some(caller(moment.tx, asked)?),
        None => None,
    };
    if let Some(device) = &device {
        lists::owner(device)?; // only they may let others in (K-5)
    }
    let device = device.as_ref();
    match what {
        body::Rendezvous::Open => open(core, moment, &asked.body),
        body::Rendezvous::Look { at, timeout_s: _ } => {
            look(moment, device.ok_or_else(|| refused(401))?, at.as_deref())
        }
        body::Rendezvous::Put { at, index } => put(moment, device, at, *index, &asked.body),
        body::Rendezvous::Get { at, index, .. } => get(moment, device, at, *index),
        body::Rendezvous::End { at } => end(moment, device, at),
    }
}

/// `PUT /v1/rendezvous`. One that the same person had opened before makes way.
fn open(core: &Core, moment: &mut Moment<'_>, bytes: &[u8]) -> Result<Answer, Failure> {
    let Open {
        rendezvous,
        handle,
        credential,
        message,
    } = Open::decode(bytes)?;
    let named = core.credentials.named(credential.as_deref(), moment.now)?;
    let handle = handle.or_else(|| named.clone());
    let handle = handle.ok_or_else(|| refused(422))?;
    let claimed = named.filter(|named| *named != handle);
    let who = claimed.as_ref().map_or("", Handle::as_str);
    let bucket = [handle.as_str().as_bytes(), who.as_bytes()];
    moment.quota.take(Kind::Rendezvous, &bucket, moment.now)?;
    let account = moment.tx.account_by_handle(&handle)?;
    let account = account.ok_or_else(|| refused(404))?.id;
    let address = body::name(&moment.random::<16>());

    let open = &mut moment.rendezvous.open;
    let name = body::name(&rendezvous);
    let replaced = |place: &Place| place.account == account && place.claimed == claimed;
    let before: Vec<Effect> = open
        .values()
        .filter(|place| replaced(place))
        .flat_map(Place::effects)
        .collect();
    if open.contains_key(&name) {
        return Err(refused(409));
    }
    open.retain(|_, place| !replaced(place));
    if open.len() >= RENDEZVOUS_MAX {
        return Err(refused(503));
    }
    moment.rendezvous.last += 1;
    let place = Place {
        rendezvous,
        account,
        claimed,
        address: address.clone(),
        expires: moment.now + RENDEZVOUS_KEPT_MS,
        number: moment.rendezvous.last,
        device: None,
        ended_by: None,
        of_browser: vec![message],
        of_device: Vec::new(),
    };
    let effects = place.effects();
    moment.rendezvous.open.insert(name, place);
    let opened = Opened { address, handle };
    Ok(Answer::protobuf(200, opened.encode()).with(before.into_iter().chain(effects)))
}

/// `GET /v1/rendezvous`: the newest that waits, of the person themself before anybody else's.
fn look(moment: &mut Moment<'_>, device: &DeviceRow, at: Option<&str>) -> Result<Answer, Failure> {
    let waits = |(name, place): &(&String, &Place)| {
        let is_wanted = at.is_none_or(|at| *name == at);
        let own = place.account == device.address.account;
        is_wanted && own && place.device.is_none() && place.ended_by.is_none()
    };
    let ended = moment.rendezvous.end_bound(device);
    let open = moment.rendezvous.open.iter().filter(waits);
    let found = open
        .map(|(_, place)| place)
        .max_by_key(|place| (place.claimed.is_none(), place.number));
    let waiting = found.and_then(|place| {
        Some(Waiting {
            rendezvous: place.rendezvous,
            claimed: place.claimed.clone(),
            message: place.of_browser.first()?.clone(),
        })
    });
    let answer = waiting.map_or(Answer::empty(204), |waiting| {
        Answer::protobuf(200, waiting.encode())
    });
    Ok(answer.with(ended))
}

/// `PUT /v1/rendezvous/{at}/{index}`.
fn put(
    moment: &mut Moment<'_>,
    device: Option<&DeviceRow>,
    at: &str,
    index: u8,
    message: &[u8],
) -> Result<Answer, Failure> {
    if message.is_empty() || message.len() > RENDEZVOUS_MESSAGE_MAX {
        return Err(refused(413));
    }
    let is_bound = device.is_some_and(|device| {
        let own = |place: &&Place| place.account == device.address.account;
        let going_on = |place: &Place| place.device.is_some() && place.ended_by.is_none();
        let mut open = moment.rendezvous.open.iter().filter(|(_, p)| own(p));
        open.any(|(name, place)| name != at && going_on(place))
    });
    let now = moment.now;
    let Moment {
        rendezvous, quota, ..
    } = moment;
    let (place, side) = rendezvous.at(at, device)?;
    if place.ended_by.is_some() {
        return Err(refused(410));
    }
    if let Some(device) = device
        && !place.is_bound_to(device)
    {
        if is_bound || place.device.is_some() {
            return Err(refused_as(409, "link_busy"));
        }
        let account = device.address.account;
        quota.take(Kind::LinkRun, &[account.as_bytes().as_slice()], now)?;
        place.device = Some((device.address, device.incarnation));
    }
    let messages = place.messages(side);
    match messages.get(usize::from(index)) {
        Some(there) if there == message => return Ok(Answer::empty(204)),
        Some(_) => return Err(refused(409)),
        None if usize::from(index) != messages.len() => return Err(refused(409)),
        None if messages.len() >= RENDEZVOUS_MESSAGES_MAX => return Err(refused(409)),
        None => messages.push(message.to_vec()),
    }
    Ok(Answer::empty(204).with(place.effects()))
}

/// `GET /v1/rendezvous/{at}/{index}`: 410 once the other side has ended it.
fn get(
    moment: &mut Moment<'_>,
    device: Option<&DeviceRow>,
    at: &str,
    index: u8,
) -> Result<Answer, Failure> {
    let (place, side) = moment.rendezvous.at(at, device)?;
    if device.is_some_and(|device| !place.is_bound_to(device)) {
        return Err(refused(409));
    }
    if place.ended_by.is_some_and(|by| by != side) {
        return Err(refused(410));
    }
    let theirs = match side {
        Side::Browser => Side::Device,
        Side::Device => Side::Browser,
    };
    let message = place.messages(theirs).get(usize::from(index));
    Ok(message.map_or(Answer::empty(204), |message| {
        Answer::protobuf(200, message.clone())
    }))
}

/// `DELETE /v1/rendezvous/{at}`. A device that is not bound declines what it has found.
fn end(moment: &mut Moment<'_>, device: Option<&DeviceRow>, at: &str) -> Result<Answer, Failure> {
    let (place, side) = moment.rendezvous.at(at, device)?;
    if device.is_some_and(|device| place.device.is_some() && !place.is_bound_to(device)) {
        return Err(refused(409));
    }
    place.end(side);
    Ok(Answer::empty(204).with(place.effects()))
}

/// What to watch to hear when [`ask`] may have another answer than 204: an [`Effect::Rendezvous`] names it.
#[must_use]
pub fn watched(asked: &Asked) -> Option<String> {
    let Endpoint::Rendezvous(what) = &asked.endpoint else {
        return None;
    };
    match what {
        body::Rendezvous::Look { .. } => Some(of_account(asked.caller?.address.account)),
        body::Rendezvous::Get { at, .. } => Some(at.clone()),
        body::Rendezvous::Open | body::Rendezvous::Put { .. } | body::Rendezvous::End { .. } => {
            None
        }
    }
}

/// How long the request may be held.
#[must_use]
pub fn timeout_s(asked: &Asked) -> u32 {
    let Endpoint::Rendezvous(what) = &asked.endpoint else {
        return 0;
    };
    what.timeout_s().unwrap_or(0)
}

fn of_account(account: AccountId) -> String {
    format!("account {account}")
}
