//! What holds for all inputs: hostile bytes are refused without a panic, what was encoded is decoded
//! to the same value, and what was decoded has one meaning. Single known cases are in `vectors/`.

#[path = "properties/arbitrary.rs"]
mod arbitrary;
#[path = "properties/bodies.rs"]
mod bodies;

use proptest::collection::vec;
use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use wire::basic::Basic;
use wire::body;
use wire::bundle::{AccountMismatch, Bundle, BundleAccepted};
use wire::link_code::LinkCode;
use wire::link_uri::LinkUri;
use wire::rendezvous::{Open, Opened, Waiting};
use wire::{
    AccountId, DeviceId, Endpoint, Envelope, Frame, Handle, MessageId, RegistrationId, RelayRequest,
};

/// Every JSON body, by name of its type.
macro_rules! each_body {
    ($use:ident, $($argument:expr),*) => {
        $use::<body::AccountAttributes>($($argument),*);
        $use::<body::AccountInfo>($($argument),*);
        $use::<body::Capabilities>($($argument),*);
        $use::<body::DeviceCredentials>($($argument),*);
        $use::<body::Devices>($($argument),*);
        $use::<body::KeyCounts>($($argument),*);
        $use::<body::LinkDevice>($($argument),*);
        $use::<body::LinkPhoneDevice>($($argument),*);
        $use::<body::LinkToken>($($argument),*);
        $use::<body::ListedDevices>($($argument),*);
        $use::<body::MessagesSent>($($argument),*);
        $use::<body::MismatchedDevices>($($argument),*);
        $use::<body::PreKeyResponse>($($argument),*);
        $use::<body::Provision>($($argument),*);
        $use::<body::PutDeviceList>($($argument),*);
        $use::<body::Refusal>($($argument),*);
        $use::<body::Register>($($argument),*);
        $use::<body::SendMessages>($($argument),*);
        $use::<body::SetKeys>($($argument),*);
        $use::<body::StaleDevices>($($argument),*);
        $use::<body::WhoAmI>($($argument),*);
    };
}

/// Gives bytes to every decoder there is. Whatever one takes must be the same after one more round.
fn feed(bytes: &[u8]) {
    if let Ok(frame) = Frame::decode(bytes) {
        assert_eq!(Frame::decode(&frame.clone().encode()), Ok(frame));
    }
    if let Ok(bundle) = Bundle::decode(bytes) {
        assert_eq!(Bundle::decode(&bundle.encode()), Ok(bundle));
    }
    if let Ok(accepted) = BundleAccepted::decode(bytes) {
        assert_eq!(BundleAccepted::decode(&accepted.encode()), Ok(accepted));
    }
    if let Ok(mismatches) = AccountMismatch::decode_all(bytes) {
        let again = AccountMismatch::encode_all(&mismatches);
        assert_eq!(AccountMismatch::decode_all(&again), Ok(mismatches));
    }
    if let Ok(envelope) = Envelope::decode(bytes) {
        assert_eq!(Envelope::decode(&envelope.encode()), Ok(envelope));
    }
    if let Ok(open) = Open::decode(bytes) {
        assert_eq!(Open::decode(&open.encode()), Ok(open));
    }
    if let Ok(opened) = Opened::decode(bytes) {
        assert_eq!(Opened::decode(&opened.encode()), Ok(opened));
    }
    if let Ok(waiting) = Waiting::decode(bytes) {
        assert_eq!(Waiting::decode(&waiting.encode()), Ok(waiting));
    }
    each_body!(feed_json, bytes);
    feed_text(&String::from_utf8_lossy(bytes));
}

fn feed_json<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(bytes: &[u8]) {
    if let Ok(value) = body::from_json::<T>(bytes) {
        assert_eq!(body::from_json::<T>(&body::to_json(&value)), Ok(value));
    }
}

