//! The relay on a real socket, port 0: what only bytes on a wire can show.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use prost::Message as _;
use support::person::Person;
use support::{Delivered, Relay, Socket, bundle, device, link, register};
use wire::body::{AccountInfo, Base64, LinkToken, Provision, from_json, to_json};
use wire::bundle::{AccountMismatch, BundleAccepted};
use wire::endpoint::SOCKET_PATH;
use wire::proto::provisioning::ProvisioningAddress;
use wire::{Endpoint, RelayRequest};

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

    // Not acked: it comes again on the next socket, which closes the older one.
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
    assert_eq!(newer.ask(Endpoint::KeepAlive, &[]).await.status, 200);
    let mut last = Socket::login(port, &b).await;
    assert_eq!(last.drain().await, Vec::<Vec<u8>>::new());
    relay.stop().await;
    assert_eq!(last.close_code().await, 1012);
}

#[tokio::test]
async fn an_answer_that_is_no_success_keeps_the_envelope_for_the_next_socket() {
    let relay = Relay::dev().await;
    let port = relay.port();
    let a = register(port, &mut Person::new("alice", 1), 11).await;
    let b = register(port, &mut Person::new("bob", 2), 22).await;
    let mut sender = Socket::login(port, &a).await;
    let sent = bundle([1; 16], &[&b], b"hard to read").encode();
    assert_eq!(sender.ask(Endpoint::Bundles, &sent).await.status, 200);
    let mut first = Socket::login(port, &b).await;
    let Delivered::Mail { request, .. } = first.delivery().await else {
        panic!("no mail");
    };
    first.ack(request, 500).await;
    assert_eq!(first.delivery().await, Delivered::Empty);
    assert!(first.is_silent().await);
    let mut second = Socket::login(port, &b).await;
    assert_eq!(second.drain().await, [b"hard to read"]);
}

#[tokio::test]
async fn a_thousand_envelopes_arrive_in_order_and_then_the_end() {
    let relay = Relay::dev().await;
    let port = relay.port();
    let a = register(port, &mut Person::new("alice", 1), 11).await;
    let b = register(port, &mut Person::new("bob", 2), 22).await;
    let mut sender = Socket::login(port, &a).await;
    let mut ids = Vec::new();
    for n in 0..1000_u32 {
        let mut id = [0; 16];
        id[..4].copy_from_slice(&n.to_be_bytes());
        let sent = bundle(id, &[&b], &n.to_be_bytes()).encode();
        ids.push(sender.request(&Endpoint::Bundles, &sent, None).await);
        if ids.len() == 10 {
            for id in ids.drain(..) {
                assert_eq!(sender.response(id).await.status, 200);
            }
        }
    }
    let expected: Vec<Vec<u8>> = (0..1000_u32).map(|n| n.to_be_bytes().to_vec()).collect();
    let mut receiver = Socket::login(port, &b).await;
    assert_eq!(receiver.drain().await, expected);
    let mut again = Socket::login(port, &b).await;
    assert_eq!(again.drain().await, Vec::<Vec<u8>>::new());
}

