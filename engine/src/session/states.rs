//! libsignal's stored record taken apart: its current state and the archived ones.
//!
//! libsignal tries a message on every state and steps chains before it checks the MAC, with a cost that grows
//! with the square of the jump (V3), and without limit where both sides have one identity key (V2). So it is
//! decided here, from the header alone, on which states a message may be tried. Nothing here says that a
//! message is genuine.

use libsignal_protocol::{SessionRecord, SignalMessage};
use prost::Message;

use super::PeerFault;
use crate::error::Error;
use crate::limits::{ARCHIVED_STATES_MAX, JUMP_FREE, JUMP_MAX};

/// On which states of a record a message is tried.
pub(super) enum Plan {
    /// On all of them.
    All,
    /// On one; the others wait in here, newest first.
    One(Box<SessionRecord>, Others),
}

/// States that are not tried.
pub(super) struct Others(Vec<Vec<u8>>);

/// Decides by the header. A message on a chain that a state knows is of that state; a new chain begins near 0.
/// Of a sender that has failed too often only what is cheap is tried.
pub(super) fn plan(
    record: &SessionRecord,
    message: &SignalMessage,
    distrusted: bool,
) -> Result<Plan, PeerFault> {
    let counter = message.counter();
    if counter <= JUMP_FREE {
        return Ok(Plan::All); // cheap on any state
    }
    let furthest = if distrusted { JUMP_FREE } else { JUMP_MAX };
    let structure = take_apart(record)?;
    let key = message.sender_ratchet_key().serialize();
    let mut states = structure.states();
    for at in 0..states.len() {
        let Some(index) = states.get(at).and_then(|state| chain_index(state, &key)) else {
            continue;
        };
        if counter.saturating_sub(index) > furthest {
            return Err(PeerFault::Unreadable);
        }
        let tried = RecordStructure {
            current: Some(states.remove(at)),
            archived: Vec::new(),
        };
        return Ok(Plan::One(Box::new(put_together(&tried)?), Others(states)));
    }
    if distrusted || counter > new_chain_limit(states.len()) {
        return Err(PeerFault::Unreadable);
    }
    Ok(Plan::All)
}

/// How far into a new chain a message may be: so that all states together cost what [`JUMP_MAX`] costs on one.
pub(super) fn new_chain_limit(states: usize) -> u32 {
    let states = u32::try_from(states).unwrap_or(u32::MAX).max(1);
    (JUMP_MAX * JUMP_MAX / states).isqrt()
}

/// The record after a success on one state: that one is current, the others follow.
pub(super) fn rejoin(tried: &SessionRecord, others: Others) -> Result<SessionRecord, PeerFault> {
    let mut structure = take_apart(tried)?;
    structure.archived.extend(others.0);
    put_together(&structure)
}

/// The stored form, with no more archived states than are worth trying.
pub(super) fn stored(record: &SessionRecord) -> Result<Vec<u8>, Error> {
    let bytes = record
        .serialize()
        .map_err(|_| Error::Bug("session does not serialize"))?;
    let mut structure = RecordStructure::decode(bytes.as_slice())
        .map_err(|_| Error::Bug("session record is not its protobuf"))?;
    if structure.archived.len() <= ARCHIVED_STATES_MAX {
        return Ok(bytes);
    }
    structure.archived.truncate(ARCHIVED_STATES_MAX);
    Ok(structure.encode_to_vec())
}

/// The stored form without archived states; `None` if there were none.
pub(crate) fn without_archived(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut structure = RecordStructure::decode(bytes).ok()?;
    if structure.archived.is_empty() {
        return None;
    }
    structure.archived.clear();
    Some(structure.encode_to_vec())
}

fn take_apart(record: &SessionRecord) -> Result<RecordStructure, PeerFault> {
    let bytes = record.serialize().map_err(|_| PeerFault::Unreadable)?;
    RecordStructure::decode(bytes.as_slice()).map_err(|_| PeerFault::Unreadable)
}

fn put_together(structure: &RecordStructure) -> Result<SessionRecord, PeerFault> {
    SessionRecord::deserialize(&structure.encode_to_vec()).map_err(|_| PeerFault::Unreadable)
}

/// The next counter of the chain with this key, if the state knows the chain.
fn chain_index(state: &[u8], key: &[u8]) -> Option<u32> {
    let state = StateStructure::decode(state).ok()?;
    let chain = state
        .chains
        .into_iter()
        .find(|chain| chain.ratchet_key == key)?;
    Some(chain.next.unwrap_or_default().index)
}

/// libsignal's `RecordStructure`; its states stay bytes, so nothing in them is lost.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
struct RecordStructure {
    #[prost(bytes = "vec", optional, tag = "1")]
    current: Option<Vec<u8>>,
    #[prost(bytes = "vec", repeated, tag = "2")]
    archived: Vec<Vec<u8>>,
}

impl RecordStructure {
    fn states(self) -> Vec<Vec<u8>> {
        self.current.into_iter().chain(self.archived).collect()
    }
}

/// Of libsignal's `SessionStructure`, only read, what says where its receiving chains are.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
struct StateStructure {
    #[prost(message, repeated, tag = "7")]
    chains: Vec<ChainStructure>,
}

#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
struct ChainStructure {
    #[prost(bytes = "vec", tag = "1")]
    ratchet_key: Vec<u8>,
    #[prost(message, optional, tag = "3")]
    next: Option<NextStructure>,
}

#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
struct NextStructure {
    #[prost(uint32, tag = "1")]
    index: u32,
}

macro_rules! opaque {
    ($($name:ident),+) => {$(
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(stringify!($name))
            }
        }
    )+};
}

opaque!(
    RecordStructure,
    StateStructure,
    ChainStructure,
    NextStructure
);
