//! The existing device: after the person approved, gets a link token, sends the account to the device
//! that shows the URI, and waits for it to come.
//!
//! The three requests follow each other; whichever fails, the new device gets nothing it could
//! use (the token alone names no key, the message without a valid token joins nothing).

use wire::body::{Base64, DeviceInfo, LinkToken, Provision, from_json, to_json};
use wire::device_list::Reason;
use wire::proto::provisioning::ProvisionMessage;
use wire::{DeviceId, Endpoint, Response};

use super::parse;
use crate::account::Account;
use crate::commands::{device, general_refusal};
use crate::error::{Error, Refusal};
use crate::guard;
use crate::input::{HistoryChoice, Ticket};
use crate::limits::LINK_WAIT_S;
use crate::output::Reply;
use crate::peers;
use crate::provisioning;
use crate::request::Pending;
use crate::staff::Standing;
use crate::state::State;
use crate::trust::{self, Purpose};
use crate::tx::Tx;

/// The version of the provisioning message that we write, as Signal's clients do.
const PROVISIONING_VERSION: u32 = 1;

impl State {
    pub(crate) fn approve_link(
        &mut self,
        tx: &mut Tx<'_>,
        ticket: Ticket,
        uri: String,
        standing: Standing,
    ) {
        let own = self.account.as_ref();
        let refusal = if let Err(refusal) = parse(&uri) {
            Some(refusal)
        } else if own.is_some_and(|own| !own.is_owner()) {
            Some(Refusal::NotOwner)
        } else if own.is_some_and(Account::is_plain) && standing != Standing::Owner {
            Some(Refusal::InvalidArgument("role")) // such a service has owners only
        } else {
            None
        };
        if let Some(refusal) = refusal {
            tx.resolve(ticket, Err(refusal));
            return;
        }
        self.note_approval(ticket, &uri);
        let pending = Pending::LinkToken {
            ticket,
            uri,
            standing,
        };
        self.connection.ask(tx, &Endpoint::LinkToken, pending);
    }

    /// The same for another person's device, by whichever way it asks. It gets nothing from before.
    pub(crate) async fn approve_delegate(
        &mut self,
        tx: &mut Tx<'_>,
        ticket: Ticket,
        uri: Option<String>,
        standing: Standing,
    ) -> Result<(), Error> {
        let history = HistoryChoice::None;
        let Some(uri) = uri else {
            return self.approve_run(tx, ticket, standing, history).await;
        };
        match self.choose_history(tx, &uri, history).await? {
            Ok(_) => self.approve_link(tx, ticket, uri, standing),
            Err(refusal) => tx.resolve(ticket, Err(refusal)),
        }
        Ok(())
    }

    pub(crate) fn reject_link(&mut self, tx: &mut Tx<'_>, ticket: Ticket, uri: &str) {
        match parse(uri) {
            Ok(uri) => {
                let endpoint = Endpoint::DeclineProvision {
                    address: uri.address,
                };
                let pending = Pending::Decline(ticket);
                self.connection.ask(tx, &endpoint, pending);
            }
            Err(refusal) => tx.resolve(ticket, Err(refusal)),
        }
    }

    /// The relay gave a token. A device that is to have a key of its own is certified before anything goes to it.
    pub(crate) async fn link_token(
        &mut self,
        tx: &mut Tx<'_>,
        ticket: Ticket,
        uri: String,
        standing: Standing,
        response: &Response,
    ) -> Result<(), Error> {
        let Some(own) = self.account.clone() else {
            return Ok(());
        };
        let refusal = match (response.status, from_json::<LinkToken>(&response.body)) {
            (200, Ok(token)) if standing == Standing::Owner => {
                return self.hand_over(tx, (ticket, &uri), token, None, &standing);
            }
            (200, Ok(token)) if token.device_id.is_some() => {
                let purpose = Purpose::Link {
                    ticket,
                    uri,
                    token,
                    standing,
                };
                return self.change_list(tx, purpose, 0).await;
            }
            (200, Ok(_)) => Refusal::RelayProtocol,
            (411, _) => Refusal::DeviceLimit,
            (401, _) if own.is_plain() => Refusal::RelayRefused, // only a primary may link there
            (status, _) => general_refusal(status),
        };
        tx.resolve(ticket, Err(refusal));
        Ok(())
    }

