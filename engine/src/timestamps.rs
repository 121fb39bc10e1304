//! Times for messages: each later than all that this device has written or seen, whatever its clock shows.
//! It does not know waits and deadlines, which go by a clock that never goes back (see `steady`).

use crate::limits::CLOCK_SKEW_MS;
use crate::record::key;
use crate::state::State;
use crate::tx::Tx;

impl State {
    /// A time for a new message: after all own ones, and after what has been seen, so that an answer
    /// never stands above what it answers. Never the same twice.
    pub(crate) fn next_timestamp(&mut self, tx: &mut Tx<'_>) -> u64 {
        let after = self.clock.last_sent.max(self.clock.highest_seen) + 1;
        self.clock.last_sent = tx.device_time.0.max(after);
        self.save_clock(tx);
        self.clock.last_sent
    }

    /// Takes note of another device's clock, unless it is absurd.
    pub(crate) fn note_time(&mut self, tx: &mut Tx<'_>, seen: u64) {
        if seen > self.clock.highest_seen && seen <= tx.device_time.plus_ms(CLOCK_SKEW_MS).0 {
            self.clock.highest_seen = seen;
            self.save_clock(tx);
        }
    }

    pub(crate) fn save_clock(&self, tx: &mut Tx<'_>) {
        tx.put(key::CLOCK, &self.clock);
    }
}
