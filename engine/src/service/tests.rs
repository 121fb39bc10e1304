//! Which service an answer and a record speak of, and what stands in for names that a service does not give.

use wire::body::to_json;
use wire::{DeviceAddress, DeviceId, EnvelopeKind};

use super::*;

fn answer(status: u16, body: Vec<u8>) -> Response {
    Response {
        body,
        ..Response::empty(1, status)
    }
}

fn offers(bundles: bool) -> Vec<u8> {
    to_json(&Capabilities {
        bundles,
        handles: true,
        credential_required: false,
    })
}

#[test]
fn only_a_clear_answer_says_which_service_it_is() {
    assert_eq!(
        answered(&answer(200, offers(true))),
        Some(Service::Lockstep)
    );
    assert_eq!(
        answered(&answer(404, b"Not found".to_vec())),
        Some(Service::Signal)
    );
    for unclear in [
        answer(200, offers(false)),
        answer(200, b"<html>".to_vec()),
        answer(401, Vec::new()),
        answer(429, Vec::new()),
        answer(503, offers(true)),
    ] {
        assert_eq!(answered(&unclear), None);
    }
}

#[test]
fn an_account_with_a_handle_is_on_one_of_ours() {
    let record = |service, handle: &str| AccountRecord {
        service,
        handle: handle.to_owned(),
        ..AccountRecord::default()
    };
    assert_eq!(record(0, "").service(), None);
    assert_eq!(record(0, "alice").service(), Some(Service::Lockstep));
    for service in [Service::Lockstep, Service::Signal] {
        assert_eq!(record(service.number(), "").service(), Some(service));
    }
}

#[test]
fn an_envelope_without_a_name_is_named_after_its_content() {
    let bytes = |guid: Option<u8>, content: u8| {
        Envelope {
            kind: EnvelopeKind::Ciphertext,
            source: DeviceAddress {
                account: AccountId::from_bytes([1; 16]),
                device: DeviceId::try_from(1_u32).unwrap(),
            },
            destination: None,
            client_timestamp: 1,
            server_timestamp: 2,
            guid: guid.map(|byte| [byte; 16]),
            certified: false,
            urgent: true,
            content: vec![content; 40],
        }
        .encode()
    };
    let name = |bytes: Vec<u8>| named_envelope(&bytes).unwrap().guid.unwrap();
    assert_eq!(name(bytes(None, 1)), name(bytes(None, 1)));
    assert_ne!(name(bytes(None, 1)), name(bytes(None, 2)));
    assert_eq!(name(bytes(Some(5), 1)), [5; 16]);
}
