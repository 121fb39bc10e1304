//! Coming back to an account when its devices are gone: the account key, sealed by words on paper, kept by the relay.
//!
//! ```text
//!   make:    words -> sealed key -> relay                                    shown once, kept nowhere
//!   recover: words + credential -> relay gives the sealed key -> opened -> pending device -> relay agrees -> device
//! ```
//! Nothing is stored before the words have opened the key; from then on it goes on by itself after a crash, as linking does.
//! Own devices agree in registers on which sealed key is theirs, and on who came by it. What words are is not known here.

mod agreed;
mod seal;
mod words;

use rand::RngCore;
use sha2::{Digest, Sha256};
use wire::body::{Base64, DeviceCredentials, Refusal as Said, from_json, to_json};
use wire::recovery::{
    OpenRecovery, OpenedRecovery, PutRecovery, RecoverDevice, recover_device_proof, recovery_proof,
};
use wire::{AccountId, Endpoint, Handle, Recovery, Response};
use zeroize::Zeroizing;

pub(crate) use self::agreed::{RECOVERED, show};
use self::seal::Contents;
use self::words::Entropy;
use crate::account::{self, Account};
use crate::commands::general_refusal;
use crate::error::{Error, KeyRefusal, Refusal};
use crate::input::{RecoveryCommand, Ticket};
use crate::output::{RecoveryReply, RecoveryStatus, Reply};
use crate::request::{Pending, retry_at};
use crate::session::identity_pair;
use crate::state::State;
use crate::tx::Tx;

/// What was asked about recovery, until it is answered.
pub(crate) enum Asked {
    /// Whether there is a sealed key.
    Status(Ticket),
    /// To keep this one, which the words open.
    Put {
        /// Which command.
        ticket: Ticket,
        /// For the person, once it is kept.
        words: Zeroizing<String>,
        /// SHA-256 of it.
        digest: Vec<u8>,
    },
    /// The sealed key of an account.
    Open(Box<Coming>),
    /// To become a device; after a restart nobody waits for it.
    Device(Option<Ticket>),
}

/// Who comes back, with words that may be the right ones.
pub(crate) struct Coming {
    ticket: Ticket,
    handle: Handle,
    credential: Option<String>,
    device_name: String,
    entropy: Entropy,
}

/// Words are not for logs.
impl std::fmt::Debug for Asked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Status(_) => "Status",
            Self::Put { .. } => "Put",
            Self::Open(_) => "Open",
            Self::Device(_) => "Device",
        })
    }
}

impl Asked {
    /// The command that waits for the answer, if one does.
    pub(crate) fn ticket(&self) -> Option<Ticket> {
        match self {
            Self::Status(ticket) | Self::Put { ticket, .. } => Some(*ticket),
            Self::Open(coming) => Some(coming.ticket),
            Self::Device(ticket) => *ticket,
        }
    }
}

impl State {
    pub(crate) async fn recovery(
        &mut self,
        tx: &mut Tx<'_>,
        ticket: Ticket,
        command: RecoveryCommand,
    ) -> Result<(), Error> {
        match command {
            RecoveryCommand::Make => self.make_code(tx, ticket),
            RecoveryCommand::Status => {
                let pending = Pending::Recovery(Asked::Status(ticket));
                let endpoint = Endpoint::Recovery(Recovery::Status);
                self.connection.ask(tx, &endpoint, pending);
                Ok(())
            }
            RecoveryCommand::Recover {
                handle,
                credential,
                words,
                device_name,
            } => {
                match coming(
                    ticket,
                    &handle,
                    credential,
                    &Zeroizing::new(words),
                    device_name,
                ) {
                    Ok(coming) => self.open_sealed(tx, coming),
                    Err(refusal) => tx.resolve(ticket, Err(refusal)),
                }
                Ok(())
            }
            RecoveryCommand::Anew {
                handle,
                credential,
                device_name,
            } => {
                self.register_as(tx, ticket, (&handle, &device_name), credential, true)
                    .await
            }
        }
    }

