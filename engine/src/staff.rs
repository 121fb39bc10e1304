//! Other people (staff) who read, or read and answer, for the person whose account it is: whom an owner has let in, what each may
//! do, and since when. Their devices have certificates of the roles for delegates (`trust`).
//!
//! What owners have granted is a register for each certificate, which own devices have and delegates never get; it stays when the
//! access has ended, so that it can be seen who had it. `rule` says what a delegate may do, `reach` what it gets, `told` who it
//! is, `renew` how it goes on. An account without any has nothing of this.

mod grant;
mod reach;
mod renew;
mod rule;
#[cfg(test)]
mod tests;
mod told;

use prost::Message as _;
use rand::RngCore;
use wire::certificate::{Capabilities, Certificate, Role};
use wire::limits::STAFF_LABEL_BYTES_MAX;
use wire::{AccountId, DeviceId};

use crate::account::Account;
use crate::error::{Error, Refusal};
use crate::input::{Grant, StaffCommand, Ticket, Timestamp};
use crate::limits::{
    STAFF_CONVERSATIONS_MAX, STAFF_GRANTS_MAX, STAFF_LABEL_CHARS_MAX, STAFF_TOLD_MAX,
};
use crate::output::{OwnGrant, Reply};
use crate::peers;
use crate::record::PeerRecord;
use crate::registers::{self, Place, STAFF};
use crate::state::State;
use crate::thread;
use crate::trust;
use crate::tx::Tx;
use grant::{GrantRecord, bytes_of, certificate_end, commitment};
pub(crate) use grant::{Granting, Standing};
pub(crate) use reach::{Reach, readers};
pub(crate) use rule::{allows, believed, may_tell};
pub(crate) use told::{apply_told, label, seen_value, staff_of, without_staff};

/// All that was ever granted: epoch and record, newest first.
async fn grants(tx: &mut Tx<'_>) -> Result<Vec<(u32, GrantRecord)>, Error> {
    let mut grants = Vec::new();
    for (name, value) in registers::all(tx, STAFF, STAFF_GRANTS_MAX).await? {
        let epoch = <[u8; 4]>::try_from(name).map(u32::from_be_bytes);
        let record = GrantRecord::decode(value.as_slice());
        if let (Ok(epoch), Ok(record)) = (epoch, record) {
            grants.push((epoch, record));
        }
    }
    grants.sort_by_key(|(epoch, _)| std::cmp::Reverse(*epoch));
    Ok(grants)
}

/// What the person of an own account's device may do now, and by which certificate.
async fn grant_of(tx: &mut Tx<'_>, device: DeviceId) -> Result<Option<(u32, GrantRecord)>, Error> {
    let number = u32::from(device);
    let mut all = grants(tx).await?.into_iter();
    Ok(all.find(|(_, grant)| grant.ended == 0 && grant.device == number))
}

impl State {
    pub(crate) async fn staff(
        &mut self,
        tx: &mut Tx<'_>,
        ticket: Ticket,
        command: StaffCommand,
    ) -> Result<(), Error> {
        match command {
            StaffCommand::Approve { uri, grant } => match self.granting(tx, grant).await? {
                Ok(granting) => {
                    let standing = Standing::Delegate(Box::new(granting));
                    self.approve_delegate(tx, ticket, uri, standing).await?;
                }
                Err(refusal) => tx.resolve(ticket, Err(refusal)),
            },
            StaffCommand::Change {
                device,
                conversations,
                until,
            } => {
                let changed = self.change(tx, device, conversations, until).await?;
                tx.resolve(ticket, changed.map(|()| Reply::Done));
            }
            StaffCommand::List => {
                let all = grants(tx).await?;
                let all = all.iter().filter_map(|(_, grant)| grant.view());
                tx.resolve(ticket, Ok(Reply::Staff(all.collect())));
            }
        }
        Ok(())
    }

