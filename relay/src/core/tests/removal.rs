//! What ends: a device, an account; and a device that is not what the relay has seen of it.

use wire::fence::{Fence, ROLLED_BACK};

use super::*;

fn remove(scene: &mut Scene, by: Device, of: Device) -> Answer {
    let endpoint = Endpoint::RemoveDevice(of.caller.address.device);
    scene.bench.ask(&by, endpoint, &[])
}

fn fence(scene: &mut Scene, by: &mut Device, sign_ins: u64, seals: u64, received: u64) -> Answer {
    let body = to_json(&Fence {
        sign_ins,
        seals,
        received,
    });
    let answer = scene.bench.ask(by, Endpoint::Fence, &body);
    if answer.status == 204 {
        by.caller.sign_in = Some(sign_ins); // as the socket does it
    }
    answer
}

fn sealed(id: u8, to: &[&Device], seal: u64) -> Bundle {
    Bundle {
        seal,
        ..bundle(id, to, b"x")
    }
}

mod devices {
    use super::*;

    #[test]
    fn any_device_removes_any_other_also_the_first_and_itself() {
        let mut scene = scene();
        let (a1, a2) = (scene.a1, scene.a2);
        let a3 = scene.bench.link(&mut scene.alice, &a1, 13);
        let removed = remove(&mut scene, a2, a1);
        assert_eq!(removed.effects, [Effect::Removed(a1.caller.address)]);
        assert_eq!(remove(&mut scene, a1, a2).status, 401, "it is no more");
        let again = remove(&mut scene, a2, a1);
        assert_eq!((again.status, again.effects.len()), (204, 0));
        assert_eq!(remove(&mut scene, a3, a3).status, 204);
    }

    #[test]
    fn the_last_device_stays_until_the_account_is_deleted() {
        let mut scene = scene();
        let (a1, a2) = (scene.a1, scene.a2);
        assert_eq!(remove(&mut scene, a2, a1).status, 204);
        let refused = remove(&mut scene, a2, a2);
        assert_eq!(
            (refused.status, code(&refused).as_str()),
            (403, "last_device")
        );
        assert_eq!(scene.bench.ask(&a2, Endpoint::WhoAmI, &[]).status, 200);
    }

    #[test]
    fn nobody_removes_the_device_of_another_account() {
        let mut scene = scene();
        let (a1, b1) = (scene.a1, scene.b1);
        assert_eq!(
            remove(&mut scene, a1, b1).status,
            204,
            "it was their own device 1"
        );
        assert_eq!(scene.bench.ask(&b1, Endpoint::WhoAmI, &[]).status, 200);
    }

    #[test]
    fn a_removed_device_leaves_nothing_and_senders_are_told() {
        let mut scene = scene();
        let (a1, a2, b1, b2) = (scene.a1, scene.a2, scene.b1, scene.b2);
        let to_all = bundle(1, &[&b2, &a1, &a2], b"x");
        assert_eq!(scene.send(b1, &to_all).status, 200);
        remove(&mut scene, a1, a2);
        let at = a2.caller.address;
        assert_eq!(
            scene.bench.store.mailbox(at).unwrap(),
            MailboxRow::default()
        );
        assert_eq!(scene.bench.store.newest_mail(at).unwrap(), 0);
        for kind in [KeyKind::Ec, KeyKind::Kyber] {
            assert_eq!(scene.bench.store.signed_key(at, kind).unwrap(), None);
        }
        let refused = scene.send(b1, &bundle(2, &[&b2, &a1, &a2], b"x"));
        let mismatch = AccountMismatch::decode_all(&refused.body).unwrap();
        assert_eq!(mismatch[0].extra, [at.device]);
        assert_eq!(scene.send(b1, &bundle(2, &[&b2, &a1], b"x")).status, 200);
    }

