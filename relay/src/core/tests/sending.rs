//! Messages, bundles and mailboxes, one claim a test.
//! The scene is that of the other rules.

use super::*;

mod messages {
    use super::*;

    fn body(to: &[(u32, u32)], kind: u32, size: usize) -> Vec<u8> {
        let messages: Vec<_> = to
            .iter()
            .map(|(device, registration)| {
                serde_json::json!({
                    "type": kind,
                    "destinationDeviceId": device,
                    "destinationRegistrationId": registration,
                    "content": Base64(vec![1; size]),
                })
            })
            .collect();
        to_json(&serde_json::json!({ "messages": messages, "timestamp": 5 }))
    }

    #[test]
    fn the_device_set_must_be_exact_and_stale_comes_first() {
        let Scene {
            mut bench,
            a1,
            a2,
            b1,
            b2,
            ..
        } = scene();
        let bob = Endpoint::Messages(b1.account());
        let answer = bench.ask(&a1, bob.clone(), &body(&[(1, 21), (5, 1)], 1, 9));
        let wrong: MismatchedDevices = from_json(&answer.body).unwrap();
        assert_eq!(answer.status, 409);
        assert_eq!(
            (wrong.missing_devices, wrong.extra_devices),
            (vec![id(2)], vec![id(5)])
        );
        let answer = bench.ask(&a1, bob.clone(), &body(&[(1, 20), (5, 1)], 1, 9));
        let stale: StaleDevices = from_json(&answer.body).unwrap();
        assert_eq!((answer.status, stale.stale_devices), (410, vec![id(1)]));
        assert_eq!(bench.mail(&b1), []);

        let answer = bench.ask(&a1, bob.clone(), &body(&[(1, 21), (2, 22)], 3, 9));
        let sent: MessagesSent = from_json(&answer.body).unwrap();
        assert_eq!((answer.status, sent.needs_sync), (200, true));
        let wakes = [b1, b2].map(|device| Effect::Wake(device.caller.address));
        assert_eq!(answer.effects, wakes);
        assert_eq!(bench.mail(&b2)[0].client_timestamp, 5);

        let alice = Endpoint::Messages(a1.account());
        let answer = bench.ask(&a1, alice.clone(), &body(&[(2, 12)], 1, 9));
        let sent: MessagesSent = from_json(&answer.body).unwrap();
        assert_eq!((answer.status, sent.needs_sync), (200, false));
        assert_eq!(bench.mail(&a2).len(), 1);
        let answer = bench.ask(&a1, alice, &body(&[(1, 11), (2, 12)], 1, 9));
        assert_eq!(answer.status, 409);
    }

    #[test]
    fn what_can_not_be_sent_is_refused_by_its_own_status() {
        let Scene {
            mut bench, a1, b1, ..
        } = scene();
        let bob = Endpoint::Messages(b1.account());
        let nobody = Endpoint::Messages(AccountId::from_bytes([9; 16]));
        let good = [(1, 21), (2, 22)];
        assert_eq!(bench.ask(&a1, nobody, &body(&good, 1, 9)).status, 404);
        let too_large = body(&good, 1, 96 * 1024 + 1);
        assert_eq!(bench.ask(&a1, bob.clone(), &too_large).status, 413);
        assert_eq!(bench.ask(&a1, bob.clone(), &body(&good, 5, 9)).status, 422);
        assert_eq!(bench.ask(&a1, bob.clone(), &body(&[], 1, 9)).status, 422);
        let twice = body(&[(1, 21), (1, 21)], 1, 9);
        assert_eq!(bench.ask(&a1, bob.clone(), &twice).status, 422);
        assert_eq!(bench.ask(&a1, bob, b"nonsense").status, 422);
    }

