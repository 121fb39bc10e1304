//! Certificates and device lists: one byte string has one meaning, and what is signed for one use is nothing in another.
//! That signatures are checked is shown where there is cryptography, in the engine and the relay.

#![expect(
    clippy::unwrap_used,
    reason = "what is made here is well formed, or the test is wrong"
)]

use proptest::collection::btree_map;
use proptest::prelude::*;
use wire::certificate::{Capabilities, Certificate, Role, SignedCertificate};
use wire::device_list::{DeviceList, Entry, Reason, Revoked, SignedList};
use wire::{AccountId, DeviceAddress, DeviceId, RegistrationId};

fn device(number: u8) -> DeviceId {
    u32::from(number).try_into().unwrap()
}

fn certificate() -> impl Strategy<Value = Certificate> {
    let role = prop_oneof![
        Just(Role::Owner),
        Just(Role::DelegateRead),
        Just(Role::DelegateAnswer),
        Just(Role::Device),
    ];
    let keys = (any::<[u8; 32]>(), any::<[u8; 32]>(), any::<[u8; 32]>());
    let times = (0..1_u64 << 40, 1..1_u64 << 40);
    let who = (any::<[u8; 16]>(), 1..=127_u8, 1..=u32::MAX, 1..=0x3FFF_u32);
    (who, role, 0..32_u16, keys, times).prop_map(
        |(
            (account, number, epoch, registration),
            role,
            bits,
            (key, issuer, label),
            (from, life),
        )| {
            Certificate {
                address: DeviceAddress {
                    account: AccountId::from_bytes(account),
                    device: device(number),
                },
                epoch,
                registration_id: RegistrationId::try_from(registration).unwrap(),
                key: with_type(key),
                role,
                capabilities: Capabilities::try_from(bits).unwrap(),
                not_before: from,
                not_after: from + life,
                label_commitment: label,
                account_key: with_type(issuer),
            }
        },
    )
}

fn with_type(key: [u8; 32]) -> [u8; 33] {
    let mut typed = [5; 33];
    typed[1..].copy_from_slice(&key);
    typed
}

fn list() -> impl Strategy<Value = DeviceList> {
    let entries = btree_map(1..=127_u8, (1..=50_u32, any::<[u8; 32]>()), 0..=16);
    let revoked = btree_map((1..=127_u8, 51..=99_u32), any::<u64>(), 0..=64);
    (
        any::<[u8; 16]>(),
        any::<[u8; 32]>(),
        1..9_u64,
        entries,
        revoked,
    )
        .prop_map(|(account, key, version, entries, revoked)| DeviceList {
            account: AccountId::from_bytes(account),
            account_key: with_type(key),
            version,
            previous: if version == 1 { [0; 32] } else { [7; 32] },
            issued: 5,
            expires: 6,
            issuer: device(1),
            highest_epoch: 99,
            entries: entries
                .into_iter()
                .map(|(number, (epoch, certificate))| Entry {
                    device: device(number),
                    epoch,
                    certificate,
                })
                .collect(),
            revoked: revoked
                .into_iter()
                .map(|((number, epoch), at)| Revoked {
                    device: device(number),
                    epoch,
                    at,
                    reason: Reason::Retired,
                })
                .collect(),
        })
}

