//! The relay: its core and its deliveries on a memory store, with sockets that are only numbers.
//! What its server does with axum and threads is done here in a line each; the rules are the real ones.

use std::collections::BTreeMap;

use engine::SocketId;
use prost::Message as _;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use relay::core::credential::CredentialCheck;
use relay::core::mailbox;
use relay::core::quota::Quota;
use relay::core::rendezvous::Rendezvous;
use relay::core::{Answer, Asked, Caller, Core, Effect, Failure, Way, auth, way};
use relay::delivery::Delivery;
use relay::store::Read as _;
use relay::store::memory::MemoryStore;
use wire::device_list::{DeviceList, SignedList};
use wire::proto::provisioning::ProvisioningAddress;
use wire::{AccountId, BlobId, DeviceAddress, Endpoint, Frame, RelayRequest, Request, Response};

use crate::ClientId;

mod blobs;
mod deceit;
mod recovery;
mod rendezvous;
mod sockets;

pub use deceit::Deceit;
use deceit::Deceits;
pub(crate) use deceit::FALSE_REQUESTS;

type Key = (ClientId, SocketId);

/// One socket, as the relay sees it.
enum Socket {
    Main {
        caller: Option<Caller>,
        delivery: Option<Delivery>,
    },
    Provisioning {
        address: String,
    },
}

/// A frame or a close on its way to a client.
#[derive(Debug)]
pub(crate) enum Down {
    Frame(Key, Vec<u8>),
    Close(Key, u16),
}

/// What a lie does to the body of an answer.
pub type Lie = fn(&mut Vec<u8>);

/// A request that is answered later.
struct Waiting {
    key: Key,
    request: u64,
    /// The identifier of a link token, or what a rendezvous is watched by.
    what: String,
    asked: Asked,
    until: u64,
}

/// The relay.
pub struct RelayNode {
    core: Core,
    store: MemoryStore,
    quota: Quota,
    pub(crate) rendezvous: Rendezvous,
    rng: ChaCha20Rng,
    sockets: BTreeMap<Key, Socket>,
    waiting: Vec<Waiting>,
    /// Envelopes stored so far, all mailboxes together.
    pub stored: u64,
    /// Requests to answer with this status instead of serving them, for faults: (endpoint path
    /// prefix, status, how often).
    pub refuse: Vec<(&'static str, u16, u32)>,
    /// A lie: changes the bodies of answers to requests whose path begins so.
    pub lie: Option<(&'static str, Lie)>,
    deceits: Deceits,
    /// The bytes of blobs.
    blobs: BTreeMap<BlobId, Vec<u8>>,
    /// Every bundle that it has taken, as a frame, and of whom.
    pub(crate) taken: Vec<(ClientId, Vec<u8>)>,
}

impl std::fmt::Debug for RelayNode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RelayNode({} sockets)", self.sockets.len())
    }
}

