//! Blobs over HTTP: whole, in parts, again after a break, by the wrong people and in the wrong way.
//! What a kill leaves is in `blobs_killed.rs`; who may upload how much, and for how long, is in `core/tests/blobs.rs`.
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may panic"
)]

mod support;

use std::time::Duration;

use support::http::{Blobs, blob, bytes, hash, read_answer, try_ask};
use support::person::Person;
use support::{Device, Relay, register};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use wire::BlobId;
use wire::limits::{BLOB_MAX, BLOB_SLICE_MAX};

struct Scene {
    relay: Relay,
    alice: Device,
    bob: Device,
}

impl Scene {
    async fn new() -> Self {
        let relay = Relay::dev().await;
        Self {
            alice: register(relay.port(), &mut Person::new("alice", 1), 11).await,
            bob: register(relay.port(), &mut Person::new("bob", 2), 22).await,
            relay,
        }
    }

    fn alice(&self) -> Blobs {
        Blobs::of(self.relay.port(), &self.alice)
    }

    fn bob(&self) -> Blobs {
        Blobs::of(self.relay.port(), &self.bob)
    }

    fn nobody(&self) -> Blobs {
        Blobs::of_nobody(self.relay.port())
    }
}

#[tokio::test]
async fn what_was_uploaded_in_slices_is_fetched_by_whoever_has_the_id() {
    let scene = Scene::new().await;
    let bytes = bytes(3_000_001, 1);
    scene.alice().upload(blob(1), &bytes, 1 << 20).await;
    let got = scene.nobody().fetch(blob(1), &[]).await;
    assert_eq!((got.status, got.body == bytes), (200, true));
    for header in [
        "content-type: application/octet-stream",
        "content-length: 3000001",
        "accept-ranges: bytes",
        "cache-control: no-store",
        "x-content-type-options: nosniff",
        "content-disposition: attachment",
        "cross-origin-resource-policy: same-origin",
        "content-security-policy: default-src 'none'; sandbox",
    ] {
        assert!(got.head.contains(header), "{header} in {}", got.head);
    }
    let head = scene.nobody().try_with("HEAD", blob(1), &[], &[]).await;
    let head = head.unwrap();
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert!(head.head.contains("content-length: 3000001"));
}

#[tokio::test]
async fn a_part_is_fetched_by_its_range() {
    let scene = Scene::new().await;
    let bytes = bytes(300_000, 1);
    scene.alice().upload(blob(1), &bytes, 300_000).await;
    for (range, from, to) in [
        ("0-0", 0, 1),
        ("1000-299998", 1000, 299_999),
        ("140000-", 140_000, 300_000),
        ("-5", 299_995, 300_000),
    ] {
        let header = format!("range: bytes={range}");
        let part = scene.nobody().fetch(blob(1), &[&header]).await;
        assert_eq!((part.status, part.body == bytes[from..to]), (206, true));
        let place = format!("content-range: bytes {from}-{}/300000", to - 1);
        assert!(part.head.contains(&place), "{}", part.head);
    }
    let nobody = scene.nobody();
    let behind = nobody.fetch(blob(1), &["range: bytes=300000-"]).await;
    assert_eq!((behind.status, behind.body.len()), (416, 0));
    assert!(behind.head.contains("content-range: bytes */300000"));
    let several = nobody.fetch(blob(1), &["range: bytes=0-1,5-6"]).await;
    assert_eq!(several.status, 200);
}

#[tokio::test]
async fn nothing_is_fetched_before_it_is_complete() {
    let scene = Scene::new().await;
    let (alice, bytes) = (scene.alice(), bytes(1000, 1));
    for _ in 0..2 {
        assert!(alice.fetch(blob(1), &[]).await.is(404, "blob_unknown"));
        alice.begin(blob(1), 1000).await.progress();
    }
    alice.append(blob(1), 0, &bytes[..999]).await.progress();
    let early = alice.complete(blob(1), &hash(&bytes[..999])).await;
    assert!(early.is(409, "blob_incomplete"));
    assert!(alice.fetch(blob(1), &[]).await.is(404, "blob_unknown"));
    alice.append(blob(1), 999, &bytes[999..]).await.progress();
    assert!(alice.fetch(blob(1), &[]).await.is(404, "blob_unknown"));
    for _ in 0..2 {
        assert_eq!(alice.complete(blob(1), &hash(&bytes)).await.status, 204);
    }
    assert_eq!(alice.fetch(blob(1), &[]).await.body, bytes);
    let again = alice.begin(blob(1), 1000).await.progress();
    assert_eq!((again.offset, again.complete), (1000, true));
}

