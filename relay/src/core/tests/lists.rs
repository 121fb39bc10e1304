//! Signed device lists: the next version or none, by an owner alone, and what a list says of devices with keys of their own.

use libsignal_core::curve::KeyPair;
use sha2::{Digest, Sha256};
use wire::DeviceId;
use wire::body::{Base64, LinkDevice, ListedDevices, PutDeviceList};
use wire::bundle::LeftOut;
use wire::certificate::{Capabilities, Certificate, Role, SignedCertificate};
use wire::device_list::{DeviceList, Entry, Reason, Revoked, SignedList};
use wire::rendezvous::Rendezvous;

use super::*;
use wire::basic::Basic;

fn first_list(scene: &Scene) -> DeviceList {
    DeviceList {
        account: scene.a1.account(),
        account_key: scene.alice.key(),
        version: 1,
        previous: [0; 32],
        issued: 1,
        expires: 2,
        issuer: DeviceId::PRIMARY,
        highest_epoch: 1,
        entries: Vec::new(),
        revoked: Vec::new(),
    }
}

fn after(list: &DeviceList) -> DeviceList {
    DeviceList {
        version: list.version + 1,
        previous: Sha256::digest(list.encode()).into(),
        ..list.clone()
    }
}

fn signed(scene: &mut Scene, list: DeviceList) -> SignedList {
    let body = DeviceList::signed_by_account(&list.encode());
    let signature = scene.alice.sign(&body).try_into().unwrap();
    SignedList { list, signature }
}

fn put(scene: &mut Scene, by: Device, list: DeviceList) -> Answer {
    let list = Base64(signed(scene, list).encode());
    let body = to_json(&PutDeviceList {
        list,
        certificates: Vec::new(),
    });
    scene.bench.ask(&by, Endpoint::PutDeviceList, &body)
}

/// What a device with a key of its own shows.
struct Certified {
    key: KeyPair,
    certificate: Certificate,
}

impl Certified {
    fn new(scene: &mut Scene, device: DeviceId) -> Self {
        let key = KeyPair::generate(&mut scene.bench.rng);
        let certificate = Certificate {
            address: wire::DeviceAddress {
                account: scene.a1.account(),
                device,
            },
            epoch: 1,
            registration_id: 77.try_into().unwrap(),
            key: (*key.public_key.serialize()).try_into().unwrap(),
            role: Role::Device,
            capabilities: Capabilities::FULL,
            not_before: 1,
            not_after: 2,
            label_commitment: [0; 32],
            account_key: scene.alice.key(),
        };
        Self { key, certificate }
    }

    fn entry(&self) -> Entry {
        Entry {
            device: self.certificate.address.device,
            epoch: 1,
            certificate: Sha256::digest(self.certificate.encode()).into(),
        }
    }

    fn signed(&self, scene: &mut Scene) -> SignedCertificate {
        let body = self.certificate.encode();
        let by_account = scene.alice.sign(&Certificate::signed_by_account(&body));
        let of_device = Certificate::signed_by_device(&body);
        let by_device = self
            .key
            .calculate_signature(&of_device, &mut scene.bench.rng);
        SignedCertificate {
            certificate: self.certificate.clone(),
            by_account: by_account.try_into().unwrap(),
            by_device: (*by_device.unwrap()).try_into().unwrap(),
        }
    }

    fn link(&self, scene: &mut Scene, token: &str, certificate: Vec<u8>) -> Answer {
        self.link_as(scene, token, certificate, None)
    }

    fn link_as(
        &self,
        scene: &mut Scene,
        token: &str,
        certificate: Vec<u8>,
        credential: Option<String>,
    ) -> Answer {
        let mut person = scene.alice.with_key(self.key);
        let body = LinkDevice {
            certificate: Some(Base64(certificate)),
            credential,
            ..person.link(token, 77)
        };
        let header = Basic {
            name: "whoever".to_owned(),
            password: "a long enough password".to_owned(),
        };
        let (endpoint, header) = (Endpoint::LinkDevice, Some(header.header()));
        scene
            .bench
            .ask_with(None, endpoint, &to_json(&body), header)
    }
}

/// A scene whose list names a device that is there, with its certificate and the list.
fn with_certified() -> (Scene, Device, Certified, DeviceList) {
    let mut scene = scene();
    let by = scene.a1;
    let token = scene.bench.token(&by);
    let certified = Certified::new(&mut scene, token.device_id.unwrap());
    let list = DeviceList {
        entries: vec![certified.entry()],
        ..first_list(&scene)
    };
    assert_eq!(put(&mut scene, by, list.clone()).status, 200);
    let certificate = certified.signed(&mut scene).encode();
    let answer = certified.link(&mut scene, &token.verification_code, certificate);
    assert_eq!(answer.status, 200, "{}", code(&answer));
    let device = scene.bench.made(&answer, 77);
    assert_eq!(Some(device.caller.address.device), token.device_id);
    (scene, device, certified, list)
}

