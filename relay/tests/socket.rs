//! The relay on a real socket, port 0: what only bytes on a wire can show.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use clap::Parser as _;
use relay::config::Config;
use relay::server::Server;
use support::person::Person;
use support::{Delivered, Socket, bundle, register};
use wire::Endpoint;
use wire::bundle::BundleAccepted;

struct Relay {
    server: Server,
    _folder: tempfile::TempDir,
}

impl Relay {
    async fn start(arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("relay.db");
        let fixed = ["relay", "--listen", "127.0.0.1:0", "--data"];
        let config = Config::parse_from(
            fixed
                .iter()
                .chain(&[data.to_str().unwrap()])
                .chain(arguments),
        );
        Self {
            server: Server::start(&config).await.unwrap(),
            _folder: folder,
        }
    }

    async fn dev() -> Self {
        Self::start(&["--dev"]).await
    }

    fn port(&self) -> u16 {
        self.server.address().port()
    }
}

#[tokio::test]
async fn a_bundle_reaches_a_device_and_its_ack_deletes_it() {
    let relay = Relay::dev().await;
    let port = relay.port();
    let (mut alice, mut bob) = (Person::new("alice", 1), Person::new("bob", 2));
    let a = register(port, &mut alice, 11).await;
    let b = register(port, &mut bob, 22).await;
    let mut sender = Socket::login(port, &a).await;
    assert_eq!(sender.delivery().await, Delivered::Empty);

    let sent = bundle([1; 16], &[&b], b"hello");
    let answer = sender.ask(Endpoint::Bundles, &sent.encode()).await;
    assert_eq!(answer.status, 200);
    let accepted = BundleAccepted::decode(&answer.body).unwrap();
    let again = sender.ask(Endpoint::Bundles, &sent.encode()).await;
    assert_eq!(BundleAccepted::decode(&again.body).unwrap(), accepted);

    // Not acked: it comes again on the next socket.
    let mut receiver = Socket::login(port, &b).await;
    let Delivered::Mail { envelope, .. } = receiver.delivery().await else {
        panic!("no mail");
    };
    assert_eq!(envelope.content, b"hello");
    assert_eq!(envelope.source, a.address);
    assert_eq!(envelope.server_timestamp, accepted.server_timestamp);
    assert_eq!(envelope.client_timestamp, 1234);
    assert!(envelope.guid.is_some());
    let mut newer = Socket::login(port, &b).await;
    assert_eq!(receiver.close_code().await, 4409);
    assert_eq!(newer.drain().await, [b"hello"]);
    assert!(newer.is_silent().await, "queue/empty comes once");

    // Live, by wake-up; then acked for good.
    let live = bundle([2; 16], &[&b], b"live");
    sender.ask(Endpoint::Bundles, &live.encode()).await;
    let Delivered::Mail { request, envelope } = newer.delivery().await else {
        panic!("no mail");
    };
    assert_eq!(envelope.content, b"live");
    newer.ack(request, 200).await;
    let answer = newer.ask(Endpoint::KeepAlive, &[]).await;
    assert_eq!(answer.status, 200);
    let mut last = Socket::login(port, &b).await;
    assert_eq!(last.drain().await, Vec::<Vec<u8>>::new());
    relay.server.stop().await;
    assert_eq!(last.close_code().await, 1012);
}
