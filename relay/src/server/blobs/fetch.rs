//! Downloads, whole or from where one stopped.
//!
//! A task reads a piece ahead and gives up on a client that takes nothing. Whether a blob may be fetched is in `core::blobs`.

use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::mpsc::{Sender, channel};
use wire::BlobId;

use super::reply::{self, Refused, refused};
use super::{length, named, read};
use crate::core::blobs;
use crate::database::now;
use crate::limits::{BLOB_PIECE, BLOB_STALLED_S};
use crate::server::state::App;

pub(super) async fn fetch(
    State(app): State<App>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    match fetched(&app, &id, &headers).await {
        Ok(response) => response,
        Err(refused) => refused.into_response(),
    }
}

async fn fetched(app: &App, id: &str, headers: &HeaderMap) -> Result<Response, Refused> {
    let id = named(id)?;
    let size = read(app, move |tx| blobs::fetched(tx, id, now())).await?;
    let permit = Arc::clone(&app.blobs.downloads).try_acquire_owned();
    let permit = permit.map_err(|_| reply::busy(503))?;
    if length(app, id).await? != size {
        tracing::error!("a blob has a row and not its bytes");
        return Err(refused(404, "blob_unknown"));
    }
    let asked = headers.get(header::RANGE).and_then(|v| v.to_str().ok());
    let (status, range) = match asked.map_or(Asked::All, |text| parse(text, size)) {
        Asked::All => (StatusCode::OK, 0..size),
        Asked::Part(range) => (StatusCode::PARTIAL_CONTENT, range),
        Asked::Nothing => return Ok(beyond(size)),
    };
    let count = range.end - range.start;
    let part = format!("bytes {}-{}/{size}", range.start, range.end - 1);
    let mut response = (status, send(app, id, range, permit)).into_response();
    let headers = response.headers_mut();
    let octets = HeaderValue::from_static("application/octet-stream");
    headers.insert(header::CONTENT_TYPE, octets);
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(header::CONTENT_LENGTH, count.into());
    if status == StatusCode::PARTIAL_CONTENT {
        insert_range(&mut response, &part);
    }
    Ok(response)
}

fn beyond(size: u64) -> Response {
    let mut response = StatusCode::RANGE_NOT_SATISFIABLE.into_response();
    insert_range(&mut response, &format!("bytes */{size}"));
    response
}

fn insert_range(response: &mut Response, text: &str) {
    if let Ok(value) = HeaderValue::from_str(text) {
        response.headers_mut().insert(header::CONTENT_RANGE, value);
    }
}

/// What of a blob is asked for.
#[derive(Debug, PartialEq, Eq)]
enum Asked {
    /// No range, or one that is not understood, which HTTP has us ignore.
    All,
    Part(Range<u64>),
    /// A range with no byte in it.
    Nothing,
}

/// One range: `bytes=a-b`, `bytes=a-` or `bytes=-n`. Of several, all is sent.
fn parse(header: &str, size: u64) -> Asked {
    let Some((first, last)) = header
        .strip_prefix("bytes=")
        .and_then(|range| range.split_once('-'))
    else {
        return Asked::All;
    };
    let signed = first.starts_with('+') || last.starts_with('+');
    let range = match (first.parse::<u64>(), last.parse::<u64>()) {
        _ if signed => return Asked::All,
        (Ok(first), Ok(last)) if first <= last => first..size.min(last.saturating_add(1)),
        (Ok(first), Err(_)) if last.is_empty() => first..size,
        (Err(_), Ok(count)) if first.is_empty() => size.saturating_sub(count)..size,
        (Ok(_) | Err(_), Ok(_) | Err(_)) => return Asked::All,
    };
    if range.is_empty() {
        return Asked::Nothing;
    }
    Asked::Part(range)
}

fn send(app: &App, id: BlobId, range: Range<u64>, permit: OwnedSemaphorePermit) -> Body {
    let (sender, mut receiver) = channel(1);
    let app = Arc::clone(app);
    tokio::spawn(async move {
        read_out(&app, id, range, &sender).await;
        drop(permit);
    });
    let pieces = futures_util::stream::poll_fn(move |context| receiver.poll_recv(context));
    Body::from_stream(pieces)
}

/// Ends early if nobody takes it: the answer is then shorter than it said, and its connection is cut.
async fn read_out(app: &App, id: BlobId, range: Range<u64>, to: &Sender<io::Result<Bytes>>) {
    let Range { mut start, end } = range;
    while start < end {
        let left = usize::try_from(end - start).unwrap_or(BLOB_PIECE);
        let count = left.min(BLOB_PIECE);
        let piece = app.blobs.bytes.read(id, start, count).await;
        let failed = piece.is_err();
        if let Err(error) = &piece {
            tracing::error!(%error, "the bytes of a blob could not be read");
        }
        let limit = Duration::from_secs(BLOB_STALLED_S);
        let sent = to.send_timeout(piece.map(Bytes::from), limit).await;
        if failed || sent.is_err() {
            return;
        }
        start += count as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_one_part_of_what_is_there() {
        for (text, part) in [
            ("bytes=0-0", 0..1),
            ("bytes=10-19", 10..20),
            ("bytes=10-", 10..100),
            ("bytes=99-99", 99..100),
            ("bytes=10-1000", 10..100),
            ("bytes=0-18446744073709551615", 0..100),
            ("bytes=-1", 99..100),
            ("bytes=-1000", 0..100),
        ] {
            assert_eq!(parse(text, 100), Asked::Part(part), "{text}");
        }
    }

    #[test]
    fn a_range_behind_the_end_has_nothing_in_it() {
        for text in ["bytes=100-", "bytes=100-200", "bytes=-0"] {
            assert_eq!(parse(text, 100), Asked::Nothing, "{text}");
        }
    }

    #[test]
    fn what_is_no_single_range_is_ignored() {
        for text in [
            "",
            "bytes",
            "bytes=",
            "bytes=-",
            "bytes=a-b",
            "bytes=5-4",
            "bytes=0-1,5-6",
            "bytes= 0-1",
            "bytes=+0-1",
            "lines=0-1",
            "bytes=0-99999999999999999999999",
        ] {
            assert_eq!(parse(text, 100), Asked::All, "{text}");
        }
    }
}