#[test]
fn a_list_is_followed_by_its_next_version_and_by_no_other() {
    let mut scene = scene();
    let (a1, a2) = (scene.a1, scene.a2);
    let of_alice = Endpoint::DeviceList(a1.account());
    assert_eq!(
        code(&scene.bench.ask(&a1, of_alice.clone(), &[])),
        "no_list"
    );
    let first = first_list(&scene);
    assert_eq!(
        put(&mut scene, a1, after(&first)).status,
        422,
        "nothing to follow"
    );
    assert_eq!(put(&mut scene, a1, first.clone()).status, 200);
    let (left, right) = (
        after(&first),
        DeviceList {
            issued: 9,
            expires: 10,
            ..after(&first)
        },
    );
    assert_eq!(put(&mut scene, a2, left.clone()).status, 200);
    let late = put(&mut scene, a1, right);
    assert_eq!(late.status, 409, "two owners at once: one wins");
    let listed: ListedDevices = from_json(&late.body).unwrap();
    let present = SignedList::decode(&listed.list.0).unwrap();
    assert_eq!(present.list, left);
    for wrong in [first.clone(), left.clone(), after(&after(&left))] {
        assert_eq!(put(&mut scene, a1, wrong).status, 409);
    }
    let forked = DeviceList {
        previous: [8; 32],
        ..after(&left)
    };
    assert_eq!(put(&mut scene, a1, forked).status, 409);
    let fewer_epochs = DeviceList {
        highest_epoch: 0,
        ..after(&left)
    };
    assert_eq!(put(&mut scene, a1, fewer_epochs).status, 409);
    assert_eq!(put(&mut scene, a1, after(&left)).status, 200);
    assert_eq!(
        scene.bench.ask(&scene.b1.clone(), of_alice, &[]).status,
        200
    );
}

#[test]
fn the_same_list_again_is_no_error() {
    let mut scene = scene();
    let a1 = scene.a1;
    let list = first_list(&scene);
    let body = to_json(&PutDeviceList {
        list: Base64(signed(&mut scene, list).encode()),
        certificates: Vec::new(),
    });
    for _ in 0..2 {
        assert_eq!(
            scene.bench.ask(&a1, Endpoint::PutDeviceList, &body).status,
            200
        );
    }
}

#[test]
fn a_list_that_its_key_has_not_signed_is_refused() {
    let mut scene = scene();
    let a1 = scene.a1;
    let list = first_list(&scene);
    let good = signed(&mut scene, list.clone());
    let of_other_use = Certificate::signed_by_account(&list.encode());
    let signature = scene.alice.sign(&of_other_use).try_into().unwrap();
    let elsewhere = SignedList {
        signature,
        ..good.clone()
    };
    let another = DeviceList {
        account_key: scene.bob.key(),
        ..list.clone()
    };
    let bobs = DeviceList {
        account: scene.b1.account(),
        ..list
    };
    let mauled = SignedList {
        signature: [1; 64],
        ..good.clone()
    };
    let (another, bobs) = (signed(&mut scene, another), signed(&mut scene, bobs));
    for bad in [mauled, elsewhere, another, bobs] {
        let body = to_json(&PutDeviceList {
            list: Base64(bad.encode()),
            certificates: Vec::new(),
        });
        assert_eq!(
            scene.bench.ask(&a1, Endpoint::PutDeviceList, &body).status,
            422
        );
    }
    let body = to_json(&PutDeviceList {
        list: Base64(good.encode()[..20].to_vec()),
        certificates: Vec::new(),
    });
    assert_ne!(
        scene.bench.ask(&a1, Endpoint::PutDeviceList, &body).status,
        200
    );
}

#[test]
fn a_certified_device_has_its_own_key_and_is_known_by_its_certificate() {
    let (mut scene, device, certified, _) = with_certified();
    let mut person = scene.alice.with_key(certified.key);
    let keys = to_json(&person.one_time_keys(2));
    assert_eq!(
        scene.bench.ask(&device, Endpoint::PutKeys, &keys).status,
        204
    );
    let of_account = to_json(&scene.alice.one_time_keys(2));
    let refused = scene.bench.ask(&device, Endpoint::PutKeys, &of_account);
    assert_eq!(refused.status, 422, "signed by the account's key");
    let all = Endpoint::Keys {
        account: device.account(),
        device: None,
    };
    let b1 = scene.b1;
    let answer: PreKeyResponse = from_json(&scene.bench.ask(&b1, all, &[]).body).unwrap();
    assert!(answer.device_list.is_some());
    let with: Vec<_> = answer
        .devices
        .iter()
        .filter(|d| d.certificate.is_some())
        .collect();
    assert_eq!(with.len(), 1);
    assert_eq!(with[0].device_id, device.caller.address.device);
    let whoami: wire::body::WhoAmI =
        from_json(&scene.bench.ask(&device, Endpoint::WhoAmI, &[]).body).unwrap();
    assert_eq!(whoami.list_version, Some(1));
}

