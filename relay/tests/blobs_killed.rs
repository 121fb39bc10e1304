//! Blobs of a relay that is killed without warning, and what one costs in memory.
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may panic"
)]

mod support;

use std::path::{Path, PathBuf};
use std::time::Duration;

use support::http::{Blobs, blob, bytes, hash};
use support::person::Person;
use support::process::Process;
use support::register;
use wire::BlobId;

fn data(folder: &tempfile::TempDir) -> PathBuf {
    folder.path().join("relay.db")
}

fn file(data: &Path, id: BlobId) -> PathBuf {
    data.with_extension("blobs").join(id.to_string())
}

/// Waits for what the relay does by itself.
async fn soon(is_so: impl AsyncFn() -> bool) {
    for _ in 0..1000 {
        if is_so().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it never came");
}

/// Goes on where the relay says that it is, until it is complete or the relay is gone.
async fn go_on(alice: &Blobs, id: BlobId, bytes: &[u8]) -> bool {
    let size = wire::body::to_json(&wire::blob::BeginBlob {
        size: bytes.len() as u64,
    });
    let Some(begun) = alice.try_with("PUT", id, &[], &size).await else {
        return false;
    };
    let mut offset = usize::try_from(begun.progress().offset).unwrap();
    while offset < bytes.len() {
        let end = bytes.len().min(offset + 40_000);
        let sent = alice.try_append(id, offset, &bytes[offset..end]).await;
        match sent {
            Some(answer) => assert_eq!(answer.progress().offset, end as u64),
            None => return false,
        }
        offset = end;
    }
    match alice.try_complete(id, &hash(bytes)).await {
        Some(answer) => answer.status == 204,
        None => false,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_outlives_kills_and_is_never_fetched_half() {
    let folder = tempfile::tempdir().unwrap();
    let data = data(&folder);
    let mut relay = Process::start(&data);
    let device = register(relay.port, &mut Person::new("alice", 1), 11).await;
    let (mut completed, mut broken) = (0, 0);
    for n in 0..6 {
        let (id, bytes) = (blob(n), bytes(2_000_000, n.into()));
        let mut round = 0;
        loop {
            let alice = Blobs::of(relay.port, &device);
            let before = alice.fetch(id, &[]).await;
            assert!(before.is(404, "blob_unknown"), "half a blob");
            let uploading = tokio::spawn({
                let bytes = bytes.clone();
                async move { go_on(&alice, id, &bytes).await }
            });
            // At all sorts of moments, also at the end; the last time it is left alone.
            if round < 4 {
                let pause = 5 + 23 * round + 7 * u64::from(n);
                tokio::time::sleep(Duration::from_millis(pause)).await;
                relay.kill();
                relay = Process::start(&data);
            }
            round += 1;
            if uploading.await.unwrap() {
                break;
            }
            broken += 1;
            // Its completion may have been stored and the answer lost.
            let now = Blobs::of(relay.port, &device);
            if now.begin(id, bytes.len()).await.progress().complete {
                break;
            }
        }
        let got = Blobs::of_nobody(relay.port).fetch(id, &[]).await;
        assert!(got.body == bytes, "{} bytes", got.body.len());
        completed += 1;
    }
    assert_eq!(completed, 6);
    assert!(broken >= 6, "only {broken} were broken off");

    // What was said to be complete is whole after a kill that follows at once.
    let alice = Blobs::of(relay.port, &device);
    let last = bytes(500_000, 99);
    alice.upload(blob(99), &last, 200_000).await;
    relay.kill();
    relay = Process::start(&data);
    let got = Blobs::of_nobody(relay.port).fetch(blob(99), &[]).await;
    assert!(got.body == last);
    relay.kill();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bytes_of_what_has_ended_are_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let data = data(&folder);
    let relay = Process::start(&data);
    let device = register(relay.port, &mut Person::new("alice", 1), 11).await;
    let alice = Blobs::of(relay.port, &device);
    for n in 0..3 {
        alice.upload(blob(n), &bytes(1000, 1), 1000).await;
    }
    alice.end(blob(0)).await;
    // As if the relay had been killed after deleting the bytes and before forgetting the row.
    alice.end(blob(1)).await;
    std::fs::remove_file(file(&data, blob(1))).unwrap();
    assert!(file(&data, blob(0)).exists());
    relay.kill();
    let relay = Process::start(&data);
    soon(async || !file(&data, blob(0)).exists()).await;
    assert!(file(&data, blob(2)).exists());
    let alice = Blobs::of(relay.port, &device);
    // The names are free again once the rows are gone.
    for n in [0, 1] {
        soon(async || alice.begin(blob(n), 1000).await.status == 200).await;
    }
    assert_eq!(alice.fetch(blob(2), &[]).await.status, 200);
    relay.kill();
}

/// Most memory a process has ever had, in KiB.
#[cfg(target_os = "linux")]
fn peak_kib(relay: &Process) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", relay.child.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.unwrap().trim().trim_end_matches("kB").trim();
    number.parse().unwrap()
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_large_blob_is_never_in_memory_whole() {
    let folder = tempfile::tempdir().unwrap();
    let relay = Process::start(&data(&folder));
    let device = register(relay.port, &mut Person::new("alice", 1), 11).await;
    let alice = Blobs::of(relay.port, &device);
    let small = bytes(1_000_000, 1);
    alice.upload(blob(1), &small, 1_000_000).await;
    assert!(alice.fetch(blob(1), &[]).await.body == small);
    let before = peak_kib(&relay);
    let large = bytes(48 * 1024 * 1024, 2);
    alice.upload(blob(2), &large, 8 * 1024 * 1024).await;
    assert!(alice.fetch(blob(2), &[]).await.body == large);
    let grown = peak_kib(&relay) - before;
    assert!(grown < 8 * 1024, "{grown} KiB for 48 MiB");
    relay.kill();
}
