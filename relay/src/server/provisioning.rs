//! The socket on which a new device waits to be linked.
//!
//! ```text
//!   open --PUT /v1/address--> waits --PUT /v1/message or /v1/declined--> answered --> closed 1000
//! ```
//!
//! The relay sees an address of its own making and an envelope it can't open. An address is good for one
//! handover, and the socket for 90 s.

use std::time::Duration;

use axum::extract::State;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response as HttpResponse};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt as _, StreamExt as _};
use prost::Message as _;
use rand::RngCore as _;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};
use wire::proto::provisioning::ProvisioningAddress;
use wire::{Endpoint, Frame, RelayRequest, Request, Response};

use super::hub::{Handover, Place};
use super::socket::{configured, farewell};
use super::state::App;
use crate::database::now;
use crate::limits::{CLOSE_S, FRAME_UNAUTHENTICATED_MAX, PROVISIONING_IDLE_S, PROVISIONING_LIFE_S};

/// `GET /v1/websocket/provisioning/`.
pub(super) async fn upgrade(
    State(app): State<App>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> HttpResponse {
    if !app.origins.allows(&headers) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let Some(place) = app.hub.enter() else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let address = random_address();
    let Some(handover) = app.hub.wait_at(&address) else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let waiting = Waiting {
        app,
        place,
        address,
    };
    configured(upgrade)
        .max_message_size(FRAME_UNAUTHENTICATED_MAX)
        .on_upgrade(move |socket| waiting.run(socket, handover))
}

fn random_address() -> String {
    let mut bytes = [0; 16];
    rand::rng().fill_bytes(&mut bytes);
    URL_SAFE.encode(bytes)
}

struct Waiting {
    app: App,
    place: Place,
    address: String,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.app.hub.leave_address(&self.address);
    }
}

type Sink = SplitSink<WebSocket, Message>;

/// Why it ends, as a close code; none when the connection is lost.
type End = Option<(u16, &'static str)>;

impl Waiting {
    async fn run(self, socket: WebSocket, handover: mpsc::Receiver<Handover>) {
        let (mut sink, mut stream) = socket.split();
        let end = self.serve(&mut sink, &mut stream, handover).await;
        if let Some((code, reason)) = end {
            let farewell = farewell(&mut sink, &mut stream, code, reason);
            drop(timeout(Duration::from_secs(CLOSE_S), farewell).await);
        }
    }

    async fn serve(
        &self,
        sink: &mut Sink,
        stream: &mut SplitStream<WebSocket>,
        mut handover: mpsc::Receiver<Handover>,
    ) -> End {
        let address = ProvisioningAddress {
            address: Some(self.address.clone()),
        };
        let hello = request(
            ADDRESS_ID,
            RelayRequest::ProvisioningAddress,
            address.encode_to_vec(),
        );
        send(sink, Frame::Request(hello)).await?;
        let life_end = Instant::now() + Duration::from_secs(PROVISIONING_LIFE_S);
        let mut idle_end = idle_end();
        let mut handed = false;
        loop {
            tokio::select! {
                heard = stream.next() => {
                    idle_end = self::idle_end();
                    match heard? {
                        Ok(Message::Binary(bytes)) => match Frame::decode(&bytes) {
                            Ok(Frame::Response(response)) if response.id == HANDOVER_ID && handed => {
                                return DONE;
                            }
                            Ok(Frame::Response(_)) => {}
                            Ok(Frame::Request(asked)) => {
                                send(sink, Frame::Response(answer(&asked))).await?;
                            }
                            Err(_) => return Some((1007, "not a frame")),
                        },
                        Ok(Message::Ping(_) | Message::Pong(_)) => {}
                        Ok(Message::Text(_)) => return Some((1003, "binary frames only")),
                        Ok(Message::Close(_)) | Err(_) => return None,
                    }
                }
                Some(what) = handover.recv(), if !handed => {
                    handed = true;
                    let (what, body) = match what {
                        Handover::Envelope(bytes) => (RelayRequest::ProvisioningEnvelope, bytes),
                        Handover::Declined => (RelayRequest::ProvisioningDeclined, Vec::new()),
                    };
                    send(sink, Frame::Request(request(HANDOVER_ID, what, body))).await?;
                }
                () = self.place.signals().changed() => {
                    if self.place.signals().closing().is_some() {
                        return Some((1012, "restarting"));
                    }
                }
                () = sleep_until(life_end.min(idle_end)) => return Some((1000, "Timeout")),
            }
        }
    }
}

fn idle_end() -> Instant {
    Instant::now() + Duration::from_secs(PROVISIONING_IDLE_S)
}

async fn send(sink: &mut Sink, frame: Frame) -> Option<()> {
    let sending = sink.send(Message::Binary(frame.encode().into()));
    let limit = Duration::from_secs(PROVISIONING_IDLE_S);
    timeout(limit, sending).await.ok()?.ok()
}

/// On this socket there is nothing to ask but for a sign of life.
fn answer(request: &Request) -> Response {
    let known = Endpoint::parse(&request.verb, &request.path);
    let status = if known == Some(Endpoint::KeepAliveProvisioning) {
        200
    } else {
        404
    };
    Response::empty(request.id, status)
}

fn request(id: u64, what: RelayRequest, body: Vec<u8>) -> Request {
    Request {
        id,
        verb: "PUT".to_owned(),
        path: what.path().to_owned(),
        headers: vec![("x-signal-timestamp".to_owned(), now().to_string())],
        body,
    }
}

const ADDRESS_ID: u64 = 1;
const HANDOVER_ID: u64 = 2;
const DONE: End = Some((1000, "done"));
