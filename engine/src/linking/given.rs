//! What a new device is given by the one that approved it, checked before anything is made of it: the account's key, or a
//! certificate for the key that the new device has shown, with the list that names it. How it travelled is not known here.

use libsignal_protocol::{IdentityKey, IdentityKeyPair, KeyPair, PrivateKey};
use rand_chacha::ChaCha20Rng;
use wire::AccountId;
use wire::RegistrationId;
use wire::certificate::SignedCertificate;
use wire::proto::provisioning::ProvisionMessage;

use crate::error::{Error, Refusal};
use crate::guard;
use crate::peers;
use crate::phone;
use crate::service::Service;
use crate::staff;
use crate::state::State;
use crate::trust::{self, Listing, Outcome};
use crate::tx::Tx;

/// What came, checked.
pub(super) struct Given {
    pub(super) message: ProvisionMessage,
    pub(super) account: AccountId,
    /// What this device will be: the account's key, or its own with a certificate for it.
    pub(super) identity: IdentityKeyPair,
    pub(super) account_key: IdentityKey,
    pub(super) certificate: Option<SignedCertificate>,
}

/// What a provisioning message must hold: a token, an account, and either its identity key or a certificate for the key that was
/// shown. The account's public key is computed from the private one where there is one, not believed.
pub(super) fn checked(
    message: ProvisionMessage,
    shown: &KeyPair,
    rng: &mut ChaCha20Rng,
) -> Option<Given> {
    let account = match (&message.aci_binary, &message.aci) {
        (Some(bytes), _) => AccountId::from_slice(bytes).ok()?,
        (None, Some(text)) => text.parse().ok()?,
        (None, None) => return None,
    };
    message.provisioning_code.as_ref()?;
    if let Some(private) = message.aci_identity_key_private.as_deref() {
        let identity = IdentityKeyPair::try_from(PrivateKey::deserialize(private).ok()?).ok()?;
        return Some(Given {
            account,
            identity,
            account_key: *identity.identity_key(),
            certificate: None,
            message,
        });
    }
    let identity = IdentityKeyPair::new(IdentityKey::new(shown.public_key), shown.private_key);
    let account_key = guard::identity_key(message.aci_identity_key_public.as_deref()?).ok()?;
    let offered = message.device_certificate.as_deref()?;
    let certificate = trust::consent(offered, &identity, rng)?;
    let of_us = certificate.certificate.address.account == account
        && certificate.certificate.account_key == *account_key.serialize();
    of_us.then_some(Given {
        account,
        identity,
        account_key,
        certificate: Some(certificate),
        message,
    })
}

/// The list that names this device, which is the first that it knows. Gives whether it does.
pub(super) async fn take_first_list(tx: &mut Tx<'_>, given: &Given) -> Result<bool, Error> {
    let (Some(certificate), Some(list)) = (&given.certificate, &given.message.device_list) else {
        return Ok(given.certificate.is_none());
    };
    let mut peer = peers::record(tx, given.account).await?;
    let own = certificate.encode();
    let listing = Listing {
        account: given.account,
        pinned: Some(&given.account_key),
        own: given.identity.identity_key(),
        list,
        certificates: Vec::new(),
    };
    if trust::take(&mut peer, &listing, tx.now.0) != Outcome::Taken || !trust::names(&peer, &own) {
        return Ok(false);
    }
    tx.put(given.account.as_bytes(), &peer);
    Ok(true)
}

impl State {
    /// What the approving device has given is stored, and this browser joins as soon as there is a connection. A run has
    /// settled the registration id before.
    pub(super) async fn take_given(
        &mut self,
        tx: &mut Tx<'_>,
        given: Option<Given>,
        settled: Option<RegistrationId>,
    ) -> Result<(), Error> {
        let Some(attempt) = &self.offers else {
            return Ok(());
        };
        let (name, credential) = attempt.asks_with();
        let Some(given) = given else {
            self.end_offers(tx, Refusal::RelayProtocol);
            return Ok(());
        };
        let account = given.account;
        if !self.may_join(account, &given.account_key) {
            self.end_offers(tx, Refusal::OtherAccount);
            return Ok(());
        }
        if !take_first_list(tx, &given).await? {
            self.end_offers(tx, Refusal::RelayProtocol);
            return Ok(());
        }
        let mut record = self.new_pending(tx, &given.identity, &name)?;
        if let Some(settled) = settled {
            record.registration_id = settled.into();
        }
        self.succeed(&mut record);
        record.account = account.as_bytes().to_vec();
        record.service = self.service.map_or(0, Service::number);
        if let Some(certificate) = &given.certificate {
            record.registration_id = certificate.certificate.registration_id.into();
            record.account_key = given.account_key.serialize().into_vec();
            record.certificate = certificate.encode();
        }
        let message = given.message;
        phone::adopt(tx, &mut self.clock, &mut record, &message, &mut self.rng)?;
        self.save_clock(tx);
        if let Some(certificate) = &given.certificate
            && certificate.certificate.role.is_delegate()
        {
            let (salt, label) = (message.staff_salt(), message.staff_label());
            if !staff::is_label(&certificate.certificate, salt, label) {
                self.end_offers(tx, Refusal::RelayProtocol);
                return Ok(());
            }
            record.staff_label = label.to_owned();
            record.staff_salt = salt.to_vec();
        }
        record.link_token = message.provisioning_code;
        record.credential = credential;
        if let Some(profile_key) = message.profile_key.filter(|key| key.len() == 32) {
            record.profile_key = profile_key;
        }
        self.save_pending(tx, record);
        self.offers_answered(tx);
        if self.connection.is_up() {
            self.join(tx).await?;
        }
        Ok(())
    }
}
