//! The existing device's run, carried out: it looks who waits when the person wants to link a device, answers, takes the
//! digits, and waits for the device. What it gives after the approval is in `giving`.

use wire::link_code::LinkCode;
use wire::rendezvous::{Rendezvous, Waiting};
use wire::{DeviceId, Endpoint, Handle, Response};

use super::asking::{get, name};
use super::existing_side::{AboutAccount, ExistingSide, NewDevice};
use super::{Asked, Else, Errand, Tried, otherwise};
use crate::account::Account;
use crate::error::{Error, Refusal, RunRefusal};
use crate::input::{RunCommand, Ticket};
use crate::limits::{LINK_POLL_S, LINK_RUN_MS, LINK_RUN_WAIT_S};
use crate::output::{Digits, LinkClaim, LinkWay, Reply};
use crate::peers;
use crate::record::PeerRecord;
use crate::staff::Standing;
use crate::state::State;
use crate::trust;
use crate::tx::Tx;

/// The run of a device that may let another one in.
pub(crate) struct Deciding {
    pub(super) errand: Errand,
    code: Option<LinkCode>,
    pub(super) side: Option<ExistingSide>,
    claimed: Option<Handle>,
    /// Waits for somebody who asks.
    opened: Option<Ticket>,
    /// Waits for the device, which is to be this.
    pub(super) approved: Option<(Ticket, Standing)>,
    /// Wait for the digits of the answer.
    answers: Vec<Ticket>,
    /// By which the device is waited for.
    pub(super) token: Option<String>,
    /// Message 3.
    pub(super) sealed: Option<Vec<u8>>,
    /// The list names it, as this device.
    pub(super) certified: Option<DeviceId>,
}

pub(super) const OVER: Refusal = Refusal::Run(RunRefusal::Over);

impl State {
    pub(crate) async fn run_command(
        &mut self,
        tx: &mut Tx<'_>,
        ticket: Ticket,
        command: RunCommand,
    ) -> Result<(), Error> {
        match command {
            RunCommand::Confirm { digits } => self.confirm_run(tx, ticket, &digits).await?,
            RunCommand::Wait => self.start_deciding(tx, ticket, None),
            RunCommand::Enter { digits } => self.enter_digits(tx, ticket, &digits),
            RunCommand::Approve { role, history } => {
                self.approve_run(tx, ticket, role.into(), history).await?;
            }
            RunCommand::Answer => match self.runs.deciding.as_mut() {
                Some(run) => {
                    run.answers.push(ticket);
                    self.tell_answer(tx);
                }
                None => tx.resolve(ticket, Err(OVER)),
            },
            RunCommand::Reject => {
                self.end_deciding(tx, Refusal::LinkCancelled);
                tx.resolve(ticket, Ok(Reply::Done));
            }
        }
        self.unlist(tx).await
    }

    /// The person wants to link a device. What they began before is over.
    pub(crate) fn start_deciding(
        &mut self,
        tx: &mut Tx<'_>,
        ticket: Ticket,
        code: Option<LinkCode>,
    ) {
        self.end_deciding(tx, Refusal::LinkCancelled);
        if let Some(refusal) = self.may_link() {
            tx.resolve(ticket, Err(refusal));
            return;
        }
        let run = self.runs.next();
        self.runs.deciding = Some(Deciding {
            errand: Errand::new(run, Asked::Look, tx.now),
            code,
            side: None,
            claimed: None,
            opened: Some(ticket),
            approved: None,
            answers: Vec::new(),
            token: None,
            sealed: None,
            certified: None,
        });
        self.ask_deciding(tx, Asked::Look);
    }

    /// Why this device may not link others (K-5). Digits need a service of ours.
    fn may_link(&self) -> Option<Refusal> {
        let own = self.account.as_ref()?;
        let plain = own.is_plain().then_some(Refusal::RelayRefused);
        plain.or((!own.is_owner()).then_some(Refusal::NotOwner))
    }

    pub(super) fn ask_deciding(&mut self, tx: &mut Tx<'_>, asked: Asked) {
        let Some(deciding) = &mut self.runs.deciding else {
            return;
        };
        if asked != Asked::Watch {
            deciding.errand.note(asked, tx.now); // what is watched is asked for beside something else
        }
        let run = deciding.errand.run;
        if let Some(what) = deciding.request(asked) {
            self.run_request(tx, run, asked, what);
        }
    }

