//! Who a person's staff are, as messages say it to those who write to that person: labels, which certificates bind; who reads this
//! conversation by name; and whether somebody wants to be read by nobody else. It goes inside the ciphertext.
//!
//! It is repeated in every message, so that who has missed one learns it from the next. What is done with it, `reach` says.

use prost::Message as _;
use rand::Rng as _;
use wire::certificate::{Capabilities, Role};
use wire::proto::service::staff::Member;
use wire::proto::service::{ContactEntry, Content, NullMessage, Staff as Told, SyncMessage};
use wire::{AccountId, DeviceId};

use super::reach::reads;
use super::{GrantRecord, commitment, grant_of};
use crate::contacts;
use crate::content;
use crate::error::Error;
use crate::input::{ConversationId, Timestamp};
use crate::output::Staff;
use crate::peers;
use crate::record::{OutboxRecord, PeerDevice, PeerRecord};
use crate::registers::{self, Field, Place};
use crate::state::State;
use crate::thread;
use crate::trust;
use crate::tx::Tx;

impl State {
    /// What a message to this person says of who reads for us: all who may, or who this device's own person is.
    pub(super) fn staff_told(
        &self,
        tx: &Tx<'_>,
        grants: &[(u32, GrantRecord)],
        conversation: ConversationId,
    ) -> Option<Told> {
        let own = self.account.as_ref()?;
        if own.role().is_delegate() {
            let signed = wire::certificate::SignedCertificate::decode(&own.record.certificate);
            let member = Member {
                epoch: signed.ok().map(|signed| signed.certificate.epoch),
                salt: Some(own.record.staff_salt.clone()),
                label: Some(own.record.staff_label.clone()),
                here: None,
            };
            return Some(Told {
                members: vec![member],
                complete: None,
                at: None,
            });
        }
        let present = grants.iter().filter(|(_, grant)| grant.ended == 0);
        Some(Told {
            members: present
                .map(|(epoch, grant)| member(*epoch, grant, conversation))
                .collect(),
            complete: Some(true),
            at: Some(tx.device_time.0),
        })
    }

    /// Tells people at once who reads what they write, without a message that they would see.
    pub(super) async fn tell_staff(
        &mut self,
        tx: &mut Tx<'_>,
        conversations: &[ConversationId],
    ) -> Result<(), Error> {
        for conversation in conversations {
            let padding = self.rng.random_range(0..NOTICE_PADDING_MAX);
            let notice = Content {
                null_message: Some(NullMessage {
                    padding: Some(vec![0; padding]),
                }),
                ..Content::default()
            };
            let timestamp = self.next_timestamp(tx);
            let id = self.new_message_id(timestamp);
            let entry = OutboxRecord {
                message_id: id.as_bytes().to_vec(),
                conversation: conversation.as_bytes().to_vec(),
                content: notice.encode_to_vec(),
                transcript: content::sync(SyncMessage::default()).encode_to_vec(),
                timestamp,
                is_quiet: true,
                ..OutboxRecord::default()
            };
            self.enqueue(tx, &entry);
        }
        Ok(())
    }

    /// An owner answers a delegate that is new: whom it may read of, and by which keys they are known.
    pub(crate) async fn tell_delegate(
        &mut self,
        tx: &mut Tx<'_>,
        device: DeviceId,
    ) -> Result<(), Error> {
        let own = self.account.clone();
        if !own.is_some_and(|own| own.is_owner()) {
            return Ok(());
        }
        let Some((_, grant)) = grant_of(tx, device).await? else {
            return Ok(());
        };
        for mut snapshot in contacts::snapshot(tx).await? {
            let mut entries = Vec::new();
            for entry in snapshot.contacts {
                let account = AccountId::from_slice(entry.account()).ok();
                let Some(account) = account.filter(|account| grant.reads(*account)) else {
                    continue;
                };
                if without_staff(tx, account).await? == (false, false) {
                    entries.push(ContactEntry {
                        account: entry.account,
                        handle: entry.handle,
                        identity_key: entry.identity_key,
                        own_name: entry.own_name,
                        own_name_clock: entry.own_name_clock,
                        ..ContactEntry::default()
                    });
                }
            }
            snapshot.contacts = entries;
            let message = SyncMessage {
                contact_snapshot: Some(snapshot),
                ..SyncMessage::default()
            };
            self.enqueue_sync_for(tx, Some(device), message);
        }
        Ok(())
    }

    /// A device of this account has said who reads for the account.
    pub(crate) async fn heard_staff(
        &mut self,
        tx: &mut Tx<'_>,
        account: AccountId,
        by: Role,
        told: &Told,
    ) -> Result<(), Error> {
        let mut peer = peers::record(tx, account).await?;
        let before = peer.clone();
        let known = Told::decode(peer.staff.as_slice()).unwrap_or_default();
        if told.complete() && !by.is_delegate() {
            let bytes = told.encode_to_vec();
            if known.at() <= told.at() && bytes.len() <= TOLD_MAX {
                peer.staff = bytes;
            }
            apply_told(&mut peer, tx.now.0);
        } else {
            label_all(&mut peer, told); // whom it lets read a delegate does not say
        }
        if peer == before {
            return Ok(());
        }
        peers::put(tx, self.own_id()?, account, &peer);
        contacts::show(tx, account).await
    }

