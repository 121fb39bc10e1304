//! What a relay can lie about, with the rules of an honest one underneath: who has which devices, whose keys
//! these are, for whom an envelope is. Each lie is told once, at the next chance.
//!
//! It can't read, so it repeats, swaps and leaves out. What it drops silently is not here: no client can tell
//! that from a peer who says nothing.

use std::collections::BTreeMap;

use rand::RngCore;
use relay::core::{Answer, Asked};
use wire::body::{KeyId, PreKeyResponse, from_json, to_json};
use wire::bundle::{AccountMismatch, Bundle};
use wire::{AccountId, DeviceId, Endpoint, Envelope, Frame, RelayRequest, Request};

use super::{Down, Key, RelayNode};

/// A lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Deceit {
    /// The peer has one more device; its keys are those of a real one (T11).
    Ghost,
    /// A device of the peer is none (T12).
    Hidden,
    /// A device of the peer is a new incarnation.
    Stale,
    /// Keys that were handed out before (a list or bundle that is no longer true).
    ReplayedKeys,
    /// Keys of another account, with its identity key.
    SwappedAccount,
    /// Keys of another account under the right identity key.
    SwappedKeys,
    /// An envelope also goes to somebody else.
    Misrouted,
    /// An envelope comes twice, under two names.
    Doubled,
    /// Keys that were handed out before, with the ids of those of today.
    RelabelledKeys,
    /// The right keys, with ids that say nothing of their age.
    UndatedKeys,
}

impl Deceit {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Ghost,
        Self::Hidden,
        Self::Stale,
        Self::ReplayedKeys,
        Self::SwappedAccount,
        Self::SwappedKeys,
        Self::Misrouted,
        Self::Doubled,
        Self::RelabelledKeys,
        Self::UndatedKeys,
    ];

    pub(crate) fn is_about_keys(self) -> bool {
        matches!(
            self,
            Self::Ghost
                | Self::ReplayedKeys
                | Self::SwappedAccount
                | Self::SwappedKeys
                | Self::RelabelledKeys
                | Self::UndatedKeys
        )
    }
}

/// Requests from here on were not asked for by the honest half.
pub(crate) const FALSE_REQUESTS: u64 = 1 << 40;
/// The device that is not there.
const GHOST: u32 = 99;

/// Lies to be told, and what they are made of.
#[derive(Debug, Default)]
pub(super) struct Deceits {
    waiting: Vec<Deceit>,
    ghosts: Vec<AccountId>,
    keys: BTreeMap<(AccountId, Option<DeviceId>), Vec<PreKeyResponse>>,
    requests: u64,
    /// How many were told.
    told: u32,
}

impl RelayNode {
    /// Plans a lie.
    pub fn deceive(&mut self, deceit: Deceit) {
        self.deceits.waiting.push(deceit);
    }

    /// Tells the truth from now on.
    pub fn be_honest(&mut self) {
        self.deceits.waiting.clear();
        self.deceits.ghosts.clear();
    }

    /// How many lies were told.
    #[must_use]
    pub fn lies_told(&self) -> u32 {
        self.deceits.told
    }

    /// Whether this lie is to be told now.
    fn takes(&mut self, which: Deceit) -> bool {
        let planned = self
            .deceits
            .waiting
            .iter()
            .position(|deceit| *deceit == which);
        self.deceits.told += u32::from(planned.is_some());
        planned.is_some_and(|at| self.deceits.waiting.remove(at) == which)
    }

    /// A refusal instead of serving a bundle, or the keys of a ghost.
    pub(super) fn false_refusal(&mut self, asked: &Asked) -> Option<Answer> {
        if let Endpoint::Keys { account, device } = &asked.endpoint
            && *device == DeviceId::try_from(GHOST).ok()
            && self.deceits.ghosts.contains(account)
        {
            let mut known = self
                .deceits
                .keys
                .iter()
                .filter(|((of, _), _)| of == account);
            let mut keys = known.find_map(|(_, known)| known.last())?.clone();
            keys.devices.truncate(1);
            keys.devices.first_mut()?.device_id = (*device)?;
            let body = to_json(&keys);
            return Some(Answer {
                body,
                ..Answer::empty(200)
            });
        }
        if asked.endpoint != Endpoint::Bundles {
            return None;
        }
        let bundle = Bundle::decode(&asked.body).ok()?;
        let recipient = bundle.recipients.first()?;
        let named = recipient.messages.last()?.device;
        let mut mismatch = AccountMismatch {
            account: recipient.account,
            missing: Vec::new(),
            extra: Vec::new(),
            stale: Vec::new(),
            gone: false,
        };
        if self.takes(Deceit::Ghost) {
            mismatch.missing.extend(DeviceId::try_from(GHOST));
            self.deceits.ghosts.push(recipient.account);
        } else if self.takes(Deceit::Hidden) {
            mismatch.extra.push(named);
        } else if self.takes(Deceit::Stale) {
            mismatch.stale.push(named);
        } else {
            return None;
        }
        let body = AccountMismatch::encode_all(&[mismatch]);
        Some(Answer {
            body,
            ..Answer::empty(409)
        })
    }

