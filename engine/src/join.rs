//! Becoming a device: registering an account, joining one with a link token, signing in.
//!
//! What is asked of the relay is stored first; asking again with the same keys and password gives the
//! same answer, so a lost answer loses nothing. How a link token is come by is not known here.

use libsignal_protocol::IdentityKeyPair;
use wire::basic::Basic;
use wire::body::{
    Base64, DeviceCredentials, LinkDevice, Register, WhoAmI, from_json, registration_proof, to_json,
};
use wire::{Endpoint, Handle, Response};

use crate::account::{self, Account};
use crate::commands::general_refusal;
use crate::connection::GiveUp;
use crate::error::{Error, KeyRefusal, Refusal};
use crate::input::Ticket;
use crate::limits::DEVICE_NAME_CHARS_MAX;
use crate::output::{ClientState, Event, Reply};
use crate::phone;
use crate::record::{AccountRecord, key};
use crate::request::{Pending, retry_at};
use crate::session::identity_pair;
use crate::state::State;
use crate::store::Table;
use crate::tx::Tx;

impl State {
    /// A new account with this as its first device.
    pub(crate) async fn register(
        &mut self,
        tx: &mut Tx<'_>,
        ticket: Ticket,
        handle: &str,
        credential: Option<String>,
        device_name: &str,
    ) -> Result<(), Error> {
        self.register_as(tx, ticket, (handle, device_name), credential, false)
            .await
    }

    /// The same; or, anew, the account of a handle begins with another key.
    pub(crate) async fn register_as(
        &mut self,
        tx: &mut Tx<'_>,
        ticket: Ticket,
        (handle, device_name): (&str, &str),
        credential: Option<String>,
        anew: bool,
    ) -> Result<(), Error> {
        let Ok(handle) = handle.parse::<Handle>() else {
            tx.resolve(ticket, Err(Refusal::HandleInvalid));
            return Ok(());
        };
        let again = self
            .pending
            .clone()
            .filter(|record| record.is_registration() && record.handle == handle.as_str());
        let mut record = match again {
            Some(record) => record,
            None => {
                let identity = IdentityKeyPair::generate(&mut self.rng);
                self.new_pending(tx, &identity, device_name)?
            }
        };
        record.handle = handle.to_string();
        record.credential = None; // not kept: it is the caller's, and short-lived
        let mut body = self.register_body(tx, &record, &handle, credential).await?;
        body.anew = anew;
        self.save_pending(tx, record);
        let pending = Pending::Register(ticket);
        self.connection
            .request(tx, &Endpoint::Register, Vec::new(), to_json(&body), pending);
        Ok(())
    }

    async fn register_body(
        &mut self,
        tx: &mut Tx<'_>,
        record: &AccountRecord,
        handle: &Handle,
        credential: Option<String>,
    ) -> Result<Register, Error> {
        let identity = identity_pair(&record.identity)?;
        let proof = registration_proof(handle, &record.password);
        let proof = identity
            .private_key()
            .calculate_signature(&proof, &mut self.rng);
        let (signed, last_resort) =
            account::published_keys(tx, record.signed_pre_key, record.last_resort_key).await?;
        Ok(Register {
            handle: handle.clone(),
            credential,
            password: record.password.clone(),
            identity_key: Base64(identity.identity_key().serialize().into_vec()),
            proof: Base64(
                proof
                    .map_err(|_| Error::Bug("own key can't sign"))?
                    .into_vec(),
            ),
            account_attributes: account::attributes(record, &identity, &mut self.rng)?,
            aci_signed_pre_key: signed,
            aci_pq_last_resort_pre_key: last_resort,
            anew: false,
        })
    }

    /// The relay's answer to a registration.
    pub(crate) async fn registered(
        &mut self,
        tx: &mut Tx<'_>,
        ticket: Ticket,
        response: &Response,
    ) -> Result<(), Error> {
        let refusal = match (
            response.status,
            from_json::<DeviceCredentials>(&response.body),
        ) {
            (200, Ok(given)) => {
                self.become_device(tx, &given).await?;
                let view = self.account.as_ref().and_then(Account::view);
                let reply = view.map(Reply::Account).ok_or(Refusal::Internal);
                tx.resolve(ticket, reply);
                return Ok(());
            }
            (401 | 403, _) => Refusal::CredentialRefused,
            (409, _) if says(response, "devices_active") => KeyRefusal::DevicesActive.into(),
            (409, _) => Refusal::HandleTaken,
            (status, _) => general_refusal(status),
        };
        tx.resolve(ticket, Err(refusal));
        Ok(())
    }

    /// Everything a new device needs, stored before the relay is asked.
    pub(crate) fn new_pending(
        &mut self,
        tx: &mut Tx<'_>,
        identity: &IdentityKeyPair,
        device_name: &str,
    ) -> Result<AccountRecord, Error> {
        let name: String = device_name
            .trim()
            .chars()
            .take(DEVICE_NAME_CHARS_MAX)
            .collect();
        let record = account::new_device(tx, &mut self.clock, identity, name, &mut self.rng)?;
        self.save_clock(tx);
        Ok(record)
    }

    pub(crate) fn save_pending(&mut self, tx: &mut Tx<'_>, record: AccountRecord) {
        tx.put(key::PENDING, &record);
        self.pending = Some(record);
    }

    pub(crate) fn drop_pending(&mut self, tx: &mut Tx<'_>) {
        tx.delete(Table::Meta, key::PENDING);
        self.pending = None;
    }

