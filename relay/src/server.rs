//! The server: one port for sockets, health and pages. It carries bytes and effects, and has no rules.
//! What it sends has been committed.

mod blobs;
mod hub;
mod origin;
mod pages;
mod provisioning;
mod requests;
mod socket;
mod state;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use wire::endpoint::{PROVISIONING_SOCKET_PATH, SOCKET_PATH};

use self::hub::Hub;
use self::state::{App, State};
use crate::blobs::Files;
use crate::config::Config;
use crate::core::quota::Quota;
use crate::core::{Moment, mailbox};
use crate::database::{Database, Verdict};
use crate::limits::{CLOSE_S, SWEEP_EVERY_S};

/// A running relay.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    app: App,
    stop: watch::Sender<bool>,
    serving: JoinHandle<()>,
    sweeping: JoinHandle<()>,
}

impl Server {
    /// Opens the database and listens.
    ///
    /// # Errors
    /// A sentence to print.
    pub async fn start(config: &Config) -> Result<Self, String> {
        let core = config.core()?;
        let quota = if config.dev {
            Quota::dev()
        } else {
            Quota::new()
        };
        make_private_file(&config.data)?;
        let hub = Arc::new(Hub::default());
        let database = Database::open(&config.data, quota, Arc::clone(&hub) as _)
            .map_err(|error| format!("{}: {error}", config.data.display()))?;
        let listener = TcpListener::bind(config.listen)
            .await
            .map_err(|error| format!("can't listen on {}: {error}", config.listen))?;
        let address = listener.local_addr().map_err(|error| error.to_string())?;
        let app = Arc::new(State {
            core,
            database,
            hub,
            origins: origin::Rule::new(config),
            blobs: blobs::Blobs::new(Arc::new(open_blobs(config)?)),
        });
        let router = router(config, &app);
        let (stop, mut stopped) = watch::channel(false);
        let serving = tokio::spawn(async move {
            let until_stopped = async move { drop(stopped.wait_for(|stop| *stop).await) };
            let served = axum::serve(listener, router)
                .with_graceful_shutdown(until_stopped)
                .await;
            if let Err(error) = served {
                tracing::error!(%error, "the listener failed");
            }
        });
        let sweeping = tokio::spawn(sweep(Arc::clone(&app)));
        Ok(Self {
            address,
            app,
            stop,
            serving,
            sweeping,
        })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Accepts no more, closes all sockets with 1012, and returns when the last job is committed.
    pub async fn stop(self) {
        self.sweeping.abort();
        self.stop.send_replace(true);
        self.app.hub.stop();
        let limit = Duration::from_secs(CLOSE_S);
        if tokio::time::timeout(limit, self.app.hub.all_gone())
            .await
            .is_err()
        {
            tracing::warn!("some sockets did not close in time");
        }
        if tokio::time::timeout(limit, self.serving).await.is_err() {
            tracing::warn!("some connections did not close in time");
        }
        let app = self.app;
        // Joining threads blocks; nothing else is left to do here, but the runtime must not be held.
        if tokio::task::spawn_blocking(move || app.database.close())
            .await
            .is_err()
        {
            tracing::error!("the database did not close");
        }
    }
}

fn router(config: &Config, app: &App) -> Router {
    Router::new()
        .route(SOCKET_PATH, get(socket::upgrade))
        .route(PROVISIONING_SOCKET_PATH, get(provisioning::upgrade))
        .route("/health", get(state::health))
        .merge(blobs::router(app))
        .merge(pages::router(config))
        .with_state(Arc::clone(app))
}

/// Removes what has had its time, a little at a time.
async fn sweep(app: App) {
    let mut every = tokio::time::interval(Duration::from_secs(SWEEP_EVERY_S));
    loop {
        every.tick().await;
        let mut more = true;
        while more {
            let job = |moment: &mut Moment<'_>| {
                let more = mailbox::sweep(moment.tx, moment.now)?;
                Ok((Verdict::Keep, more, Vec::new()))
            };
            more = app.database.write(job).await.unwrap_or(false);
        }
        while blobs::sweep(&app).await {}
    }
}

fn open_blobs(config: &Config) -> Result<Files, String> {
    let folder = config.blobs_folder();
    Files::open(&folder).map_err(|error| format!("{} can't be used: {error}", folder.display()))
}

/// Passwords are only hashed there and envelopes only ciphertext, but it is nobody else's business.
fn make_private_file(path: &std::path::Path) -> Result<(), String> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let sentence = |error| format!("{} can't be opened: {error}", path.display());
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(sentence)?;
    }
    std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path)
        .map(drop)
        .map_err(sentence)
}
