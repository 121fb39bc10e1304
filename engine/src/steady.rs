//! A clock that never goes back, made from one that may: a person or a server sets the device's clock back by
//! hours, and nothing that is due must wait until the old time has come again.
//!
//! It is for waits and deadlines. Messages carry the device's own time, whatever that is.

use crate::input::Timestamp;

/// How far the steady time is ahead of the device's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SteadyClock {
    device: Timestamp,
    ahead_ms: u64,
}

/// One moment on both clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    /// What the device's clock shows.
    pub(crate) device: Timestamp,
    /// Never before an earlier one.
    pub(crate) steady: Timestamp,
}

/// On a clock that was never set back.
impl From<Timestamp> for Moment {
    fn from(now: Timestamp) -> Self {
        Self {
            device: now,
            steady: now,
        }
    }
}

impl SteadyClock {
    pub(crate) fn new(device: Timestamp) -> Self {
        Self {
            device,
            ahead_ms: 0,
        }
    }

    /// The moment at which the device's clock shows this.
    pub(crate) fn moment(&mut self, device: Timestamp) -> Moment {
        let back = self.device.0.saturating_sub(device.0);
        self.ahead_ms = self.ahead_ms.saturating_add(back);
        self.device = device;
        Moment {
            device,
            steady: device.plus_ms(self.ahead_ms),
        }
    }

    /// What the device's clock shows when the steady one shows this.
    pub(crate) fn on_device(&self, steady: Timestamp) -> Timestamp {
        Timestamp(steady.0.saturating_sub(self.ahead_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_goes_back_stands_still_and_then_goes_on() {
        let mut clock = SteadyClock::new(Timestamp(1000));
        let steady: Vec<u64> = [1500, 700, 800, 100, 2000]
            .map(|device| clock.moment(Timestamp(device)).steady.0)
            .into();
        assert_eq!(steady, [1500, 1500, 1600, 1600, 3500]);
        assert_eq!(clock.on_device(Timestamp(3600)), Timestamp(2100));
        assert_eq!(clock.moment(Timestamp(2100)).steady, Timestamp(3600));
    }
}