    /// What a person grants, checked: who is meant has to be known.
    async fn granting(
        &mut self,
        tx: &mut Tx<'_>,
        grant: Grant,
    ) -> Result<Result<Granting, Refusal>, Error> {
        let Grant {
            label,
            answers,
            reads_sent,
            conversations,
            until,
        } = grant;
        let label = label.trim().to_owned();
        let length = label.chars().count();
        if !(1..=STAFF_LABEL_CHARS_MAX).contains(&length) || label.chars().any(char::is_control) {
            return Ok(Err(Refusal::InvalidArgument("label")));
        }
        if until.is_some_and(|until| until <= tx.device_time) {
            return Ok(Err(Refusal::InvalidArgument("until")));
        }
        let conversations = match conversations {
            None => None,
            Some(names) => match self.conversations_named(tx, &names).await? {
                Ok(accounts) => Some(accounts),
                Err(refusal) => return Ok(Err(refusal)),
            },
        };
        let mut salt = [0; 16];
        self.rng.fill_bytes(&mut salt);
        Ok(Ok(Granting {
            salt,
            label,
            answers,
            reads_sent,
            conversations,
            until,
        }))
    }

    async fn conversations_named(
        &mut self,
        tx: &mut Tx<'_>,
        names: &[String],
    ) -> Result<Result<Vec<AccountId>, Refusal>, Error> {
        if names.is_empty() || names.len() > STAFF_CONVERSATIONS_MAX {
            return Ok(Err(Refusal::InvalidArgument("conversations")));
        }
        let mut accounts = Vec::with_capacity(names.len());
        for name in names {
            match self.conversation(tx, name).await? {
                Some(account) => accounts.push(account),
                None => return Ok(Err(Refusal::UnknownConversation)),
            }
        }
        accounts.sort_unstable();
        accounts.dedup();
        Ok(Ok(accounts))
    }

    async fn change(
        &mut self,
        tx: &mut Tx<'_>,
        device: DeviceId,
        conversations: Option<Vec<String>>,
        until: Option<Timestamp>,
    ) -> Result<Result<(), Refusal>, Error> {
        if !self.account.as_ref().is_some_and(Account::is_owner) {
            return Ok(Err(Refusal::NotOwner));
        }
        let Some((epoch, mut grant)) = grant_of(tx, device).await? else {
            return Ok(Err(Refusal::InvalidArgument("device")));
        };
        if until.is_some_and(|until| until <= tx.device_time) {
            return Ok(Err(Refusal::InvalidArgument("until")));
        }
        let accounts = match conversations {
            None => Vec::new(),
            Some(names) => match self.conversations_named(tx, &names).await? {
                Ok(accounts) => accounts,
                Err(refusal) => return Ok(Err(refusal)),
            },
        };
        if accounts.is_empty() != grant.has(Capabilities::READ) {
            return Ok(Err(Refusal::InvalidArgument("conversations")));
        }
        let before: Vec<_> = grant.chosen().collect();
        grant.conversations = bytes_of(&accounts);
        grant.until = until.map_or(0, |until| until.0);
        self.write_grant(tx, epoch, &grant).await?;
        let differ = |account: &&AccountId| before.contains(account) != accounts.contains(account);
        let concerned: Vec<_> = before
            .iter()
            .chain(&accounts)
            .filter(differ)
            .copied()
            .collect();
        self.tell_staff(tx, &concerned).await?;
        Ok(Ok(()))
    }

    async fn write_grant(
        &mut self,
        tx: &mut Tx<'_>,
        epoch: u32,
        grant: &GrantRecord,
    ) -> Result<(), Error> {
        let place = Place::new(STAFF, epoch.to_be_bytes());
        self.write(tx, &place, Some(grant.encode_to_vec())).await
    }

