//! Delegates' certificates end by themselves, and go on while wanted: an owner offers one for a later time, the delegate's device
//! signs it, too, and the owner puts it into the list in place of the present one. Whoever is not wanted any more ends with the
//! certificate, and leaves the list (D-7).
//!
//! Three messages, each of which may be lost: the next day begins again.

use wire::certificate::{Certificate, Role, SignedCertificate};
use wire::device_list::Reason;
use wire::proto::service::SyncMessage;
use wire::{DeviceAddress, DeviceId};

use super::{GrantRecord, certificate_end, grants, has_delegates};
use crate::account::Account;
use crate::content::OwnDevice;
use crate::error::Error;
use crate::guard;
use crate::limits::{CERTIFICATE_EARLY_MS, STAFF_CERTIFICATE_MS};
use crate::peers;
use crate::record::{PeerDevice, key};
use crate::state::State;
use crate::trust::{self, Purpose};
use crate::tx::Tx;

impl State {
    /// Once a day, on owners: whoever is still wanted is offered a certificate for later.
    pub(crate) async fn offer_renewals(&mut self, tx: &mut Tx<'_>) -> Result<(), Error> {
        let Some(own) = self.account.clone().filter(Account::is_owner) else {
            return Ok(());
        };
        for (device, known, grant) in present(tx, &own).await? {
            if tx.device_time.0 < known.until {
                self.offer_renewal(tx, &own, device, &known, &grant)?;
            }
        }
        Ok(())
    }

    /// On owners: whose certificate has ended is taken out of the list. Gives whether there was anybody; of several the others'
    /// turn comes when that is done.
    pub(crate) async fn end_expired(&mut self, tx: &mut Tx<'_>) -> Result<bool, Error> {
        let Some(own) = self.account.clone() else {
            return Ok(false);
        };
        let mut present = present(tx, &own).await?.into_iter();
        let Some((device, ..)) = present.find(|(_, known, _)| known.until <= tx.device_time.0)
        else {
            return Ok(false);
        };
        let purpose = Purpose::Revoke {
            ticket: None,
            device,
            reason: Reason::Ended,
        };
        self.change_list(tx, purpose, 0).await?;
        Ok(true)
    }

    fn offer_renewal(
        &mut self,
        tx: &mut Tx<'_>,
        own: &Account,
        device: DeviceId,
        known: &PeerDevice,
        grant: &GrantRecord,
    ) -> Result<(), Error> {
        let now = tx.device_time;
        let end = certificate_end(now, grant.until);
        let half = now.plus_ms(STAFF_CERTIFICATE_MS / 2).0;
        if known.until > half || end <= known.until {
            return Ok(());
        }
        let Some(present) = certificate_of(own, device, known) else {
            return Ok(());
        };
        let next = Certificate {
            not_before: now.0.saturating_sub(CERTIFICATE_EARLY_MS),
            not_after: end,
            ..present
        };
        let offer = trust::signed_by_account(own, &next, &mut self.rng)?;
        let message = SyncMessage {
            certificate_offer: Some(offer),
            ..SyncMessage::default()
        };
        self.enqueue_sync_for(tx, Some(device), message);
        Ok(())
    }

    /// On a delegate: an owner offers a certificate for a later time, which says nothing else than the present one.
    pub(crate) fn renewal_offered(&mut self, tx: &mut Tx<'_>, from: OwnDevice, offer: &[u8]) {
        let Some(own) = self.account.clone() else {
            return;
        };
        let Ok(present) = SignedCertificate::decode(&own.record.certificate) else {
            return;
        };
        let Some(signed) = trust::consent(offer, &own.identity, &mut self.rng) else {
            return;
        };
        let by_owner = from.role() == Role::Owner;
        if !by_owner || !is_later(&signed.certificate, &present.certificate) {
            return;
        }
        let body = Certificate::signed_by_account(&signed.certificate.encode());
        let key = own.account_key.public_key();
        if !key.verify_signature(&body, &signed.by_account) {
            return;
        }
        let message = SyncMessage {
            certificate_consent: Some(signed.encode()),
            ..SyncMessage::default()
        };
        self.enqueue_sync_for(tx, Some(from.address().device), message);
    }

