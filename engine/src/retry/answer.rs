//! The sending side: what was sent is remembered for a while, and sent again to a device that says it could not
//! read it. Not to another device, not twice, and not to a key that has changed meanwhile (S-42..S-45).

use wire::bundle::Bundle;
use wire::{DeviceAddress, Envelope};

use super::parse;
use crate::error::Error;
use crate::limits::{HOUR_MS, RESENDS_MAX, RESENDS_PER_HOUR_MAX, SENT_MS, UPKEEP_ROWS};
use crate::peers;
use crate::record::{OutboxRecord, SentRecord, SentTo, key};
use crate::session::{Incarnation, Sessions};
use crate::state::State;
use crate::store::{Scan, Table};
use crate::tx::Tx;

impl State {
    /// A bundle is sealed: what it says and to whom is kept, in case a device asks for it. That device may be sooner than the
    /// relay's answer, so it is not waited for.
    pub(crate) fn remember_sent(tx: &mut Tx<'_>, entry: &OutboxRecord, bundle: &Bundle) {
        if !is_remembered(entry) {
            return;
        }
        let to = |recipient: &wire::bundle::Recipient| {
            let account = recipient.account.as_bytes().to_vec();
            let parts = recipient.messages.iter().map(move |part| SentTo {
                account: account.clone(),
                device: part.device.into(),
                resends: 0,
            });
            parts.collect::<Vec<_>>()
        };
        let record = SentRecord {
            message_id: entry.message_id.clone(),
            content: entry.content.clone(),
            transcript: entry.transcript.clone(),
            to: bundle.recipients.iter().flat_map(to).collect(),
        };
        if !record.to.is_empty() {
            tx.put(&key::sent(entry.timestamp), &record);
        }
    }

    /// A bundle was given up that nobody has: nobody asks for it.
    pub(crate) fn forget_unsent(tx: &mut Tx<'_>, entry: &OutboxRecord) {
        if is_remembered(entry) {
            tx.delete(Table::Sent, &key::sent(entry.timestamp));
        }
    }

    /// A device says that it could not read something of ours.
    pub(crate) async fn retry_requested(
        &mut self,
        tx: &mut Tx<'_>,
        envelope: &Envelope,
    ) -> Result<(), Error> {
        let Some(own) = self.account.clone() else {
            return Ok(());
        };
        let from = envelope.source;
        let Some(request) = parse(&envelope.content) else {
            return Ok(());
        };
        if request.device != u32::from(own.address.device) {
            return Ok(()); // it is about what another of our devices has sent
        }
        let at = key::sent(request.timestamp);
        let Some(mut sent) = tx.get::<SentRecord>(&at).await? else {
            return Ok(());
        };
        let peer = peers::record(tx, from.account).await?;
        let current = peers::current(&peer).find(|(device, _)| *device == from.device);
        let (Some((_, epoch)), Some(to)) = (current, recipient(&mut sent, from)) else {
            return Ok(());
        };
        if to.resends >= RESENDS_MAX || peers::key_changed(&peer) {
            return Ok(()); // S-43: nothing goes to a changed key by itself
        }
        to.resends += 1;
        let mut sessions = Sessions::new(&own);
        sessions.load(tx, from).await?;
        let with = Incarnation {
            address: from,
            epoch,
        };
        let now = tx.now.0;
        if !sessions.count_resend(with, now, HOUR_MS, RESENDS_PER_HOUR_MAX) {
            return Ok(());
        }
        if let Some(key) = request.ratchet_key {
            sessions.renew_failing(with, &key, now, HOUR_MS);
        }
        sessions.store(tx).await?;
        tx.put(&at, &sent);
        self.send_again(tx, &sent, from, request.timestamp);
        Ok(())
    }

    fn send_again(
        &mut self,
        tx: &mut Tx<'_>,
        sent: &SentRecord,
        to: DeviceAddress,
        timestamp: u64,
    ) {
        let bundle_id = self.new_message_id(tx.now.0);
        let entry = OutboxRecord {
            message_id: sent.message_id.clone(),
            conversation: to.account.as_bytes().to_vec(),
            content: sent.content.clone(),
            transcript: sent.transcript.clone(),
            timestamp,
            only_device: to.device.into(),
            bundle_id: bundle_id.as_bytes().to_vec(),
            ..OutboxRecord::default()
        };
        self.enqueue(tx, &entry);
    }
}

/// Not a repeat, which has the time of what it repeats; nor a request, nor what is of no use later or told anew anyway.
const fn is_remembered(entry: &OutboxRecord) -> bool {
    (entry.only_device == 0 || entry.is_kept) && entry.ends_at == 0
}

fn recipient(sent: &mut SentRecord, device: DeviceAddress) -> Option<&mut SentTo> {
    let (account, number) = (device.account.as_bytes(), u32::from(device.device));
    sent.to
        .iter_mut()
        .find(|to| to.account == account && to.device == number)
}

/// What was sent so long ago is not asked for any more (S-44).
pub(crate) async fn forget_sent(tx: &mut Tx<'_>) -> Result<(), Error> {
    let old = Scan {
        to: Some(key::sent(tx.now.0.saturating_sub(SENT_MS))),
        ..Scan::all(Table::Sent, UPKEEP_ROWS)
    };
    for (at, _) in tx.scan(old).await? {
        tx.delete(Table::Sent, &at);
    }
    Ok(())
}
