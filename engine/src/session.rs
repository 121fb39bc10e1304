//! The only door to libsignal: sessions with devices, and the trust in their keys.
//!
//! [`Sessions`] holds what a step has loaded; libsignal runs on it without waiting; [`Sessions::store`]
//! hands what has changed to the transaction. Dropping it undoes everything. It knows neither what a
//! plaintext says nor who is in a bundle.
//!
//! Trust is one rule: an account's devices all use the account's identity key, which is the
//! first one seen (own account: our own key). Another key is refused, never adopted.

mod ciphertext;
mod formats;
mod overlay;

use std::time::{Duration, SystemTime};

use futures_util::FutureExt;
use libsignal_protocol::{
    CiphertextMessage, CiphertextMessageType, IdentityKey, IdentityKeyPair, KyberPreKeyRecord,
    PreKeyRecord, PreKeySignalMessage, SessionRecord, SessionUsabilityRequirements,
    SignalProtocolError, SignedPreKeyRecord,
};
use libsignal_protocol::{GenericSignedPreKey, ProtocolAddress};
use rand_chacha::ChaCha20Rng;
use wire::body::DevicePreKeys;
use wire::{DeviceAddress, DeviceId, EnvelopeKind, RegistrationId};

use crate::account::Account;
use crate::error::{Error, StoreFault};
use crate::input::Timestamp;
use crate::peers;
use crate::record::{PeerRecord, PreKeyKind, key};
use crate::store::Table;
use crate::tx::Tx;
pub(crate) use ciphertext::Ciphertext;
use ciphertext::pre_key_ids;
use formats::{cap_archived_states, pre_key_bundle};
use overlay::{Identities, KyberKeys, OneTimeKeys, SessionRecords, SignedKeys};

/// Why a ciphertext could not be read, or a session could not be made. The peer's fault or the relay's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PeerFault {
    /// Read before: the ratchet has moved past it.
    Duplicate,
    /// The identity key is not the account's.
    Untrusted,
    /// Anything else.
    Unreadable,
}

/// libsignal's five stores over what one step has loaded.
pub(crate) struct Sessions {
    identities: Identities,
    sessions: SessionRecords,
    one_time: OneTimeKeys,
    signed: SignedKeys,
    kyber: KyberKeys,
}

impl Sessions {
    pub(crate) fn new(account: &Account) -> Self {
        Self {
            identities: Identities::new(account),
            sessions: SessionRecords::default(),
            one_time: OneTimeKeys::default(),
            signed: SignedKeys::default(),
            kyber: KyberKeys::default(),
        }
    }

    /// Makes the session with a device, and its account's key, known to libsignal.
    pub(crate) async fn load(
        &mut self,
        tx: &mut Tx<'_>,
        address: DeviceAddress,
    ) -> Result<(), Error> {
        if self.sessions.is_loaded(address) {
            return Ok(());
        }
        let bytes = tx
            .get_bytes(Table::Sessions, &key::session(address))
            .await?;
        let record = bytes
            .map(|bytes| SessionRecord::deserialize(&bytes))
            .transpose();
        let damaged = StoreFault::Damaged {
            table: Table::Sessions.name(),
        };
        self.sessions.add(address, record.map_err(|_| damaged)?);
        if let Some(peer) = tx.get::<PeerRecord>(address.account.as_bytes()).await? {
            self.identities.add(address.account, &peer.identity)?;
        }
        Ok(())
    }

    /// Makes the own prekeys that a first message names known to libsignal.
    pub(crate) async fn load_pre_keys(
        &mut self,
        tx: &mut Tx<'_>,
        message: &PreKeySignalMessage,
    ) -> Result<(), Error> {
        let damaged = |_: SignalProtocolError| StoreFault::Damaged { table: "prekeys" };
        for (kind, id) in pre_key_ids(message) {
            let Some(bytes) = tx
                .get_bytes(Table::PreKeys, &key::pre_key(kind, id))
                .await?
            else {
                continue;
            };
            match kind {
                PreKeyKind::OneTime => {
                    self.one_time
                        .add(id, PreKeyRecord::deserialize(&bytes).map_err(damaged)?);
                }
                PreKeyKind::Signed => {
                    self.signed.add(
                        id,
                        SignedPreKeyRecord::deserialize(&bytes).map_err(damaged)?,
                    );
                }
                PreKeyKind::KyberOneTime | PreKeyKind::KyberLastResort => {
                    let record = KyberPreKeyRecord::deserialize(&bytes).map_err(damaged)?;
                    self.kyber.add(id, kind, record);
                }
            }
        }
        Ok(())
    }

