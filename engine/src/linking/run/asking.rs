//! The new browser's run, carried out: beside its URIs it opens a rendezvous, shows digits once a device has answered,
//! and takes the account when the person has told it the digits of that device.
//!
//! It ends with the attempt that it belongs to, and ends that one: what was drawn for it is gone then.

use libsignal_protocol::KeyPair;
use prost::Message as _;
use rand_chacha::ChaCha20Rng;
use wire::proto::linking::LinkPayload;
use wire::proto::provisioning::ProvisionMessage;
use wire::rendezvous::{self, Open, Opened, Rendezvous};
use wire::{Endpoint, RegistrationId, Response};

use super::new_side::{About, NewSide};
use super::{Answerer, Asked, Else, Errand, Fault, Tried, otherwise};
use crate::account::draw_registration_id;
use crate::error::{Error, Refusal, RunRefusal};
use crate::guard;
use crate::input::Ticket;
use crate::limits::{LINK_POLL_S, LINK_RUN_MS};
use crate::linking::given::{Given, checked};
use crate::output::Reply;
use crate::service::Service;
use crate::state::State;
use crate::tx::Tx;

/// The run of a browser that asks to be linked.
pub(crate) struct Asking {
    pub(super) errand: Errand,
    side: NewSide,
    credential: Option<String>,
    /// Where it puts and gets messages.
    address: Option<String>,
    /// The device has answered and knows what the digits are made of.
    shown: bool,
}

/// What is shown of a run.
#[derive(Default)]
pub(crate) struct Shown {
    pub(crate) code: Option<String>,
    pub(crate) digits: Option<String>,
    pub(crate) approved: bool,
}

impl State {
    /// Opens a rendezvous, where there are such, if it is known of which account.
    pub(crate) fn start_asking(
        &mut self,
        tx: &mut Tx<'_>,
        handle: Option<String>,
        credential: Option<String>,
        device_name: String,
    ) {
        let handle = handle.unwrap_or_default();
        let is_known = !handle.is_empty() || credential.is_some();
        if self.service != Some(Service::Lockstep) || !is_known {
            return;
        }
        let drawn = draw_registration_id(&mut self.rng);
        let about = About {
            handle,
            device_name,
            registration_id: self.other_incarnation(drawn).into(),
        };
        self.open_rendezvous(tx, about, credential);
    }

    fn open_rendezvous(&mut self, tx: &mut Tx<'_>, about: About, credential: Option<String>) {
        let run = self.runs.next();
        let mut errand = Errand::new(run, Asked::Open, tx.now);
        errand.expires_at = Some(tx.now.plus_ms(LINK_RUN_MS));
        self.runs.asking = Some(Asking {
            errand,
            side: NewSide::new(about, &mut self.rng),
            credential,
            address: None,
            shown: false,
        });
        self.ask_asking(tx, Asked::Open);
    }

    fn ask_asking(&mut self, tx: &mut Tx<'_>, asked: Asked) {
        let Some(asking) = &mut self.runs.asking else {
            return;
        };
        asking.errand.note(asked, tx.now);
        let run = asking.errand.run;
        if let Some(what) = asking.request(asked) {
            self.run_request(tx, run, asked, what);
        }
    }

    pub(super) async fn asking_answered(
        &mut self,
        tx: &mut Tx<'_>,
        run: u32,
        asked: Asked,
        answer: &Response,
    ) -> Result<(), Error> {
        let Some(asking) = &mut self.runs.asking else {
            return Ok(());
        };
        if asking.errand.run != run {
            return Ok(());
        }
        match (asked, answer.status) {
            (Asked::Open, _) => self.rendezvous_opened(tx, answer),
            (Asked::Answer, 200) => self.run_is_answered(tx, &answer.body),
            (Asked::Reveal, 204) => {
                asking.shown = true;
                self.ask_asking(tx, Asked::Payload);
                self.show_attempt(tx);
            }
            (Asked::Payload, 200) => match asking.side.given(&answer.body) {
                Ok(()) => {
                    self.ask_asking(tx, Asked::Hear);
                    self.show_attempt(tx);
                    return self.take_confirmed(tx).await;
                }
                Err(fault) => self.asking_failed(tx, fault.refusal()),
            },
            _ => match otherwise(answer) {
                Else::Later => asking.errand.later(tx.now, answer),
                Else::Over(refusal) => self.end_offers(tx, refusal),
            },
        }
        Ok(())
    }

