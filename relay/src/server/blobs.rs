//! Blobs over HTTP: uploads that go on where they stopped, and downloads.
//!
//! ```text
//!   PUT begin --> PATCH bytes --> PATCH ... --> POST complete: hash, fsync, row  --> GET
//!                   any of these may be lost and asked again
//! ```
//!
//! How far an upload is, is the length of its bytes; that it is complete, is its row, which is written last. So a
//! crash at any moment leaves an upload that goes on, or a blob that is whole. No more than a piece of a blob is in memory.
//! Who may do what is in `core::blobs`.

mod fetch;
mod places;
mod reply;
mod turns;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, BodyDataStream, Bytes};
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, header};
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use axum::routing::get;
use futures_util::StreamExt as _;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use wire::BlobId;
use wire::blob::{BLOBS_PATH, BeginBlob, BlobProgress, CompleteBlob, UPLOAD_OFFSET};
use wire::body::from_json;
use wire::limits::BLOB_SLICE_MAX;

use self::places::Places;
use self::reply::{Refused, refused};
use self::turns::{Turn, Turns};
use super::state::App;
use crate::blobs::BlobBytes;
use crate::core::{Caller, Failure, Moment, auth, blobs};
use crate::database::{Unavailable, Verdict, now};
use crate::limits::{
    BLOB_BODY_MAX, BLOB_PIECE, BLOB_STALLED_S, COMPLETIONS_OPEN_MAX, DOWNLOADS_OPEN_MAX,
};
use crate::store::Read;

/// What all requests about blobs share.
#[derive(Debug)]
pub(super) struct Blobs {
    bytes: Arc<dyn BlobBytes>,
    turns: Turns,
    places: Places,
    downloads: Arc<Semaphore>,
    completions: Semaphore,
}

impl Blobs {
    pub(super) fn new(bytes: Arc<dyn BlobBytes>) -> Self {
        Self {
            bytes,
            turns: Turns::default(),
            places: Places::default(),
            downloads: Arc::new(Semaphore::new(DOWNLOADS_OPEN_MAX)),
            completions: Semaphore::new(COMPLETIONS_OPEN_MAX),
        }
    }
}

pub(super) fn router(app: &App) -> Router<App> {
    let methods = get(fetch::fetch)
        .put(begin)
        .patch(append)
        .post(complete)
        .delete(end);
    Router::new()
        .route(&format!("{BLOBS_PATH}{{id}}"), methods)
        .layer(DefaultBodyLimit::max(BLOB_BODY_MAX))
        .layer(from_fn_with_state(Arc::clone(app), reply::to_pages))
}

/// Deletes some of what has ended: the bytes first, so that none stay behind. Gives whether there may be more.
pub(super) async fn sweep(app: &App) -> bool {
    let Ok(ended) = read(app, |tx| Ok(blobs::ended(tx, now())?)).await else {
        return false;
    };
    let mut deleted = Vec::new();
    for id in ended {
        // Whoever writes to it now loses its turn, and is told afterwards that there is no such upload.
        let Some(_turn) = app.blobs.turns.take(id).await else {
            continue;
        };
        match app.blobs.bytes.delete(id).await {
            Ok(()) => deleted.push(id),
            Err(error) => tracing::error!(%error, "a blob could not be deleted"),
        }
    }
    let more = deleted.len() == crate::limits::SWEEP_ROWS_MAX;
    let forget = move |moment: &mut Moment<'_>| Ok(blobs::forget(moment.tx, &deleted)?);
    write(app, forget).await.is_ok() && more
}

async fn begin(
    State(app): State<App>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    reply::json(begun(&app, &id, &headers, &body).await)
}

