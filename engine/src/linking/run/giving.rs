//! What an existing device gives a new browser at the end of a run: once the person has typed the digits, or read the code, and
//! approved, a link token, then, for a device with a key of its own, a certificate in a new list, and all of it sealed.
//!
//! Rule LR-6: the account's private key is neither used nor handed on before the approval.

use prost::Message as _;
use wire::Response;
use wire::body::{LinkToken, from_json};
use wire::proto::linking::LinkPayload;

use super::Asked;
use super::deciding::{Deciding, OVER};
use crate::commands::general_refusal;
use crate::error::{Error, Refusal, RunRefusal};
use crate::input::{HistoryChoice, Ticket};
use crate::linking::approve::provision_message;
use crate::staff::Standing;
use crate::state::State;
use crate::trust::Purpose;
use crate::tx::Tx;

impl State {
    /// The person has approved. Nothing was made for the new browser until here.
    pub(crate) async fn approve_run(
        &mut self,
        tx: &mut Tx<'_>,
        ticket: Ticket,
        standing: Standing,
        history: HistoryChoice,
    ) -> Result<(), Error> {
        let run = self.runs.deciding.as_ref();
        let refusal = match run.and_then(|run| Some((run, run.side.as_ref()?))) {
            None => Some(OVER),
            Some((_, side)) if !side.is_matched() => Some(Refusal::Run(RunRefusal::DigitsMissing)),
            Some((run, _)) if run.approved.is_some() => Some(Refusal::LinkBusy),
            Some(_) => None,
        };
        if let Some(refusal) = refusal {
            tx.resolve(ticket, Err(refusal));
            return Ok(());
        }
        let at = run.and_then(Deciding::at).unwrap_or_default();
        if let Err(refusal) = self.choose_history(tx, &at, history).await? {
            tx.resolve(ticket, Err(refusal));
            return Ok(());
        }
        self.note_approval(ticket, &at);
        if let Some(run) = &mut self.runs.deciding {
            run.approved = Some((ticket, standing));
        }
        self.ask_deciding(tx, Asked::Token);
        Ok(())
    }

    /// The relay lets a device in. One that is to have a key of its own is certified before anything goes to it.
    pub(super) async fn run_token(
        &mut self,
        tx: &mut Tx<'_>,
        answer: &Response,
    ) -> Result<(), Error> {
        let token = from_json::<LinkToken>(&answer.body);
        let Some(run) = &mut self.runs.deciding else {
            return Ok(());
        };
        let standing = run.approved.as_ref().map(|(_, standing)| standing.clone());
        let (Some(standing), Some(new)) = (standing, run.new_device()) else {
            return Ok(());
        };
        match (answer.status, token) {
            (200, Ok(token)) if standing == Standing::Owner => self.give(tx, token, None)?,
            (200, Ok(token)) if token.device_id.is_some() => {
                let purpose = Purpose::Run {
                    run: run.errand.run,
                    new: new.clone(),
                    token,
                    standing,
                };
                self.change_list(tx, purpose, 0).await?;
            }
            (200, _) => self.end_deciding(tx, Refusal::RelayProtocol),
            (411, _) => self.end_deciding(tx, Refusal::DeviceLimit),
            (status, _) => self.end_deciding(tx, general_refusal(status)),
        }
        Ok(())
    }

    /// The list that names the new device is at the relay, with a certificate for it; or could not be put there.
    pub(crate) async fn run_certified(
        &mut self,
        tx: &mut Tx<'_>,
        (run, token): (u32, LinkToken),
        certified: Result<(Vec<u8>, Vec<u8>), Refusal>,
    ) -> Result<(), Error> {
        let present = self.runs.deciding.as_mut();
        let Some(present) = present.filter(|present| present.errand.run == run) else {
            // Given up meanwhile.
            return self
                .never_came(tx, certified.ok().and(token.device_id))
                .await;
        };
        match certified {
            Ok(certified) => {
                present.certified = token.device_id;
                self.give(tx, token, Some(certified))
            }
            Err(refusal) => {
                self.end_deciding(tx, refusal);
                Ok(())
            }
        }
    }

    /// Seals what was approved for the new browser.
    fn give(
        &mut self,
        tx: &mut Tx<'_>,
        token: LinkToken,
        certified: Option<(Vec<u8>, Vec<u8>)>,
    ) -> Result<(), Error> {
        let (Some(run), Some(own)) = (&mut self.runs.deciding, &self.account) else {
            return Ok(());
        };
        let Some(side) = run.side.as_mut().filter(|_| run.approved.is_some()) else {
            return Ok(());
        };
        let Some((_, standing)) = &run.approved else {
            return Ok(());
        };
        let message = provision_message(own, token.verification_code, certified, standing);
        let payload = LinkPayload {
            provision_message: message.encode_to_vec(),
        };
        let sealed = side.give(&payload);
        run.sealed = Some(sealed.map_err(|_| Error::Bug("an approved run can't seal"))?);
        run.token = Some(token.token_identifier);
        self.ask_deciding(tx, Asked::Give);
        Ok(())
    }
}