    /// Other keys in place of the right ones.
    pub(super) fn false_keys(&mut self, about: &Endpoint, result: &mut Answer) {
        let Endpoint::Keys { account, device } = *about else {
            return;
        };
        let Ok(right) = from_json::<PreKeyResponse>(&result.body) else {
            return;
        };
        let others = self
            .deceits
            .keys
            .iter()
            .filter(|((of, _), _)| *of != account);
        let other = others.flat_map(|(_, known)| known).next_back().cloned();
        let known = self.deceits.keys.entry((account, device)).or_default();
        let before = known.first().cloned();
        known.push(right.clone());
        let wrong = match (before, other) {
            (Some(before), _) if self.takes(Deceit::ReplayedKeys) => before,
            (Some(before), _) if self.takes(Deceit::RelabelledKeys) => relabelled(before, &right),
            _ if self.takes(Deceit::UndatedKeys) => undated(right),
            (_, Some(other)) if self.takes(Deceit::SwappedAccount) => in_place_of(&right, other),
            (_, Some(other)) if self.takes(Deceit::SwappedKeys) => PreKeyResponse {
                identity_key: right.identity_key.clone(),
                ..in_place_of(&right, other)
            },
            _ => return,
        };
        result.body = to_json(&wrong);
    }

    /// Deliveries beside the right one.
    pub(super) fn false_deliveries(&mut self, key: Key, request: &Request) -> Vec<Down> {
        if RelayRequest::parse(&request.verb, &request.path) != Some(RelayRequest::Message) {
            return Vec::new();
        }
        let mut copies = Vec::new();
        let other = self
            .sockets_of(|_| true)
            .into_iter()
            .find(|other| *other != key);
        if let Some(other) = other
            && self.takes(Deceit::Misrouted)
        {
            copies.push((other, request.body.clone()));
        }
        if let Ok(mut envelope) = Envelope::decode(&request.body)
            && self.takes(Deceit::Doubled)
        {
            let mut guid = [0; 16];
            self.rng.fill_bytes(&mut guid);
            envelope.guid = Some(guid);
            copies.push((key, envelope.encode()));
        }
        let mut down = Vec::new();
        for (key, body) in copies {
            self.deceits.requests += 1;
            let id = FALSE_REQUESTS + self.deceits.requests;
            let copy = Request {
                id,
                body,
                ..request.clone()
            };
            down.push(Down::Frame(key, Frame::Request(copy).encode()));
        }
        down
    }
}

/// Keys from before, under the ids of those of now.
fn relabelled(mut before: PreKeyResponse, right: &PreKeyResponse) -> PreKeyResponse {
    for (before, right) in before.devices.iter_mut().zip(&right.devices) {
        before.signed_pre_key.key_id = right.signed_pre_key.key_id;
        before.pq_pre_key.key_id = right.pq_pre_key.key_id;
    }
    before
}

/// Keys as versions without days in the ids made them.
fn undated(mut keys: PreKeyResponse) -> PreKeyResponse {
    for (number, keys) in (1..).zip(&mut keys.devices) {
        if let Ok(id) = KeyId::try_from(number) {
            keys.signed_pre_key.key_id = id;
        }
    }
    keys
}

/// Another account's keys, under the names of these devices.
fn in_place_of(right: &PreKeyResponse, mut other: PreKeyResponse) -> PreKeyResponse {
    for (other, right) in other.devices.iter_mut().zip(&right.devices) {
        other.device_id = right.device_id;
        other.registration_id = right.registration_id;
    }
    other.devices.truncate(right.devices.len());
    other
}