    #[test]
    fn an_online_message_is_gone_after_its_moment() {
        let Scene {
            mut bench, a1, b1, ..
        } = scene();
        let bob = Endpoint::Messages(b1.account());
        let mut request: serde_json::Value = from_json(&body(&[(1, 21), (2, 22)], 1, 9)).unwrap();
        request["online"] = true.into();
        assert_eq!(bench.ask(&a1, bob, &to_json(&request)).status, 200);
        assert_eq!(bench.mail(&b1).len(), 1);
        bench.now += ONLINE_MAIL_KEPT_MS;
        assert_eq!(bench.mail(&b1), []);
    }
}

mod bundles {
    use super::*;

    #[test]
    fn a_bundle_for_all_devices_is_stored_once_with_one_timestamp() {
        let mut scene = scene();
        let sent = bundle(1, &[&scene.b1, &scene.b2, &scene.a2], b"hi");
        let first = scene.send(scene.a1, &sent);
        let accepted = BundleAccepted::decode(&first.body).unwrap();
        assert_eq!((first.status, first.effects.len()), (200, 3));
        scene.bench.now += 1000;
        let again = scene.send(scene.a1, &sent);
        assert_eq!(BundleAccepted::decode(&again.body).unwrap(), accepted);
        assert_eq!((again.status, again.effects.len()), (200, 0));
        for device in [scene.b1, scene.b2, scene.a2] {
            let mail = scene.bench.mail(&device);
            assert_eq!(mail.len(), 1);
            assert_eq!(mail[0].server_timestamp, accepted.server_timestamp);
            assert_eq!(mail[0].source, scene.a1.caller.address);
        }
        assert_eq!(scene.bench.mail(&scene.a1), []);
    }

    #[test]
    fn a_bundle_missing_one_device_stores_nothing() {
        let mut scene = scene();
        let sent = bundle(1, &[&scene.b1, &scene.a2], b"hi");
        let answer = scene.send(scene.a1, &sent);
        assert_eq!(answer.status, 409);
        let wrong = AccountMismatch::decode_all(&answer.body).unwrap();
        let [bob] = &wrong[..] else {
            panic!("one account is wrong");
        };
        assert_eq!(
            (bob.account, &bob.missing[..]),
            (scene.b1.account(), &[id(2)][..])
        );
        assert_eq!(scene.everything_waiting(), 0);
        let whole = bundle(1, &[&scene.b1, &scene.b2, &scene.a2], b"hi");
        assert_eq!(
            scene.send(scene.a1, &whole).status,
            200,
            "the id is free still"
        );
    }

    #[test]
    fn a_partial_bundle_misses_nobody_but_names_only_who_is_there() {
        let mut scene = scene();
        let mut repeat = bundle(1, &[&scene.b2], b"again");
        let status = scene.send(scene.a1, &repeat).status;
        assert_eq!(status, 409, "Bob's first device is missing");
        repeat.partial = true;
        assert_eq!(scene.send(scene.a1, &repeat).status, 200);
        let mail = [scene.b1, scene.b2].map(|device| scene.bench.mail(&device).len());
        assert_eq!(mail, [0, 1]);
        let mut gone = bundle(2, &[&scene.b2], b"again");
        gone.partial = true;
        let mut stale = gone.clone();
        stale.id = wire::MessageId::from_bytes([3; 16]);
        gone.recipients[0].messages[0].device = id(9);
        stale.recipients[0].messages[0].registration_id = 4_000.try_into().unwrap();
        assert_eq!(scene.send(scene.a1, &gone).status, 409);
        assert_eq!(scene.send(scene.a1, &stale).status, 409);
        assert_eq!(scene.bench.mail(&scene.b2).len(), 1);
    }

    #[test]
    fn a_bundle_that_leaves_out_the_own_account_names_no_own_devices() {
        let mut scene = scene();
        let sent = bundle(1, &[&scene.b1, &scene.b2], b"hi");
        let answer = scene.send(scene.a1, &sent);
        let wrong = AccountMismatch::decode_all(&answer.body).unwrap();
        assert_eq!((answer.status, wrong[0].account), (409, scene.a1.account()));
        assert_eq!(wrong[0].missing, [id(2)]);
        let gone = Endpoint::RemoveDevice(id(2));
        scene.bench.ask(&scene.a1, gone, &[]);
        assert_eq!(scene.send(scene.a1, &sent).status, 200);
    }

