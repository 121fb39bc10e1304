//! A relay on a real socket that is told nonsense: bytes, frames, paths and bodies at random, signed in and not.
//! Whatever comes, it answers or closes, and serves everybody else as before.
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test may panic"
)]

mod support;

use std::time::Duration;

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{RngCore as _, SeedableRng as _};
use support::person::Person;
use support::{Device, Relay, Socket, bundle, http_get, register};
use tokio::time::timeout;
use wire::{Endpoint, Frame, Request};

const SOCKETS: u64 = 60;
const FRAMES: u32 = 60;
const PATIENCE: Duration = Duration::from_secs(30);

struct Nonsense(ChaCha20Rng);

impl Nonsense {
    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.0.next_u32()).unwrap() % end.max(1)
    }

    fn bytes(&mut self, most: usize) -> Vec<u8> {
        let mut bytes = vec![0; self.below(most)];
        self.0.fill_bytes(&mut bytes);
        bytes
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }

    /// A path that is real, nearly real, or nothing.
    fn path(&mut self, account: &str) -> String {
        let roots = [
            "/v1/accounts",
            "/v1/accounts/whoami",
            "/v1/accounts/handle/",
            "/v1/accounts/",
            "/v1/devices",
            "/v1/devices/",
            "/v1/devices/link",
            "/v1/devices/fence",
            "/v1/devices/capabilities",
            "/v1/devices/provisioning/code",
            "/v1/provisioning/",
            "/v1/devices/wait_for_linked_device/",
            "/v2/keys",
            "/v2/keys/",
            "/v1/messages/",
            "/v1/bundles",
            "/v1/keepalive",
            "/",
            "",
        ];
        let tails = [
            "",
            "1",
            "0",
            "128",
            "x",
            "*",
            "../..",
            "%00",
            "?timeout=1",
            "?timeout=x",
            "?identity=pni",
            "\u{0}",
            "😀",
        ];
        let middle = self.pick(&["", account, "00000000-0000-0000-0000-000000000000", "/"]);
        format!(
            "{}{middle}{}{}",
            self.pick(&roots),
            self.pick(&["", "/"]),
            self.pick(&tails)
        )
    }

    /// A body that is nearly right: JSON and protobuf with something changed, or bytes.
    fn body(&mut self, good: &[u8]) -> Vec<u8> {
        let json = [
            "{}",
            "[]",
            "null",
            "\"x\"",
            "{\"messages\":[]}",
            "{\"preKeys\":[{}]}",
            "{\"name\":1}",
            "{\"signIns\":-1}",
            "{\"handle\":\"alice\"}",
            "{\"verificationCode\":\"x\",\"accountAttributes\":{}}",
            "{\"messages\":[{\"type\":8}],\"timestamp\":1e99}",
        ];
        match self.below(4) {
            0 => self.bytes(300),
            1 => self.pick(&json).as_bytes().to_vec(),
            2 => {
                let mut near = good.to_vec();
                let at = self.below(near.len());
                near[at] ^= 1 << self.below(8);
                near
            }
            _ => good[..self.below(good.len())].to_vec(),
        }
    }

    fn frame(&mut self, id: u64, account: &str, good: &[u8], header: &str) -> Vec<u8> {
        let headers = match self.below(6) {
            0 => vec![("authorization".to_owned(), header.to_owned())],
            1 => vec![(
                "authorization".to_owned(),
                self.pick(&["", "Basic", "Basic !", "Basic YTpi", "Bearer x"])
                    .to_owned(),
            )],
            _ => Vec::new(),
        };
        let request = Request {
            id,
            verb: self.pick(&["GET", "PUT", "DELETE", "POST", ""]).to_owned(),
            path: self.path(account),
            headers,
            body: self.body(good),
        };
        let mut bytes = Frame::Request(request).encode();
        if self.below(12) == 0 {
            let at = self.below(bytes.len());
            bytes[at] ^= 1 << self.below(8);
        }
        bytes
    }
}

/// Talks nonsense until it is done or the relay has closed, which is its good right.
async fn talk(port: u16, seed: u64, device: Option<Device>, account: String, good: Vec<u8>) {
    let mut nonsense = Nonsense(ChaCha20Rng::seed_from_u64(seed));
    let mut socket = match &device {
        Some(device) => Socket::login(port, device).await,
        None => Socket::open(port).await,
    };
    let header = device.map_or_else(String::new, |device| device.header());
    for id in 1..=FRAMES {
        let frame = nonsense.frame(id.into(), &account, &good, &header);
        if !socket.try_bytes(frame).await {
            return;
        }
        // The relay answers while we talk; what it says is read, or it would stop reading.
        while let Ok(Ok(_)) = timeout(Duration::from_millis(1), socket.frame()).await {}
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_said_on_a_socket_the_relay_serves_on() {
    let relay = Relay::dev().await;
    let port = relay.port();
    let alice = register(port, &mut Person::new("alice", 1), 11).await;
    let bob = register(port, &mut Person::new("bob", 2), 22).await;
    let good = bundle([7; 16], &[&bob], b"from nobody").encode();
    let mut talks = Vec::new();
    for seed in 0..SOCKETS {
        // One in three is signed in, and may do to its own account what it likes.
        let device = match seed % 3 {
            0 => {
                let number = u32::try_from(seed + 10).unwrap();
                let mut mallory = Person::new(&format!("mallory{seed}"), seed + 10);
                Some(register(port, &mut mallory, number).await)
            }
            _ => None,
        };
        let account = device
            .as_ref()
            .unwrap_or(&alice)
            .address
            .account
            .to_string();
        talks.push(tokio::spawn(talk(
            port,
            seed,
            device,
            account,
            good.clone(),
        )));
    }
    for talk in talks {
        timeout(PATIENCE, talk).await.unwrap().unwrap();
    }
    assert!(
        http_get(port, "/health", &[])
            .await
            .starts_with("http/1.1 200")
    );
    let mut sender = Socket::login(port, &alice).await;
    let sent = bundle([9; 16], &[&bob], b"after all that");
    assert_eq!(
        sender.ask(Endpoint::Bundles, &sent.encode()).await.status,
        200
    );
    let mail = Socket::login(port, &bob).await.drain().await;
    assert_eq!(mail.last().unwrap(), b"after all that");
    relay.stop().await;
}