#[test]
fn who_does_not_hold_the_accounts_key_neither_links_nor_removes_nor_signs() {
    let (mut scene, device, _, list) = with_certified();
    let a1 = scene.a1;
    let of_others = [
        Endpoint::LinkToken,
        Endpoint::DeleteAccount,
        Endpoint::RemoveDevice(a1.caller.address.device),
        Endpoint::Rendezvous(Rendezvous::Look {
            at: None,
            timeout_s: 0,
        }),
        Endpoint::Rendezvous(Rendezvous::Put {
            at: "0".repeat(32),
            index: 0,
        }),
    ];
    for endpoint in of_others {
        let answer = scene.bench.ask(&device, endpoint, &[]);
        assert_eq!((answer.status, code(&answer).as_str()), (403, "not_owner"));
    }
    assert_eq!(code(&put(&mut scene, device, after(&list))), "not_owner");
    let itself = Endpoint::RemoveDevice(device.caller.address.device);
    assert_eq!(scene.bench.ask(&device, itself, &[]).status, 204);
}

#[test]
fn a_device_that_the_list_names_no_more_is_gone_with_it() {
    let (mut scene, device, _, list) = with_certified();
    let (a1, address) = (scene.a1, device.caller.address);
    let revoked = Revoked {
        device: address.device,
        epoch: 1,
        at: 5,
        reason: Reason::Lost,
    };
    let without = DeviceList {
        entries: Vec::new(),
        revoked: vec![revoked],
        ..after(&list)
    };
    let answer = put(&mut scene, a1, without);
    assert_eq!(
        (answer.status, answer.effects),
        (200, vec![Effect::Removed(address)])
    );
    assert_eq!(scene.bench.ask(&device, Endpoint::WhoAmI, &[]).status, 401);
}

#[test]
fn the_last_owner_stays_though_other_devices_are_there() {
    let (mut scene, _, _, _) = with_certified();
    let (a1, a2) = (scene.a1, scene.a2);
    let remove = |of: Device| Endpoint::RemoveDevice(of.caller.address.device);
    assert_eq!(scene.bench.ask(&a1, remove(a2), &[]).status, 204);
    assert_eq!(code(&scene.bench.ask(&a1, remove(a1), &[])), "last_device");
}

#[test]
fn a_certificate_that_is_not_of_this_device_or_not_in_the_list_joins_nothing() {
    let mut scene = scene();
    let a1 = scene.a1;
    let token = scene.bench.token(&a1);
    let certified = Certified::new(&mut scene, token.device_id.unwrap());
    let code_of = token.verification_code;
    let good = certified.signed(&mut scene);
    let unlisted = certified.link(&mut scene, &code_of, good.encode());
    assert_eq!(code(&unlisted), "certificate_refused");
    let list = DeviceList {
        entries: vec![certified.entry()],
        ..first_list(&scene)
    };
    assert_eq!(put(&mut scene, a1, list).status, 200);
    let other = Certificate {
        epoch: 2,
        ..good.certificate.clone()
    };
    let owner = Certificate {
        role: Role::Owner,
        ..good.certificate.clone()
    };
    let swapped = SignedCertificate {
        by_account: good.by_device,
        by_device: good.by_account,
        ..good.clone()
    };
    let unsigned = SignedCertificate {
        by_account: [0; 64],
        ..good.clone()
    };
    let without_consent = SignedCertificate {
        by_device: [0; 64],
        ..good.clone()
    };
    let others = [other, owner].map(|certificate| SignedCertificate {
        certificate,
        ..good.clone()
    });
    for bad in others
        .into_iter()
        .chain([swapped, unsigned, without_consent])
    {
        let answer = certified.link(&mut scene, &code_of, bad.encode());
        assert!([403, 422].contains(&answer.status), "{}", answer.status);
    }
    assert_eq!(
        certified.link(&mut scene, &code_of, good.encode()).status,
        200
    );
}