    pub(crate) async fn recovery_answered(
        &mut self,
        tx: &mut Tx<'_>,
        asked: Asked,
        answer: &Response,
    ) -> Result<(), Error> {
        match asked {
            Asked::Status(ticket) => {
                let result = self.status(tx, answer).await?;
                tx.resolve(ticket, result.map(reply));
                Ok(())
            }
            Asked::Put {
                ticket,
                words,
                digest,
            } => {
                if answer.status != 204 {
                    tx.resolve(ticket, Err(general_refusal(answer.status)));
                    return Ok(());
                }
                self.note_code(tx, &digest).await?;
                let words = RecoveryReply::Words(words.to_string());
                tx.resolve(ticket, Ok(Reply::Recovery(words)));
                Ok(())
            }
            Asked::Open(coming) => self.opened(tx, *coming, answer).await,
            Asked::Device(ticket) => self.recovered(tx, ticket, answer).await,
        }
    }

    fn make_code(&mut self, tx: &mut Tx<'_>, ticket: Ticket) -> Result<(), Error> {
        let own = self.account.clone().ok_or(NOBODY)?;
        if !own.is_owner() {
            tx.resolve(ticket, Err(Refusal::NotOwner));
            return Ok(());
        }
        let mut entropy = Entropy::default();
        self.rng.fill_bytes(entropy.as_mut_slice());
        let profile_key = own.record.profile_key.as_slice();
        let contents = Contents {
            identity: own.identity,
            profile_key: profile_key.try_into().map_err(|_| BUG)?,
        };
        let sealed = seal::seal(&entropy, own.id(), &contents, &mut self.rng).ok_or(BUG)?;
        let private = own.identity.private_key();
        let proof = private
            .calculate_signature(&recovery_proof(own.id(), &sealed), &mut self.rng)
            .map_err(|_| BUG)?;
        let digest = Sha256::digest(&sealed).to_vec();
        let body = PutRecovery {
            sealed: Base64(sealed),
            proof: Base64(proof.into_vec()),
        };
        let asked = Asked::Put {
            ticket,
            words: Zeroizing::new(words::write(&entropy).ok_or(BUG)?),
            digest,
        };
        self.ask_recovery(tx, Recovery::Put, to_json(&body), asked);
        Ok(())
    }

    fn open_sealed(&mut self, tx: &mut Tx<'_>, coming: Coming) {
        let body = OpenRecovery {
            handle: coming.handle.clone(),
            credential: coming.credential.clone(),
        };
        let asked = Asked::Open(Box::new(coming));
        self.ask_recovery(tx, Recovery::Open, to_json(&body), asked);
    }

    /// The relay's answer with the sealed key: everything that a device needs is stored, then the relay is asked.
    async fn opened(
        &mut self,
        tx: &mut Tx<'_>,
        coming: Coming,
        answer: &Response,
    ) -> Result<(), Error> {
        let Coming { ticket, .. } = coming;
        let opened = match (answer.status, from_json::<OpenedRecovery>(&answer.body)) {
            (200, Ok(opened)) => opened,
            (200, Err(_)) => {
                tx.resolve(ticket, Err(Refusal::RelayProtocol));
                return Ok(());
            }
            _ => {
                tx.resolve(ticket, Err(guest_refusal(answer)));
                return Ok(());
            }
        };
        let account = opened.uuid;
        let Some(contents) = seal::open(&coming.entropy, account, &opened.sealed.0) else {
            tx.resolve(ticket, Err(KeyRefusal::RecoveryRefused.into()));
            return Ok(());
        };
        if !self.may_join(account, contents.identity.identity_key()) {
            tx.resolve(ticket, Err(Refusal::OtherAccount));
            return Ok(());
        }
        let mut record = self.new_pending(tx, &contents.identity, &coming.device_name)?;
        record.account = account.as_bytes().to_vec();
        record.profile_key = contents.profile_key.to_vec();
        self.succeed(&mut record);
        record.handle = coming.handle.to_string();
        record.credential = coming.credential;
        record.recovery = Sha256::digest(&opened.sealed.0).to_vec();
        self.save_pending(tx, record);
        self.join_recovered(tx, Some(ticket)).await
    }

