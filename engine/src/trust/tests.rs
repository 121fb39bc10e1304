//! The trust rule against forged, mauled, misplaced and replayed lists and certificates (D-1, D-5, T11, T12, T14): whatever is not
//! what the account's key says changes nothing.

use libsignal_protocol::{IdentityKey, IdentityKeyPair};
use rand::SeedableRng as _;
use rand_chacha::ChaCha20Rng;
use wire::certificate::{Capabilities, Certificate, SignedCertificate};
use wire::device_list::{Entry, Reason, Revoked};
use wire::{DeviceAddress, RegistrationId};

use super::make::key_bytes;
use super::take::{certificate_hash, hash};
use super::*;
use crate::peers;

const NOW: u64 = 1_800_000_000_000;

/// An account's key, a device's, and what the one says of the other.
struct Scene {
    rng: ChaCha20Rng,
    account: IdentityKeyPair,
    device: IdentityKeyPair,
    certificate: Certificate,
    list: DeviceList,
}

fn id(number: u32) -> DeviceId {
    number.try_into().unwrap()
}

fn scene() -> Scene {
    let mut rng = ChaCha20Rng::seed_from_u64(9);
    let account = IdentityKeyPair::generate(&mut rng);
    let device = IdentityKeyPair::generate(&mut rng);
    let address = DeviceAddress {
        account: AccountId::from_bytes([7; 16]),
        device: id(2),
    };
    let certificate = Certificate {
        address,
        epoch: 1,
        registration_id: RegistrationId::from_random(500),
        key: key_bytes(device.public_key()),
        role: Role::Device,
        capabilities: Capabilities::FULL,
        not_before: 0,
        not_after: u64::MAX,
        label_commitment: [0; 32],
        account_key: key_bytes(account.public_key()),
    };
    let list = DeviceList {
        account: address.account,
        account_key: key_bytes(account.public_key()),
        version: 1,
        previous: [0; 32],
        issued: NOW,
        expires: NOW + 1000,
        issuer: id(1),
        highest_epoch: 1,
        entries: vec![entry(&certificate)],
        revoked: Vec::new(),
    };
    Scene {
        rng,
        account,
        device,
        certificate,
        list,
    }
}

fn entry(certificate: &Certificate) -> Entry {
    Entry {
        device: certificate.address.device,
        epoch: certificate.epoch,
        certificate: certificate_hash(certificate),
    }
}

fn after(list: &DeviceList) -> DeviceList {
    DeviceList {
        version: list.version + 1,
        previous: hash(list),
        ..list.clone()
    }
}

impl Scene {
    fn sign(&mut self, by: IdentityKeyPair, message: &[u8]) -> [u8; 64] {
        let signature = by.private_key().calculate_signature(message, &mut self.rng);
        (*signature.unwrap()).try_into().unwrap()
    }

    fn signed_list(&mut self, list: &DeviceList) -> Vec<u8> {
        let body = DeviceList::signed_by_account(&list.encode());
        SignedList {
            signature: self.sign(self.account, &body),
            list: list.clone(),
        }
        .encode()
    }

    fn signed_certificate(&mut self, certificate: &Certificate) -> SignedCertificate {
        let body = certificate.encode();
        SignedCertificate {
            certificate: certificate.clone(),
            by_account: self.sign(self.account, &Certificate::signed_by_account(&body)),
            by_device: self.sign(self.device, &Certificate::signed_by_device(&body)),
        }
    }

    fn take(&self, peer: &mut PeerRecord, list: &[u8], certificates: &[Vec<u8>]) -> Outcome {
        let pinned = *self.account.identity_key();
        let own = IdentityKeyPair::generate(&mut ChaCha20Rng::seed_from_u64(1));
        let listing = Listing {
            account: self.certificate.address.account,
            pinned: Some(&pinned),
            own: own.identity_key(),
            list,
            certificates: certificates.iter().map(Vec::as_slice).collect(),
        };
        take(peer, &listing, NOW)
    }

    /// What is known after the list and the certificate as they should be.
    fn known(&mut self) -> PeerRecord {
        let mut peer = PeerRecord::default();
        let (list, certificate) = (self.list.clone(), self.certificate.clone());
        let list = self.signed_list(&list);
        let certificate = self.signed_certificate(&certificate).encode();
        assert_eq!(self.take(&mut peer, &list, &[certificate]), Outcome::Taken);
        peer
    }
}

fn trusted(peer: &PeerRecord, now: u64) -> Vec<(IdentityKey, bool)> {
    let certified = certified(peer, id(2), Timestamp(now));
    certified
        .into_iter()
        .map(|c| (c.key, c.is_current))
        .collect()
}