    /// A delegate's certificate is in the list.
    pub(crate) async fn note_granted(
        &mut self,
        tx: &mut Tx<'_>,
        certificate: &Certificate,
        granting: &Granting,
    ) -> Result<(), Error> {
        let chosen = granting.conversations.clone().unwrap_or_default();
        let grant = GrantRecord {
            device: certificate.address.device.into(),
            salt: granting.salt.to_vec(),
            label: granting.label.clone(),
            role: u32::from(granting.role() as u8),
            capabilities: granting.capabilities().bits().into(),
            conversations: bytes_of(&chosen),
            since: tx.now.0,
            until: granting.until.map_or(0, |until| until.0),
            ended: 0,
            expires: certificate.not_after,
        };
        self.write_grant(tx, certificate.epoch, &grant).await
    }

    /// A device has joined. Those whose conversations it reads are told, so that they know before they write again; of very many
    /// the latest, since the others hear of it with the keys.
    pub(crate) async fn delegate_came(
        &mut self,
        tx: &mut Tx<'_>,
        device: DeviceId,
    ) -> Result<(), Error> {
        let Some((_, grant)) = grant_of(tx, device).await? else {
            return Ok(());
        };
        let concerned: Vec<AccountId> = if grant.has(Capabilities::READ) {
            let own = self.own_id()?;
            let all = thread::list(tx).await?.into_iter().map(|thread| thread.id);
            let others = all.filter(|conversation| *conversation != own);
            others.take(STAFF_TOLD_MAX).collect()
        } else {
            grant.chosen().collect()
        };
        self.tell_staff(tx, &concerned).await
    }

    /// The list has changed: who is in it no more has no access.
    pub(crate) async fn settle_grants(&mut self, tx: &mut Tx<'_>) -> Result<(), Error> {
        let own = self.own_id()?;
        let Some(list) = trust::list(&peers::record(tx, own).await?) else {
            return Ok(());
        };
        for (epoch, mut grant) in grants(tx).await? {
            let listed = list.entries.iter().any(|entry| entry.epoch == epoch);
            if grant.ended == 0 && !listed {
                grant.ended = tx.now.0;
                self.write_grant(tx, epoch, &grant).await?;
            }
        }
        Ok(())
    }

    /// How the person of an own account's device is called.
    pub(crate) async fn label_of(
        &self,
        tx: &mut Tx<'_>,
        device: DeviceId,
    ) -> Result<String, Error> {
        let grant = grant_of(tx, device).await?;
        Ok(grant.map(|(_, grant)| grant.label).unwrap_or_default())
    }

    /// This device's own number, if it is another person's.
    pub(crate) fn own_delegate(&self) -> Option<DeviceId> {
        let own = self.account.as_ref()?;
        own.role().is_delegate().then_some(own.address.device)
    }

    /// How this device's person is called, if it is another one than the account's.
    pub(crate) fn own_label(&self) -> Option<String> {
        own_grant(self.account.as_ref()?).map(|grant| grant.label)
    }
}

/// What this device may do for somebody else, by its own certificate.
pub(crate) fn own_grant(account: &Account) -> Option<OwnGrant> {
    let signed = wire::certificate::SignedCertificate::decode(&account.record.certificate).ok()?;
    let certificate = signed.certificate;
    certificate.role.is_delegate().then(|| OwnGrant {
        label: account.record.staff_label.clone(),
        answers: certificate.role == Role::DelegateAnswer,
        expires: Timestamp(certificate.not_after),
    })
}

/// Another person's device is in this list.
pub(crate) fn has_delegates(peer: &PeerRecord) -> bool {
    let mut current = peer.devices.iter().filter(|known| known.stale_since == 0);
    current.any(|known| trust::role_of(known).is_delegate())
}

/// The label that a new device of another person was given, if it is the one in its certificate.
pub(crate) fn is_label(certificate: &Certificate, salt: &[u8], label: &str) -> bool {
    let fits = !label.is_empty() && label.len() <= STAFF_LABEL_BYTES_MAX;
    fits && commitment(salt, label) == certificate.label_commitment
}
