//! The phone-number identity ("PNI") that accounts of a plain Signal service have beside their own.
//!
//! A linked device has to publish prekeys for it, or the service takes it for half linked. Messages to a phone number are
//! not read: this keeps the private keys for a version that will. Our own relay knows no phone numbers.

use libsignal_protocol::{IdentityKeyPair, PrivateKey};
use rand_chacha::ChaCha20Rng;
use wire::body::{AccountAttributes, LinkDevice, LinkPhoneDevice, to_json};
use wire::proto::provisioning::ProvisionMessage;
use wire::{Endpoint, Response};

use crate::account::{self, Account};
use crate::error::Error;
use crate::record::{AccountRecord, ClockRecord, PhoneRecord, key};
use crate::request::Pending;
use crate::session::identity_pair;
use crate::state::State;
use crate::tx::Tx;

/// Takes the identity over from a provisioning message, with fresh keys of this device for it.
pub(crate) fn adopt(
    tx: &mut Tx<'_>,
    clock: &mut ClockRecord,
    record: &mut AccountRecord,
    message: &ProvisionMessage,
    rng: &mut ChaCha20Rng,
) -> Result<(), Error> {
    let named = message.pni_binary.is_some() || message.pni.is_some();
    let private = message.pni_identity_key_private.as_deref();
    let identity = private
        .filter(|_| named)
        .and_then(|bytes| PrivateKey::deserialize(bytes).ok())
        .and_then(|private| IdentityKeyPair::try_from(private).ok());
    if let Some(identity) = identity {
        let made = account::new_device(tx, clock, &identity, String::new(), rng)?;
        record.phone = Some(PhoneRecord {
            identity: made.identity,
            registration_id: made.registration_id,
            signed_pre_key: made.signed_pre_key,
            last_resort_key: made.last_resort_key,
            published: false,
        });
    }
    Ok(())
}

/// What a device says of itself, phone number included.
pub(crate) fn attributes(
    record: &AccountRecord,
    identity: &IdentityKeyPair,
    rng: &mut ChaCha20Rng,
) -> Result<AccountAttributes, Error> {
    Ok(AccountAttributes {
        pni_registration_id: record.phone.as_ref().map(|phone| phone.registration_id),
        ..account::attributes(record, identity, rng)?
    })
}

/// The body of a link request, with the long-lived prekeys of the phone-number identity if there is one.
pub(crate) async fn link_body(
    tx: &mut Tx<'_>,
    device: LinkDevice,
    record: &AccountRecord,
) -> Result<LinkPhoneDevice, Error> {
    let keys = match &record.phone {
        Some(phone) => {
            Some(account::published_keys(tx, phone.signed_pre_key, phone.last_resort_key).await?)
        }
        None => None,
    };
    let (pni_signed_pre_key, pni_pq_last_resort_pre_key) = keys.unzip();
    Ok(LinkPhoneDevice {
        device,
        pni_signed_pre_key,
        pni_pq_last_resort_pre_key,
    })
}

impl State {
    /// Signed in: what a plain Signal service needs beyond what ours does.
    pub(crate) fn online_at_signal(&mut self, tx: &mut Tx<'_>) -> Result<(), Error> {
        self.ask_service_again(tx);
        self.publish_phone_keys(tx)
    }

    /// One-time keys of the phone-number identity, once. When they are used up the last-resort key serves.
    fn publish_phone_keys(&mut self, tx: &mut Tx<'_>) -> Result<(), Error> {
        let Some(own) = self.account.clone() else {
            return Ok(());
        };
        let unpublished = own.record.phone.as_ref().filter(|phone| !phone.published);
        let Some(phone) = unpublished else {
            return Ok(());
        };
        let identity = identity_pair(&phone.identity)?;
        let of_phone = Account {
            identity,
            ..own.clone()
        };
        let keys = account::one_time_keys(tx, &mut self.clock, &of_phone, &mut self.rng)?;
        self.save_clock(tx);
        let pending = Pending::UploadPhoneKeys;
        let endpoint = Endpoint::PutPhoneKeys;
        self.connection
            .request(tx, &endpoint, Vec::new(), to_json(&keys), pending);
        Ok(())
    }

    /// The service has them; without its answer they are made and sent anew.
    pub(crate) fn phone_keys_answered(&mut self, tx: &mut Tx<'_>, response: &Response) {
        let own = self.account.as_mut().filter(|_| response.is_success());
        let Some(own) = own else { return };
        if let Some(phone) = &mut own.record.phone {
            phone.published = true;
            tx.put(key::ACCOUNT, &own.record);
        }
    }
}
