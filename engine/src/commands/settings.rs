//! What a person sets: checked, then written as registers, which the other devices are told of.
//! How they agree is not known here (see `registers`).

use wire::AccountId;
use wire::limits::TEXT_MAX;

use crate::error::{Error, Refusal};
use crate::input::{Command, Setting, SettingsChange, Ticket};
use crate::limits::NAME_MAX;
use crate::output::{Reply, Request};
use crate::peers;
use crate::registers::{self, Field, PROFILE, Place, SETTINGS, fields};
use crate::staff;
use crate::state::State;
use crate::tx::Tx;

type Value = Option<Vec<u8>>;

impl State {
    /// Sets something. Whom it is about is asked for first, if that is a handle we do not know.
    pub(super) async fn set(
        &mut self,
        tx: &mut Tx<'_>,
        ticket: Ticket,
        setting: Setting,
    ) -> Result<(), Error> {
        let result = match setting.account() {
            None => self.set_own(tx, setting).await?,
            Some(name) => match self.conversation(tx, name).await? {
                Some(account) => self.set_of(tx, account, setting).await?,
                None => {
                    let name = name.to_owned();
                    self.look_for(tx, ticket, &name, Command::Set(setting));
                    return Ok(());
                }
            },
        };
        tx.resolve(ticket, result.map(|()| Reply::Done));
        Ok(())
    }

    async fn set_own(
        &mut self,
        tx: &mut Tx<'_>,
        setting: Setting,
    ) -> Result<Result<(), Refusal>, Error> {
        match setting {
            Setting::Settings(change) => {
                for (name, value) in changed(change) {
                    let place = Place::new(SETTINGS, name);
                    self.write(tx, &place, Some(value)).await?;
                }
            }
            Setting::Profile { name } => match name_value(&name) {
                Ok(value) => {
                    let place = Place::new(PROFILE, fields::NAME);
                    self.write(tx, &place, value).await?;
                }
                Err(refusal) => return Ok(Err(refusal)),
            },
            Setting::Name { .. }
            | Setting::Block { .. }
            | Setting::Answer { .. }
            | Setting::Verify { .. }
            | Setting::Mute { .. }
            | Setting::Archive { .. }
            | Setting::Pin { .. }
            | Setting::Timer { .. }
            | Setting::Draft { .. }
            | Setting::WithoutStaff { .. }
            | Setting::StaffSeen { .. }
            | Setting::MarkUnread { .. } => return Err(Error::Bug("a setting about nobody")),
        }
        Ok(Ok(()))
    }

    async fn set_of(
        &mut self,
        tx: &mut Tx<'_>,
        account: AccountId,
        setting: Setting,
    ) -> Result<Result<(), Refusal>, Error> {
        if let Setting::Timer { seconds, .. } = setting {
            self.note_contact(tx, account).await?;
            return self.set_timer(tx, account, seconds).await;
        }
        let (field, value) = match self.field(tx, account, setting).await? {
            Ok(field) => field,
            Err(refusal) => return Ok(Err(refusal)),
        };
        self.note_contact(tx, account).await?;
        self.write(tx, &Place::of(account, field), value).await?;
        Ok(Ok(()))
    }

    /// The register that a setting is, and its new value.
    async fn field(
        &mut self,
        tx: &mut Tx<'_>,
        account: AccountId,
        setting: Setting,
    ) -> Result<Result<(Field, Value), Refusal>, Error> {
        Ok(Ok(match setting {
            Setting::Name { name, .. } => match name_value(&name) {
                Ok(value) => (Field::Petname, value),
                Err(refusal) => return Ok(Err(refusal)),
            },
            Setting::Block { blocked, .. } => (Field::Blocked, Some(fields::flag(blocked))),
            Setting::Answer { accept, .. } => {
                let request = if accept {
                    Request::Accepted
                } else {
                    Request::Declined
                };
                let value = fields::request_value(request);
                (Field::Request, Some(vec![value]))
            }
            Setting::Verify {
                verified, digits, ..
            } => {
                let peer = peers::record(tx, account).await?;
                if peer.identity.is_empty() {
                    return Ok(Err(Refusal::KeyUnknown));
                }
                let is_shown = |digits: &String| self.is_shown(account, &peer.identity, digits);
                let fits = digits.as_ref().map_or(Ok(true), is_shown)?;
                if verified && (peers::key_changed(&peer) || !fits) {
                    return Ok(Err(Refusal::IdentityChanged));
                }
                let value = registers::verified_value(verified, &peer.identity);
                (Field::Verified, Some(value))
            }
            Setting::Mute { until, .. } => {
                let value = until.map(|until| until.0.to_be_bytes().to_vec());
                (Field::MutedUntil, value)
            }
            Setting::Archive { archived, .. } => (Field::Archived, Some(fields::flag(archived))),
            Setting::Pin { pinned, .. } => {
                let now = self.next_timestamp(tx).to_be_bytes();
                (Field::Pinned, pinned.then(|| now.to_vec()))
            }
            Setting::Draft { text, .. } if text.len() > TEXT_MAX => {
                return Ok(Err(Refusal::MessageTooLong));
            }
            Setting::Draft { text, .. } => {
                let value = Some(text.into_bytes()).filter(|text| !text.is_empty());
                (Field::Draft, value)
            }
            Setting::WithoutStaff { without, .. } => {
                (Field::WithoutStaff, Some(fields::flag(without)))
            }
            Setting::StaffSeen { .. } => {
                let peer = peers::record(tx, account).await?;
                (Field::StaffSeen, Some(staff::seen_value(&peer)))
            }
            Setting::MarkUnread { .. } => (Field::MarkedUnread, Some(fields::flag(true))),
            Setting::Settings(_) | Setting::Profile { .. } | Setting::Timer { .. } => {
                return Err(Error::Bug("a setting that is no register of somebody"));
            }
        }))
    }
}

/// What is set, by its name.
fn changed(change: SettingsChange) -> Vec<(&'static str, Vec<u8>)> {
    let SettingsChange {
        read_receipts,
        delivery_receipts,
        typing,
        notifications,
    } = change;
    let told = [
        (fields::READ_RECEIPTS, read_receipts),
        (fields::DELIVERY_RECEIPTS, delivery_receipts),
        (fields::TYPING, typing),
    ];
    let told = told.map(|(name, told)| Some((name, fields::telling(told?))));
    let notifications = notifications.map(|shown| {
        (
            fields::NOTIFICATIONS,
            vec![fields::notifications_value(shown)],
        )
    });
    told.into_iter().flatten().chain(notifications).collect()
}

/// A name as it is stored; none if it is empty.
fn name_value(name: &str) -> Result<Value, Refusal> {
    let name = name.trim();
    if name.len() > NAME_MAX {
        return Err(Refusal::InvalidArgument("name"));
    }
    Ok(Some(name.as_bytes().to_vec()).filter(|name| !name.is_empty()))
}
