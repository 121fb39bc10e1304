//! Linking by URI, and signing up: what works, what is refused, what a lost answer does.

use engine::output::ClientState;
use engine::{Command, Event, Refusal, Reply, Role};
use sim::World;

#[test]
fn a_declined_device_is_told_so() {
    let mut world = World::new(30);
    let alice = world.register("alice");
    let new = world.browser();
    let offer = world.offer(new);
    let end = world.start(new, Command::AwaitLink);
    let claim = world.ask(
        alice,
        Command::OpenLink {
            uri: offer.uri.clone(),
        },
    );
    assert!(matches!(claim, Ok(Reply::LinkClaim(claim)) if claim.device_name == "Second"));
    assert_eq!(
        world.ask(alice, Command::RejectLink { uri: offer.uri }),
        Ok(Reply::Done)
    );
    assert_eq!(
        world.client(new).answer(end),
        Some(&Err(Refusal::LinkDeclined))
    );
    assert_eq!(world.client(new).state(), ClientState::New);
}

#[test]
fn a_linked_device_is_ready_once_its_account_can_be_shown() {
    let mut world = World::new(30);
    let alice = world.register("alice");
    let new = world.browser();
    let offer = world.offer(new);
    world.start(
        alice,
        Command::ApproveLink {
            uri: offer.uri,
            role: Role::Owner,
        },
    );
    while world.client(new).state() != ClientState::Ready {
        let told = |event: &Event| matches!(event, Event::State(ClientState::Ready));
        assert!(!world.client(new).events.iter().any(told));
        assert!(world.step(), "it never was ready");
    }
    let ticket = world.start(new, Command::Account);
    let answer = world.client(new).answer(ticket);
    assert!(
        matches!(answer, Some(Ok(Reply::Account(account))) if account.handle.as_ref().is_some_and(|handle| handle.as_str() == "alice"))
    );
}

#[test]
fn looking_at_a_link_uri_changes_nothing() {
    let mut world = World::new(31);
    let alice = world.register("alice");
    let new = world.browser();
    let offer = world.offer(new);
    let before = (
        world.client(alice).store.snapshot(),
        world.client(alice).sent.len(),
    );
    assert!(
        world
            .ask(alice, Command::OpenLink { uri: offer.uri })
            .is_ok()
    );
    assert!(before.0 == world.client(alice).store.snapshot());
    assert_eq!(before.1, world.client(alice).sent.len());
}

#[test]
fn a_uri_is_replaced_until_the_attempt_expires() {
    let mut world = World::new(32);
    let alice = world.register("alice");
    let new = world.browser();
    let first = world.offer(new);
    let end = world.start(new, Command::AwaitLink);
    world.pass_ms(46_000);
    let shown = |world: &World| {
        let offers = world.client(new).events.iter();
        offers
            .filter(|event| matches!(event, Event::LinkOffer(_)))
            .count()
    };
    assert_eq!(shown(&world), 1);
    world.pass_ms(6 * 45_000);
    assert_eq!(shown(&world), 5);
    assert_eq!(
        world.client(new).answer(end),
        Some(&Err(Refusal::LinkExpired))
    );
    let late = world.ask(
        alice,
        Command::ApproveLink {
            uri: first.uri,
            role: Role::Owner,
        },
    );
    assert_eq!(late, Err(Refusal::LinkExpired));
    world.offer(new); // and may begin anew
}

#[test]
fn the_uri_before_the_newest_still_links() {
    let mut world = World::new(33);
    let alice = world.register("alice");
    let new = world.browser();
    let first = world.offer(new);
    world.pass_ms(46_000);
    assert!(
        world
            .ask(
                alice,
                Command::ApproveLink {
                    uri: first.uri,
                    role: Role::Owner
                }
            )
            .is_ok()
    );
    assert_eq!(world.client(new).state(), ClientState::Ready);
}

#[test]
fn texts_that_are_no_link_uri_are_refused() {
    let mut world = World::new(34);
    let alice = world.register("alice");
    let mut open = |uri: &str| {
        world.ask(
            alice,
            Command::OpenLink {
                uri: uri.to_owned(),
            },
        )
    };
    assert_eq!(open("hello"), Err(Refusal::LinkUriMalformed));
    assert_eq!(
        open("https://example.org/?uuid=a"),
        Err(Refusal::LinkUriForeign)
    );
    assert_eq!(
        open("lockstep://linkdevice?uuid=a"),
        Err(Refusal::LinkUriMalformed)
    );
    // 33 bytes with the right type, but a point of low order (guard V4).
    let zero = "lockstep://linkdevice?uuid=a&pub_key=BQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    assert_eq!(open(zero), Err(Refusal::LinkUriMalformed));
}

