//! One socket of a client: frames in and out, requests side by side, deliveries once it said who it is.
//!
//! One task and no lock: everything that can happen is a [`Next`], taken one at a time. Back-pressure goes
//! both ways: with too many open requests or unsent answers the socket is not read from.
//! Invariant: what a peer can make this task hold is bounded by `limits`.

mod deliveries;

use std::collections::VecDeque;
use std::future::poll_fn;
use std::time::Duration;

use axum::extract::State;
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response as HttpResponse};
use futures_util::stream::{FuturesUnordered, SplitSink, SplitStream};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, timeout};
use wire::limits::FRAME_MAX;
use wire::{DecodeError, Frame, Request, Response};

use self::deliveries::Session;
use super::hub::{Closing, Place};
use super::requests;
use super::state::App;
use crate::core::mailbox::Page;
use crate::core::{Answer, Caller, Failure, auth};
use crate::database::{Unavailable, now};
use crate::limits::{
    CLOSE_S, FRAME_UNAUTHENTICATED_MAX, LONG_POLLS_OPEN_MAX, MAILBOX_LOOK_EVERY_S,
    REQUEST_BYTES_OPEN_MAX, REQUESTS_OPEN_MAX, SOCKET_IDLE_S, SOCKET_STALLED_S,
};

/// `GET /v1/websocket/`.
pub(super) async fn upgrade(
    State(app): State<App>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> HttpResponse {
    if !app.origins.allows(&headers) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let caller = match headers.get(header::AUTHORIZATION) {
        None => None,
        Some(value) => match authenticate(&app, value.to_str().unwrap_or("").to_owned()).await {
            Ok(Ok(caller)) => Some(caller),
            Ok(Err(_)) => return StatusCode::FORBIDDEN.into_response(),
            Err(Unavailable) => return StatusCode::SERVICE_UNAVAILABLE.into_response(),
        },
    };
    let Some(place) = app.hub.enter() else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    configured(upgrade).on_upgrade(move |socket| Socket::new(app, place, socket).run(caller))
}

/// Small buffers: an idle connection costs kilobytes. Frames a little too large still come in whole, to
/// be refused with the right code.
pub(super) fn configured(upgrade: WebSocketUpgrade) -> WebSocketUpgrade {
    upgrade
        .read_buffer_size(4096)
        .max_message_size(FRAME_MAX + 1024)
        .max_frame_size(FRAME_MAX + 1024)
}

async fn authenticate(app: &App, header: String) -> Result<Result<Caller, Answer>, Unavailable> {
    let found = app.database.read(move |tx| auth::authenticate(tx, &header));
    match found.await? {
        Ok(caller) => Ok(Ok(caller)),
        Err(Failure::Refused(answer)) => Ok(Err(answer)),
        Err(Failure::Store(error)) => {
            tracing::error!(%error, "a device could not be looked up");
            Err(Unavailable)
        }
    }
}

struct Socket {
    app: App,
    place: Place,
    sink: SplitSink<WebSocket, Message>,
    stream: SplitStream<WebSocket>,
    session: Option<Session>,
    /// Requests that are being answered, and a fetch from the mailbox.
    work: FuturesUnordered<Work>,
    requests: OpenRequests,
    outbox: VecDeque<Outgoing>,
    unflushed: bool,
    heard_at: Instant,
    /// Since when the peer takes nothing.
    stalled_since: Option<Instant>,
    looked_at: Instant,
    tick: Interval,
}

#[derive(Default)]
struct OpenRequests {
    count: usize,
    bytes: usize,
    long_polls: usize,
    answers_unsent: usize,
}

enum Outgoing {
    Answer(Vec<u8>),
    Delivery(Vec<u8>),
}

type Work = std::pin::Pin<Box<dyn Future<Output = Done> + Send>>;

enum Done {
    Answered {
        response: Response,
        bytes: usize,
        long_polls: usize,
        sign_in: Option<u64>,
    },
    Fetched(Result<Result<Page, Failure>, Unavailable>),
}

enum Next {
    Heard(Option<Result<Message, axum::Error>>),
    Done(Done),
    Signal,
    Writable(Result<(), axum::Error>),
    Flushed(Result<(), axum::Error>),
    Tick,
}

/// Why a socket ends: with a code, or without one when the connection is lost.
enum End {
    Close(u16, &'static str),
    Lost,
}

impl Socket {
    fn new(app: App, place: Place, socket: WebSocket) -> Self {
        let (sink, stream) = socket.split();
        let start = Instant::now();
        let mut tick = interval_at(start + TICK, TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            app,
            place,
            sink,
            stream,
            session: None,
            work: FuturesUnordered::new(),
            requests: OpenRequests::default(),
            outbox: VecDeque::new(),
            unflushed: false,
            heard_at: start,
            stalled_since: None,
            looked_at: start,
            tick,
        }
    }

    async fn run(mut self, caller: Option<Caller>) {
        if let Some(caller) = caller {
            self.begin_session(caller);
        }
        let end = loop {
            let next = self.next().await;
            if let Err(end) = self.take(next).await {
                break end;
            }
        };
        match end {
            End::Close(code, reason) => self.close(code, reason).await,
            // Lets the answer to the peer's own close frame out; fails at once if there is no peer.
            End::Lost => drop(timeout(Duration::from_secs(CLOSE_S), self.sink.close()).await),
        }
    }

    async fn next(&mut self) -> Next {
        let may_read = self.requests.has_room();
        let has_mail = !self.outbox.is_empty();
        tokio::select! {
            heard = self.stream.next(), if may_read => Next::Heard(heard),
            Some(done) = self.work.next() => Next::Done(done),
            () = self.place.signals().changed() => Next::Signal,
            next = poll_fn(|cx| if has_mail {
                self.sink.poll_ready_unpin(cx).map(Next::Writable)
            } else {
                self.sink.poll_flush_unpin(cx).map(Next::Flushed)
            }), if has_mail || self.unflushed => next,
            _ = self.tick.tick() => Next::Tick,
        }
    }

    async fn take(&mut self, next: Next) -> Result<(), End> {
        match next {
            Next::Heard(Some(Ok(message))) => self.heard(message).await,
            Next::Heard(Some(Err(_)) | None) => Err(End::Lost),
            Next::Done(Done::Answered {
                response,
                bytes,
                long_polls,
                sign_in,
            }) => {
                self.requests.count -= 1;
                self.requests.bytes -= bytes;
                self.requests.long_polls -= long_polls;
                self.agreed(sign_in.filter(|_| response.is_success()));
                self.answer(response);
                Ok(())
            }
            Next::Done(Done::Fetched(page)) => self.fetched(page),
            Next::Signal => self.signalled(),
            Next::Writable(result) => self.writable(result),
            Next::Flushed(result) => {
                self.unflushed = false;
                self.stalled_since = None;
                result.map_err(|_| End::Lost)
            }
            Next::Tick => self.tick(),
        }
    }

    async fn heard(&mut self, message: Message) -> Result<(), End> {
        self.heard_at = Instant::now();
        let bytes = match message {
            Message::Binary(bytes) => bytes,
            Message::Text(_) => return Err(End::Close(1003, "binary frames only")),
            Message::Ping(_) | Message::Pong(_) => return Ok(()),
            Message::Close(_) => return Err(End::Lost),
        };
        if self.session.is_none() && bytes.len() > FRAME_UNAUTHENTICATED_MAX {
            return Err(End::Close(1009, "too large before authentication"));
        }
        match Frame::decode(&bytes) {
            Ok(Frame::Request(request)) => self.asked(request, bytes.len()).await,
            Ok(Frame::Response(response)) => {
                if let Some(session) = &mut self.session {
                    let success = response.is_success();
                    let actions = session.delivery.answered(response.id, success, now());
                    self.carry_out(actions);
                }
                Ok(())
            }
            Err(DecodeError::TooLarge { .. }) => Err(End::Close(1009, "too large")),
            Err(
                DecodeError::Protobuf
                | DecodeError::Json
                | DecodeError::Missing { .. }
                | DecodeError::Invalid { .. },
            ) => Err(End::Close(1007, "not a frame")),
        }
    }

    async fn asked(&mut self, request: Request, bytes: usize) -> Result<(), End> {
        let id = request.id;
        let caller = self.session.as_ref().map(|session| session.caller);
        let Some(mut asked) = requests::parse(request, caller) else {
            self.answer(Response::empty(id, 404));
            return Ok(());
        };
        if caller.is_none()
            && !asked.endpoint.is_of_guest()
            && let Some(header) = asked.authorization.take()
        {
            match authenticate(&self.app, header).await {
                Ok(Ok(caller)) => {
                    self.begin_session(caller);
                    asked.caller = Some(caller);
                }
                Ok(Err(refused)) => {
                    self.answer(requests::response(id, refused));
                    return Ok(());
                }
                Err(Unavailable) => {
                    self.answer(Response::empty(id, 503));
                    return Ok(());
                }
            }
        }
        let long_polls = usize::from(requests::is_long_poll(&asked.endpoint));
        if self.requests.long_polls + long_polls > LONG_POLLS_OPEN_MAX {
            self.answer(Response::empty(id, 429));
            return Ok(());
        }
        self.requests.count += 1;
        self.requests.bytes += bytes;
        self.requests.long_polls += long_polls;
        let sign_in = requests::sign_in(&asked);
        let answer = requests::answer(&self.app, id, asked);
        self.work.push(Box::pin(async move {
            Done::Answered {
                response: answer.await,
                bytes,
                long_polls,
                sign_in,
            }
        }));
        Ok(())
    }

    fn signalled(&mut self) -> Result<(), End> {
        match self.place.signals().closing() {
            Some(Closing::Replaced) => {
                return Err(End::Close(4409, "connected elsewhere"));
            }
            Some(Closing::Removed) => return Err(REMOVED),
            Some(Closing::Stopping) => return Err(End::Close(1012, "restarting")),
            None => {}
        }
        if self.place.signals().take_wake() {
            self.look();
        }
        Ok(())
    }

    fn answer(&mut self, response: Response) {
        self.requests.answers_unsent += 1;
        let bytes = Frame::Response(response).encode();
        self.outbox.push_back(Outgoing::Answer(bytes));
    }

    fn writable(&mut self, result: Result<(), axum::Error>) -> Result<(), End> {
        result.map_err(|_| End::Lost)?;
        self.stalled_since = None;
        let bytes = match self.outbox.pop_front() {
            Some(Outgoing::Answer(bytes)) => {
                self.requests.answers_unsent -= 1;
                bytes
            }
            Some(Outgoing::Delivery(bytes)) => bytes,
            None => return Ok(()),
        };
        self.unflushed = true;
        self.sink
            .start_send_unpin(Message::Binary(bytes.into()))
            .map_err(|_| End::Lost)
    }

    fn tick(&mut self) -> Result<(), End> {
        let now = Instant::now();
        if now - self.heard_at > Duration::from_secs(SOCKET_IDLE_S) && self.requests.has_room() {
            return Err(End::Close(1001, "idle"));
        }
        if self.unflushed || !self.outbox.is_empty() {
            let since = *self.stalled_since.get_or_insert(now);
            if now - since > Duration::from_secs(SOCKET_STALLED_S) {
                return Err(End::Lost);
            }
        }
        if now - self.looked_at > Duration::from_secs(MAILBOX_LOOK_EVERY_S) {
            self.look();
        }
        Ok(())
    }

    /// What is ready goes out first. Then the peer's close is awaited: to drop a connection with unread
    /// data would make the peer's system throw the code away.
    async fn close(mut self, code: u16, reason: &'static str) {
        let farewell = async {
            for outgoing in std::mem::take(&mut self.outbox) {
                let (Outgoing::Answer(bytes) | Outgoing::Delivery(bytes)) = outgoing;
                self.sink.feed(Message::Binary(bytes.into())).await?;
            }
            farewell(&mut self.sink, &mut self.stream, code, reason).await
        };
        // A peer that is gone has no use for the code.
        drop(timeout(Duration::from_secs(CLOSE_S), farewell).await);
    }
}

/// Sends the code and reads until the peer has closed too.
pub(super) async fn farewell(
    sink: &mut SplitSink<WebSocket, Message>,
    stream: &mut SplitStream<WebSocket>,
    code: u16,
    reason: &'static str,
) -> Result<(), axum::Error> {
    let frame = CloseFrame {
        code,
        reason: Utf8Bytes::from_static(reason),
    };
    sink.send(Message::Close(Some(frame))).await?;
    while let Some(Ok(_)) = stream.next().await {}
    Ok(())
}

impl OpenRequests {
    fn has_room(&self) -> bool {
        self.count + self.answers_unsent < REQUESTS_OPEN_MAX && self.bytes < REQUEST_BYTES_OPEN_MAX
    }
}

const REMOVED: End = End::Close(4401, "this device was removed");
/// Fine enough for the timeouts, coarse enough for many idle sockets.
const TICK: Duration = Duration::from_secs(15);
