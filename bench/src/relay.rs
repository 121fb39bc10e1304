//! As much of a relay as two engines need to talk: accounts, keys, bundles, mailboxes, all in memory.
//! It checks nothing and forgets nothing it is not asked for; the real one is `relay/`.

use std::collections::BTreeMap;

use wire::body::{
    AccountInfo, Base64, DeviceCredentials, DevicePreKeys, KeyCounts, PreKeyResponse, Register,
    from_json, to_json,
};
use wire::bundle::{AccountMismatch, Bundle};
use wire::{
    AccountId, DeviceAddress, DeviceId, Endpoint, Envelope, Frame, Handle, RelayRequest, Request,
    Response,
};

use crate::device::NOW_MS;

/// Enough for nobody to make new ones: making them is not what is measured.
const KEYS_LEFT: u32 = 100;

struct Account {
    handle: Handle,
    identity_key: Base64,
    devices: Vec<DevicePreKeys>,
}

/// Everything the relay knows.
#[derive(Default)]
pub(crate) struct Relay {
    accounts: BTreeMap<AccountId, Account>,
    mail: BTreeMap<DeviceAddress, Vec<Envelope>>,
    envelopes: u64,
    /// What is wrong with the next bundle.
    refusal: Option<AccountMismatch>,
}

impl Relay {
    /// An account that did not register by a frame.
    pub(crate) fn add(&mut self, handle: &str, identity_key: Vec<u8>) -> AccountId {
        let number = u8::try_from(self.accounts.len() + 1).expect("few accounts");
        let id = AccountId::from_bytes([number; 16]);
        let account = Account {
            handle: handle.parse().expect("our handles are handles"),
            identity_key: Base64(identity_key),
            devices: Vec::new(),
        };
        self.accounts.insert(id, account);
        id
    }

    /// A device of an account.
    pub(crate) fn add_device(&mut self, account: AccountId, keys: DevicePreKeys) {
        let account = self.accounts.get_mut(&account).expect("it was added");
        account.devices.push(keys);
    }

    /// In place of one device of an account there is another one, as the next bundle will be told.
    pub(crate) fn replace_device(&mut self, of: DeviceAddress, keys: DevicePreKeys) {
        self.refusal = Some(AccountMismatch {
            account: of.account,
            missing: vec![keys.device_id],
            extra: vec![of.device],
            stale: Vec::new(),
            gone: false,
        });
        let account = self.accounts.get_mut(&of.account).expect("it was added");
        account.devices.retain(|known| known.device_id != of.device);
        account.devices.push(keys);
    }

    /// The identity key of an account, and what one of its devices has published.
    pub(crate) fn published(&self, of: DeviceAddress) -> (Vec<u8>, DevicePreKeys) {
        let account = &self.accounts[&of.account];
        let keys = account
            .devices
            .iter()
            .find(|keys| keys.device_id == of.device);
        let keys = keys.expect("it has registered").clone();
        (account.identity_key.0.clone(), keys)
    }

    /// Answers what a client sent; `caller` is who is signed in on its socket.
    pub(crate) fn answer(
        &mut self,
        caller: &mut Option<DeviceAddress>,
        frames: &[Vec<u8>],
    ) -> Vec<Vec<u8>> {
        let mut answers = Vec::new();
        for frame in frames {
            if let Frame::Request(request) = Frame::decode(frame).expect("engines send frames") {
                let (id, (status, body)) = (request.id, self.serve(caller, &request));
                let response = Response {
                    body,
                    ..Response::empty(id, status)
                };
                answers.push(Frame::Response(response).encode());
            }
        }
        answers
    }