#[tokio::test]
async fn a_wrong_digest_ends_the_upload() {
    let scene = Scene::new().await;
    let (alice, bytes) = (scene.alice(), bytes(1000, 1));
    alice.begin(blob(1), 1000).await.progress();
    alice.append(blob(1), 0, &bytes).await.progress();
    let short = alice.complete(blob(1), &[7; 31]).await;
    assert_eq!(short.status, 422);
    let wrong = alice.complete(blob(1), &hash(b"something else")).await;
    assert!(wrong.is(422, "blob_digest"));
    assert!(alice.fetch(blob(1), &[]).await.is(404, "blob_unknown"));
    let late = alice.complete(blob(1), &hash(&bytes)).await;
    assert!(late.is(404, "blob_unknown"));
}

#[tokio::test]
async fn an_upload_takes_bytes_only_where_it_stopped() {
    let scene = Scene::new().await;
    let (alice, bytes) = (scene.alice(), bytes(1000, 1));
    alice.begin(blob(1), 1000).await.progress();
    alice.append(blob(1), 0, &bytes[..400]).await.progress();
    for offset in [0, 399, 401] {
        let wrong = alice.append(blob(1), offset, &bytes[offset..]).await;
        assert!(wrong.is(409, "blob_offset"), "{offset}");
    }
    let progress = alice.begin(blob(1), 1000).await.progress();
    assert_eq!((progress.offset, progress.complete), (400, false));
    alice.append(blob(1), 400, &bytes[400..]).await.progress();
    assert_eq!(alice.complete(blob(1), &hash(&bytes)).await.status, 204);
    let after = alice.append(blob(1), 1000, &[]).await;
    assert!(after.is(409, "blob_complete"));
    let other = alice.complete(blob(1), &hash(b"x")).await;
    assert!(other.is(409, "blob_complete"));
    assert_eq!(alice.fetch(blob(1), &[]).await.body, bytes);
}

#[tokio::test]
async fn nothing_larger_than_declared_or_allowed_is_taken() {
    let scene = Scene::new().await;
    let alice = scene.alice();
    let too_large = alice.begin(blob(1), usize::try_from(BLOB_MAX).unwrap() + 1);
    assert!(too_large.await.is(413, "blob_too_large"));
    assert_eq!(alice.begin(blob(1), 0).await.status, 422);
    alice.begin(blob(1), 10).await.progress();
    for (offset, count) in [(0, 11), (5, 6), (usize::MAX, 1)] {
        let more = alice.append(blob(1), offset, &vec![0; count]).await;
        assert!(more.is(413, "blob_too_large"), "{offset} {count}");
    }
    let slice = usize::try_from(BLOB_SLICE_MAX).unwrap() + 1;
    alice.begin(blob(2), 2 * slice).await.progress();
    let sent = alice.append(blob(2), 0, &vec![0; slice]).await;
    assert!(sent.is(413, "blob_too_large"));
    assert_eq!(alice.begin(blob(2), 2 * slice).await.progress().offset, 0);
}

