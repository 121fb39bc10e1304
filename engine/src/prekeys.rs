//! The life of this device's published prekeys: refilled by the relay's count, replaced by age, deleted when no
//! message can name them any more.
//!
//! A new signed or last-resort key goes from made to uploaded to confirmed; its private half is on disk before
//! the relay hears of it, and the old one stays until long after. How keys are made is in `account`.

use libsignal_protocol::{GenericSignedPreKey, KyberPreKeyRecord, SignedPreKeyRecord};
use wire::body::{KeyCounts, SetKeys, from_json, to_json};
use wire::{Endpoint, Response};

use crate::account::{self, Account};
use crate::error::Error;
use crate::input::Timestamp;
use crate::limits::{
    KEYS_KEPT_MS, KEYS_ROTATE_MS, ONE_TIME_KEYS_KEPT, ONE_TIME_KEYS_REFILL, UPKEEP_ROWS,
};
use crate::record::{AccountRecord, PreKeyKind, key};
use crate::request::Pending;
use crate::state::State;
use crate::store::{Row, Scan, Table};
use crate::tx::Tx;

impl State {
    pub(crate) fn ask_key_counts(&mut self, tx: &mut Tx<'_>) {
        let pending = Pending::KeyCounts;
        self.connection.ask(tx, &Endpoint::KeyCounts, pending);
    }

    /// The relay's count of our one-time keys: makes new ones in time.
    pub(crate) fn key_counts_answered(
        &mut self,
        tx: &mut Tx<'_>,
        response: &Response,
    ) -> Result<(), Error> {
        let Some(account) = self.account.clone() else {
            return Ok(());
        };
        let Ok(counts) = from_json::<KeyCounts>(&response.body) else {
            return Ok(());
        };
        if response.status != 200 || counts.count.min(counts.pq_count) >= ONE_TIME_KEYS_REFILL {
            return Ok(());
        }
        let keys = account::one_time_keys(tx, &mut self.clock, &account, &mut self.rng)?;
        self.save_clock(tx);
        self.upload(tx, &keys, Pending::UploadKeys);
        Ok(())
    }

    fn upload(&mut self, tx: &mut Tx<'_>, keys: &SetKeys, pending: Pending) {
        let body = to_json(keys);
        self.connection
            .request(tx, &Endpoint::PutKeys, Vec::new(), body, pending);
    }

    /// Replaces the signed and the last-resort key if they are old enough. Successors that the relay has not
    /// confirmed are uploaded again, the same ones, until they are as old themselves.
    pub(crate) async fn rotate_keys(&mut self, tx: &mut Tx<'_>) -> Result<(), Error> {
        let Some(mut account) = self.account.clone() else {
            return Ok(());
        };
        if !self.connection.is_up() {
            return Ok(());
        }
        let AccountRecord {
            keys_at,
            next_keys_at,
            next_signed_pre_key: next,
            ..
        } = account.record;
        let newest = if next == 0 { keys_at } else { next_keys_at };
        let is_due = tx.now >= Timestamp(newest).plus_ms(KEYS_ROTATE_MS);
        if next == 0 && !is_due {
            return Ok(());
        }
        if is_due {
            // Successors that nobody confirmed in time are no news either: others might refuse them for their age.
            account::next_keys(tx, &mut self.clock, &mut account, &mut self.rng)?;
            self.save_clock(tx);
            tx.put(key::ACCOUNT, &account.record);
        }
        let AccountRecord {
            next_signed_pre_key,
            next_last_resort_key,
            ..
        } = account.record;
        let (signed, last_resort) =
            account::published_keys(tx, next_signed_pre_key, next_last_resort_key).await?;
        self.account = Some(account);
        let keys = SetKeys {
            signed_pre_key: Some(signed),
            pq_last_resort_pre_key: Some(last_resort),
            ..SetKeys::default()
        };
        self.upload(tx, &keys, Pending::RotateKeys(next_signed_pre_key));
        Ok(())
    }

    /// The relay has the successors, or will be asked again with the next connection.
    pub(crate) fn keys_rotated(&mut self, tx: &mut Tx<'_>, signed: u32, response: &Response) {
        let Some(account) = &mut self.account else {
            return;
        };
        let record = &mut account.record;
        if !response.is_success() || record.next_signed_pre_key != signed {
            return;
        }
        record.signed_pre_key = std::mem::take(&mut record.next_signed_pre_key);
        record.last_resort_key = std::mem::take(&mut record.next_last_resort_key);
        record.keys_at = std::mem::take(&mut record.next_keys_at);
        tx.put(key::ACCOUNT, record);
    }
}

/// Deletes own prekeys that no message can name any more.
pub(crate) async fn forget_old(tx: &mut Tx<'_>, account: &Account) -> Result<(), Error> {
    let record = &account.record;
    let signed = [record.signed_pre_key, record.next_signed_pre_key];
    let made = |bytes: &[u8]| {
        let record = SignedPreKeyRecord::deserialize(bytes).ok()?;
        Some(record.timestamp().ok()?.epoch_millis())
    };
    forget_replaced(tx, PreKeyKind::Signed, &signed, made).await?;
    let last_resort = [record.last_resort_key, record.next_last_resort_key];
    let made = |bytes: &[u8]| {
        let record = KyberPreKeyRecord::deserialize(bytes).ok()?;
        Some(record.timestamp().ok()?.epoch_millis())
    };
    let forgotten = forget_replaced(tx, PreKeyKind::KyberLastResort, &last_resort, made).await?;
    for (at, _) in rows(tx, PreKeyKind::UsedBaseKey).await? {
        if key::pre_key_id(&at).is_some_and(|id| forgotten.contains(&id)) {
            tx.delete(Table::PreKeys, &at);
        }
    }
    for kind in [PreKeyKind::OneTime, PreKeyKind::KyberOneTime] {
        let all = rows(tx, kind).await?; // oldest first, since ids ascend
        let surplus = all.len().saturating_sub(ONE_TIME_KEYS_KEPT);
        for (at, _) in all.into_iter().take(surplus) {
            tx.delete(Table::PreKeys, &at);
        }
    }
    Ok(())
}

/// A key is made when its predecessor ends, so it has been replaced for [`KEYS_KEPT_MS`] one rotation after that age.
async fn forget_replaced(
    tx: &mut Tx<'_>,
    kind: PreKeyKind,
    in_use: &[u32],
    made: impl Fn(&[u8]) -> Option<u64>,
) -> Result<Vec<u32>, Error> {
    let mut forgotten = Vec::new();
    for (at, bytes) in rows(tx, kind).await? {
        let (Some(id), Some(made)) = (key::pre_key_id(&at), made(&bytes)) else {
            continue;
        };
        let end = Timestamp(made).plus_ms(KEYS_KEPT_MS + KEYS_ROTATE_MS);
        if !in_use.contains(&id) && end <= tx.now {
            tx.delete(Table::PreKeys, &at);
            forgotten.push(id);
        }
    }
    Ok(forgotten)
}

async fn rows(tx: &mut Tx<'_>, kind: PreKeyKind) -> Result<Vec<Row>, Error> {
    tx.scan(Scan::prefix(Table::PreKeys, &[kind as u8], UPKEEP_ROWS))
        .await
}