#[tokio::test]
async fn the_first_header_on_a_socket_says_who_it_is() {
    let relay = Relay::dev().await;
    let port = relay.port();
    let mut alice = Person::new("alice", 1);
    let a = register(port, &mut alice, 11).await;
    let mut socket = Socket::open(port).await;
    assert_eq!(socket.ask(Endpoint::WhoAmI, &[]).await.status, 401);
    let mut wrong = a.clone();
    wrong.password.push('x');
    let header = wrong.header();
    let answer = socket.ask_with(Endpoint::WhoAmI, &[], Some(&header)).await;
    assert_eq!(answer.status, 401);
    let answer = socket
        .ask_with(Endpoint::KeepAlive, &[], Some("nonsense"))
        .await;
    assert_eq!(answer.status, 401);
    assert_eq!(socket.ask(Endpoint::WhoAmI, &[]).await.status, 401);
    let header = a.header();
    let answer = socket.ask_with(Endpoint::WhoAmI, &[], Some(&header)).await;
    let who: AccountInfo = from_json(&answer.body).unwrap();
    assert_eq!(who.device_id, Some(a.address.device));
    assert_eq!(socket.ask(Endpoint::WhoAmI, &[]).await.status, 200);

    // The same registration again, as after a lost answer.
    let body = to_json(&alice.register(11));
    let answer = Socket::open(port)
        .await
        .ask(Endpoint::Register, &body)
        .await;
    assert_eq!(device(&answer, &a.password, 11).address, a.address);

    // On the upgrade, as native clients do it.
    let header = a.header();
    let upgraded = Socket::open_with(port, SOCKET_PATH, &[("authorization", &header)]).await;
    assert_eq!(upgraded.unwrap().delivery().await, Delivered::Empty);
    let header = wrong.header();
    let upgraded = Socket::open_with(port, SOCKET_PATH, &[("authorization", &header)]).await;
    assert_eq!(upgraded.err(), Some(403));
}

#[tokio::test]
async fn a_page_of_another_host_opens_no_socket() {
    let relay = Relay::start(&["--dev", "--allow-origin", "https://app.example"]).await;
    let port = relay.port();
    let status = async |origin: &str| {
        let headers = [("origin", origin)];
        Socket::open_with(port, SOCKET_PATH, &headers).await.err()
    };
    assert_eq!(status("http://evil.example").await, Some(403));
    assert_eq!(status("null").await, Some(403));
    assert_eq!(status("https://app.example").await, None);
    assert_eq!(status(&format!("http://127.0.0.1:{port}")).await, None);
}

#[tokio::test]
async fn a_removed_device_is_closed_and_stays_out() {
    let relay = Relay::dev().await;
    let port = relay.port();
    let mut alice = Person::new("alice", 1);
    let a1 = register(port, &mut alice, 11).await;
    let mut primary = Socket::login(port, &a1).await;
    let a2 = link(port, &mut alice, &mut primary, 12).await;
    let mut linked = Socket::login(port, &a2).await;
    let remove = Endpoint::RemoveDevice(a2.address.device);
    assert_eq!(primary.ask(remove, &[]).await.status, 204);
    assert_eq!(linked.close_code().await, 4401);
    let header = a2.header();
    let mut again = Socket::open(port).await;
    let answer = again.ask_with(Endpoint::WhoAmI, &[], Some(&header)).await;
    assert_eq!(answer.status, 401);
}

#[tokio::test]
async fn a_new_device_is_provisioned_and_its_linker_is_told() {
    let relay = Relay::dev().await;
    let port = relay.port();
    let mut alice = Person::new("alice", 1);
    let a = register(port, &mut alice, 11).await;
    let mut primary = Socket::login(port, &a).await;
    assert_eq!(primary.delivery().await, Delivered::Empty);

    let mut waiting = Socket::open_provisioning(port).await;
    let address = provisioning_address(&mut waiting).await;
    assert_eq!(
        waiting
            .ask(Endpoint::KeepAliveProvisioning, &[])
            .await
            .status,
        200
    );
    let provision = Endpoint::Provision { address };
    let body = to_json(&Provision {
        body: Base64(b"sealed".to_vec()),
    });
    let mut stranger = Socket::open(port).await;
    assert_eq!(stranger.ask(provision.clone(), &body).await.status, 401);
    assert_eq!(primary.ask(provision.clone(), &body).await.status, 204);
    assert_eq!(
        primary.ask(provision, &body).await.status,
        404,
        "one handover"
    );
    let handover = waiting.asked().await;
    assert_eq!(handover.path, RelayRequest::ProvisioningEnvelope.path());
    assert_eq!(handover.body, b"sealed");
    waiting.ack(handover.id, 200).await;
    assert_eq!(waiting.close_code().await, 1000);

    // The linker waits first; then the new device links on a socket of its own.
    let answer = primary.ask(Endpoint::LinkToken, &[]).await;
    let token: LinkToken = from_json(&answer.body).unwrap();
    let wait = Endpoint::WaitForLinkedDevice {
        token_identifier: token.token_identifier.clone(),
        timeout_s: 20,
    };
    let polling = primary.request(&wait, &[], None).await;
    let body = to_json(&alice.link(&token.verification_code, 12));
    let header = a.header();
    let answer = Socket::open(port)
        .await
        .ask_with(Endpoint::LinkDevice, &body, Some(&header))
        .await;
    let linked = device(&answer, &a.password, 12);
    assert_eq!(u32::from(linked.address.device), 2);
    let told = primary.response(polling).await;
    let told: wire::body::DeviceInfo = from_json(&told.body).unwrap();
    assert_eq!(told.id, linked.address.device);

    // A sender who does not know it yet is told.
    let sent = bundle([1; 16], &[], b"").encode();
    let answer = primary.ask(Endpoint::Bundles, &sent).await;
    let wrong = AccountMismatch::decode_all(&answer.body).unwrap();
    assert_eq!((answer.status, wrong.len()), (409, 1));
}