proptest! {
    #[test]
    fn a_certificate_comes_back_as_it_was_and_has_the_length_it_promises(
        certificate in certificate(), signatures in any::<[u8; 32]>(),
    ) {
        let body = certificate.encode();
        prop_assert_eq!(body.len(), Certificate::LENGTH);
        prop_assert_eq!(Certificate::decode(&body), Ok(certificate.clone()));
        let signature: [u8; 64] = [signatures, signatures].concat().try_into().unwrap();
        let signed = SignedCertificate { certificate, by_account: signature, by_device: signature };
        prop_assert_eq!(signed.encode().len(), SignedCertificate::LENGTH);
        prop_assert_eq!(SignedCertificate::decode(&signed.encode()), Ok(signed));
    }

    #[test]
    fn a_list_comes_back_as_it_was(list in list()) {
        prop_assert_eq!(DeviceList::decode(&list.encode()), Ok(list.clone()));
        let signed = SignedList { list, signature: [3; 64] };
        prop_assert_eq!(SignedList::decode(&signed.encode()), Ok(signed));
    }

    #[test]
    fn other_bytes_are_another_certificate_or_none(
        certificate in certificate(), at in 0..Certificate::LENGTH, bit in 0..8_u8,
    ) {
        let mut body = certificate.encode();
        body[at] ^= 1 << bit;
        prop_assert_ne!(Certificate::decode(&body), Ok(certificate));
        if let Ok(other) = Certificate::decode(&body) {
            prop_assert_eq!(other.encode(), body);
        }
    }

    #[test]
    fn other_bytes_are_another_list_or_none(list in list(), at in any::<prop::sample::Index>(), bit in 0..8_u8) {
        let mut body = list.encode();
        let at = at.index(body.len());
        body[at] ^= 1 << bit;
        prop_assert_ne!(DeviceList::decode(&body), Ok(list));
        if let Ok(other) = DeviceList::decode(&body) {
            prop_assert_eq!(other.encode(), body);
        }
    }

    #[test]
    fn a_part_of_one_or_more_than_one_is_none(certificate in certificate(), list in list(), cut in 1..100_usize) {
        let (body, list) = (certificate.encode(), list.encode());
        prop_assert!(Certificate::decode(&body[..body.len() - cut]).is_err());
        prop_assert!(DeviceList::decode(&list[..list.len() - cut.min(list.len())]).is_err());
        prop_assert!(Certificate::decode(&[body, vec![0; cut]].concat()).is_err());
        prop_assert!(DeviceList::decode(&[list, vec![0; cut]].concat()).is_err());
    }

    #[test]
    fn hostile_bytes_are_refused_without_a_panic(bytes in any::<Vec<u8>>()) {
        prop_assert!(Certificate::decode(&bytes).is_err() || bytes.len() == Certificate::LENGTH);
        prop_assert!(SignedCertificate::decode(&bytes).is_err() || bytes.len() == SignedCertificate::LENGTH);
        if let Ok(list) = SignedList::decode(&bytes) {
            prop_assert_eq!(list.encode(), bytes);
        }
    }
}

#[test]
fn what_is_signed_for_one_use_is_nothing_in_another() {
    let uses = [
        Certificate::signed_by_account(b"body"),
        Certificate::signed_by_device(b"body"),
        DeviceList::signed_by_account(b"body"),
    ];
    for (at, one) in uses.iter().enumerate() {
        for other in &uses[at + 1..] {
            assert_ne!(one, other);
        }
        assert!(one.ends_with(b"body"));
    }
}

#[test]
fn a_list_that_names_a_device_twice_or_an_epoch_that_was_never_given_is_none() {
    let entry = |number, epoch| Entry {
        device: device(number),
        epoch,
        certificate: [1; 32],
    };
    let revoked = |number, epoch| Revoked {
        device: device(number),
        epoch,
        at: 1,
        reason: Reason::Lost,
    };
    let good = DeviceList {
        account: AccountId::from_bytes([1; 16]),
        account_key: [5; 33],
        version: 1,
        previous: [0; 32],
        issued: 1,
        expires: 2,
        issuer: device(1),
        highest_epoch: 3,
        entries: vec![entry(2, 1), entry(3, 2)],
        revoked: vec![revoked(2, 3)],
    };
    assert_eq!(DeviceList::decode(&good.encode()), Ok(good.clone()));
    let twice = vec![entry(2, 1), entry(2, 2)];
    let backwards = vec![entry(3, 2), entry(2, 1)];
    let never_given = vec![entry(2, 4)];
    let no_epoch = vec![entry(2, 0)];
    for entries in [twice, backwards, never_given, no_epoch] {
        let bad = DeviceList {
            entries,
            ..good.clone()
        };
        assert!(DeviceList::decode(&bad.encode()).is_err(), "{bad:?}");
    }
    let both = DeviceList {
        revoked: vec![revoked(2, 1)],
        ..good.clone()
    };
    assert!(DeviceList::decode(&both.encode()).is_err());
    let no_version = DeviceList { version: 0, ..good };
    assert!(DeviceList::decode(&no_version.encode()).is_err());
}