#[test]
fn a_certified_key_in_the_newest_list_is_trusted_and_no_other() {
    let mut scene = scene();
    let peer = scene.known();
    assert_eq!(trusted(&peer, NOW), [(*scene.device.identity_key(), true)]);
    assert!(certified(&peer, id(3), Timestamp(NOW)).is_empty());
    assert_eq!(role(&peer, id(2)), Role::Device);
    assert_eq!(role(&peer, id(1)), Role::Owner);
}

#[test]
fn a_certificate_with_any_bit_changed_is_trusted_for_nothing() {
    let mut scene = scene();
    let list = scene.list.clone();
    let certificate = scene.certificate.clone();
    let list = scene.signed_list(&list);
    let good = scene.signed_certificate(&certificate).encode();
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 1;
        let mut peer = PeerRecord::default();
        scene.take(&mut peer, &list, &[bad]);
        assert!(trusted(&peer, NOW).is_empty(), "byte {at}");
    }
}

#[test]
fn a_list_with_any_bit_changed_changes_nothing() {
    let mut scene = scene();
    let mut peer = scene.known();
    let before = peer.clone();
    let next = after(&scene.list.clone());
    let good = scene.signed_list(&next);
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 1;
        let outcome = scene.take(&mut peer, &bad, &[]);
        assert!(outcome != Outcome::Taken, "byte {at}");
        assert_eq!(peer, before, "byte {at}");
    }
    assert_eq!(scene.take(&mut peer, &good, &[]), Outcome::Taken);
}

#[test]
fn what_was_signed_for_one_use_is_refused_in_every_other() {
    let mut scene = scene();
    let (list, certificate) = (scene.list.clone(), scene.certificate.clone());
    let good = scene.signed_certificate(&certificate);
    let body = certificate.encode();
    let list_body = list.encode();
    let contexts = [
        Certificate::signed_by_account(&body),
        Certificate::signed_by_device(&body),
        DeviceList::signed_by_account(&body),
        body.clone(),
    ];
    for (of_account, context) in contexts.iter().enumerate() {
        for (of_device, other) in contexts.iter().enumerate() {
            let signed = SignedCertificate {
                certificate: certificate.clone(),
                by_account: scene.sign(scene.account, context),
                by_device: scene.sign(scene.device, other),
            };
            let mut peer = PeerRecord::default();
            let list = scene.signed_list(&list);
            scene.take(&mut peer, &list, &[signed.encode()]);
            let fits = of_account == 0 && of_device == 1;
            assert_eq!(
                trusted(&peer, NOW).is_empty(),
                !fits,
                "{of_account} {of_device}"
            );
        }
    }
    for context in [
        Certificate::signed_by_account(&list_body),
        Certificate::signed_by_device(&list_body),
        list_body.clone(),
    ] {
        let signed = SignedList {
            signature: scene.sign(scene.account, &context),
            list: list.clone(),
        };
        let mut peer = PeerRecord::default();
        assert_eq!(
            scene.take(&mut peer, &signed.encode(), &[]),
            Outcome::Refused
        );
    }
    let swapped = SignedCertificate {
        by_account: good.by_device,
        by_device: good.by_account,
        ..good
    };
    let mut peer = PeerRecord::default();
    let list = scene.signed_list(&list);
    scene.take(&mut peer, &list, &[swapped.encode()]);
    assert!(trusted(&peer, NOW).is_empty());
}

#[test]
fn a_certificate_of_another_account_device_or_epoch_is_trusted_for_nothing() {
    let mut scene = scene();
    let good = scene.certificate.clone();
    let elsewhere = DeviceAddress {
        account: AccountId::from_bytes([8; 16]),
        ..good.address
    };
    let other_device = DeviceAddress {
        device: id(3),
        ..good.address
    };
    let stranger = IdentityKeyPair::generate(&mut scene.rng);
    let others = [
        Certificate {
            address: elsewhere,
            ..good.clone()
        },
        Certificate {
            address: other_device,
            ..good.clone()
        },
        Certificate {
            epoch: 2,
            ..good.clone()
        },
        Certificate {
            role: Role::Owner,
            ..good.clone()
        },
        Certificate {
            account_key: key_bytes(stranger.public_key()),
            ..good.clone()
        },
        Certificate {
            key: key_bytes(scene.account.public_key()),
            ..good.clone()
        },
    ];
    for other in others {
        let signed = scene.signed_certificate(&other).encode();
        // Even if the list named it: what it says of itself must fit.
        for entry in [entry(&good), entry(&other)] {
            let named = DeviceList {
                entries: vec![Entry {
                    device: id(2),
                    epoch: 1,
                    ..entry
                }],
                ..scene.list.clone()
            };
            let list = scene.signed_list(&named);
            let mut peer = PeerRecord::default();
            scene.take(&mut peer, &list, std::slice::from_ref(&signed));
            assert!(trusted(&peer, NOW).is_empty(), "{other:?}");
        }
    }
}