    /// Without a rendezvous there are only URIs, and why is told.
    fn rendezvous_opened(&mut self, tx: &mut Tx<'_>, answer: &Response) {
        let opened = Opened::decode(&answer.body);
        let problem = match (answer.status, opened) {
            (200, Ok(opened)) => {
                if let Some(asking) = &mut self.runs.asking {
                    asking.address = Some(opened.address);
                }
                self.ask_asking(tx, Asked::Answer);
                self.show_attempt(tx);
                return;
            }
            (401, _) => Refusal::CredentialRefused,
            (404 | 422, _) => Refusal::UnknownHandle,
            (429, _) => Refusal::Run(RunRefusal::TooMany),
            _ => Refusal::RelayRefused,
        };
        self.runs.asking = None;
        self.note_problem(tx, problem);
    }

    fn run_is_answered(&mut self, tx: &mut Tx<'_>, message: &[u8]) {
        let Some(asking) = &mut self.runs.asking else {
            return;
        };
        let answered = asking.side.answered(message);
        let whose = asking.side.answerer().cloned();
        // A browser that was a device comes back to its account alone.
        let is_own = whose.is_none_or(|whose| {
            let key = guard::identity_key(&whose.account_key);
            key.is_ok_and(|key| self.may_join(whose.account, &key))
        });
        match answered {
            Ok(_) if is_own => self.ask_asking(tx, Asked::Reveal),
            Ok(_) => self.asking_failed(tx, Refusal::OtherAccount),
            Err(fault) => self.asking_failed(tx, fault.refusal()),
        }
    }

    /// Everything that was drawn and learned is gone, and nothing was stored.
    fn asking_failed(&mut self, tx: &mut Tx<'_>, refusal: Refusal) {
        self.end_asking(tx);
        self.end_offers(tx, refusal);
    }

    /// Ends the run, if there is one, and tells the relay.
    pub(crate) fn end_asking(&mut self, tx: &mut Tx<'_>) {
        if let Some(asking) = self.runs.asking.take()
            && let Some(address) = asking.address
        {
            self.end_rendezvous(tx, asking.errand.run, address);
        }
    }

    /// The person types the digits of the other device.
    pub(crate) async fn confirm_run(
        &mut self,
        tx: &mut Tx<'_>,
        ticket: Ticket,
        digits: &str,
    ) -> Result<(), Error> {
        let Some(asking) = &mut self.runs.asking else {
            let over = Refusal::Run(RunRefusal::Over);
            tx.resolve(ticket, Err(over));
            return Ok(());
        };
        let tried = asking.side.confirm(digits);
        tx.resolve(ticket, tried.result().map(|()| Reply::Done));
        match tried {
            Tried::Right => self.take_confirmed(tx).await?,
            Tried::Over => self.asking_failed(tx, Refusal::Run(RunRefusal::Over)),
            Tried::NoDigits | Tried::Wrong { .. } => {}
        }
        Ok(())
    }

    /// What was given, if it is here and confirmed.
    async fn take_confirmed(&mut self, tx: &mut Tx<'_>) -> Result<(), Error> {
        let rng = &mut self.rng;
        let asking = self.runs.asking.as_ref();
        let taken = asking.and_then(|asking| Some((asking.taken(rng)?, asking.registration_id())));
        match taken {
            None => Ok(()),
            Some((Ok(given), settled)) => {
                self.runs.asking = None;
                self.take_given(tx, Some(given), settled).await
            }
            Some((Err(fault), _)) => {
                self.asking_failed(tx, fault.refusal());
                Ok(())
            }
        }
    }

    /// What is shown of the run.
    pub(crate) fn shown_run(&self) -> Shown {
        let Some(asking) = &self.runs.asking else {
            return Shown::default();
        };
        let is_open = asking.address.is_some();
        Shown {
            code: is_open.then(|| asking.side.code().to_string()),
            digits: asking.side.digits().filter(|_| asking.shown),
            approved: asking.side.is_given(),
        }
    }

