//! The relay's sockets: who is signed in where, what is delivered, who waits to be linked.
//! The rules of delivery are the relay's own; this carries them out at once.

use relay::core::{Answer, Asked, Caller, mailbox};
use relay::delivery::{Action, Delivery};
use relay::store::Store as _;
use wire::body::{Provision, from_json};
use wire::fence::Fence;
use wire::{Endpoint, Frame, RelayRequest, Response};

use super::{Down, Key, RelayNode, Socket, request};

impl RelayNode {
    pub(super) fn sockets_of(&self, who: impl Fn(&Caller) -> bool) -> Vec<Key> {
        let is = |socket: &Socket| match socket {
            Socket::Main {
                caller: Some(caller),
                ..
            } => who(caller),
            Socket::Main { caller: None, .. } | Socket::Provisioning { .. } => false,
        };
        self.sockets
            .iter()
            .filter(|(_, socket)| is(socket))
            .map(|(key, _)| *key)
            .collect()
    }

    /// A newer socket of a device ends the older one.
    pub(super) fn sign_in(&mut self, now: u64, key: Key, caller: Caller) -> Vec<Down> {
        if self.caller(key).is_some() {
            return Vec::new();
        }
        let older = self.sockets_of(|other| other.address == caller.address);
        let mut down = Vec::new();
        for key in older {
            self.sockets.remove(&key); // nothing more is read from it
            down.push(Down::Close(key, 4409));
        }
        let (delivery, actions) = Delivery::start();
        self.sockets.insert(
            key,
            Socket::Main {
                caller: Some(caller),
                delivery: Some(delivery),
            },
        );
        down.extend(self.act(now, key, actions));
        down
    }

    /// The fence has agreed: from here on this socket may send.
    pub(super) fn note_fence(&mut self, key: Key, asked: &Asked) {
        if asked.endpoint == Endpoint::Fence
            && let Ok(fence) = from_json::<Fence>(&asked.body)
            && let Some(Socket::Main {
                caller: Some(caller),
                ..
            }) = self.sockets.get_mut(&key)
        {
            caller.sign_in = Some(fence.sign_ins);
        }
    }

    pub(super) fn deliver(
        &mut self,
        now: u64,
        who: impl Fn(&Caller) -> bool,
        mut tell: impl FnMut(&mut Delivery, u64) -> Vec<Action>,
    ) -> Vec<Down> {
        let mut down = Vec::new();
        for key in self.sockets_of(who) {
            if let Some(Socket::Main {
                delivery: Some(delivery),
                ..
            }) = self.sockets.get_mut(&key)
            {
                let actions = tell(delivery, now);
                down.extend(self.act(now, key, actions));
            }
        }
        down
    }

    pub(super) fn act(&mut self, now: u64, key: Key, actions: Vec<Action>) -> Vec<Down> {
        let mut down = Vec::new();
        let mut todo = std::collections::VecDeque::from(actions);
        while let Some(action) = todo.pop_front() {
            let caller = self.caller(key).expect("only devices have deliveries");
            match action {
                Action::Send(request) => {
                    let false_ones = self.false_deliveries(key, &request);
                    down.push(Down::Frame(key, Frame::Request(request).encode()));
                    down.extend(false_ones);
                }
                Action::Delete { seq } => self
                    .store
                    .transaction(|tx| mailbox::ack(tx, caller.address, seq))
                    .expect("memory never fails"),
                Action::Fetch { after } => {
                    let page = mailbox::page(&mut self.store, caller, after, now)
                        .expect("the device is there");
                    if let Some(Socket::Main {
                        delivery: Some(d), ..
                    }) = self.sockets.get_mut(&key)
                    {
                        todo.extend(d.fetched(page, now));
                    }
                }
            }
        }
        down
    }

    pub(super) fn response(&mut self, now: u64, key: Key, response: &Response) -> Vec<Down> {
        match self.sockets.get_mut(&key) {
            Some(Socket::Main {
                delivery: Some(delivery),
                ..
            }) => {
                let actions = delivery.answered(response.id, response.is_success(), now);
                self.act(now, key, actions)
            }
            Some(Socket::Provisioning { .. }) if response.id == 2 => {
                self.sockets.remove(&key);
                vec![Down::Close(key, 1000)]
            }
            _ => Vec::new(),
        }
    }

    pub(super) fn waiting_at(&self, address: &str) -> Option<Key> {
        let at = |socket: &Socket| match socket {
            Socket::Provisioning { address: at } => at == address,
            Socket::Main { .. } => false,
        };
        self.sockets
            .iter()
            .find(|(_, socket)| at(socket))
            .map(|(key, _)| *key)
    }

    pub(super) fn hand_over(
        &mut self,
        address: &str,
        body: &[u8],
        after: &mut Vec<Down>,
    ) -> Answer {
        let Some(key) = self.waiting_at(address) else {
            return Answer::empty(404);
        };
        let body = from_json::<Provision>(body)
            .expect("core has checked it")
            .body
            .0;
        after.push(Down::Frame(
            key,
            request(2, RelayRequest::ProvisioningEnvelope, body),
        ));
        Answer::empty(204)
    }

    pub(super) fn decline(&mut self, address: &str, after: &mut Vec<Down>) -> Answer {
        let Some(key) = self.waiting_at(address) else {
            return Answer::empty(404);
        };
        after.push(Down::Frame(
            key,
            request(2, RelayRequest::ProvisioningDeclined, Vec::new()),
        ));
        Answer::empty(204)
    }
}
