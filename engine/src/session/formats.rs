//! libsignal's values from and to other forms: a published prekey bundle, a stored session record.
//! Neither knows a store or a socket.

use libsignal_protocol::PreKeyBundle;
use wire::body::DevicePreKeys;

use super::{PeerFault, signal_device};
use crate::error::Error;
use crate::guard;
use crate::limits::ARCHIVED_STATES_MAX;

/// A device's published keys, past the guards.
pub(super) fn pre_key_bundle(
    identity: &[u8],
    keys: &DevicePreKeys,
) -> Result<PreKeyBundle, PeerFault> {
    let bad = |_| PeerFault::Unreadable;
    let public = |bytes: &[u8]| guard::public_key(bytes).map_err(bad);
    let DevicePreKeys {
        device_id,
        registration_id,
        signed_pre_key,
        pre_key,
        pq_pre_key,
    } = keys;
    let one_time = match pre_key {
        Some(key) => Some((u32::from(key.key_id).into(), public(&key.public_key.0)?)),
        None => None,
    };
    PreKeyBundle::new(
        u32::from(*registration_id),
        signal_device(*device_id)?,
        one_time,
        u32::from(signed_pre_key.key_id).into(),
        public(&signed_pre_key.public_key.0)?,
        signed_pre_key.signature.0.clone(),
        u32::from(pq_pre_key.key_id).into(),
        guard::kyber_key(&pq_pre_key.public_key.0).map_err(bad)?,
        pq_pre_key.signature.0.clone(),
        guard::identity_key(identity).map_err(bad)?,
    )
    .map_err(|_| PeerFault::Unreadable)
}

/// A forged message is tried on every archived state (V3), so few are kept: libsignal's record
/// is a protobuf whose field 2 lists them, newest first.
pub(super) fn cap_archived_states(record: Vec<u8>) -> Result<Vec<u8>, Error> {
    #[derive(Clone, PartialEq, prost::Message)]
    #[prost(skip_debug)]
    struct RecordStructure {
        #[prost(bytes = "vec", optional, tag = "1")]
        current: Option<Vec<u8>>,
        #[prost(bytes = "vec", repeated, tag = "2")]
        archived: Vec<Vec<u8>>,
    }
    impl std::fmt::Debug for RecordStructure {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("RecordStructure")
        }
    }
    // A full record is kilobytes; only one with archived states is worth taking apart.
    let mut structure = <RecordStructure as prost::Message>::decode(record.as_slice())
        .map_err(|_| Error::Bug("session record is not its protobuf"))?;
    if structure.archived.len() <= ARCHIVED_STATES_MAX {
        return Ok(record);
    }
    structure.archived.truncate(ARCHIVED_STATES_MAX);
    Ok(prost::Message::encode_to_vec(&structure))
}