#[test]
fn only_a_certified_device_may_be_left_out_for_want_of_trust() {
    let (mut scene, device, _, _) = with_certified();
    let (a1, a2, b1, b2) = (scene.a1, scene.a2, scene.b1, scene.b2);
    let left_out = |device: &Device| LeftOut {
        device: device.caller.address.device,
        registration_id: device.registration_id.try_into().unwrap(),
        signed_pre_key: None,
    };
    let mut sent = bundle(1, &[&a1, &a2, &b2], b"x");
    sent.recipients[0].without = vec![left_out(&device)];
    assert_eq!(
        scene
            .bench
            .ask(&b1, Endpoint::Bundles, &sent.encode())
            .status,
        200
    );
    let mut sent = bundle(2, &[&a1, &device, &b2], b"x");
    sent.recipients[0].without = vec![left_out(&a2)];
    assert_eq!(
        scene
            .bench
            .ask(&b1, Endpoint::Bundles, &sent.encode())
            .status,
        409
    );
    let from_it = bundle(3, &[&a1, &a2, &b1, &b2], b"x");
    assert_eq!(
        scene
            .bench
            .ask(&device, Endpoint::Bundles, &from_it.encode())
            .status,
        200
    );
    let mail = scene.bench.mail(&b1);
    assert!(mail.iter().all(|envelope| envelope.certified));
}

/// Puts the next list with another certificate of a device that is there.
fn put_with(scene: &mut Scene, list: &DeviceList, new: &Certified) -> Answer {
    let next = DeviceList {
        entries: vec![new.entry()],
        ..after(list)
    };
    let certificate = Base64(new.signed(scene).encode());
    let body = to_json(&PutDeviceList {
        list: Base64(signed(scene, next).encode()),
        certificates: vec![certificate],
    });
    let by = scene.a1;
    scene.bench.ask(&by, Endpoint::PutDeviceList, &body)
}

#[test]
fn a_device_gets_another_certificate_with_the_list_that_names_it_and_stays() {
    let (mut scene, device, known, list) = with_certified();
    let later = Certified {
        key: known.key,
        certificate: Certificate {
            not_after: 9,
            ..known.certificate.clone()
        },
    };
    let answer = put_with(&mut scene, &list, &later);
    assert_eq!((answer.status, answer.effects), (200, vec![]));
    let of_alice = Endpoint::DeviceList(scene.a1.account());
    let listed = scene.bench.ask(&device, of_alice, &[]);
    let listed: ListedDevices = from_json(&listed.body).unwrap();
    let certificates = listed.certificates.iter();
    let certificates = certificates.map(|bytes| SignedCertificate::decode(&bytes.0).unwrap());
    let certificates: Vec<_> = certificates.map(|signed| signed.certificate).collect();
    assert_eq!(certificates, [later.certificate]);
}

#[test]
fn a_certificate_for_another_key_or_role_takes_no_ones_place() {
    let (mut scene, device, known, list) = with_certified();
    let key = KeyPair::generate(&mut scene.bench.rng);
    let of_another_key = Certified {
        key,
        certificate: Certificate {
            key: (*key.public_key.serialize()).try_into().unwrap(),
            ..known.certificate.clone()
        },
    };
    let of_another_role = Certified {
        key: known.key,
        certificate: Certificate {
            role: Role::DelegateRead,
            ..known.certificate.clone()
        },
    };
    for wrong in [of_another_key, of_another_role] {
        let answer = put_with(&mut scene, &list, &wrong);
        assert_eq!(code(&answer), "certificate_refused");
    }
    assert_eq!(scene.bench.ask(&device, Endpoint::WhoAmI, &[]).status, 200);
    let by = scene.a1;
    let unchanged = DeviceList {
        entries: list.entries.clone(),
        ..after(&list)
    };
    assert_eq!(
        put(&mut scene, by, unchanged).status,
        200,
        "nothing was stored"
    );
}

#[test]
fn another_persons_device_joins_with_that_persons_credential_and_one_of_the_account_does_not() {
    for (role, status) in [(Role::DelegateAnswer, 200), (Role::Device, 401)] {
        let mut scene = scene();
        let by = scene.a1;
        let token = scene.bench.token(&by);
        let mut certified = Certified::new(&mut scene, token.device_id.unwrap());
        certified.certificate.role = role;
        let list = DeviceList {
            entries: vec![certified.entry()],
            ..first_list(&scene)
        };
        assert_eq!(put(&mut scene, by, list).status, 200);
        scene.wants_credentials();
        let certificate = certified.signed(&mut scene).encode();
        let mut join = |credential| {
            let code = &token.verification_code;
            certified.link_as(&mut scene, code, certificate.clone(), credential)
        };
        assert_eq!(join(None).status, 401, "somebody it has to be");
        let bobs = rendezvous::credential("bob");
        assert_eq!(join(bobs).status, status);
    }
}
