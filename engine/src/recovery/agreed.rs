//! What own devices agree on about recovery: which sealed key is theirs, and who came by a code last. Both are registers, so
//! they reach all of them whatever is lost.
//! It does not know how a code is made or used.

use wire::body::from_json;
use wire::recovery::RecoveryStatus as Kept;
use wire::{DeviceId, Response};

use super::NOBODY;
use crate::commands::general_refusal;
use crate::error::{Error, Refusal};
use crate::input::Timestamp;
use crate::output::{Event, Recovered, RecoveryState, RecoveryStatus};
use crate::registers::{Place, SETTINGS, value};
use crate::state::State;
use crate::tx::Tx;

/// When the code was made (8 bytes), and SHA-256 of what was put at the relay.
const CODE: &str = "recovery";
/// When (8 bytes), which device (1), and its name.
pub(crate) const RECOVERED: &str = "recovered";

impl State {
    /// What the relay has, beside what own devices agree on.
    pub(super) async fn status(
        &self,
        tx: &mut Tx<'_>,
        answer: &Response,
    ) -> Result<Result<RecoveryStatus, Refusal>, Error> {
        let kept = match (answer.status, from_json::<Kept>(&answer.body)) {
            (200, Ok(kept)) => Some(kept),
            (404, _) => None,
            (200, Err(_)) => return Ok(Err(Refusal::RelayProtocol)),
            (status, _) => return Ok(Err(general_refusal(status))),
        };
        let agreed = value(tx, &Place::new(SETTINGS, CODE)).await?;
        let agreed = agreed.as_deref().and_then(read_code);
        let (state, since) = match (kept, agreed) {
            (None, None) => (RecoveryState::None, None),
            // What was agreed has not come here yet, or was made by a device that could not tell any more.
            (Some(kept), None) => (RecoveryState::Ready, Some(Timestamp(kept.made))),
            (Some(kept), Some((made, digest))) if kept.digest.0 == digest => {
                (RecoveryState::Ready, Some(made))
            }
            (_, Some((made, _))) => (RecoveryState::Lost, Some(made)),
        };
        Ok(Ok(RecoveryStatus {
            state,
            since,
            recovered: last_recovered(tx).await?,
        }))
    }

    /// This device came by a code: all own devices hear of it, and which code it was.
    pub(crate) async fn tell_recovered(
        &mut self,
        tx: &mut Tx<'_>,
        digest: &[u8],
    ) -> Result<(), Error> {
        let own = self.account.clone().ok_or(NOBODY)?;
        let at = tx.device_time.0.to_be_bytes();
        let name = own.record.device_name.as_bytes();
        let said = [at.as_slice(), &[own.address.device.get()], name].concat();
        self.write(tx, &Place::new(SETTINGS, RECOVERED), Some(said))
            .await?;
        self.note_code(tx, digest).await
    }

    pub(super) async fn note_code(&mut self, tx: &mut Tx<'_>, digest: &[u8]) -> Result<(), Error> {
        let place = Place::new(SETTINGS, CODE);
        let known = value(tx, &place).await?;
        if known
            .as_deref()
            .and_then(read_code)
            .is_some_and(|(_, known)| known == digest)
        {
            return Ok(());
        }
        let said = [tx.device_time.0.to_be_bytes().as_slice(), digest].concat();
        self.write(tx, &place, Some(said)).await
    }
}

/// Tells the application that a device came by a recovery code.
pub(crate) async fn show(tx: &mut Tx<'_>) -> Result<(), Error> {
    if let Some(recovered) = last_recovered(tx).await? {
        tx.emit(Event::Recovered(recovered));
    }
    Ok(())
}

async fn last_recovered(tx: &mut Tx<'_>) -> Result<Option<Recovered>, Error> {
    let said = value(tx, &Place::new(SETTINGS, RECOVERED)).await?;
    let read = |said: &[u8]| {
        let (at, rest) = said.split_first_chunk::<8>()?;
        let (device, name) = rest.split_first()?;
        Some(Recovered {
            device: DeviceId::try_from(u32::from(*device)).ok()?,
            name: String::from_utf8(name.to_vec()).ok()?,
            at: Timestamp(u64::from_be_bytes(*at)),
        })
    };
    Ok(said.as_deref().and_then(read))
}

fn read_code(said: &[u8]) -> Option<(Timestamp, &[u8])> {
    let (made, digest) = said.split_first_chunk::<8>()?;
    Some((Timestamp(u64::from_be_bytes(*made)), digest))
}
