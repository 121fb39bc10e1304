//! What own devices agree on: settings, fields of people and conversations, application data. All of it is registers,
//! and one rule merges them (`rule`), whatever the order in which they come and however often.
//!
//! A write here is told to the others as soon as there is a connection (`tell`). What a register means is in
//! `fields` and `app`; most of this does not look.

pub(crate) mod app;
mod effect;
pub(crate) mod fields;
mod request;
mod rule;
mod signal;
mod space;
mod sweep;
mod tell;
mod unread;

use wire::AccountId;

use crate::error::Error;
use crate::record::{ContactRecord, RegisterRecord};
use crate::state::State;
use crate::thread;
use crate::tx::Tx;
pub(crate) use app::Key;
pub(crate) use effect::Effects;
pub(crate) use fields::{
    conversation, person, prefetch_conversations, profile, settings, verified_value,
};
pub(crate) use request::note_message;
pub(crate) use rule::{CLOCK_MAX, Register};
pub(crate) use space::{Field, PROFILE, Place, SETTINGS, STAFF};
pub(crate) use sweep::forget_removed;
pub(crate) use tell::{later_than, told};
pub(crate) use unread::take_read_clock;

/// What became of a value that came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Merged {
    /// What is known holds.
    Known,
    /// It holds, and says the same as before.
    Newer,
    /// It holds, and says something else.
    Changed,
}

/// What is at a place.
pub(crate) async fn read(tx: &mut Tx<'_>, place: &Place) -> Result<Option<Register>, Error> {
    let record = tx.get::<RegisterRecord>(&place.key()).await?;
    Ok(record.as_ref().map(Register::read))
}

/// The value at a place, unless it was removed.
pub(crate) async fn value(tx: &mut Tx<'_>, place: &Place) -> Result<Option<Vec<u8>>, Error> {
    Ok(read(tx, place).await?.and_then(|register| register.value))
}

/// Whether the person wants nothing of an account.
pub(crate) async fn is_blocked(tx: &mut Tx<'_>, account: AccountId) -> Result<bool, Error> {
    fields::is_set(tx, account, Field::Blocked).await
}

/// The names and values of all registers of a space.
pub(crate) async fn all(
    tx: &mut Tx<'_>,
    space: &str,
    limit: usize,
) -> Result<Vec<(Vec<u8>, Vec<u8>)>, Error> {
    let mut all = Vec::new();
    for (at, _) in tx.scan(space::all_of(space, limit)).await? {
        if let Some(place) = Place::from_key(&at)
            && let Some(value) = value(tx, &place).await?
        {
            all.push((place.name, value));
        }
    }
    Ok(all)
}

/// Takes a value over if the rule says so. The only writer of registers, but for their end (`sweep`).
pub(crate) async fn merge(
    tx: &mut Tx<'_>,
    place: &Place,
    register: &Register,
) -> Result<Merged, Error> {
    let known = read(tx, place).await?;
    if !register.beats(known.as_ref()) {
        return Ok(Merged::Known);
    }
    app::count(tx, place, known.as_ref(), Some(register)).await?;
    tx.put(&place.key(), &register.record(tx.now.0));
    let before = known.and_then(|known| known.value);
    Ok(if before == register.value {
        Merged::Newer
    } else {
        Merged::Changed
    })
}

/// What a write has to be later than, beside what its register says: a mark, than the reading that it is to outlast; a
/// name or a verified key, than what a store from before there were registers has of them.
async fn floor(tx: &mut Tx<'_>, place: &Place) -> Result<u64, Error> {
    let Some((account, field)) = place.field() else {
        return Ok(0);
    };
    let at = account.as_bytes();
    let clock = match field {
        Field::MarkedUnread => thread::conversation_record(tx, account).await?.read_clock,
        Field::Petname | Field::Verified => {
            let contact = tx.get::<ContactRecord>(at).await?.unwrap_or_default();
            let is_name = field == Field::Petname;
            if is_name {
                contact.name_clock
            } else {
                contact.verified_clock
            }
        }
        Field::Blocked
        | Field::Request
        | Field::MutedUntil
        | Field::Archived
        | Field::Pinned
        | Field::Draft
        | Field::WithoutStaff
        | Field::StaffSeen => return Ok(0),
    };
    Ok(clock.saturating_add(1))
}

impl State {
    /// The person sets something on this device, or removes it: later than all that is known here, and to be told.
    pub(crate) async fn write(
        &mut self,
        tx: &mut Tx<'_>,
        place: &Place,
        value: Option<Vec<u8>>,
    ) -> Result<(), Error> {
        let known = read(tx, place).await?;
        let after = floor(tx, place).await?;
        let now = self.next_timestamp(tx).max(after);
        let clock = rule::next_clock(now, known.as_ref());
        let register = Register { clock, value };
        let mut effects = Effects::default();
        let merged = merge(tx, place, &register).await?;
        effects.note(tx, place, &register, merged).await?;
        let for_signal = self.is_plain().then(|| signal::says(place, &register));
        match for_signal.flatten() {
            Some(message) => self.tell_with(tx, place, register, message),
            None => self.mark_untold(tx, place),
        }
        effects.tell(tx).await
    }
}

impl State {
    /// The person goes on with another key of somebody. If one was verified, all own devices hear that this one is not: a
    /// device that knows no key would take the verified one for the first.
    pub(crate) async fn unverify(
        &mut self,
        tx: &mut Tx<'_>,
        account: AccountId,
        key: &[u8],
    ) -> Result<(), Error> {
        let place = Place::of(account, Field::Verified);
        let known = value(tx, &place).await?;
        let verified = known.as_deref().and_then(fields::read_verified);
        if matches!(verified, Some((true, verified)) if verified != key) {
            let value = verified_value(false, key);
            self.write(tx, &place, Some(value)).await?;
        }
        Ok(())
    }
}

#[cfg(any(test, feature = "testing"))]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