    /// Whether a device has answered: then the attempt goes on until the run is over.
    pub(crate) fn is_run_answered(&self) -> bool {
        let asking = self.runs.asking.as_ref();
        asking.is_some_and(|asking| asking.side.answerer().is_some())
    }

    pub(super) fn resume_asking(&mut self, tx: &mut Tx<'_>) {
        let Some(asking) = &self.runs.asking else {
            return;
        };
        let asked = asking.errand.asked;
        if asked == Asked::Open {
            // Whether it was opened is not known, and it can't be opened twice.
            let about = asking.side.about().clone();
            let credential = asking.credential.clone();
            self.open_rendezvous(tx, about, credential);
        } else {
            self.ask_asking(tx, asked);
        }
    }

    pub(super) fn tick_asking(&mut self, tx: &mut Tx<'_>) {
        let Some(asking) = &mut self.runs.asking else {
            return;
        };
        let (again, errand) = (asking.errand.asked, &mut asking.errand);
        if errand.expires_at.is_some_and(|at| at <= tx.now) {
            self.asking_failed(tx, Refusal::LinkExpired);
        } else if errand.again_at.is_some_and(|at| at <= tx.now) {
            errand.again_at = None;
            if self.connection.is_up() {
                self.ask_asking(tx, again);
            }
        }
    }
}

impl Asking {
    fn request(&self, asked: Asked) -> Option<(Endpoint, Vec<u8>)> {
        let at = self.address.clone();
        let (what, body) = match asked {
            Asked::Open => {
                let open = Open {
                    rendezvous: *self.side.rendezvous(),
                    handle: self.side.about().handle.parse().ok(),
                    credential: self.credential.clone(),
                    message: self.side.commit().to_vec(),
                };
                (Rendezvous::Open, open.encode())
            }
            Asked::Answer => (get(at?, 0), Vec::new()),
            Asked::Reveal => {
                let put = Rendezvous::Put { at: at?, index: 1 };
                (put, self.side.revealed()?.to_vec())
            }
            Asked::Payload => (get(at?, 1), Vec::new()),
            Asked::Hear => (get(at?, 2), Vec::new()),
            Asked::Look
            | Asked::PutAnswer
            | Asked::Revealed
            | Asked::Token
            | Asked::Give
            | Asked::Device
            | Asked::Watch
            | Asked::End => return None,
        };
        Some((Endpoint::Rendezvous(what), body))
    }

    /// What was given and confirmed must be of the account that has answered, and for what was committed to.
    fn taken(&self, rng: &mut ChaCha20Rng) -> Option<Result<Given, Fault>> {
        let payload = match self.side.taken()? {
            Ok(payload) => payload,
            Err(fault) => return Some(Err(fault)),
        };
        Some(self.given(&payload, rng).ok_or(Fault::Malformed))
    }

    fn given(&self, payload: &LinkPayload, rng: &mut ChaCha20Rng) -> Option<Given> {
        let message = ProvisionMessage::decode(payload.provision_message.as_slice()).ok()?;
        let device = self.side.device();
        let own = KeyPair::new(*device.identity_key().public_key(), *device.private_key());
        let given = checked(message, &own, rng)?;
        let Answerer {
            account,
            handle: _,
            account_key,
        } = self.side.answerer()?;
        let is_answerers =
            given.account == *account && *given.account_key.serialize() == **account_key;
        let certificate = given.certificate.as_ref();
        let is_committed = certificate.is_none_or(|signed| {
            Some(signed.certificate.registration_id) == self.registration_id()
        });
        (is_answerers && is_committed).then_some(given)
    }

    fn registration_id(&self) -> Option<RegistrationId> {
        self.side.about().registration_id.try_into().ok()
    }
}

pub(super) const fn get(at: String, index: u8) -> Rendezvous {
    Rendezvous::Get {
        at,
        index,
        timeout_s: LINK_POLL_S,
    }
}

/// The id of a rendezvous, as devices name it.
pub(super) fn name(id: &[u8; 16]) -> String {
    rendezvous::name(id)
}
