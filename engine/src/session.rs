//! The only door to libsignal: sessions with devices, and the trust in their keys.
//!
//! [`Sessions`] holds what a step has loaded; libsignal runs on it without waiting; [`Sessions::store`]
//! hands what has changed to the transaction. Dropping it undoes everything. It knows neither what a
//! plaintext says nor who is in a bundle.
//!
//! Trust is one rule, in `trust`: an account's devices use the account's identity key, which is the first one seen, or one that
//! it vouches for. Another key is refused, never adopted.
//!
//! A device id may be given to another device later. Sessions are therefore with an [`Incarnation`], and
//! one of them never meets a session of another (S-1, S-14). Whether anything is sent to it is not decided
//! here but by `peers`: a session that works says nothing of that.

mod ciphertext;
mod decryption;
mod formats;
mod identities;
mod overlay;
mod states;

use std::time::{Duration, SystemTime};

use futures_util::FutureExt;
use libsignal_protocol::{
    CiphertextMessage, CiphertextMessageType, IdentityKeyPair, KyberPreKeyRecord, PreKeyRecord,
    PreKeySignalMessage, PublicKey, SessionUsabilityRequirements, SignalProtocolError,
    SignedPreKeyRecord,
};
use libsignal_protocol::{GenericSignedPreKey, ProtocolAddress};
use rand_chacha::ChaCha20Rng;
use wire::body::DevicePreKeys;
use wire::{AccountId, DeviceAddress, DeviceId, EnvelopeKind};

use crate::account::Account;
use crate::error::{Error, StoreFault};
use crate::flat::Map;
use crate::input::Timestamp;
use crate::limits::{SESSION_SEND_MS, UNANSWERED_MAX};
use crate::peers;
use crate::record::{PeerRecord, PreKeyKind, SessionsRecord, key};
use crate::store::Table;
use crate::trust;
use crate::tx::Tx;
pub(crate) use ciphertext::Ciphertext;
use ciphertext::pre_key_ids;
use formats::pre_key_bundle;
use identities::Identities;
use overlay::{KyberKeys, OneTimeKeys, SessionRecords, SignedKeys};
pub(crate) use states::without_archived;

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

/// One life of a device: its address, and the registration id it drew when it was linked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Incarnation {
    pub(crate) address: DeviceAddress,
    pub(crate) epoch: u32,
}

/// libsignal's five stores over what one step has loaded.
pub(crate) struct Sessions {
    identities: Identities,
    sessions: SessionRecords,
    one_time: OneTimeKeys,
    signed: SignedKeys,
    kyber: KyberKeys,
    /// Decryptions that failed, by sender.
    failures: Map<DeviceAddress, u32>,
}

