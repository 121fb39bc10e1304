//! The one rule by which own devices agree: of two values of a register, which holds.
//! It knows clocks and bytes, not what they mean; the bytes are chosen so that on a tie the safe value is the greater.

use crate::record::RegisterRecord;

/// No clock is later. A register beyond it is taken by no device, so that there is always room for a later write.
/// In milliseconds it is 146 million years from now.
pub(crate) const CLOCK_MAX: u64 = 1 << 62;

/// What a register holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Register {
    pub(crate) clock: u64,
    /// `None`: removed, which is kept so that an older value does not come back.
    pub(crate) value: Option<Vec<u8>>,
}

impl Register {
    pub(crate) fn read(record: &RegisterRecord) -> Self {
        Self {
            clock: record.clock,
            value: (!record.removed).then(|| record.value.clone()),
        }
    }

    /// As it is stored, from this moment on.
    pub(crate) fn record(&self, now: u64) -> RegisterRecord {
        RegisterRecord {
            clock: self.clock,
            value: self.value.clone().unwrap_or_default(),
            removed: self.value.is_none(),
            stored_at: now,
        }
    }

    /// Whether this takes the place of what is known: the later clock; on a tie what is there before what was
    /// removed, and then the greater bytes (`None` is less than all). Clocks are taken as they are, however wrong:
    /// a device that bent them to its own idea of the time would end with other registers than the rest.
    pub(crate) fn beats(&self, known: Option<&Self>) -> bool {
        known.is_none_or(|known| (self.clock, &self.value) > (known.clock, &known.value))
    }
}

/// The clock of a write that follows what is known, whatever the clocks of either are.
pub(crate) fn next_clock(now: u64, known: Option<&Register>) -> u64 {
    let after = known.map_or(0, |known| known.clock.saturating_add(1));
    now.max(after).clamp(1, CLOCK_MAX)
}