    /// Asks to be the pending device. Asking again gives the same answer.
    pub(crate) async fn join_recovered(
        &mut self,
        tx: &mut Tx<'_>,
        ticket: Option<Ticket>,
    ) -> Result<(), Error> {
        let record = self.pending.clone().ok_or(NOBODY)?;
        let identity = identity_pair(&record.identity)?;
        let id = AccountId::from_slice(&record.account).map_err(|_| BUG)?;
        let private = identity.private_key();
        let proof = private
            .calculate_signature(&recover_device_proof(id, &record.password), &mut self.rng)
            .map_err(|_| BUG)?;
        let (signed, last_resort) =
            account::published_keys(tx, record.signed_pre_key, record.last_resort_key).await?;
        let body = RecoverDevice {
            handle: record.handle.parse().map_err(|_| BUG)?,
            credential: record.credential.clone(),
            password: record.password.clone(),
            proof: Base64(proof.into_vec()),
            account_attributes: account::attributes(&record, &identity, &mut self.rng)?,
            aci_signed_pre_key: signed,
            aci_pq_last_resort_pre_key: last_resort,
        };
        self.ask_recovery(tx, Recovery::Device, to_json(&body), Asked::Device(ticket));
        Ok(())
    }

    /// The relay's answer to becoming a device.
    async fn recovered(
        &mut self,
        tx: &mut Tx<'_>,
        ticket: Option<Ticket>,
        answer: &Response,
    ) -> Result<(), Error> {
        let account = self.pending.as_ref().map(|record| record.account.clone());
        let given = from_json::<DeviceCredentials>(&answer.body);
        let result = match (answer.status, given) {
            (200, Ok(given)) if Some(given.uuid.as_bytes().as_slice()) == account.as_deref() => {
                self.become_device(tx, &given).await?;
                let view = self.account.as_ref().and_then(Account::view);
                view.map(Reply::Account).ok_or(Refusal::Internal)
            }
            // Not now, and nobody waits who would try again.
            (429 | 500..=599, _) if ticket.is_none() => {
                self.join_at = Some(retry_at(tx.now, answer));
                return Ok(());
            }
            (200, _) => Err(Refusal::RelayProtocol),
            _ => {
                self.drop_pending(tx);
                Err(guest_refusal(answer))
            }
        };
        if let Some(ticket) = ticket {
            tx.resolve(ticket, result);
        }
        Ok(())
    }

    fn ask_recovery(&mut self, tx: &mut Tx<'_>, what: Recovery, body: Vec<u8>, asked: Asked) {
        let endpoint = Endpoint::Recovery(what);
        let pending = Pending::Recovery(asked);
        self.connection
            .request(tx, &endpoint, Vec::new(), body, pending);
    }
}

fn coming(
    ticket: Ticket,
    handle: &str,
    credential: Option<String>,
    words: &str,
    device_name: String,
) -> Result<Coming, Refusal> {
    Ok(Coming {
        ticket,
        handle: handle.parse().map_err(|_| Refusal::HandleInvalid)?,
        credential,
        device_name,
        entropy: words::read(words)?,
    })
}

/// What a refusal says to a browser that is no device yet.
fn guest_refusal(answer: &Response) -> Refusal {
    let said = from_json::<Said>(&answer.body).map(|said| said.code);
    match (answer.status, said.as_deref()) {
        (404, Ok("no_recovery")) => KeyRefusal::RecoveryNone.into(),
        (404, Ok("unknown_handle")) => Refusal::UnknownHandle,
        (401, _) => Refusal::CredentialRefused,
        (411, _) => Refusal::DeviceLimit,
        (422, _) => KeyRefusal::RecoveryRefused.into(),
        (status, _) => general_refusal(status),
    }
}

const fn reply(status: RecoveryStatus) -> Reply {
    Reply::Recovery(RecoveryReply::Status(status))
}

const BUG: Error = Error::Bug("a recovery code can't be made or used");
const NOBODY: Error = Error::Bug("there is no account to recover");
