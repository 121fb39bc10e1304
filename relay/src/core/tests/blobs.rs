//! Blobs: who may upload how much, and when it ends.
//! The bytes are not here: `relay/tests/blobs.rs` has them.

use wire::BlobId;
use wire::limits::BLOB_MAX;

use super::*;
use crate::core::{Caller, Failure, Moment, blobs};
use crate::limits::{
    BLOB_DAY_BYTES_MAX, BLOB_KEPT_MS, BLOB_MIN_CHARGE, DAY_MS, SWEEP_ROWS_MAX, UPLOAD_KEPT_MS,
};
use crate::store::{BlobRead as _, Store as _};

const HASH: [u8; 32] = [7; 32];

fn blob(n: u8) -> BlobId {
    BlobId::from_bytes([n; 16])
}

/// The status of an answer, and the code of a refusal.
type Outcome = (u16, String);

fn is(status: u16, code: &str) -> Outcome {
    (status, code.to_owned())
}

fn outcome(answer: &Answer) -> Outcome {
    let code = from_json::<Refusal>(&answer.body).map(|refusal| refusal.code);
    (answer.status, code.unwrap_or_default())
}

impl Scene {
    /// As the server does it: a refusal takes back what was written.
    fn write(
        &mut self,
        job: impl FnOnce(&mut Moment<'_>) -> Result<Answer, Failure>,
    ) -> (Outcome, Option<u64>) {
        let Bench {
            store,
            quota,
            rng,
            now,
            core: _,
            rendezvous,
        } = &mut self.bench;
        let done = store.transaction(|tx| {
            job(&mut Moment {
                tx,
                now: *now,
                rng,
                quota,
                rendezvous,
            })
        });
        match done {
            Ok(answer) | Err(Failure::Refused(answer)) => (outcome(&answer), answer.retry_after_s),
            Err(Failure::Store(error)) => panic!("{error}"),
        }
    }

    fn begin(&mut self, by: Device, id: BlobId, size: u64) -> Outcome {
        let begun = |moment: &mut Moment<'_>| {
            blobs::begin(moment, by.caller, id, size).map(|_| Answer::empty(200))
        };
        self.write(begun).0
    }

    fn complete(&mut self, by: Device, id: BlobId, hash: [u8; 32]) -> Outcome {
        self.write(|moment| blobs::complete(moment, by.caller, id, hash))
            .0
    }

    fn end(&mut self, by: Device, id: BlobId) -> Outcome {
        self.write(|moment| blobs::end(moment, by.caller, id)).0
    }

    fn own(&mut self, by: Caller, id: BlobId) -> Outcome {
        match blobs::own(&mut self.bench.store, by, id, self.bench.now) {
            Ok(row) => (200, row.sha256.is_some().to_string()),
            Err(Failure::Refused(answer)) => outcome(&answer),
            Err(Failure::Store(error)) => panic!("{error}"),
        }
    }

    fn fetched(&mut self, id: BlobId) -> Result<u64, Outcome> {
        match blobs::fetched(&mut self.bench.store, id, self.bench.now) {
            Ok(size) => Ok(size),
            Err(Failure::Refused(answer)) => Err(outcome(&answer)),
            Err(Failure::Store(error)) => panic!("{error}"),
        }
    }

    /// As the server does it, without bytes to delete.
    fn sweep_blobs(&mut self) -> Vec<BlobId> {
        let ended = blobs::ended(&mut self.bench.store, self.bench.now).unwrap();
        self.bench.in_transaction(|tx| blobs::forget(tx, &ended));
        ended
    }
}

#[test]
fn only_a_complete_blob_is_fetched() {
    let mut scene = scene();
    let a1 = scene.a1;
    let unknown = is(404, "blob_unknown");
    assert_eq!(scene.fetched(blob(1)), Err(unknown.clone()));
    assert_eq!(scene.begin(a1, blob(1), 500).0, 200);
    assert_eq!(scene.fetched(blob(1)), Err(unknown));
    assert_eq!(scene.complete(a1, blob(1), HASH).0, 204);
    assert_eq!(scene.fetched(blob(1)), Ok(500));
}

#[test]
fn beginning_and_completing_twice_is_once() {
    let mut scene = scene();
    let a1 = scene.a1;
    let largest = BLOB_DAY_BYTES_MAX / BLOB_MAX;
    for _ in 0..2 * largest {
        assert_eq!(scene.begin(a1, blob(1), BLOB_MAX).0, 200, "charged once");
    }
    for _ in 0..2 {
        assert_eq!(scene.complete(a1, blob(1), HASH).0, 204);
    }
    let other = scene.complete(a1, blob(1), [8; 32]);
    assert_eq!(other, is(409, "blob_complete"));
    assert_eq!(scene.begin(a1, blob(1), BLOB_MAX).0, 200);
    let resized = scene.begin(a1, blob(1), BLOB_MAX - 1);
    assert_eq!(resized, is(409, "blob_taken"));
}

#[test]
fn all_devices_of_an_account_and_nobody_else_go_on_with_its_upload() {
    let mut scene = scene();
    let (a1, a2, b1) = (scene.a1, scene.a2, scene.b1);
    assert_eq!(scene.begin(a1, blob(1), 500).0, 200);
    assert_eq!(scene.begin(a2, blob(1), 500).0, 200);
    assert_eq!(scene.begin(b1, blob(1), 500), is(409, "blob_taken"));
    let unknown = is(404, "blob_unknown");
    assert_eq!(scene.own(b1.caller, blob(1)), unknown);
    assert_eq!(scene.complete(b1, blob(1), HASH), unknown);
    assert_eq!(
        scene.end(b1, blob(1)).0,
        204,
        "nothing says that it is there"
    );
    assert_eq!(scene.complete(a2, blob(1), HASH).0, 204);
    assert_eq!(scene.fetched(blob(1)), Ok(500));
}