    /// Joins the account of the stored link token.
    pub(crate) async fn join(&mut self, tx: &mut Tx<'_>) -> Result<(), Error> {
        self.join_at = None;
        let Some(record) = self.pending.clone() else {
            return Ok(());
        };
        if !record.recovery.is_empty() {
            return self.join_recovered(tx, None).await;
        }
        let Some(token) = record.link_token.clone() else {
            return Ok(());
        };
        let identity = identity_pair(&record.identity)?;
        let (signed, last_resort) =
            account::published_keys(tx, record.signed_pre_key, record.last_resort_key).await?;
        let body = LinkDevice {
            verification_code: token,
            account_attributes: phone::attributes(&record, &identity, &mut self.rng)?,
            aci_signed_pre_key: signed,
            aci_pq_last_resort_pre_key: last_resort,
            credential: record.credential.clone(),
            certificate: match record.certificate.as_slice() {
                [] => None,
                certificate => Some(Base64(certificate.to_vec())),
            },
        };
        let body = phone::link_body(tx, body, &record).await?;
        let account = wire::AccountId::from_slice(&record.account)
            .map_err(|_| Error::Bug("pending link without an account"))?;
        let basic = Basic {
            name: account.to_string(),
            password: record.password,
        };
        let headers = vec![("authorization".to_owned(), basic.header())];
        self.connection.request(
            tx,
            &Endpoint::LinkDevice,
            headers,
            to_json(&body),
            Pending::Join,
        );
        Ok(())
    }

    /// The relay's answer to joining.
    pub(crate) async fn joined(
        &mut self,
        tx: &mut Tx<'_>,
        response: &Response,
    ) -> Result<(), Error> {
        let account = self.pending.as_ref().map(|record| record.account.clone());
        let refusal = match (
            response.status,
            from_json::<DeviceCredentials>(&response.body),
        ) {
            (200, Ok(given)) if Some(given.uuid.as_bytes().as_slice()) == account.as_deref() => {
                return self.become_device(tx, &given).await;
            }
            (403, _) => Refusal::LinkExpired,
            (401, _) => Refusal::CredentialRefused,
            (411, _) => Refusal::DeviceLimit,
            // Not now. The token lives for minutes; when it is dead the relay says so.
            (429 | 500..=599, _) => {
                self.join_at = Some(retry_at(tx.now, response));
                return Ok(());
            }
            (status, _) => general_refusal(status),
        };
        self.drop_pending(tx);
        self.end_offers(tx, refusal);
        Ok(())
    }

    /// The relay agreed: what was pending is now this device, and signs in.
    pub(crate) async fn become_device(
        &mut self,
        tx: &mut Tx<'_>,
        given: &DeviceCredentials,
    ) -> Result<(), Error> {
        let Some(mut record) = self.pending.clone() else {
            return Ok(());
        };
        record.account = given.uuid.as_bytes().to_vec();
        record.device = given.device_id.into();
        let code = std::mem::take(&mut record.recovery);
        record.wants_contacts = record.link_token.take().is_some() || !code.is_empty();
        let is_first = u32::from(given.device_id) == u32::from(wire::DeviceId::PRIMARY);
        record.history_from = Some(if is_first { 0 } else { tx.now.0 });
        record.credential = None;
        self.drop_pending(tx);
        if self.account.is_some() {
            self.shed(tx, &record).await?;
        }
        let account = Account::read(record)?;
        self.service = account.record.service().or(self.service);
        tx.put(key::ACCOUNT, &account.record);
        if account.is_ready() {
            tx.emit(Event::State(ClientState::Ready));
        }
        self.account = Some(account);
        if !code.is_empty() {
            self.tell_recovered(tx, &code).await?;
        }
        self.sign_in(tx);
        Ok(())
    }

    /// Says on the main socket which device this is, and how far it is.
    pub(crate) fn sign_in(&mut self, tx: &mut Tx<'_>) {
        let Some(account) = &self.account else { return };
        let headers = vec![account.authorization()];
        self.connection.signing_in(tx.now);
        self.connection
            .request(tx, &Endpoint::WhoAmI, headers, Vec::new(), Pending::SignIn);
        self.ask_fence(tx);
    }

    /// The relay's answer to signing in.
    pub(crate) async fn signed_in(
        &mut self,
        tx: &mut Tx<'_>,
        response: &Response,
    ) -> Result<(), Error> {
        let Some(mut account) = self.account.clone() else {
            return Ok(());
        };
        let plain = account.is_plain();
        match (response.status, from_json::<WhoAmI>(&response.body)) {
            (200, Ok(info)) if info.uuid == account.id() && (plain || info.handle.is_some()) => {
                let wants_contacts = std::mem::take(&mut account.record.wants_contacts);
                let was_ready = account.is_ready();
                if wants_contacts || account.handle != info.handle {
                    account.record.handle = info
                        .handle
                        .as_ref()
                        .map(Handle::to_string)
                        .unwrap_or_default();
                    account.handle = info.handle;
                    tx.put(key::ACCOUNT, &account.record);
                }
                if !was_ready {
                    tx.emit(Event::State(ClientState::Ready));
                }
                self.account = Some(account);
                if !self.clock.draining {
                    self.clock.draining = true; // until the mailbox is empty
                    self.save_clock(tx);
                }
                self.compare_soon();
                if self.was_away(tx) || wants_contacts {
                    self.request_contacts(tx);
                }
                self.own_list_is(tx, info.list_version, wants_contacts)
                    .await?;
                self.named(tx).await
            }
            (401 | 403, _) => {
                self.sign_in_refused(tx, response);
                Ok(())
            }
            _ => {
                let lost = self.connection.give_up(tx, GiveUp::Protocol, &mut self.rng);
                self.connection_lost(tx, &lost);
                Ok(())
            }
        }
    }
}

fn says(response: &Response, code: &str) -> bool {
    from_json::<wire::body::Refusal>(&response.body).is_ok_and(|said| said.code == code)
}