    /// Whether a message can be encrypted for this device now.
    pub(crate) fn can_encrypt(&self, address: DeviceAddress, now: Timestamp) -> bool {
        let required = SessionUsabilityRequirements::all();
        self.sessions.get(address).is_some_and(|record| {
            record
                .has_usable_sender_chain(system_time(now), required)
                .unwrap_or(false)
        })
    }

    /// Encrypts for a device whose session is loaded.
    pub(crate) fn encrypt(
        &mut self,
        address: DeviceAddress,
        padded: &[u8],
        now: Timestamp,
        rng: &mut ChaCha20Rng,
    ) -> Result<(EnvelopeKind, RegistrationId, Vec<u8>), PeerFault> {
        let message = libsignal_protocol::message_encrypt(
            padded,
            &protocol_address(address)?,
            &mut self.sessions,
            &mut self.identities,
            system_time(now),
            rng,
        )
        .now_or_never()
        .ok_or(PeerFault::Unreadable)?
        .map_err(|error| peer_fault(&error))?;
        let record = self.sessions.get(address).ok_or(PeerFault::Unreadable)?;
        let registration_id = record
            .remote_registration_id()
            .ok()
            .and_then(|id| RegistrationId::try_from(id).ok())
            .ok_or(PeerFault::Unreadable)?;
        Ok((
            envelope_kind(&message)?,
            registration_id,
            message.serialize().to_vec(),
        ))
    }

    /// Starts a session from a device's published keys. The account's identity key comes with them.
    pub(crate) fn establish(
        &mut self,
        address: DeviceAddress,
        identity: &[u8],
        keys: &DevicePreKeys,
        now: Timestamp,
        rng: &mut ChaCha20Rng,
    ) -> Result<(), PeerFault> {
        let bundle = pre_key_bundle(identity, keys)?;
        libsignal_protocol::process_prekey_bundle(
            &protocol_address(address)?,
            &mut self.sessions,
            &mut self.identities,
            &bundle,
            system_time(now),
            rng,
        )
        .now_or_never()
        .ok_or(PeerFault::Unreadable)?
        .map_err(|error| peer_fault(&error))
    }

    /// Decrypts; `accept` then looks at the padded plaintext and the sender's registration id, and may
    /// still refuse. On any refusal everything is as it was before (S-32).
    pub(crate) fn decrypt<T>(
        &mut self,
        address: DeviceAddress,
        ciphertext: &Ciphertext,
        rng: &mut ChaCha20Rng,
        accept: impl FnOnce(Vec<u8>, Option<u32>) -> Result<T, PeerFault>,
    ) -> Result<T, PeerFault> {
        let before = self.checkpoint(address);
        let result = self
            .try_decrypt(address, ciphertext, rng)
            .and_then(|padded| accept(padded, self.registration_id(address)));
        if result.is_err() {
            self.roll_back(address, before);
        }
        result
    }

    fn try_decrypt(
        &mut self,
        address: DeviceAddress,
        ciphertext: &Ciphertext,
        rng: &mut ChaCha20Rng,
    ) -> Result<Vec<u8>, PeerFault> {
        let remote = protocol_address(address)?;
        let decrypted = match ciphertext {
            Ciphertext::PreKey(message) => libsignal_protocol::message_decrypt_prekey(
                message,
                &remote,
                &mut self.sessions,
                &mut self.identities,
                &mut self.one_time,
                &self.signed,
                &mut self.kyber,
                rng,
            )
            .now_or_never(),
            Ciphertext::Ongoing(message) => libsignal_protocol::message_decrypt_signal(
                message,
                &remote,
                &mut self.sessions,
                &mut self.identities,
                rng,
            )
            .now_or_never(),
        };
        decrypted
            .ok_or(PeerFault::Unreadable)?
            .map_err(|error| peer_fault(&error))
    }

    /// The registration id of the device at the other end of a session.
    pub(crate) fn registration_id(&self, address: DeviceAddress) -> Option<u32> {
        self.sessions.get(address)?.remote_registration_id().ok()
    }

