//! Nothing leaves before its commit: each output is compared with what the disk holds at that moment.
//! It knows the names of tables and that records hold bundles and envelope ids byte for byte, no more.

use std::collections::BTreeMap;

use engine::store::Table;
use engine::{Event, Output, Reply, SocketId};
use wire::{Envelope, Frame, MessageId, RelayRequest, Request, Response};

use crate::disk::Disk;
use crate::relay_node::FALSE_REQUESTS;

/// The envelopes that came in on open sockets, by the request they came with.
#[derive(Debug, Default)]
pub(crate) struct Received(BTreeMap<(SocketId, u64), [u8; 16]>);

impl Received {
    pub(crate) fn note(&mut self, socket: SocketId, frames: &[Vec<u8>]) {
        for frame in frames {
            if let Ok(Frame::Request(Request {
                id,
                verb,
                path,
                body,
                ..
            })) = Frame::decode(frame)
                && RelayRequest::parse(&verb, &path) == Some(RelayRequest::Message)
                && let Ok(envelope) = Envelope::decode(&body)
                && let Some(guid) = envelope.guid
                && id < FALSE_REQUESTS
            // what a relay misroutes is only acked
            {
                self.0.insert((socket, id), guid);
            }
        }
    }
}

/// Why this output should not be out yet, if so.
pub(crate) fn unfounded(disk: &Disk, received: &Received, output: &Output) -> Option<String> {
    match output {
        Output::Send { socket, frame } => match Frame::decode(frame) {
            Ok(Frame::Request(request)) if request.path == "/v1/bundles" => {
                let stored = disk.any(Table::Outbox, |(_, record)| holds(record, &request.body));
                (!stored).then(|| "a bundle that is not on disk was sent".to_owned())
            }
            Ok(Frame::Response(Response {
                id, status: 200, ..
            })) => {
                let guid = received.0.get(&(*socket, id))?;
                let seen = disk.any(Table::Seen, |(_, record)| holds(record, guid));
                (!seen).then(|| "an envelope was acked before it was noted".to_owned())
            }
            Ok(Frame::Request(_) | Frame::Response(_)) => None,
            Err(_) => Some("a frame that does not decode was sent".to_owned()),
        },
        Output::Resolve {
            result: Ok(Reply::MessageId(id)),
            ..
        } => unstored(disk, *id),
        Output::Emit(event) => {
            let Event::Message(message) = &**event else {
                return None;
            };
            unstored(disk, message.id)
        }
        Output::OpenSocket { .. }
        | Output::CloseSocket { .. }
        | Output::PutBlob { .. }
        | Output::GetBlob { .. }
        | Output::Resolve { .. } => None,
    }
}

fn unstored(disk: &Disk, id: MessageId) -> Option<String> {
    let stored = disk.any(Table::MessageIndex, |(key, _)| key == id.as_bytes());
    (!stored).then(|| format!("message {id} was told of before it was stored"))
}

fn holds(record: &[u8], part: &[u8]) -> bool {
    record.windows(part.len()).any(|window| window == part)
}