    pub(super) async fn deciding_answered(
        &mut self,
        tx: &mut Tx<'_>,
        (run, asked): (u32, Asked),
        answer: &Response,
    ) -> Result<(), Error> {
        let Some(deciding) = &mut self.runs.deciding else {
            return Ok(());
        };
        if deciding.errand.run != run {
            return Ok(());
        }
        match (asked, answer.status) {
            (Asked::Look, 200) => self.answer_waiting(tx, &answer.body).await?,
            (Asked::Look, 204) if deciding.code.is_some() => {
                self.end_deciding(tx, Refusal::LinkExpired);
            }
            (Asked::PutAnswer, 204) => self.ask_deciding(tx, Asked::Revealed),
            (Asked::PutAnswer, 409) => self.end_deciding(tx, Refusal::LinkBusy),
            (Asked::Revealed, 200) => self.run_revealed(tx, &answer.body),
            (Asked::Token, _) => self.run_token(tx, answer).await?,
            (Asked::Give, 204) => {
                self.tell_answer(tx);
                self.ask_deciding(tx, Asked::Device);
                self.ask_deciding(tx, Asked::Watch);
            }
            (Asked::Device, _) => {
                let run = self.runs.deciding.take();
                let run = run.and_then(|run| Some((run.approved.as_ref()?.0, run.certified)));
                if let Some((ticket, certified)) = run {
                    self.device_came(tx, ticket, certified, answer).await?;
                }
            }
            (Asked::Watch, 204) => self.ask_deciding(tx, Asked::Watch),
            // Its time at the relay is over; whether the device comes, its own question says.
            (Asked::Watch, status) if status != 410 => {}
            _ => match otherwise(answer) {
                Else::Later => deciding.errand.later(tx.now, answer),
                Else::Over(refusal) => self.end_deciding(tx, refusal),
            },
        }
        Ok(())
    }

    /// Somebody waits: answers them.
    async fn answer_waiting(&mut self, tx: &mut Tx<'_>, body: &[u8]) -> Result<(), Error> {
        let (Some(run), Some(own)) = (&mut self.runs.deciding, &self.account) else {
            return Ok(());
        };
        let Ok(waiting) = Waiting::decode(body) else {
            self.end_deciding(tx, Refusal::RelayProtocol);
            return Ok(());
        };
        let peer = peers::record(tx, own.id()).await?;
        let side = about(own, &peer).map(|about| {
            let code = run.code.as_ref();
            ExistingSide::new(&waiting, code, about, &mut self.rng)
        });
        match side {
            Some(Ok(side)) => {
                run.side = Some(side);
                run.claimed = waiting.claimed;
                run.errand.expires_at = Some(tx.now.plus_ms(LINK_RUN_MS));
                self.ask_deciding(tx, Asked::PutAnswer);
            }
            Some(Err(fault)) => self.end_deciding(tx, fault.refusal()),
            None => self.end_deciding(tx, Refusal::NotReady),
        }
        Ok(())
    }

    fn run_revealed(&mut self, tx: &mut Tx<'_>, message: &[u8]) {
        let Some(run) = &mut self.runs.deciding else {
            return;
        };
        let Some(side) = &mut run.side else { return };
        if let Err(fault) = side.revealed(message) {
            return self.end_deciding(tx, fault.refusal());
        }
        if let (Some(ticket), Some(device)) = (run.opened.take(), side.device()) {
            let claim = LinkClaim {
                device_name: device.name.clone(),
                claimed_handle: run.claimed.clone(),
                way: if side.wants_digits() {
                    LinkWay::Digits
                } else {
                    LinkWay::Code
                },
                expires_at: run.errand.expires_at,
            };
            tx.resolve(ticket, Ok(Reply::LinkClaim(claim)));
        }
    }

    fn enter_digits(&mut self, tx: &mut Tx<'_>, ticket: Ticket, digits: &str) {
        let side = self
            .runs
            .deciding
            .as_mut()
            .and_then(|run| run.side.as_mut());
        let tried = side.map_or(Tried::Over, |side| side.enter(digits));
        tx.resolve(ticket, tried.result().map(|()| Reply::Done));
        if tried == Tried::Over {
            self.end_deciding(tx, OVER);
        }
    }

