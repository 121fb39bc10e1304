//! How many uploads are written to at once: by all, and by one account.
//! It does not know which blobs they are.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use wire::AccountId;

use super::reply::{Refused, busy};
use crate::limits::{UPLOADS_OPEN_MAX, UPLOADS_PER_ACCOUNT_MAX};

type Counts = Arc<Mutex<BTreeMap<AccountId, usize>>>;

/// Counts by account; the sum is small enough to be counted anew.
#[derive(Debug, Default)]
pub(super) struct Places {
    counts: Counts,
}

/// One upload, until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    counts: Counts,
    account: AccountId,
}

impl Places {
    pub(super) fn enter(&self, account: AccountId) -> Result<Place, Refused> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let own = counts.get(&account).copied().unwrap_or_default();
        if own >= UPLOADS_PER_ACCOUNT_MAX {
            return Err(busy(429));
        }
        if counts.values().sum::<usize>() >= UPLOADS_OPEN_MAX {
            return Err(busy(503));
        }
        counts.insert(account, own + 1);
        Ok(Place {
            counts: Arc::clone(&self.counts),
            account,
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        match counts.get_mut(&self.account) {
            Some(count) if *count > 1 => *count -= 1,
            Some(_) | None => {
                counts.remove(&self.account);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(n: u8) -> AccountId {
        AccountId::from_bytes([n; 16])
    }

    #[test]
    fn one_account_can_not_take_all_places() {
        let places = Places::default();
        let enter = |n| places.enter(account(n));
        let mut own: Vec<_> = (0..UPLOADS_PER_ACCOUNT_MAX).map(|_| enter(1)).collect();
        assert!(own.iter().all(Result::is_ok));
        assert_eq!(enter(1).unwrap_err().status(), 429);
        drop(enter(2).unwrap());
        own.pop();
        own.push(enter(1));
        assert!(own.iter().all(Result::is_ok));
        drop(own);
        assert!(places.counts.lock().unwrap().is_empty());
    }

    #[test]
    fn all_accounts_together_take_no_more_than_there_are() {
        let places = Places::default();
        let accounts = (0..=u8::MAX).flat_map(|n| [account(n); UPLOADS_PER_ACCOUNT_MAX]);
        let all = accounts.take(UPLOADS_OPEN_MAX);
        let taken: Vec<_> = all.map(|account| places.enter(account).unwrap()).collect();
        assert_eq!(places.enter(account(255)).unwrap_err().status(), 503);
        drop(taken);
    }
}