    /// On an owner: the delegate agrees. The certificate counts once the list names it.
    pub(crate) async fn renewal_agreed(
        &mut self,
        tx: &mut Tx<'_>,
        from: OwnDevice,
        agreed: &[u8],
    ) -> Result<(), Error> {
        let Some(own) = self.account.clone().filter(Account::is_owner) else {
            return Ok(());
        };
        let Ok(signed) = SignedCertificate::decode(agreed) else {
            return Ok(());
        };
        let device = from.address().device;
        let peer = peers::record(tx, own.id()).await?;
        let present = peers::present(&peer, device)
            .and_then(|known| certificate_of(&own, device, known))
            .filter(|present| is_later(&signed.certificate, present));
        let Some(present) = present else {
            return Ok(());
        };
        let body = signed.certificate.encode();
        let by_account = own
            .account_key
            .public_key()
            .verify_signature(&Certificate::signed_by_account(&body), &signed.by_account);
        let by_device = guard::identity_key(&present.key).is_ok_and(|key| {
            let body = Certificate::signed_by_device(&body);
            key.public_key().verify_signature(&body, &signed.by_device)
        });
        let all = grants(tx).await?;
        let wanted = all.iter().any(|(epoch, grant)| {
            let until = certificate_end(tx.device_time.plus_ms(CERTIFICATE_EARLY_MS), grant.until);
            *epoch == present.epoch && grant.ended == 0 && signed.certificate.not_after <= until
        });
        if !by_account || !by_device || !wanted || !self.connection.is_up() {
            return Ok(());
        }
        let purpose = Purpose::Extend {
            certificate: Box::new(signed),
        };
        self.change_list(tx, purpose, 0).await
    }

    /// The list names the new certificate.
    pub(crate) async fn renewed(
        &mut self,
        tx: &mut Tx<'_>,
        certificate: &Certificate,
    ) -> Result<(), Error> {
        for (epoch, mut grant) in grants(tx).await? {
            if epoch == certificate.epoch && grant.expires != certificate.not_after {
                grant.expires = certificate.not_after;
                self.write_grant(tx, epoch, &grant).await?;
            }
        }
        Ok(())
    }

    /// A list of our own account has come, with a newer certificate of this very device.
    pub(crate) fn take_own_certificate(&mut self, tx: &mut Tx<'_>, listed: &[&[u8]]) {
        let Some(own) = self.account.as_mut() else {
            return;
        };
        let Ok(present) = SignedCertificate::decode(&own.record.certificate) else {
            return;
        };
        let newer = listed.iter().find(|bytes| {
            let signed = SignedCertificate::decode(bytes);
            signed.is_ok_and(|signed| is_later(&signed.certificate, &present.certificate))
        });
        if let Some(newer) = newer {
            own.record.certificate = newer.to_vec();
            tx.put(key::ACCOUNT, &own.record);
        }
    }
}

/// Who has access now: device, what is known of it, what was granted.
async fn present(
    tx: &mut Tx<'_>,
    own: &Account,
) -> Result<Vec<(DeviceId, PeerDevice, GrantRecord)>, Error> {
    let peer = peers::record(tx, own.id()).await?;
    let mut present = Vec::new();
    if !has_delegates(&peer) {
        return Ok(present);
    }
    for (epoch, grant) in grants(tx).await? {
        let is_it = |known: &&PeerDevice| {
            known.certificate_epoch == epoch && known.stale_since == 0 && !known.key.is_empty()
        };
        let known = peer.devices.iter().find(is_it);
        if let Some(known) = known.filter(|_| grant.ended == 0)
            && let Some(device) = key::device(known.device)
        {
            present.push((device, known.clone(), grant));
        }
    }
    Ok(present)
}

/// The certificate of a device, as far as it is kept: all but its beginning.
fn certificate_of(own: &Account, device: DeviceId, known: &PeerDevice) -> Option<Certificate> {
    let address = DeviceAddress {
        account: own.id(),
        device,
    };
    Some(Certificate {
        address,
        epoch: known.certificate_epoch,
        registration_id: known.registration_id.try_into().ok()?,
        key: known.key.as_slice().try_into().ok()?,
        role: trust::role_of(known),
        capabilities: u16::try_from(known.capabilities).ok()?.try_into().ok()?,
        not_before: 0,
        not_after: known.until,
        label_commitment: known.label_commitment.as_slice().try_into().ok()?,
        account_key: trust::key_bytes(own.account_key.public_key()),
    })
}

/// It says the same of the same device, for longer.
fn is_later(next: &Certificate, present: &Certificate) -> bool {
    let same = Certificate {
        not_before: present.not_before,
        not_after: present.not_after,
        ..next.clone()
    };
    same == *present && next.not_after > present.not_after && present.role.is_delegate()
}
