//! A relay on a real port, and a client of a few lines.
#![allow(
    dead_code,
    clippy::allow_attributes,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "each test file uses another part of this, and a test may panic"
)]

pub(crate) mod http;
pub(crate) mod person;
pub(crate) mod process;

use std::time::Duration;

use clap::Parser as _;
use futures_util::{SinkExt as _, StreamExt as _};
use relay::config::Config;
use relay::server::Server;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};
use wire::basic::Basic;
use wire::body::{DeviceCredentials, LinkToken, from_json, to_json};
use wire::bundle::{Bundle, DeviceMessage, Recipient};
use wire::endpoint::{PROVISIONING_SOCKET_PATH, SOCKET_PATH};
use wire::{
    DeviceAddress, Endpoint, EnvelopeKind, Frame, MessageId, RelayRequest, Request, Response,
};

use self::person::Person;

const PATIENCE: Duration = Duration::from_secs(20);

/// A relay in this process, on a port and a file of its own.
pub(crate) struct Relay {
    server: Server,
    _folder: tempfile::TempDir,
}

impl Relay {
    pub(crate) async fn start(arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("relay.db");
        let fixed = ["relay", "--listen", "127.0.0.1:0", "--data"];
        let data = [data.to_str().unwrap()];
        let config = Config::parse_from(fixed.iter().chain(&data).chain(arguments));
        Self {
            server: Server::start(&config).await.unwrap(),
            _folder: folder,
        }
    }

    pub(crate) async fn dev() -> Self {
        Self::start(&["--dev"]).await
    }

    pub(crate) fn port(&self) -> u16 {
        self.server.address().port()
    }

    pub(crate) async fn stop(self) {
        self.server.stop().await;
    }
}

/// Head and text of an answer, in lower case.
pub(crate) async fn http_get(port: u16, path: &str, headers: &[&str]) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let mut request =
        format!("GET {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nconnection: close\r\n");
    for header in headers {
        request += &format!("{header}\r\n");
    }
    request += "\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).to_lowercase()
}

/// One socket to the relay.
pub(crate) struct Socket {
    inner: WebSocketStream<MaybeTlsStream<TcpStream>>,
    last_id: u64,
    /// What the relay asked while an answer was awaited.
    asked: std::collections::VecDeque<Request>,
}

/// A registered or linked device.
#[derive(Clone)]
pub(crate) struct Device {
    pub(crate) address: DeviceAddress,
    pub(crate) password: String,
    pub(crate) registration_id: u32,
}

impl Device {
    pub(crate) fn header(&self) -> String {
        Basic::device(self.address, &self.password).header()
    }
}

impl Socket {
    pub(crate) async fn open(port: u16) -> Self {
        Self::open_with(port, SOCKET_PATH, &[]).await.unwrap()
    }

    pub(crate) async fn open_provisioning(port: u16) -> Self {
        let opened = Self::open_with(port, PROVISIONING_SOCKET_PATH, &[]).await;
        opened.unwrap()
    }

    /// With headers; the error is the status of the refusal.
    pub(crate) async fn open_with(
        port: u16,
        path: &str,
        headers: &[(&str, &str)],
    ) -> Result<Self, u16> {
        let mut request = format!("ws://127.0.0.1:{port}{path}")
            .into_client_request()
            .unwrap();
        for (name, value) in headers {
            let name: axum::http::HeaderName = name.parse().unwrap();
            request.headers_mut().insert(name, value.parse().unwrap());
        }
        match tokio_tungstenite::connect_async(request).await {
            Ok((inner, _)) => Ok(Self {
                inner,
                last_id: 0,
                asked: Default::default(),
            }),
            Err(tokio_tungstenite::tungstenite::Error::Http(response)) => {
                Err(response.status().as_u16())
            }
            Err(error) => panic!("{error}"),
        }
    }

    /// An authenticated socket.
    pub(crate) async fn login(port: u16, device: &Device) -> Self {
        let mut socket = Self::open(port).await;
        let authorization = device.header();
        let answer = socket
            .ask_with(Endpoint::WhoAmI, &[], Some(&authorization))
            .await;
        assert_eq!(answer.status, 200);
        socket
    }

    pub(crate) async fn send(&mut self, frame: Frame) {
        self.send_bytes(frame.encode()).await;
    }

    pub(crate) async fn send_bytes(&mut self, bytes: Vec<u8>) {
        self.inner
            .send(Message::Binary(bytes.into()))
            .await
            .unwrap();
    }