impl RelayNode {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            core: Core {
                credentials: CredentialCheck::Nobody,
                devices_max: wire::limits::DEVICES_MAX,
            },
            store: MemoryStore::new(),
            quota: Quota::dev(),
            rendezvous: Rendezvous::default(),
            rng: ChaCha20Rng::seed_from_u64(seed),
            sockets: BTreeMap::new(),
            waiting: Vec::new(),
            stored: 0,
            refuse: Vec::new(),
            lie: None,
            deceits: Deceits::default(),
            blobs: BTreeMap::new(),
            taken: Vec::new(),
        }
    }

    /// Another relay with the same rows and blobs. Nobody is connected to it, and it is told of no fault or lie.
    pub(crate) fn twin(&self) -> Self {
        Self {
            store: self.store.clone(),
            rng: self.rng.clone(),
            stored: self.stored,
            blobs: self.blobs.clone(),
            ..Self::new(0)
        }
    }

    /// Envelopes that wait for a device.
    pub(crate) fn mail(&mut self, device: DeviceAddress) -> u64 {
        self.store.mailbox(device).map_or(0, |row| row.envelopes)
    }

    /// The signed device list of an account.
    pub fn device_list(&mut self, account: AccountId) -> Option<DeviceList> {
        let row = self.store.account(account).ok()??;
        SignedList::decode(&row.list).ok().map(|signed| signed.list)
    }

    /// The identity key that an account was made with.
    pub(crate) fn identity_key(&mut self, account: AccountId) -> Option<Vec<u8>> {
        let row = self.store.account(account).ok()??;
        Some(row.identity_key)
    }

    /// Mailboxes lose what has had its time.
    ///
    /// # Panics
    /// The store can't, which a store in memory always can.
    pub fn sweep(&mut self, now: u64) {
        while mailbox::sweep(&mut self.store, now).expect("memory never fails") {}
    }

    pub(crate) fn open(&mut self, key: Key, path: &str) -> Vec<Down> {
        if path == wire::endpoint::SOCKET_PATH {
            self.sockets.insert(
                key,
                Socket::Main {
                    caller: None,
                    delivery: None,
                },
            );
            return Vec::new();
        }
        let address = format!("address-{}-{}", key.0.0, key.1.0);
        self.sockets.insert(
            key,
            Socket::Provisioning {
                address: address.clone(),
            },
        );
        let body = ProvisioningAddress {
            address: Some(address),
        }
        .encode_to_vec();
        vec![Down::Frame(
            key,
            request(1, RelayRequest::ProvisioningAddress, body),
        )]
    }

    pub(crate) fn close(&mut self, key: Key) {
        self.sockets.remove(&key);
    }

    /// Forgets all sockets, as a restart does; what is stored stays.
    pub(crate) fn restart(&mut self) -> Vec<Down> {
        let sockets = std::mem::take(&mut self.sockets);
        self.waiting.clear();
        sockets
            .into_keys()
            .map(|key| Down::Close(key, 1006))
            .collect()
    }

    pub(crate) fn frame(&mut self, now: u64, key: Key, bytes: &[u8]) -> Vec<Down> {
        if !self.sockets.contains_key(&key) {
            return Vec::new(); // written into a socket that has ended
        }
        match Frame::decode(bytes).expect("clients send frames") {
            Frame::Request(request) => {
                let (id, is_bundle) = (request.id, request.path == "/v1/bundles");
                let down = self.request(now, key, request);
                if is_bundle && is_accepted(&down, id) {
                    self.taken.push((key.0, bytes.to_vec()));
                }
                down
            }
            Frame::Response(response) => self.response(now, key, &response),
        }
    }

    /// Long polls that are over.
    pub(crate) fn tick(&mut self, now: u64) -> Vec<Down> {
        let (over, waiting) = std::mem::take(&mut self.waiting)
            .into_iter()
            .partition(|w: &Waiting| w.until <= now);
        self.waiting = waiting;
        let over: Vec<Waiting> = over;
        over.into_iter()
            .map(|w| answer(w.key, w.request, Answer::empty(204)))
            .collect()
    }

    fn request(&mut self, now: u64, key: Key, request: Request) -> Vec<Down> {
        for (path, status, times) in &mut self.refuse {
            if *times > 0 && request.path.starts_with(*path) {
                *times -= 1;
                let refusal = Answer {
                    retry_after_s: Some(1),
                    ..Answer::empty(*status)
                };
                return vec![answer(key, request.id, refusal)];
            }
        }
        let Some(endpoint) = Endpoint::parse(&request.verb, &request.path) else {
            return vec![answer(key, request.id, Answer::empty(404))];
        };
        let authorization = request.header("authorization").map(ToOwned::to_owned);
        let keeps_header = endpoint.is_of_guest();
        let mut down = Vec::new();
        if let (Some(header), false) = (&authorization, keeps_header) {
            match auth::authenticate(&mut self.store, header) {
                Ok(caller) => down.extend(self.sign_in(now, key, caller)),
                Err(Failure::Refused(refused)) => return vec![answer(key, request.id, refused)],
                Err(Failure::Store(error)) => panic!("memory never fails: {error}"),
            }
        }
        let asked = Asked {
            query: request.path.split_once('?').map_or("", |p| p.1).to_owned(),
            endpoint,
            authorization: authorization.filter(|_| keeps_header),
            body: request.body,
            caller: self.caller(key),
        };
        if let Some(false_answer) = self.false_refusal(&asked) {
            down.insert(0, answer(key, request.id, false_answer));
            return down;
        }
        let about = asked.endpoint.clone();
        let mut after = Vec::new();
        let lie = self.lie.filter(|(path, _)| request.path.starts_with(path));
        if let Some(mut result) = self.serve(now, key, request.id, asked, &mut after) {
            if let Some((_, change)) = lie {
                change(&mut result.body);
            }
            self.false_keys(&about, &mut result);
            // The answer to signing in comes before what the mailbox holds.
            down.insert(0, answer(key, request.id, result));
        }
        down.extend(after);
        down
    }

    fn caller(&self, key: Key) -> Option<Caller> {
        match self.sockets.get(&key) {
            Some(Socket::Main { caller, .. }) => *caller,
            _ => None,
        }
    }

    fn serve(
        &mut self,
        now: u64,
        key: Key,
        id: u64,
        asked: Asked,
        after: &mut Vec<Down>,
    ) -> Option<Answer> {
        let result = match way(&asked.endpoint) {
            Way::Plain => Ok(self.core.plain(&asked.endpoint)),
            Way::Read | Way::Sockets => self.core.read(&mut self.store, &asked),
            Way::Write | Way::Watch => self.write(now, &asked),
        };
        let answer = match result {
            Ok(answer) => answer,
            Err(Failure::Refused(answer)) => return Some(answer),
            Err(Failure::Store(error)) => panic!("memory never fails: {error}"),
        };
        for effect in &answer.effects {
            after.extend(self.effect(now, effect));
        }
        self.note_fence(key, &asked);
        #[expect(
            clippy::wildcard_enum_match_arm,
            reason = "these three need sockets; the rest is one case"
        )]
        match asked.endpoint.clone() {
            Endpoint::Provision { address } => Some(self.hand_over(&address, &asked.body, after)),
            Endpoint::DeclineProvision { address } => Some(self.decline(&address, after)),
            Endpoint::WaitForLinkedDevice {
                token_identifier,
                timeout_s,
            } if answer.status != 200 => {
                let until = now + u64::from(timeout_s) * 1000;
                self.waiting.push(Waiting {
                    key,
                    request: id,
                    what: token_identifier,
                    asked,
                    until,
                });
                None
            }
            Endpoint::Rendezvous(_) if answer.status == 204 => self.watch(now, key, id, asked),
            _ => Some(answer),
        }
    }

    fn effect(&mut self, now: u64, effect: &Effect) -> Vec<Down> {
        match effect {
            Effect::Wake(address) => {
                self.stored += 1;
                self.deliver(now, |caller| caller.address == *address, Delivery::woken)
            }
            Effect::Removed(address) => {
                let keys: Vec<Key> = self.sockets_of(|caller| caller.address == *address);
                keys.into_iter().map(|key| Down::Close(key, 4401)).collect()
            }
            Effect::Rendezvous(what) => self.stirred(now, what),
            Effect::Linked(identifier) => {
                let came = self.waiting_for(identifier);
                let read = |w: Waiting| match self.core.read(&mut self.store, &w.asked) {
                    Ok(found) => answer(w.key, w.request, found),
                    Err(_) => answer(w.key, w.request, Answer::empty(500)),
                };
                came.into_iter().map(read).collect()
            }
        }
    }
}

/// Whether the answer to a request is among these, and is a yes.
fn is_accepted(down: &[Down], id: u64) -> bool {
    down.iter().any(|down| match down {
        Down::Frame(_, frame) => matches!(
            Frame::decode(frame),
            Ok(Frame::Response(response)) if response.id == id && response.is_success()
        ),
        Down::Close(..) => false,
    })
}

fn answer(key: Key, id: u64, answer: Answer) -> Down {
    let headers = answer
        .retry_after_s
        .map(|s| ("retry-after".to_owned(), s.to_string()));
    let response = Response {
        id,
        status: answer.status,
        headers: headers.into_iter().collect(),
        body: answer.body,
    };
    Down::Frame(key, Frame::Response(response).encode())
}

fn request(id: u64, what: RelayRequest, body: Vec<u8>) -> Vec<u8> {
    let path = what.path().to_owned();
    Frame::Request(Request {
        id,
        verb: "PUT".to_owned(),
        path,
        headers: Vec::new(),
        body,
    })
    .encode()
}