#[tokio::test]
async fn uploads_need_the_right_credentials() {
    let scene = Scene::new().await;
    let (alice, bob, bytes) = (scene.alice(), scene.bob(), bytes(1000, 1));
    let mut wrong = scene.alice.clone();
    wrong.password = "another long password".to_owned();
    let wrong = Blobs::of(scene.relay.port(), &wrong);
    for stranger in [&scene.nobody(), &wrong] {
        assert_eq!(stranger.begin(blob(1), 1000).await.status, 401);
        assert_eq!(stranger.append(blob(1), 0, &bytes).await.status, 401);
        assert_eq!(stranger.complete(blob(1), &hash(&bytes)).await.status, 401);
        assert_eq!(stranger.end(blob(1)).await.status, 401);
    }
    alice.begin(blob(1), 1000).await.progress();
    assert!(bob.begin(blob(1), 1000).await.is(409, "blob_taken"));
    let foreign = bob.append(blob(1), 0, &bytes).await;
    assert!(foreign.is(404, "blob_unknown"));
    let foreign = bob.complete(blob(1), &hash(&bytes)).await;
    assert!(foreign.is(404, "blob_unknown"));
    assert_eq!(bob.end(blob(1)).await.status, 204);
    assert_eq!(alice.begin(blob(1), 1000).await.progress().offset, 0);
}

#[tokio::test]
async fn an_account_that_has_uploaded_enough_is_told_when_it_may_again() {
    let scene = Scene::new().await;
    let alice = scene.alice();
    let largest = usize::try_from(BLOB_MAX).unwrap();
    for n in 0..10 {
        alice.begin(blob(n), largest).await.progress();
    }
    let refused = alice.begin(blob(10), largest).await;
    assert!(refused.is(429, "blob_quota"));
    assert!(refused.head.contains("retry-after: 86"), "{}", refused.head);
    scene.bob().begin(blob(10), largest).await.progress();
}

#[tokio::test]
async fn what_was_ended_is_gone() {
    let scene = Scene::new().await;
    let (alice, bytes) = (scene.alice(), bytes(1000, 1));
    alice.upload(blob(1), &bytes, 1000).await;
    assert_eq!(scene.bob().end(blob(1)).await.status, 204);
    assert_eq!(alice.fetch(blob(1), &[]).await.status, 200);
    for _ in 0..2 {
        assert_eq!(alice.end(blob(1)).await.status, 204);
        assert!(alice.fetch(blob(1), &[]).await.is(404, "blob_unknown"));
    }
}

#[tokio::test]
async fn what_is_no_request_about_a_blob_is_refused() {
    let scene = Scene::new().await;
    let (alice, port) = (scene.alice(), scene.relay.port());
    let own = &alice.authorization;
    for path in [
        "/v1/blobs/x",
        "/v1/blobs/..%2f..%2frelay.db",
        "/v1/blobs/FF0102030405060708090a0b0c0d0e0f",
    ] {
        for verb in ["GET", "PATCH", "DELETE"] {
            let answer = try_ask(port, verb, path, own, b"").await.unwrap();
            assert!(answer.is(404, "blob_unknown"), "{verb} {path}");
        }
    }
    alice.begin(blob(1), 100).await.progress();
    for body in [&b"{}"[..], b"x", br#"{"size":-1}"#, br#"{"size":"1"}"#] {
        let answer = alice.try_with("PUT", blob(1), &[], body).await.unwrap();
        assert_eq!(answer.status, 422);
        let answer = alice.try_with("POST", blob(1), &[], body).await.unwrap();
        assert_eq!(answer.status, 422);
    }
    let long = vec![b' '; 5000];
    let answer = alice.try_with("PUT", blob(1), &[], &long).await.unwrap();
    assert_eq!(answer.status, 413);
    let patch = |header: &str| {
        let headers = [header.to_owned()];
        let alice = scene.alice();
        async move { alice.try_with("PATCH", blob(1), &headers, b"x").await }
    };
    for header in ["x: y", "upload-offset: -1", "upload-offset: x"] {
        assert_eq!(patch(header).await.unwrap().status, 422, "{header}");
    }
}

