//! The existing device's side of a run: it answers, is told what the commitment was made of, is told the digits, and
//! gives what the person decides. It knows neither relay nor store, and of the account only what everybody may know.
//!
//! ```text
//!   answered --revealed--> compared --enter (or the code)--> matched --give--> given
//! ```
//!
//! Rule LR-3: digits are compared, never shown: the person has to have seen the other device.
//! Rule LR-4: nothing is sealed before the digits match; five wrong ones end the run.

use libsignal_protocol::{KeyPair, PublicKey};
use prost::Message as _;
use rand::RngCore as _;
use rand_chacha::ChaCha20Rng;
use wire::link_code::LinkCode;
use wire::link_uri;
use wire::proto::linking::{LinkAnswer, LinkCommit, LinkPayload, LinkReveal};
use wire::rendezvous::Waiting;
use wire::{AccountId, Handle, RegistrationId};
use zeroize::Zeroizing;

use super::keys::{self, Committed, DIGITS, Keys};
use super::{Fault, Tried, VERSION};
use crate::guard;
use crate::limits::LINK_DIGITS_TRIES;

/// What everybody may know of the account.
pub(crate) struct AboutAccount {
    pub(crate) account: AccountId,
    pub(crate) handle: Handle,
    pub(crate) account_key: Vec<u8>,
    pub(crate) list_version: u64,
    pub(crate) list_hash: Vec<u8>,
}

/// What the new browser has bound itself to, checked.
#[derive(Clone, Debug)]
pub(crate) struct NewDevice {
    /// As claimed.
    pub(crate) name: String,
    pub(crate) key: PublicKey,
    pub(crate) registration_id: RegistrationId,
}

/// One run.
pub(crate) struct ExistingSide {
    rendezvous: [u8; 16],
    commit: Vec<u8>,
    commitment: [u8; 32],
    secret: Option<Zeroizing<[u8; 32]>>,
    ephemeral: KeyPair,
    handle: Handle,
    answer: Vec<u8>,
    revealed: Option<(NewDevice, Keys)>,
    matched: bool,
    wrong: u32,
    given: bool,
}

impl ExistingSide {
    /// Answers what waits; with the code, if the person has read one.
    pub(crate) fn new(
        waiting: &Waiting,
        code: Option<&LinkCode>,
        about: AboutAccount,
        rng: &mut ChaCha20Rng,
    ) -> Result<Self, Fault> {
        let commit = LinkCommit::decode(waiting.message.as_slice());
        let commit = commit.map_err(|_| Fault::Malformed)?;
        if commit.version != VERSION {
            return Err(Fault::Malformed);
        }
        let commitment = commit.commitment.try_into().map_err(|_| Fault::Malformed)?;
        if code.is_some_and(|code| {
            (code.rendezvous, code.commitment) != (waiting.rendezvous, commitment)
        }) {
            return Err(Fault::Commitment);
        }
        let ephemeral = KeyPair::generate(rng);
        let mut nonce = [0; 32];
        rng.fill_bytes(&mut nonce);
        let AboutAccount {
            account,
            handle,
            account_key,
            list_version,
            list_hash,
        } = about;
        let answer = LinkAnswer {
            ephemeral: ephemeral.public_key.serialize().into_vec(),
            nonce: nonce.to_vec(),
            account: account.as_bytes().to_vec(),
            handle: handle.to_string(),
            account_key,
            list_version,
            list_hash,
            by_code: code.is_some(),
        };
        Ok(Self {
            rendezvous: waiting.rendezvous,
            commit: waiting.message.clone(),
            commitment,
            secret: code.map(|code| Zeroizing::new(code.secret)),
            ephemeral,
            handle,
            answer: answer.encode_to_vec(),
            revealed: None,
            matched: false,
            wrong: 0,
            given: false,
        })
    }

    pub(crate) const fn rendezvous(&self) -> &[u8; 16] {
        &self.rendezvous
    }

    /// Message 1.
    pub(crate) fn answer(&self) -> &[u8] {
        &self.answer
    }