#[tokio::test]
async fn a_declined_device_is_told_and_closed() {
    let relay = Relay::dev().await;
    let port = relay.port();
    let a = register(port, &mut Person::new("alice", 1), 11).await;
    let mut primary = Socket::login(port, &a).await;
    let mut waiting = Socket::open_provisioning(port).await;
    let address = provisioning_address(&mut waiting).await;
    let decline = Endpoint::DeclineProvision { address };
    assert_eq!(primary.ask(decline.clone(), &[]).await.status, 204);
    let declined = waiting.asked().await;
    assert_eq!(declined.path, RelayRequest::ProvisioningDeclined.path());
    waiting.ack(declined.id, 200).await;
    assert_eq!(waiting.close_code().await, 1000);
    assert_eq!(primary.ask(decline, &[]).await.status, 404);
}

async fn provisioning_address(waiting: &mut Socket) -> String {
    let hello = waiting.asked().await;
    assert_eq!(hello.path, RelayRequest::ProvisioningAddress.path());
    waiting.ack(hello.id, 200).await;
    let address = ProvisioningAddress::decode(hello.body.as_slice()).unwrap();
    address.address.unwrap()
}

#[tokio::test]
async fn frames_that_are_none_close_the_socket_with_a_code() {
    let relay = Relay::dev().await;
    let port = relay.port();
    let mut socket = Socket::open(port).await;
    socket.send_bytes(vec![0xFF; 40]).await;
    assert_eq!(socket.close_code().await, 1007);
    let mut socket = Socket::open(port).await;
    socket.send_bytes(vec![0; 65 * 1024]).await;
    assert_eq!(socket.close_code().await, 1009);
    let mut socket = Socket::open(port).await;
    socket.send_text("hello").await;
    assert_eq!(socket.close_code().await, 1003);
    let mut socket = Socket::open(port).await;
    let unknown = Endpoint::AccountByHandle("a".parse().unwrap()).to_string() + "/b";
    socket.send_request("GET", &unknown).await;
    assert_eq!(socket.response(1).await.status, 404);
}

#[tokio::test]
async fn requests_that_a_client_pipelines_are_all_answered() {
    let relay = Relay::dev().await;
    let port = relay.port();
    let a = register(port, &mut Person::new("alice", 1), 11).await;
    let mut socket = Socket::login(port, &a).await;
    let mut ids = Vec::new();
    for _ in 0..300 {
        ids.push(socket.request(&Endpoint::Devices, &[], None).await);
    }
    let mut answered = socket.responses(ids.len()).await;
    answered.sort_unstable();
    assert_eq!(answered, ids);
}