fn feed_text(text: &str) {
    for verb in ["GET", "PUT", "DELETE", "POST", ""] {
        if let Some(endpoint) = Endpoint::parse(verb, text) {
            assert_eq!(Endpoint::parse(verb, &endpoint.to_string()), Some(endpoint));
        }
        if let Some(request) = RelayRequest::parse(verb, text) {
            assert_eq!(request.path(), text);
        }
    }
    if let Ok(uri) = LinkUri::parse(text) {
        assert_eq!(LinkUri::parse(&uri.to_string()), Ok(uri));
    }
    if let Ok(code) = LinkCode::parse(text) {
        assert_eq!(LinkCode::parse(&code.to_string()), Ok(code));
    }
    if let Ok(basic) = Basic::parse(text) {
        let _ = basic.address();
        assert_eq!(Basic::parse(&basic.header()), Ok(basic));
    }
    if let Ok(handle) = text.parse::<Handle>() {
        assert_eq!(handle.as_str().parse(), Ok(handle));
    }
    if let Ok(id) = text.parse::<AccountId>() {
        assert_eq!(id.to_string().parse(), Ok(id));
    }
    if let Ok(id) = text.parse::<MessageId>() {
        assert_eq!(id.to_string().parse(), Ok(id));
    }
    if let Ok(id) = text.parse::<DeviceId>() {
        assert_eq!(id.to_string(), text);
    }
}

/// Flips a bit, cuts, doubles or inserts, a few times.
fn damaged(mut bytes: Vec<u8>, damages: &[(u8, u16, u8)]) -> Vec<u8> {
    for (kind, at, byte) in damages {
        let at = usize::from(*at) % (bytes.len() + 1);
        match kind % 5 {
            0 => bytes.truncate(at),
            1 => bytes.insert(at, *byte),
            2 => {
                let tail = bytes.split_off(at);
                bytes.extend_from_slice(&tail);
                bytes.extend_from_slice(&tail);
            }
            _ => {
                if let Some(found) = bytes.get_mut(at) {
                    *found ^= 1 << (byte % 8);
                }
            }
        }
    }
    bytes
}