async fn begun(
    app: &App,
    id: &str,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<BlobProgress, Refused> {
    let caller = who(app, headers).await?;
    let id = named(id)?;
    let BeginBlob { size } = from_json(body).map_err(|_| refused(422, ""))?;
    // An older request that still hangs writes no more once this is answered.
    let _turn = app.blobs.turns.take(id).await.ok_or_else(overtaken)?;
    let row = write(app, move |moment| blobs::begin(moment, caller, id, size)).await?;
    Ok(BlobProgress {
        offset: length(app, id).await?,
        complete: row.sha256.is_some(),
    })
}

async fn append(
    State(app): State<App>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let mut body = body.into_data_stream();
    let appended = appended(&app, &id, &headers, &mut body).await;
    if appended.is_err() {
        // A browser that is cut off while it still sends never sees the answer.
        let rest = async { while let Some(Ok(_)) = body.next().await {} };
        drop(timeout(Duration::from_secs(BLOB_STALLED_S), rest).await);
    }
    reply::json(appended)
}

async fn appended(
    app: &App,
    id: &str,
    headers: &HeaderMap,
    body: &mut BodyDataStream,
) -> Result<BlobProgress, Refused> {
    let caller = who(app, headers).await?;
    let id = named(id)?;
    let offset = number(headers, UPLOAD_OFFSET).ok_or_else(|| refused(422, ""))?;
    let count = number(headers, header::CONTENT_LENGTH.as_str()).ok_or_else(|| refused(411, ""))?;
    let _place = app.blobs.places.enter(caller.address.account)?;
    let mut turn = app.blobs.turns.take(id).await.ok_or_else(overtaken)?;
    let row = read(app, move |tx| blobs::own(tx, caller, id, now())).await?;
    let end = offset.saturating_add(count);
    if count > BLOB_SLICE_MAX || end > row.size {
        return Err(refused(413, "blob_too_large"));
    }
    if row.sha256.is_some() {
        return Err(refused(409, "blob_complete"));
    }
    if length(app, id).await? != offset {
        return Err(overtaken());
    }
    write_down(app, id, offset, body, &mut turn).await?;
    Ok(BlobProgress {
        offset: end,
        complete: false,
    })
}

/// Writes what comes, a piece at a time. What was written before it broke off stays, and need not come again.
async fn write_down(
    app: &App,
    id: BlobId,
    mut at: u64,
    body: &mut BodyDataStream,
    turn: &mut Turn,
) -> Result<(), Refused> {
    let mut piece = Vec::new();
    let outcome = loop {
        let next = tokio::select! {
            next = timeout(Duration::from_secs(BLOB_STALLED_S), body.next()) => next,
            () = turn.passed() => break Err(overtaken()),
        };
        match next {
            Ok(Some(Ok(bytes))) => piece.extend_from_slice(&bytes),
            Ok(None) => break Ok(()),
            Ok(Some(Err(_))) | Err(_) => break Err(refused(408, "")),
        }
        if piece.len() >= BLOB_PIECE {
            let full = std::mem::take(&mut piece);
            at += put(app, id, at, full).await?;
        }
    };
    if !piece.is_empty() {
        put(app, id, at, piece).await?;
    }
    outcome
}

async fn put(app: &App, id: BlobId, at: u64, piece: Vec<u8>) -> Result<u64, Refused> {
    let count = piece.len() as u64;
    let put = app.blobs.bytes.append(id, at, piece).await;
    put.map(|()| count).map_err(|error| reply::on_disk(&error))
}

async fn complete(
    State(app): State<App>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    reply::answer(completed(&app, &id, &headers, &body).await)
}

async fn completed(
    app: &App,
    id: &str,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<crate::core::Answer, Refused> {
    let caller = who(app, headers).await?;
    let id = named(id)?;
    let CompleteBlob { sha256 } = from_json(body).map_err(|_| refused(422, ""))?;
    let declared: [u8; 32] = sha256.0.try_into().map_err(|_| refused(422, ""))?;
    let _turn = app.blobs.turns.take(id).await.ok_or_else(overtaken)?;
    let row = read(app, move |tx| blobs::own(tx, caller, id, now())).await?;
    if row.sha256.is_none() {
        if length(app, id).await? != row.size {
            return Err(refused(409, "blob_incomplete"));
        }
        let _place = app.blobs.completions.acquire().await;
        let found = app
            .blobs
            .bytes
            .settle(id)
            .await
            .map_err(|error| reply::on_disk(&error))?;
        if found != declared {
            // Which of its bytes are wrong nobody can tell.
            write(app, move |moment| blobs::end(moment, caller, id)).await?;
            return Err(refused(422, "blob_digest"));
        }
    }
    write(app, move |moment| {
        blobs::complete(moment, caller, id, declared)
    })
    .await
}

async fn end(State(app): State<App>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    let ended = async {
        let caller = who(&app, &headers).await?;
        let id = named(&id)?;
        write(&app, move |moment| blobs::end(moment, caller, id)).await
    };
    reply::answer(ended.await)
}

async fn who(app: &App, headers: &HeaderMap) -> Result<Caller, Refused> {
    let value = headers.get(header::AUTHORIZATION);
    let value = value.and_then(|value| value.to_str().ok());
    let value = value.ok_or_else(|| refused(401, ""))?.to_owned();
    read(app, move |tx| auth::authenticate(tx, &value)).await
}

fn named(text: &str) -> Result<BlobId, Refused> {
    text.parse().map_err(|_| refused(404, "blob_unknown"))
}

/// Where the upload is, is not where the client thinks; it asks and goes on from there.
fn overtaken() -> Refused {
    refused(409, "blob_offset")
}

fn number(headers: &HeaderMap, name: &str) -> Option<u64> {
    headers.get(name)?.to_str().ok()?.parse().ok()
}

async fn length(app: &App, id: BlobId) -> Result<u64, Refused> {
    app.blobs
        .bytes
        .length(id)
        .await
        .map_err(|error| reply::on_disk(&error))
}

async fn read<T: Send + 'static>(
    app: &App,
    job: impl FnOnce(&mut dyn Read) -> Result<T, Failure> + Send + 'static,
) -> Result<T, Refused> {
    let job = move |tx: &mut dyn Read| job(tx).map_err(reply::failed);
    match app.database.read(job).await {
        Ok(outcome) => outcome,
        Err(Unavailable) => Err(reply::unavailable()),
    }
}

/// A refusal takes back what was written.
async fn write<T: Send + 'static>(
    app: &App,
    job: impl FnOnce(&mut Moment<'_>) -> Result<T, Failure> + Send + 'static,
) -> Result<T, Refused> {
    let job = move |moment: &mut Moment<'_>| match job(moment) {
        Ok(value) => Ok((Verdict::Keep, Ok(value), Vec::new())),
        Err(Failure::Refused(answer)) => Ok((Verdict::TakeBack, Err(answer.into()), Vec::new())),
        Err(Failure::Store(error)) => Err(error),
    };
    match app.database.write(job).await {
        Ok(outcome) => outcome,
        Err(Unavailable) => Err(reply::unavailable()),
    }
}