#[test]
fn versions_only_rise_and_another_list_of_the_same_version_is_a_fork() {
    let mut scene = scene();
    let mut peer = scene.known();
    let first = scene.list.clone();
    let second = after(&first);
    let (old, new) = (scene.signed_list(&first), scene.signed_list(&second));
    assert_eq!(scene.take(&mut peer, &new, &[]), Outcome::Taken);
    let known = peer.clone();
    assert_eq!(scene.take(&mut peer, &old, &[]), Outcome::Older);
    assert_eq!(peer, known);
    let other = DeviceList {
        issued: NOW - 1,
        ..second.clone()
    };
    let other = scene.signed_list(&other);
    assert_eq!(scene.take(&mut peer, &other, &[]), Outcome::Forked);
    assert_eq!(
        trusted(&peer, NOW),
        [(*scene.device.identity_key(), false)],
        "not sent to"
    );
    let beside = DeviceList {
        previous: [3; 32],
        ..after(&second)
    };
    let beside = scene.signed_list(&beside);
    assert_eq!(scene.take(&mut peer, &beside, &[]), Outcome::Forked);
    let third = scene.signed_list(&after(&second));
    assert_eq!(scene.take(&mut peer, &third, &[]), Outcome::Taken);
    assert_eq!(trusted(&peer, NOW), [(*scene.device.identity_key(), true)]);
}

#[test]
fn a_list_under_another_key_is_not_taken_in_but_told() {
    let mut scene = scene();
    let mut peer = scene.known();
    let before = peer.clone();
    let thief = IdentityKeyPair::generate(&mut scene.rng);
    let list = DeviceList {
        account_key: key_bytes(thief.public_key()),
        ..after(&scene.list.clone())
    };
    let body = DeviceList::signed_by_account(&list.encode());
    let signed = SignedList {
        signature: scene.sign(thief, &body),
        list: list.clone(),
    };
    let outcome = scene.take(&mut peer, &signed.encode(), &[]);
    assert_eq!(outcome, Outcome::OtherKey(list.account_key));
    assert_eq!(peer, before);
}

#[test]
fn a_revoked_device_is_not_sent_to_and_one_that_was_lost_is_not_read_either() {
    for (reason, is_read) in [
        (Reason::Retired, true),
        (Reason::Lost, false),
        (Reason::Ended, false),
    ] {
        let mut scene = scene();
        let mut peer = scene.known();
        let revoked = Revoked {
            device: id(2),
            epoch: 1,
            at: NOW,
            reason,
        };
        let list = DeviceList {
            entries: Vec::new(),
            revoked: vec![revoked],
            ..after(&scene.list.clone())
        };
        let list = scene.signed_list(&list);
        assert_eq!(scene.take(&mut peer, &list, &[]), Outcome::Taken);
        assert!(peers::current_devices(&peer).is_empty());
        let left = trusted(&peer, NOW);
        assert_eq!(left.is_empty(), !is_read, "{reason:?}");
        assert!(left.iter().all(|(_, is_current)| !is_current));
        // The relay brings the certificate back: the list does not.
        let certificate = scene.certificate.clone();
        let certificate = scene.signed_certificate(&certificate).encode();
        scene.take(&mut peer, &list, &[certificate]);
        assert!(
            trusted(&peer, NOW)
                .iter()
                .all(|(_, is_current)| !is_current)
        );
    }
}

#[test]
fn a_list_that_has_expired_or_is_known_to_be_old_is_good_for_reading_alone() {
    let mut scene = scene();
    let mut peer = scene.known();
    assert_eq!(
        trusted(&peer, NOW + 999),
        [(*scene.device.identity_key(), true)]
    );
    assert_eq!(
        trusted(&peer, NOW + 1000),
        [(*scene.device.identity_key(), false)]
    );
    assert!(is_untrusted(&peer, id(2), Timestamp(NOW + 1000)));
    let list = DeviceList {
        expires: u64::MAX,
        ..after(&scene.list.clone())
    };
    let list = scene.signed_list(&list);
    assert_eq!(scene.take(&mut peer, &list, &[]), Outcome::Taken);
    (peer.newer_list, peer.newer_list_at) = (9, NOW);
    assert!(!is_untrusted(
        &peer,
        id(2),
        Timestamp(NOW + NEWER_LIST_MS - 1)
    ));
    assert!(is_untrusted(&peer, id(2), Timestamp(NOW + NEWER_LIST_MS)));
}

#[test]
fn a_mauled_signature_makes_no_second_list() {
    let mut scene = scene();
    let mut peer = scene.known();
    let before = peer.clone();
    // Another signature of the same body: the body is what counts (V7).
    let again = scene.list.clone();
    let again = scene.signed_list(&again);
    assert_eq!(scene.take(&mut peer, &again, &[]), Outcome::Taken);
    assert_eq!(peer, before);
}
