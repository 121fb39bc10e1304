//! What follows from registers that have changed: copies in other records, and events, once for each that is concerned
//! however many of its registers have changed.
//! It writes no register.

use wire::AccountId;

use super::app::Key;
use super::fields::{profile, read_verified, settings};
use super::space::Meaning;
use super::{Field, Merged, Place, Register};
use crate::contacts;
use crate::error::Error;
use crate::flat::Set;
use crate::guard;
use crate::output::{AppEvent, Event};
use crate::peers;
use crate::record::ContactRecord;
use crate::recovery;
use crate::thread;
use crate::tx::Tx;

/// Whom changes concern.
#[derive(Default)]
pub(crate) struct Effects {
    people: Set<AccountId>,
    conversations: Set<AccountId>,
    settings: bool,
    recovered: bool,
    app: Set<Key>,
}

impl Effects {
    /// Takes note of a register, and keeps the copies.
    pub(crate) async fn note(
        &mut self,
        tx: &mut Tx<'_>,
        place: &Place,
        register: &Register,
        merged: Merged,
    ) -> Result<(), Error> {
        if merged == Merged::Known {
            return Ok(());
        }
        let meaning = place.meaning();
        if let Meaning::Of(account, field) = meaning {
            copy(tx, account, field, register).await?;
        }
        if merged != Merged::Changed {
            // The same mark set again counts anew.
            if let Meaning::Of(account, Field::MarkedUnread) = meaning {
                self.conversations.insert(account);
            }
            return Ok(());
        }
        match meaning {
            Meaning::Settings if place.name == recovery::RECOVERED.as_bytes() => {
                self.recovered = true
            }
            Meaning::Settings | Meaning::Profile => self.settings = true,
            Meaning::Of(account, field) => match field {
                Field::Verified | Field::WithoutStaff | Field::StaffSeen => {
                    self.people.insert(account);
                }
                Field::Petname | Field::Blocked | Field::Request => {
                    self.people.insert(account);
                    self.conversations.insert(account);
                }
                Field::MutedUntil
                | Field::Archived
                | Field::Pinned
                | Field::Draft
                | Field::MarkedUnread => drop(self.conversations.insert(account)),
            },
            Meaning::App(namespace, name) => self.app.extend(Key::of_name(namespace, &name)),
            Meaning::Staff | Meaning::Unknown => {}
        }
        Ok(())
    }

    /// Tells the application.
    pub(crate) async fn tell(self, tx: &mut Tx<'_>) -> Result<(), Error> {
        for account in self.people {
            contacts::show(tx, account).await?;
        }
        for conversation in self.conversations {
            thread::show(tx, conversation).await?;
        }
        if self.settings {
            let (settings, profile) = (settings(tx).await?, profile(tx).await?);
            tx.emit(Event::Settings(settings, profile));
        }
        if self.recovered {
            recovery::show(tx).await?;
        }
        for key in self.app {
            let (key, kind) = (key.to_string(), key.kind);
            tx.emit(Event::App(AppEvent::Changed { key, kind }));
        }
        Ok(())
    }
}

/// A key that the person compared on another device is as good as the first use of it; it never replaces a known one.
async fn adopt(tx: &mut Tx<'_>, account: AccountId, key: &[u8]) -> Result<(), Error> {
    let mut peer = peers::record(tx, account).await?;
    if peer.identity.is_empty() && guard::identity_key(key).is_ok() {
        peer.identity = key.to_vec();
        tx.put(account.as_bytes(), &peer);
    }
    Ok(())
}

/// Lists of people read one record each: it has a copy of what they need.
async fn copy(
    tx: &mut Tx<'_>,
    account: AccountId,
    field: Field,
    register: &Register,
) -> Result<(), Error> {
    let value = register.value.as_deref();
    if !matches!(field, Field::Petname | Field::Verified | Field::Blocked) {
        return Ok(());
    }
    let known = tx.get::<ContactRecord>(account.as_bytes()).await?;
    let mut record = known.clone().unwrap_or_default();
    if field == Field::Petname && register.clock >= record.name_clock {
        let name = value.and_then(|bytes| std::str::from_utf8(bytes).ok());
        name.unwrap_or_default().clone_into(&mut record.name);
        record.name_clock = register.clock;
    }
    if field == Field::Verified && register.clock >= record.verified_clock {
        let (verified, key) = value.and_then(read_verified).unwrap_or_default();
        record.verified = verified;
        record.verified_key = key.to_vec();
        record.verified_clock = register.clock;
        if verified {
            adopt(tx, account, key).await?;
        }
    }
    if known.as_ref() != Some(&record) {
        tx.put(account.as_bytes(), &record);
    }
    Ok(())
}
