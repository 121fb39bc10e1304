//! LINK-1: a browser is linked by digits that the person types, or by a code with a secret in their place
//! (docs/protocol.md). `new_side` and `existing_side` are the two halves of a run, without relay or store; `asking` and
//! `deciding` carry them out. All of it is in memory: a page that is closed ends its run.
//!
//! Rule LR-5: a device looks for who waits only when its person wants it to, and answers one at a time.

mod asking;
mod deciding;
mod existing_side;
mod giving;
mod keys;
mod new_side;
#[cfg(test)]
mod tests;

use wire::rendezvous::Rendezvous;
use wire::{DeviceId, Endpoint, Response};

use crate::error::{Error, Refusal, RunRefusal};
use crate::input::Timestamp;
use crate::limits::LINK_POLL_PAUSE_MS;
use crate::request::{Pending, retry_at};
use crate::state::State;
use crate::tx::Tx;
pub(crate) use asking::{Asking, Shown};
pub(crate) use deciding::Deciding;
pub(crate) use existing_side::NewDevice;
pub(crate) use new_side::Answerer;

/// Of the messages.
const VERSION: u32 = 1;

/// What ends a run that somebody else may have touched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// A message is not one.
    Malformed,
    /// A message that was not its turn.
    OutOfTurn,
    /// A key is not one to agree with.
    Key,
    /// What was revealed, or what a code says, is not what was committed to.
    Commitment,
    /// The other side means another account.
    OtherAccount,
    /// What was sealed was not sealed for this run.
    Payload,
}

impl Fault {
    const fn refusal(self) -> Refusal {
        match self {
            Self::OtherAccount => Refusal::OtherAccount,
            Self::Malformed | Self::OutOfTurn | Self::Key | Self::Commitment | Self::Payload => {
                Refusal::Run(RunRefusal::Over)
            }
        }
    }
}

/// What typed digits come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tried {
    /// Not so many digits, or it is not their turn: no try.
    NoDigits,
    /// The right ones.
    Right,
    /// Others.
    Wrong {
        /// So many tries are left.
        left: u32,
    },
    /// Others, once too often.
    Over,
}

impl Tried {
    const fn result(self) -> Result<(), Refusal> {
        match self {
            Self::Right => Ok(()),
            Self::NoDigits => Err(Refusal::InvalidArgument("digits")),
            Self::Wrong { left } => Err(Refusal::Run(RunRefusal::DigitsWrong { left })),
            Self::Over => Err(Refusal::Run(RunRefusal::Over)),
        }
    }
}

/// What a run has asked the relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// New browser: opens the rendezvous with message 0.
    Open,
    /// New browser: waits for message 1.
    Answer,
    /// New browser: puts message 2.
    Reveal,
    /// New browser: waits for message 3.
    Payload,
    /// New browser: hears whether the existing device ends it.
    Hear,
    /// Existing device: looks who waits.
    Look,
    /// Existing device: puts message 1.
    PutAnswer,
    /// Existing device: waits for message 2.
    Revealed,
    /// Existing device: wants a link token.
    Token,
    /// Existing device: puts message 3.
    Give,
    /// Existing device: waits for the new device.
    Device,
    /// Existing device: hears whether the new browser ends it.
    Watch,
    /// Either: ends it.
    End,
}

/// The run that this client is in, if it is in one: as the new browser, or as the existing device.
#[derive(Default)]
pub(crate) struct Runs {
    asking: Option<Asking>,
    deciding: Option<Deciding>,
    /// Devices that were certified in a run that then ended.
    never_came: Vec<DeviceId>,
    last: u32,
}

/// One side's errand at the relay.
struct Errand {
    /// Answers to the questions of an earlier run are no answers.
    run: u32,
    /// What was asked last, and again after a lost connection.
    asked: Asked,
    asked_at: Timestamp,
    /// When it is asked again.
    again_at: Option<Timestamp>,
    /// When the run is over.
    expires_at: Option<Timestamp>,
}