#[test]
fn a_removed_device_uploads_no_more() {
    let mut scene = scene();
    let (a1, a2) = (scene.a1, scene.a2);
    assert_eq!(scene.begin(a2, blob(1), 500).0, 200);
    let removed = Endpoint::RemoveDevice(a2.caller.address.device);
    assert_eq!(scene.bench.ask(&a1, removed, &[]).status, 204);
    assert_eq!(scene.begin(a2, blob(2), 500).0, 401);
    assert_eq!(scene.own(a2.caller, blob(1)).0, 401);
    assert_eq!(scene.complete(a2, blob(1), HASH).0, 401);
    assert_eq!(scene.end(a2, blob(1)).0, 401);
    assert_eq!(scene.complete(a1, blob(1), HASH).0, 204);
}

#[test]
fn what_is_too_large_or_empty_is_refused() {
    let mut scene = scene();
    let a1 = scene.a1;
    assert_eq!(scene.begin(a1, blob(1), BLOB_MAX).0, 200);
    let too_large = scene.begin(a1, blob(2), BLOB_MAX + 1);
    assert_eq!(too_large, is(413, "blob_too_large"));
    assert_eq!(scene.begin(a1, blob(2), 0).0, 422);
}

#[test]
fn an_account_uploads_so_much_in_a_day_and_then_waits_for_the_next() {
    let mut scene = scene();
    let (a1, a2, b1) = (scene.a1, scene.a2, scene.b1);
    let largest = u8::try_from(BLOB_DAY_BYTES_MAX / BLOB_MAX).unwrap();
    for n in 0..largest {
        assert_eq!(scene.begin(a1, blob(n), BLOB_MAX).0, 200);
    }
    scene.bench.now += DAY_MS - 1500;
    // Ending some gives nothing back, and another device is the same account.
    assert_eq!(scene.end(a1, blob(0)).0, 204);
    let begin = |moment: &mut Moment<'_>| {
        blobs::begin(moment, a2.caller, blob(100), BLOB_MAX).map(|_| Answer::empty(200))
    };
    assert_eq!(scene.write(begin), (is(429, "blob_quota"), Some(2)));
    assert_eq!(scene.begin(b1, blob(101), BLOB_MAX).0, 200);
    scene.bench.now += 1500;
    assert_eq!(scene.begin(a2, blob(100), BLOB_MAX).0, 200);
}

#[test]
fn many_small_blobs_count_for_more_than_their_bytes() {
    let mut scene = scene();
    let a1 = scene.a1;
    let most = BLOB_DAY_BYTES_MAX / BLOB_MIN_CHARGE;
    for n in 0..most {
        let id = BlobId::from_bytes(u128::from(n).to_be_bytes());
        assert_eq!(scene.begin(a1, id, 1).0, 200);
    }
    assert_eq!(scene.begin(a1, blob(255), 1), is(429, "blob_quota"));
}

#[test]
fn an_upload_ends_after_a_day_and_a_blob_after_45() {
    let mut scene = scene();
    let a1 = scene.a1;
    scene.begin(a1, blob(1), 500);
    scene.begin(a1, blob(2), 500);
    scene.bench.now += UPLOAD_KEPT_MS - 1;
    assert_eq!(scene.complete(a1, blob(2), HASH).0, 204);
    assert_eq!(scene.sweep_blobs(), []);
    scene.bench.now += 1;
    // Nobody goes on with it, also before the sweep comes, and its name rests until then.
    assert_eq!(scene.complete(a1, blob(1), HASH), is(404, "blob_unknown"));
    assert_eq!(scene.begin(a1, blob(1), 500), is(409, "blob_taken"));
    assert_eq!(scene.sweep_blobs(), [blob(1)]);
    assert_eq!(scene.begin(a1, blob(1), 500).0, 200);

    scene.bench.now += BLOB_KEPT_MS - 2;
    assert_eq!(scene.fetched(blob(2)), Ok(500));
    scene.bench.now += 1;
    assert_eq!(scene.fetched(blob(2)), Err(is(404, "blob_unknown")));
    assert_eq!(scene.sweep_blobs().len(), 2);
    assert_eq!(scene.sweep_blobs(), []);
}

#[test]
fn a_sweep_takes_a_bounded_number() {
    let mut scene = scene();
    let a1 = scene.a1;
    for n in 0..=SWEEP_ROWS_MAX as u64 {
        scene.begin(a1, BlobId::from_bytes(u128::from(n).to_be_bytes()), 1);
    }
    scene.bench.now += UPLOAD_KEPT_MS;
    assert_eq!(scene.sweep_blobs().len(), SWEEP_ROWS_MAX);
    assert_eq!(scene.sweep_blobs().len(), 1);
}

#[test]
fn what_was_sent_outlives_its_account_and_uploads_do_not() {
    let mut scene = scene();
    let (a1, b1) = (scene.a1, scene.b1);
    scene.begin(a1, blob(1), 500);
    scene.begin(a1, blob(2), 500);
    scene.complete(a1, blob(2), HASH);
    scene.begin(b1, blob(3), 500);
    let gone = scene.bench.ask(&a1, Endpoint::DeleteAccount, &[]);
    assert_eq!(gone.status, 204);
    assert_eq!(scene.fetched(blob(2)), Ok(500));
    let row = scene.bench.store.blob(blob(2)).unwrap().unwrap();
    assert_eq!(row.owner, None, "nothing says whose it was");
    assert_eq!(scene.sweep_blobs(), [blob(1)]);
    assert_eq!(scene.complete(b1, blob(3), HASH).0, 204);
}
