//! Not claims but measurements: `cargo test --release -p relay --test figures -- --ignored --nocapture`.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::collections::BTreeSet;
use std::time::Instant;

use support::person::Person;
use support::{Device, Relay, Socket, bundle, register};
use wire::Endpoint;

const SENDERS: u64 = 16;
const EACH: u32 = 500;
const IDLE: usize = 400;

fn id(sender: u64, n: u32) -> [u8; 16] {
    let number = (u128::from(sender) << 64) | u128::from(n);
    number.to_be_bytes()
}

async fn send_all(mut socket: Socket, sender: u64, to: Device) {
    let mut open = BTreeSet::new();
    for n in 0..EACH {
        let body = bundle(id(sender, n), &[&to], &[7; 200]).encode();
        open.insert(socket.request(&Endpoint::Bundles, &body, None).await);
        if open.len() == 12 {
            let [answered] = socket.responses(1).await.try_into().unwrap();
            open.remove(&answered);
        }
    }
    socket.responses(open.len()).await;
}

fn resident_kb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|l| l.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement, not a claim"]
async fn bundles_and_deliveries_per_second() {
    let relay = Relay::dev().await;
    let port = relay.port();
    let mut pairs = Vec::new();
    for n in 0..SENDERS {
        let a = register(port, &mut Person::new(&format!("a{n}"), n), 1).await;
        let b = register(port, &mut Person::new(&format!("b{n}"), 99 + n), 2).await;
        pairs.push((Socket::login(port, &a).await, b));
    }
    let receivers: Vec<_> = pairs.iter().map(|(_, b)| b.clone()).collect();
    let start = Instant::now();
    let sending: Vec<_> = (0..)
        .zip(pairs)
        .map(|(n, (socket, to))| tokio::spawn(send_all(socket, n, to)))
        .collect();
    for task in sending {
        task.await.unwrap();
    }
    let total = f64::from(EACH) * 16.0;
    println!(
        "accepted: {:.0} bundles/s, durable, {SENDERS} senders with 12 open each",
        total / start.elapsed().as_secs_f64()
    );
    let start = Instant::now();
    let draining: Vec<_> = receivers
        .into_iter()
        .map(|b| tokio::spawn(async move { Socket::login(port, &b).await.drain().await.len() }))
        .collect();
    for task in draining {
        assert_eq!(task.await.unwrap(), 500);
    }
    println!(
        "delivered and acked: {:.0} envelopes/s to {SENDERS} devices",
        total / start.elapsed().as_secs_f64()
    );
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement, not a claim"]
async fn memory_of_an_idle_socket() {
    let relay = Relay::dev().await;
    let a = register(relay.port(), &mut Person::new("alice", 1), 1).await;
    drop(Socket::login(relay.port(), &a).await);
    let before = resident_kb();
    let mut held = Vec::new();
    for _ in 0..IDLE {
        let mut raw = tokio::net::TcpStream::connect(("127.0.0.1", relay.port()))
            .await
            .unwrap();
        support::upgrade_raw(&mut raw, relay.port()).await;
        held.push(raw);
    }
    let grown = resident_kb().saturating_sub(before);
    println!(
        "an idle socket: {:.1} KB, with the kilobyte or less of the bare TCP client in this process",
        f64::from(u32::try_from(grown).unwrap()) / 400.0
    );
}
