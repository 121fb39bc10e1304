//! The rules on a store, driven by hand: for unit tests here and for the property tests.
//! Nothing in here is a rule; what it builds is what a client would send.

#[path = "../../tests/support/person.rs"]
#[allow(
    dead_code,
    clippy::allow_attributes,
    reason = "shared with the tests on a socket, which use all of it"
)]
pub(crate) mod person;

use rand::SeedableRng as _;
use rand_chacha::ChaCha20Rng;
use wire::basic::Basic;
use wire::body::{DeviceCredentials, LinkToken, from_json, to_json};
use wire::bundle::{Bundle, DeviceMessage, Recipient};
use wire::{AccountId, DeviceAddress, Endpoint, Envelope, EnvelopeKind, MessageId};

use self::person::Person;
use super::credential::CredentialCheck;
use super::mailbox::{Page, page};
use super::quota::Quota;
use super::rendezvous::Rendezvous;
use super::{Answer, Asked, Caller, Core, Failure, Moment, Way, way};
use crate::store::memory::MemoryStore;
use crate::store::{Store, StoreError};

pub(crate) struct Bench<S> {
    pub(crate) store: S,
    pub(crate) core: Core,
    pub(crate) quota: Quota,
    pub(crate) rendezvous: Rendezvous,
    pub(crate) rng: ChaCha20Rng,
    pub(crate) now: u64,
}

/// A device that was made here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Device {
    pub(crate) caller: Caller,
    pub(crate) registration_id: u32,
}

impl Device {
    pub(crate) fn account(&self) -> AccountId {
        self.caller.address.account
    }
}

pub(crate) fn bench() -> Bench<MemoryStore> {
    Bench::on(MemoryStore::new())
}

impl<S: Store> Bench<S> {
    pub(crate) fn on(store: S) -> Self {
        Self {
            store,
            core: Core {
                credentials: CredentialCheck::Nobody,
                devices_max: 16,
            },
            quota: Quota::dev(),
            rendezvous: Rendezvous::default(),
            rng: ChaCha20Rng::seed_from_u64(7),
            now: 1_800_000_000_000,
        }
    }

    /// As the server does it: a refusal takes back what was written.
    pub(crate) fn ask_with(
        &mut self,
        caller: Option<Caller>,
        endpoint: Endpoint,
        body: &[u8],
        authorization: Option<String>,
    ) -> Answer {
        let asked = Asked {
            endpoint,
            query: String::new(),
            authorization,
            body: body.to_vec(),
            caller,
        };
        let Self {
            store,
            core,
            quota,
            rng,
            now,
            rendezvous,
        } = self;
        let outcome = match way(&asked.endpoint) {
            Way::Plain => Ok(core.plain(&asked.endpoint)),
            Way::Read | Way::Sockets => core.read(store, &asked),
            Way::Write | Way::Watch => store.transaction(|tx| {
                let mut moment = Moment {
                    tx,
                    now: *now,
                    rng,
                    quota,
                    rendezvous,
                };
                core.write(&mut moment, &asked)
            }),
        };
        match outcome {
            Ok(answer) | Err(Failure::Refused(answer)) => answer,
            Err(Failure::Store(error)) => panic!("{error}"),
        }
    }

    pub(crate) fn ask(&mut self, by: &Device, endpoint: Endpoint, body: &[u8]) -> Answer {
        self.ask_with(Some(by.caller), endpoint, body, None)
    }

    pub(crate) fn stranger(&mut self, endpoint: Endpoint, body: &[u8]) -> Answer {
        self.ask_with(None, endpoint, body, None)
    }

    pub(crate) fn register(&mut self, person: &mut Person, registration_id: u32) -> Device {
        let body = to_json(&person.register(registration_id));
        let answer = self.stranger(Endpoint::Register, &body);
        assert_eq!(answer.status, 200);
        self.made(&answer, registration_id)
    }

    pub(crate) fn token(&mut self, by: &Device) -> LinkToken {
        let answer = self.ask(by, Endpoint::LinkToken, &[]);
        assert_eq!(answer.status, 200);
        from_json(&answer.body).unwrap()
    }

    pub(crate) fn link_with(
        &mut self,
        person: &mut Person,
        token: &LinkToken,
        registration_id: u32,
        password: &str,
    ) -> Answer {
        let body = to_json(&person.link(&token.verification_code, registration_id));
        let header = Basic {
            name: "whoever".to_owned(),
            password: password.to_owned(),
        };
        self.ask_with(None, Endpoint::LinkDevice, &body, Some(header.header()))
    }

    pub(crate) fn link(
        &mut self,
        person: &mut Person,
        by: &Device,
        registration_id: u32,
    ) -> Device {
        let token = self.token(by);
        let answer = self.link_with(person, &token, registration_id, "a long enough password");
        assert_eq!(answer.status, 200);
        self.made(&answer, registration_id)
    }

    pub(crate) fn made(&mut self, answer: &Answer, registration_id: u32) -> Device {
        let credentials: DeviceCredentials = from_json(&answer.body).unwrap();
        let address = DeviceAddress {
            account: credentials.uuid,
            device: credentials.device_id,
        };
        let row = self.store.device(address).unwrap().unwrap();
        Device {
            caller: Caller {
                address,
                incarnation: row.incarnation,
                sign_in: None,
            },
            registration_id,
        }
    }

    pub(crate) fn page(&mut self, of: &Device) -> Page {
        match page(&mut self.store, of.caller, 0, self.now) {
            Ok(page) => page,
            Err(Failure::Refused(answer)) => panic!("{}", answer.status),
            Err(Failure::Store(error)) => panic!("{error}"),
        }
    }

    pub(crate) fn mail(&mut self, of: &Device) -> Vec<Envelope> {
        let envelopes = self.page(of).mail.into_iter();
        envelopes
            .map(|mail| Envelope::decode(&mail.envelope).unwrap())
            .collect()
    }

    pub(crate) fn in_transaction<T>(
        &mut self,
        job: impl FnOnce(&mut dyn crate::store::Tx) -> Result<T, StoreError>,
    ) -> T {
        self.store.transaction(job).unwrap()
    }
}

pub(crate) fn bundle(id: u8, to: &[&Device], content: &[u8]) -> Bundle {
    let mut recipients: Vec<Recipient> = Vec::new();
    for device in to {
        let message = DeviceMessage {
            device: device.caller.address.device,
            registration_id: device.registration_id.try_into().unwrap(),
            kind: EnvelopeKind::Ciphertext,
            content: content.to_vec(),
        };
        let account = device.account();
        match recipients.iter_mut().find(|r| r.account == account) {
            Some(recipient) => recipient.messages.push(message),
            None => recipients.push(Recipient {
                account,
                messages: vec![message],
                without: Vec::new(),
            }),
        }
    }
    Bundle {
        id: MessageId::from_bytes([id; 16]),
        timestamp: 1234,
        urgent: true,
        seal: 0,
        partial: false,
        online: false,
        recipients,
    }
}
