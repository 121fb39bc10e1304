//! What Signal's own clients tell each other of what a person sets, on a plain Signal service: read as registers, and written
//! beside ours, so that a phone and our devices agree as far as Signal goes.
//!
//! Signal's messages have no clocks. The time of the message takes its place, the same on every device that gets it. A list of
//! blocked people only ever blocks, since it may be of a phone that knows less; a phone that unblocks somebody also accepts them.

use wire::AccountId;
use wire::proto::service::sync_message::message_request_response::Type;
use wire::proto::service::sync_message::{Configuration, MessageRequestResponse};
use wire::proto::service::{SyncMessage, Verified, verified};

use super::fields::{self, READ_RECEIPTS, TYPING};
use super::space::Meaning;
use super::{Field, Place, Register, SETTINGS, verified_value};
use crate::content::{both_forms, service_id};
use crate::guard;
use crate::output::Request;

type Values = Vec<(Place, Vec<u8>)>;

/// What a message of Signal's says, as values of registers. One of ours says it in registers, and is not read twice.
pub(super) fn said(message: &SyncMessage) -> Values {
    let mut values = Values::new();
    if !message.registers.is_empty() {
        return values;
    }
    if let Some(configuration) = &message.configuration {
        let told = [
            (READ_RECEIPTS, configuration.read_receipts),
            (TYPING, configuration.typing_indicators),
        ];
        let value = |(name, told): (&str, Option<bool>)| {
            Some((Place::new(SETTINGS, name), fields::telling(told?)))
        };
        values.extend(told.into_iter().filter_map(value));
    }
    if let Some(blocked) = &message.blocked {
        let texts = blocked.acis.iter().map(|aci| service_id(None, Some(aci)));
        let binary = blocked.acis_binary.iter();
        let binary = binary.map(|aci| service_id(Some(aci), None));
        let block = |account| (Place::of(account, Field::Blocked), fields::flag(true));
        values.extend(texts.chain(binary).flatten().map(block));
    }
    if let Some(response) = &message.message_request_response {
        values.extend(answered(response));
    }
    if let Some(verified) = &message.verified {
        values.extend(compared(verified));
    }
    values
}

/// The answer to a stranger. Signal's other answers also delete conversations, which is no setting.
fn answered(response: &MessageRequestResponse) -> Values {
    let (binary, text) = (&response.thread_aci_binary, &response.thread_aci);
    let Some(account) = service_id(binary.as_deref(), text.as_deref()) else {
        return Values::new();
    };
    let answer = |request, blocked: Option<bool>| {
        let request = vec![fields::request_value(request)];
        let mut values = vec![(Place::of(account, Field::Request), request)];
        let blocked = blocked.map(fields::flag);
        values.extend(blocked.map(|blocked| (Place::of(account, Field::Blocked), blocked)));
        values
    };
    match response.r#type() {
        Type::Accept => answer(Request::Accepted, Some(false)),
        Type::Delete | Type::Spam => answer(Request::Declined, None),
        Type::Block | Type::BlockAndDelete | Type::BlockAndSpam => {
            answer(Request::Declined, Some(true))
        }
        Type::Unknown => Values::new(),
    }
}

fn compared(verified: &Verified) -> Option<(Place, Vec<u8>)> {
    let (binary, text) = (&verified.destination_aci_binary, &verified.destination_aci);
    let account = service_id(binary.as_deref(), text.as_deref())?;
    let key = verified.identity_key.as_deref()?;
    guard::identity_key(key).ok()?;
    let is_verified = verified.state() == verified::State::Verified;
    let value = verified_value(is_verified, key);
    Some((Place::of(account, Field::Verified), value))
}

