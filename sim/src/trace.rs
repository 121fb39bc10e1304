//! What people read of a run: frames in a few words.
//! It decodes what `wire` decodes; it knows neither keys nor what messages say.

use wire::bundle::Bundle;
use wire::{Envelope, Frame, RelayRequest};

/// A frame in a few words.
pub(crate) fn frame(bytes: &[u8]) -> String {
    match Frame::decode(bytes) {
        Ok(Frame::Request(request)) => {
            let known = RelayRequest::parse(&request.verb, &request.path);
            if known == Some(RelayRequest::Message)
                && let Ok(envelope) = Envelope::decode(&request.body)
            {
                return format!(
                    "{} envelope {:?} from {:?}",
                    request.id, envelope.kind, envelope.source.device
                );
            }
            let mut text = format!("{} {} {}", request.id, request.verb, request.path);
            if let Ok(bundle) = Bundle::decode(&request.body)
                && request.path == "/v1/bundles"
            {
                let devices: Vec<Vec<u8>> = bundle
                    .recipients
                    .iter()
                    .map(|r| r.messages.iter().map(|m| m.device.get()).collect())
                    .collect();
                text = format!("{text} {} for {devices:?}", bundle.id);
            }
            text
        }
        Ok(Frame::Response(response)) => format!("{} {}", response.id, response.status),
        Err(error) => format!("{} bytes of nonsense ({error})", bytes.len()),
    }
}

/// There are thousands, and they say nothing.
pub(crate) fn is_keep_alive(bytes: &[u8]) -> bool {
    matches!(Frame::decode(bytes), Ok(Frame::Request(request)) if request.path == "/v1/keepalive")
}
