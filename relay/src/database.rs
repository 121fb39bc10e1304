//! The store and its two threads.
//!
//! The writer takes every job that waits, runs them in one transaction with a savepoint for each, commits
//! once, and only then lets answers and effects go: one disk flush for many senders (group commit). A job
//! that fails takes back its own writes and nobody else's. The reader has a connection of its own.
//! Invariant: whoever is told that a job is done may pull the plug.

use std::fmt;
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{SystemTime, UNIX_EPOCH};

use rand::SeedableRng;
use rand::rngs::StdRng;
use tokio::sync::oneshot;

use crate::core::quota::Quota;
use crate::core::rendezvous::Rendezvous;
use crate::core::{Effect, Moment};
use crate::limits::{COMMIT_JOBS_MAX, JOBS_WAITING_MAX};
use crate::store::sqlite::SqliteStore;
use crate::store::{Read, Store, StoreError};

/// Carries effects out. Called on the writer's thread, so it must not wait.
pub trait Effects: Send + Sync {
    /// After the commit.
    fn carry_out(&self, effects: Vec<Effect>);
}

/// Whether what a job wrote stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It does.
    Keep,
    /// It is taken back.
    TakeBack,
}

/// The result could not be had: too many jobs wait, the disk failed, or the relay stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unavailable;

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the database is not available")
    }
}

impl std::error::Error for Unavailable {}

/// What is let go after the commit.
type Release = Box<dyn FnOnce() + Send>;
type WriteJob = Box<dyn FnOnce(&mut Moment<'_>) -> Result<(Verdict, Release), StoreError> + Send>;
type ReadJob = Box<dyn FnOnce(&mut dyn Read) + Send>;

/// A handle to the two threads. They end, after all jobs, when [`Database::close`] is called.
pub struct Database {
    writer: Mutex<Option<SyncSender<WriteJob>>>,
    reader: Mutex<Option<SyncSender<ReadJob>>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    effects: Arc<dyn Effects>,
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Database")
    }
}

impl Database {
    /// Opens the file and starts the threads.
    ///
    /// # Errors
    /// The file can't be opened or is of a newer relay.
    pub fn open(path: &Path, quota: Quota, effects: Arc<dyn Effects>) -> Result<Self, StoreError> {
        let store = SqliteStore::open(path)?;
        let mut reading = SqliteStore::open_for_reading(path)?;
        let (writer, write_jobs) = sync_channel(JOBS_WAITING_MAX);
        let (reader, read_jobs) = sync_channel::<ReadJob>(JOBS_WAITING_MAX);
        let threads = vec![
            std::thread::spawn(move || write_loop(store, quota, &write_jobs)),
            std::thread::spawn(move || read_jobs.iter().for_each(|job| job(&mut reading))),
        ];
        Ok(Self {
            writer: Mutex::new(Some(writer)),
            reader: Mutex::new(Some(reader)),
            threads: Mutex::new(threads),
            effects,
        })
    }

    /// Queues a job at once; what it answers comes after its commit. Effects are carried out even if
    /// nobody waits for the answer.
    pub fn write<T, J>(
        &self,
        job: J,
    ) -> impl Future<Output = Result<T, Unavailable>> + Send + use<T, J>
    where
        T: Send + 'static,
        J: FnOnce(&mut Moment<'_>) -> Result<(Verdict, T, Vec<Effect>), StoreError>
            + Send
            + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let effects = Arc::clone(&self.effects);
        let job: WriteJob = Box::new(move |moment| {
            let (verdict, value, due) = job(moment)?;
            let release: Release = Box::new(move || {
                if !due.is_empty() {
                    effects.carry_out(due);
                }
                // Whoever asked may be gone.
                drop(answer.send(value));
            });
            Ok((verdict, release))
        });
        let queued = queue(&self.writer, job);
        async move {
            queued?;
            answered.await.map_err(|_| Unavailable)
        }
    }

    /// Queues a job that sees what was committed last.
    pub fn read<T, J>(
        &self,
        job: J,
    ) -> impl Future<Output = Result<T, Unavailable>> + Send + use<T, J>
    where
        T: Send + 'static,
        J: FnOnce(&mut dyn Read) -> T + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let job: ReadJob = Box::new(move |store| drop(answer.send(job(store))));
        let queued = queue(&self.reader, job);
        async move {
            queued?;
            answered.await.map_err(|_| Unavailable)
        }
    }

    /// Takes no more jobs and waits until the last one is done.
    pub fn close(&self) {
        drop(lock(&self.writer).take());
        drop(lock(&self.reader).take());
        for thread in lock(&self.threads).drain(..) {
            if thread.join().is_err() {
                tracing::error!("a database thread has panicked");
            }
        }
    }
}

fn queue<J>(to: &Mutex<Option<SyncSender<J>>>, job: J) -> Result<(), Unavailable> {
    let guard = lock(to);
    let sender = guard.as_ref().ok_or(Unavailable)?;
    sender.try_send(job).map_err(|error| {
        match error {
            TrySendError::Full(_) => tracing::warn!("too many jobs wait for the database"),
            TrySendError::Disconnected(_) => tracing::error!("a database thread is gone"),
        }
        Unavailable
    })
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // What is inside has no state that a panic could leave half done.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn write_loop(mut store: impl Store, mut quota: Quota, jobs: &Receiver<WriteJob>) {
    let mut rng = StdRng::from_os_rng();
    let mut rendezvous = Rendezvous::default();
    while let Ok(first) = jobs.recv() {
        let batch = std::iter::once(first).chain(jobs.try_iter().take(COMMIT_JOBS_MAX - 1));
        match commit_batch(&mut store, &mut quota, &mut rendezvous, &mut rng, batch) {
            Ok(releases) => releases.into_iter().for_each(|release| release()),
            Err(error) => {
                // The jobs and their senders are dropped: everybody who waits is told.
                tracing::error!(%error, "a batch could not be committed");
                store.rollback();
            }
        }
    }
}

fn commit_batch(
    store: &mut impl Store,
    quota: &mut Quota,
    rendezvous: &mut Rendezvous,
    rng: &mut StdRng,
    jobs: impl Iterator<Item = WriteJob>,
) -> Result<Vec<Release>, StoreError> {
    store.begin()?;
    let mut releases = Vec::new();
    for job in jobs {
        store.savepoint()?;
        let result = job(&mut Moment {
            tx: store,
            now: now(),
            rng,
            quota,
            rendezvous,
        });
        match result {
            Ok((Verdict::Keep, release)) => {
                store.release()?;
                releases.push(release);
            }
            Ok((Verdict::TakeBack, release)) => {
                store.rollback_to()?;
                releases.push(release);
            }
            Err(error) => {
                tracing::error!(%error, "a job failed");
                // Fails if the error ended the whole transaction, and with it the batch.
                store.rollback_to()?;
            }
        }
    }
    store.commit()?;
    Ok(releases)
}

/// ms since 1970. A clock before that is taken for 1970.
#[must_use]
pub fn now() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
