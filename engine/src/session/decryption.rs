//! Decryption: which incarnation and which of its states a message may be tried on, and that a failure
//! leaves no trace (S-31, S-32). It does not know what a plaintext says; its caller judges that.

use futures_util::FutureExt;
use libsignal_protocol::{IdentityKey, PreKeySignalMessage, SignalMessage};
use rand_chacha::ChaCha20Rng;
use wire::{DeviceAddress, RegistrationId};

use super::ciphertext::Ciphertext;
use super::overlay::Entry;
use super::states::{self, Plan};
use super::{Incarnation, PeerFault, Sessions, peer_fault, protocol_address};
use crate::input::Timestamp;
use crate::limits::{FAILURES_MAX, JUMP_MAX};

impl Sessions {
    /// Decrypts; `accept` then looks at the padded plaintext and the sender's epoch, and may
    /// still refuse. On any refusal everything is as it was before (S-32).
    pub(crate) fn decrypt<T>(
        &mut self,
        address: DeviceAddress,
        ciphertext: &Ciphertext,
        now: Timestamp,
        rng: &mut ChaCha20Rng,
        accept: impl Fn(Vec<u8>, u32) -> Result<T, PeerFault>,
    ) -> Result<(T, Incarnation), PeerFault> {
        let mut fault = PeerFault::Unreadable;
        for epoch in self.candidates(address, ciphertext) {
            let from = Incarnation { address, epoch };
            let before = self.checkpoint(address);
            let result = self
                .try_decrypt(from, ciphertext, now, rng)
                .and_then(|padded| accept(padded, epoch));
            match result {
                Ok(accepted) => return Ok((accepted, from)),
                Err(why) => {
                    self.roll_back(address, before);
                    fault = why;
                }
            }
            if fault == PeerFault::Duplicate {
                break; // it is of this one
            }
        }
        if fault == PeerFault::Unreadable {
            self.failures.change(address, |count| *count += 1);
        }
        Err(fault)
    }

    /// The incarnations that may have sent this: a first message names its own, others may be of any (S-31).
    fn candidates(&self, address: DeviceAddress, ciphertext: &Ciphertext) -> Vec<u32> {
        match ciphertext {
            Ciphertext::PreKey(message) => RegistrationId::try_from(message.registration_id())
                .map(u32::from)
                .into_iter()
                .collect(),
            Ciphertext::Ongoing(_) => self
                .sessions
                .of(address)
                .iter()
                .map(|entry| entry.epoch)
                .collect(),
        }
    }

    fn try_decrypt(
        &mut self,
        from: Incarnation,
        ciphertext: &Ciphertext,
        now: Timestamp,
        rng: &mut ChaCha20Rng,
    ) -> Result<Vec<u8>, PeerFault> {
        let remote = protocol_address(from.address)?;
        self.select(from);
        match ciphertext {
            Ciphertext::PreKey(message) => {
                self.bound_jump(from, message)?;
                let base_key = self.base_key(from);
                let padded = libsignal_protocol::message_decrypt_prekey(
                    message,
                    &remote,
                    &mut self.sessions,
                    &mut self.identities,
                    &mut self.one_time,
                    &self.signed,
                    &mut self.kyber,
                    rng,
                )
                .now_or_never()
                .ok_or(PeerFault::Unreadable)?
                .map_err(|error| peer_fault(&error))?;
                self.require_post_quantum(from)?;
                if self.base_key(from) != base_key {
                    self.sessions.change(from, |entry| {
                        (entry.since, entry.renew) = (now.0, false);
                    });
                }
                Ok(padded)
            }
            Ciphertext::Ongoing(message) => {
                let others = self.set_aside(from, message)?;
                let padded = libsignal_protocol::message_decrypt_signal(
                    message,
                    &remote,
                    &mut self.sessions,
                    &mut self.identities,
                    rng,
                )
                .now_or_never()
                .ok_or(PeerFault::Unreadable)?
                .map_err(|error| peer_fault(&error))?;
                if let Some(others) = others {
                    let tried = self.sessions.get(from).ok_or(PeerFault::Unreadable)?;
                    let joined = states::rejoin(&tried.record, others)?;
                    self.sessions.change(from, |entry| entry.record = joined);
                }
                Ok(padded)
            }
        }
    }

    /// V2, V3: a first message begins a chain, or goes on with one that a state knows.
    fn bound_jump(
        &self,
        from: Incarnation,
        message: &PreKeySignalMessage,
    ) -> Result<(), PeerFault> {
        match self.sessions.get(from) {
            Some(entry) => {
                states::plan(&entry.record, message.message(), self.distrusts(from)).map(|_| ())
            }
            None if message.message().counter() <= JUMP_MAX => Ok(()),
            None => Err(PeerFault::Unreadable),
        }
    }

    /// It has cost enough in this batch.
    fn distrusts(&self, from: Incarnation) -> bool {
        let failures = self.failures.get(&from.address);
        failures.is_some_and(|failures| *failures >= FAILURES_MAX)
    }

    /// V3: leaves only the states on which the message may be tried.
    fn set_aside(
        &mut self,
        from: Incarnation,
        message: &SignalMessage,
    ) -> Result<Option<states::Others>, PeerFault> {
        let entry = self.sessions.get(from).ok_or(PeerFault::Unreadable)?;
        match states::plan(&entry.record, message, self.distrusts(from))? {
            Plan::All => Ok(None),
            Plan::One(record, others) => {
                self.sessions.change(from, |entry| entry.record = *record);
                Ok(Some(others))
            }
        }
    }

    /// V6: libsignal 0.85.3 lets the other side do without the post-quantum ratchet; we don't.
    fn require_post_quantum(&self, with: Incarnation) -> Result<(), PeerFault> {
        let state = self
            .sessions
            .get(with)
            .and_then(|e| e.record.current_pq_state());
        match state {
            Some(state) if !state.is_empty() => Ok(()),
            _ => Err(PeerFault::Unreadable),
        }
    }

    fn base_key(&self, with: Incarnation) -> Option<Vec<u8>> {
        let entry = self.sessions.get(with)?;
        entry.record.alice_base_key().ok().map(<[u8]>::to_vec)
    }

    fn checkpoint(&self, address: DeviceAddress) -> Checkpoint {
        Checkpoint {
            sessions: self.sessions.of(address).to_vec(),
            was_changed: self.sessions.is_changed(address),
            identity: self.identities.get(address.account),
            one_time_used: self.one_time.used.len(),
            kyber_used: self.kyber.used.len(),
            new_bases: self.kyber.new_bases.len(),
        }
    }

    fn roll_back(&mut self, address: DeviceAddress, before: Checkpoint) {
        let Checkpoint {
            sessions,
            was_changed,
            identity,
            one_time_used,
            kyber_used,
            new_bases,
        } = before;
        self.sessions.reset(address, sessions, was_changed);
        self.identities.reset(address.account, identity);
        self.one_time.used.truncate(one_time_used);
        self.kyber.used.truncate(kyber_used);
        self.kyber.new_bases.truncate(new_bases);
    }
}

/// What decryption may change, as it was before.
struct Checkpoint {
    sessions: Vec<Entry>,
    was_changed: bool,
    identity: Option<IdentityKey>,
    one_time_used: usize,
    kyber_used: usize,
    new_bases: usize,
}