/// The same for a register that the person has set here, where Signal has words for it. Declining has none that would
/// not delete something on the phone.
pub(super) fn says(place: &Place, register: &Register) -> Option<SyncMessage> {
    let value = register.value.as_deref()?;
    let mut message = SyncMessage::default();
    match place.meaning() {
        Meaning::Settings => {
            let told = Some(value == fields::telling(true));
            let mut configuration = Configuration::default();
            match place.name.as_slice() {
                name if name == READ_RECEIPTS.as_bytes() => configuration.read_receipts = told,
                name if name == TYPING.as_bytes() => configuration.typing_indicators = told,
                _ => return None,
            }
            message.configuration = Some(configuration);
        }
        Meaning::Of(account, Field::Blocked) => {
            let blocked = value == fields::flag(true);
            let kind = if blocked { Type::Block } else { Type::Accept };
            message.message_request_response = Some(response(account, kind));
        }
        Meaning::Of(account, Field::Request)
            if value == [fields::request_value(Request::Accepted)] =>
        {
            message.message_request_response = Some(response(account, Type::Accept));
        }
        Meaning::Of(account, Field::Verified) => {
            let (is_verified, key) = fields::read_verified(value)?;
            let state = if is_verified {
                verified::State::Verified
            } else {
                verified::State::Default
            };
            let (destination_aci, destination_aci_binary) = both_forms(account);
            message.verified = Some(Verified {
                identity_key: Some(key.to_vec()),
                state: Some(state.into()),
                destination_aci,
                destination_aci_binary,
            });
        }
        Meaning::Of(..)
        | Meaning::Profile
        | Meaning::Staff
        | Meaning::App(..)
        | Meaning::Unknown => return None,
    }
    Some(message)
}

fn response(account: AccountId, kind: Type) -> MessageRequestResponse {
    let (thread_aci, thread_aci_binary) = both_forms(account);
    MessageRequestResponse {
        thread_aci,
        r#type: Some(kind.into()),
        thread_aci_binary,
    }
}

#[cfg(test)]
mod tests {
    use libsignal_protocol::IdentityKeyPair;
    use rand::SeedableRng;
    use rand_chacha::ChaCha20Rng;
    use wire::proto::service::sync_message::Blocked;

    use super::*;

    const BOB: AccountId = AccountId::from_bytes([0xB0; 16]);

    fn set(value: Vec<u8>) -> Register {
        let value = Some(value);
        Register { clock: 7, value }
    }

    #[test]
    fn what_is_written_for_signal_is_read_as_the_same_register() {
        let mut rng = ChaCha20Rng::from_seed([1; 32]);
        let identity = IdentityKeyPair::generate(&mut rng);
        let key = identity.identity_key().serialize();
        for (place, value) in [
            (Place::new(SETTINGS, READ_RECEIPTS), fields::telling(false)),
            (Place::new(SETTINGS, TYPING), fields::telling(true)),
            (Place::of(BOB, Field::Blocked), fields::flag(true)),
            (Place::of(BOB, Field::Blocked), fields::flag(false)),
            (Place::of(BOB, Field::Request), vec![1]),
            (Place::of(BOB, Field::Verified), verified_value(true, &key)),
            (Place::of(BOB, Field::Verified), verified_value(false, &key)),
        ] {
            let message = says(&place, &set(value.clone())).unwrap();
            let same = |(at, said): &(Place, Vec<u8>)| *at == place && *said == value;
            assert!(said(&message).iter().any(same), "{value:?}");
        }
    }

    #[test]
    fn what_signal_has_no_words_for_stays_among_our_own() {
        for (place, value) in [
            (Place::of(BOB, Field::Request), vec![2]),
            (Place::of(BOB, Field::Draft), b"x".to_vec()),
            (Place::new("app/x", "v"), b"x".to_vec()),
        ] {
            assert!(says(&place, &set(value)).is_none());
        }
    }

    #[test]
    fn a_list_of_blocked_people_blocks_and_an_empty_one_unblocks_nobody() {
        let list = |acis: Vec<String>| SyncMessage {
            blocked: Some(Blocked {
                acis,
                acis_binary: Vec::new(),
            }),
            ..SyncMessage::default()
        };
        let place = Place::of(BOB, Field::Blocked);
        let values = said(&list(vec![BOB.to_string(), "nobody".to_owned()]));
        assert!(values == vec![(place, fields::flag(true))]);
        assert!(said(&list(Vec::new())).is_empty());
    }
}
