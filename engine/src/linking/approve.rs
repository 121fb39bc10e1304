//! The existing device: after the person approved, gets a link token, sends the account to the device
//! that shows the URI, and waits for it to come.
//!
//! The three requests follow each other; whichever fails, the new device gets nothing it could
//! use (the token alone names no key, the message without a valid token joins nothing).

use wire::body::{Base64, DeviceInfo, LinkToken, Provision, from_json, to_json};
use wire::proto::provisioning::ProvisionMessage;
use wire::{Endpoint, Response};

use super::parse;
use crate::account::Account;
use crate::commands::{device, general_refusal};
use crate::error::{Error, Refusal};
use crate::guard;
use crate::input::Ticket;
use crate::limits::LINK_WAIT_S;
use crate::output::Reply;
use crate::peers;
use crate::provisioning;
use crate::request::Pending;
use crate::state::State;
use crate::tx::Tx;

/// The version of the provisioning message that we write, as Signal's clients do.
const PROVISIONING_VERSION: u32 = 1;

impl State {
    pub(crate) fn approve_link(&mut self, tx: &mut Tx<'_>, ticket: Ticket, uri: String) {
        if let Err(refusal) = parse(&uri) {
            tx.resolve(ticket, Err(refusal));
            return;
        }
        self.note_approval(ticket, &uri);
        let pending = Pending::LinkToken { ticket, uri };
        self.connection.ask(tx, &Endpoint::LinkToken, pending);
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

    /// The relay gave a token: the account goes to the new device.
    pub(crate) fn link_token(
        &mut self,
        tx: &mut Tx<'_>,
        ticket: Ticket,
        uri: &str,
        response: &Response,
    ) -> Result<(), Error> {
        let Some(own) = self.account.clone() else {
            return Ok(());
        };
        let refusal = match (response.status, from_json::<LinkToken>(&response.body)) {
            (200, Ok(token)) => match parse(uri) {
                Ok(uri) => {
                    let message = provision_message(&own, token.verification_code);
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
                        token_identifier,
                    };
                    self.connection
                        .request(tx, &endpoint, Vec::new(), body, pending);
                    return Ok(());
                }
                Err(refusal) => refusal,
            },
            (411, _) => Refusal::DeviceLimit,
            (401, _) if own.is_plain() => Refusal::RelayRefused, // only a primary may link there
            (status, _) => general_refusal(status),
        };
        tx.resolve(ticket, Err(refusal));
        Ok(())
    }

    /// The relay took the account for the new device, or nobody waits for it any more.
    pub(crate) fn provisioned(
        &mut self,
        tx: &mut Tx<'_>,
        ticket: Ticket,
        token_identifier: String,
        response: &Response,
    ) {
        match response.status {
            200..=299 => {
                let endpoint = Endpoint::WaitForLinkedDevice {
                    token_identifier,
                    timeout_s: LINK_WAIT_S,
                };
                let pending = Pending::AwaitDevice(ticket);
                self.connection.ask(tx, &endpoint, pending);
            }
            404 => tx.resolve(ticket, Err(Refusal::LinkExpired)),
            status => tx.resolve(ticket, Err(general_refusal(status))),
        }
    }

    /// The new device is there. From now on every bundle has a part for it.
    pub(crate) async fn device_came(
        &mut self,
        tx: &mut Tx<'_>,
        ticket: Ticket,
        response: &Response,
    ) -> Result<(), Error> {
        let Some(own) = self.account.clone() else {
            return Ok(());
        };
        let info = match (response.status, from_json::<DeviceInfo>(&response.body)) {
            (200, Ok(info)) => info,
            (204, _) => {
                tx.resolve(ticket, Err(Refusal::LinkExpired));
                return Ok(());
            }
            (status, _) => {
                tx.resolve(ticket, Err(general_refusal(status)));
                return Ok(());
            }
        };
        let mut peer = peers::record(tx, own.id()).await?;
        peers::add_device(&mut peer, info.id, info.registration_id.into(), tx.now.0);
        peers::put_own(tx, own.id(), &peer);
        self.approved_device_came(tx, ticket, info.id).await?;
        tx.resolve(ticket, Ok(Reply::Device(device(&info, &own))));
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

fn provision_message(own: &Account, token: String) -> ProvisionMessage {
    let identity = &own.identity;
    ProvisionMessage {
        aci_identity_key_public: Some(identity.identity_key().serialize().into_vec()),
        aci_identity_key_private: Some(identity.private_key().serialize()),
        provisioning_code: Some(token),
        user_agent: Some("Lockstep".to_owned()),
        profile_key: Some(own.record.profile_key.clone()),
        read_receipts: Some(false),
        aci: Some(own.id().to_string()),
        provisioning_version: Some(PROVISIONING_VERSION),
        aci_binary: Some(own.id().as_bytes().to_vec()),
        ..ProvisionMessage::default()
    }
}