    #[test]
    fn everything_wrong_is_said_for_each_account() {
        let mut scene = scene();
        let stale = Device {
            registration_id: 99,
            ..scene.b1
        };
        let mut sent = bundle(1, &[&stale, &scene.a1], b"hi");
        sent.recipients.push(wire::bundle::Recipient {
            account: AccountId::from_bytes([9; 16]),
            messages: Vec::new(),
            without: Vec::new(),
        });
        let answer = scene.send(scene.a1, &sent);
        let wrong = AccountMismatch::decode_all(&answer.body).unwrap();
        let [bob, alice, nobody] = &wrong[..] else {
            panic!("three accounts are wrong");
        };
        assert_eq!(
            (&bob.stale[..], &bob.missing[..]),
            (&[id(1)][..], &[id(2)][..])
        );
        assert_eq!(
            (&alice.extra[..], &alice.missing[..]),
            (&[id(1)][..], &[id(2)][..])
        );
        assert!(nobody.gone && !bob.gone);
        assert_eq!(scene.everything_waiting(), 0);
    }

    #[test]
    fn a_device_that_is_left_out_is_not_missed_and_gets_nothing() {
        let mut scene = scene();
        let (a2, b2) = (scene.a2, scene.b2);
        let mut sent = bundle(1, &[&scene.b1, &scene.a2], b"hi");
        sent.recipients[0].without = vec![left_out(&mut scene, &b2)];
        assert_eq!(scene.send(scene.a1, &sent).status, 200);
        assert_eq!(scene.bench.mail(&scene.b1).len(), 1);
        assert_eq!(scene.bench.mail(&scene.b2).len(), 0);
        let mut sent = bundle(2, &[&scene.b1, &scene.b2], b"hi");
        sent.recipients.push(wire::bundle::Recipient {
            account: scene.a1.account(),
            messages: Vec::new(),
            without: vec![left_out(&mut scene, &a2)],
        });
        assert_eq!(
            scene.send(scene.a1, &sent).status,
            200,
            "own ones are like all"
        );
        assert_eq!(scene.bench.mail(&scene.a2).len(), 1);
    }

    /// It has other keys now, which the sender has not seen; or it is not there any more.
    #[test]
    fn a_device_that_is_left_out_has_to_be_the_one_that_is_there() {
        let mut scene = scene();
        let again = Device {
            registration_id: 99,
            ..scene.b2
        };
        let mut sent = bundle(1, &[&scene.b1, &scene.a2], b"hi");
        sent.recipients[0].without = vec![left_out(&mut scene, &again)];
        let answer = scene.send(scene.a1, &sent);
        let wrong = AccountMismatch::decode_all(&answer.body).unwrap();
        assert_eq!((answer.status, &wrong[0].stale[..]), (409, &[id(2)][..]));
        let b1 = scene.b1;
        scene.bench.ask(&b1, Endpoint::RemoveDevice(id(2)), &[]);
        let answer = scene.send(scene.a1, &sent);
        let wrong = AccountMismatch::decode_all(&answer.body).unwrap();
        assert_eq!((answer.status, &wrong[0].extra[..]), (409, &[id(2)][..]));
        assert_eq!(scene.bench.mail(&scene.b1).len(), 0);
    }

    #[test]
    fn a_device_that_is_left_out_for_keys_that_it_has_replaced_is_missed() {
        let mut scene = scene();
        let b2 = scene.b2;
        let mut sent = bundle(1, &[&scene.b1, &scene.a2], b"hi");
        sent.recipients[0].without = vec![left_out(&mut scene, &b2)];
        sent.recipients[0].without[0].signed_pre_key = 77.try_into().ok();
        let answer = scene.send(scene.a1, &sent);
        let wrong = AccountMismatch::decode_all(&answer.body).unwrap();
        assert_eq!((answer.status, &wrong[0].missing[..]), (409, &[id(2)][..]));
        assert_eq!(scene.everything_waiting(), 0);
    }

