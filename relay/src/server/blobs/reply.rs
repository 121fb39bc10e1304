//! What is answered about blobs, and which pages may read the answer.
//! A page may ask that may also open sockets here (`origin`). It has no rules of its own.

use std::io;

use axum::Json;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;

use crate::core::{Answer, BodyKind, Failure};
use crate::limits::{BLOB_BUSY_RETRY_S, PREFLIGHT_S};
use crate::server::state::App;

/// A refusal; small, since results carry it.
#[derive(Debug)]
pub(super) struct Refused(Box<Answer>);

impl Refused {
    #[cfg(test)]
    pub(super) const fn status(&self) -> u16 {
        self.0.status
    }
}

impl From<Answer> for Refused {
    fn from(answer: Answer) -> Self {
        Self(Box::new(answer))
    }
}

/// With this code, if it has one.
pub(super) fn refused(status: u16, code: &str) -> Refused {
    if code.is_empty() {
        return Answer::empty(status).into();
    }
    Answer::refusal(status, code).into()
}

/// Too many are at it already.
pub(super) fn busy(status: u16) -> Refused {
    Answer {
        retry_after_s: Some(BLOB_BUSY_RETRY_S),
        ..Answer::refusal(status, "blob_busy")
    }
    .into()
}

pub(super) fn unavailable() -> Refused {
    Answer {
        retry_after_s: Some(1),
        ..Answer::empty(503)
    }
    .into()
}

pub(super) fn failed(failure: Failure) -> Refused {
    match failure {
        Failure::Refused(answer) => answer.into(),
        Failure::Store(error) => {
            tracing::error!(%error, "a row of a blob could not be read");
            unavailable()
        }
    }
}

pub(super) fn on_disk(error: &io::Error) -> Refused {
    tracing::error!(%error, "the bytes of a blob could not be reached");
    unavailable()
}

pub(super) fn json(outcome: Result<impl Serialize, Refused>) -> Response {
    match outcome {
        Ok(value) => Json(value).into_response(),
        Err(refused) => refused.into_response(),
    }
}

pub(super) fn answer(outcome: Result<Answer, Refused>) -> Response {
    match outcome {
        Ok(answer) => Refused::from(answer).into_response(),
        Err(refused) => refused.into_response(),
    }
}

impl Refused {
    pub(super) fn into_response(self) -> Response {
        let Answer {
            status,
            kind,
            retry_after_s,
            body,
            effects: _,
        } = *self.0;
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Body::from(body)).into_response();
        let headers = response.headers_mut();
        if let Some(value) = kind.content_type() {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(value));
        } else if kind == BodyKind::Empty {
            headers.remove(header::CONTENT_TYPE);
        }
        if let Some(seconds) = retry_after_s {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

/// Refuses foreign pages, answers the question that browsers ask first, and keeps what is fetched out of caches
/// and from being taken for a page.
pub(super) async fn to_pages(State(app): State<App>, request: Request, next: Next) -> Response {
    if !app.origins.allows(request.headers()) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let origin = request.headers().get(header::ORIGIN).cloned();
    let mut response = if request.method() == Method::OPTIONS {
        let mut response = StatusCode::NO_CONTENT.into_response();
        let headers = response.headers_mut();
        for (name, value) in PREFLIGHT {
            headers.insert(name, HeaderValue::from_static(value));
        }
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, PREFLIGHT_S.into());
        response
    } else {
        next.run(request).await
    };
    let headers = response.headers_mut();
    for (name, value) in FIXED {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if let Some(origin) = origin {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    }
    response
}

const PREFLIGHT: [(HeaderName, &str); 2] = [
    (
        header::ACCESS_CONTROL_ALLOW_METHODS,
        "GET, HEAD, PUT, PATCH, POST, DELETE",
    ),
    (
        header::ACCESS_CONTROL_ALLOW_HEADERS,
        "authorization, content-type, range, upload-offset",
    ),
];

const FIXED: [(HeaderName, &str); 7] = [
    (header::VARY, "origin"),
    (header::CACHE_CONTROL, "no-store"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; sandbox",
    ),
    (header::CONTENT_DISPOSITION, "attachment"),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
    (
        header::ACCESS_CONTROL_EXPOSE_HEADERS,
        "content-range, retry-after",
    ),
];
