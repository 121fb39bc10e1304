//! What counts without a binding, and where; which message a read mark is of.

use libsignal_protocol::IdentityKeyPair;
use prost::Message as _;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use wire::proto::service::sync_message::{Read, Sent};
use wire::proto::service::{Content, DataMessage, SyncMessage};
use wire::{AccountId, DeviceAddress, DeviceId, MessageId};

use super::*;
use crate::content::{self, Sender};
use crate::padding;
use crate::record::AccountRecord;
use crate::service::Service;
use crate::trust::Beacons;

const TIME: u64 = 1_800_000_000_000;
const EPOCH: u32 = 7;

fn address(account: u8, device: u32) -> DeviceAddress {
    DeviceAddress {
        account: AccountId::from_bytes([account; 16]),
        device: DeviceId::try_from(device).unwrap(),
    }
}

/// Account 1, device 2.
fn own(service: Service) -> Account {
    let identity = IdentityKeyPair::generate(&mut ChaCha20Rng::seed_from_u64(1));
    let record = AccountRecord {
        account: vec![1; 16],
        device: 2,
        registration_id: 5,
        identity: identity.serialize().into_vec(),
        service: service.number(),
        ..AccountRecord::default()
    };
    Account::read(record).unwrap()
}

fn open(content: &Content, from: DeviceAddress, service: Service) -> Result<Opened, PeerFault> {
    let padded = padding::pad(content.encode_to_vec());
    content::open(padded, from, EPOCH, &own(service))
}

fn text() -> DataMessage {
    content::said::text(
        "hello".to_owned(),
        TIME,
        None,
        crate::thread::timer::Timer::default(),
        Vec::new(),
    )
}

#[test]
fn a_missing_binding_counts_on_a_plain_service_and_nowhere_else() {
    let content = content::data(text());
    let opened = open(&content, address(9, 1), Service::Signal).ok().unwrap();
    assert_eq!(opened.from, Sender::Peer(address(9, 1)));
    assert_eq!(
        opened.message_id,
        service::message_id(address(9, 1).account, TIME)
    );
    let refused = open(&content, address(9, 1), Service::Lockstep);
    assert_eq!(refused.err(), Some(PeerFault::Unreadable));
}

#[test]
fn a_wrong_binding_is_refused_on_a_plain_service_too() {
    let mut sender = own(Service::Signal);
    sender.address = address(9, 1);
    sender.registration_id = 7.try_into().unwrap();
    let id = MessageId::from_bytes([3; 16]);
    for (to, good) in [
        (address(1, 2), true),
        (address(1, 3), false),
        (address(2, 2), false),
    ] {
        let padded = content::bind(&content::data(text()), id, &sender, to, Beacons::default());
        let own = own(Service::Signal);
        let opened = content::open(padded.clone(), address(9, 1), EPOCH, &own);
        assert_eq!(opened.ok().map(|o| o.message_id), good.then_some(id));
        let of_another = content::open(padded, address(9, 4), EPOCH, &own);
        assert_eq!(of_another.err(), Some(PeerFault::Unreadable));
    }
}

#[test]
fn a_message_and_its_transcript_have_one_id() {
    let sent = Sent {
        timestamp: Some(TIME),
        message: Some(text()),
        ..Sent::default()
    };
    let transcript = content::sync(SyncMessage {
        sent: Some(sent),
        ..SyncMessage::default()
    });
    let copy = open(&transcript, address(1, 1), Service::Signal)
        .ok()
        .unwrap();
    assert!(matches!(copy.from, Sender::Own(_)));
    assert_eq!(
        copy.message_id,
        service::message_id(address(1, 1).account, TIME)
    );
}

#[test]
fn a_message_without_a_time_is_refused_since_it_could_be_any() {
    for content in [
        content::data(DataMessage {
            timestamp: None,
            ..text()
        }),
        content::sync(SyncMessage {
            sent: Some(Sent::default()),
            ..SyncMessage::default()
        }),
    ] {
        let refused = open(&content, address(1, 1), Service::Signal);
        assert_eq!(refused.err(), Some(PeerFault::Unreadable));
    }
}

#[test]
fn two_authors_and_two_times_are_different_messages() {
    let ids = [(1, TIME), (2, TIME), (1, TIME + 1)]
        .map(|(account, time)| service::message_id(address(account, 1).account, time));
    assert!(ids[0] != ids[1] && ids[0] != ids[2] && ids[1] != ids[2]);
}

#[test]
fn a_read_mark_names_a_message_by_id_or_by_author_and_time() {
    let author = address(9, 1).account;
    let by_id = Read {
        message_id: Some(vec![4; 16]),
        ..Read::default()
    };
    assert_eq!(message_read(&by_id), Some(MessageId::from_bytes([4; 16])));
    let by_time = Read {
        sender_aci_binary: Some(author.as_bytes().to_vec()),
        timestamp: Some(TIME),
        ..Read::default()
    };
    let expected = Some(service::message_id(author, TIME));
    assert_eq!(message_read(&by_time), expected);
    let by_text = Read {
        sender_aci_binary: None,
        sender_aci: Some(author.to_string()),
        ..by_time.clone()
    };
    assert_eq!(message_read(&by_text), expected);
    for cut in [
        Read::default(),
        Read {
            timestamp: None,
            ..by_time.clone()
        },
        Read {
            sender_aci_binary: Some(vec![1; 17]),
            ..by_time
        },
    ] {
        assert_eq!(message_read(&cut), None);
    }
}

#[test]
fn a_group_message_is_none_of_a_conversation() {
    assert!(is_direct(&text()));
    let in_group = DataMessage {
        group_v2: Some(Vec::new()),
        ..text()
    };
    assert!(!is_direct(&in_group));
}
