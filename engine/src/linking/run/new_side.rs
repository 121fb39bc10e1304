//! The new browser's side of a run: it commits, is answered, reveals, shows digits, and takes what it is given once the
//! person has told it the four digits of the other device, or the other device has proved that it has seen the code.
//! It knows neither relay nor store: everything in it is gone with it.
//!
//! ```text
//!   committed --answered--> revealed --payload--> given --confirm--> taken
//! ```
//!
//! Rule LR-1: each message is taken once and in this order; whatever else comes ends the run.
//! Rule LR-2: what was given is not looked into before it is confirmed.

use libsignal_protocol::{IdentityKeyPair, KeyPair};
use prost::Message as _;
use rand::RngCore as _;
use rand_chacha::ChaCha20Rng;
use wire::link_code::LinkCode;
use wire::proto::linking::{LinkAnswer, LinkCommit, LinkPayload, LinkReveal};
use wire::{AccountId, Handle};
use zeroize::Zeroizing;

use super::keys::{self, ANSWER_DIGITS, Committed, Keys};
use super::{Fault, Tried, VERSION};
use crate::guard;
use crate::limits::LINK_ANSWER_TRIES;

/// What the new browser says of itself.
#[derive(Clone)]
pub(crate) struct About {
    /// As the person named the account; empty if the credential does.
    pub(crate) handle: String,
    pub(crate) device_name: String,
    pub(crate) registration_id: u32,
}

/// Whom the answer is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answerer {
    pub(crate) account: AccountId,
    pub(crate) handle: Handle,
    pub(crate) account_key: Vec<u8>,
}

/// One run.
pub(crate) struct NewSide {
    rendezvous: [u8; 16],
    about: About,
    ephemeral: KeyPair,
    device: IdentityKeyPair,
    nonce: [u8; 32],
    secret: Zeroizing<[u8; 32]>,
    commit: Vec<u8>,
    answered: Option<Answered>,
    sealed: Option<Vec<u8>>,
    confirmed: bool,
    wrong: u32,
}

struct Answered {
    keys: Keys,
    by_code: bool,
    reveal: Vec<u8>,
    whose: Answerer,
}

impl NewSide {
    /// Everything is drawn and committed to before anything is said.
    pub(crate) fn new(about: About, rng: &mut ChaCha20Rng) -> Self {
        let (mut rendezvous, mut nonce) = ([0; 16], [0; 32]);
        let mut secret = Zeroizing::new([0; 32]);
        rng.fill_bytes(&mut rendezvous);
        rng.fill_bytes(&mut nonce);
        rng.fill_bytes(&mut secret[..]);
        let mut side = Self {
            rendezvous,
            about,
            ephemeral: KeyPair::generate(rng),
            device: IdentityKeyPair::generate(rng),
            nonce,
            secret,
            commit: Vec::new(),
            answered: None,
            sealed: None,
            confirmed: false,
            wrong: 0,
        };
        side.commit = LinkCommit {
            version: VERSION,
            commitment: side.commitment().to_vec(),
        }
        .encode_to_vec();
        side
    }

    fn commitment(&self) -> [u8; 32] {
        let About {
            handle,
            device_name,
            registration_id,
        } = &self.about;
        Committed {
            rendezvous: &self.rendezvous,
            handle,
            ephemeral: &self.ephemeral.public_key.serialize(),
            device_key: &self.device.identity_key().serialize(),
            registration_id: *registration_id,
            device_name,
            nonce: &self.nonce,
        }
        .commitment()
    }

    pub(crate) const fn rendezvous(&self) -> &[u8; 16] {
        &self.rendezvous
    }

    /// Message 0.
    pub(crate) fn commit(&self) -> &[u8] {
        &self.commit
    }

    pub(crate) const fn about(&self) -> &About {
        &self.about
    }

    /// The key pair that this browser will have as a device with a key of its own.
    pub(crate) const fn device(&self) -> &IdentityKeyPair {
        &self.device
    }

    /// To be shown in place of digits.
    pub(crate) fn code(&self) -> LinkCode {
        LinkCode {
            rendezvous: self.rendezvous,
            commitment: self.commitment(),
            secret: *self.secret,
        }
    }