    /// False if the relay has closed.
    pub(crate) async fn try_bytes(&mut self, bytes: Vec<u8>) -> bool {
        self.inner.send(Message::Binary(bytes.into())).await.is_ok()
    }

    /// Any verb and path, without a body.
    pub(crate) async fn send_request(&mut self, verb: &str, path: &str) -> u64 {
        self.last_id += 1;
        let request = Request {
            id: self.last_id,
            verb: verb.to_owned(),
            path: path.to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
        };
        self.send(Frame::Request(request)).await;
        self.last_id
    }

    /// None if the relay is gone.
    pub(crate) async fn try_request(&mut self, endpoint: &Endpoint, body: &[u8]) -> Option<u64> {
        self.last_id += 1;
        let request = Request {
            id: self.last_id,
            verb: endpoint.verb().to_owned(),
            path: endpoint.to_string(),
            headers: Vec::new(),
            body: body.to_vec(),
        };
        let message = Message::Binary(Frame::Request(request).encode().into());
        self.inner.send(message).await.ok()?;
        Some(self.last_id)
    }

    /// The ids of the next answers.
    pub(crate) async fn responses(&mut self, count: usize) -> Vec<u64> {
        let mut ids = Vec::new();
        while ids.len() < count {
            match self.frame().await.expect("the socket closed") {
                Frame::Response(response) => ids.push(response.id),
                Frame::Request(request) => self.asked.push_back(request),
            }
        }
        ids
    }

    pub(crate) async fn send_text(&mut self, text: &str) {
        self.inner.send(Message::Text(text.into())).await.unwrap();
    }

    pub(crate) async fn request(
        &mut self,
        endpoint: &Endpoint,
        body: &[u8],
        authorization: Option<&str>,
    ) -> u64 {
        self.last_id += 1;
        let header = |value: &str| ("authorization".to_owned(), value.to_owned());
        let request = Request {
            id: self.last_id,
            verb: endpoint.verb().to_owned(),
            path: endpoint.to_string(),
            headers: authorization.map(header).into_iter().collect(),
            body: body.to_vec(),
        };
        self.send(Frame::Request(request)).await;
        self.last_id
    }

    pub(crate) async fn ask(&mut self, endpoint: Endpoint, body: &[u8]) -> Response {
        self.ask_with(endpoint, body, None).await
    }

    pub(crate) async fn ask_with(
        &mut self,
        endpoint: Endpoint,
        body: &[u8],
        authorization: Option<&str>,
    ) -> Response {
        let id = self.request(&endpoint, body, authorization).await;
        self.response(id).await
    }

    pub(crate) async fn response(&mut self, id: u64) -> Response {
        loop {
            match self.frame().await.expect("the socket closed") {
                Frame::Response(response) if response.id == id => return response,
                Frame::Response(_) => {}
                Frame::Request(request) => self.asked.push_back(request),
            }
        }
    }

