//! What fuzzers do with bytes; a finding is a panic.
//! It does not know how the bytes came about.

use wire::bundle::{AccountMismatch, Bundle};
use wire::link_uri::LinkUri;
use wire::{Endpoint, Envelope, Frame, RelayRequest};

use crate::check::Violation;
use crate::run::{self, Detail};
use crate::step::Play;

/// Steps of a fuzzed run: enough for any story, and short enough for many runs a second.
const STEPS_MAX: usize = 60;

/// Every decoder of what comes from a socket. What one takes means the same after one more round.
pub fn decode(bytes: &[u8]) {
    if let Ok(frame) = Frame::decode(bytes) {
        if let Frame::Request(request) = &frame {
            let _asked = RelayRequest::parse(&request.verb, &request.path);
            if let Some(endpoint) = Endpoint::parse(&request.verb, &request.path) {
                let again = Endpoint::parse(endpoint.verb(), &endpoint.to_string());
                assert_eq!(again, Some(endpoint));
            }
            decode_body(&request.body);
        }
        assert_eq!(Frame::decode(&frame.clone().encode()), Ok(frame));
    }
    decode_body(bytes);
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Ok(uri) = LinkUri::parse(text)
    {
        assert_eq!(LinkUri::parse(&uri.to_string()), Ok(uri));
    }
}

fn decode_body(bytes: &[u8]) {
    if let Ok(bundle) = Bundle::decode(bytes) {
        assert_eq!(Bundle::decode(&bundle.encode()), Ok(bundle));
    }
    if let Ok(mismatches) = AccountMismatch::decode_all(bytes) {
        let again = AccountMismatch::encode_all(&mismatches);
        assert_eq!(AccountMismatch::decode_all(&again), Ok(mismatches));
    }
    if let Ok(envelope) = Envelope::decode(bytes) {
        assert_eq!(Envelope::decode(&envelope.encode()), Ok(envelope));
    }
}

/// A run of the whole world.
pub fn world(bytes: &[u8]) {
    let mut play = Play::decode(bytes);
    play.steps.truncate(STEPS_MAX);
    let broken: Vec<String> = run::play(&play, Detail::Steps)
        .violations
        .iter()
        .map(Violation::to_string)
        .collect();
    assert!(broken.is_empty(), "{}\n{play}", broken.join("\n"));
}
