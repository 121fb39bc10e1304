//! Token buckets: how often who may ask for what. Where Signal has one, the number is Signal's.
//!
//! Kept in memory only: a restart fills every bucket, which costs less than a write for each request.
//! Invariant: a bucket never holds more than its size, and time that runs backwards adds nothing.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::{Failure, too_many};
use crate::limits::{BUCKETS_MAX, DEV_QUOTA_FACTOR};

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Registrations of one handle.
    Registration,
    /// Link tokens for one account.
    LinkToken,
    /// Tries to link with one token.
    Link,
    /// Fetches of one account's prekeys by one device: each takes one-time keys away.
    PreKeys,
    /// Openings of one account's sealed key, and devices made by it: ten in an hour.
    Recovery,
    /// Sends of one device. What was written in a night offline goes out at once; then so much as nobody writes by hand.
    Send,
    /// Rendezvous of one account that browsers open with credentials for one handle.
    Rendezvous,
    /// Runs of one account that its devices answer: each is one chance to guess eight digits.
    LinkRun,
    /// Handles that one device asks for: nobody is to learn who all is here.
    Lookup,
}

impl Kind {
    /// Size, and ms until one permit comes back.
    const fn numbers(self) -> (u64, u64) {
        match self {
            Self::Registration => (6, 30_000),
            Self::LinkToken | Self::Link => (6, 120_000),
            Self::Rendezvous | Self::LinkRun => (5, 720_000),
            Self::PreKeys => (6, 600_000),
            Self::Recovery => (10, 360_000),
            Self::Send => (1_000, 100),
            Self::Lookup => (60, 10_000),
        }
    }
}

/// All buckets.
#[derive(Debug)]
pub struct Quota {
    factor: u64,
    buckets: BTreeMap<(Kind, [u8; 16]), Bucket>,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    permits: u64,
    /// When the last permit was added.
    at: u64,
}

impl Quota {
    /// Signal's numbers.
    #[must_use]
    pub const fn new() -> Self {
        Self::times(1)
    }

    /// For `--dev`.
    #[must_use]
    pub const fn dev() -> Self {
        Self::times(DEV_QUOTA_FACTOR)
    }

    const fn times(factor: u64) -> Self {
        Self {
            factor,
            buckets: BTreeMap::new(),
        }
    }

    pub(super) fn take(&mut self, kind: Kind, key: &[&[u8]], now: u64) -> Result<(), Failure> {
        let (size, refill_ms) = kind.numbers();
        let (size, refill_ms) = (size * self.factor, (refill_ms / self.factor).max(1));
        if self.buckets.len() >= BUCKETS_MAX {
            self.forget_full(now);
        }
        let bucket = self.buckets.entry((kind, short(key))).or_insert(Bucket {
            permits: size,
            at: now,
        });
        let back = now.saturating_sub(bucket.at) / refill_ms;
        bucket.permits = bucket.permits.saturating_add(back).min(size);
        bucket.at = bucket.at.saturating_add(back * refill_ms);
        if bucket.permits == 0 {
            let wait_ms = (bucket.at + refill_ms).saturating_sub(now);
            return Err(too_many(wait_ms.div_ceil(1000).max(1)));
        }
        if bucket.permits == size {
            bucket.at = now;
        }
        bucket.permits -= 1;
        Ok(())
    }

    /// A bucket that has filled up again is as good as none.
    fn forget_full(&mut self, now: u64) {
        let factor = self.factor;
        self.buckets.retain(|(kind, _), bucket| {
            let (size, refill_ms) = kind.numbers();
            let missing = (size * factor).saturating_sub(bucket.permits);
            let refill_ms = (refill_ms / factor).max(1);
            now.saturating_sub(bucket.at) < missing.saturating_mul(refill_ms)
        });
        // Someone fills the map on purpose: better all buckets full than no memory.
        if self.buckets.len() >= BUCKETS_MAX {
            self.buckets.clear();
        }
    }
}

impl Default for Quota {
    fn default() -> Self {
        Self::new()
    }
}

/// Keys are names and ids: the map holds a hash of them, of one size.
fn short(parts: &[&[u8]]) -> [u8; 16] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let full: [u8; 32] = hash.finalize().into();
    let mut short = [0; 16];
    short.iter_mut().zip(full).for_each(|(to, from)| *to = from);
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seventh_request_waits_for_a_permit() {
        let mut quota = Quota::new();
        for _ in 0..6 {
            quota.take(Kind::LinkToken, &[b"alice"], 1000).unwrap();
        }
        let Err(Failure::Refused(answer)) = quota.take(Kind::LinkToken, &[b"alice"], 1000) else {
            panic!("a seventh permit");
        };
        assert_eq!((answer.status, answer.retry_after_s), (429, Some(120)));
        quota.take(Kind::LinkToken, &[b"bob"], 1000).unwrap();
        quota.take(Kind::LinkToken, &[b"alice"], 121_000).unwrap();
        quota
            .take(Kind::LinkToken, &[b"alice"], 121_000)
            .unwrap_err();
    }

    #[test]
    fn a_night_of_messages_goes_out_at_once_and_then_ten_a_second() {
        let mut quota = Quota::new();
        let mut taken = |now| quota.take(Kind::Send, &[b"device"], now).is_ok();
        assert!((0..1_000).all(|_| taken(0)));
        assert!(!taken(0));
        assert!(taken(100) && !taken(100));
        assert_eq!((0..30).filter(|_| taken(1_100)).count(), 10);
    }

    #[test]
    fn time_that_runs_backwards_adds_nothing() {
        let mut quota = Quota::new();
        for _ in 0..6 {
            quota.take(Kind::Link, &[b"t"], 1_000_000).unwrap();
        }
        quota.take(Kind::Link, &[b"t"], 0).unwrap_err();
        quota.take(Kind::Link, &[b"t"], 1_000_000).unwrap_err();
    }

    #[test]
    fn full_buckets_are_forgotten_first() {
        let mut quota = Quota::new();
        quota.take(Kind::Link, &[b"old"], 0).unwrap();
        quota.take(Kind::Link, &[b"new"], 1_000_000).unwrap();
        quota.forget_full(1_000_000);
        assert_eq!(quota.buckets.len(), 1);
    }
}
