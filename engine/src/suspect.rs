//! Envelopes that may have taken the client down: none may do so again and again.
//!
//! Whether the last opening ended while envelopes were being dealt with is on disk. If it did, which a page that is
//! closed too early does as well, the first batches are named on disk before they are dealt with. What was named in the
//! life before and comes again is dealt with one at a time, each counted first, and after two tries it is
//! not decrypted any more. It does not know what is wrong with an envelope.

use std::collections::BTreeSet;

use wire::{Envelope, Frame};

use crate::error::Error;
use crate::limits::{ATTEMPTS_MAX, SUSPECTS_MAX};
use crate::record::{AttemptRecord, key};
use crate::service;
use crate::state::is_envelope;
use crate::tx::Tx;

type Guid = [u8; 16];

/// What is known of suspects.
#[derive(Debug, Default)]
pub(crate) struct Suspect {
    /// So many envelopes are still to be dealt with carefully.
    left: usize,
    /// What the life before had named, once that was read.
    before: Option<BTreeSet<Guid>>,
    quarantined: Option<Guid>,
}

impl Suspect {
    /// After an opening that did or did not end well.
    pub(crate) const fn new(ended_badly: bool) -> Self {
        Self {
            left: if ended_badly { SUSPECTS_MAX } else { 0 },
            before: None,
            quarantined: None,
        }
    }

    /// What comes is to be named before it is dealt with.
    pub(crate) const fn is_careful(&self) -> bool {
        self.left > 0
    }

    /// All that waited has been dealt with.
    pub(crate) const fn clear(&mut self) {
        self.left = 0;
    }

    /// Names what is in a batch, to be committed before it is dealt with. Gives whether the frames have to be
    /// dealt with one at a time instead, since some of them were named before.
    pub(crate) async fn name(
        &mut self,
        tx: &mut Tx<'_>,
        frames: &[Vec<u8>],
    ) -> Result<bool, Error> {
        let guids: Vec<Guid> = frames.iter().filter_map(|frame| guid(frame)).collect();
        if guids.is_empty() {
            return Ok(false);
        }
        self.left = self.left.saturating_sub(guids.len());
        let mut record = self.record(tx).await?;
        if guids.iter().any(|guid| self.was_named(guid)) {
            return Ok(true);
        }
        record.batch.extend(guids.concat());
        tx.put(key::ATTEMPT, &record);
        Ok(false)
    }

    /// Counts the attempt at what is in a frame, to be committed before the frame is dealt with.
    pub(crate) async fn attempt(&mut self, tx: &mut Tx<'_>, frame: &[u8]) -> Result<(), Error> {
        let mut record = self.record(tx).await?;
        let Some(guid) = guid(frame).filter(|guid| self.was_named(guid)) else {
            return Ok(());
        };
        if record.guid != guid {
            (record.guid, record.attempts) = (guid.to_vec(), 1); // that with its batch
        }
        if record.attempts >= ATTEMPTS_MAX {
            self.quarantined = Some(guid);
            return Ok(());
        }
        record.attempts += 1;
        tx.put(key::ATTEMPT, &record);
        Ok(())
    }

    /// The record of this life, which begins with what the one before had named.
    async fn record(&mut self, tx: &mut Tx<'_>) -> Result<AttemptRecord, Error> {
        let record = tx.get::<AttemptRecord>(key::ATTEMPT).await?;
        let record = record.unwrap_or_default();
        if self.before.is_none() {
            let (guids, _) = record.batch.as_chunks::<16>();
            self.before = Some(guids.iter().copied().collect());
        }
        Ok(record)
    }

    fn was_named(&self, guid: &Guid) -> bool {
        self.before
            .as_ref()
            .is_some_and(|before| before.contains(guid))
    }

    /// It has been tried often enough.
    pub(crate) fn is_quarantined(&self, envelope: &Envelope) -> bool {
        self.quarantined.is_some() && self.quarantined == envelope.guid
    }
}

/// The envelope in a frame, if there is one.
fn guid(frame: &[u8]) -> Option<Guid> {
    let Ok(Frame::Request(request)) = Frame::decode(frame) else {
        return None;
    };
    let envelope = is_envelope(&request).then(|| service::named_envelope(&request.body));
    envelope?.ok()?.guid
}