fn damages() -> impl Strategy<Value = Vec<(u8, u16, u8)>> {
    vec(any::<(u8, u16, u8)>(), 1..4)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_never_panic(bytes in vec(any::<u8>(), 0..600)) {
        feed(&bytes);
    }

    #[test]
    fn random_text_never_panics(text in "\\PC{0,120}") {
        feed_text(&text);
    }

    #[test]
    fn text_that_looks_right_never_panics(
        text in "(lockstep|sgnl|/v1|/v2|Basic|keys|devices|[:/?&=.%*~-]|uuid=|pub_key=|name=|[0-9a-f]{1,40}|[ -~]){0,12}"
    ) {
        feed_text(&text);
    }

    #[test]
    fn damaged_messages_never_panic(bytes in arbitrary::encoded(), damages in damages()) {
        feed(&bytes);
        feed(&damaged(bytes, &damages));
    }

    #[test]
    fn damaged_texts_never_panic(text in arbitrary::written(), damages in damages()) {
        feed_text(&text);
        feed_text(&String::from_utf8_lossy(&damaged(text.into_bytes(), &damages)));
    }

    #[test]
    fn frames_come_back_as_sent(frame in arbitrary::frame()) {
        prop_assert_eq!(Frame::decode(&frame.clone().encode()), Ok(frame));
    }

    #[test]
    fn bundles_come_back_as_sent(bundle in arbitrary::bundle()) {
        prop_assert_eq!(Bundle::decode(&bundle.encode()), Ok(bundle));
    }

    #[test]
    fn mismatches_come_back_as_sent(mismatches in arbitrary::mismatches()) {
        let bytes = AccountMismatch::encode_all(&mismatches);
        prop_assert_eq!(AccountMismatch::decode_all(&bytes), Ok(mismatches));
    }

    #[test]
    fn envelopes_come_back_as_sent(envelope in arbitrary::envelope()) {
        prop_assert_eq!(Envelope::decode(&envelope.encode()), Ok(envelope));
    }

    #[test]
    fn endpoints_come_back_as_written(endpoint in arbitrary::endpoint()) {
        let path = endpoint.to_string();
        prop_assert_eq!(Endpoint::parse(endpoint.verb(), &path), Some(endpoint));
    }

    #[test]
    fn what_is_asked_of_a_rendezvous_comes_back_as_sent(
        open in arbitrary::open(), opened in arbitrary::opened(), waiting in arbitrary::waiting()
    ) {
        prop_assert_eq!(Open::decode(&open.encode()), Ok(open));
        prop_assert_eq!(Opened::decode(&opened.encode()), Ok(opened));
        prop_assert_eq!(Waiting::decode(&waiting.encode()), Ok(waiting));
    }

    #[test]
    fn link_codes_come_back_as_shown_and_are_no_link_uris(code in arbitrary::link_code()) {
        let text = code.to_string();
        prop_assert!(LinkUri::parse(&text).is_err());
        prop_assert!(LinkCode::is_meant(&text));
        prop_assert_eq!(LinkCode::parse(&format!(" {text}\n")), Ok(code));
        prop_assert!(LinkCode::parse(&text[..text.len() - 4]).is_err());
    }

    #[test]
    fn link_uris_come_back_as_shown(uri in arbitrary::link_uri()) {
        let text = uri.to_string();
        prop_assert!(text.len() <= wire::limits::LINK_URI_MAX);
        prop_assert_eq!(LinkUri::parse(&text), Ok(uri));
    }

    #[test]
    fn credentials_come_back_as_sent(address in arbitrary::address(), password in "\\PC{0,40}") {
        let basic = Basic::device(address, &password);
        prop_assert_eq!(basic.address(), Ok(address));
        prop_assert_eq!(Basic::parse(&basic.header()), Ok(basic));
    }

    #[test]
    fn bodies_come_back_as_sent(bodies in bodies::bodies()) {
        let bodies::Bodies {
            register, link_device, set_keys, pre_keys, send, devices, account, credentials, token,
            provision, counts, sent, mismatched, stale, capabilities, refusal,
            listed, put_list,
        } = &bodies;
        comes_back(register)?;
        comes_back(link_device)?;
        comes_back(set_keys)?;
        comes_back(pre_keys)?;
        comes_back(send)?;
        comes_back(devices)?;
        comes_back(account)?;
        comes_back(credentials)?;
        comes_back(token)?;
        comes_back(provision)?;
        comes_back(counts)?;
        comes_back(sent)?;
        comes_back(mismatched)?;
        comes_back(stale)?;
        comes_back(capabilities)?;
        comes_back(refusal)?;
        comes_back(listed)?;
        comes_back(put_list)?;
    }

    #[test]
    fn ids_come_back_as_written(bytes in any::<[u8; 16]>(), handle in arbitrary::handle()) {
        let (account, message) = (AccountId::from_bytes(bytes), MessageId::from_bytes(bytes));
        prop_assert_eq!(account.to_string().parse(), Ok(account));
        prop_assert_eq!(message.to_string().parse(), Ok(message));
        prop_assert_eq!(AccountId::from_slice(account.as_bytes()), Ok(account));
        prop_assert_eq!(MessageId::from_slice(message.as_bytes()), Ok(message));
        prop_assert_eq!(handle.as_str().to_uppercase().parse(), Ok(handle));
    }

    #[test]
    fn drawn_registration_ids_are_valid(bits in any::<u16>()) {
        let id = RegistrationId::from_random(bits);
        prop_assert_eq!(RegistrationId::try_from(u32::from(id)), Ok(id));
    }
}

fn comes_back<T>(value: &T) -> Result<(), TestCaseError>
where
    T: Serialize + DeserializeOwned + Clone + PartialEq + std::fmt::Debug,
{
    prop_assert_eq!(
        body::from_json::<T>(&body::to_json(value)),
        Ok(value.clone())
    );
    Ok(())
}

#[test]
fn every_device_id_has_one_spelling() {
    for n in 0..=200_u32 {
        let parsed = n.to_string().parse::<DeviceId>();
        assert_eq!(parsed.is_ok(), (1..=127).contains(&n), "{n}");
        assert_eq!(parsed, DeviceId::try_from(n));
        assert!(format!("0{n}").parse::<DeviceId>().is_err());
        assert!(format!("+{n}").parse::<DeviceId>().is_err());
    }
}

#[test]
fn every_relay_request_has_its_own_path() {
    let all = [
        RelayRequest::Message,
        RelayRequest::QueueEmpty,
        RelayRequest::ProvisioningAddress,
        RelayRequest::ProvisioningEnvelope,
        RelayRequest::ProvisioningDeclined,
    ];
    for request in all {
        assert_eq!(RelayRequest::parse("PUT", request.path()), Some(request));
        assert_eq!(RelayRequest::parse("GET", request.path()), None);
    }
}