    /// The digits for the new browser, as soon as it has been given something.
    fn tell_answer(&mut self, tx: &mut Tx<'_>) {
        let Some(run) = &mut self.runs.deciding else {
            return;
        };
        if let Some(told) = run.side.as_ref().and_then(ExistingSide::told) {
            for ticket in run.answers.drain(..) {
                tx.resolve(ticket, Ok(Reply::Digits(Digits(told.clone()))));
            }
        }
    }

    /// Whatever waits for this run is told so, and the new browser too.
    pub(super) fn end_deciding(&mut self, tx: &mut Tx<'_>, refusal: Refusal) {
        let Some(run) = self.runs.deciding.take() else {
            return;
        };
        self.runs.never_came.extend(run.certified);
        if let Some(at) = run.at() {
            self.end_rendezvous(tx, run.errand.run, at);
        }
        let approved = run.approved.map(|(ticket, _)| ticket);
        let waiting = run.opened.into_iter().chain(approved);
        for ticket in waiting.chain(run.answers) {
            tx.resolve(ticket, Err(refusal));
        }
    }

    pub(super) fn resume_deciding(&mut self, tx: &mut Tx<'_>) {
        let Some(run) = &self.runs.deciding else {
            return;
        };
        let asked = run.errand.asked;
        // Once the other side is known there is nothing to ask until the person decides.
        let decides = asked == Asked::Revealed && run.opened.is_none();
        if !decides {
            self.ask_deciding(tx, asked);
        }
        if asked == Asked::Device {
            self.ask_deciding(tx, Asked::Watch);
        }
    }

    pub(super) fn tick_deciding(&mut self, tx: &mut Tx<'_>) {
        let Some(run) = &mut self.runs.deciding else {
            return;
        };
        let (again, errand) = (run.errand.asked, &mut run.errand);
        // A device that was given the account may still come.
        let is_given = again == Asked::Device;
        if errand.expires_at.is_some_and(|at| at <= tx.now) && !is_given {
            self.end_deciding(tx, Refusal::LinkExpired);
        } else if is_given {
            errand.expires_at = None;
        } else if errand.again_at.is_some_and(|at| at <= tx.now) {
            errand.again_at = None;
            if self.connection.is_up() {
                self.ask_deciding(tx, again);
            }
        }
    }
}

impl Deciding {
    /// The name of the rendezvous, once one was found.
    pub(super) fn at(&self) -> Option<String> {
        Some(name(self.side.as_ref()?.rendezvous()))
    }

    pub(super) fn new_device(&self) -> Option<&NewDevice> {
        self.side.as_ref()?.device()
    }

    fn request(&self, asked: Asked) -> Option<(Endpoint, Vec<u8>)> {
        let put = |index, message: &[u8]| {
            let what = Rendezvous::Put {
                at: self.at()?,
                index,
            };
            Some((what, message.to_vec()))
        };
        let (what, body) = match asked {
            Asked::Look => {
                let at = self.code.as_ref().map(|code| name(&code.rendezvous));
                let timeout_s = if at.is_some() { 0 } else { LINK_POLL_S };
                (Rendezvous::Look { at, timeout_s }, Vec::new())
            }
            Asked::PutAnswer => put(0, self.side.as_ref()?.answer())?,
            Asked::Revealed => (get(self.at()?, 1), Vec::new()),
            Asked::Give => put(1, self.sealed.as_ref()?)?,
            Asked::Watch => (get(self.at()?, 2), Vec::new()),
            Asked::Token => return Some((Endpoint::LinkToken, Vec::new())),
            Asked::Device => {
                let endpoint = Endpoint::WaitForLinkedDevice {
                    token_identifier: self.token.clone()?,
                    timeout_s: LINK_RUN_WAIT_S,
                };
                return Some((endpoint, Vec::new()));
            }
            Asked::Open
            | Asked::Answer
            | Asked::Reveal
            | Asked::Payload
            | Asked::Hear
            | Asked::End => return None,
        };
        Some((Endpoint::Rendezvous(what), body))
    }
}

/// What everybody may know of this account.
fn about(own: &Account, peer: &PeerRecord) -> Option<AboutAccount> {
    let (list_version, list_hash) = trust::newest(peer);
    Some(AboutAccount {
        account: own.id(),
        handle: own.handle.clone()?,
        account_key: own.account_key.serialize().into_vec(),
        list_version,
        list_hash,
    })
}
