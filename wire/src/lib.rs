//! What client and relay agree on: ids, frames, message formats, request bodies.
//!
//! ```text
//!   client                                   relay
//!     | -- Request {verb, path, body} -------> |   endpoint.rs names every path
//!     | <------------- Response {id, status} - |   body.rs: JSON, bundle.rs: protobuf
//!     | <---- PUT /api/v1/message (Envelope) - |
//!     | -- Response 200 (the ack) -----------> |
//! ```
//!
//! It follows Signal's service protocol (field numbers, paths, codes); what is ours is marked so.
//! This crate does no IO, knows no keys beyond their length, and cannot decrypt.
//! Every decoder here takes hostile bytes and returns an error, never a panic.

pub mod address;
pub mod basic;
pub mod blob;
pub mod body;
pub mod bundle;
pub mod certificate;
pub mod device_list;
pub mod endpoint;
pub mod envelope;
mod error;
pub mod fence;
mod fixed;
pub mod frame;
pub mod limits;
pub mod link_code;
pub mod link_uri;
mod opaque;
pub mod proto;
pub mod recovery;
pub mod rendezvous;

pub use address::{AccountId, DeviceAddress, DeviceId, Handle, MessageId, RegistrationId};
pub use blob::BlobId;
pub use endpoint::{Endpoint, RelayRequest};
pub use envelope::{Envelope, EnvelopeKind};
pub use error::DecodeError;
pub use frame::{Frame, Request, Response};
pub use recovery::Recovery;