    /// The account goes to the new device: with its key, or with a certificate for the new device's own and the list that names it.
    pub(crate) fn hand_over(
        &mut self,
        tx: &mut Tx<'_>,
        (ticket, uri): (Ticket, &str),
        token: LinkToken,
        certified: Option<(Vec<u8>, Vec<u8>)>,
        standing: &Standing,
    ) -> Result<(), Error> {
        let (Some(own), Ok(uri)) = (self.account.clone(), parse(uri)) else {
            return Err(Error::Bug("a parsed link URI does not parse"));
        };
        let device = certified.as_ref().and(token.device_id);
        let message = provision_message(&own, token.verification_code, certified, standing);
        let to = guard::public_key(&uri.public_key)
            .map_err(|_| Error::Bug("a parsed link URI has a bad key"))?;
        let body = provisioning::encrypt(&message, &to, &mut self.rng);
        let body = to_json(&Provision { body: Base64(body) });
        let endpoint = Endpoint::Provision {
            address: uri.address,
        };
        let token_identifier = token.token_identifier;
        let pending = Pending::Provision {
            ticket,
            certified: device,
            token_identifier,
        };
        self.connection
            .request(tx, &endpoint, Vec::new(), body, pending);
        Ok(())
    }

    /// The relay took the account for the new device, or nobody waits for it any more.
    pub(crate) async fn provisioned(
        &mut self,
        tx: &mut Tx<'_>,
        ticket: Ticket,
        certified: Option<DeviceId>,
        token_identifier: String,
        response: &Response,
    ) -> Result<(), Error> {
        match response.status {
            200..=299 => {
                let endpoint = Endpoint::WaitForLinkedDevice {
                    token_identifier,
                    timeout_s: LINK_WAIT_S,
                };
                let pending = Pending::AwaitDevice { ticket, certified };
                self.connection.ask(tx, &endpoint, pending);
            }
            404 => {
                tx.resolve(ticket, Err(Refusal::LinkExpired));
                self.never_came(tx, certified).await?;
            }
            status => tx.resolve(ticket, Err(general_refusal(status))),
        }
        Ok(())
    }

    /// A device that was certified and did not come is in the list no more.
    pub(super) async fn never_came(
        &mut self,
        tx: &mut Tx<'_>,
        certified: Option<DeviceId>,
    ) -> Result<(), Error> {
        let Some(device) = certified else {
            return Ok(());
        };
        let purpose = Purpose::Revoke {
            ticket: None,
            device,
            reason: Reason::Ended,
        };
        self.change_list(tx, purpose, 0).await
    }

    /// The new device is there. From now on every bundle has a part for it.
    pub(crate) async fn device_came(
        &mut self,
        tx: &mut Tx<'_>,
        ticket: Ticket,
        certified: Option<DeviceId>,
        response: &Response,
    ) -> Result<(), Error> {
        let Some(own) = self.account.clone() else {
            return Ok(());
        };
        let info = match (response.status, from_json::<DeviceInfo>(&response.body)) {
            (200, Ok(info)) => info,
            (204, _) => {
                tx.resolve(ticket, Err(Refusal::LinkExpired));
                return self.never_came(tx, certified).await;
            }
            (status, _) => {
                tx.resolve(ticket, Err(general_refusal(status)));
                return Ok(());
            }
        };
        let mut peer = peers::record(tx, own.id()).await?;
        peers::add_device(&mut peer, info.id, info.registration_id.into(), tx.now.0);
        trust::note_own(&mut peer, &own, &info, tx.now.0);
        peers::put_own(tx, own.id(), &peer);
        self.approved_device_came(tx, ticket, info.id).await?;
        self.delegate_came(tx, info.id).await?;
        tx.resolve(ticket, Ok(Reply::Device(device(&info, &own, &peer))));
        Ok(())
    }

    pub(crate) fn declined(&mut self, tx: &mut Tx<'_>, ticket: Ticket, response: &Response) {
        // 404: nobody waits any more, which is what was wanted.
        let result = match response.status {
            200..=299 | 404 => Ok(Reply::Done),
            status => Err(general_refusal(status)),
        };
        tx.resolve(ticket, result);
    }
}

pub(super) fn provision_message(
    own: &Account,
    token: String,
    certified: Option<(Vec<u8>, Vec<u8>)>,
    standing: &Standing,
) -> ProvisionMessage {
    let is_owner = *standing == Standing::Owner;
    let staff = match standing {
        Standing::Delegate(granting) => Some(granting),
        Standing::Owner | Standing::Device => None,
    };
    let (device_certificate, device_list) = certified.unzip();
    ProvisionMessage {
        aci_identity_key_public: Some(own.account_key.serialize().into_vec()),
        aci_identity_key_private: is_owner.then(|| own.identity.private_key().serialize()),
        device_certificate,
        device_list,
        provisioning_code: Some(token),
        user_agent: Some("Lockstep".to_owned()),
        // The names of own devices are nothing to another person.
        profile_key: staff.is_none().then(|| own.record.profile_key.clone()),
        staff_salt: staff.map(|granting| granting.salt.to_vec()),
        staff_label: staff.map(|granting| granting.label.clone()),
        read_receipts: Some(false),
        aci: Some(own.id().to_string()),
        provisioning_version: Some(PROVISIONING_VERSION),
        aci_binary: Some(own.id().as_bytes().to_vec()),
        ..ProvisionMessage::default()
    }
}
