//! The built binary: killed without warning in the middle of sending, and stopped politely.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::collections::BTreeSet;
use std::process::Command;
use std::time::Duration;

use support::person::Person;
use support::process::Process;
use support::{Device, Socket, bundle, register};
use wire::bundle::BundleAccepted;
use wire::{Endpoint, Frame};

fn content(n: u32) -> Vec<u8> {
    n.to_be_bytes().to_vec()
}

fn id(n: u32) -> [u8; 16] {
    let mut id = [9; 16];
    id[..4].copy_from_slice(&n.to_be_bytes());
    id
}

/// Sends from `first` on without waiting, until the relay is gone. Gives those that were accepted.
async fn send_until_killed(port: u16, by: Device, to: Device, first: u32) -> (BTreeSet<u32>, u32) {
    let mut socket = Socket::login(port, &by).await;
    let mut accepted = BTreeSet::new();
    let mut sent = std::collections::BTreeMap::new();
    let mut next = first;
    loop {
        while sent.len() < 12 {
            let body = bundle(id(next), &[&to], &content(next)).encode();
            let Some(request) = socket.try_request(&Endpoint::Bundles, &body).await else {
                return (accepted, next);
            };
            sent.insert(request, next);
            next += 1;
        }
        match socket.frame().await {
            Ok(Frame::Response(response)) => {
                if let Some(n) = sent.remove(&response.id) {
                    assert_eq!(response.status, 200);
                    BundleAccepted::decode(&response.body).unwrap();
                    accepted.insert(n);
                }
            }
            Ok(Frame::Request(_)) => {}
            Err(_) => return (accepted, next),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_was_accepted_survives_a_kill_and_comes_once() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("relay.db");
    let mut relay = Process::start(&data);
    let a = register(relay.port, &mut Person::new("alice", 1), 11).await;
    let b = register(relay.port, &mut Person::new("bob", 2), 22).await;
    let (mut next, mut drained, mut ever_accepted) = (0, 0, BTreeSet::new());
    for round in 0..4_u64 {
        let (a, b) = (a.clone(), b.clone());
        let sending = tokio::spawn(send_until_killed(relay.port, a.clone(), b.clone(), next));
        tokio::time::sleep(Duration::from_millis(150 + 90 * round)).await;
        relay.kill();
        let (accepted, end) = sending.await.unwrap();
        assert!(!accepted.is_empty());
        ever_accepted.extend(accepted.iter().copied());

        // A client sends again what it has no answer for: stored once whether it was accepted or not.
        relay = Process::start(&data);
        let mut again = Socket::login(relay.port, &a).await;
        for n in (next..end).filter(|n| !accepted.contains(n)) {
            let body = bundle(id(n), &[&b], &content(n)).encode();
            assert_eq!(again.ask(Endpoint::Bundles, &body).await.status, 200);
        }
        // Half of the rounds leave the mail for a later relay.
        if round % 2 == 1 {
            let mut receiver = Socket::login(relay.port, &b).await;
            let mut got = receiver.drain().await;
            let received = got.len();
            got.sort();
            got.dedup();
            assert_eq!(received, got.len(), "an envelope came twice");
            let expected: Vec<_> = (drained..end).map(content).collect();
            assert_eq!(got, expected);
            drained = end;
            assert_eq!(receiver.ask(Endpoint::KeepAlive, &[]).await.status, 200);
            let mut empty = Socket::login(relay.port, &b).await;
            assert_eq!(empty.drain().await, Vec::<Vec<u8>>::new(), "acked is gone");
        }
        next = end;
    }
    assert!(ever_accepted.len() > 40, "{} accepted", ever_accepted.len());
    relay.kill();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_polite_stop_closes_sockets_with_1012_and_exits_with_0() {
    let folder = tempfile::tempdir().unwrap();
    let mut relay = Process::start(&folder.path().join("relay.db"));
    let a = register(relay.port, &mut Person::new("alice", 1), 11).await;
    let mut socket = Socket::login(relay.port, &a).await;
    let mut waiting = Socket::open_provisioning(relay.port).await;
    let killed = Command::new("kill")
        .args(["-TERM", &relay.child.id().to_string()])
        .status();
    assert!(killed.unwrap().success());
    assert_eq!(socket.close_code().await, 1012);
    assert_eq!(waiting.close_code().await, 1012);
    drop((socket, waiting));
    let status = tokio::task::spawn_blocking(move || relay.child.wait().unwrap());
    assert_eq!(status.await.unwrap().code(), Some(0));
}