    #[test]
    fn a_removed_device_comes_not_back_with_a_token_it_asked_for_before() {
        let mut scene = scene();
        let (a1, a2) = (scene.a1, scene.a2);
        let token = scene.bench.token(&a2);
        remove(&mut scene, a1, a2);
        let Scene { bench, alice, .. } = &mut scene;
        let answer = bench.link_with(alice, &token, 13, "the password of it");
        assert_eq!(
            (answer.status, code(&answer).as_str()),
            (403, "token_expired")
        );
    }

    #[test]
    fn ids_are_given_out_in_turn_and_the_first_never_again() {
        let mut scene = scene();
        let a2 = scene.a2;
        let first = scene.a1;
        remove(&mut scene, a2, first);
        let mut ids = Vec::new();
        for _ in 0..127 {
            let new = scene.bench.link(&mut scene.alice, &a2, 13);
            ids.push(new.caller.address.device.get());
            remove(&mut scene, a2, new);
        }
        let turn: Vec<u8> = (3..=127).chain([3, 4]).collect();
        assert_eq!(ids, turn);
    }
}

mod accounts {
    use super::*;

    #[test]
    fn a_deleted_account_is_gone_with_all_of_it() {
        let mut scene = scene();
        let (a1, a2, b1, b2) = (scene.a1, scene.a2, scene.b1, scene.b2);
        let to_all = bundle(1, &[&b2, &a1, &a2], b"x");
        assert_eq!(scene.send(b1, &to_all).status, 200);
        let token = scene.bench.token(&a1);
        let deleted = scene.bench.ask(&a2, Endpoint::DeleteAccount, &[]);
        assert_eq!(deleted.status, 204);
        let removed = [a1, a2].map(|device| Effect::Removed(device.caller.address));
        assert_eq!(deleted.effects, removed);
        for device in [a1, a2] {
            assert_eq!(scene.bench.ask(&device, Endpoint::WhoAmI, &[]).status, 401);
            let at = device.caller.address;
            assert_eq!(
                scene.bench.store.mailbox(at).unwrap(),
                MailboxRow::default()
            );
            assert_eq!(scene.bench.store.signed_key(at, KeyKind::Ec).unwrap(), None);
        }
        let Scene { bench, alice, .. } = &mut scene;
        let link = bench.link_with(alice, &token, 13, "the password of it");
        assert_eq!(code(&link), "token_expired");
        let find = Endpoint::AccountByHandle("alice".parse().unwrap());
        assert_eq!(scene.bench.ask(&b1, find, &[]).status, 404);
        assert_eq!(scene.bench.mail(&b2).len(), 1, "what others have is theirs");
        let refused = scene.send(b1, &bundle(2, &[&b2, &a1, &a2], b"x"));
        let mismatch = AccountMismatch::decode_all(&refused.body).unwrap();
        assert!(mismatch[0].gone);
    }

    #[test]
    fn the_handle_of_a_deleted_account_makes_another_account() {
        let mut scene = scene();
        let a1 = scene.a1;
        scene.bench.ask(&a1, Endpoint::DeleteAccount, &[]);
        let anew = scene.bench.register(&mut scene.alice, 31);
        assert_ne!(anew.account(), a1.account());
    }

    #[test]
    fn signing_in_tells_a_removed_device_from_a_deleted_account() {
        use wire::basic::Basic;
        let mut scene = scene();
        let (a1, a2) = (scene.a1, scene.a2);
        let sign_in = |scene: &mut Scene| {
            let header = Basic::device(a2.caller.address, "whatever it was").header();
            match crate::core::auth::authenticate(&mut scene.bench.store, &header) {
                Err(crate::core::Failure::Refused(answer)) => answer,
                other => panic!("{other:?}"),
            }
        };
        remove(&mut scene, a1, a2);
        let removed = sign_in(&mut scene);
        assert_eq!((removed.status, removed.body.len()), (401, 0));
        scene.bench.ask(&a1, Endpoint::DeleteAccount, &[]);
        let gone = sign_in(&mut scene);
        assert_eq!((gone.status, code(&gone).as_str()), (401, "account_gone"));
    }
}