    fn checkpoint(&self, address: DeviceAddress) -> Checkpoint {
        Checkpoint {
            session: self.sessions.get(address).cloned(),
            was_changed: self.sessions.is_changed(address),
            identity: self.identities.get(address.account),
            one_time_used: self.one_time.used.len(),
            kyber_used: self.kyber.used.len(),
        }
    }

    fn roll_back(&mut self, address: DeviceAddress, before: Checkpoint) {
        let Checkpoint {
            session,
            was_changed,
            identity,
            one_time_used,
            kyber_used,
        } = before;
        self.sessions.reset(address, session, was_changed);
        self.identities.reset(address.account, identity);
        self.one_time.used.truncate(one_time_used);
        self.kyber.used.truncate(kyber_used);
    }

    /// Makes a device's session unusable for sending; late messages in it can still be read.
    pub(crate) fn archive(&mut self, address: DeviceAddress) -> Result<(), Error> {
        self.sessions
            .change(address, SessionRecord::archive_current_state)
            .map_err(|_| Error::Bug("a session can't be archived"))
    }

    /// Hands all that has changed to the transaction: sessions, used prekeys, new identity keys.
    pub(crate) async fn store(self, tx: &mut Tx<'_>) -> Result<(), Error> {
        for (address, record) in self.sessions.into_changed() {
            let bytes = record
                .serialize()
                .map_err(|_| Error::Bug("session does not serialize"))?;
            let bytes = cap_archived_states(bytes)?;
            tx.put_bytes(Table::Sessions, &key::session(address), bytes);
        }
        for id in self.one_time.used {
            tx.delete(Table::PreKeys, &key::pre_key(PreKeyKind::OneTime, id));
        }
        for id in self.kyber.used {
            // A last-resort key serves again; only the one-time row exists to be deleted otherwise.
            tx.delete(Table::PreKeys, &key::pre_key(PreKeyKind::KyberOneTime, id));
        }
        for (account, identity) in self.identities.into_new() {
            let mut peer = peers::record(tx, account).await?;
            peer.identity = identity.serialize().into_vec();
            tx.put(account.as_bytes(), &peer);
        }
        Ok(())
    }
}

/// What decryption may change, as it was before.
struct Checkpoint {
    session: Option<SessionRecord>,
    was_changed: bool,
    identity: Option<IdentityKey>,
    one_time_used: usize,
    kyber_used: usize,
}

fn envelope_kind(message: &CiphertextMessage) -> Result<EnvelopeKind, PeerFault> {
    match message.message_type() {
        CiphertextMessageType::PreKey => Ok(EnvelopeKind::PreKey),
        CiphertextMessageType::Whisper => Ok(EnvelopeKind::Ciphertext),
        CiphertextMessageType::SenderKey | CiphertextMessageType::Plaintext => {
            Err(PeerFault::Unreadable)
        }
    }
}

fn peer_fault(error: &SignalProtocolError) -> PeerFault {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "libsignal's enum; the rest is one fault"
    )]
    match error {
        SignalProtocolError::DuplicatedMessage(..) => PeerFault::Duplicate,
        SignalProtocolError::UntrustedIdentity(_) => PeerFault::Untrusted,
        _ => PeerFault::Unreadable,
    }
}

/// libsignal's address of a device: the account id as text.
fn protocol_address(address: DeviceAddress) -> Result<ProtocolAddress, PeerFault> {
    Ok(ProtocolAddress::new(
        address.account.to_string(),
        signal_device(address.device)?,
    ))
}

fn signal_device(device: DeviceId) -> Result<libsignal_protocol::DeviceId, PeerFault> {
    device.get().try_into().map_err(|_| PeerFault::Unreadable)
}

fn system_time(now: Timestamp) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(now.0)
}

/// The stored form of a freshly made prekey.
pub(crate) fn serialized<T: GenericSignedPreKey>(record: &T) -> Result<Vec<u8>, Error> {
    record
        .serialize()
        .map_err(|_| Error::Bug("prekey does not serialize"))
}

/// Keys as libsignal keeps them.
pub(crate) fn identity_pair(bytes: &[u8]) -> Result<IdentityKeyPair, StoreFault> {
    IdentityKeyPair::try_from(bytes).map_err(|_| StoreFault::Damaged { table: "meta" })
}