#[test]
fn the_seventeenth_device_is_refused() {
    let mut world = World::new(35);
    let alice = world.register("alice");
    for _ in 1..16 {
        world.link(alice);
    }
    let new = world.browser();
    let offer = world.offer(new);
    let answer = world.ask(
        alice,
        Command::ApproveLink {
            uri: offer.uri,
            role: Role::Owner,
        },
    );
    assert_eq!(answer, Err(Refusal::DeviceLimit));
    assert_eq!(world.client(new).state(), ClientState::New);
}

#[test]
fn a_second_attempt_does_not_disturb_the_first() {
    let mut world = World::new(36);
    let alice = world.register("alice");
    let new = world.browser();
    let offer = world.offer(new);
    let again = Command::Link {
        handle: None,
        credential: None,
        device_name: String::new(),
    };
    assert_eq!(world.ask(new, again), Err(Refusal::LinkBusy));
    assert!(
        world
            .ask(
                alice,
                Command::ApproveLink {
                    uri: offer.uri,
                    role: Role::Owner
                }
            )
            .is_ok()
    );
}

#[test]
fn a_page_that_dies_while_joining_goes_on_when_reopened() {
    let mut world = World::new(37);
    let alice = world.register("alice");
    let new = world.browser();
    let offer = world.offer(new);
    let approved = world.start(
        alice,
        Command::ApproveLink {
            uri: offer.uri,
            role: Role::Owner,
        },
    );
    let pending = world.client(new).store.commits();
    while world.client(new).store.commits() == pending {
        assert!(world.step(), "the account comes");
    }
    world.kill(new); // the link request is on its way, its answer will not be heard
    world.open(new);
    assert_eq!(world.client(new).state(), ClientState::Ready);
    assert!(matches!(
        world.client(alice).answer(approved),
        Some(Ok(Reply::Device(_)))
    ));
}

#[test]
fn a_relay_that_is_busy_when_a_device_joins_is_asked_again() {
    for status in [429, 503] {
        let mut world = World::new(38);
        let alice = world.register("alice");
        let new = world.browser();
        let offer = world.offer(new);
        world.relay.refuse.push(("/v1/devices/link", status, 2));
        world.start(
            alice,
            Command::ApproveLink {
                uri: offer.uri,
                role: Role::Owner,
            },
        );
        world.run();
        assert_eq!(world.client(new).state(), ClientState::New);
        world.pass_ms(15_000);
        assert_eq!(world.client(new).state(), ClientState::Ready);
    }
}

#[test]
fn a_sign_up_with_a_lost_answer_can_be_repeated() {
    let mut world = World::new(38);
    let alice = world.browser();
    let sign_up = Command::Register {
        handle: "alice".to_owned(),
        credential: None,
        device_name: String::new(),
    };
    world.start(alice, sign_up.clone());
    assert!(world.step(), "the relay makes the account");
    world.kill(alice);
    world.open(alice);
    assert_eq!(world.client(alice).state(), ClientState::New);
    assert!(matches!(world.ask(alice, sign_up), Ok(Reply::Account(_))));
}

#[test]
fn a_taken_handle_is_refused_and_another_may_be_chosen() {
    let mut world = World::new(39);
    world.register("alice");
    let other = world.browser();
    let mut sign_up = |handle: &str| {
        let (handle, credential) = (handle.to_owned(), None);
        world.ask(
            other,
            Command::Register {
                handle,
                credential,
                device_name: String::new(),
            },
        )
    };
    assert_eq!(sign_up("Alice"), Err(Refusal::HandleTaken));
    assert_eq!(sign_up("not a handle"), Err(Refusal::HandleInvalid));
    assert!(matches!(sign_up("alina"), Ok(Reply::Account(_))));
    assert_eq!(sign_up("third"), Err(Refusal::AlreadyRegistered));
}

#[test]
fn without_a_relay_signing_up_says_offline() {
    let mut world = World::new(40);
    world.relay_up = false;
    let alice = world.browser();
    let sign_up = Command::Register {
        handle: "alice".to_owned(),
        credential: None,
        device_name: String::new(),
    };
    assert_eq!(world.ask(alice, sign_up.clone()), Err(Refusal::Offline));
    world.relay_up = true;
    world.pass_ms(1_000);
    assert!(world.ask(alice, sign_up).is_ok());
}

#[test]
fn a_device_the_relay_forgot_stays_readable() {
    let mut world = World::new(41);
    let alice = world.register("alice");
    world.register("bob");
    world.send(alice, "bob", "kept");
    world.set_network(alice, false);
    world.relay.refuse.push(("/v1/accounts/whoami", 401, 1));
    world.set_network(alice, true);
    assert_eq!(world.client(alice).state(), ClientState::Unlinked);
    assert_eq!(world.texts(alice, "bob"), ["kept"]);
    let send = Command::text("bob", "no");
    assert_eq!(world.ask(alice, send), Err(Refusal::Unlinked));
    world.kill(alice);
    world.open(alice);
    assert_eq!(world.client(alice).state(), ClientState::Unlinked);
}