    /// Message 2 has come: it must be what the commitment was made of.
    pub(crate) fn revealed(&mut self, message: &[u8]) -> Result<(), Fault> {
        if self.revealed.is_some() {
            return Err(Fault::OutOfTurn);
        }
        let reveal = LinkReveal::decode(message).map_err(|_| Fault::Malformed)?;
        let committed = Committed {
            rendezvous: &self.rendezvous,
            handle: &reveal.handle,
            ephemeral: &reveal.ephemeral,
            device_key: &reveal.device_key,
            registration_id: reveal.registration_id,
            device_name: &reveal.device_name,
            nonce: &reveal.nonce,
        };
        if committed.commitment() != self.commitment || reveal.nonce.len() != 32 {
            return Err(Fault::Commitment);
        }
        self.compare(&reveal, message)
    }

    /// Everything of [`Self::revealed`] but the commitment.
    fn compare(&mut self, reveal: &LinkReveal, message: &[u8]) -> Result<(), Fault> {
        let their = guard::public_key(&reveal.ephemeral).map_err(|_| Fault::Key)?;
        let key = guard::public_key(&reveal.device_key).map_err(|_| Fault::Key)?;
        let registration_id = reveal.registration_id.try_into();
        let registration_id = registration_id.map_err(|_| Fault::Malformed)?;
        let wants = reveal.handle.as_str();
        if !wants.is_empty() && wants.parse() != Ok(self.handle.clone()) {
            return Err(Fault::OtherAccount);
        }
        let said = [self.commit.as_slice(), &self.answer, message];
        let transcript = keys::transcript(&self.rendezvous, said);
        let secret = self.secret.as_ref().map_or(&[][..], |secret| &secret[..]);
        let keys = Keys::agree(&self.ephemeral, &their, secret, transcript)?;
        let device = NewDevice {
            name: link_uri::shown_name(&reveal.device_name),
            key,
            registration_id,
        };
        self.matched = self.secret.is_some();
        self.revealed = Some((device, keys));
        Ok(())
    }

    /// As [`Self::revealed`] without the commitment, to show what it is for.
    #[cfg(test)]
    pub(super) fn revealed_without_commitment(&mut self, message: &[u8]) -> Result<(), Fault> {
        let reveal = LinkReveal::decode(message).map_err(|_| Fault::Malformed)?;
        self.compare(&reveal, message)
    }

    /// Who asks, once it is known.
    pub(crate) fn device(&self) -> Option<&NewDevice> {
        self.revealed.as_ref().map(|(device, _)| device)
    }

    /// Whether there are digits to be typed.
    pub(crate) const fn wants_digits(&self) -> bool {
        self.secret.is_none()
    }

    /// The person types what the new browser shows. A typo gives nobody anything: both sides' digits are fixed by now.
    pub(crate) fn enter(&mut self, text: &str) -> Tried {
        let (Some((_, keys)), Some(text)) = (&self.revealed, keys::typed(text, DIGITS)) else {
            return Tried::NoDigits;
        };
        if self.wrong >= LINK_DIGITS_TRIES {
            return Tried::Over;
        }
        if self.matched || keys::is_same(&text, &keys.digits()) {
            self.matched = true;
            return Tried::Right;
        }
        self.wrong += 1;
        match LINK_DIGITS_TRIES - self.wrong {
            0 => Tried::Over,
            left => Tried::Wrong { left },
        }
    }

    pub(crate) const fn is_matched(&self) -> bool {
        self.matched
    }

    /// Message 3.
    pub(crate) fn give(&mut self, payload: &LinkPayload) -> Result<Vec<u8>, Fault> {
        let revealed = self
            .revealed
            .as_ref()
            .filter(|_| self.matched && !self.given);
        let (_, keys) = revealed.ok_or(Fault::OutOfTurn)?;
        let sealed = keys.seal(&Zeroizing::new(payload.encode_to_vec()))?;
        self.given = true;
        Ok(sealed)
    }

    /// What the person tells the new browser, once it was given something. Empty if it needs no telling.
    pub(crate) fn told(&self) -> Option<String> {
        let (_, keys) = self.revealed.as_ref().filter(|_| self.given)?;
        Some(match self.secret {
            Some(_) => String::new(),
            None => keys.answer(),
        })
    }

    #[cfg(test)]
    pub(super) fn digits(&self) -> Option<String> {
        self.revealed.as_ref().map(|(_, keys)| keys.digits())
    }
}
