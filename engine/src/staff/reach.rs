//! Which device gets what of something that is sent. To own devices and to all of a person's without staff: everything, as ever.
//!
//! Rule ST-3: a delegate gets what is written to its account if its certificate says so of all, or an owner has said so of it here;
//! and copies of what its account sends if its certificate says so, of the conversations that it reads. Of all else that own
//! devices tell each other it gets nothing. Rule ST-4: of a conversation that either person wants without staff no delegate of
//! either gets anything (D-6), nor of what was written while it was so and leaves later. Rule ST-6: what somebody wrote before they could know of a delegate is not for that one; of an account
//! that they had never heard of they learn with the keys, and all that are there then read. Who gets nothing is named in the bundle as left out.

use std::borrow::Cow;

use prost::Message as _;
use wire::certificate::{Capabilities, Role};
use wire::proto::service::{Content, SyncMessage};
use wire::{AccountId, DeviceAddress};

use super::{GrantRecord, grants, has_delegates, without_staff};
use crate::content;
use crate::error::Error;
use crate::peers;
use crate::record::{OutboxRecord, PeerDevice, PeerRecord};
use crate::state::State;
use crate::trust;
use crate::tx::Tx;

/// What is sent, and who may have it.
pub(crate) struct Reach {
    own: AccountId,
    conversation: AccountId,
    /// Of the peer's, when it was written.
    known_staff: Vec<u32>,
    /// For the peer's devices, and for own other ones.
    message: Content,
    transcript: Content,
    /// It is for one device alone.
    for_one: bool,
    /// Nobody but the two people is to read it.
    private: bool,
    /// Of own delegates, by epoch. A delegate does not know what others were granted.
    grants: Vec<(u32, GrantRecord)>,
}

impl State {
    pub(crate) async fn reach(
        &self,
        tx: &mut Tx<'_>,
        entry: &OutboxRecord,
        own_record: &PeerRecord,
    ) -> Result<Reach, Error> {
        let decode = |bytes: &[u8]| {
            Content::decode(bytes).map_err(|_| Error::Bug("stored content does not decode"))
        };
        let own = self.own_id()?;
        let conversation = AccountId::from_slice(&entry.conversation).unwrap_or(own);
        let is_delegate = self.own_delegate().is_some();
        let has_staff = has_delegates(own_record) && !is_delegate;
        let mut reach = Reach {
            own,
            conversation,
            known_staff: entry.known_staff.clone(),
            message: decode(&entry.content)?,
            transcript: decode(&entry.transcript)?,
            for_one: entry.only_device != 0,
            private: entry.without_staff,
            grants: Vec::new(),
        };
        let peer = peers::record(tx, conversation).await?;
        if [own_record, &peer].into_iter().any(has_delegates) {
            let (here, there) = without_staff(tx, conversation).await?;
            reach.private |= here || there || is_private(&reach.message);
        }
        if has_staff {
            reach.grants = grants(tx).await?;
        }
        if conversation != own && (has_staff || is_delegate) {
            let told = self.staff_told(tx, &reach.grants, conversation);
            reach.message.staff.clone_from(&told);
            reach.transcript.staff = told;
        }
        Ok(reach)
    }
}

impl Reach {
    /// What a device gets, if anything.
    pub(crate) fn part(&self, to: DeviceAddress, peer: &PeerRecord) -> Option<Cow<'_, Content>> {
        let is_own = to.account == self.own;
        let whole = if is_own {
            &self.transcript
        } else {
            &self.message
        };
        let known = peers::present(peer, to.device);
        let role = known.map_or(Role::Owner, trust::role_of);
        let Some(known) = known.filter(|_| role.is_delegate()) else {
            return Some(Cow::Borrowed(whole));
        };
        if !is_own {
            // A device that asks for something again has got it before.
            let epoch = &known.certificate_epoch;
            let knew = known.from_start || self.for_one || self.known_staff.contains(epoch);
            let reads = knew && reads(known);
            return (reads && !self.private).then_some(Cow::Borrowed(whole));
        }
        self.told(known).map(Cow::Owned)
    }

    /// Whether a device gets anything.
    pub(crate) fn has_part(&self, to: DeviceAddress, peer: &PeerRecord) -> bool {
        self.part(to, peer).is_some()
    }

    /// What an own delegate gets of what own devices are told.
    fn told(&self, known: &PeerDevice) -> Option<Content> {
        let message = self.transcript.sync_message.as_ref()?;
        // Snapshots and offers that are for a delegate are made for that one alone.
        let sent = message.sent.clone().filter(|_| self.mirrors(known));
        let part = SyncMessage {
            contact_snapshot: message.contact_snapshot.clone().filter(|_| self.for_one),
            certificate_offer: message.certificate_offer.clone().filter(|_| self.for_one),
            sent,
            ..SyncMessage::default()
        };
        let has_something = part != SyncMessage::default();
        has_something.then(|| Content {
            staff: self.transcript.staff.clone(),
            ..content::sync(part)
        })
    }

    /// Whether an own delegate gets copies of what is sent here.
    fn mirrors(&self, known: &PeerDevice) -> bool {
        let by_name = self.grants.iter().any(|(epoch, grant)| {
            *epoch == known.certificate_epoch && grant.ended == 0 && grant.reads(self.conversation)
        });
        let reads_here = may(known, Capabilities::READ) || by_name;
        let is_with_somebody = self.conversation != self.own;
        may(known, Capabilities::READ_SENT) && reads_here && is_with_somebody && !self.private
    }
}

impl GrantRecord {
    /// Whether this conversation is among those that it reads.
    pub(super) fn reads(&self, conversation: AccountId) -> bool {
        self.has(Capabilities::READ) || self.chosen().any(|chosen| chosen == conversation)
    }
}

/// The epochs of those who read what is written to this account.
pub(crate) fn readers(peer: &PeerRecord) -> Vec<u32> {
    let current = peer.devices.iter().filter(|known| known.stale_since == 0);
    let readers = current.filter(|known| trust::role_of(known).is_delegate() && reads(known));
    readers.map(|known| known.certificate_epoch).collect()
}

/// It reads what is written to its account.
pub(super) fn reads(known: &PeerDevice) -> bool {
    may(known, Capabilities::READ) || known.invited
}

fn may(known: &PeerDevice, capability: Capabilities) -> bool {
    let bits = u16::try_from(known.capabilities);
    let all = bits.map(Capabilities::try_from);
    matches!(all, Ok(Ok(all)) if all.has(capability))
}

/// Its author wants nobody else to read this.
fn is_private(content: &Content) -> bool {
    let of_edit = content.edit_message.as_ref();
    let message = content.data_message.as_ref();
    let message = message.or_else(|| of_edit?.data_message.as_ref());
    message.is_some_and(|message| message.without_staff())
}
