//! Frames on a socket: `WebSocketMessage` with a request or a response inside.
//!
//! The one place where socket bytes become values and back. Both sides send requests and number
//! their own; a response carries the number of the request it answers.
//! What a path or a body means is not known here.

use std::fmt;

use prost::Message;

use crate::DecodeError;
use crate::limits::FRAME_MAX;
use crate::proto::websocket::{
    WebSocketMessage, WebSocketRequestMessage, WebSocketResponseMessage, web_socket_message::Type,
};

/// One frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// The other side wants something.
    Request(Request),
    /// The answer to a request of ours.
    Response(Response),
}

/// A request: an HTTP request in all but transport.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// Chosen by the requester; unique among its open requests on this socket.
    pub id: u64,
    /// `GET`, `PUT`, `POST`, `DELETE`.
    pub verb: String,
    /// Path and query.
    pub path: String,
    /// Lower-case name, value.
    pub headers: Vec<(String, String)>,
    /// Empty if there is none.
    pub body: Vec<u8>,
}

/// A response.
#[derive(Clone, PartialEq, Eq)]
pub struct Response {
    /// Of the request it answers.
    pub id: u64,
    /// HTTP status.
    pub status: u16,
    /// Lower-case name, value.
    pub headers: Vec<(String, String)>,
    /// Empty if there is none.
    pub body: Vec<u8>,
}

impl Frame {
    /// Decodes one binary socket message.
    ///
    /// # Errors
    /// Anything but exactly one request or one response within [`FRAME_MAX`].
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        if bytes.len() > FRAME_MAX {
            return Err(DecodeError::TooLarge {
                what: "frame",
                limit: FRAME_MAX,
            });
        }
        let message = WebSocketMessage::decode(bytes)?;
        let kind = message.r#type();
        match (kind, message.request, message.response) {
            (Type::Request, Some(request), None) => request.try_into().map(Self::Request),
            (Type::Response, None, Some(response)) => response.try_into().map(Self::Response),
            _ => Err(DecodeError::Invalid {
                field: "frame type",
            }),
        }
    }

    /// The bytes of one binary socket message.
    #[must_use]
    pub fn encode(self) -> Vec<u8> {
        let mut message = WebSocketMessage::default();
        match self {
            Self::Request(Request {
                id,
                verb,
                path,
                headers,
                body,
            }) => {
                message.set_type(Type::Request);
                message.request = Some(WebSocketRequestMessage {
                    verb: Some(verb),
                    path: Some(path),
                    body: (!body.is_empty()).then_some(body),
                    headers: join_headers(&headers),
                    id: Some(id),
                });
            }
            Self::Response(Response {
                id,
                status,
                headers,
                body,
            }) => {
                message.set_type(Type::Response);
                message.response = Some(WebSocketResponseMessage {
                    id: Some(id),
                    status: Some(u32::from(status)),
                    message: Some(reason(status).to_owned()),
                    headers: join_headers(&headers),
                    body: (!body.is_empty()).then_some(body),
                });
            }
        }
        message.encode_to_vec()
    }
}

impl Request {
    /// The value of a header, by lower-case name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        find_header(&self.headers, name)
    }
}

impl Response {
    /// An answer without headers or body.
    #[must_use]
    pub const fn empty(id: u64, status: u16) -> Self {
        Self {
            id,
            status,
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// The value of a header, by lower-case name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        find_header(&self.headers, name)
    }

    /// Whether the status says success.
    #[must_use]
    pub const fn is_success(&self) -> bool {
        self.status / 100 == 2
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            id,
            verb,
            path: _,
            headers: _,
            body,
        } = self;
        write!(f, "Request({id} {verb}, {} bytes)", body.len())
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            id,
            status,
            headers: _,
            body,
        } = self;
        write!(f, "Response({id} {status}, {} bytes)", body.len())
    }
}

impl TryFrom<WebSocketRequestMessage> for Request {
    type Error = DecodeError;

    fn try_from(raw: WebSocketRequestMessage) -> Result<Self, DecodeError> {
        let WebSocketRequestMessage {
            verb,
            path,
            body,
            headers,
            id,
        } = raw;
        Ok(Self {
            id: id.ok_or(DecodeError::Missing {
                field: "request id",
            })?,
            verb: verb.ok_or(DecodeError::Missing { field: "verb" })?,
            path: path.ok_or(DecodeError::Missing { field: "path" })?,
            headers: split_headers(&headers),
            body: body.unwrap_or_default(),
        })
    }
}

impl TryFrom<WebSocketResponseMessage> for Response {
    type Error = DecodeError;

    fn try_from(raw: WebSocketResponseMessage) -> Result<Self, DecodeError> {
        let WebSocketResponseMessage {
            id,
            status,
            message: _,
            headers,
            body,
        } = raw;
        let status = status
            .and_then(|status| u16::try_from(status).ok())
            .filter(|status| (100..600).contains(status))
            .ok_or(DecodeError::Invalid { field: "status" })?;
        Ok(Self {
            id: id.ok_or(DecodeError::Missing {
                field: "response id",
            })?,
            status,
            headers: split_headers(&headers),
            body: body.unwrap_or_default(),
        })
    }
}

/// Lines without a colon are dropped, as HTTP servers do with what they can't read.
fn split_headers(lines: &[String]) -> Vec<(String, String)> {
    lines
        .iter()
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim().to_owned()))
        .collect()
}

fn join_headers(headers: &[(String, String)]) -> Vec<String> {
    headers
        .iter()
        .map(|(name, value)| format!("{name}:{value}"))
        .collect()
}

fn find_header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers
        .iter()
        .find(|(n, _)| n == name)
        .map(|(_, value)| value.as_str())
}

const fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        204 => "No Content",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        409 => "Conflict",
        410 => "Gone",
        411 => "Device Limit Reached",
        413 => "Content Too Large",
        422 => "Unprocessable Content",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        _ => "",
    }
}