mod fences {
    use super::*;

    #[test]
    fn a_device_that_grows_is_agreed_with() {
        let mut scene = scene();
        let (mut a1, a2) = (scene.a1, scene.a2);
        assert_eq!(fence(&mut scene, &mut a1, 1, 0, 0).status, 204);
        assert_eq!(scene.send(a1, &sealed(1, &[&a2], 1)).status, 200);
        // The answers to sign-in 2 and to sealings 2 to 7 were lost, or they never left.
        assert_eq!(fence(&mut scene, &mut a1, 3, 7, 9).status, 204);
        assert_eq!(scene.send(a1, &sealed(2, &[&a2], 5)).status, 200);
        assert_eq!(fence(&mut scene, &mut a1, 4, 7, 9).status, 204);
    }

    #[test]
    fn a_device_that_says_less_than_was_seen_is_refused() {
        let mut scene = scene();
        let (mut a1, a2) = (scene.a1, scene.a2);
        fence(&mut scene, &mut a1, 5, 0, 0);
        assert_eq!(scene.send(a1, &sealed(1, &[&a2], 3)).status, 200);
        let to_a1 = bundle(9, &[&a1], b"x");
        assert_eq!(scene.send(a2, &to_a1).status, 200);
        let seq = scene.bench.page(&a1).mail[0].seq;
        let mailbox = a1.caller.address;
        scene.bench.in_transaction(|tx| ack(tx, mailbox, seq));
        for (sign_ins, seals, received) in [(5, 3, 1), (4, 3, 1), (6, 2, 1), (6, 3, 0)] {
            let refused = fence(&mut scene, &mut a1, sign_ins, seals, received);
            assert_eq!(
                (refused.status, code(&refused).as_str()),
                (409, ROLLED_BACK)
            );
        }
        assert_eq!(fence(&mut scene, &mut a1, 6, 3, 1).status, 204);
    }

    #[test]
    fn only_the_socket_that_was_agreed_with_last_sends() {
        let mut scene = scene();
        let (mut a1, a2) = (scene.a1, scene.a2);
        let never = a1;
        assert_eq!(scene.send(never, &sealed(1, &[&a2], 0)).status, 200);
        fence(&mut scene, &mut a1, 1, 0, 0);
        let older = a1;
        fence(&mut scene, &mut a1, 2, 0, 0);
        for socket in [never, older] {
            let refused = scene.send(socket, &sealed(2, &[&a2], 1));
            assert_eq!((refused.status, refused.retry_after_s), (503, Some(1)));
        }
        assert_eq!(scene.send(a1, &sealed(2, &[&a2], 1)).status, 200);
    }

    #[test]
    fn what_expired_unread_was_not_received() {
        let mut scene = scene();
        let (mut a1, a2) = (scene.a1, scene.a2);
        assert_eq!(scene.send(a2, &bundle(9, &[&a1], b"x")).status, 200);
        scene.bench.now += MAIL_KEPT_MS;
        let now = scene.bench.now;
        scene.bench.in_transaction(|tx| sweep(tx, now));
        assert_eq!(fence(&mut scene, &mut a1, 1, 0, 0).status, 204);
    }

    #[test]
    fn counts_that_nobody_reaches_are_refused() {
        let mut scene = scene();
        let (mut a1, a2) = (scene.a1, scene.a2);
        assert_eq!(fence(&mut scene, &mut a1, u64::MAX, 0, 0).status, 422);
        assert_eq!(fence(&mut scene, &mut a1, 1, 0, 0).status, 204);
        assert_eq!(scene.send(a1, &sealed(1, &[&a2], u64::MAX)).status, 422);
        assert_eq!(fence(&mut scene, &mut a1, 2, 0, 0).status, 204);
    }
}
