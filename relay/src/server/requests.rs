//! One request of a client, from frame to answer.
//!
//! Jobs are queued before the returned future is first polled, so what a socket asks in order is
//! stored in order, though the answers may overtake each other.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};
use wire::fence::Fence;
use wire::{Endpoint, Request, Response};

use super::hub::Handover;
use super::state::App;
use crate::core::{Answer, Asked, Caller, Failure, Way, rendezvous, way};
use crate::database::{Unavailable, Verdict};
use crate::limits::WAIT_S_MAX;

pub(super) type Pending = Pin<Box<dyn Future<Output = Response> + Send>>;

/// What a request asks, if there is such an endpoint.
pub(super) fn parse(request: Request, caller: Option<Caller>) -> Option<Asked> {
    let endpoint = Endpoint::parse(&request.verb, &request.path)?;
    let authorization = request.header("authorization").map(str::to_owned);
    let query = request.path.split_once('?').map_or("", |(_, query)| query);
    Some(Asked {
        endpoint,
        query: query.to_owned(),
        authorization,
        body: request.body,
        caller,
    })
}

/// Whether the answer may be held back.
pub(super) fn is_long_poll(endpoint: &Endpoint) -> bool {
    way(endpoint) == Way::Watch || matches!(endpoint, Endpoint::WaitForLinkedDevice { .. })
}

/// The sign-in that a request to the fence is about.
pub(super) fn sign_in(asked: &Asked) -> Option<u64> {
    let is_fence = asked.endpoint == Endpoint::Fence;
    let fence = is_fence.then(|| wire::body::from_json::<Fence>(&asked.body));
    Some(fence?.ok()?.sign_ins)
}

pub(super) fn answer(app: &App, id: u64, asked: Asked) -> Pending {
    match way(&asked.endpoint) {
        Way::Plain => {
            let answer = app.core.plain(&asked.endpoint);
            Box::pin(async move { response(id, answer) })
        }
        Way::Read => {
            let reading = read(app, asked);
            Box::pin(async move { response(id, settled(reading.await)) })
        }
        Way::Write => {
            let writing = write(app, asked);
            Box::pin(async move { response(id, settled(writing.await)) })
        }
        Way::Watch => {
            let app = Arc::clone(app);
            Box::pin(async move { response(id, watch(&app, asked).await) })
        }
        Way::Sockets => {
            let app = Arc::clone(app);
            Box::pin(async move { response(id, between_sockets(&app, asked).await) })
        }
    }
}

type Outcome = Result<Answer, Unavailable>;

fn read(app: &App, asked: Asked) -> impl Future<Output = Outcome> + Send + use<> {
    let shared = Arc::clone(app);
    let reading = app
        .database
        .read(move |tx| match shared.core.read(tx, &asked) {
            Ok(answer) | Err(Failure::Refused(answer)) => Ok(answer),
            Err(Failure::Store(error)) => {
                tracing::error!(%error, "a read failed");
                Err(Unavailable)
            }
        });
    async move { reading.await? }
}

fn write(app: &App, asked: Asked) -> impl Future<Output = Outcome> + Send + use<> {
    let shared = Arc::clone(app);
    app.database
        .write(move |moment| match shared.core.write(moment, &asked) {
            Ok(mut answer) => {
                let effects = std::mem::take(&mut answer.effects);
                Ok((Verdict::Keep, answer, effects))
            }
            Err(Failure::Refused(answer)) => Ok((Verdict::TakeBack, answer, Vec::new())),
            Err(Failure::Store(error)) => Err(error),
        })
}

fn settled(outcome: Outcome) -> Answer {
    outcome.unwrap_or_else(|Unavailable| Answer {
        retry_after_s: Some(1),
        ..Answer::empty(503)
    })
}

async fn between_sockets(app: &App, asked: Asked) -> Answer {
    let handover = |address: &str, what| {
        let status = if app.hub.hand_over(address, what) {
            204
        } else {
            404
        };
        Answer::empty(status)
    };
    match asked.endpoint.clone() {
        Endpoint::Provision { address } => {
            let checked = settled(read(app, asked).await);
            if checked.status == 200 {
                handover(&address, Handover::Envelope(checked.body))
            } else {
                checked
            }
        }
        Endpoint::DeclineProvision { address } => {
            let checked = settled(read(app, asked).await);
            if checked.status == 200 {
                handover(&address, Handover::Declined)
            } else {
                checked
            }
        }
        Endpoint::WaitForLinkedDevice {
            token_identifier,
            timeout_s,
        } => {
            let timeout = Duration::from_secs(timeout_s.into());
            wait_for_linked(app, asked, &token_identifier, timeout).await
        }
        Endpoint::Capabilities
        | Endpoint::Register
        | Endpoint::WhoAmI
        | Endpoint::AccountByHandle(_)
        | Endpoint::Account(_)
        | Endpoint::DeviceList(_)
        | Endpoint::PutDeviceList
        | Endpoint::LinkToken
        | Endpoint::Rendezvous(_)
        | Endpoint::LinkDevice
        | Endpoint::Devices
        | Endpoint::RemoveDevice(_)
        | Endpoint::DeleteAccount
        | Endpoint::Fence
        | Endpoint::Recovery(_)
        | Endpoint::DeviceCapabilities
        | Endpoint::PutKeys
        | Endpoint::PutPhoneKeys
        | Endpoint::KeyCounts
        | Endpoint::Keys { .. }
        | Endpoint::Messages(_)
        | Endpoint::Bundles
        | Endpoint::KeepAlive
        | Endpoint::KeepAliveProvisioning => Answer::empty(500),
    }
}

/// Asks until the answer is another one than 204, or the time is over.
async fn watch(app: &App, asked: Asked) -> Answer {
    let timeout = rendezvous::timeout_s(&asked).min(WAIT_S_MAX);
    let end = Instant::now() + Duration::from_secs(timeout.into());
    let notify = app
        .hub
        .linked(&rendezvous::watched(&asked).unwrap_or_default());
    loop {
        // Before the look, so that nothing between look and wait is missed.
        let mut changed = std::pin::pin!(notify.notified());
        changed.as_mut().enable();
        let answer = settled(write(app, asked.clone()).await);
        if answer.status != 204 || timeout_at(end, changed).await.is_err() {
            return answer;
        }
    }
}

async fn wait_for_linked(
    app: &App,
    asked: Asked,
    token_identifier: &str,
    timeout: Duration,
) -> Answer {
    let notify = app.hub.linked(token_identifier);
    // Before the first look, so that a link between look and wait is not missed.
    let mut linked = std::pin::pin!(notify.notified());
    linked.as_mut().enable();
    let first = settled(read(app, asked.clone()).await);
    if first.status != 204 || tokio::time::timeout(timeout, linked).await.is_err() {
        return first;
    }
    settled(read(app, asked).await)
}

pub(super) fn response(id: u64, answer: Answer) -> Response {
    let Answer {
        status,
        kind,
        retry_after_s,
        body,
        effects: _,
    } = answer;
    let mut headers = Vec::new();
    if let Some(value) = kind.content_type() {
        headers.push(("content-type".to_owned(), value.to_owned()));
    }
    if let Some(seconds) = retry_after_s {
        headers.push(("retry-after".to_owned(), seconds.to_string()));
    }
    Response {
        id,
        status,
        headers,
        body,
    }
}