    fn left_out(scene: &mut Scene, device: &Device) -> wire::bundle::LeftOut {
        let address = device.caller.address;
        let key = scene.bench.store.signed_key(address, KeyKind::Ec);
        wire::bundle::LeftOut {
            device: address.device,
            registration_id: device.registration_id.try_into().unwrap(),
            signed_pre_key: Some(key.unwrap().unwrap().id),
        }
    }

    #[test]
    fn server_timestamps_of_a_mailbox_grow_with_every_send() {
        let mut scene = scene();
        let to = [scene.b1, scene.b2, scene.a2];
        let to: Vec<_> = to.iter().collect();
        scene.send(scene.a1, &bundle(1, &to, b"1"));
        scene.bench.now -= 60_000;
        scene.send(scene.a1, &bundle(2, &to, b"2"));
        scene.bench.now += 60_000;
        scene.send(scene.a1, &bundle(3, &to, b"3")); // in the same millisecond as the first
        let mail = scene.bench.mail(&scene.b1);
        let times: Vec<u64> = mail.iter().map(|mail| mail.server_timestamp).collect();
        assert!(times.is_sorted_by(|a, b| a < b), "{times:?}");
    }

    #[test]
    fn a_full_mailbox_refuses_the_whole_bundle_with_a_time_to_wait() {
        let mut scene = scene();
        let full = MailboxRow {
            taken: 0,
            clock: 0,
            envelopes: MAILBOX_ENVELOPES_MAX,
            bytes: 0,
        };
        let address = scene.b2.caller.address;
        scene
            .bench
            .in_transaction(|tx| tx.put_mailbox(address, full));
        let sent = bundle(1, &[&scene.b1, &scene.b2, &scene.a2], b"hi");
        let answer = scene.send(scene.a1, &sent);
        assert_eq!(answer.status, 429);
        assert!(answer.retry_after_s.is_some());
        assert_eq!(scene.everything_waiting(), 0);
    }
}

mod mailbox {
    use super::*;

    #[test]
    fn an_ack_takes_out_one_envelope_and_again_none() {
        let mut scene = scene();
        let to = [scene.b1, scene.b2, scene.a2];
        let to: Vec<_> = to.iter().collect();
        scene.send(scene.a1, &bundle(1, &to, b"1"));
        scene.send(scene.a1, &bundle(2, &to, b"2"));
        let (b1, address) = (scene.b1, scene.b1.caller.address);
        let first = scene.bench.page(&b1).mail[0].seq;
        for _ in 0..2 {
            scene.bench.in_transaction(|tx| ack(tx, address, first));
            assert_eq!(scene.bench.mail(&b1).len(), 1);
            assert_eq!(scene.bench.store.mailbox(address).unwrap().envelopes, 1);
        }
        let other = scene.b2.caller.address;
        let second = scene.bench.page(&b1).mail[0].seq;
        scene.bench.in_transaction(|tx| ack(tx, other, second));
        assert_eq!(scene.bench.mail(&b1).len(), 1, "no device acks for another");
    }

    #[test]
    fn a_sweep_removes_what_has_had_its_time_and_no_more() {
        let mut scene = scene();
        let to = [scene.b1, scene.b2, scene.a2];
        let to: Vec<_> = to.iter().collect();
        scene.send(scene.a1, &bundle(1, &to, b"old"));
        scene.bench.now += MAIL_KEPT_MS - 1;
        scene.send(scene.a1, &bundle(2, &to, b"new"));
        scene.bench.now += 1;
        let now = scene.bench.now;
        scene.bench.in_transaction(|tx| sweep(tx, now));
        let mail = scene.bench.mail(&scene.b1);
        assert_eq!(mail.len(), 1);
        assert_eq!(mail[0].content, b"new");
        let row = scene.bench.store.mailbox(scene.b1.caller.address).unwrap();
        assert_eq!(row.envelopes, 1);
        const { assert!(BUNDLE_REMEMBERED_MS <= MAIL_KEPT_MS) };
    }
}
