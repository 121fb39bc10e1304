//! Envelopes that may have taken the client down: none may do so again and again.
//!
//! Whether the last opening ended while envelopes were being dealt with is on disk. If it did, the first ones to
//! come are dealt with one at a time, each counted on disk before it is decrypted, and after two tries it
//! is not decrypted any more. It does not know what is wrong with an envelope.

use wire::{Envelope, Frame};

use crate::error::Error;
use crate::limits::{ATTEMPTS_MAX, SUSPECTS_MAX};
use crate::record::{AttemptRecord, key};
use crate::service;
use crate::state::is_envelope;
use crate::tx::Tx;

/// What is known of suspects.
#[derive(Debug, Default)]
pub(crate) struct Suspect {
    /// So many envelopes are still to be dealt with one at a time.
    left: usize,
    quarantined: Option<[u8; 16]>,
}

impl Suspect {
    /// After an opening that did or did not end well.
    pub(crate) const fn new(ended_badly: bool) -> Self {
        Self {
            left: if ended_badly { SUSPECTS_MAX } else { 0 },
            quarantined: None,
        }
    }

    /// Frames are to be dealt with one at a time.
    pub(crate) const fn is_careful(&self) -> bool {
        self.left > 0
    }

    /// All that waited has been dealt with.
    pub(crate) const fn clear(&mut self) {
        self.left = 0;
    }

    /// Counts the attempt at what is in a frame, to be committed before the frame is dealt with.
    pub(crate) async fn attempt(&mut self, tx: &mut Tx<'_>, frame: &[u8]) -> Result<(), Error> {
        let Ok(Frame::Request(request)) = Frame::decode(frame) else {
            return Ok(());
        };
        let Some(guid) = service::named_envelope(&request.body)
            .ok()
            .filter(|_| is_envelope(&request))
            .and_then(|envelope| envelope.guid)
        else {
            return Ok(());
        };
        self.left = self.left.saturating_sub(1);
        let before = tx.get::<AttemptRecord>(key::ATTEMPT).await?;
        let tried = before
            .filter(|record| record.guid == guid)
            .map_or(0, |record| record.attempts);
        if tried >= ATTEMPTS_MAX {
            self.quarantined = Some(guid);
            return Ok(());
        }
        let record = AttemptRecord {
            guid: guid.to_vec(),
            attempts: tried + 1,
        };
        tx.put(key::ATTEMPT, &record);
        Ok(())
    }

    /// It has been tried often enough.
    pub(crate) fn is_quarantined(&self, envelope: &Envelope) -> bool {
        self.quarantined.is_some() && self.quarantined == envelope.guid
    }
}