    /// The other person has said at that time whether staff may read here.
    pub(crate) async fn heard_wish(
        &mut self,
        tx: &mut Tx<'_>,
        conversation: ConversationId,
        without: bool,
        at: u64,
    ) -> Result<(), Error> {
        let known = thread::conversation_record(tx, conversation).await?;
        let is_news = at > known.without_staff_at && (without || known.without_staff);
        if !is_news {
            return Ok(());
        }
        let mut thread = known.clone();
        (thread.without_staff, thread.without_staff_at) = (without, at);
        tx.put(conversation.as_bytes(), &thread);
        if known.without_staff != without {
            contacts::show(tx, conversation).await?;
        }
        Ok(())
    }

    /// What a message to this person says of whether staff may read it.
    pub(crate) async fn say_wish(
        &self,
        tx: &mut Tx<'_>,
        conversation: ConversationId,
        content: &mut Content,
    ) -> Result<(), Error> {
        let place = Place::of(conversation, Field::WithoutStaff);
        if !registers::fields::is_yes(tx, &place).await? {
            return Ok(());
        }
        let of_edit = content.edit_message.as_mut();
        let message = content.data_message.as_mut();
        if let Some(message) = message.or_else(|| of_edit?.data_message.as_mut()) {
            message.without_staff = Some(true);
        }
        Ok(())
    }
}

/// Whether a conversation is without staff: as this person wants it, as the other one does.
pub(crate) async fn without_staff(
    tx: &mut Tx<'_>,
    conversation: ConversationId,
) -> Result<(bool, bool), Error> {
    let place = Place::of(conversation, Field::WithoutStaff);
    let here = registers::fields::is_yes(tx, &place).await?;
    let thread = thread::conversation_record(tx, conversation).await?;
    Ok((here, thread.without_staff))
}

/// Who reads what is written to this account, and who did until lately.
pub(crate) async fn staff_of(
    tx: &mut Tx<'_>,
    account: AccountId,
    peer: &PeerRecord,
) -> Result<Vec<Staff>, Error> {
    if !peer.devices.iter().any(is_delegate) {
        return Ok(Vec::new());
    }
    let seen = registers::value(tx, &Place::of(account, Field::StaffSeen)).await?;
    let seen = seen.and_then(|bytes| <[u8; 4]>::try_from(bytes).ok());
    let seen = seen.map_or(0, u32::from_be_bytes);
    let mut staff: Vec<_> = peer
        .devices
        .iter()
        .filter(|known| is_delegate(known) && reads(known))
        .map(|known| {
            let over = (known.until <= tx.device_time.0).then_some(known.until);
            let gone = (known.stale_since > 0).then_some(known.stale_since);
            let ended = gone.or(over).map(Timestamp);
            Staff {
                label: known.label.clone(),
                answers: trust::role_of(known) == Role::DelegateAnswer,
                since: Timestamp(known.since),
                is_new: ended.is_none() && known.certificate_epoch > seen,
                ended,
            }
        })
        .collect();
    staff.sort_by_key(|staff| (staff.ended.is_some(), staff.since));
    Ok(staff)
}

/// The value of `StaffSeen` that takes note of all who are there now.
pub(crate) fn seen_value(peer: &PeerRecord) -> Vec<u8> {
    let delegates = peer.devices.iter().filter(|known| is_delegate(known));
    let epochs = delegates.map(|known| known.certificate_epoch);
    epochs.max().unwrap_or_default().to_be_bytes().to_vec()
}

/// How the person of a device is called, if that is known.
pub(crate) fn label(peer: &PeerRecord, device: DeviceId) -> String {
    let number = u32::from(device);
    let mut of_it = peer.devices.iter().filter(|known| known.device == number);
    let known = of_it.find(|known| is_delegate(known));
    known.map(|known| known.label.clone()).unwrap_or_default()
}

fn member(epoch: u32, grant: &GrantRecord, conversation: ConversationId) -> Member {
    let here = !grant.has(Capabilities::READ) && grant.reads(conversation);
    Member {
        epoch: Some(epoch),
        salt: Some(grant.salt.clone()),
        label: Some(grant.label.clone()),
        here: here.then_some(true),
    }
}

/// What an account has said of its delegates, as far as its list names them by now.
pub(crate) fn apply_told(peer: &mut PeerRecord, now: u64) {
    if peer.staff.is_empty() {
        return;
    }
    let told = Told::decode(peer.staff.as_slice()).unwrap_or_default();
    label_all(peer, &told);
    for known in peer.devices.iter_mut().filter(|known| is_delegate(known)) {
        let invited = member_of(&told, known).is_some_and(|member| member.here());
        if invited && !known.invited {
            known.since = now.max(1); // since then it reads
        }
        known.invited = invited;
    }
}

/// A label counts if the certificate is bound to it.
fn label_all(peer: &mut PeerRecord, told: &Told) {
    for known in peer.devices.iter_mut().filter(|known| is_delegate(known)) {
        let fits =
            |member: &&Member| *known.label_commitment == commitment(member.salt(), member.label());
        if let Some(member) = member_of(told, known).filter(fits) {
            member.label().clone_into(&mut known.label);
        }
    }
}

fn member_of<'a>(told: &'a Told, known: &PeerDevice) -> Option<&'a Member> {
    let epoch = Some(known.certificate_epoch);
    told.members.iter().find(|member| member.epoch == epoch)
}

fn is_delegate(known: &PeerDevice) -> bool {
    trust::role_of(known).is_delegate()
}

/// Of as many as an account has devices, each with a label.
const TOLD_MAX: usize = 16 * 1024;
/// A notice is as long as a short message.
const NOTICE_PADDING_MAX: usize = 160;
