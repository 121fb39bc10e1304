//! A browser that was unlinked becomes a device of its account again.
//!
//! The new device shares nothing with the old one that libsignal or the relay knows: sessions, prekeys, marks of
//! envelopes and device lists of the earlier life go in the commit that makes it a device. What the person knows
//! stays, and what was not sent is sealed anew under the same message ids, so that receivers that have some of
//! it already show it once. How it is linked is not known here.

use libsignal_protocol::IdentityKey;
use wire::limits::REGISTRATION_ID_MAX;
use wire::{AccountId, RegistrationId};

use crate::error::Error;
use crate::outbox::Outbox;
use crate::record::{AccountRecord, OutboxRecord, PeerRecord, PreKeyKind, Record, key};
use crate::retry::Waiting;
use crate::seen::Seen;
use crate::state::State;
use crate::store::Table;
use crate::tx::Tx;

impl State {
    /// Whether this browser may become a device of this account: any, unless it has been one of another.
    pub(crate) fn may_join(&self, account: AccountId, key: &IdentityKey) -> bool {
        self.account
            .as_ref()
            .is_none_or(|own| own.id() == account && own.account_key == *key)
    }

    /// What a pending device keeps of its earlier life, and what must differ from it.
    pub(crate) fn succeed(&self, record: &mut AccountRecord) {
        let Some(own) = &self.account else { return };
        record.handle.clone_from(&own.record.handle);
        if let Ok(drawn) = record.registration_id.try_into() {
            record.registration_id = self.other_incarnation(drawn).into();
        }
    }

    /// Another epoch than this browser had as an earlier device, whatever was drawn (decision 0005).
    pub(crate) fn other_incarnation(&self, drawn: RegistrationId) -> RegistrationId {
        match &self.account {
            Some(own) if own.registration_id == drawn => {
                RegistrationId::from_random(drawn.get() % REGISTRATION_ID_MAX)
            }
            Some(_) | None => drawn,
        }
    }

    /// Lets go of the earlier life of a device that has become this one.
    pub(crate) async fn shed(
        &mut self,
        tx: &mut Tx<'_>,
        successor: &AccountRecord,
    ) -> Result<(), Error> {
        let own_keys = [
            key::pre_key(PreKeyKind::Signed, successor.signed_pre_key),
            key::pre_key(PreKeyKind::KyberLastResort, successor.last_resort_key),
        ];
        for table in EARLIER_LIFE {
            tx.each_row(table, |tx, at, _| {
                if table != Table::PreKeys || !own_keys.contains(&at) {
                    tx.delete(table, &at);
                }
                Ok(())
            })
            .await?;
        }
        self.seen = Seen::read(tx, self.clock.drains).await?;
        self.waiting = Waiting::read(tx).await?;
        tx.each_row(Table::Peers, |tx, at, bytes| {
            let peer = PeerRecord::read(bytes)?;
            let keys_alone = PeerRecord {
                devices: Vec::new(),
                listed: false,
                ..peer.clone()
            };
            if peer != keys_alone {
                tx.put(&at, &keys_alone);
            }
            Ok(())
        })
        .await?;
        tx.each_row(Table::Outbox, |tx, at, bytes| {
            let entry = OutboxRecord::read(bytes)?;
            if entry.only_device != 0 {
                tx.delete(Table::Outbox, &at); // between the earlier device and another one
                return Ok(());
            }
            let unsealed = OutboxRecord {
                bundle: Vec::new(),
                sealed: false,
                tries: 0,
                fetches: 0,
                ..entry
            };
            tx.put(&at, &unsealed);
            Ok(())
        })
        .await?;
        self.outbox = Outbox::read(tx).await?;
        Ok(())
    }
}

/// What was between the earlier device and others: nobody has it with this one.
const EARLIER_LIFE: [Table; 5] = [
    Table::Sessions,
    Table::Seen,
    Table::PreKeys,
    Table::Sent,
    Table::Waiting,
];