#[tokio::test]
async fn only_pages_that_may_open_sockets_may_ask_for_blobs() {
    let scene = Scene::new().await;
    let (alice, port) = (scene.alice(), scene.relay.port());
    alice.upload(blob(1), &bytes(1000, 1), 1000).await;
    let own = format!("origin: http://127.0.0.1:{port}");
    let foreign = "origin: https://evil.example".to_owned();
    let path = blob(1).path();
    let preflight = |origin: &String| {
        let headers = [
            origin.clone(),
            "access-control-request-method: PATCH".to_owned(),
            "access-control-request-headers: authorization,upload-offset".to_owned(),
        ];
        let path = path.clone();
        async move { try_ask(port, "OPTIONS", &path, &headers, b"").await }
    };
    let allowed = preflight(&own).await.unwrap();
    assert_eq!(allowed.status, 204);
    for header in [
        format!("access-control-allow-{own}"),
        "access-control-allow-methods: get, head, put, patch, post, delete".to_owned(),
        "access-control-allow-headers: authorization, content-type, range, upload-offset"
            .to_owned(),
        "access-control-max-age: 86400".to_owned(),
        "vary: origin".to_owned(),
    ] {
        assert!(allowed.head.contains(&header), "{header}: {}", allowed.head);
    }
    let got = alice.fetch(blob(1), &[&own]).await;
    assert_eq!(got.status, 200);
    assert!(got.head.contains(&format!("access-control-allow-{own}")));
    for answer in [
        preflight(&foreign).await.unwrap(),
        alice.fetch(blob(1), &[&foreign]).await,
    ] {
        assert_eq!((answer.status, answer.body.len()), (403, 0));
        assert!(!answer.head.contains("access-control-allow-origin"));
    }
}

#[tokio::test]
async fn a_slice_that_breaks_off_counts_as_far_as_it_came() {
    let scene = Scene::new().await;
    let (alice, bytes) = (scene.alice(), bytes(1000, 1));
    let (id, broken) = broken_at_300(&scene, &bytes, Break::HangUp).await;
    drop(broken);
    alice.append(id, 300, &bytes[300..]).await.progress();
    assert_eq!(alice.complete(id, &hash(&bytes)).await.status, 204);
}

#[tokio::test]
async fn whoever_comes_back_need_not_wait_for_a_request_that_hangs() {
    let scene = Scene::new().await;
    let (alice, bytes) = (scene.alice(), bytes(1000, 1));
    let (id, mut hanging) = broken_at_300(&scene, &bytes, Break::Hang).await;
    // What it says from now on is not written.
    hanging.write_all(&bytes[..700]).await.unwrap();
    let late = read_answer(&mut hanging, "PATCH").await.unwrap();
    assert!(late.is(409, "blob_offset"));
    alice.append(id, 300, &bytes[300..]).await.progress();
    assert_eq!(alice.complete(id, &hash(&bytes)).await.status, 204);
    assert_eq!(alice.fetch(id, &[]).await.body, bytes);
}

enum Break {
    Hang,
    HangUp,
}

/// An upload of which 300 bytes are there, and the connection of which no more came. To ask how far one is stops
/// what is under way, so asking too early finds less: then it is tried again with another, and more patience.
async fn broken_at_300(scene: &Scene, bytes: &[u8], how: Break) -> (BlobId, TcpStream) {
    let alice = scene.alice();
    for n in 0..10 {
        let id = blob(n);
        alice.begin(id, bytes.len()).await.progress();
        let mut stream = half_a_slice(scene, id, &bytes[..300], bytes.len()).await;
        if matches!(how, Break::HangUp) {
            stream.shutdown().await.unwrap();
        }
        tokio::time::sleep(Duration::from_millis(20 << n)).await;
        let offset = alice.begin(id, bytes.len()).await.progress().offset;
        if offset == 300 {
            return (id, stream);
        }
        assert_eq!(offset, 0, "all that had come counts");
    }
    panic!("what was sent never counts");
}

/// A `PATCH` from the beginning on which less comes than it says.
async fn half_a_slice(scene: &Scene, id: BlobId, bytes: &[u8], declared: usize) -> TcpStream {
    let port = scene.relay.port();
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let request = format!(
        "PATCH {} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nconnection: close\r\n\
         {}\r\nupload-offset: 0\r\ncontent-length: {declared}\r\n\r\n",
        id.path(),
        scene.alice().authorization.concat()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    stream
}