    /// Message 1 has come: gives message 2.
    pub(crate) fn answered(&mut self, message: &[u8]) -> Result<Vec<u8>, Fault> {
        if self.answered.is_some() {
            return Err(Fault::OutOfTurn);
        }
        let answer = LinkAnswer::decode(message).map_err(|_| Fault::Malformed)?;
        let their = guard::public_key(&answer.ephemeral).map_err(|_| Fault::Key)?;
        guard::identity_key(&answer.account_key).map_err(|_| Fault::Key)?;
        if answer.nonce.len() != 32 {
            return Err(Fault::Malformed);
        }
        let handle = answer.handle.parse::<Handle>();
        let handle = handle.map_err(|_| Fault::Malformed)?;
        let wanted = self.about.handle.parse::<Handle>().ok();
        if wanted.is_some_and(|wanted| wanted != handle) {
            return Err(Fault::OtherAccount);
        }
        let whose = Answerer {
            account: AccountId::from_slice(&answer.account).map_err(|_| Fault::Malformed)?,
            handle,
            account_key: answer.account_key,
        };
        let reveal = self.reveal();
        let said = [self.commit.as_slice(), message, &reveal];
        let transcript = keys::transcript(&self.rendezvous, said);
        let secret = if answer.by_code {
            &self.secret[..]
        } else {
            &[]
        };
        let keys = Keys::agree(&self.ephemeral, &their, secret, transcript)?;
        self.answered = Some(Answered {
            keys,
            by_code: answer.by_code,
            reveal: reveal.clone(),
            whose,
        });
        Ok(reveal)
    }

    fn reveal(&self) -> Vec<u8> {
        let About {
            handle,
            device_name,
            registration_id,
        } = self.about.clone();
        LinkReveal {
            ephemeral: self.ephemeral.public_key.serialize().into_vec(),
            device_key: self.device.identity_key().serialize().into_vec(),
            registration_id,
            nonce: self.nonce.to_vec(),
            handle,
            device_name,
        }
        .encode_to_vec()
    }

    /// Message 2 once more, after a lost connection.
    pub(crate) fn revealed(&self) -> Option<&[u8]> {
        Some(&self.answered.as_ref()?.reveal)
    }

    /// Whose device has answered.
    pub(crate) fn answerer(&self) -> Option<&Answerer> {
        Some(&self.answered.as_ref()?.whose)
    }

    /// To be shown, if they are to be typed.
    pub(crate) fn digits(&self) -> Option<String> {
        let answered = self
            .answered
            .as_ref()
            .filter(|answered| !answered.by_code)?;
        Some(answered.keys.digits())
    }

    /// Message 3 has come. It is opened, which proves who has made it, and not yet looked into.
    pub(crate) fn given(&mut self, message: &[u8]) -> Result<(), Fault> {
        let answered = self.answered.as_ref().ok_or(Fault::OutOfTurn)?;
        if self.sealed.is_some() {
            return Err(Fault::OutOfTurn);
        }
        answered.keys.open(message)?;
        self.confirmed |= answered.by_code;
        self.sealed = Some(message.to_vec());
        Ok(())
    }

    pub(crate) const fn is_given(&self) -> bool {
        self.sealed.is_some()
    }

    /// The person types what the other device shows.
    pub(crate) fn confirm(&mut self, text: &str) -> Tried {
        let (Some(answered), Some(text)) = (&self.answered, keys::typed(text, ANSWER_DIGITS))
        else {
            return Tried::NoDigits;
        };
        if self.wrong >= LINK_ANSWER_TRIES {
            return Tried::Over;
        }
        if keys::is_same(&text, &answered.keys.answer()) {
            self.confirmed = true;
            return Tried::Right;
        }
        self.wrong += 1;
        match LINK_ANSWER_TRIES - self.wrong {
            0 => Tried::Over,
            left => Tried::Wrong { left },
        }
    }

    /// What was given, once it is confirmed.
    pub(crate) fn taken(&self) -> Option<Result<LinkPayload, Fault>> {
        let sealed = self.sealed.as_ref().filter(|_| self.confirmed)?;
        let keys = &self.answered.as_ref()?.keys;
        let opened = keys.open(sealed);
        Some(
            opened.and_then(|bytes| {
                LinkPayload::decode(bytes.as_slice()).map_err(|_| Fault::Malformed)
            }),
        )
    }
}