impl Errand {
    fn new(run: u32, asked: Asked, now: Timestamp) -> Self {
        Self {
            run,
            asked,
            asked_at: now,
            again_at: None,
            expires_at: None,
        }
    }

    fn deadline(&self) -> Option<Timestamp> {
        self.again_at.into_iter().chain(self.expires_at).min()
    }

    fn note(&mut self, asked: Asked, now: Timestamp) {
        self.asked = asked;
        self.asked_at = now;
        self.again_at = None;
    }

    /// There was nothing yet, or not now: asks again, and not at once if the answer was quick.
    fn later(&mut self, now: Timestamp, answer: &Response) {
        self.again_at = Some(match answer.status {
            204 => now.max(self.asked_at.plus_ms(LINK_POLL_PAUSE_MS)),
            _ => retry_at(now, answer),
        });
    }
}

/// What an answer of the relay says of a run, if it is not what was asked for.
enum Else {
    Later,
    Over(Refusal),
}

fn otherwise(answer: &Response) -> Else {
    match answer.status {
        204 | 500..=599 => Else::Later,
        410 => Else::Over(Refusal::LinkDeclined),
        429 => Else::Over(Refusal::Run(RunRefusal::TooMany)),
        _ => Else::Over(Refusal::Run(RunRefusal::Over)),
    }
}

impl Runs {
    pub(crate) fn deadline(&self) -> Option<Timestamp> {
        let asking = self.asking.as_ref().and_then(|run| run.errand.deadline());
        let deciding = self.deciding.as_ref().and_then(|run| run.errand.deadline());
        asking.into_iter().chain(deciding).min()
    }

    fn next(&mut self) -> u32 {
        self.last = self.last.wrapping_add(1);
        self.last
    }
}

impl State {
    /// Asks the relay something for a run.
    fn run_request(&mut self, tx: &mut Tx<'_>, run: u32, asked: Asked, what: (Endpoint, Vec<u8>)) {
        let (endpoint, body) = what;
        let pending = Pending::Run { run, asked };
        self.connection
            .request(tx, &endpoint, Vec::new(), body, pending);
    }

    /// The rendezvous is of no use any more; nobody waits for the answer.
    fn end_rendezvous(&mut self, tx: &mut Tx<'_>, run: u32, at: String) {
        if self.connection.is_up() {
            let endpoint = Endpoint::Rendezvous(Rendezvous::End { at });
            self.run_request(tx, run, Asked::End, (endpoint, Vec::new()));
        }
    }

    pub(crate) async fn run_answered(
        &mut self,
        tx: &mut Tx<'_>,
        (run, asked): (u32, Asked),
        answer: &Response,
    ) -> Result<(), Error> {
        match asked {
            Asked::End => Ok(()),
            Asked::Open | Asked::Answer | Asked::Reveal | Asked::Payload | Asked::Hear => {
                self.asking_answered(tx, run, asked, answer).await
            }
            Asked::Look
            | Asked::PutAnswer
            | Asked::Revealed
            | Asked::Token
            | Asked::Give
            | Asked::Device
            | Asked::Watch => {
                self.deciding_answered(tx, (run, asked), answer).await?;
                self.unlist(tx).await
            }
        }
    }

    /// There is a connection again: asks again what was not answered.
    pub(crate) fn resume_runs(&mut self, tx: &mut Tx<'_>) {
        self.resume_asking(tx);
        self.resume_deciding(tx);
    }

    pub(crate) async fn tick_runs(&mut self, tx: &mut Tx<'_>) -> Result<(), Error> {
        self.tick_asking(tx);
        self.tick_deciding(tx);
        self.unlist(tx).await
    }

    /// The list names no device of a run that has ended.
    async fn unlist(&mut self, tx: &mut Tx<'_>) -> Result<(), Error> {
        if self.connection.is_up() {
            for device in std::mem::take(&mut self.runs.never_came) {
                self.never_came(tx, Some(device)).await?;
            }
        }
        Ok(())
    }
}