    fn serve(&mut self, caller: &mut Option<DeviceAddress>, request: &Request) -> (u16, Vec<u8>) {
        let endpoint = Endpoint::parse(&request.verb, &request.path);
        #[expect(
            clippy::wildcard_enum_match_arm,
            reason = "the engine asks nothing else here"
        )]
        match endpoint.expect("engines know the paths") {
            Endpoint::Register => {
                let address = self.register(&request.body);
                *caller = Some(address);
                let given = DeviceCredentials {
                    uuid: address.account,
                    pni: None,
                    device_id: address.device,
                };
                (200, to_json(&given))
            }
            Endpoint::WhoAmI => self.info(caller.expect("it has registered").account),
            Endpoint::Account(id) => self.info(id),
            Endpoint::AccountByHandle(handle) => {
                let found = self.accounts.iter().find(|(_, a)| a.handle == handle);
                self.info(*found.expect("only known handles are asked for").0)
            }
            Endpoint::KeyCounts => {
                let counts = KeyCounts {
                    count: KEYS_LEFT,
                    pq_count: KEYS_LEFT,
                };
                (200, to_json(&counts))
            }
            Endpoint::Keys { account, device } => (200, self.keys(account, device)),
            Endpoint::Bundles => {
                if let Some(mismatch) = self.refusal.take() {
                    return (409, AccountMismatch::encode_all(&[mismatch]));
                }
                self.post(caller.expect("it has registered"), &request.body);
                (200, Vec::new())
            }
            Endpoint::Fence => (204, Vec::new()),
            _ => (404, Vec::new()),
        }
    }

    fn register(&mut self, body: &[u8]) -> DeviceAddress {
        let body = from_json::<Register>(body).expect("engines send JSON");
        let account = self.add(body.handle.as_str(), body.identity_key.0);
        let device = DeviceId::PRIMARY;
        let keys = DevicePreKeys {
            certificate: None,
            device_id: device,
            registration_id: body.account_attributes.registration_id,
            signed_pre_key: body.aci_signed_pre_key,
            pre_key: None,
            pq_pre_key: body.aci_pq_last_resort_pre_key,
        };
        self.add_device(account, keys);
        DeviceAddress { account, device }
    }

    fn info(&self, id: AccountId) -> (u16, Vec<u8>) {
        let info = AccountInfo {
            list_version: None,
            uuid: id,
            handle: self.accounts[&id].handle.clone(),
            device_id: None,
        };
        (200, to_json(&info))
    }

    /// Of one device, or of all.
    fn keys(&self, id: AccountId, device: Option<DeviceId>) -> Vec<u8> {
        let account = &self.accounts[&id];
        let is_asked = |keys: &&DevicePreKeys| device.is_none_or(|device| device == keys.device_id);
        to_json(&PreKeyResponse {
            device_list: None,
            identity_key: account.identity_key.clone(),
            devices: account.devices.iter().filter(is_asked).cloned().collect(),
        })
    }

    fn post(&mut self, source: DeviceAddress, bundle: &[u8]) {
        let bundle = Bundle::decode(bundle).expect("engines send bundles");
        for recipient in bundle.recipients {
            for message in recipient.messages {
                let to = DeviceAddress {
                    account: recipient.account,
                    device: message.device,
                };
                let envelope = Envelope {
                    certified: false,
                    kind: message.kind,
                    source,
                    destination: Some(to.account),
                    client_timestamp: bundle.timestamp,
                    server_timestamp: NOW_MS,
                    guid: None,
                    urgent: bundle.urgent,
                    content: message.content,
                };
                self.put(to, envelope);
            }
        }
    }

    /// Stores an envelope, with a number for its guid.
    pub(crate) fn put(&mut self, to: DeviceAddress, mut envelope: Envelope) {
        self.envelopes += 1;
        envelope.guid = Some(u128::from(self.envelopes).to_be_bytes());
        self.mail.entry(to).or_default().push(envelope);
    }

    /// Takes all envelopes out of a mailbox.
    pub(crate) fn take(&mut self, of: DeviceAddress) -> Vec<Envelope> {
        self.mail.remove(&of).unwrap_or_default()
    }

    /// Takes all envelopes out of a mailbox, as the frames that deliver them.
    pub(crate) fn deliver(&mut self, to: DeviceAddress) -> Vec<Vec<u8>> {
        let frame = |(id, envelope): (u64, Envelope)| {
            let request = Request {
                id,
                verb: "PUT".to_owned(),
                path: RelayRequest::Message.path().to_owned(),
                headers: vec![("x-signal-timestamp".to_owned(), NOW_MS.to_string())],
                body: envelope.encode(),
            };
            Frame::Request(request).encode()
        };
        (1..).zip(self.take(to)).map(frame).collect()
    }
}