    /// The next frame, or the code with which the relay closed.
    pub(crate) async fn frame(&mut self) -> Result<Frame, u16> {
        loop {
            let next = timeout(PATIENCE, self.inner.next()).await.expect("silence");
            match next {
                Some(Ok(Message::Binary(bytes))) => return Ok(Frame::decode(&bytes).unwrap()),
                Some(Ok(Message::Close(Some(frame)))) => return Err(code(frame.code)),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(other)) => panic!("{other:?}"),
                Some(Err(_)) | None => return Err(0),
            }
        }
    }

    /// What the relay asks next.
    pub(crate) async fn asked(&mut self) -> Request {
        if let Some(request) = self.asked.pop_front() {
            return request;
        }
        match self.frame().await.expect("the socket closed") {
            Frame::Request(request) => request,
            Frame::Response(response) => panic!("{response:?}"),
        }
    }

    /// The next delivery or `queue/empty`; the first is not acked.
    pub(crate) async fn delivery(&mut self) -> Delivered {
        let request = self.asked().await;
        match RelayRequest::parse(&request.verb, &request.path).unwrap() {
            RelayRequest::Message => Delivered::Mail {
                request: request.id,
                envelope: wire::Envelope::decode(&request.body).unwrap(),
            },
            RelayRequest::QueueEmpty => {
                self.ack(request.id, 200).await;
                Delivered::Empty
            }
            RelayRequest::ProvisioningAddress
            | RelayRequest::ProvisioningEnvelope
            | RelayRequest::ProvisioningDeclined => panic!("not on this socket"),
        }
    }

    pub(crate) async fn ack(&mut self, request: u64, status: u16) {
        self.send(Frame::Response(Response::empty(request, status)))
            .await;
    }

    /// All contents up to `queue/empty`, acked.
    pub(crate) async fn drain(&mut self) -> Vec<Vec<u8>> {
        let mut contents = Vec::new();
        loop {
            match self.delivery().await {
                Delivered::Empty => return contents,
                Delivered::Mail { request, envelope } => {
                    self.ack(request, 200).await;
                    contents.push(envelope.content);
                }
            }
        }
    }

    /// Whether the relay says nothing for a moment.
    pub(crate) async fn is_silent(&mut self) -> bool {
        self.asked.is_empty()
            && timeout(Duration::from_millis(300), self.inner.next())
                .await
                .is_err()
    }

    pub(crate) async fn close_code(&mut self) -> u16 {
        loop {
            match self.frame().await {
                Ok(_) => {}
                Err(code) => return code,
            }
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Delivered {
    Mail {
        request: u64,
        envelope: wire::Envelope,
    },
    Empty,
}

fn code(code: CloseCode) -> u16 {
    code.into()
}

pub(crate) async fn register(port: u16, person: &mut Person, registration_id: u32) -> Device {
    let mut socket = Socket::open(port).await;
    let body = to_json(&person.register(registration_id));
    let answer = socket.ask(Endpoint::Register, &body).await;
    assert_eq!(answer.status, 200);
    device(&answer, &person.password, registration_id)
}

/// The answer to a registration with a credential.
pub(crate) async fn register_with(
    port: u16,
    person: &mut Person,
    credential: Option<String>,
) -> Response {
    let mut request = person.register(1);
    request.credential = credential;
    let mut socket = Socket::open(port).await;
    socket.ask(Endpoint::Register, &to_json(&request)).await
}

pub(crate) async fn link(
    port: u16,
    person: &mut Person,
    by: &mut Socket,
    registration_id: u32,
) -> Device {
    let answer = by.ask(Endpoint::LinkToken, &[]).await;
    assert_eq!(answer.status, 200);
    let token: LinkToken = from_json(&answer.body).unwrap();
    let body = to_json(&person.link(&token.verification_code, registration_id));
    let password = format!("password of linked {registration_id}");
    let header = Basic {
        name: "nobody yet".to_owned(),
        password: password.clone(),
    };
    let mut socket = Socket::open(port).await;
    let answer = socket
        .ask_with(Endpoint::LinkDevice, &body, Some(&header.header()))
        .await;
    assert_eq!(answer.status, 200);
    device(&answer, &password, registration_id)
}

pub(crate) fn device(answer: &Response, password: &str, registration_id: u32) -> Device {
    let credentials: DeviceCredentials = from_json(&answer.body).unwrap();
    Device {
        address: DeviceAddress {
            account: credentials.uuid,
            device: credentials.device_id,
        },
        password: password.to_owned(),
        registration_id,
    }
}

pub(crate) fn bundle(id: [u8; 16], to: &[&Device], content: &[u8]) -> Bundle {
    let mut recipients: Vec<Recipient> = Vec::new();
    for device in to {
        let message = DeviceMessage {
            device: device.address.device,
            registration_id: device.registration_id.try_into().unwrap(),
            kind: EnvelopeKind::Ciphertext,
            content: content.to_vec(),
        };
        let account = device.address.account;
        match recipients.iter_mut().find(|r| r.account == account) {
            Some(recipient) => recipient.messages.push(message),
            None => recipients.push(Recipient {
                account,
                messages: vec![message],
                without: Vec::new(),
            }),
        }
    }
    Bundle {
        id: MessageId::from_bytes(id),
        timestamp: 1234,
        urgent: true,
        seal: 0,
        partial: false,
        online: false,
        recipients,
    }
}

/// Opens a socket by hand: a client that costs next to nothing.
pub(crate) async fn upgrade_raw(stream: &mut TcpStream, port: u16) {
    let request = format!(
        "GET {SOCKET_PATH} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nconnection: upgrade\r\n\
         upgrade: websocket\r\nsec-websocket-version: 13\r\n\
         sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = [0; 512];
    let read = stream.read(&mut answer).await.unwrap();
    assert!(answer[..read].starts_with(b"HTTP/1.1 101"));
}
