//! What every connection shares, and `/health`.
//! It has no rules of its own.

use std::sync::Arc;

use axum::Json;
use axum::http::StatusCode;
use serde::Serialize;

use super::blobs::Blobs;
use super::hub::Hub;
use super::origin;
use crate::core::Core;
use crate::database::Database;

pub(super) type App = Arc<State>;

/// Of one running relay.
#[derive(Debug)]
pub(super) struct State {
    pub(super) core: Core,
    pub(super) database: Database,
    pub(super) hub: Arc<Hub>,
    pub(super) origins: origin::Rule,
    pub(super) blobs: Blobs,
}

/// Answer of `GET /health`.
#[derive(Debug, Serialize)]
pub(super) struct Health {
    version: &'static str,
    database: &'static str,
}

/// 200 if a transaction could be made durable just now, 503 if not.
pub(super) async fn health(
    axum::extract::State(app): axum::extract::State<App>,
) -> (StatusCode, Json<Health>) {
    let written = app
        .database
        .write(|_| Ok((crate::database::Verdict::Keep, (), Vec::new())))
        .await;
    let read = app.database.read(|_| ()).await;
    let (status, database) = match written.and(read) {
        Ok(()) => (StatusCode::OK, "ok"),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
    };
    let health = Health {
        version: env!("CARGO_PKG_VERSION"),
        database,
    };
    (status, Json(health))
}
