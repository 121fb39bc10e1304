//! Beacons: which list of the sender, and which of the recipient, the sender of a message knows. A relay that shows different
//! people different lists, or an old one, is found out by the first message that gets through (T11, T12).
//!
//! A beacon rides inside the ciphertext, beside the addresses (V5). An account without a list sends none.

use wire::AccountId;
use wire::proto::service::Binding;

use super::take::hash;
use crate::error::Error;
use crate::output::{Event, ListAlarm};
use crate::peers;
use crate::record::PeerRecord;
use crate::state::State;
use crate::tx::Tx;

/// A list, by its version and the first half of its hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Beacon {
    version: u64,
    hash: [u8; 16],
}

/// What one device tells another of both their lists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Beacons {
    of_sender: Option<Beacon>,
    of_recipient: Option<Beacon>,
}

impl Beacons {
    /// From what we know of our own account and of the other one.
    pub(crate) fn new(own: &PeerRecord, theirs: &PeerRecord) -> Self {
        Self {
            of_sender: beacon(own),
            of_recipient: beacon(theirs),
        }
    }

    /// As they stand in a message.
    fn read(binding: &Binding) -> Self {
        let one = |version: Option<u64>, hash: Option<&[u8]>| {
            Some(Beacon {
                version: version?,
                hash: hash?.try_into().ok()?,
            })
        };
        Self {
            of_sender: one(
                binding.sender_list_version,
                binding.sender_list_hash.as_deref(),
            ),
            of_recipient: one(
                binding.recipient_list_version,
                binding.recipient_list_hash.as_deref(),
            ),
        }
    }
}

/// A binding that carries them.
pub(crate) fn bound(binding: Binding, beacons: Beacons) -> Binding {
    let Beacons {
        of_sender,
        of_recipient,
    } = beacons;
    Binding {
        sender_list_version: of_sender.map(|beacon| beacon.version),
        sender_list_hash: of_sender.map(|beacon| beacon.hash.to_vec()),
        recipient_list_version: of_recipient.map(|beacon| beacon.version),
        recipient_list_hash: of_recipient.map(|beacon| beacon.hash.to_vec()),
        ..binding
    }
}

fn beacon(peer: &PeerRecord) -> Option<Beacon> {
    let list = super::list(peer)?;
    Some(Beacon {
        version: list.version,
        hash: *hash(&list).first_chunk()?,
    })
}

impl State {
    /// A message has come from this account, with what its sender knows of lists.
    pub(crate) async fn heard(
        &mut self,
        tx: &mut Tx<'_>,
        from: AccountId,
        binding: Option<&Binding>,
    ) -> Result<(), Error> {
        let Some(binding) = binding else {
            return Ok(());
        };
        let own = self.own_id()?;
        let Beacons {
            of_sender,
            of_recipient,
        } = Beacons::read(binding);
        for (account, heard) in [(from, of_sender), (own, of_recipient)] {
            if let Some(heard) = heard {
                self.compare_list(tx, account, heard).await?;
            }
        }
        Ok(())
    }

    async fn compare_list(
        &mut self,
        tx: &mut Tx<'_>,
        account: AccountId,
        heard: Beacon,
    ) -> Result<(), Error> {
        let own = self.own_id()?;
        let mut peer = peers::record(tx, account).await?;
        let known = beacon(&peer);
        if known.is_some_and(|known| heard.version < known.version) {
            return Ok(()); // they will learn of it
        }
        if known.is_some_and(|known| heard.version == known.version) {
            if known != Some(heard) && !peer.forked_list {
                peer.forked_list = true;
                peers::put(tx, own, account, &peer);
                tx.emit(Event::ListAlarm(account, ListAlarm::Forked));
            }
            return Ok(());
        }
        if heard.version > peer.newer_list {
            peer.newer_list = heard.version;
            if peer.newer_list_at == 0 {
                peer.newer_list_at = tx.device_time.0.max(1);
            }
            peers::put(tx, own, account, &peer);
            self.ask_list(tx, account);
        }
        Ok(())
    }
}