impl Sessions {
    pub(crate) fn new(account: &Account) -> Self {
        Self {
            identities: Identities::new(account),
            sessions: SessionRecords::default(),
            one_time: OneTimeKeys::default(),
            signed: SignedKeys::default(),
            kyber: KyberKeys::default(),
            failures: Map::new(),
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
        let stored = tx.get::<SessionsRecord>(&key::session(address)).await?;
        let entries = stored.unwrap_or_default().incarnations;
        let entries = entries
            .into_iter()
            .map(|record| formats::entry(&record))
            .collect::<Result<_, _>>();
        self.sessions.add(address, entries?);
        if let Some(peer) = tx.get::<PeerRecord>(address.account.as_bytes()).await? {
            self.identities.add(address.account, &peer.identity)?;
            self.vouch(address, &peer, tx.device_time);
        }
        Ok(())
    }

    /// Takes the account's word for a device from this record: it is about to be stored.
    pub(crate) fn vouch(&mut self, of: DeviceAddress, peer: &PeerRecord, now: Timestamp) {
        let certified = trust::certified(peer, of.device, now);
        self.identities.certify(of, certified);
    }

    /// Whether the account's key is known, so that no other is taken for it.
    pub(crate) fn knows(&self, account: AccountId) -> bool {
        self.identities.get(account).is_some()
    }

    fn select(&mut self, incarnation: Incarnation) {
        self.sessions.select(incarnation);
        self.identities.select(incarnation);
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
                PreKeyKind::UsedBaseKey => {}
                PreKeyKind::KyberOneTime | PreKeyKind::KyberLastResort => {
                    let record = KyberPreKeyRecord::deserialize(&bytes).map_err(damaged)?;
                    self.kyber.add(id, kind, record);
                }
            }
        }
        if let Some((id, base_key)) = ciphertext::base_key(message) {
            let at = key::used_base_key(id, &base_key);
            if tx.get_bytes(Table::PreKeys, &at).await?.is_some() {
                self.kyber.add_base(id, base_key);
            }
        }
        Ok(())
    }

    /// Whether a message can be encrypted in a session with this incarnation now.
    pub(crate) fn can_encrypt(&self, to: Incarnation, now: Timestamp) -> bool {
        let required = SessionUsabilityRequirements::all();
        self.sessions.get(to).is_some_and(|entry| {
            !entry.renew
                && now.0 < entry.since.saturating_add(SESSION_SEND_MS)
                && entry
                    .record
                    .has_usable_sender_chain(system_time(now), required)
                    .unwrap_or(false)
        })
    }

    /// Encrypts in a loaded session.
    pub(crate) fn encrypt(
        &mut self,
        to: Incarnation,
        padded: &[u8],
        now: Timestamp,
        rng: &mut ChaCha20Rng,
    ) -> Result<(EnvelopeKind, Vec<u8>), PeerFault> {
        self.select(to);
        let message = libsignal_protocol::message_encrypt(
            padded,
            &protocol_address(to.address)?,
            &mut self.sessions,
            &mut self.identities,
            system_time(now),
            rng,
        )
        .now_or_never()
        .ok_or(PeerFault::Unreadable)?
        .map_err(|error| peer_fault(&error))?;
        if ciphertext::counter(&message).is_some_and(|counter| counter >= UNANSWERED_MAX) {
            self.sessions.change(to, |entry| entry.renew = true);
        }
        Ok((envelope_kind(&message)?, message.serialize().to_vec()))
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
        let epoch = keys.registration_id.into();
        let with = Incarnation { address, epoch };
        self.select(with);
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
        .map_err(|error| peer_fault(&error))?;
        self.sessions.change(with, |entry| {
            (entry.since, entry.renew) = (now.0, false);
        });
        Ok(())
    }

    /// Has a new session made before the next send; late messages in the present one can still be read.
    pub(crate) fn renew(&mut self, with: Incarnation) {
        self.sessions.change(with, |entry| entry.renew = true);
    }

    /// Counts something sent again; gives false when there was enough of that in this span.
    pub(crate) fn count_resend(&mut self, to: Incarnation, now: u64, span: u64, max: u32) -> bool {
        let mut fine = true;
        self.sessions.change(to, |entry| {
            if now.saturating_sub(entry.resends_since) >= span {
                (entry.resends, entry.resends_since) = (0, now);
            }
            fine = entry.resends < max;
            entry.resends += u32::from(fine);
        });
        fine
    }

    /// The other side could not read what was sent on our ratchet with this key: if that is still the present one,
    /// the session is renewed, at most once in this span.
    pub(crate) fn renew_failing(
        &mut self,
        with: Incarnation,
        key: &PublicKey,
        now: u64,
        span: u64,
    ) {
        self.sessions.change(with, |entry| {
            let present = entry.record.current_ratchet_key_matches(key);
            if present.unwrap_or(false) && now.saturating_sub(entry.renewed_at) >= span {
                (entry.renew, entry.renewed_at) = (true, now);
            }
        });
    }

    /// Hands all that has changed to the transaction: sessions, used prekeys, new identity keys.
    pub(crate) async fn store(self, tx: &mut Tx<'_>) -> Result<(), Error> {
        for (address, entries) in self.sessions.into_changed() {
            let incarnations = entries.iter().map(formats::incarnation_record);
            let record = SessionsRecord {
                incarnations: incarnations.collect::<Result<_, _>>()?,
            };
            tx.put(&key::session(address), &record);
        }
        for id in self.one_time.used {
            tx.delete(Table::PreKeys, &key::pre_key(PreKeyKind::OneTime, id));
        }
        for (id, base_key) in self.kyber.new_bases {
            // What counts is that the row is there.
            tx.put_bytes(Table::PreKeys, &key::used_base_key(id, &base_key), vec![1]);
        }
        for id in self.kyber.used {
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

#[cfg(test)]
mod tests;
